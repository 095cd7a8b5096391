//! Volumes that are made or registered while the cluster runs, and claims of instances to sticky volumes.
//!
//! A node's volumes are what its agent says, less what nobody knows or somebody deletes. So an agent that was away can't
//! bring back a volume that was deleted meanwhile.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{
    Allocation, DynamicVolume, Group, Index, JobKey, Misfit, Node, NodeId, Trigger, VolumeClaim, VolumeClaimId,
    VolumeClaimKey, VolumeId, VolumeOffer,
};

use super::{Accepted, AtWork, Rejection, Wish, node};
use crate::schedule::grant::{Placed, Written, is_elsewhere};
use crate::state::{Change, JobVersion, State};

/// Stores a volume: a new one, or one of which more is known or other things are wanted.
pub(super) fn put(state: &mut State, work: &mut AtWork, described: &DynamicVolume) -> Result<Accepted, Rejection> {
    let place = state.nodes.get(&described.node).cloned().ok_or(Rejection::NoSuchNode)?;
    let mut volume = described.clone();
    match state.volumes.get(&described.id) {
        Some(known) => {
            let stays = known.name == volume.name
                && known.namespace == volume.namespace
                && known.node == volume.node
                && known.plugin == volume.plugin;
            if !stays {
                return Err(Rejection::VolumeMoved);
            }
            (volume.create_index, volume.created_at) = (known.create_index, known.created_at);
        }
        None => {
            let other = state.volumes().any(|known| known.node == place.id && known.name == volume.name);
            if other || place.host_volumes.contains_key(&volume.name) {
                return Err(Rejection::VolumeNameTaken { name: volume.name.clone(), node: place.id });
            }
            (volume.create_index, volume.created_at) = (work.index, work.at);
        }
    }
    volume.deleting = false;
    (volume.modify_index, volume.modified_at) = (work.index, work.at);
    save(state, work, volume);
    node::change_volumes(state, work, place.id, keep_known);
    Ok(Accepted::default())
}

/// Closes a volume that nothing holds for new work.
pub(super) fn close(state: &mut State, work: &mut AtWork, id: VolumeId) -> Result<Accepted, Rejection> {
    let mut volume = DynamicVolume::clone(state.volumes.get(&id).ok_or(Rejection::NoSuchVolume)?);
    if let Some(user) = state.users_of_volume(&volume).next() {
        return Err(Rejection::VolumeInUse { allocation: user.id });
    }
    volume.deleting = true;
    (volume.modify_index, volume.modified_at) = (work.index, work.at);
    let place = volume.node;
    save(state, work, volume);
    node::change_volumes(state, work, place, keep_known);
    Ok(Accepted::default())
}

/// Forgets a volume that nothing holds, with the claims to it.
pub(super) fn forget(state: &mut State, work: &mut AtWork, id: VolumeId) -> Result<Accepted, Rejection> {
    let volume = state.volumes.get(&id).cloned().ok_or(Rejection::NoSuchVolume)?;
    if let Some(user) = state.users_of_volume(&volume).next() {
        return Err(Rejection::VolumeInUse { allocation: user.id });
    }
    remove(state, work.index, id);
    node::change_volumes(state, work, volume.node, keep_known);
    let jobs = drop_claims(state, work.index, |claim| claim.volume == Some(id));
    node::evaluate_jobs(state, work, jobs, Trigger::NodeUpdate, volume.node);
    Ok(Accepted::default())
}

/// Forgets a claim, and lets its instance go where it may go now.
pub(super) fn drop_claim(state: &mut State, work: &mut AtWork, id: VolumeClaimId) -> Result<Accepted, Rejection> {
    let claim = state.volume_claim_of_id(id).cloned().ok_or(Rejection::NoSuchVolumeClaim)?;
    drop_claims(state, work.index, |known| known.id == id);
    let wish = Wish::of(state, &claim.key.job, Trigger::Requested);
    work.evaluate(state, wish);
    Ok(Accepted::default())
}

/// Forgets what the instances of a job have come to have.
pub(super) fn drop_claims_of(state: &mut State, index: Index, job: &JobKey) {
    let keys: Vec<_> = state.volume_claims_of(job).map(|claim| claim.key.clone()).collect();
    for key in keys {
        state.volume_claims.remove(&key);
        state.indexes.volumes = index;
    }
}

