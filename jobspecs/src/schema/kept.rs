//! Blocks that this release reads, keeps and shows, but does not act on. Each use gives a warning.

use super::kind::{AMOUNT, COUNT};
use super::placement::{AFFINITY, CONSTRAINT};
use super::{Block, Kind, Times, attribute, block};

pub(super) static PERIODIC: Block = Block::new(
    "periodic",
    "Starts a batch job at given times.",
    &[
        attribute("cron", "Spec", Kind::Text, "When, as cron writes it."),
        attribute("crons", "Specs", Kind::Texts, "The same, several times."),
        attribute("prohibit_overlap", "ProhibitOverlap", Kind::Bool, "Skip a start while the last run is on."),
        attribute("time_zone", "TimeZone", Kind::Text, "The time zone; UTC unless given."),
        attribute("enabled", "Enabled", Kind::Bool, "Whether it starts at all."),
    ],
);

pub(super) static PARAMETERIZED: Block = Block::new(
    "parameterized",
    "Makes the job a form for others.",
    &[
        attribute(
            "payload",
            "Payload",
            Kind::Choice(&["optional", "required", "forbidden"]),
            "Whether it takes a payload.",
        ),
        attribute("meta_required", "MetaRequired", Kind::Texts, "Values that must be given."),
        attribute("meta_optional", "MetaOptional", Kind::Texts, "Values that may be given."),
    ],
);

pub(super) static MULTIREGION: Block = Block::new(
    "multiregion",
    "Runs the job in several regions.",
    &[
        attribute("strategy", "Strategy", Kind::Free, "How regions follow one another."),
        attribute("region", "Regions", Kind::Free, "A region, with its own counts."),
    ],
);

pub(super) static UI: Block = Block::new(
    "ui",
    "A description and links for the web UI.",
    &[
        attribute("description", "Description", Kind::Text, "The description, in Markdown."),
        block("link", "Links", &LINK, Times::Many),
    ],
);

static LINK: Block = Block::new(
    "link",
    "A link.",
    &[attribute("label", "Label", Kind::Text, "What it says."), attribute("url", "URL", Kind::Text, "Where it leads.")],
);

pub(super) static VAULT: Block = Block::new(
    "vault",
    "A token of Vault for the task.",
    &[
        attribute("policies", "Policies", Kind::Texts, "Deprecated."),
        attribute("role", "Role", Kind::Text, "The role."),
        attribute("namespace", "Namespace", Kind::Text, "Vault's namespace."),
        attribute("cluster", "Cluster", Kind::Text, "Which Vault."),
        attribute("env", "Env", Kind::Bool, "Whether the token is in the environment."),
        attribute("disable_file", "DisableFile", Kind::Bool, "Whether it is not written to a file."),
        attribute("change_mode", "ChangeMode", Kind::Text, "What happens when it changes."),
        attribute("change_signal", "ChangeSignal", Kind::Text, "The signal for that."),
        attribute("allow_token_expiration", "AllowTokenExpiration", Kind::Bool, "Whether it may expire."),
    ],
);

pub(super) static SECRET: Block = Block::new(
    "secret",
    "A secret fetched for the task.",
    &[
        attribute("", "Name", Kind::Text, "Its name, given as the label."),
        attribute("provider", "Provider", Kind::Text, "`nomad`, `vault` or a plugin."),
        attribute("path", "Path", Kind::Text, "Where it lies."),
        attribute("config", "Config", Kind::Free, "The provider's settings."),
        attribute("env", "Env", Kind::TextMap, "The plugin's environment."),
    ],
)
.labelled("Name");

pub(super) static CONSUL: Block = Block::new(
    "consul",
    "Which Consul the group uses.",
    &[
        attribute("namespace", "Namespace", Kind::Text, "Consul's namespace."),
        attribute("cluster", "Cluster", Kind::Text, "Which Consul."),
        attribute("partition", "Partition", Kind::Text, "Consul's partition."),
    ],
);

pub(super) static VOLUME: Block = Block::new(
    "volume",
    "Storage that outlives an instance.",
    &[
        attribute("", "Name", Kind::Text, "Its name, given as the label."),
        attribute("type", "Type", Kind::Choice(&["host", "csi"]), "What kind of storage."),
        attribute("source", "Source", Kind::Text, "The volume."),
        attribute("read_only", "ReadOnly", Kind::Bool, "Whether it can't be written."),
        attribute("sticky", "Sticky", Kind::Bool, "Whether the instance comes back to it."),
        attribute("access_mode", "AccessMode", Kind::Text, "How many may use it."),
        attribute("attachment_mode", "AttachmentMode", Kind::Text, "As files or as a device."),
        attribute("mount_options", "MountOptions", Kind::Free, "How it is mounted."),
        attribute("per_alloc", "PerAlloc", Kind::Bool, "One volume per instance."),
    ],
)
.labelled("Name");

pub(super) static SCALING: Block = Block::new(
    "scaling",
    "Bounds and policy for an autoscaler.",
    &[
        attribute("", "Type", Kind::Text, "What is scaled, given as the label."),
        attribute("enabled", "Enabled", Kind::Bool, "Whether it is on."),
        attribute("min", "Min", COUNT, "The least count."),
        attribute("max", "Max", COUNT, "The greatest count."),
        attribute("policy", "Policy", Kind::Free, "The autoscaler's rules."),
    ],
)
.maybe_labelled("Type");

