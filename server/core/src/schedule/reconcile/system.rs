//! One group of a system job: one instance on every node that meets its conditions.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    Allocation, ClientStatus, Desired, Group, JobType, Node, NodeId, NodeStatus, Reschedule, StopReason, Timestamp,
};

use super::super::reschedule::{Verdict, judge};
use super::super::{Change, Feasibility, change_between};
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
    let mut work = AtWork { state, version, group, now, may_replace, counts: Counts::default(), wishes };
    for node in state.nodes() {
        let here = of_node.remove(&node.id).unwrap_or_default();
        let is_fit = feasibility.conditions(node).is_empty();
        match here.iter().copied().find(|known| known.is_live()) {
            Some(live) if is_fit => work.update(live, node),
            Some(live) => work.stop(live),
            None if is_fit && node.is_schedulable() => work.place(node, &here),
            None => {}
        }
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
    group: &'a Group,
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
            Some((_, ClientStatus::Complete)) if self.version.job.kind == JobType::SysBatch => {
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
                    self.wishes.follow_up(self.state, last, at, self.now);
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
        let change = |old: &Arc<JobVersion>| change_between(&old.job, &self.version.job, &self.group.name);
        match old.map_or(Change::Destructive, change) {
            Change::None | Change::InPlace => {
                self.counts.in_place += 1;
                self.wishes.updates_in_place.push(live.id);
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
        Some(node) => node.is_schedulable() && feasibility.conditions(node).is_empty(),
    };
    let newest = of_node.values().filter_map(|here| {
        let wanted = here.iter().filter(|known| known.desired == Desired::Run);
        wanted.max_by_key(|known| (known.create_index, known.id))
    });
    let under_way = newest.filter(|known| rollout.is_of_its_version(known) && is_under_way(known));
    (update.max_parallel as usize).saturating_sub(under_way.count())
}
