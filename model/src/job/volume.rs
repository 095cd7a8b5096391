//! Storage that outlives an instance: what a group claims, where tasks see it, and tasks that provide it.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{AccessMode, AttachmentMode, VolumeCapability};

/// A volume that a group claims.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Volume {
    /// The name by which the group's tasks mount it.
    pub name: String,
    /// `host` or `csi`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// The volume's name in the cluster.
    pub source: String,
    /// Whether it can't be written.
    pub read_only: bool,
    /// Whether an instance comes back to the volume that it had.
    pub sticky: bool,
    /// How many nodes may use it, and how.
    pub access_mode: String,
    /// `file-system` or `block-device`.
    pub attachment_mode: String,
    /// How it is mounted; the volume's own when absent.
    pub mount_options: Option<MountOptions>,
    /// Whether each instance has one of its own, named `source[index]`.
    pub per_alloc: bool,
}

impl Volume {
    /// How it is to be used; none where it names a mode that volumes of hosts do not have.
    pub fn capability(&self) -> Option<VolumeCapability> {
        let (access, attachment) =
            (AccessMode::parse(&self.access_mode)?, AttachmentMode::parse(&self.attachment_mode)?);
        Some(VolumeCapability { access, attachment })
    }

    /// Whether it is a volume of the host.
    pub fn is_of_host(&self) -> bool {
        self.kind == "host"
    }

    /// The volume's name in the cluster, as the instance of that name index has it.
    pub fn source_of(&self, index: u32) -> Cow<'_, str> {
        if self.per_alloc { format!("{}[{index}]", self.source).into() } else { self.source.as_str().into() }
    }

    /// Whether nobody else may write while it is written.
    pub fn is_written_alone(&self) -> bool {
        !self.read_only && AccessMode::parse(&self.access_mode) == Some(AccessMode::SingleNodeSingleWriter)
    }
}

/// How a volume is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct MountOptions {
    /// The file system.
    #[serde(rename = "FSType")]
    pub fs_type: String,
    /// Flags such as `noatime`.
    #[serde(with = "crate::null")]
    pub mount_flags: Vec<String>,
}

/// Where a task sees a volume of its group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct VolumeMount {
    /// The volume's name in the group.
    pub volume: String,
    /// The path in the task.
    pub destination: String,
    /// Whether it can't be written.
    pub read_only: bool,
    /// How mounts inside it are seen: `private`, `host-to-task` or `bidirectional`.
    pub propagation_mode: String,
    /// `z` or `Z`; none when empty.
    #[serde(rename = "SELinuxLabel")]
    pub selinux_label: String,
}

impl Default for VolumeMount {
    fn default() -> Self {
        Self {
            volume: String::new(),
            destination: String::new(),
            read_only: false,
            propagation_mode: "private".into(),
            selinux_label: String::new(),
        }
    }
}

/// Says that a task is itself a storage plugin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct CsiPlugin {
    /// The plugin's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// `node`, `controller` or `monolith`.
    #[serde(rename = "Type")]
    pub kind: String,
    /// Where in the task its socket is.
    pub mount_dir: String,
    /// Where in the task it stages and publishes volumes.
    pub stage_publish_base_dir: String,
    /// Time in which it must become healthy.
    #[serde(with = "crate::nanoseconds")]
    pub health_timeout: Duration,
}

impl Default for CsiPlugin {
    fn default() -> Self {
        Self {
            id: String::new(),
            kind: String::new(),
            mount_dir: "/csi".into(),
            stage_publish_base_dir: "/local/csi".into(),
            health_timeout: Duration::from_secs(30),
        }
    }
}
