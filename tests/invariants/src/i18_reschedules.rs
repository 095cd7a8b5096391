//! I18: an instance that failed is placed anew as its group's policy says: no more often in an interval, not before its pause
//! is over, and whoever leads, its history goes on. One of a service that ended well comes again as often as it takes, with
//! the same pauses. Restarts on a node are the agent's, whose core is tested for that.

use std::collections::BTreeMap;

use model::{Allocation, AllocationId, ClientStatus, Desired, JobType, Reschedule, StopReason, Timestamp};

use server_core::command::Command;

use super::step::group_of;
use super::{Step, Violation};

pub(super) const NAME: &str = "reschedules";

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    let mut in_place_of: BTreeMap<AllocationId, usize> = BTreeMap::new();
    for new in step.placed() {
        let Some(failed) = new.ties().previous.and_then(|id| step.before.allocation(id)) else { continue };
        let of_job = step.after.job_version(&new.job, new.job_version).map(|version| version.job.kind);
        let counts = match failed.client_status {
            ClientStatus::Failed => true,
            ClientStatus::Complete => of_job == Some(JobType::Service),
            ClientStatus::Pending | ClientStatus::Running | ClientStatus::Unknown | ClientStatus::Lost => false,
        };
        // A plan that was made while it still ran gives its place to a new version, which begins without its history.
        let is_updated = |known: &std::sync::Arc<Allocation>| known.desired == Desired::Stop(StopReason::Updated);
        if new.job_version != failed.job_version && step.after.allocation(failed.id).is_some_and(is_updated) {
            continue;
        }
        // System jobs know no such policy.
        if of_job.is_none_or(JobType::is_per_node)
            || !counts
            || failed.desired != Desired::Run
            || failed.forced
            || has_failed_unseen(step, failed, new)
            || failed.ties().preempted_by.is_some()
        {
            continue;
        }
        *in_place_of.entry(failed.id).or_default() += 1;
        let failed = stood_in_unseen(step, failed, new).unwrap_or(failed);
        if let Some(what) = wrong(step, failed, new) {
            violations.push(Violation::new(NAME, format!("{} after {}: {what}", new.name(), failed.id.short())));
        }
    }
    for (id, times) in in_place_of.into_iter().filter(|(_, times)| *times > 1) {
        violations.push(Violation::new(NAME, format!("{} is placed anew {times} times", id.short())));
    }
}

/// Whether `new` was decided on for another reason, its failure not having been seen: one that moves, or was out of contact.
/// It takes the history over as it is.
fn has_failed_unseen(step: &Step<'_>, failed: &Allocation, new: &Allocation) -> bool {
    is_unseen(step, failed) && new.ties().reschedules == failed.ties().reschedules
}

/// What had failed in the place of `failed`, if that was still out of contact as far as the planner had seen: `new` comes
/// after the one that stood in, and goes on with its history.
fn stood_in_unseen<'a>(step: &Step<'a>, failed: &Allocation, new: &Allocation) -> Option<&'a Allocation> {
    let stood_in = step.before.allocation(failed.ties().next.filter(|_| is_unseen(step, failed))?)?;
    let goes_on = new.ties().reschedules.last().is_some_and(|last| last.previous == stood_in.id);
    (goes_on && stood_in.client_status.is_terminal()).then_some(&**stood_in)
}

/// Whether the planner of this step had not seen what `known` has come to.
fn is_unseen(step: &Step<'_>, known: &Allocation) -> bool {
    let Command::Plan(plan) = &step.entry.command else { return false };
    plan.snapshot_index < known.modify_index
}

fn wrong(step: &Step<'_>, failed: &Allocation, new: &Allocation) -> Option<String> {
    let history = &new.ties().reschedules;
    let Some(last) = history.last() else { return Some("its history is lost".into()) };
    if last.previous != failed.id {
        return Some(format!("its history ends with {}", last.previous.short()));
    }
    let known = failed.ties().reschedules.iter().rev();
    if !known.zip(history.iter().rev().skip(1)).all(|(known, kept)| known == kept) {
        return Some("its history is another".into());
    }
    let policy = group_of(step.after, new)?.reschedule.as_ref()?;
    let recent = history.iter().filter(|event| last.at.since(event.at) < policy.interval).count();
    let has_failed = failed.client_status == ClientStatus::Failed;
    if has_failed && !policy.unlimited && recent > policy.attempts as usize {
        return Some(format!("{recent} times in {:?}, {} are allowed", policy.interval, policy.attempts));
    }
    let failed_at = failed_at(failed);
    let paused = std::time::Duration::from_nanos(last.delay_ns);
    let due = failed_at + paused;
    // Later pauses grow from the one before, which may have followed another policy.
    // A policy that never places anything anew says nothing of pauses.
    let is_idle = !policy.unlimited && policy.attempts == 0;
    let first = if is_idle { Reschedule::default().delay } else { policy.delay };
    let least = if history.len() == 1 { first } else { paused };
    if paused < least || last.at < due {
        return Some(format!("after {:?} of at least {:?}", last.at.since(failed_at), paused.max(least)));
    }
    None
}

/// When it failed at the earliest: a node's clock may be far behind, but what was not placed yet did not fail.
fn failed_at(failed: &Allocation) -> Timestamp {
    let told = failed.tasks.unpack().values().filter_map(|task| task.finished_at).max();
    told.map_or(failed.modified_at, |told| told.min(failed.modified_at)).max(failed.created_at)
}

#[cfg(test)]
mod tests {
    use model::RescheduleEvent;
    use model::testing::job;

