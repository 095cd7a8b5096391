//! Bar R11: the leader is killed again and again while 200 writes a second go on. Nothing that was acknowledged is lost,
//! and writes are acknowledged again soon. `LEADER_KILLS` says how often.

use std::collections::BTreeSet;
use std::time::Duration;

use tests::chaos::cluster::Cluster;
use tests::chaos::writer::{self, WRITERS, Writer};
use tests::e2e::wait;
use tests::{bar, machine};
use tokio::time::Instant;

const SERVERS: usize = 3;
const QUICK_KILLS: u64 = 10;
const WRITES_PER_SECOND: u32 = 200;
/// Writes that are acknowledged before the next kill.
const WRITES_BETWEEN: usize = 200;
/// How long the longest gap may be: the middle one, all but one in a hundred, every one.
const GAP_P50_MAX: Duration = Duration::from_millis(1_500);
const GAP_P99_MAX: Duration = Duration::from_secs(3);
const GAP_MAX: Duration = Duration::from_secs(6);
/// Beyond this nothing is waited for any more.
const SOON: Duration = Duration::from_secs(30);

/// Ends the writers also where the test fails: their threads are waited for.
struct Ends<'a>(&'a Writer);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[test]
fn writes_go_on_when_leaders_are_killed_and_none_is_lost() {
    let _machine = machine::alone();
    let mut cluster = Cluster::start("leaders", SERVERS);
    let writer = Writer::new(cluster.all_http(), WRITES_PER_SECOND);
    let mut gaps = Vec::new();
    std::thread::scope(|scope| {
        let _ends = Ends(&writer);
        for _ in 0..WRITERS {
            scope.spawn(|| writer.run());
        }
        for kill in 0..bar::size("LEADER_KILLS", QUICK_KILLS) {
            await_writes(&writer, WRITES_BETWEEN);
            let leader = cluster.await_leader();
            let killed = Instant::now();
            cluster.kill(leader);
            let (first, _) = wait::until("an acknowledged write", SOON, || {
                writer.first_sent_after(killed).ok_or_else(|| "none was acknowledged".to_owned())
            });
            let gap = writer.longest_gap(killed, first.at);
            eprintln!("kill {kill}: {leader} killed, the longest time without a write was {gap:?}");
            gaps.push(gap);
            cluster.launch(leader);
            cluster.await_whole();
        }
        await_writes(&writer, WRITES_BETWEEN);
    });
    let acknowledged = writer.numbers();
    for server in cluster.servers() {
        wait::until("every acknowledged write on every server", SOON, || {
            let jobs = cluster.get(server, "/v1/jobs?stale&prefix=write-")?;
            let known: BTreeSet<&str> =
                jobs.as_array().into_iter().flatten().filter_map(|job| job["ID"].as_str()).collect();
            let is_missing = |number: &&usize| !known.contains(writer::name(**number).as_str());
            let missing: Vec<&usize> = acknowledged.iter().filter(is_missing).collect();
            wait::check(missing.is_empty(), || format!("{server} lacks {} writes: {missing:?}", missing.len()))
        });
    }
    gaps.sort();
    let at = |percent: usize| gaps[(gaps.len() * percent).div_ceil(100).max(1) - 1];
    let (p50, p99, max) = (at(50), at(99), at(100));
    bar::report(
        "R11",
        &format!(
            "{} leaders of {SERVERS} servers killed under {WRITES_PER_SECOND} writes/s: 0 of {} acknowledged writes lost; \
             without writes for p50 {} ms, p99 {} ms, max {} ms",
            gaps.len(),
            acknowledged.len(),
            p50.as_millis(),
            p99.as_millis(),
            max.as_millis()
        ),
    );
    for (what, gap, gap_max) in [("p50", p50, GAP_P50_MAX), ("p99", p99, GAP_P99_MAX), ("max", max, GAP_MAX)] {
        assert!(gap <= gap_max, "{what} of the time without writes is {gap:?}, at most {gap_max:?}");
    }
}

fn await_writes(writer: &Writer, count: usize) {
    let wanted = writer.acknowledged() + count;
    wait::until("acknowledged writes", SOON, || {
        let acknowledged = writer.acknowledged();
        wait::check(acknowledged >= wanted, || format!("{acknowledged} of {wanted} writes"))
    });
}
