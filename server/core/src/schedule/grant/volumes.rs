//! Volumes of the host: whether a node has them, whether who writes to them is alone, and where an instance has its own.

use model::{AccessMode, AllocationId, Group, Misfit, Node, Volume, VolumeCapability, VolumeClaim};

use super::Placed;
use crate::state::State;

/// What is wrong with the volume of `node` that jobs of `namespace` would get for `volume`, whoever uses it; none if
/// nothing is. A dynamic volume of another namespace is as if it were not there.
pub(super) fn lack(node: &Node, namespace: &str, volume: &Volume) -> Option<Misfit> {
    let name = || volume.source.clone();
    let is_visible =
        |known: &&model::HostVolume| known.dynamic.as_ref().is_none_or(|offer| offer.namespace == namespace);
    let Some(known) = node.host_volumes.get(&volume.source).filter(is_visible) else {
        return Some(Misfit::HostVolume { name: name() });
    };
    let wanted = volume.capability().unwrap_or_default();
    let is_for_readers = known.read_only || wanted.access == AccessMode::SingleNodeReaderOnly;
    if is_for_readers && !volume.read_only {
        return Some(Misfit::HostVolumeReadOnly { name: name() });
    }
    let is_offered = |wanted| known.dynamic.as_ref().is_none_or(|offer| offer.capabilities.contains(&wanted));
    if is_offered(wanted) {
        return None;
    }
    // Who only reads and names no mode is content with one for readers.
    let may_read_only = volume.read_only && volume.access_mode.is_empty();
    let wanted = match may_read_only {
        true => VolumeCapability { access: AccessMode::SingleNodeReaderOnly, ..wanted },
        false => wanted,
    };
    (!may_read_only || !is_offered(wanted)).then(|| Misfit::HostVolumeMode { name: name(), wanted })
}

/// The volume of which a claim says that it is not on `node`, or is another one by now.
pub(crate) fn is_elsewhere(node: &Node, claim: &VolumeClaim) -> Option<Misfit> {
    let source = &claim.key.source;
    let id = node.host_volumes.get(source).and_then(|known| known.dynamic.as_ref()).map(|offer| offer.id);
    let is_here = node.id == claim.node && (claim.volume == id || !node.host_volumes.contains_key(source));
    (!is_here).then(|| Misfit::HostVolumeClaimed { name: source.clone(), node: claim.node })
}

/// What a group writes to, and so may have to wait for.
pub(crate) struct Written<'a> {
    volumes: Vec<&'a Volume>,
}

impl<'a> Written<'a> {
    /// What `group` writes to.
    pub fn of(group: &'a Group) -> Self {
        Self { volumes: group.host_volumes().filter(|volume| !volume.read_only).collect() }
    }

    /// Whether it writes to nothing.
    pub fn is_empty(&self) -> bool {
        self.volumes.is_empty()
    }

    /// The volumes of `node` to which others write, where one of both wants to be alone: allocations that hold them,
    /// but those that are `gone` by then, and what the plan has `placed` there.
    pub fn contended(&self, state: &State, node: &Node, placed: &Placed, gone: &[AllocationId]) -> Vec<Misfit> {
        if self.is_empty() {
            return Vec::new();
        }
        let mut others = Vec::new();
        for known in state.allocations_of_node(node.id).filter(|known| known.holds() && !gone.contains(&known.id)) {
            let version = state.job_version(&known.job, known.job_version);
            let group = version.and_then(|version| version.job.group(&known.group));
            let written = group.into_iter().flat_map(Group::host_volumes).filter(|volume| !volume.read_only);
            others.extend(written.map(|volume| (volume.source_of(known.index), volume.is_written_alone())));
        }
        let is_contended = |volume: &&&Volume| {
            let by_others = others.iter().filter(|(source, _)| *source == volume.source).map(|(_, alone)| *alone);
            by_others.chain(placed.writes(&volume.source)).any(|alone| alone || volume.is_written_alone())
        };
        let contended = self.volumes.iter().filter(is_contended);
        contended.map(|volume| Misfit::HostVolumeWritten { name: volume.source.clone() }).collect()
    }
}
