//! `task` and what it needs.

use super::action::{ACTION, SCHEDULE};
use super::artifact::ARTIFACT;
use super::device::{DEVICE, NUMA};
use super::identity::IDENTITY;
use super::kind::{AMOUNT, COUNT};
use super::network::NETWORK;
use super::periodic::DISPATCH_PAYLOAD;
use super::placement::{AFFINITY, CONSTRAINT};
use super::policy::RESTART;
use super::scaling::SCALING;
use super::secret::{CONSUL, SECRET, VAULT};
use super::service::SERVICE;
use super::template::TEMPLATE;
use super::volume::{CSI_PLUGIN, VOLUME_MOUNT};
use super::{Block, Entries, Fault, Kind, Times, attribute, block};
use crate::source::Span;
use crate::tree::{Node, Tree};

pub(super) static TASK: Block = Block::new(
    "task",
    "One container or process.",
    &[
        attribute("", "Name", Kind::Text, "The task's name, given as the label."),
        attribute("driver", "Driver", Kind::Text, "What runs it: `docker`, `fake`, or a driver that nodes have."),
        attribute("config", "Config", Kind::Free, "The driver's settings."),
        attribute("user", "User", Kind::Text, "The user to run as."),
        block("lifecycle", "Lifecycle", &LIFECYCLE, Times::Once),
        attribute("leader", "Leader", Kind::Bool, "Whether the group's other tasks end with it."),
        block("resources", "Resources", &RESOURCES, Times::Once),
        block("constraint", "Constraints", &CONSTRAINT, Times::Many),
        block("affinity", "Affinities", &AFFINITY, Times::Many),
        attribute("env", "Env", Kind::TextMap, "Environment variables."),
        block("service", "Services", &SERVICE, Times::Many),
        block("logs", "LogConfig", &LOGS, Times::Once),
        attribute("kill_timeout", "KillTimeout", Kind::Duration, "Time between the stop signal and the end by force."),
        attribute("kill_signal", "KillSignal", Kind::Text, "The stop signal."),
        attribute("shutdown_delay", "ShutdownDelay", Kind::Duration, "Wait between leaving the catalog and the stop."),
        block("restart", "RestartPolicy", &RESTART, Times::Once),
        attribute("meta", "Meta", Kind::TextMap, "Free values by name, handed to the task."),
        block("template", "Templates", &TEMPLATE, Times::Many).not_yet(),
        block("artifact", "Artifacts", &ARTIFACT, Times::Many).not_yet(),
        block("volume_mount", "VolumeMounts", &VOLUME_MOUNT, Times::Many),
        block("csi_plugin", "CSIPluginConfig", &CSI_PLUGIN, Times::Once).not_yet(),
        block("dispatch_payload", "DispatchPayload", &DISPATCH_PAYLOAD, Times::Once).not_yet(),
        block("vault", "Vault", &VAULT, Times::Once).not_yet(),
        block("consul", "Consul", &CONSUL, Times::Once).not_yet(),
        block("identity", "", &IDENTITY, Times::Many).not_yet(),
        block("identity", "Identity", &IDENTITY, Times::Once).not_yet().json_only(),
        block("identity", "Identities", &IDENTITY, Times::Many).not_yet().json_only(),
        block("secret", "Secrets", &SECRET, Times::Many),
        block("action", "Actions", &ACTION, Times::Many).not_yet(),
        block("scaling", "ScalingPolicies", &SCALING, Times::Many).not_yet(),
        block("schedule", "Schedule", &SCHEDULE, Times::Once).not_yet(),
        attribute("kind", "Kind", Kind::Text, "Set by the service mesh.").not_yet(),
    ],
)
.labelled("Name")
.of::<model::Task>()
.finish(sort_identities);

/// The identity that every task has is a field of its own.
fn sort_identities(entries: &mut Entries, _: &Span) -> Result<(), Fault> {
    let Some(Node { span, tree: Tree::List(identities) }) = entries.remove("identity") else { return Ok(()) };
    let (own, others): (Vec<Node>, Vec<Node>) = identities.into_iter().partition(is_default_identity);
    let mut own = own.into_iter();
    if let Some(first) = own.next() {
        entries.insert("Identity".into(), first);
    }
    if !others.is_empty() {
        entries.insert("Identities".into(), Node { span, tree: Tree::List(others) });
    }
    match own.next() {
        None => Ok(()),
        Some(second) => Err(Fault {
            span: second.span,
            message: "the default identity is given twice".into(),
            hint: "give further identities a name: identity \"name\" { … }",
        }),
    }
}

fn is_default_identity(node: &Node) -> bool {
    match &node.tree {
        Tree::Map(entries) => match entries.get("Name").map(|name| &name.tree) {
            Some(Tree::Leaf(name)) => name == "" || name == model::DEFAULT_IDENTITY,
            Some(Tree::List(_) | Tree::Map(_)) | None => true,
        },
        Tree::Leaf(_) | Tree::List(_) => false,
    }
}

pub(super) static RESOURCES: Block = Block::new(
    "resources",
    "What the task needs.",
    &[
        attribute("cpu", "CPU", AMOUNT, "MHz; 100 unless given."),
        attribute("memory", "MemoryMB", AMOUNT, "Reserved memory in MiB; 300 unless given."),
        attribute(
            "memory_max",
            "MemoryMaxMB",
            Kind::Whole(-1, 1 << 40),
            "The hard limit in MiB; `memory` unless given.",
        ),
        attribute("cores", "Cores", COUNT, "Whole cores for the task alone, in place of `cpu`."),
        attribute("secrets", "SecretsMB", AMOUNT, "MiB for secrets.").not_yet(),
        attribute("disk", "DiskMB", AMOUNT, "Use `ephemeral_disk`.").not_yet(),
        attribute("iops", "IOPS", AMOUNT, "Ignored by Nomad.").not_yet(),
        block("device", "Devices", &DEVICE, Times::Many),
        block("numa", "NUMA", &NUMA, Times::Once),
        block("network", "Networks", &NETWORK, Times::OnceInList).not_yet(),
    ],
)
.of::<model::TaskResources>();

pub(super) static LOGS: Block = Block::new(
    "logs",
    "How the task's output is kept.",
    &[
        attribute("max_files", "MaxFiles", COUNT, "Files kept per stream; 10 unless given."),
        attribute("max_file_size", "MaxFileSizeMB", COUNT, "MiB at which a new file begins; 10 unless given."),
        attribute("disabled", "Disabled", Kind::Bool, "Whether nothing is kept."),
    ],
)
.of::<model::Logs>();

static LIFECYCLE: Block = Block::new(
    "lifecycle",
    "When the task runs in relation to the others.",
    &[
        attribute(
            "hook",
            "Hook",
            Kind::Choice(&["prestart", "poststart", "poststop"]),
            "The moment at which it starts.",
        ),
        attribute("sidecar", "Sidecar", Kind::Bool, "Whether it keeps running beside them."),
    ],
);
