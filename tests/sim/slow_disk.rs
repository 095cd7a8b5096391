//! A leader whose disk is slow, while agents lose their server and turn to another.
//!
//! To register takes as long as the log does. An agent that reaches the leader meanwhile must be heard all the same: its
//! beats need no log.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::time::Duration;

use invariants::Violation;
use model::{NodeStatus, ServerId};
use server::cluster::Cluster;
use server_core::limits::DOWN_AFTER;
use tokio::time::{Instant, sleep};

use super::Run;
use super::cluster::SimCluster;
use super::net::Process;
use super::settings::Settings;

/// In which all agents have registered.
const WARM_UP: Duration = Duration::from_secs(5);
/// How long a write takes: a silent node would be given up in less than two.
const SLOW: Duration = Duration::from_secs(4);
/// How long the disk is slow.
const LASTS: Duration = Duration::from_secs(20);
/// How often it is looked how nodes are.
const LOOK: Duration = Duration::from_millis(50);

/// Plays the run of `seed`: one follower is cut off, and the leader's disk is slow.
pub async fn play(seed: u64) -> Run {
    let cluster = SimCluster::start(Settings::small(seed), &BTreeSet::new()).await;
    sleep(WARM_UP).await;
    let leader = cluster.leader().await.server_id();
    let cut = cluster.server_ids().into_iter().find(|id| *id != leader).expect("there are three");
    cluster.trace.say(format_args!("-- s{cut} is cut off, and the disk of s{leader} is slow"));
    set_slowness(&cluster, leader, SLOW);
    for other in cluster.processes().into_iter().filter(|other| *other != Process::Server(cut)) {
        cluster.net.change(|weather| {
            weather.close(Process::Server(cut), other);
            weather.close(other, Process::Server(cut));
        });
    }
    let until = Instant::now() + LASTS;
    while Instant::now() < until && !cluster.trace.has_failed() {
        sleep(LOOK).await;
        let newest = cluster.oracle.newest();
        for node in newest.nodes().filter(|node| node.status == NodeStatus::Down) {
            let what = format!("{} is down, though its agent reaches two servers", node.name);
            cluster.trace.violate(Violation { invariant: "a slow disk loses no node", what });
        }
    }
    if cluster.leader_now().is_none_or(|now| now.server_id() != leader) {
        let what = format!("server {leader} does not lead any more: so nothing is shown");
        cluster.trace.violate(Violation { invariant: "a slow disk loses no node", what });
    }
    cluster.trace.say("-- the run is over");
    Run { seed, timeline: cluster.trace.timeline(), violations: cluster.trace.violations(), ..Run::default() }
}

fn set_slowness(cluster: &SimCluster, id: ServerId, slow: Duration) {
    debug_assert!(slow < DOWN_AFTER && slow * 2 > DOWN_AFTER, "one write is not too long, two are");
    cluster.with_server(id, |server| server.slowness.0.store(slow.as_nanos() as u64, Ordering::Relaxed));
}
