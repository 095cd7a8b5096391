//! What happens in a run: warm-up, faults and deeds by the script, calm, audit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::NodeStatus;
use seams::Random;
use server::cluster::{Cluster, Consistency};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::cluster::SimCluster;
use super::script::{Event, What, script};
use super::seed::SeededRandom;
use super::settings::Settings;
use super::{Run, calm, watch};

/// How often somebody reads.
const READ_EACH_MS: (u64, u64) = (300, 1_500);
/// A run lasts at least so long.
pub const RUN_MIN: Duration = Duration::from_secs(120);
/// How often it is looked whether something is wrong already.
const LOOK: Duration = Duration::from_millis(500);

/// Plays the run of `settings`, without the events and agents of those numbers.
pub async fn play(settings: Settings, without: &BTreeSet<u32>) -> Run {
    let began = Instant::now();
    let events = script(&settings);
    let ends = began + settings.warm_up + settings.trouble;
    let cluster = SimCluster::start(settings, without).await;
    let mut background = JoinSet::new();
    background.spawn(read(cluster.clone()));
    background.spawn(watch::run(cluster.clone()));
    let mut faults = JoinSet::new();
    for event in events.into_iter().filter(|event| !without.contains(&event.number)) {
        until(&cluster, began + event.at).await;
        if cluster.trace.has_failed() {
            break;
        }
        let cluster = cluster.clone();
        match event.what {
            What::Fault(_) => drop(faults.spawn(happen(cluster, event))),
            What::Deed(_) => drop(background.spawn(happen(cluster, event))),
        }
    }
    until(&cluster, ends).await;
    faults.shutdown().await;
    let mut healed_after = None;
    if !cluster.trace.has_failed() {
        healed_after = calm::play(&cluster, began + RUN_MIN).await;
    }
    background.shutdown().await;
    cluster.trace.say("-- the run is over");
    Run {
        seed: cluster.settings.seed,
        timeline: cluster.trace.timeline(),
        hash: cluster.trace.hash(),
        violations: cluster.trace.violations(),
        coverage: cluster.oracle.coverage(),
        faults: cluster.oracle.faults(),
        lasted: began.elapsed(),
        healed_after,
    }
}

/// Waits for a moment, unless something is wrong before.
async fn until(cluster: &SimCluster, moment: Instant) {
    while Instant::now() < moment && !cluster.trace.has_failed() {
        sleep_until(moment.min(Instant::now() + LOOK)).await;
    }
}

async fn happen(cluster: Arc<SimCluster>, event: Event) {
    let random = event.random(cluster.settings.seed);
    cluster.trace.say(format_args!("-- [{}] {:?}", event.number, event.what));
    match event.what {
        What::Fault(fault) => fault.play(&cluster, &random).await,
        What::Deed(deed) => deed.play(&cluster, event.number, &random).await,
    }
}

/// Somebody who reads all the time, from any server: what was acknowledged before must be there.
async fn read(cluster: Arc<SimCluster>) {
    const PATIENCE: Duration = Duration::from_secs(6);
    let random = SeededRandom::new(cluster.random.next_u64());
    loop {
        sleep(random.milliseconds(READ_EACH_MS.0, READ_EACH_MS.1)).await;
        let Some((server, gone)) = random.pick(&cluster.reachable()) else { continue };
        let acknowledged = cluster.oracle.acknowledged_index();
        let view = tokio::select! {
            biased;
            () = gone.cancelled() => continue,
            view = timeout(PATIENCE, server.view(Consistency::Linearizable)) => view,
        };
        let Ok(Ok(view)) = view else { continue };
        let (id, read) = (server.server_id(), view.state.index());
        if read < acknowledged {
            let what = format!("server {id} read {read} when entry {acknowledged} had been acknowledged");
            cluster.oracle.violate("a read holds what was acknowledged", what);
        }
        let ready = view.state.nodes().filter(|node| node.status == NodeStatus::Ready).count();
        cluster.trace.whisper(format_args!("s{id} read {read} with {ready} ready nodes"));
    }
}
