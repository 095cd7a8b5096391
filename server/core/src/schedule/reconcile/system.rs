//! One group of a system job: one instance on every node that can take one.

mod replace;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, ClientStatus, Desired, Group, JobType, Node, NodeId, Reschedule, StopReason, Timestamp};

use super::super::reschedule::{Verdict, judge, shall_come_back};
use super::super::{Change, Feasibility};
use super::rollout::{Pace, Rollout};
use super::{Counts, Want, Wishes};
use crate::plan::Stop;
use crate::state::{JobVersion, State};

/// The group's allocations, by the node that they stand on.
type OfNode<'a> = BTreeMap<NodeId, Vec<&'a Arc<Allocation>>>;

/// Says what should change for `group`.
pub(super) fn reconcile<'a>(
    state: &'a State,
    version: &'a Arc<JobVersion>,
    group: &'a Group,
    of_group: impl Iterator<Item = &'a Arc<Allocation>>,
    rollout: &'a Rollout<'a>,
    now: Timestamp,
    wishes: &mut Wishes,
) {
    let mut of_node: OfNode<'_> = BTreeMap::new();
    for allocation in of_group {
        of_node.entry(allocation.node).or_default().push(allocation);
    }
    // All of them have the same name index.
    let own = group.of_instance(0);
    let feasibility = Feasibility::new(state, version, &own);
    let mut work = AtWork {
        state,
        version,
        rollout,
        group,
        feasibility: &feasibility,
        now,
        pace: Pace::AtOnce,
        older: replace::newest_older(rollout, &of_node),
        destructive: Vec::new(),
        counts: Counts::default(),
        wishes,
    };
    // A canary of an earlier rollout proves nothing, and is not waited for; nor is what ends now.
    let counts = |known: &&Arc<Allocation>| {
        let is_unfit = || state.node(known.node).is_none_or(|node| work.is_unfit(known, node));
        known.is_live() && !replace::is_stray(rollout, known) && !is_unfit()
    };
    work.pace = rollout.pace(group, of_node.values().flatten().copied().filter(counts));
    let mut has_node = false;
    for node in state.nodes() {
        let here = of_node.get(&node.id).map(Vec::as_slice).unwrap_or_default();
        let mut all_live = here.iter().copied().filter(|known| known.is_live());
        let live = all_live.next();
        // There are more where the job was of another type before.
        all_live.for_each(|more| work.stop(more, StopReason::NotNeeded));
        let takes_one = node.is_schedulable() && !feasibility.excludes(node);
        let stops = work.counts.stop;
        match live {
            Some(live) if work.is_unfit(live, node) => work.stop(live, StopReason::NodeUnfit),
            Some(live) => work.update(live, node),
            None if takes_one => work.place(node, here),
            None => {}
        }
        let stays = live.is_some() && work.counts.stop == stops;
        has_node |= takes_one || stays || here.iter().any(|known| is_done(version, known));
    }
    work.replace(&of_node);
    if matches!(work.pace, Pace::Canaries(_)) && work.counts.canary == 0 {
        work.wishes.awaits_canaries.insert(group.name.clone());
    }
    if !has_node {
        // Nodes that are none of its own need no explanation, but a job without any does: that no node will do is said
        // by looking for one among all.
        work.counts.place += 1;
        work.wishes.wants.push(Want { index: Some(0), ..Want::fresh(&group.name, version) });
    }
    // What runs on nodes that are gone has no one to run it.
    let is_orphan = |known: &&Arc<Allocation>| known.is_live() && state.node(known.node).is_none();
    for orphan in of_node.values().flatten().copied().filter(is_orphan) {
        work.stop(orphan, StopReason::NodeUnfit);
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
    pace: Pace<'a>,
    /// The newest older version that ran somewhere.
    older: Option<u64>,
    /// Instances that a new one must replace, at the pace of the rollout.
    destructive: Vec<&'a Arc<Allocation>>,
    counts: Counts,
    wishes: &'w mut Wishes,
}

impl<'a> AtWork<'a, '_> {
    fn stop(&mut self, live: &Allocation, reason: StopReason) {
        self.counts.stop += 1;
        self.wishes.stops.push(Stop { allocation: live.id, reason });
    }

    fn place(&mut self, node: &Node, here: &[&Arc<Allocation>]) {
        let wanted = here.iter().filter(|known| known.desired == Desired::Run);
        let last = wanted.max_by_key(|known| (known.create_index, known.id));
        let version = match last {
            Some(last) => self.rollout.comes_back_as(self.group, self.pace, last.job_version),
            None => self.rollout.fills_up_as(self.group, self.pace, self.older),
        };
        let last = last.filter(|last| last.job_version == version.version);
        let mut want = Want { node: Some(node.id), index: Some(0), ..Want::fresh(&self.group.name, version) };
        match last {
            Some(last) if is_done(self.version, last) => {
                self.counts.ignore += 1;
                return;
            }
            // It failed for good on this node, or ended: tried again with growing pauses, because there is no other node for it.
            Some(last) if shall_come_back(last, self.version.job.kind) => {
                match judge(last, Some(&Reschedule::default()), self.now) {
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
                }
            }
            Some(_) | None => {}
        }
        want.canary = last.is_some_and(|last| last.canary && self.rollout.has(last));
        self.counts.place += 1;
        self.wishes.wants.push(want);
    }

    fn change_of(&self, live: &Allocation) -> Change {
        let old = self.state.job_version(&live.job, live.job_version);
        old.map_or(Change::Destructive, |old| self.rollout.change(self.group, old))
    }

    /// Whether an instance has no place on its node any more: that fails a lasting condition, or lacks what a new version asks
    /// for, which must take its place. Only a driver that it runs by is waited for.
    fn is_unfit(&self, live: &Allocation, node: &Node) -> bool {
        if !self.feasibility.conditions(node).is_empty() {
            return true;
        }
        let is_new = replace::is_stray(self.rollout, live) || live.job_version == self.version.version;
        if is_new || !node.is_schedulable() || self.change_of(live) != Change::Destructive {
            return false;
        }
        let old = self.state.job_version(&live.job, live.job_version);
        let ran_by = |driver: &str| old.is_some_and(|old| replace::uses(&old.job, &self.group.name, driver));
        self.feasibility.excludes(node) && !self.feasibility.missing_drivers(node).all(ran_by)
    }

    fn update(&mut self, live: &'a Arc<Allocation>, node: &Node) {
        if replace::is_stray(self.rollout, live) && node.is_schedulable() {
            self.destructive.push(live);
            return;
        }
        if live.job_version == self.version.version || !node.is_schedulable() {
            self.counts.ignore += 1;
            return;
        }
        match self.change_of(live) {
            Change::None | Change::InPlace => {
                self.counts.in_place += 1;
                self.wishes.updates_in_place.push(live.id);
            }
            // The driver that it runs by is away for the moment.
            Change::Destructive if self.feasibility.excludes(node) => self.counts.ignore += 1,
            Change::Destructive => self.destructive.push(live),
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
