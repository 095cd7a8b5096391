//! Volumes that were made or registered while the cluster runs, and what instances have come to have of sticky ones.

use std::sync::Arc;

use model::{
    Allocation, DynamicVolume, JobKey, NodeId, NodeStatus, VolumeClaim, VolumeClaimId, VolumeClaimKey, VolumeId,
};

use super::State;

/// Where a volume stands: derived from what its node says of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VolumeStatus {
    /// Its agent has not said that it is there.
    Pending,
    /// It may be used.
    Ready,
    /// Its node is away, or it is being deleted.
    Unavailable,
}

impl VolumeStatus {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            VolumeStatus::Pending => "pending",
            VolumeStatus::Ready => "ready",
            VolumeStatus::Unavailable => "unavailable",
        }
    }
}

impl State {
    /// A volume.
    pub fn volume(&self, id: VolumeId) -> Option<&Arc<DynamicVolume>> {
        self.volumes.get(&id)
    }

    /// All volumes that were made or registered while the cluster runs, by id.
    pub fn volumes(&self) -> impl Iterator<Item = &Arc<DynamicVolume>> {
        self.volumes.values()
    }

    /// Whether such volumes are on that node.
    pub(crate) fn has_volumes(&self, node: NodeId) -> bool {
        self.volumes().any(|volume| volume.node == node)
    }

    /// What an instance has come to have of a sticky volume.
    pub fn volume_claim(&self, key: &VolumeClaimKey) -> Option<&Arc<VolumeClaim>> {
        self.volume_claims.get(key)
    }

    /// The claim of that id.
    pub fn volume_claim_of_id(&self, id: VolumeClaimId) -> Option<&Arc<VolumeClaim>> {
        self.volume_claims().find(|claim| claim.id == id)
    }

    /// All claims, by job, group, index and volume.
    pub fn volume_claims(&self) -> impl Iterator<Item = &Arc<VolumeClaim>> {
        self.volume_claims.values()
    }

    /// The claims of a job.
    pub(crate) fn volume_claims_of<'a>(&'a self, job: &'a JobKey) -> impl Iterator<Item = &'a Arc<VolumeClaim>> {
        let first = VolumeClaimKey { job: job.clone(), group: String::new(), index: 0, source: String::new() };
        self.volume_claims.range(first..).map(|(_, claim)| claim).take_while(move |claim| claim.key.job == *job)
    }

    /// Where a volume stands.
    pub fn volume_status(&self, volume: &DynamicVolume) -> VolumeStatus {
        let node = self.node(volume.node);
        let offer = node.and_then(|node| node.host_volumes.get(&volume.name)).and_then(|known| known.dynamic.as_ref());
        let is_there = offer.is_some_and(|offer| offer.id == volume.id);
        match node.is_some_and(|node| node.status == NodeStatus::Ready) && !volume.deleting {
            true if is_there => VolumeStatus::Ready,
            true => VolumeStatus::Pending,
            false => VolumeStatus::Unavailable,
        }
    }

    /// The allocations that hold a volume, by id.
    pub fn users_of_volume<'a>(&'a self, volume: &'a DynamicVolume) -> impl Iterator<Item = &'a Arc<Allocation>> {
        let uses = |known: &&Arc<Allocation>| {
            let version = self.job_version(&known.job, known.job_version);
            let group = version.and_then(|version| version.job.group(&known.group));
            group.is_some_and(|group| group.host_volumes().any(|asked| asked.source_of(known.index) == volume.name))
        };
        self.allocations_of_node(volume.node).filter(|known| known.holds()).filter(uses)
    }
}
