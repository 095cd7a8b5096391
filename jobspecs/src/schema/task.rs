//! `task` and what it needs.

use super::kept::{
    ACTION, ARTIFACT, CONSUL, CSI_PLUGIN, DEVICE, DISPATCH_PAYLOAD, IDENTITY, NUMA, SCALING, SCHEDULE, SECRET,
    TEMPLATE, VAULT, VOLUME_MOUNT,
};
use super::kind::{AMOUNT, COUNT};
use super::placement::{AFFINITY, CONSTRAINT};
use super::policy::RESTART;
use super::service::SERVICE;
use super::{Block, Kind, Times, attribute, block};

pub(super) static TASK: Block = Block::new(
    "task",
    "One container or process.",
    &[
        attribute("", "Name", Kind::Text, "The task's name, given as the label."),
        attribute("driver", "Driver", Kind::Text, "What runs it: `docker` or `fake`."),
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
        block("template", "Templates", &TEMPLATE, Times::Many).kept(),
        block("artifact", "Artifacts", &ARTIFACT, Times::Many).kept(),
        block("volume_mount", "VolumeMounts", &VOLUME_MOUNT, Times::Many).kept(),
        block("csi_plugin", "CSIPluginConfig", &CSI_PLUGIN, Times::Once).kept(),
        block("dispatch_payload", "DispatchPayload", &DISPATCH_PAYLOAD, Times::Once).kept(),
        block("vault", "Vault", &VAULT, Times::Once).kept(),
        block("consul", "Consul", &CONSUL, Times::Once).kept(),
        block("identity", "Identities", &IDENTITY, Times::Many).kept(),
        block("secret", "Secrets", &SECRET, Times::Many).kept(),
        block("action", "Actions", &ACTION, Times::Many).kept(),
        block("scaling", "ScalingPolicies", &SCALING, Times::Many).kept(),
        block("schedule", "Schedule", &SCHEDULE, Times::Once).kept(),
        attribute("kind", "Kind", Kind::Text, "Set by the service mesh.").kept(),
    ],
)
.labelled("Name")
.keeps();

static RESOURCES: Block = Block::new(
    "resources",
    "What the task needs.",
    &[
        attribute("cpu", "CPU", AMOUNT, "MHz; 100 unless given."),
        attribute("memory", "MemoryMB", AMOUNT, "Reserved memory in MiB; 300 unless given."),
        attribute("memory_max", "MemoryMaxMB", AMOUNT, "The hard limit in MiB; `memory` unless given."),
        attribute("cores", "Cores", COUNT, "Whole cores for the task alone, in place of `cpu`.").kept(),
        attribute("secrets", "SecretsMB", AMOUNT, "MiB for secrets.").kept(),
        attribute("disk", "DiskMB", AMOUNT, "Use `ephemeral_disk`.").kept(),
        attribute("iops", "IOPS", AMOUNT, "Ignored by Nomad.").kept(),
        block("device", "Devices", &DEVICE, Times::Many).kept(),
        block("numa", "NUMA", &NUMA, Times::Once).kept(),
        attribute("network", "Networks", Kind::Free, "Use the group's `network`.").kept(),
    ],
);

static LOGS: Block = Block::new(
    "logs",
    "How the task's output is kept.",
    &[
        attribute("max_files", "MaxFiles", COUNT, "Files kept per stream; 10 unless given."),
        attribute("max_file_size", "MaxFileSizeMB", COUNT, "MiB at which a new file begins; 10 unless given."),
        attribute("disabled", "Disabled", Kind::Bool, "Whether nothing is kept."),
        attribute("enabled", "Enabled", Kind::Bool, "Deprecated: use `disabled`.").kept(),
    ],
);

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
