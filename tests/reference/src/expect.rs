//! What must be true of a job once it was decided, told from its document alone: how many instances there are, which names
//! they have, who was replaced, why something ends, and who made way for whom.

use std::collections::{BTreeMap, BTreeSet};

use model::{Allocation, ClientStatus, Desired, Group, Job, JobType, NodeStatus, StopReason};
use scenarios::story::Decided;
use server_core::plan::Progress;
use server_core::rebalance::Stage;

use crate::demand;
use crate::volumes::own_volumes;

/// The first expectation that a decision does not meet, in words.
pub fn unmet(decided: &Decided<'_>) -> Option<String> {
    let key = &decided.plan.job;
    if decided.plan.outcome.progress != Progress::Complete {
        return None;
    }
    let reasons = decided.plan.stops.iter().find_map(|stop| unjustified(decided, stop.allocation, stop.reason));
    let victims = decided.after.allocations().find_map(|known| wrong_victim(decided, known));
    let record = decided.after.job(key).filter(|record| !record.stop);
    let Some(record) = record else {
        let runs_on = decided.after.allocations().find(|known| known.job == *key && known.is_live());
        return reasons.or(victims).or(runs_on.map(|known| format!("expected: {} to end with its job", known.name())));
    };
    let job = &record.current().job;
    let of_groups = job.groups.iter().find_map(|group| {
        let group = OfGroup::of(decided, job, group);
        let of_kind = if job.kind.is_per_node() {
            group.lacks_node()
        } else {
            group.lacks_instance().or_else(|| group.wrong_names())
        };
        of_kind.or_else(|| group.goes_too_fast())
    });
    reasons.or(victims).or(of_groups)
}

/// A group after a decision.
struct OfGroup<'a> {
    decided: &'a Decided<'a>,
    job: &'a Job,
    group: &'a Group,
    all: Vec<&'a Allocation>,
}

impl<'a> OfGroup<'a> {
    fn of(decided: &'a Decided<'a>, job: &'a Job, group: &'a Group) -> Self {
        let is_of_it = |known: &&Allocation| known.job == decided.plan.job && known.group == group.name;
        let all = decided.after.allocations().map(|known| &**known).filter(is_of_it).collect();
        Self { decided, job, group, all }
    }

    fn unplaced(&self) -> u32 {
        let outcome = &self.decided.plan.outcome;
        // Of what is placed all at once, a group with room waits as well where another has none.
        if self.job.all_at_once && !outcome.unplaced.is_empty() {
            return outcome.queued.get(&self.group.name).copied().unwrap_or(0);
        }
        outcome.unplaced.get(&self.group.name).map_or(0, |unplaced| unplaced.count)
    }

    /// Names with a live instance that is no canary.
    fn filled(&self) -> BTreeSet<u32> {
        self.all.iter().filter(|known| known.is_live() && !known.canary).map(|known| known.index).collect()
    }

    /// Never more than the count, and never less save for what found no room, is over and counts, or waits for its time.
    fn lacks_instance(&self) -> Option<String> {
        let filled = self.filled();
        if filled.len() > self.group.count as usize {
            return Some(format!("expected: {} instances of {}, not {filled:?}", self.group.count, self.group.name));
        }
        let counts =
            |known: &&&Allocation| matches!(known.client_status, ClientStatus::Failed | ClientStatus::Complete);
        let over: BTreeSet<u32> = self
            .all
            .iter()
            .filter(|known| known.desired == Desired::Run && !known.canary)
            .filter(counts)
            .map(|known| known.index)
            .filter(|index| !filled.contains(index))
            .collect();
        let there = filled.len() + over.len() + self.unplaced() as usize;
        if there < self.group.count as usize {
            let (count, name) = (self.group.count, &self.group.name);
            return Some(format!(
                "expected: {count} instances of {name}, not {filled:?} beside {over:?}, which are over"
            ));
        }
        self.all.iter().find_map(|known| self.lacks_replacement(known))
    }

