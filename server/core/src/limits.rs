//! Every limit of the servers, with its name and unit.

use std::time::Duration;

/// Bytes of a job's document, encoded.
pub const JOB_DOCUMENT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Versions of a job that are kept, beside those that allocations still run.
pub const JOB_VERSIONS_KEPT: usize = 6;
/// Instances in one plan; a larger evaluation takes several.
pub const PLAN_INSTANCES_MAX: u32 = 10_000;
/// Plans in flight before the planner waits for the oldest.
pub const PLANS_IN_FLIGHT_MAX: usize = 32;
/// Plans made ahead of the committed state before that is looked at anew.
pub const PLANS_AHEAD_MAX: usize = 64;
/// Instances that these place, unless the last of them places more.
pub const INSTANCES_AHEAD_MAX: u32 = 4 * PLAN_INSTANCES_MAX;
/// Plans of one evaluation before the planner gives up on it.
pub const EVALUATION_ATTEMPTS_MAX: u32 = 100;
/// Choices that are taken back while the device asks of one instance are met on one node, before it counts as too full.
pub const DEVICE_SEARCH_STEPS_MAX: u32 = 1_000;
/// Ways to spread the tasks of one instance over the NUMA nodes of one node that are tried, before it counts as too full.
pub const NUMA_SEARCH_STEPS_MAX: u32 = 100;
/// Pause before an evaluation that the planner gave up is tried anew; it doubles each time.
pub const RETRY_AFTER_MIN: Duration = Duration::from_secs(60);
/// The longest such pause.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// Nodes named in an explanation as those that came closest.
pub const NEAREST_MISSES_MAX: usize = 5;
/// Hints that one explanation gives of nodes that could be opened, and as many of nodes whose drivers could be healed, and
/// of nodes whose agents could be configured for more.
pub const HINTS_OF_CLOSED_NODES_MAX: usize = 5;
/// Hints that one explanation gives of jobs that could be stopped.
pub const HINTS_OF_JOBS_MAX: usize = 3;
/// Hints that one explanation gives of changes that help only together.
pub const HINTS_TOGETHER_MAX: usize = 2;
/// Groups named that wait for room and would not fit on a node, when one asks why it takes nothing.
pub const BLOCKED_ON_NODE_MAX: usize = 100;
/// Instances that are placed in thought to see how many fit.
pub const CAPACITY_INSTANCES_MAX: u32 = PLAN_INSTANCES_MAX;
/// MHz or MiB of one thing that are asked for or added in thought: far more than exists, and no sum of it overflows.
pub const CAPACITY_AMOUNT_MAX: u64 = 1 << 40;
/// Nodes that are added in thought.
pub const CAPACITY_NODES_ADDED_MAX: u64 = 1_000;
/// Plans that are made on a copy of the state to foresee what comes of a change.
pub const REHEARSED_PLANS_MAX: usize = 20_000;
/// Plans that are made to see whether a hint leaves something for those who wait ahead; where that takes more, it is said
/// that they come first.
pub const HINTED_PLANS_MAX: usize = 100;
/// How much higher a priority must be to take the room of work of another job.
pub const PREEMPTION_PRIORITY_GAP: u32 = 10;
/// Instances on a node of which every combination is weighed when some must make way; of more, a good one is picked.
pub const PREEMPTION_WEIGHED_MAX: usize = 10;
/// Events kept of a node.
pub const NODE_EVENTS_KEPT: usize = 10;
/// Earlier placements remembered of an instance, beside those that its group's policy still counts.
pub const RESCHEDULES_KEPT: usize = 5;
/// Bytes of a check's output that go into state with a transition.
pub const CHECK_OUTPUT_BYTES_MAX: usize = 512;
/// Requests remembered so that a retry is applied once.
pub const REQUESTS_REMEMBERED: usize = 4096;
/// Servers compare their states at each so many indexes.
pub const MARK_EVERY: u64 = 1_000;
/// For each so many allocations they do so less often by as much, so that it costs little of large states too.
pub const MARK_ROWS: u64 = 20_000;
/// Indexes of which a leader remembers what servers had.
pub const MARKS_KEPT: usize = 16;
/// New placements after a failure that are due within this of each other are one evaluation, at the time of the last.
pub const FOLLOW_UP_WINDOW: Duration = Duration::from_secs(1);
/// Objects collected by one entry.
pub const COLLECT_BATCH_MAX: usize = 2_000;

