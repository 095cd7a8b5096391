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
    now: Timestamp,
    scheduler: Scheduler,
    blocked: BlockedWatch,
}

impl Rehearsal {
    /// A copy of `state`; everything happens at `now`.
    pub fn of(state: &State, now: Timestamp) -> Self {
        Self { state: state.clone(), now, scheduler: Scheduler::default(), blocked: BlockedWatch::default() }
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
        let gone = held.iter().map(|known| (known.node, vec![self.gone(known)])).collect();
        self.command(Command::Observe { nodes: gone });
    }

    /// Decides whatever is due; what was told to stop is gone then, and who waited for that is decided too.
    pub fn settle(&mut self) {
        self.decide_all();
        if self.sweep() {
            self.decide_all();
        }
    }

    /// Everything that was told to stop is observed gone; whether there was something.
    fn sweep(&mut self) -> bool {
        let is_stopping = |known: &&Arc<Allocation>| known.holds() && !known.is_live();
        let stopping = self.state.allocations().filter(is_stopping);
        let gone: Vec<_> = stopping.map(|known| (known.node, vec![self.gone(known)])).collect();
        let is_any = !gone.is_empty();
        if is_any {
            self.command(Command::Observe { nodes: gone });
        }
        is_any
    }

    fn gone(&self, known: &Allocation) -> Observation {
        let ended = |(name, task): (&String, &TaskState)| {
            (name.clone(), TaskState { finished_at: Some(self.now), ..task.clone() })
        };
        Observation {
            allocation: known.id,
            client_status: ClientStatus::Complete,
            client_description: String::new(),
            tasks: known.tasks.iter().map(ended).collect(),
            healthy: None,
            healthy_at: None,
            checks: BTreeMap::new(),
            network_address: None,
        }
    }

    /// Decides `evaluation` and commits the plan, which is returned with what happens to each group's instances.
    pub fn decide(&mut self, evaluation: &Evaluation) -> (Plan, BTreeMap<String, Counts>) {
        let decision = self.scheduler.decide(&self.state, evaluation, self.now);
        let plan = Plan { term: self.state.term(), ..decision.plan };
        self.command(Command::Plan(Box::new(plan.clone())));
        (plan, decision.counts)
    }

    /// Decides whatever is due, the blocked work that may find a place included.
    fn decide_all(&mut self) {
        for _ in 0..REHEARSED_PLANS_MAX {
            self.blocked.settle();
            self.blocked.look(&self.state);
            let next = evaluations::next(&self.state, &mut self.blocked, self.now).cloned();
            let Some(evaluation) = next else { return };
            self.decide(&evaluation);
        }
    }
}
