//! `service` and `check`: what the catalog says of an instance.

use super::kept::IDENTITY;
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
        block("check_restart", "CheckRestart", &CHECK_RESTART, Times::Once).kept(),
        attribute("canary_meta", "CanaryMeta", Kind::TextMap, "Values while the instance is a canary.").kept(),
        attribute("tagged_addresses", "TaggedAddresses", Kind::TextMap, "Further addresses by tag.").kept(),
        attribute("enable_tag_override", "EnableTagOverride", Kind::Bool, "Whether others may change tags.").kept(),
        attribute("weights", "Weights", Kind::Free, "Weights in DNS.").kept(),
        attribute("cluster", "Cluster", Kind::Text, "Which Consul.").kept(),
        attribute("kind", "Kind", Kind::Text, "The kind of a gateway's service.").kept(),
        attribute("connect", "Connect", Kind::Free, "Service mesh.").kept(),
        block("identity", "Identity", &IDENTITY, Times::Once).kept(),
    ],
);

pub(super) static CHECK: Block = Block::new(
    "check",
    "A probe that tells whether the instance works.",
    &[
        attribute("name", "Name", Kind::Text, "Shown to people."),
        attribute("type", "Type", Kind::Choice(&["http", "tcp"]), "What is probed."),
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
        attribute("failures_before_warning", "FailuresBeforeWarning", COUNT, "Failures before a warning.").kept(),
        attribute("address_mode", "AddressMode", Kind::Choice(ADDRESS_MODES), "Which address is probed.").kept(),
        attribute("advertise", "Advertise", Kind::Text, "The address that is probed.").kept(),
        attribute("expose", "Expose", Kind::Bool, "Service mesh: a path past the proxy.").kept(),
        attribute("task", "TaskName", Kind::Text, "The task in which a script runs.").kept(),
        attribute("initial_status", "InitialStatus", Kind::Text, "The status before the first probe.").kept(),
        attribute("notes", "Notes", Kind::Text, "A note for people.").kept(),
        attribute("tls_skip_verify", "TLSSkipVerify", Kind::Bool, "HTTPS: trust any certificate.").kept(),
        attribute("tls_server_name", "TLSServerName", Kind::Text, "HTTPS: the name in the certificate.").kept(),
        attribute("command", "Command", Kind::Text, "The script to run.").kept(),
        attribute("args", "Args", Kind::Texts, "Arguments of the script.").kept(),
        attribute("grpc_service", "GRPCService", Kind::Text, "The gRPC service to ask.").kept(),
        attribute("grpc_use_tls", "GRPCUseTLS", Kind::Bool, "gRPC over TLS.").kept(),
    ],
);

static CHECK_RESTART: Block = Block::new(
    "check_restart",
    "Restarts the task when checks keep failing.",
    &[
        attribute("limit", "Limit", COUNT, "Failures in a row; 0 for never."),
        attribute("grace", "Grace", Kind::Duration, "Time after a start in which failures do not count."),
        attribute("ignore_warnings", "IgnoreWarnings", Kind::Bool, "Whether warnings do not count."),
    ],
);
