//! A copy of the state on which something is tried out, and thrown away: commands are applied and evaluations decided as
//! on a real cluster, so what comes of it is what would come of it.
//!
//! Called by what explains and foresees: `dry_run`, `capacity` and the hints of `why`.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, ClientStatus, Evaluation, JobKey, Observation, TaskState, Timestamp};

use crate::apply::{Answer, apply};
use crate::command::{Command, Entry};
use crate::evaluations::{self, BlockedWatch};
use crate::limits::REHEARSED_PLANS_MAX;
use crate::plan::Plan;
use crate::schedule::{Counts, Scheduler};
use crate::state::State;

/// A copy of the state.
pub(crate) struct Rehearsal {
    /// As it is by now.
    pub state: State,
    /// Whether something was left undecided, because it took too many plans.
    pub is_cut_short: bool,
    now: Timestamp,
    scheduler: Scheduler,
    blocked: BlockedWatch,
}

impl Rehearsal {
    /// A copy of `state`; everything happens at `now`.
    pub fn of(state: &State, now: Timestamp) -> Self {
        Self {
            state: state.clone(),
            is_cut_short: false,
            now,
            scheduler: Scheduler::default(),
            blocked: BlockedWatch::default(),
        }
    }

    /// Applies a command.
    pub fn command(&mut self, command: Command) -> Answer {
        let (index, term) = (self.state.index() + 1, self.state.term());
        let entry = Entry { at: self.now, request: None, caller: "rehearsal".into(), command };
        apply(&mut self.state, index, term, &entry).answer
    }

    /// Stops a job; its agents report at once that all of it is gone.
    pub fn stop_at_once(&mut self, job: &JobKey) {
        self.command(Command::DeregisterJob { job: job.clone(), purge: false });
        let held: Vec<_> = self.state.allocations_of_job(job).filter(|known| known.holds()).cloned().collect();
        let gone = held.iter().map(|known| (known.node, vec![self.gone(known).packed()])).collect();
        self.command(Command::Observe { nodes: gone, sessions: Default::default() });
    }

    /// Decides whatever is due.
    pub fn decide(&mut self) {
        self.decide_at_most(REHEARSED_PLANS_MAX);
    }

    /// Decides whatever is due; what was told to stop is gone then, and who waited for that is decided too.
    pub fn settle(&mut self) {
        self.decide();
        if self.sweep() {
            self.decide();
        }
    }

    /// Everything that was told to stop is observed gone; whether there was something.
    fn sweep(&mut self) -> bool {
        let is_stopping = |known: &&Arc<Allocation>| known.holds() && !known.is_live();
        let stopping = self.state.allocations_as_placed().filter(is_stopping);
        let gone: Vec<_> = stopping.map(|known| (known.node, vec![self.gone(known).packed()])).collect();
        let is_any = !gone.is_empty();
        if is_any {
            self.command(Command::Observe { nodes: gone, sessions: Default::default() });
        }
        is_any
    }

    fn gone(&self, known: &Allocation) -> Observation {
        let ended = |(name, task): (String, TaskState)| (name, TaskState { finished_at: Some(self.now), ..task });
        Observation {
            allocation: known.id,
            client_status: ClientStatus::Complete,
            client_description: String::new(),
            tasks: known.tasks.unpack().into_iter().map(ended).collect(),
            healthy: None,
            healthy_at: None,
            checks: BTreeMap::new(),
            network_address: None,
        }
    }

    /// Decides `evaluation` and commits the plan, which is returned with what happens to each group's instances.
    pub fn decide_one(&mut self, evaluation: &Evaluation) -> (Plan, BTreeMap<String, Counts>) {
        let decision = self.scheduler.decide(&self.state, evaluation, self.now);
        let plan = Plan { term: self.state.term(), ..decision.plan };
        self.command(Command::Plan(Box::new(plan.clone())));
        (plan, decision.counts)
    }

    /// Decides whatever is due, the blocked work that may find a place included, with so many plans at most.
    pub fn decide_at_most(&mut self, plans: usize) {
        for made in 0.. {
            self.blocked.settle();
            self.blocked.look(&self.state);
            let next = evaluations::next(&self.state, &mut self.blocked, self.now).cloned();
            let Some(evaluation) = next else { return };
            if made == plans {
                self.is_cut_short = true;
                return;
            }
            self.decide_one(&evaluation);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::testing::{job, node};

    use super::*;

    #[test]
    fn as_many_plans_are_made_as_the_limit_and_of_more_it_is_said() {
        let begun = || {
            let mut rehearsal = Rehearsal::of(&State::default(), Timestamp::default());
            rehearsal.command(Command::RegisterNode { node: Arc::new(node("n1")), session: None });
            for id in ["a", "b", "c"] {
                let job = Arc::new(job(id));
                rehearsal.command(Command::RegisterJob { job, check_index: None, submission: None });
            }
            rehearsal
        };
        let placed = |plans| {
            let mut rehearsal = begun();
            rehearsal.decide_at_most(plans);
            (rehearsal.state.allocations().count(), rehearsal.is_cut_short)
        };
        assert_eq!(placed(3), (3, false));
        assert_eq!(placed(2), (2, true));
    }

    #[test]
    fn what_was_told_to_stop_is_gone_before_the_rest_is_decided() {
        let mut rehearsal = Rehearsal::of(&State::default(), Timestamp::default());
        rehearsal.command(Command::RegisterNode { node: Arc::new(node("n1").memory(100)), session: None });
        let register = |id: &str| Command::RegisterJob { job: Arc::new(job(id)), check_index: None, submission: None };
        rehearsal.command(register("old"));
        rehearsal.settle();
        rehearsal.command(register("new"));
        rehearsal.command(Command::DeregisterJob { job: job("old").key(), purge: false });
        rehearsal.settle();
        let live: Vec<_> = rehearsal.state.allocations().filter(|known| known.is_live()).collect();
        assert_eq!(live.iter().map(|known| known.name()).collect::<Vec<_>>(), ["new.new[0]"]);
    }
}
