//! I27: work ends for other work only where that has a priority higher by the gap, and is really placed in its room by the same
//! entry.

use model::{Allocation, StopReason};
use server_core::limits::PREEMPTION_PRIORITY_GAP;
use server_core::state::State;

use super::{Step, Violation};

pub(super) const NAME: &str = "preemption";

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    for (_, victim) in step.stopped(StopReason::Preempted) {
        let by = victim.ties().preempted_by;
        let is_new = |id| step.before.allocation(id).is_none();
        let what = match by.filter(|id| is_new(*id)).and_then(|id| step.after.allocation(id)) {
            None => "ends for what is not placed".to_string(),
            Some(new) if new.node != victim.node || !new.ties().after.contains(&victim.id) => {
                format!("ends for {}, which does not take its room", new.name())
            }
            Some(new) if priority(step.after, new) < priority(step.after, victim) + PREEMPTION_PRIORITY_GAP => {
                format!("ends for {}, whose priority is not that much higher", new.name())
            }
            Some(_) => continue,
        };
        violations.push(Violation::new(NAME, format!("{} {what}", victim.name())));
    }
}

fn priority(state: &State, allocation: &Allocation) -> u32 {
    state.job_version(&allocation.job, allocation.job_version).map_or(0, |version| version.job.priority)
}

#[cfg(test)]
mod tests {
    use model::testing::job;
    use model::{AllocationId, Job};
    use server_core::command::{Command, Preemption, SchedulerConfiguration};

    use super::*;
    use crate::fixture::{Played, cluster_of, play, register};

    /// Work of that priority takes the room of work of priority 50.
    fn preempts() -> (Played, AllocationId) {
        let large = |id: &str, priority| {
            let mut job = Job { priority, ..job(id).count(2) };
            job.groups[0].tasks[0].resources.memory = 5_000;
            job
        };
        let mut state = cluster_of(large("low", 50));
        let preemption = Preemption { service: true, ..Preemption::default() };
        let configuration = SchedulerConfiguration { preemption, ..Default::default() };
        play(&mut state, Command::SetSchedulerConfiguration { configuration, check_index: None });
        register(&mut state, large("high", 60));
        let evaluation = state.open_evaluations(model::EvaluationStatus::Pending).next().unwrap().clone();
        let plan = server_core::schedule::schedule(&state, &evaluation, crate::fixture::START).plan;
        let term = state.term();
        let played = play(&mut state, Command::Plan(Box::new(server_core::plan::Plan { term, ..plan })));
        let victim = played.step().stopped(StopReason::Preempted).next().expect("something ends").1.id;
        (played, victim)
    }

    #[test]
    fn what_ends_in_vain_is_found() {
        assert_eq!(preempts().0.found(check), []);
        let (played, victim) = preempts();
        assert_eq!(played.leaving(victim, |known| known.tie(|ties| ties.preempted_by = None)).found(check).len(), 1);
        let (played, victim) = preempts();
        let by = played.after.allocation(victim).unwrap().ties().preempted_by.unwrap();
        assert_eq!(played.leaving(by, |known| known.tie(|ties| ties.after.clear())).found(check).len(), 1);
        let (played, victim) = preempts();
        let by = played.after.allocation(victim).unwrap().cohort.clone();
        let new = played.after.allocation(victim).unwrap().ties().preempted_by.unwrap();
        assert_eq!(played.leaving(new, |known| known.cohort = by).found(check).len(), 1, "one of the same job");
    }
}
