//! Volumes of the host: what a node lacks of them, who writes where one wants to be alone, and who comes back to which.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{
    AccessMode, Allocation, AllocationId, Group, Job, Misfit, Node, Volume, VolumeCapability, VolumeClaim,
    VolumeClaimKey,
};
use server_core::state::State;

use crate::desk::Piece;

fn of_host(group: &Group) -> impl Iterator<Item = &Volume> {
    group.volumes.values().filter(|volume| volume.kind == "host")
}

/// The group with the volumes that the instance of that index has, if each has its own.
pub fn own_volumes(group: &Group, index: Option<u32>) -> Option<Group> {
    let index = index.filter(|_| of_host(group).any(|volume| volume.per_alloc))?;
    let mut own = group.clone();
    for volume in own.volumes.values_mut().filter(|volume| volume.per_alloc) {
        volume.source = format!("{}[{index}]", volume.source);
    }
    Some(own)
}

/// What `node` has not of the volumes that the group names, or has for others.
pub fn lacks(node: &Node, job: &Job, group: &Group) -> BTreeSet<Misfit> {
    of_host(group).filter_map(|volume| lack(node, job, volume)).collect()
}

fn lack(node: &Node, job: &Job, volume: &Volume) -> Option<Misfit> {
    let name = volume.source.clone();
    let missing = Misfit::HostVolume { name: name.clone() };
    let Some(known) = node.host_volumes.get(&volume.source) else { return Some(missing) };
    let offer = known.dynamic.as_ref();
    if offer.is_some_and(|offer| offer.namespace != job.namespace) {
        return Some(missing);
    }
    let access = AccessMode::parse(&volume.access_mode).unwrap_or_default();
    if !volume.read_only && (known.read_only || access == AccessMode::SingleNodeReaderOnly) {
        return Some(Misfit::HostVolumeReadOnly { name });
    }
    let mut modes = vec![access];
    if volume.read_only && volume.access_mode.is_empty() {
        modes.push(AccessMode::SingleNodeReaderOnly);
    }
    let as_wanted = |access| VolumeCapability { access, ..VolumeCapability::default() };
    let is_offered = offer.is_none_or(|offer| modes.iter().any(|mode| offer.capabilities.contains(&as_wanted(*mode))));
    let wanted = as_wanted(modes.pop()?);
    (!is_offered).then_some(Misfit::HostVolumeMode { name, wanted })
}

/// What an instance of the group writes to, each with whether nobody else may.
pub fn writes(group: &Group) -> Vec<(String, bool)> {
    let written = of_host(group).filter(|volume| !volume.read_only);
    written.map(|volume| (volume.source.clone(), volume.access_mode == "single-node-single-writer")).collect()
}

/// The same of an allocation that is there.
pub fn writes_of(state: &State, known: &Allocation) -> Vec<(String, bool)> {
    let version = state.job_version(&known.job, known.job_version);
    let group = version.and_then(|version| version.job.group(&known.group));
    group.map_or_else(Vec::new, |group| writes(own_volumes(group, Some(known.index)).as_ref().unwrap_or(group)))
}

/// Volumes that an instance can't write to beside what is `here`, of which it comes after those.
pub fn contended(group: &Group, here: &[&Piece], after: &[AllocationId]) -> Vec<Misfit> {
    let others = || here.iter().filter(|piece| !after.contains(&piece.id)).flat_map(|piece| &piece.writes);
    let is_contended =
        |(source, alone): &(String, bool)| others().any(|(other, is_alone)| other == source && (*alone || *is_alone));
    writes(group).into_iter().filter(is_contended).map(|(name, _)| Misfit::HostVolumeWritten { name }).collect()
}

/// What the instance of that index has come to have of the sticky volumes of its group.
pub fn claims(state: &State, job: &Job, group: &Group, index: Option<u32>) -> Vec<Arc<VolumeClaim>> {
    let Some(index) = index.filter(|_| !job.kind.is_per_node()) else { return Vec::new() };
    let of_it = |volume: &Volume| VolumeClaimKey {
        job: job.key(),
        group: group.name.clone(),
        index,
        source: volume.source.clone(),
    };
    let sticky = of_host(group).filter(|volume| volume.sticky);
    sticky.filter_map(|volume| state.volume_claim(&of_it(volume)).cloned()).collect()
}

/// The volume of a claim, if it is not that of `node`.
pub fn is_elsewhere(node: &Node, claim: &VolumeClaim) -> Option<Misfit> {
    let here = node.host_volumes.get(&claim.key.source);
    let is_same = here.is_none_or(|here| here.dynamic.as_ref().map(|offer| offer.id) == claim.volume);
    let is_its = node.id == claim.node && is_same;
    (!is_its).then(|| Misfit::HostVolumeClaimed { name: claim.key.source.clone(), node: claim.node })
}
