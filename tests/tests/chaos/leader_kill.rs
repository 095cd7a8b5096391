//! Bar R11: the leader is killed again and again while 200 writes a second go on. Nothing that was acknowledged is lost,
//! and writes are acknowledged again soon. `LEADER_KILLS` says how often.

use std::time::Duration;

use tests::chaos::cluster::Cluster;
use tests::chaos::failover::kill_leaders;
use tests::{bar, machine};

const SERVERS: usize = 3;
const QUICK_KILLS: u64 = 10;
const WRITES_PER_SECOND: u32 = 200;
/// How long the longest gap may be: the middle one, all but one in a hundred, every one.
const GAPS_MAX: [(&str, u32, Duration); 3] = [
    ("p50", 50, Duration::from_millis(1_500)),
    ("p99", 99, Duration::from_secs(3)),
    ("max", 100, Duration::from_secs(6)),
];

#[test]
fn writes_go_on_when_leaders_are_killed_and_none_is_lost() {
    let _machine = machine::alone();
    let mut cluster = Cluster::start("leaders", SERVERS);
    let failover = kill_leaders(&mut cluster, bar::size("LEADER_KILLS", QUICK_KILLS) as usize, WRITES_PER_SECOND);
    let gaps = GAPS_MAX.map(|(what, percent, gap_max)| (what, failover.gap(percent), gap_max));
    let shown = gaps.map(|(what, gap, _)| format!("{what} {} ms", gap.as_millis())).join(", ");
    let [first_p50, first_max] = [50, 100].map(|percent| failover.first_write(percent).as_millis());
    bar::report(
        "R11",
        &format!(
            "{} leaders of {SERVERS} servers killed under {WRITES_PER_SECOND} writes/s: 0 of {} acknowledged writes lost; \
             longest time without writes {shown}; first write that was sent after the kill p50 {first_p50} ms, max {first_max} ms",
            failover.gaps.len(),
            failover.acknowledged,
        ),
    );
    for (what, gap, gap_max) in gaps {
        assert!(gap <= gap_max, "{what} of the time without writes is {gap:?}, at most {gap_max:?}");
    }
}