    /// What moves, or whose node is down, has another in its place as soon as there is room.
    fn lacks_replacement(&self, known: &Allocation) -> Option<String> {
        let next = known.ties().next.and_then(|id| self.decided.after.allocation(id));
        let is_down = |known: &Allocation| {
            known.client_status == ClientStatus::Unknown
                && self.decided.after.node(known.node).is_none_or(|node| node.status == NodeStatus::Down)
        };
        let leaves = known.migrate || (is_down(known) && self.group.disconnect_rules().is_none());
        // One that was tried and failed waits for its time; a canary and a double have rules of their own.
        let was_tried = next.is_some_and(|next| next.client_status.is_terminal() && next.desired == Desired::Run);
        let is_replaced = next.is_some_and(|next| next.is_live());
        let stands_in =
            known.ties().previous.and_then(|id| self.decided.after.allocation(id)).is_some_and(|one| one.is_live());
        // Where a rebalance promised room is tried once.
        let promises = self.decided.after.rebalance().map(|rebalance| rebalance.moves.as_slice()).unwrap_or_default();
        let is_promised = promises.iter().any(|one| one.stage == Stage::Moving && one.allocation == known.id);
        let is_given_up = is_promised && next.is_some();
        let lacks = known.is_live() && leaves && !is_replaced && !was_tried && !is_given_up;
        let lacks = lacks && !known.canary && !stands_in;
        (lacks && self.unplaced() == 0)
            .then(|| format!("expected: {} on {} to be replaced", known.name(), known.node_name))
    }

    /// No more instances are replaced in one go than the rollout may, and what failed comes back only where its policy says so.
    fn goes_too_fast(&self) -> Option<String> {
        let rolls = matches!(self.job.kind, JobType::Service | JobType::System);
        let most = self.group.update.as_ref().filter(|update| rolls && update.max_parallel > 0);
        let most = most.map_or(usize::MAX, |update| update.max_parallel as usize);
        let before = self.decided.before;
        let new = self.all.iter().filter(|known| before.allocation(known.id).is_none());
        let replaced = |known: &&&Allocation| {
            let known = known.ties().previous.and_then(|id| self.decided.after.allocation(id));
            known
                .is_some_and(|known| known.desired == Desired::Stop(StopReason::Updated) && known.healthy == Some(true))
        };
        let number = new.clone().filter(|known| self.is_current(known)).filter(replaced).count();
        if number > most {
            return Some(format!("expected: at most {most} of {} to be replaced, not {number}", self.group.name));
        }
        let comes_back = |known: &&&Allocation| {
            let failed = known.ties().previous.and_then(|id| before.allocation(id));
            let never = self.job.kind == JobType::Service && self.group.reschedule.is_none() && self.is_current(known);
            never && failed.is_some_and(|one| one.client_status == ClientStatus::Failed && !one.forced)
        };
        let back = new.clone().find(comes_back)?;
        Some(format!("expected: {} never to be placed anew", back.name()))
    }

    fn is_current(&self, known: &Allocation) -> bool {
        known.job_version == self.decided.plan.job_version
    }

    /// Fresh instances have the lowest names that were free.
    fn wrong_names(&self) -> Option<String> {
        let is_new = |known: &Allocation| self.decided.before.allocation(known.id).is_none();
        let lines = self.decided.plan.placements.iter().filter(|line| line.group == self.group.name);
        let given: BTreeSet<u32> = lines.clone().flat_map(|line| &line.tails).filter_map(|tail| tail.index).collect();
        let anonymous: u32 =
            lines.map(|line| line.count - line.tails.iter().filter(|tail| tail.index.is_some()).count() as u32).sum();
        let taken: BTreeSet<u32> =
            self.all.iter().filter(|known| known.is_live() && !is_new(known)).map(|known| known.index).collect();
        let free = (0..).filter(|index| !taken.contains(index) && !given.contains(index));
        let mut wanted: Vec<u32> = free.take(anonymous as usize).chain(given.iter().copied()).collect();
        let mut found: Vec<u32> = self.all.iter().filter(|known| is_new(known)).map(|known| known.index).collect();
        wanted.sort_unstable();
        found.sort_unstable();
        found.dedup();
        (wanted != found)
            .then(|| format!("expected: new instances of {} named {wanted:?}, not {found:?}", self.group.name))
    }

