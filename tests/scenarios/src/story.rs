//! A scenario told line by line, for those who look at each decision themselves.

use invariants::Step;
use model::{Evaluation, Timestamp};
use server_core::plan::Plan;
use server_core::state::State;

use super::cluster::Cluster;

/// A scenario that is being told.
pub struct Story {
    cluster: Cluster,
}

/// A decision that was committed.
pub struct Decided<'a> {
    /// The state that it was made on.
    pub before: &'a State,
    /// The state after it.
    pub after: &'a State,
    /// What was decided.
    pub evaluation: &'a Evaluation,
    /// How.
    pub plan: &'a Plan,
    /// When.
    pub now: Timestamp,
}

impl Story {
    /// An empty cluster. `watch` looks at every command.
    pub fn new(watch: impl FnMut(&Step<'_>) + 'static) -> Self {
        let mut cluster = Cluster::play("");
        cluster.watch = Some(Box::new(watch));
        Self { cluster }
    }

    /// Plays a line.
    pub fn tell(&mut self, line: &str) {
        self.cluster.go_on(line);
    }

    /// Lets the scheduler decide everything that is pending, and says what was decided.
    pub fn decide(&mut self, mut show: impl FnMut(&Decided<'_>)) -> Vec<String> {
        self.cluster.run_showing(&mut show)
    }

    /// What would be done if every job were looked at once more.
    pub fn would_still_do(&mut self, mut show: impl FnMut(&Decided<'_>)) -> Vec<String> {
        self.cluster.would_still_do_showing(&mut show)
    }

    /// The state now.
    pub fn state(&self) -> &State {
        &self.cluster.state
    }
}
