//! What should change for a job: its allocations held against what is wanted, by intent.

mod group;
mod rollout;
mod system;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{
    Allocation, AllocationId, Desired, EvaluationId, Job, JobKey, NodeId, RescheduleEvent, StopReason, Timestamp,
    VolumeClaim, VolumeClaimKey,
};

use crate::limits::FOLLOW_UP_WINDOW;
use crate::plan::{DeploymentChange, FollowUp, Stop};
use crate::state::{JobVersion, State};

/// What should change for a job.
#[derive(Default)]
pub(super) struct Wishes {
    /// The evaluation that is being decided, if it is one.
    evaluation: Option<EvaluationId>,
    /// Allocations to end, whatever else happens.
    pub stops: Vec<Stop>,
    /// Allocations that take the current version as they run.
    pub updates_in_place: Vec<AllocationId>,
    /// Instances to place.
    pub wants: Vec<Want>,
    /// Evaluations for later.
    pub follow_ups: Vec<FollowUp>,
    /// Earlier follow-ups that come too late, in place of which there are others now.
    pub late: BTreeSet<EvaluationId>,
    /// What becomes of the deployment.
    pub deployment: DeploymentChange,
    /// Numbers per group, for people.
    pub counts: BTreeMap<String, Counts>,
    /// Instances per group that wait for the pace of a rollout.
    pub held_back: BTreeMap<String, u32>,
    /// Groups of a system job of which canaries must come first, and none can come now.
    pub awaits_canaries: BTreeSet<String>,
}

impl Wishes {
    /// Looks at `allocation` again at that time, unless somebody is going to anyway: a little later will do, since what is
    /// due together is looked at together.
    fn follow_up(&mut self, state: &State, allocation: &Allocation, at: Timestamp) {
        let coming = allocation.ties().follow_up.and_then(|id| state.evaluation(id));
        let coming = coming.filter(|known| !known.status.is_terminal() && Some(known.id) != self.evaluation);
        match coming.and_then(|known| Some((known.id, known.wait_until?))) {
            Some((_, until)) if until <= at + FOLLOW_UP_WINDOW => return,
            Some((late, _)) => drop(self.late.insert(late)),
            None => {}
        }
        self.follow_ups.push(FollowUp { at, allocations: vec![allocation.id] });
    }

    /// Leaves what canaries would take the place of as it is for now.
    fn hold_canaries_back(&mut self) {
        for canary in self.wants.extract_if(.., |want| want.canary) {
            let counts = self.counts.entry(canary.group.clone()).or_default();
            counts.canary -= 1;
            counts.ignore += 1;
            *self.held_back.entry(canary.group).or_default() += 1;
        }
    }

    /// Keeps of the follow-ups that come too late those that others wait for.
    fn keep_what_others_wait_for(&mut self, of_job: &[&Arc<Allocation>]) {
        let anew: BTreeSet<_> = self.follow_ups.iter().flat_map(|known| known.allocations.iter().copied()).collect();
        for other in of_job.iter().filter(|known| !anew.contains(&known.id)) {
            if let Some(id) = other.ties().follow_up {
                self.late.remove(&id);
            }
        }
    }
}

/// What happens to the instances of a group, in numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Counts {
    /// Instances that stay as they are.
    pub ignore: u32,
    /// New instances.
    pub place: u32,
    /// Instances that end.
    pub stop: u32,
    /// Instances that move off a draining node.
    pub migrate: u32,
    /// Instances that take the version as they run.
    pub in_place: u32,
    /// Instances that a new one replaces.
    pub destructive: u32,
    /// New canaries.
    pub canary: u32,
    /// Failed instances that are placed anew now.
    pub reschedule_now: u32,
    /// Failed instances that are placed anew later.
    pub reschedule_later: u32,
    /// Instances of other jobs that end for new ones.
    pub preempted: u32,
}