    /// One on every open node that can take one, save where there is no room, or it is over, or was tried.
    fn lacks_node(&self) -> Option<String> {
        let mut on_node: BTreeMap<_, Vec<&Allocation>> = BTreeMap::new();
        for known in &self.all {
            on_node.entry(known.node).or_default().push(known);
        }
        let double = on_node.values().find(|all| all.iter().filter(|known| known.is_live()).count() > 1);
        if let Some(double) = double {
            return Some(format!("expected: one {} on {}", self.group.name, double[0].node_name));
        }
        let has_devices = self.group.tasks.iter().all(|task| task.resources.devices.is_empty());
        let is_relative = demand::is_relative(self.job, self.group);
        // All of a system job have the same name index.
        let own = own_volumes(self.group, Some(0));
        let group = own.as_ref().unwrap_or(self.group);
        let open = self.decided.after.nodes().filter(|node| demand::is_open(node));
        let mut able = open.filter(|node| demand::is_eligible(node, self.job, group) && has_devices && !is_relative);
        let is_served = |node: &model::Node| {
            on_node.get(&node.id).is_some_and(|all| {
                all.iter().any(|known| {
                    known.is_live() || (known.client_status.is_terminal() && known.desired == Desired::Run)
                })
            })
        };
        let node = able.find(|node| !is_served(node)).filter(|_| self.unplaced() == 0)?;
        Some(format!("expected: one {} on {}", self.group.name, node.name))
    }
}

/// Why an instance ends must be true of it.
fn unjustified(decided: &Decided<'_>, id: model::AllocationId, reason: StopReason) -> Option<String> {
    let known = decided.before.allocation(id)?;
    let record = decided.before.job(&known.job).filter(|record| !record.stop);
    let current = record.map(|record| record.current());
    let is_true = match reason {
        StopReason::JobStopped => record.is_none(),
        StopReason::NotNeeded => current.is_some(),
        StopReason::Updated => current.is_some_and(|current| known.job_version < current.version || known.canary),
        // What an instance stands in for goes with it, for the same reason.
        StopReason::NodeDown => known.migrate || known.client_status == ClientStatus::Unknown,
        StopReason::Migrated => is_moved(decided, known),
        StopReason::NodeUnfit => current.is_some_and(|current| current.job.kind.is_per_node()),
        StopReason::Rescheduled | StopReason::Requested | StopReason::Reconnected | StopReason::Preempted => false,
    };
    (!is_true).then(|| format!("expected: another reason for the end of {} than {reason:?}", known.name()))
}

/// Whoever makes way is worth less, by as much as it takes, and no instance of the same job.
fn wrong_victim(decided: &Decided<'_>, known: &Allocation) -> Option<String> {
    let by = known.ties().preempted_by.and_then(|id| decided.after.allocation(id))?;
    if decided.before.allocation(known.id).is_none_or(|before| before.ties().preempted_by.is_some()) {
        return None;
    }
    let priority = |of: &Allocation| Some(decided.after.job_version(&of.job, of.job_version)?.job.priority);
    let is_right = known.job != by.job && known.node == by.node && priority(known)? + 10 <= priority(by)?;
    (!is_right).then(|| format!("expected: {} not to make way for {}", known.name(), by.name()))
}

/// Whether a healthy instance stands in for one that moves.
fn is_moved(decided: &Decided<'_>, known: &Allocation) -> bool {
    let next = known.ties().next.and_then(|id| decided.before.allocation(id)).filter(|next| next.is_live());
    let leaves = known.migrate || known.client_status == ClientStatus::Unknown;
    leaves && next.is_some_and(|next| next.is_well() || is_moved(decided, next))
}
