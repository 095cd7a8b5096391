//! How large a run is.

use std::fmt;
use std::time::Duration;

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Nodes.
    pub nodes: usize,
    /// How many of them have an agent with a stream of its own; the others are only said to be alive.
    pub streams: usize,
    /// For how long all only beat before.
    pub rest: Duration,
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
/// How long a run may take whatever its size, and beside that for each node and each instance.
const RUN_WITHIN: Duration = Duration::from_secs(400);
const RUN_WITHIN_NODE: Duration = Duration::from_millis(20);
const RUN_WITHIN_INSTANCE: Duration = Duration::from_micros(600);

impl Size {
    /// A hundred thousand instances on five thousand nodes: what this kind of machine carries. C1M has ten times as many.
    const PLACE_5K: Self = Self {
        nodes: 5_000,
        streams: 5_000,
        rest: Duration::from_secs(10),
        jobs: 100,
        instances: 1_000,
        runs: 3,
        latency_runs: 0,
        rates: [20, 100],
        during: Duration::from_secs(60),
        min_healthy: Duration::from_secs(10),
    };
    /// What is published.
    pub const FULL: [Self; 4] = [
        Self { jobs: 30, runs: 2, latency_runs: 2, ..Self::PLACE_5K },
        Self::PLACE_5K,
        Self { nodes: 10_000, streams: 10_000, runs: 2, ..Self::PLACE_5K },
        Self { nodes: 50_000, runs: 2, ..Self::PLACE_5K },
    ];
    /// To see that it works.
    pub const QUICK: [Self; 2] = [Self::PLACE_QUICK, Self { streams: 20, latency_runs: 0, ..Self::PLACE_QUICK }];
    const PLACE_QUICK: Self = Self {
        nodes: 30,
        streams: 30,
        rest: Duration::from_secs(1),
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

    /// Whatever hangs, a run ends after this.
    pub fn run_within(&self) -> Duration {
        let instances = u32::try_from(self.placements()).unwrap_or(u32::MAX);
        RUN_WITHIN + RUN_WITHIN_NODE * self.nodes as u32 + RUN_WITHIN_INSTANCE * instances
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nodes, streams, jobs, instances, .. } = self;
        write!(f, "{jobs} jobs of {instances} on {nodes} nodes")?;
        if streams == nodes { Ok(()) } else { write!(f, ", {streams} of them with agents") }
    }
}
