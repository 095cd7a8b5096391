//! What a simulation may break on purpose, to see that its invariants would notice, and what a test that decides by itself
//! must know of a decision: what was wanted, and what usually ran. Never part of a release.

use std::cell::Cell;

use model::{Allocation, Deployment, Evaluation, Node, Resources};

use crate::state::State;

pub use crate::schedule::wanted::{Wanted, wanted};

thread_local! {
    // Of the thread, because a simulation has one to itself and other tests run beside it.
    static CAPACITY_IS_CHECKED: Cell<bool> = const { Cell::new(true) };
}

/// Has `apply` on this thread accept what a node has no room for while `run` runs.
pub fn without_capacity_check<T>(run: impl FnOnce() -> T) -> T {
    CAPACITY_IS_CHECKED.set(false);
    let result = run();
    CAPACITY_IS_CHECKED.set(true);
    result
}

/// Whether `apply` checks capacity on this thread.
pub(crate) fn capacity_is_checked() -> bool {
    CAPACITY_IS_CHECKED.get()
}

/// What usually ran when that was last looked at: the picture that the scheduler packs by.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Usually {
    /// All together.
    pub used: Resources,
    /// Of devices, in thousandths.
    pub device_share: u64,
    /// CPU in MHz and memory in MiB of those that use devices.
    pub beside_devices: [u64; 2],
    /// CPU in MHz, memory in MiB and number of each size that occurs often.
    pub sizes: Vec<(u64, u64, u64)>,
    /// CPU, memory and disk of a few that stand for all.
    pub sample: Vec<[u64; 3]>,
}

/// What usually ran when that was last looked at.
pub fn usually(state: &State) -> Usually {
    let picture = state.picture();
    let sizes = picture.sizes.iter().map(|usual| (usual.cpu_mhz, usual.memory_mb, usual.instances)).collect();
    Usually {
        used: picture.used,
        device_share: picture.device_share,
        beside_devices: picture.beside_devices,
        sizes,
        sample: picture.sample.clone(),
    }
}

/// Puts an allocation into `state` as no entry would, to see that an invariant notices.
pub fn put_allocation(state: &mut State, allocation: Allocation) {
    let (id, job) = (allocation.id, allocation.job.clone());
    let known = state.allocation(id).map(|known| known.node);
    if known.is_some_and(|node| node != allocation.node) {
        state.remove_allocation(id);
    }
    if known == Some(allocation.node) {
        state.put_allocation(allocation);
    } else {
        let place = state.add_allocation(allocation, true);
        state.add_to_job(&job, vec![(id, place)]);
    }
    state.changes.clear();
}

/// Puts a node into `state` as no entry would.
pub fn put_node(state: &mut State, node: Node) {
    state.put_node(node);
}

/// Puts an evaluation into `state` as no entry would.
pub fn put_evaluation(state: &mut State, evaluation: Evaluation) {
    state.put_evaluation(evaluation);
}

/// Puts a deployment into `state` as no entry would.
pub fn put_deployment(state: &mut State, deployment: Deployment) {
    state.put_deployment(deployment);
}

/// Forgets a job, and nothing of what belongs to it.
pub fn forget_job(state: &mut State, key: &model::JobKey) {
    state.jobs.remove(key);
}

/// Forgets an evaluation.
pub fn forget_evaluation(state: &mut State, id: model::EvaluationId) {
    state.remove_evaluation(id);
}

/// Has the catalog go on saying of an allocation what it says now, whatever became of that: `change` is made behind its back.
pub fn behind_the_catalog(state: &mut State, change: impl FnOnce(&mut State)) {
    let (instances, services) = (state.instances.clone(), state.services.clone());
    change(state);
    state.instances = instances;
    state.services = services;
}
