//! What the leader's loops do in a scenario: the watches over deployments, drains and rebalances, and a planner that
//! panics.

use server_core::command::Command;
use server_core::plan::Plan;
use server_core::{deployment, drain};

use super::Cluster;
use crate::decision;
use crate::words::job_key;

impl Cluster {
    /// Lets the watches over deployments, drains and rebalances do what they find due, and says what that was.
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
        lines.extend(self.rebalance_on());
        lines
    }

    /// Lets the watch over drains move and end what it finds due.
    pub(crate) fn move_on(&mut self) -> drain::Step {
        let term = self.state.term();
        let step = drain::next(&self.state, self.now);
        let (allocations, stops) = (step.moves.clone(), step.stops.clone());
        self.command(Command::Migrate { allocations, stops, term });
        step
    }

    /// The planner panics on the evaluation of the job that is next, and gives it up.
    pub(crate) fn panic(&mut self, id: &str) {
        let evaluation = self.next().expect("something is to be decided");
        assert_eq!(evaluation.job, job_key(id), "another is next");
        let plan = Plan::giving_up(&self.state, &evaluation, "the scheduler panicked on this evaluation");
        self.command(Command::Plan(Box::new(plan)));
    }
}