/// Forgets the volumes of a node that is forgotten, and what was claimed there, by `jobs`.
pub(super) fn forget_those_of(state: &mut State, work: &AtWork, node: NodeId, jobs: &mut BTreeSet<JobKey>) {
    let ids: Vec<_> = state.volumes().filter(|volume| volume.node == node).map(|volume| volume.id).collect();
    for id in ids {
        remove(state, work.index, id);
    }
    jobs.extend(drop_claims(state, work.index, |claim| claim.node == node));
}

/// Leaves of the dynamic volumes that an agent says its node has those that are known, with what is known of them.
pub(super) fn keep_known(state: &State, node: &mut Node) {
    let id = node.id;
    node.host_volumes.retain(|name, described| {
        let Some(offer) = &described.dynamic else { return true };
        let known = state.volumes.get(&offer.id);
        let known = known.filter(|known| known.node == id && known.name == *name && !known.deleting);
        described.dynamic = known.map(|known| VolumeOffer {
            id: known.id,
            namespace: known.namespace.clone(),
            capabilities: known.capabilities.clone(),
        });
        known.is_some()
    });
}

/// Whether a new instance may use the volumes of its group on `node`: nobody writes where one writes alone, and what it
/// claims is there.
pub(super) fn check(
    state: &State,
    node: &Node,
    version: &JobVersion,
    group: &Group,
    new: &Allocation,
) -> Result<(), Vec<Misfit>> {
    let own = group.of_instance(new.index);
    let mut misfits = Written::of(&own).contended(state, node, &Placed::NOTHING, &new.ties().after);
    let claims = keys(version, group, new).filter_map(|key| state.volume_claim(&key));
    misfits.extend(claims.filter_map(|claim| is_elsewhere(node, claim)));
    if misfits.is_empty() { Ok(()) } else { Err(misfits) }
}

/// Remembers which sticky volumes a new instance has.
pub(super) fn claim(
    state: &mut State,
    work: &AtWork,
    node: &Node,
    version: &JobVersion,
    group: &Group,
    new: &Allocation,
) {
    for key in keys(version, group, new).collect::<Vec<_>>() {
        let known = state.volume_claims.get(&key).cloned();
        let offer = node.host_volumes.get(&key.source).and_then(|volume| volume.dynamic.as_ref());
        let id = VolumeClaimId::derive(&[state.cluster.as_bytes(), new.id.as_bytes(), key.source.as_bytes()]);
        let claim = VolumeClaim {
            id: known.as_ref().map_or(id, |known| known.id),
            node: node.id,
            volume: offer.map(|offer| offer.id),
            allocation: new.id,
            create_index: known.as_ref().map_or(work.index, |known| known.create_index),
            modify_index: work.index,
            key: key.clone(),
        };
        state.volume_claims.insert(key, Arc::new(claim));
        state.indexes.volumes = work.index;
    }
}

/// Names what an instance may claim. One of a system job stays on its node anyway.
fn keys<'a>(
    version: &'a JobVersion,
    group: &'a Group,
    new: &'a Allocation,
) -> impl Iterator<Item = VolumeClaimKey> + 'a {
    let sticky = group.sticky_volumes().filter(|_| !version.job.kind.is_per_node());
    sticky.map(|volume| VolumeClaimKey {
        job: new.job.clone(),
        group: group.name.clone(),
        index: new.index,
        source: volume.source.clone(),
    })
}

/// Forgets claims, and says whose they were.
fn drop_claims(state: &mut State, index: Index, goes: impl Fn(&VolumeClaim) -> bool) -> BTreeSet<JobKey> {
    let keys: Vec<_> = state.volume_claims().filter(|claim| goes(claim)).map(|claim| claim.key.clone()).collect();
    let mut jobs = BTreeSet::new();
    for key in keys {
        state.volume_claims.remove(&key);
        state.indexes.volumes = index;
        jobs.insert(key.job);
    }
    jobs
}

fn save(state: &mut State, work: &AtWork, volume: DynamicVolume) {
    state.indexes.volumes = work.index;
    state.changes.push(Change::Volume { id: volume.id, gone: false });
    state.volumes.insert(volume.id, Arc::new(volume));
}

fn remove(state: &mut State, index: Index, id: VolumeId) {
    state.volumes.remove(&id);
    state.indexes.volumes = index;
    state.changes.push(Change::Volume { id, gone: true });
}
