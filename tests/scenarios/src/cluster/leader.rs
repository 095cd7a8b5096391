//! What the leader's loops do in a scenario: the watches over deployments and drains, and a planner that panics.

use std::collections::BTreeMap;
use std::time::Duration;

use server_core::command::{Command, DrainSpec};
use server_core::plan::Plan;
use server_core::{deployment, drain};

use super::Cluster;
use crate::decision;
use crate::words::{Words, job_key, seconds};

impl Cluster {
    /// Lets the watches over deployments and drains do what they find due, and says what that was.
    pub fn watch(&mut self) -> Vec<String> {
        let commands = deployment::next(&self.state, self.now, self.state.term()).commands;
        let mut lines: Vec<_> = commands.iter().map(|command| decision::of_watch(&self.state, command)).collect();
        for command in commands {
            self.command(command);
        }
        let step = self.move_on();
        lines.extend(decision::of_drains(&self.state, &step));
        let term = self.state.term();
        for node in step.complete {
            self.command(Command::CompleteDrain { node, term });
        }
        lines
    }

    /// Begins a drain of that node, for so long and of what the line says.
    pub(super) fn drain(&mut self, mut words: Words) {
        let node = self.node_named(&words.name()).id;
        let deadline = words.value("deadline").map(|text| Duration::from_secs(seconds(&text).unsigned_abs()));
        let spec = DrainSpec { deadline, ignore_system_jobs: words.flag("ignore_system") };
        self.command(Command::DrainNode { node, drain: Some(spec), mark_eligible: false, meta: BTreeMap::new() });
        words.end();
        self.move_on();
    }

    /// Lets the watch over drains move and end what it finds due.
    pub(super) fn move_on(&mut self) -> drain::Step {
        let term = self.state.term();
        let step = drain::next(&self.state, self.now);
        let (allocations, stops) = (step.moves.clone(), step.stops.clone());
        self.command(Command::Migrate { allocations, stops, term });
        step
    }

    /// The planner panics on the evaluation of the job that is next, and gives it up.
    pub(super) fn panic(&mut self, id: &str) {
        let evaluation = self.next().expect("something is to be decided");
        assert_eq!(evaluation.job, job_key(id), "another is next");
        let plan = Plan::giving_up(&self.state, &evaluation, "the scheduler panicked on this evaluation");
        self.command(Command::Plan(Box::new(plan)));
    }
}
