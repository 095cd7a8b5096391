//! I22: a drain never has more of a group on the move than its `max_parallel`, and takes nothing away before there is another,
//! save after its deadline, or where no other node takes it.

use std::collections::BTreeSet;

use model::{Allocation, ClientStatus, Desired, JobType, StopReason};
use server_core::command::Command;
use server_core::state::State;

use super::step::group_of;
use super::{Step, Violation};

pub(super) const NAME: &str = "drain pace";

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    match &step.entry.command {
        Command::Migrate { .. } => check_moves(step, violations),
        Command::Plan(_) => check_replaced(step, violations),
        _ => {}
    }
}

fn check_moves(step: &Step<'_>, violations: &mut Vec<Violation>) {
    let mut groups = BTreeSet::new();
    for (before, after) in step.allocations().filter_map(|(before, after)| Some((before?, after))) {
        let kind = kind_of(step.after, after);
        if kind.is_per_node() || !before.is_live() {
            continue;
        }
        let starts = after.is_live() && after.migrate && !before.migrate;
        let is_stopped = after.desired == Desired::Stop(StopReason::Migrated) && !is_past_deadline(step, after);
        if is_stopped && kind == JobType::Batch {
            let what = format!("{} is batch work, and ends before the deadline", after.name());
            violations.push(Violation::new(NAME, what));
        }
        let first_of_group = (starts || is_stopped) && groups.insert((after.job.clone(), after.group.clone(), starts));
        if !first_of_group {
            continue;
        }
        // Of several versions of the job, any one's rule may have counted.
        let rule = |known: &Allocation| {
            group_of(step.after, known).and_then(|group| group.migrate.as_ref()).map_or(1, |rules| rules.max_parallel)
        };
        let max = of_group(step.after, after).filter(|known| known.holds()).map(rule).max().unwrap_or(1);
        let count = if starts { moving } else { missing };
        let was = count(step.before, after);
        let number = count(step.after, after) - if starts { ended_late(step, after) } else { 0 };
        if number > max.max(1) as usize && number > was {
            let word = if starts { "move" } else { "are missing" };
            let what = format!("{number} of {} of {} {word}, {max} may", after.group, after.job);
            violations.push(Violation::new(NAME, what));
        }
    }
}

/// What moves ends by a plan only when something healthy is in its place, which may end with it where fewer are wanted, or a
/// new version at once.
fn check_replaced(step: &Step<'_>, violations: &mut Vec<Violation>) {
    for (before, _) in step.stopped(StopReason::Migrated) {
        let next_of = |known: &Allocation| step.after.allocation(known.ties().next?).cloned();
        let mut chain = std::iter::successors(next_of(before), |next| next_of(next));
        let ends_with_it = [StopReason::NotNeeded, StopReason::Updated].map(Desired::Stop);
        let stands = |next: &Allocation| next.is_live() || ends_with_it.contains(&next.desired);
        // A new version has its health judged anew by the same plan.
        let was_healthy =
            |next: &Allocation| step.before.allocation(next.id).is_some_and(|it| it.healthy == Some(true));
        let is_healthy = |next: &Allocation| next.healthy == Some(true) || was_healthy(next);
        if !chain.any(|next| is_healthy(&next) && stands(&next)) {
            let what = format!("{} ends, and nothing healthy is in its place", before.name());
            violations.push(Violation::new(NAME, what));
        }
    }
}

fn kind_of(state: &State, allocation: &Allocation) -> JobType {
    state.job_version(&allocation.job, allocation.job_version).map(|version| version.job.kind).unwrap_or_default()
}

fn is_past_deadline(step: &Step<'_>, allocation: &Allocation) -> bool {
    let drain = step.before.node(allocation.node).and_then(|node| node.drain.as_ref());
    drain.is_none_or(|drain| drain.ends_at().is_some_and(|end| end <= step.entry.at))
}

fn of_group<'a>(state: &'a State, of: &'a Allocation) -> impl Iterator<Item = &'a Allocation> {
    state.allocations_of_job(&of.job).map(|known| &**known).filter(|known| known.group == of.group)
}

/// What a job has one of on each node ends with the drain, and whatever the job had before keeps its pace.
fn is_moving(state: &State, known: &Allocation) -> bool {
    let is_there = known.holds() && known.client_status != ClientStatus::Unknown;
    known.migrate && is_there && !kind_of(state, known).is_per_node()
}

