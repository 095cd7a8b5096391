//! Instances of a system job that a new version replaces where they stand, at the pace of its rollout.
//!
//! There is one instance on a node, so a canary is not beside an old instance but in its place. How many there are is a
//! percentage of what must be replaced, rounded up, and never more than may be under way at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Allocation, ClientStatus, Desired, Eligibility, Job, NodeStatus, StopReason, Update};

use super::super::Want;
use super::super::rollout::{Pace, Rollout};
use super::{AtWork, OfNode};
use crate::plan::Stop;
use crate::state::JobVersion;

impl<'a> AtWork<'a, '_> {
    /// Replaces what must be replaced and may be now; the rest is held back.
    pub(super) fn replace(&mut self, of_node: &OfNode<'_>) {
        let mut destructive = std::mem::take(&mut self.destructive);
        // Canaries of an earlier rollout go first: they were an attempt only. Then what does badly, which costs nothing.
        let rollout = self.rollout;
        let tries_first = |known: &Allocation| (!is_stray(rollout, known), known.healthy == Some(true));
        destructive.sort_by_key(|known| (tries_first(known), known.node));
        let (may, canary) = match self.pace {
            Pace::AtOnce => (destructive.len(), false),
            Pace::Halted => (0, false),
            Pace::Rolling(update) => (self.may_replace(update, of_node), false),
            Pace::Canaries(update) => {
                let lacking = self.canaries_lacking(update, of_node, destructive.len());
                (lacking.min(self.may_replace(update, of_node)), true)
            }
        };
        // A canary takes the place of what runs: of what has just been placed in an older version nobody knows anything yet.
        let can =
            |known: &Allocation| !canary || is_stray(rollout, known) || known.client_status == ClientStatus::Running;
        let (mut destructive, mut held_back): (Vec<_>, Vec<_>) = destructive.into_iter().partition(|known| can(known));
        held_back.extend(destructive.split_off(may.min(destructive.len())));
        for known in destructive {
            if canary {
                self.counts.canary += 1;
            } else {
                self.counts.destructive += 1;
            }
            self.put_in_place_of(known, &self.version.clone(), canary);
        }
        for known in held_back {
            let back = self.rollout.fills_up_as(self.group, self.pace, self.older);
            if is_stray(rollout, known) && back.version < known.job_version {
                self.counts.destructive += 1;
                self.put_in_place_of(known, &back.clone(), false);
                continue;
            }
            self.counts.ignore += 1;
            // A canary of a rollout that failed has nothing to wait for if there is nothing to go back to.
            if known.job_version != self.version.version {
                *self.wishes.held_back.entry(self.group.name.clone()).or_default() += 1;
            }
        }
    }

    fn put_in_place_of(&mut self, known: &Allocation, version: &Arc<JobVersion>, canary: bool) {
        self.wishes.wants.push(Want {
            node: Some(known.node),
            index: Some(0),
            previous: Some(known.id),
            succeeds: Some(Stop { allocation: known.id, reason: StopReason::Updated }),
            canary,
            ..Want::fresh(&self.group.name, version)
        });
    }

    /// How many canaries are missing of those that the deployment wants, or that it will where it begins now.
    fn canaries_lacking(&self, update: &Update, of_node: &OfNode<'_>, destructive: usize) -> usize {
        let share = (destructive * update.canary as usize).div_ceil(100).min(update.max_parallel as usize);
        let wanted = self.rollout.canaries(self.group).map_or(share, |canaries| canaries as usize);
        let is_reachable =
            |known: &Allocation| self.state.node(known.node).is_some_and(|node| node.status != NodeStatus::Down);
        // One that failed is tried again on its node, and counts meanwhile.
        let counts = |known: &&Arc<Allocation>| known.canary && self.rollout.has(known) && is_reachable(known);
        wanted.saturating_sub(self.newest(of_node).filter(counts).count())
    }

    /// How many instances may be replaced now: `max_parallel`, less the nodes on which one of this version is under way: until
    /// it is healthy, or where no deployment waits for that, until it runs. One that failed or ended is under way until
    /// another does well there. A node that is down or closed is not waited for.
    fn may_replace(&self, update: &Update, of_node: &OfNode<'_>) -> usize {
        let is_under_way = |known: &Allocation| match self.state.node(known.node) {
            None => false,
            Some(node) if known.is_live() => node.status != NodeStatus::Down && !self.does_well(known),
            // One that is suspect is open still: in a moment it is down or back.
            Some(node) => {
                let is_open = node.eligibility == Eligibility::Eligible && node.drain.is_none();
                is_open && node.status != NodeStatus::Down && !self.feasibility.excludes(node)
            }
        };
        let under_way =
            self.newest(of_node).filter(|known| self.rollout.is_of_its_version(known) && is_under_way(known));
        (update.max_parallel as usize).saturating_sub(under_way.count())
    }

    /// The newest instance on each node that is wanted there, and stays so.
    fn newest<'n>(&self, of_node: &'n OfNode<'a>) -> impl Iterator<Item = &'n Arc<Allocation>> {
        let ending: BTreeSet<_> = self.wishes.stops.iter().map(|stop| stop.allocation).collect();
        of_node.values().filter_map(move |here| {
            let wanted = here.iter().filter(|known| known.desired == Desired::Run && !ending.contains(&known.id));
            wanted.max_by_key(|known| (known.create_index, known.id)).copied()
        })
    }

    fn does_well(&self, known: &Allocation) -> bool {
        match known.healthy {
            Some(healthy) => healthy,
            None => known.client_status == ClientStatus::Running && !self.rollout.has(known),
        }
    }
}

/// Whether it is a canary of a rollout that goes on no more, and was never promoted.
pub(super) fn is_stray(rollout: &Rollout<'_>, known: &Allocation) -> bool {
    known.canary && !rollout.has(known)
}

/// The newest version before the current one that is still known, and of which there was an instance that was no mere
/// attempt.
pub(super) fn newest_older(rollout: &Rollout<'_>, of_node: &OfNode<'_>) -> Option<u64> {
    let of_older = |known: &&&Arc<Allocation>| {
        !is_stray(rollout, known) && !rollout.is_of_its_version(known) && rollout.knows(known.job_version)
    };
    of_node.values().flatten().filter(of_older).map(|known| known.job_version).max()
}

/// Whether a task of the group of that name is run by `driver`.
pub(super) fn uses(job: &Job, group: &str, driver: &str) -> bool {
    job.group(group).is_some_and(|group| group.tasks.iter().any(|task| task.driver == driver))
}
