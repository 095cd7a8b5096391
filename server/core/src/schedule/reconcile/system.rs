//! One group of a system job: one instance on every node that can take one.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    Allocation, ClientStatus, Desired, Group, Job, JobType, Node, NodeId, NodeStatus, Reschedule, StopReason, Timestamp,
};

use super::super::reschedule::{Verdict, judge};
use super::super::{Change, Feasibility};
use super::rollout::Rollout;
use super::{Counts, Want, Wishes};
use crate::plan::Stop;
use crate::state::{JobVersion, State};

/// Says what should change for `group`.
pub(super) fn reconcile(
    state: &State,
    version: &Arc<JobVersion>,
    group: &Group,
    rollout: &Rollout<'_>,
    now: Timestamp,
    wishes: &mut Wishes,
) {
    let mut of_node: BTreeMap<NodeId, Vec<&Arc<Allocation>>> = BTreeMap::new();
    for allocation in state.allocations_of_job(&version.job.key()).filter(|known| known.group == group.name) {
        of_node.entry(allocation.node).or_default().push(allocation);
    }
    let feasibility = Feasibility::new(state, version, group);
    let may_replace = may_replace(state, rollout, group, &of_node, &feasibility);
    let counts = Counts::default();
    let mut work =
        AtWork { state, version, rollout, group, feasibility: &feasibility, now, may_replace, counts, wishes };
    let mut has_node = false;
    for node in state.nodes() {
        let here = of_node.remove(&node.id).unwrap_or_default();
        let live = here.iter().copied().find(|known| known.is_live());
        let takes_one = node.is_schedulable() && !feasibility.excludes(node);
        let stops = work.counts.stop;
        match live {
            Some(live) if feasibility.conditions(node).is_empty() => work.update(live, node),
            Some(live) => work.stop(live),
            None if takes_one => work.place(node, &here),
            None => {}
        }
        let stays = live.is_some() && work.counts.stop == stops;
        has_node |= takes_one || stays || here.iter().any(|known| is_done(version, known));
    }
    if !has_node {
        // Nodes that are none of its own need no explanation, but a job without any does: that no node will do is said
        // by looking for one among all.
        work.counts.place += 1;
        work.wishes.wants.push(Want { index: Some(0), ..Want::fresh(&group.name, version) });
    }
    // What runs on nodes that are gone has no one to run it.
    for orphan in of_node.into_values().flatten().filter(|known| known.is_live()) {
        work.stop(orphan);
    }
    let AtWork { counts, wishes, .. } = work;
    wishes.counts.insert(group.name.clone(), counts);
}

struct AtWork<'a, 'w> {
    state: &'a State,
    version: &'a Arc<JobVersion>,
    rollout: &'a Rollout<'a>,
    group: &'a Group,
    feasibility: &'a Feasibility<'a>,
    now: Timestamp,
    may_replace: usize,
    counts: Counts,
    wishes: &'w mut Wishes,
}

impl AtWork<'_, '_> {
    fn stop(&mut self, live: &Allocation) {
        self.counts.stop += 1;
        self.wishes.stops.push(Stop { allocation: live.id, reason: StopReason::NodeUnfit });
    }

    fn place(&mut self, node: &Node, here: &[&Arc<Allocation>]) {
        let last = here
            .iter()
            .max_by_key(|known| (known.create_index, known.id))
            .filter(|last| last.job_version == self.version.version && last.desired == Desired::Run);
        let mut want = Want { node: Some(node.id), index: Some(0), ..Want::fresh(&self.group.name, self.version) };
        match last.map(|last| (last, last.client_status)) {
            Some((last, _)) if is_done(self.version, last) => {
                self.counts.ignore += 1;
                return;
            }
            // It failed for good on this node: tried again with growing pauses, because there is no other node for it.
            Some((last, ClientStatus::Failed)) => match judge(last, Some(&Reschedule::default()), self.now) {
                Verdict::Now(reschedules) => {
                    want.previous = Some(last.id);
                    want.reschedules = reschedules;
                }
                Verdict::Later(at) => {
                    self.counts.reschedule_later += 1;
                    self.wishes.follow_up(self.state, last, at);
                    return;
                }
                Verdict::Never => return,
            },
            Some(_) | None => {}
        }
        self.counts.place += 1;
        self.wishes.wants.push(want);
    }

    fn update(&mut self, live: &Allocation, node: &Node) {
        if live.job_version == self.version.version || !node.is_schedulable() {
            self.counts.ignore += 1;
            return;
        }
        let old = self.state.job_version(&live.job, live.job_version);
        let change = |old: &Arc<JobVersion>| self.rollout.change(self.group, old);
        match old.map_or(Change::Destructive, change) {
            Change::None | Change::InPlace => {
                self.counts.in_place += 1;
                self.wishes.updates_in_place.push(live.id);
            }
            // The driver that it runs by is away for the moment; without a driver that is new to it, it has no place here.
            Change::Destructive if self.feasibility.excludes(node) => {
                let ran_by = |driver: &str| old.is_some_and(|old| uses(&old.job, &self.group.name, driver));
                if self.feasibility.missing_drivers(node).all(ran_by) {
                    self.counts.ignore += 1;
                } else {
                    self.stop(live);
                }
            }
            Change::Destructive if self.may_replace > 0 => {
                self.may_replace -= 1;
                self.counts.destructive += 1;
                self.wishes.wants.push(Want {
                    node: Some(live.node),
                    index: Some(0),
                    previous: Some(live.id),
                    succeeds: Some(Stop { allocation: live.id, reason: StopReason::Updated }),
                    ..Want::fresh(&self.group.name, self.version)
                });
            }
            Change::Destructive => {
                self.counts.ignore += 1;
                *self.wishes.held_back.entry(self.group.name.clone()).or_default() += 1;
            }
        }
    }
}

/// Whether it has finished the work of this version on its node.
fn is_done(version: &JobVersion, known: &Allocation) -> bool {
    version.job.kind == JobType::SysBatch
        && known.job_version == version.version
        && known.client_status == ClientStatus::Complete
        && known.desired == Desired::Run
}

/// Whether a task of the group of that name is run by `driver`.
fn uses(job: &Job, group: &str, driver: &str) -> bool {
    job.group(group).is_some_and(|group| group.tasks.iter().any(|task| task.driver == driver))
}

/// How many instances may be replaced now: `max_parallel`, less the nodes on which one of this version is under way. It
/// is, until it runs and nobody says that it does badly; one that failed or ended is, until another runs there. Agents
/// don't judge the health of system jobs, so it can't be waited for. A node that is down or closed is not waited for.
fn may_replace(
    state: &State,
    rollout: &Rollout<'_>,
    group: &Group,
    of_node: &BTreeMap<NodeId, Vec<&Arc<Allocation>>>,
    feasibility: &Feasibility<'_>,
) -> usize {
    let Some(update) = rollout.strategy(group) else { return usize::MAX };
    let is_under_way = |known: &Allocation| match state.node(known.node) {
        None => false,
        Some(node) if known.is_live() => {
            let runs = known.client_status == ClientStatus::Running && known.healthy != Some(false);
            node.status != NodeStatus::Down && !runs
        }
        Some(node) => node.is_schedulable() && !feasibility.excludes(node),
    };
    let newest = of_node.values().filter_map(|here| {
        let wanted = here.iter().filter(|known| known.desired == Desired::Run);
        wanted.max_by_key(|known| (known.create_index, known.id))
    });
    let under_way = newest.filter(|known| rollout.is_of_its_version(known) && is_under_way(known));
    (update.max_parallel as usize).saturating_sub(under_way.count())
}