pub(super) static TEMPLATE: Block = Block::new(
    "template",
    "A file made from data, and again when that changes.",
    &[
        attribute("source", "SourcePath", Kind::Text, "The template's file."),
        attribute("data", "EmbeddedTmpl", Kind::Text, "The template itself."),
        attribute("destination", "DestPath", Kind::Text, "The file to write."),
        attribute(
            "change_mode",
            "ChangeMode",
            Kind::Choice(&["restart", "signal", "noop", "script"]),
            "What a change does.",
        ),
        attribute("change_signal", "ChangeSignal", Kind::Text, "The signal for that."),
        attribute("change_script", "ChangeScript", Kind::Free, "The script for that."),
        attribute("once", "Once", Kind::Bool, "Whether it is made only once."),
        attribute("splay", "Splay", Kind::Duration, "A random wait before the change is made."),
        attribute("perms", "Perms", Kind::Text, "The file's mode."),
        attribute("uid", "Uid", Kind::Whole(-1, u32::MAX as i64), "The file's owner."),
        attribute("gid", "Gid", Kind::Whole(-1, u32::MAX as i64), "The file's group."),
        attribute("left_delimiter", "LeftDelim", Kind::Text, "What opens an action."),
        attribute("right_delimiter", "RightDelim", Kind::Text, "What closes it."),
        attribute("env", "Envvars", Kind::Bool, "Whether the file's lines become environment variables."),
        attribute("wait", "Wait", Kind::Free, "How long to gather changes."),
        attribute("error_on_missing_key", "ErrMissingKey", Kind::Bool, "Whether a missing key is an error."),
        attribute("vault_grace", "VaultGrace", Kind::Duration, "Deprecated."),
    ],
);

pub(super) static ARTIFACT: Block = Block::new(
    "artifact",
    "A file fetched before the task starts.",
    &[
        attribute("source", "GetterSource", Kind::Text, "Where it lies."),
        attribute("destination", "RelativeDest", Kind::Text, "Where it goes."),
        attribute("mode", "GetterMode", Kind::Choice(&["any", "file", "dir"]), "What it is."),
        attribute("options", "GetterOptions", Kind::TextMap, "Options of the fetch."),
        attribute("headers", "GetterHeaders", Kind::TextMap, "Header lines of the request."),
        attribute("insecure", "GetterInsecure", Kind::Bool, "Whether any certificate is trusted."),
        attribute("chown", "Chown", Kind::Bool, "Whether the task's user owns it."),
    ],
);

pub(super) static VOLUME_MOUNT: Block = Block::new(
    "volume_mount",
    "Where a volume of the group is seen.",
    &[
        attribute("volume", "Volume", Kind::Text, "The volume's name."),
        attribute("destination", "Destination", Kind::Text, "The path in the task."),
        attribute("read_only", "ReadOnly", Kind::Bool, "Whether it can't be written."),
        attribute("propagation_mode", "PropagationMode", Kind::Text, "How mounts inside it are seen."),
        attribute("selinux_label", "SELinuxLabel", Kind::Text, "The label."),
    ],
);

pub(super) static CSI_PLUGIN: Block = Block::new(
    "csi_plugin",
    "The task is itself a storage plugin.",
    &[
        attribute("id", "ID", Kind::Text, "The plugin's id."),
        attribute("type", "Type", Kind::Text, "`node`, `controller` or `monolith`."),
        attribute("mount_dir", "MountDir", Kind::Text, "Where its socket is."),
        attribute("stage_publish_base_dir", "StagePublishBaseDir", Kind::Text, "Where it mounts."),
        attribute("health_timeout", "HealthTimeout", Kind::Duration, "When it counts as failed."),
    ],
);

pub(super) static DISPATCH_PAYLOAD: Block = Block::new(
    "dispatch_payload",
    "Where the payload is written.",
    &[attribute("file", "File", Kind::Text, "The file.")],
);

pub(super) static IDENTITY: Block = Block::new(
    "identity",
    "A signed identity for the task.",
    &[
        attribute("name", "Name", Kind::Text, "Its name."),
        attribute("aud", "Audience", Kind::Texts, "For whom."),
        attribute("env", "Env", Kind::Bool, "Whether it is in the environment."),
        attribute("file", "File", Kind::Bool, "Whether it is in a file."),
        attribute("filepath", "Filepath", Kind::Text, "The file."),
        attribute("change_mode", "ChangeMode", Kind::Text, "What happens when it changes."),
        attribute("change_signal", "ChangeSignal", Kind::Text, "The signal for that."),
        attribute("ttl", "TTL", Kind::Duration, "How long it holds."),
        attribute("service_name", "ServiceName", Kind::Text, "The service it is for."),
        attribute("extra_claims", "ExtraClaims", Kind::TextMap, "Further claims."),
    ],
)
.maybe_labelled("Name");

pub(super) static ACTION: Block = Block::new(
    "action",
    "A command that people may run in the task.",
    &[
        attribute("", "Name", Kind::Text, "Its name, given as the label."),
        attribute("command", "Command", Kind::Text, "The command."),
        attribute("args", "Args", Kind::Texts, "Its arguments."),
    ],
)
.labelled("Name");

pub(super) static SCHEDULE: Block = Block::new(
    "schedule",
    "The hours in which the task runs.",
    &[attribute("cron", "Cron", Kind::Free, "Start, end and time zone.")],
);

pub(super) static DEVICE: Block = Block::new(
    "device",
    "A device such as a GPU.",
    &[
        attribute("", "Name", Kind::Text, "vendor/type/name, given as the label."),
        attribute("count", "Count", AMOUNT, "How many."),
        block("constraint", "Constraints", &CONSTRAINT, Times::Many),
        block("affinity", "Affinities", &AFFINITY, Times::Many),
    ],
)
.labelled("Name");

pub(super) static NUMA: Block = Block::new(
    "numa",
    "Cores and devices near to each other.",
    &[
        attribute("affinity", "Affinity", Kind::Choice(&["none", "prefer", "require"]), "How strictly."),
        attribute("devices", "Devices", Kind::Texts, "Which devices."),
    ],
);
