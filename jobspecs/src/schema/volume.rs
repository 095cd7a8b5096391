//! `volume`, `volume_mount` and `csi_plugin`: storage that outlives an instance.

use super::{Block, Kind, Times, attribute, block};

pub(super) static VOLUME: Block = Block::new(
    "volume",
    "Storage that outlives an instance.",
    &[
        attribute("", "Name", Kind::Text, "Its name, given as the label."),
        attribute("type", "Type", Kind::Choice(&["host", "csi"]), "What kind of storage."),
        attribute("source", "Source", Kind::Text, "The volume."),
        attribute("read_only", "ReadOnly", Kind::Bool, "Whether it can't be written."),
        attribute("sticky", "Sticky", Kind::Bool, "Whether the instance comes back to it."),
        attribute("access_mode", "AccessMode", Kind::Text, "How many may use it, and how."),
        attribute(
            "attachment_mode",
            "AttachmentMode",
            Kind::Choice(&["file-system", "block-device"]),
            "As files or as a device.",
        ),
        block("mount_options", "MountOptions", &MOUNT_OPTIONS, Times::Once).not_yet(),
        attribute("per_alloc", "PerAlloc", Kind::Bool, "One volume per instance: that of `source[index]`."),
    ],
)
.labelled("Name")
.of::<model::Volume>();

static MOUNT_OPTIONS: Block = Block::new(
    "mount_options",
    "How it is mounted.",
    &[
        attribute("fs_type", "FSType", Kind::Text, "The file system."),
        attribute("mount_flags", "MountFlags", Kind::Texts, "Flags such as `noatime`."),
    ],
)
.of::<model::MountOptions>();

pub(super) static VOLUME_MOUNT: Block = Block::new(
    "volume_mount",
    "Where a volume of the group is seen.",
    &[
        attribute("volume", "Volume", Kind::Text, "The volume's name."),
        attribute("destination", "Destination", Kind::Text, "The path in the task."),
        attribute("read_only", "ReadOnly", Kind::Bool, "Whether it can't be written."),
        attribute(
            "propagation_mode",
            "PropagationMode",
            Kind::Choice(&["private", "host-to-task", "bidirectional"]),
            "How mounts inside it are seen.",
        ),
        attribute("selinux_label", "SELinuxLabel", Kind::Choice(&["z", "Z"]), "The label, shared or private."),
    ],
)
.of::<model::VolumeMount>();

pub(super) static CSI_PLUGIN: Block = Block::new(
    "csi_plugin",
    "The task is itself a storage plugin.",
    &[
        attribute("id", "ID", Kind::Text, "The plugin's id."),
        attribute("type", "Type", Kind::Choice(&["node", "controller", "monolith"]), "Its part."),
        attribute("mount_dir", "MountDir", Kind::Text, "Where its socket is; `/csi` unless given."),
        attribute("stage_publish_base_dir", "StagePublishBaseDir", Kind::Text, "Where it stages and publishes."),
        attribute("health_timeout", "HealthTimeout", Kind::Duration, "Time in which it must become healthy."),
    ],
)
.of::<model::CsiPlugin>();