/// Moves of one rebalance, unless somebody asks for others.
pub const REBALANCE_MOVES: u32 = 20;
/// The most moves that one rebalance may be asked for.
pub const REBALANCE_MOVES_MAX: u32 = 500;
/// Moves of a rebalance at a time, unless somebody asks for others.
pub const REBALANCE_AT_ONCE: u32 = 2;
/// How long an instance that was moved is left alone, unless somebody asks for another time.
pub const REBALANCE_COOL_DOWN: Duration = Duration::from_secs(600);
/// How much fuller its node must be than the one that it goes to, in thousandths and after the move, for an instance to be
/// moved for the sake of load alone.
pub const REBALANCE_LOAD_GAP_MIN: u32 = 100;
/// How long a move waits for what passes by itself before it is skipped.
pub const REBALANCE_PATIENCE: Duration = Duration::from_secs(300);
/// Times that a node may be looked at while moves are searched for, all nodes together; what is not looked at is left.
pub const REBALANCE_NODE_LOOKS_MAX: u64 = 2_000_000;
/// Instances that are looked at however many nodes there are.
pub const REBALANCE_LOOKS_MIN: u64 = 50;

/// Time beyond the deadline for its health in which an agent says how an instance of a system job does.
pub const HEALTH_GRACE: Duration = Duration::from_secs(30);

/// How long a finished evaluation is kept, with its allocations.
pub const EVALUATION_KEPT: Duration = Duration::from_secs(3600);
/// How long a finished evaluation of a batch job is kept.
pub const BATCH_EVALUATION_KEPT: Duration = Duration::from_secs(24 * 3600);
/// How long a finished deployment is kept.
pub const DEPLOYMENT_KEPT: Duration = Duration::from_secs(3600);
/// How long a dead job is kept.
pub const JOB_KEPT: Duration = Duration::from_secs(4 * 3600);
/// How long a node that is down and has no allocations is kept.
pub const NODE_KEPT: Duration = Duration::from_secs(24 * 3600);

/// Beat interval of a small cluster; it grows with the nodes ([`beat_interval`]).
pub const BEAT_INTERVAL_MIN: Duration = Duration::from_secs(1);
/// It grows by that: agents shall not be told of another one with each node that comes.
pub const BEAT_INTERVAL_STEP: Duration = Duration::from_millis(100);
/// Beats per second that a leader takes.
pub const BEATS_PER_SECOND_MAX: u32 = 10_000;
/// Where many beats come late, agents are asked to beat less often, down to such a part.
pub const BEAT_STRETCH_MAX: u32 = 4;
/// With fewer nodes they never are.
pub const BEAT_STRETCH_NODES_MIN: usize = 1000;
/// Missed beat intervals after which a node is suspect.
pub const SUSPECT_AFTER_BEATS: u32 = 3;
/// Silence after which a node is down, unless beats are rarer.
pub const DOWN_AFTER: Duration = Duration::from_secs(6);
/// Missed beat intervals after which a node is down.
pub const DOWN_AFTER_BEATS: u32 = 6;
/// The longest lease that an agent may ask for before a planned restart.
pub const LEASE_MAX: Duration = Duration::from_secs(120);
/// Nodes from which on the brake on mass replacement can act.
pub const MASS_LOSS_NODES_MIN: usize = 10;

/// How often the leader looks at the clocks over that many nodes: so often that it finds a silent one within a tenth of the
/// time between beats.
pub fn clocks_interval(nodes: usize) -> Duration {
    beat_interval(nodes) / 10
}