impl Counts {
    /// Instances of a system job that are there or shall be.
    fn on_open_nodes(self) -> u32 {
        self.ignore + self.place + self.in_place + self.destructive + self.canary + self.reschedule_later
    }
}

/// An instance to place.
#[derive(Clone)]
pub(super) struct Want {
    /// The group.
    pub group: String,
    /// The version that it shall run.
    pub version: Arc<JobVersion>,
    /// How many of it, each like the others.
    pub count: u32,
    /// Its name index; none for the lowest free one.
    pub index: Option<u32>,
    /// The allocation that it replaces.
    pub previous: Option<AllocationId>,
    /// The allocation that ends if this one is placed, and whose room on its node it may take over.
    pub succeeds: Option<Stop>,
    /// What else ends if this one is placed: the originals that `succeeds` stood in for.
    pub also_ends: Vec<Stop>,
    /// Whether it is a canary.
    pub canary: bool,
    /// Earlier placements of the instance that failed.
    pub reschedules: Vec<RescheduleEvent>,
    /// The only node that will do, for system jobs.
    pub node: Option<NodeId>,
    /// The sticky volumes that it comes back to.
    pub claims: Vec<Arc<VolumeClaim>>,
    /// The node that a rebalance promised it: there or nowhere, and nobody makes way for it.
    pub to: Option<NodeId>,
    /// Whether its version names volumes that no other instance of the group has.
    pub has_own_volumes: bool,
}

impl Want {
    pub(super) fn fresh(group: &str, version: &Arc<JobVersion>) -> Self {
        Self {
            group: group.into(),
            version: version.clone(),
            count: 1,
            index: None,
            previous: None,
            succeeds: None,
            also_ends: Vec::new(),
            canary: false,
            reschedules: Vec::new(),
            node: None,
            claims: Vec::new(),
            to: None,
            has_own_volumes: false,
        }
    }

    /// The same, by the volumes that the instance of its name index has where each has its own.
    pub(super) fn by_own_volumes(mut self) -> Self {
        let of_each = self.version.job.groups.iter().position(|group| group.name == self.group);
        let of_each = of_each.filter(|at| self.version.job.groups[*at].has_volumes_per_instance());
        if let (Some(index), Some(at)) = (self.index, of_each) {
            let mut job = Job::clone(&self.version.job);
            job.groups[at] = job.groups[at].of_instance(index).into_owned();
            self.version = Arc::new(JobVersion { job: Arc::new(job), ..JobVersion::clone(&self.version) });
            self.has_own_volumes = true;
        }
        self
    }

    /// Whether it asks for what others of its group and version ask for.
    pub(super) fn is_alike(&self, other: &Self) -> bool {
        let of_each = |want: &Self| want.index.filter(|_| want.has_own_volumes);
        self.group == other.group && self.version.version == other.version.version && of_each(self) == of_each(other)
    }

    /// The only node that will do, if there is one.
    pub(super) fn only_node(&self) -> Option<NodeId> {
        self.node.or(self.to)
    }

    /// Whether it is a fresh instance of that version, of which nothing more is to be said.
    fn is_like_fresh(&self, version: &JobVersion) -> bool {
        self.is_plain() && self.index.is_none() && !self.canary && self.version.version == version.version
    }

    /// What ends if it is placed.
    pub(super) fn ends(&self) -> impl Iterator<Item = &Stop> {
        self.succeeds.iter().chain(&self.also_ends)
    }

    /// Whether its node may be any, and its coming changes nothing but that node.
    pub(super) fn is_plain(&self) -> bool {
        self.previous.is_none() && self.succeeds.is_none() && self.node.is_none() && self.claims.is_empty()
    }
}

