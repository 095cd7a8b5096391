//! Leaders that are killed while writes go on at a steady rate: how long the cluster takes no write, and whether it still
//! knows all that it acknowledged. Called by the test of bar R11 and by `make bench`.

use std::collections::BTreeSet;
use std::time::Duration;

use core_bench::numbers::percentile;
use tokio::time::Instant;

use super::cluster::Cluster;
use super::writer::{self, WRITERS, Writer};
use crate::e2e::wait;

/// Writes that are acknowledged before the next leader dies.
const WRITES_BETWEEN: usize = 200;
/// Beyond this nothing is waited for any more.
const SOON: Duration = Duration::from_secs(30);

/// What the death of leaders cost.
#[derive(Clone, Debug)]
pub struct Failover {
    /// Servers.
    pub servers: usize,
    /// Writes that were due each second.
    pub per_second: u32,
    /// From each death until the first write that was sent after it was acknowledged; ascending.
    pub first_writes: Vec<Duration>,
    /// The longest time without an acknowledgement around each death; ascending.
    pub gaps: Vec<Duration>,
    /// Writes that were acknowledged.
    pub acknowledged: usize,
}

impl Failover {
    /// The longest gap of so many percent of the deaths.
    pub fn gap(&self, percent: u32) -> Duration {
        percentile(&self.gaps, percent)
    }

    /// The time to the first write after so many percent of the deaths.
    pub fn first_write(&self, percent: u32) -> Duration {
        percentile(&self.first_writes, percent)
    }
}

/// Ends the writers also where something fails: their threads are waited for.
struct Ends<'a>(&'a Writer);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// Kills the leader so often, each time once the cluster is whole again. Panics if a write is lost.
#[track_caller]
pub fn kill_leaders(cluster: &mut Cluster, kills: usize, per_second: u32) -> Failover {
    let writer = Writer::new(cluster.all_http(), per_second);
    let (mut first_writes, mut gaps) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let _ends = Ends(&writer);
        for _ in 0..WRITERS {
            scope.spawn(|| writer.run());
        }
        for kill in 0..kills {
            await_writes(&writer, WRITES_BETWEEN);
            let leader = cluster.await_leader();
            let killed = Instant::now();
            cluster.kill(leader);
            let (first, _) = wait::until("an acknowledged write", SOON, || {
                writer.first_sent_after(killed).ok_or_else(|| "none was acknowledged".to_owned())
            });
            let gap = writer.longest_gap(killed, first.at);
            eprintln!("kill {kill}: {leader} killed, first write after {:?}, {gap:?} without any", first.at - killed);
            first_writes.push(first.at - killed);
            gaps.push(gap);
            cluster.launch(leader);
            cluster.await_whole();
        }
        await_writes(&writer, WRITES_BETWEEN);
    });
    let acknowledged = writer.numbers();
    for server in cluster.servers() {
        must_know(cluster, server, &acknowledged);
    }
    first_writes.sort();
    gaps.sort();
    Failover { servers: cluster.servers().len(), per_second, first_writes, gaps, acknowledged: acknowledged.len() }
}

/// Waits until a server, asked for what it has itself, knows all these writes.
#[track_caller]
fn must_know(cluster: &Cluster, server: &str, acknowledged: &[usize]) {
    wait::until("every acknowledged write on every server", SOON, || {
        let jobs = cluster.get(server, "/v1/jobs?stale&prefix=write-")?;
        let known: BTreeSet<&str> =
            jobs.as_array().into_iter().flatten().filter_map(|job| job["ID"].as_str()).collect();
        let is_missing = |number: &&usize| !known.contains(writer::name(**number).as_str());
        let missing: Vec<&usize> = acknowledged.iter().filter(is_missing).collect();
        wait::check(missing.is_empty(), || format!("{server} lacks {} writes: {missing:?}", missing.len()))
    });
}

fn await_writes(writer: &Writer, count: usize) {
    let wanted = writer.acknowledged() + count;
    wait::until("acknowledged writes", SOON, || {
        let acknowledged = writer.acknowledged();
        wait::check(acknowledged >= wanted, || format!("{acknowledged} of {wanted} writes"))
    });
}