/// How often each agent beats in a cluster of that many nodes, while beats come in time.
pub fn beat_interval(nodes: usize) -> Duration {
    let spread = Duration::from_secs(1) * u32::try_from(nodes).unwrap_or(u32::MAX) / BEATS_PER_SECOND_MAX;
    let steps = spread.as_nanos().div_ceil(BEAT_INTERVAL_STEP.as_nanos());
    (BEAT_INTERVAL_STEP * u32::try_from(steps).unwrap_or(u32::MAX)).max(BEAT_INTERVAL_MIN)
}

/// Silence after which a node is suspect whose agent beats so often.
pub fn suspect_after(beat_interval: Duration) -> Duration {
    beat_interval * SUSPECT_AFTER_BEATS
}

/// Silence after which a node is down whose agent beats so often.
pub fn down_after(beat_interval: Duration) -> Duration {
    DOWN_AFTER.max(beat_interval * DOWN_AFTER_BEATS)
}

/// Voters that are never gone below by removing dead servers, unless somebody asks for others.
pub const VOTERS_KEPT: u32 = 3;
/// The most servers of a cluster that [`VOTERS_KEPT`] may be set to.
pub const VOTERS_KEPT_MAX: u32 = 7;
/// How long a server is silent before it counts as dead and is removed, unless somebody asks for another time: longer than
/// a host takes to come back.
pub const DEAD_SERVER_AFTER: Duration = Duration::from_secs(600);
/// The shortest time that may be asked for: beyond every election and every restart of a process.
pub const DEAD_SERVER_AFTER_MIN: Duration = Duration::from_secs(10);
/// Silence beyond which a server counts as unhealthy, unless somebody asks for another time.
pub const LAST_CONTACT_THRESHOLD: Duration = Duration::from_millis(500);
/// Entries that a healthy server may be behind, unless somebody asks for another number.
pub const TRAILING_LOGS_MAX: u64 = 250;
/// How long a server must have been well to count as stable, unless somebody asks for another time.
pub const SERVER_STABILIZATION_TIME: Duration = Duration::from_secs(10);
/// How long nodes may take to come to a cluster that was restored before they count as down. Until then they are suspect.
pub const REATTACH_WITHIN: Duration = Duration::from_secs(300);
/// Bytes of a backup's state in one entry of the log, while the cluster is taken back to it: encoded, an entry stays below
/// what the log takes.
pub const RESTORE_PART_BYTES_MAX: usize = 1024 * 1024;
/// By so much the index grows when a backup is restored, so that what the lost cluster committed after the backup shares
/// no index, and so no id that follows from one, with what the restored one commits.
pub const RESTORE_INDEX_GAP: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// The most nodes that beat as often as the nodes of a small cluster.
    const NODES: usize = (BEATS_PER_SECOND_MAX as u64 * BEAT_INTERVAL_MIN.as_secs()) as usize;

    #[test]
    fn beats_are_rarer_only_beyond_ten_thousand_nodes() {
        assert_eq!(NODES, 10_000);
        assert_eq!(beat_interval(3), BEAT_INTERVAL_MIN);
        assert_eq!(beat_interval(NODES), BEAT_INTERVAL_MIN);
        assert_eq!(beat_interval(NODES + 1), BEAT_INTERVAL_MIN + BEAT_INTERVAL_STEP);
        assert_eq!(beat_interval(NODES + NODES / 10), BEAT_INTERVAL_MIN + BEAT_INTERVAL_STEP);
        assert_eq!(beat_interval(5 * NODES), BEAT_INTERVAL_MIN * 5);
    }

    #[test]
    fn silence_is_judged_by_the_clock_until_beats_are_rarer_and_then_by_beats() {
        let rarer = beat_interval(NODES + 1);
        assert_eq!(suspect_after(BEAT_INTERVAL_MIN), BEAT_INTERVAL_MIN * SUSPECT_AFTER_BEATS);
        assert_eq!(down_after(BEAT_INTERVAL_MIN), DOWN_AFTER);
        assert_eq!(suspect_after(rarer), rarer * SUSPECT_AFTER_BEATS);
        assert_eq!(down_after(rarer), rarer * DOWN_AFTER_BEATS);
    }
}