    use super::*;
    use crate::fixture::{Played, START, after, cluster_of, ids, observe, play_at};
    use server_core::schedule::schedule;

    /// An instance failed, and its replacement is placed once its pause is over.
    fn placed_anew(ended: ClientStatus) -> (Played, AllocationId) {
        let mut job = job("web").count(1);
        let policy = job.groups[0].reschedule.as_mut().unwrap();
        (policy.unlimited, policy.attempts, policy.interval) = (false, 1, std::time::Duration::from_secs(3600));
        let mut state = cluster_of(job);
        let failed = ids(&state)[0];
        observe(&mut state, failed, ended, None);
        let mut last = None;
        for at in [START, after(60)] {
            while let Some(next) = server_core::evaluations::next(&state, &mut Default::default(), at).cloned() {
                let plan = schedule(&state, &next, at).plan;
                let term = state.term();
                last = Some(play_at(&mut state, at, Command::Plan(Box::new(server_core::plan::Plan { term, ..plan }))));
            }
        }
        let played = last.expect("it was planned");
        let new = played.step().placed().next().expect("it is placed anew").id;
        (played, new)
    }

    #[test]
    fn a_replacement_that_its_policy_does_not_allow_is_found() {
        let (played, _) = placed_anew(ClientStatus::Failed);
        assert_eq!(played.found(check), []);
        let event =
            |at| RescheduleEvent { at, previous: AllocationId::default(), node: Default::default(), delay_ns: 0 };
        type Bend = fn(&mut Vec<RescheduleEvent>, RescheduleEvent);
        let bends: [(&str, Bend); 4] = [
            ("is lost", |history, _| history.clear()),
            ("ends with", |history, event| history.push(event)),
            ("times in", |history, event| history.insert(0, event)),
            ("of at least", |history, _| history[0].delay_ns = 1),
        ];
        for (wanted, bend) in bends {
            let (played, new) = placed_anew(ClientStatus::Failed);
            let found =
                played.leaving(new, |known| known.tie(|ties| bend(&mut ties.reschedules, event(START)))).found(check);
            assert!(found.len() == 1 && found[0].what.contains(wanted), "{wanted}: {found:?}");
        }
    }

    #[test]
    fn a_new_version_in_the_place_of_what_failed_meanwhile_needs_no_history() {
        let (played, new) = placed_anew(ClientStatus::Failed);
        let failed = played.after.allocation(new).unwrap().ties().previous.unwrap();
        let mut played = played.leaving(new, |known| known.tie(|ties| ties.reschedules.clear()));
        let mut of_another = (**played.before.allocation(failed).unwrap()).clone();
        std::sync::Arc::make_mut(&mut of_another.cohort).job_version += 1;
        server_core::testing::put_allocation(&mut played.before, of_another);
        assert_eq!(played.found(check).len(), 1, "it was not replaced by an update");
        let ends = |known: &mut Allocation| known.desired = Desired::Stop(StopReason::Updated);
        assert_eq!(played.leaving(failed, ends).found(check), []);
    }

    #[test]
    fn one_that_was_decided_on_for_another_reason_takes_the_history_over_only_of_what_its_planner_saw_running() {
        let (mut played, new) = placed_anew(ClientStatus::Failed);
        let failed = played.after.allocation(new).unwrap().ties().previous.unwrap();
        played = played.leaving(new, |known| known.tie(|ties| ties.reschedules.clear()));
        let failed_at = played.before.allocation(failed).unwrap().modify_index;
        let mut decided_at = |index| {
            let Command::Plan(plan) = &mut played.entry.command else { panic!("it was planned") };
            plan.snapshot_index = index;
            played.found(check).len()
        };
        assert_eq!((decided_at(failed_at - 1), decided_at(failed_at)), (0, 1));
    }

    #[test]
    fn one_after_a_stand_in_goes_on_with_its_history_only_where_its_planner_saw_the_first_out_of_contact() {
        let (mut played, new) = placed_anew(ClientStatus::Failed);
        let failed = played.after.allocation(new).unwrap().ties().previous.unwrap();
        let mut first = (**played.before.allocation(failed).unwrap()).clone();
        let stood_in = Allocation { id: AllocationId::derive(&[b"stood in"]), ..first.clone() };
        first.tie(|ties| ties.next = Some(stood_in.id));
        let failed_at = first.modify_index;
        server_core::testing::put_allocation(&mut played.before, first);
        let went_on = |known: &mut Allocation| known.tie(|ties| ties.reschedules[0].previous = stood_in.id);
        let mut played = played.leaving(new, went_on);
        let mut found = |index, before: &Allocation| {
            server_core::testing::put_allocation(&mut played.before, before.clone());
            let Command::Plan(plan) = &mut played.entry.command else { panic!("it was planned") };
            plan.snapshot_index = index;
            played.found(check).len()
        };
        let running = Allocation { client_status: ClientStatus::Running, ..stood_in.clone() };
        assert_eq!(found(failed_at - 1, &running), 1, "one that runs needs nobody in its place");
        assert_eq!((found(failed_at - 1, &stood_in), found(failed_at, &stood_in)), (0, 1));
    }

    #[test]
    fn a_service_that_ended_and_comes_again_without_a_pause_is_found() {
        let (played, new) = placed_anew(ClientStatus::Complete);
        assert_eq!(played.found(check), []);
        let found = played.leaving(new, |known| known.tie(|ties| ties.reschedules[0].delay_ns = 1)).found(check);
        assert!(found.len() == 1 && found[0].what.contains("of at least"), "{found:?}");
    }
}