/// What should change for the job of that key, asked by `evaluation` or by nobody.
pub(super) fn reconcile(state: &State, key: &JobKey, evaluation: Option<EvaluationId>, now: Timestamp) -> Wishes {
    let mut wishes = Wishes { evaluation, ..Wishes::default() };
    let record = state.job(key).filter(|record| !record.stop);
    let Some(record) = record else {
        stop_everything(state, key, &mut wishes);
        return wishes;
    };
    let version = record.current();
    let of_job: Vec<_> = state.allocations_of_job(key).collect();
    stop_groups_that_are_gone(version, &of_job, &mut wishes);
    let rollout = rollout::Rollout::of(state, record);
    for group in &version.job.groups {
        let of_group = of_job.iter().copied().filter(|known| known.group == group.name);
        if version.job.kind.is_per_node() {
            system::reconcile(state, version, group, of_group, &rollout, now, &mut wishes);
        } else {
            group::reconcile(state, version, group, of_group, &rollout, now, &mut wishes);
        }
    }
    rollout.begin_if_new(&mut wishes);
    rollout.cancel_older(&mut wishes);
    for want in wishes.wants.iter_mut().filter(|want| want.node.is_none()) {
        want.claims = claims_of(state, key, want);
    }
    wishes.wants = wishes.wants.into_iter().map(Want::by_own_volumes).collect();
    wishes.follow_ups = together(wishes.follow_ups);
    wishes.keep_what_others_wait_for(&of_job);
    wishes
}

/// What the instance has come to have of the sticky volumes of its group.
fn claims_of(state: &State, key: &JobKey, want: &Want) -> Vec<Arc<VolumeClaim>> {
    // One of a system job stays on its node anyway, whatever the job was before.
    let job = Some(&want.version.job).filter(|job| !job.kind.is_per_node());
    let group = job.and_then(|job| job.group(&want.group));
    let (Some(group), Some(index)) = (group, want.index) else { return Vec::new() };
    let claim = |volume: &model::Volume| {
        let source = volume.source.clone();
        state.volume_claim(&VolumeClaimKey { job: key.clone(), group: group.name.clone(), index, source }).cloned()
    };
    group.sticky_volumes().filter_map(claim).collect()
}

/// Joins what is due within a short time of each other, so that many failures at once make few evaluations.
fn together(mut follow_ups: Vec<FollowUp>) -> Vec<FollowUp> {
    follow_ups.sort_by_key(|follow_up| follow_up.at);
    let mut joined: Vec<FollowUp> = Vec::new();
    let mut first_at = Timestamp::default();
    for follow_up in follow_ups {
        match joined.last_mut().filter(|_| follow_up.at.since(first_at) <= FOLLOW_UP_WINDOW) {
            // All of them must be due when the evaluation comes.
            Some(last) => {
                last.at = follow_up.at;
                last.allocations.extend(follow_up.allocations);
            }
            None => {
                first_at = follow_up.at;
                joined.push(follow_up);
            }
        }
    }
    joined
}

fn stop_everything(state: &State, key: &JobKey, wishes: &mut Wishes) {
    for allocation in state.allocations_of_job(key).filter(|allocation| is_wanted(allocation)) {
        wishes.stops.push(Stop { allocation: allocation.id, reason: StopReason::JobStopped });
        wishes.counts.entry(allocation.group.clone()).or_default().stop += 1;
    }
    if state.latest_deployment(key).is_some_and(|known| known.status.is_active()) {
        let description = "Cancelled because job is stopped".into();
        wishes.deployment = DeploymentChange::Cancel { description };
    }
}

fn stop_groups_that_are_gone(version: &JobVersion, of_job: &[&Arc<Allocation>], wishes: &mut Wishes) {
    let wanted = of_job.iter().filter(|allocation| is_wanted(allocation));
    for allocation in wanted.filter(|allocation| version.job.group(&allocation.group).is_none()) {
        wishes.stops.push(Stop { allocation: allocation.id, reason: StopReason::NotNeeded });
        wishes.counts.entry(allocation.group.clone()).or_default().stop += 1;
    }
}

/// Whether an end must still be asked for.
fn is_wanted(allocation: &Allocation) -> bool {
    allocation.desired == Desired::Run && !allocation.client_status.is_terminal()
}
