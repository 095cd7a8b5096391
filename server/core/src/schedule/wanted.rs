//! What a job wants placed, for tests that find the places by themselves.

use model::{AllocationId, EvaluationId, JobKey, NodeId, RescheduleEvent, Timestamp};

use super::reconcile::reconcile;
use crate::plan::Stop;
use crate::state::State;

/// Instances that are wanted, each like the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The group.
    pub group: String,
    /// The version of the job that they shall run.
    pub version: u64,
    /// How many.
    pub count: u32,
    /// The name index; none for the lowest free ones.
    pub index: Option<u32>,
    /// The allocation that it replaces.
    pub previous: Option<AllocationId>,
    /// The allocation that ends if this one is placed, and whose room it may take over.
    pub succeeds: Option<Stop>,
    /// What else ends then.
    pub also_ends: Vec<Stop>,
    /// Whether it is a canary.
    pub canary: bool,
    /// Earlier placements of the instance that failed.
    pub reschedules: Vec<RescheduleEvent>,
    /// The only node that will do.
    pub node: Option<NodeId>,
}

/// What ends whatever is placed, and what is wanted, in order.
pub fn wanted(
    state: &State,
    job: &JobKey,
    evaluation: Option<EvaluationId>,
    now: Timestamp,
) -> (Vec<Stop>, Vec<Wanted>) {
    let wishes = reconcile(state, job, evaluation, now);
    let wants = wishes.wants.into_iter().map(|want| Wanted {
        group: want.group,
        version: want.version.version,
        count: want.count,
        index: want.index,
        previous: want.previous,
        succeeds: want.succeeds,
        also_ends: want.also_ends,
        canary: want.canary,
        reschedules: want.reschedules,
        node: want.node,
    });
    (wishes.stops, wants.collect())
}