fn moving(state: &State, of: &Allocation) -> usize {
    of_group(state, of).filter(|known| is_moving(state, known)).count()
}

/// How many of those are ended by the same entry because their deadline has passed: that may be any number.
fn ended_late(step: &Step<'_>, of: &Allocation) -> usize {
    let ended = step.stopped(StopReason::Migrated).map(|(_, after)| after);
    let of_group = ended.filter(|known| (&known.job, &known.group) == (&of.job, &of.group));
    of_group.filter(|known| is_moving(step.after, known) && is_past_deadline(step, known)).count()
}

fn missing(state: &State, of: &Allocation) -> usize {
    let record = state.job(&of.job);
    let count = record.and_then(|record| record.current().job.group(&of.group)).map_or(0, |group| group.count as usize);
    let stands = |known: &&Allocation| !known.canary && known.is_live() && known.client_status != ClientStatus::Unknown;
    count.saturating_sub(of_group(state, of).filter(stands).map(|known| known.index).collect::<BTreeSet<_>>().len())
}

#[cfg(test)]
mod tests {
    use model::testing::job;
    use server_core::command::DrainSpec;

    use super::*;
    use crate::fixture::{bend, changed, cluster_of, ids, plan, play};

    fn draining() -> State {
        let mut state = cluster_of(job("web").count(3));
        for name in ["n1", "n2"] {
            let node = crate::fixture::node_id(name);
            let drain = Some(DrainSpec { deadline: None, ignore_system_jobs: false });
            play(&mut state, Command::DrainNode { node, drain, mark_eligible: false, meta: Default::default() });
        }
        state
    }

    #[test]
    fn more_on_the_move_than_may_be_are_found() {
        let mut state = draining();
        let [first, second, _] = ids(&state)[..] else { panic!("there are three") };
        let term = state.term();
        let migrate = Command::Migrate { allocations: vec![first], stops: vec![], term };
        let mut played = play(&mut state, migrate);
        assert_eq!(played.found(check), []);
        played.applied.changes.push(changed(second, false));
        assert_eq!(played.leaving(second, |known| known.migrate = true).found(check).len(), 1);
    }

    #[test]
    fn more_that_end_before_the_deadline_than_may_be_are_found() {
        let mut state = draining();
        let term = state.term();
        let stops = ids(&state);
        let mut played = play(&mut state, Command::Migrate { allocations: vec![], stops, term });
        assert_eq!(played.found(check), [], "no more than one ends, whatever was asked");
        let left = ids(&state).into_iter().find(|id| state.allocation(*id).is_some_and(|known| known.is_live()));
        let left = left.expect("two are left");
        played.applied.changes.push(changed(left, true));
        let ends = |known: &mut Allocation| known.desired = Desired::Stop(StopReason::Migrated);
        assert_eq!(played.leaving(left, ends).found(check).len(), 1);
    }

    #[test]
    fn what_ends_before_there_is_another_is_found() {
        let mut state = cluster_of(job("web").count(2));
        let id = ids(&state)[0];
        state = bend(&state, id, |known| known.migrate = true);
        play(&mut state, Command::EvaluateJob { job: model::JobKey::new("default", "web"), force_reschedule: false });
        let mut played = plan(&mut state);
        assert_eq!(played.found(check), []);
        played.applied.changes.push(changed(id, true));
        let ends = |known: &mut Allocation| known.desired = Desired::Stop(StopReason::Migrated);
        assert_eq!(played.leaving(id, ends).found(check).len(), 1);
    }

    #[test]
    fn where_fewer_are_wanted_what_moves_may_end_with_what_took_its_place() {
        let mut state = cluster_of(job("web").count(2));
        let [original, next] = ids(&state)[..] else { panic!("there are two") };
        state = bend(&state, original, |known| known.tie(|ties| ties.next = Some(next)));
        state = bend(&state, next, |known| known.healthy = Some(true));
        for (reason, violations) in [(StopReason::NotNeeded, 0), (StopReason::NodeUnfit, 1)] {
            let key = model::JobKey::new("default", "web");
            play(&mut state, Command::EvaluateJob { job: key, force_reschedule: false });
            let mut played = plan(&mut state);
            played.applied.changes.push(changed(original, true));
            let played = played.leaving(original, |known| known.desired = Desired::Stop(StopReason::Migrated));
            let played = played.leaving(next, |known| known.desired = Desired::Stop(reason));
            assert_eq!(played.found(check).len(), violations, "{reason:?}");
        }
    }
}
