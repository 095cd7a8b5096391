//! `service` and `check`: what the catalog says of an instance.

use super::connect::CONNECT;
use super::identity::IDENTITY;
use super::kind::COUNT;
use super::{Block, Kind, Times, attribute, block};

const ADDRESS_MODES: &[&str] = &["auto", "host", "driver", "alloc", "alloc_ipv6"];
const ON_UPDATE: &[&str] = &["require_healthy", "ignore_warnings", "ignore"];

pub(super) static SERVICE: Block = Block::new(
    "service",
    "A name under which the instance is found.",
    &[
        attribute("name", "Name", Kind::Text, "The name in catalog and DNS; job-group-task unless given."),
        attribute("port", "PortLabel", Kind::Text, "Label of a port of the group, or a number."),
        attribute("tags", "Tags", Kind::Texts, "Tags in catalog and DNS."),
        attribute("canary_tags", "CanaryTags", Kind::Texts, "Tags while the instance is a canary."),
        attribute("meta", "Meta", Kind::TextMap, "Free values by name."),
        attribute(
            "provider",
            "Provider",
            Kind::Choice(&["consul", "nomad"]),
            "Either stands for the built-in catalog.",
        ),
        attribute("address_mode", "AddressMode", Kind::Choice(ADDRESS_MODES), "Whose address is announced."),
        attribute("address", "Address", Kind::Text, "An address to announce instead."),
        attribute("task", "TaskName", Kind::Text, "The task that a group's service belongs to."),
        attribute("on_update", "OnUpdate", Kind::Choice(ON_UPDATE), "How its checks count in a deployment."),
        block("check", "Checks", &CHECK, Times::Many),
        block("check_restart", "CheckRestart", &CHECK_RESTART, Times::Once),
        attribute("canary_meta", "CanaryMeta", Kind::TextMap, "Values while the instance is a canary.").not_yet(),
        attribute("tagged_addresses", "TaggedAddresses", Kind::TextMap, "Further addresses by tag.").not_yet(),
        attribute("enable_tag_override", "EnableTagOverride", Kind::Bool, "Whether others may change tags.").not_yet(),
        block("weights", "Weights", &WEIGHTS, Times::Once).not_yet(),
        attribute("cluster", "Cluster", Kind::Text, "Which Consul.").not_yet(),
        attribute("kind", "Kind", Kind::Text, "The kind of a gateway's service.").not_yet(),
        block("connect", "Connect", &CONNECT, Times::Once).not_yet(),
        block("identity", "Identity", &IDENTITY, Times::Once).not_yet(),
    ],
)
.of::<model::Service>();

static WEIGHTS: Block = Block::new(
    "weights",
    "Weights of its addresses in DNS.",
    &[
        attribute("passing", "Passing", COUNT, "While its checks pass; 1 unless given."),
        attribute("warning", "Warning", COUNT, "While they warn; 1 unless given."),
    ],
)
.of::<model::Weights>();

pub(super) static CHECK: Block = Block::new(
    "check",
    "A probe that tells whether the instance works.",
    &[
        attribute("name", "Name", Kind::Text, "Shown to people."),
        attribute("type", "Type", Kind::Choice(&["http", "tcp", "grpc", "script"]), "What is probed."),
        attribute("path", "Path", Kind::Text, "HTTP: the path."),
        attribute("method", "Method", Kind::Text, "HTTP: the method; GET unless given."),
        attribute("protocol", "Protocol", Kind::Choice(&["http", "https"]), "HTTP: plain or over TLS."),
        attribute("header", "Header", Kind::TextsMap, "HTTP: header lines."),
        attribute("body", "Body", Kind::Text, "HTTP: the request's body."),
        attribute("port", "PortLabel", Kind::Text, "Label of the port; the service's unless given."),
        attribute("interval", "Interval", Kind::Duration, "Time between probes."),
        attribute("timeout", "Timeout", Kind::Duration, "When a probe counts as failed."),
        attribute("success_before_passing", "SuccessBeforePassing", COUNT, "Passes in a row before it passes."),
        attribute("failures_before_critical", "FailuresBeforeCritical", COUNT, "Failures in a row before it fails."),
        attribute("on_update", "OnUpdate", Kind::Choice(ON_UPDATE), "How it counts in a deployment."),
        block("check_restart", "CheckRestart", &CHECK_RESTART, Times::Once),
        attribute("failures_before_warning", "FailuresBeforeWarning", COUNT, "Failures before a warning.").not_yet(),
        attribute("address_mode", "AddressMode", Kind::Choice(ADDRESS_MODES), "Which address is probed.").not_yet(),
        attribute("advertise", "Advertise", Kind::Text, "The address that is probed.").not_yet(),
        attribute("expose", "Expose", Kind::Bool, "Service mesh: a path past the proxy.").not_yet(),
        attribute("task", "TaskName", Kind::Text, "The task in which a script runs.").not_yet(),
        attribute("initial_status", "InitialStatus", Kind::Text, "The status before the first probe.").not_yet(),
        attribute("notes", "Notes", Kind::Text, "A note for people.").not_yet(),
        attribute("tls_skip_verify", "TLSSkipVerify", Kind::Bool, "HTTPS: trust any certificate.").not_yet(),
        attribute("tls_server_name", "TLSServerName", Kind::Text, "HTTPS: the name in the certificate.").not_yet(),
        attribute("command", "Command", Kind::Text, "The script to run.").not_yet(),
        attribute("args", "Args", Kind::Texts, "Arguments of the script.").not_yet(),
        attribute("grpc_service", "GRPCService", Kind::Text, "The gRPC service to ask.").not_yet(),
        attribute("grpc_use_tls", "GRPCUseTLS", Kind::Bool, "gRPC over TLS.").not_yet(),
    ],
)
.of::<model::Check>();

static CHECK_RESTART: Block = Block::new(
    "check_restart",
    "Restarts the task when checks keep failing.",
    &[
        attribute("limit", "Limit", COUNT, "Failures in a row; 0 for never."),
        attribute("grace", "Grace", Kind::Duration, "Time after a start in which failures do not count."),
        attribute("ignore_warnings", "IgnoreWarnings", Kind::Bool, "Whether warnings do not count."),
    ],
)
.of::<model::CheckRestart>();
