//! How large a run is.

use std::time::Duration;

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Simulated nodes.
    pub nodes: usize,
    /// Jobs that are placed.
    pub jobs: usize,
    /// Instances of each.
    pub instances: u32,
    /// Runs, each on a new cluster.
    pub runs: usize,
    /// How many of the runs, the last ones, go on with the measurement of latency.
    pub latency_runs: usize,
    /// One-task jobs per second, one rate after the other.
    pub rates: [u32; 2],
    /// For how long, each.
    pub during: Duration,
    /// How long an instance must run to be healthy.
    pub min_healthy: Duration,
}

/// How full the placed jobs make the cluster, in percent.
pub const FULL_PERCENT: u64 = 60;

impl Size {
    /// What is published.
    pub const FULL: Self = Self {
        nodes: 5_000,
        jobs: 30,
        instances: 1_000,
        runs: 5,
        latency_runs: 2,
        rates: [20, 100],
        during: Duration::from_secs(60),
        min_healthy: Duration::from_secs(10),
    };
    /// To see that it works.
    pub const QUICK: Self = Self {
        nodes: 30,
        jobs: 10,
        instances: 20,
        runs: 1,
        latency_runs: 1,
        rates: [10, 20],
        during: Duration::from_secs(2),
        min_healthy: Duration::from_secs(1),
    };

    /// Instances in all.
    pub fn placements(&self) -> u64 {
        self.jobs as u64 * u64::from(self.instances)
    }

    /// Room for so many instances on a node of middle size.
    pub fn slots(&self) -> u64 {
        (self.placements() * 100).div_ceil(FULL_PERCENT * self.nodes as u64)
    }
}
