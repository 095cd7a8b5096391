//! Volumes of hosts that are made or registered while the cluster runs, and which instance has come to have which volume.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{AllocationId, Constraint, Index, JobKey, NodeId, Timestamp, VolumeClaimId, VolumeId};

/// The plugin that makes a volume as a plain folder; every agent has it.
pub const FOLDER_PLUGIN: &str = "mkdir";

/// The attribute of a node that can make volumes by that plugin; its value is the plugin's version.
pub fn volume_plugin_attribute(plugin: &str) -> String {
    format!("plugins.host_volume.{plugin}.version")
}

/// A volume on one host that people made or registered, rather than the agent's configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DynamicVolume {
    /// The id.
    pub id: VolumeId,
    /// The namespace whose jobs may use it.
    pub namespace: String,
    /// The name by which jobs ask for it; one of a name on each node.
    pub name: String,
    /// What made it; empty for one that was there and is only registered.
    pub plugin: String,
    /// The pool of its node.
    pub node_pool: String,
    /// The node that it is on.
    pub node: NodeId,
    /// What was asked of its node.
    pub constraints: Vec<Constraint>,
    /// The least that it must hold, in bytes; 0 for any.
    pub capacity_min_bytes: u64,
    /// The most that it need hold, in bytes; 0 for any.
    pub capacity_max_bytes: u64,
    /// What it holds, in bytes; 0 where that is not known.
    pub capacity_bytes: u64,
    /// How it may be used.
    pub capabilities: Vec<VolumeCapability>,
    /// Settings for the plugin.
    pub parameters: BTreeMap<String, String>,
    /// Where it is on the host; empty until its agent has said.
    pub host_path: String,
    /// Whether it is being deleted: nothing new may use it.
    pub deleting: bool,
    /// Index of its registration.
    pub create_index: Index,
    /// Index of its last change.
    pub modify_index: Index,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub modified_at: Timestamp,
}

/// What jobs must know of a dynamic volume of a node.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct VolumeOffer {
    /// The volume.
    pub id: VolumeId,
    /// The namespace whose jobs may use it.
    pub namespace: String,
    /// How it may be used.
    pub capabilities: Vec<VolumeCapability>,
}

/// One way to use a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct VolumeCapability {
    /// Who may read and write.
    pub access: AccessMode,
    /// As what it is seen.
    pub attachment: AttachmentMode,
}

impl fmt::Display for VolumeCapability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} as {}", self.access.as_str(), self.attachment.as_str())
    }
}

/// Who may read and write a volume of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum AccessMode {
    /// Anyone, to read or to write.
    #[default]
    SingleNodeWriter,
    /// Readers only.
    SingleNodeReaderOnly,
    /// One allocation may write, any may read.
    SingleNodeSingleWriter,
    /// Many allocations may write at once.
    SingleNodeMultiWriter,
}

impl AccessMode {
    /// All of them.
    pub const ALL: [AccessMode; 4] = [
        AccessMode::SingleNodeWriter,
        AccessMode::SingleNodeReaderOnly,
        AccessMode::SingleNodeSingleWriter,
        AccessMode::SingleNodeMultiWriter,
    ];

    /// The mode of that word; nothing said means [`AccessMode::SingleNodeWriter`]. None for a word that is no mode.
    pub fn parse(word: &str) -> Option<Self> {
        if word.is_empty() {
            return Some(Self::default());
        }
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            AccessMode::SingleNodeWriter => "single-node-writer",
            AccessMode::SingleNodeReaderOnly => "single-node-reader-only",
            AccessMode::SingleNodeSingleWriter => "single-node-single-writer",
            AccessMode::SingleNodeMultiWriter => "single-node-multi-writer",
        }
    }
}

/// As what a volume is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub enum AttachmentMode {
    /// As a folder.
    #[default]
    FileSystem,
    /// As a device of blocks.
    BlockDevice,
}

impl AttachmentMode {
    /// Both of them.
    pub const ALL: [AttachmentMode; 2] = [AttachmentMode::FileSystem, AttachmentMode::BlockDevice];

    /// The mode of that word; nothing said means [`AttachmentMode::FileSystem`]. None for a word that is no mode.
    pub fn parse(word: &str) -> Option<Self> {
        if word.is_empty() {
            return Some(Self::default());
        }
        Self::ALL.into_iter().find(|mode| mode.as_str() == word)
    }

    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            AttachmentMode::FileSystem => "file-system",
            AttachmentMode::BlockDevice => "block-device",
        }
    }
}

/// What an instance of a group has come to have of a sticky volume: whoever takes its place gets the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VolumeClaim {
    /// The id.
    pub id: VolumeClaimId,
    /// Which instance, and which of its volumes.
    pub key: VolumeClaimKey,
    /// The node that the volume is on.
    pub node: NodeId,
    /// The volume, where it is dynamic; one of the node's configuration has only its name.
    pub volume: Option<VolumeId>,
    /// The instance that used it last.
    pub allocation: AllocationId,
    /// Index of its making.
    pub create_index: Index,
    /// Index of its last change.
    pub modify_index: Index,
}

/// Names an instance and one of its volumes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct VolumeClaimKey {
    /// The job.
    pub job: JobKey,
    /// The group.
    pub group: String,
    /// The instance's name index.
    pub index: u32,
    /// The volume's name.
    pub source: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_of_each_mode_means_it_and_no_word_means_the_default() {
        for mode in AccessMode::ALL {
            assert_eq!(AccessMode::parse(mode.as_str()), Some(mode));
        }
        for mode in AttachmentMode::ALL {
            assert_eq!(AttachmentMode::parse(mode.as_str()), Some(mode));
        }
        assert_eq!(AccessMode::parse(""), Some(AccessMode::SingleNodeWriter));
        assert_eq!(AttachmentMode::parse(""), Some(AttachmentMode::FileSystem));
        assert_eq!(AccessMode::parse("multi-node-reader-only"), None);
        assert_eq!(AttachmentMode::parse("tape"), None);
    }
}
