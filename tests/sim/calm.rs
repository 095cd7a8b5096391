//! The calm after the faults: everything is put right, and the cluster must heal within its time.

mod audit;
mod reasons;

use std::sync::Arc;
use std::time::Duration;

use model::{Eligibility, JobKey, NodeStatus};
use server::cluster::Cluster;
use server_core::command::Command;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::cluster::{AgentEnd, SimCluster};
use super::deeds::ask;
use super::jobs;
use super::net::{Weather, node_id};
use super::seed::SeededRandom;

/// How long the cluster has to heal.
pub const HEALS_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether it has.
const LOOK: Duration = Duration::from_secs(1);
/// How often it is looked at the end: what fails by itself is in between for a moment, now and then.
const LAST_LOOKS: u32 = 10;
/// A node that is lost for good was heard so short a time ago: it has not just said that it would be back.
const HEARD_WITHIN: Duration = Duration::from_millis(500);
/// Runs that lose a node for good at the beginning of the calm, in percent.
const LOST_FOR_GOOD_PERCENT: u64 = 30;
/// In which a silent node must be found down: six seconds, and the time between two looks, and that of a leader's first.
const DOWN_WITHIN: Duration = Duration::from_secs(9);
/// The number under which what is done here is told.
const NUMBER: u32 = 100;

/// Puts everything right, waits until all is well, and looks at the end whether all of it is true. How long it took to
/// heal, if it did.
pub async fn play(cluster: &Arc<SimCluster>, not_before: Instant) -> Option<Duration> {
    let random = SeededRandom::part(cluster.settings.seed, 3);
    cluster.trace.say("-- calm");
    put_right(cluster).await;
    cluster.calm_down();
    let began = Instant::now();
    let opened = timeout(HEALS_WITHIN, open_nodes(cluster)).await;
    if opened.is_err() {
        cluster.oracle.violate("heals", "nodes can't be opened");
    }
    let lost = lose_for_good(cluster, &random);
    let fresh = serve_fresh_writes(cluster, &random).await;
    let healed_after = heal(cluster, began, lost).await;
    sleep_until(not_before).await;
    cluster.oracle.check_acknowledged();
    if !cluster.trace.has_failed() {
        let mut lacking = audit::lacking(cluster, lost).await;
        for _ in 1..LAST_LOOKS {
            if !lacking.is_empty() {
                sleep(LOOK / 2).await;
                lacking = audit::lacking(cluster, lost).await;
            }
        }
        lacking.into_iter().for_each(|what| cluster.oracle.violate("stays healed", what));
    }
    if let Some(fresh) = fresh
        && cluster.oracle.newest().job(&fresh).is_none()
    {
        cluster.oracle.violate("serves fresh writes", format!("{fresh} is not there"));
    }
    healed_after
}

/// Ends every fault, and starts everything that does not run.
async fn put_right(cluster: &Arc<SimCluster>) {
    cluster.net.change(|weather| *weather = Weather::default());
    for id in cluster.server_ids() {
        cluster.with_server(id, |server| {
            server.disk.heal();
            server.slowness.0.store(0, std::sync::atomic::Ordering::Relaxed);
            server.clock.correct();
        });
        cluster.start_server(id).await;
    }
    for number in cluster.agent_numbers() {
        if let Some((fake, trouble)) = cluster.runtime(number) {
            fake.set_away(false);
            trouble.end();
        }
        if let Some(clock) = cluster.clock_of(super::net::Process::Agent(number)) {
            clock.correct();
        }
        cluster.start_agent(number);
    }
}

/// Takes back what somebody had begun and left so: drains, closed nodes, paused rollouts.
async fn open_nodes(cluster: &SimCluster) {
    let random = SeededRandom::part(cluster.settings.seed, 4);
    for node in cluster.oracle.newest().nodes() {
        let end = Command::DrainNode { node: node.id, drain: None, mark_eligible: true, meta: Default::default() };
        ask(cluster, NUMBER, &random, end).await;
        let eligibility = Eligibility::Eligible;
        ask(cluster, NUMBER, &random, Command::SetNodeEligibility { node: node.id, eligibility }).await;
    }
    for known in cluster.oracle.newest().deployments().filter(|known| known.status.is_active()) {
        if known.status == model::DeploymentStatus::Paused {
            ask(cluster, NUMBER, &random, Command::PauseDeployment { deployment: known.id, pause: false }).await;
        }
    }
}

/// In some runs one node does not come back, which must be found out in time.
fn lose_for_good(cluster: &Arc<SimCluster>, random: &SeededRandom) -> Option<u64> {
    let is_heard = |number: &u64| cluster.oracle.heard_at(*number).is_some_and(|at| at.elapsed() < HEARD_WITHIN);
    let agents: Vec<u64> = cluster.agent_numbers().into_iter().filter(is_heard).collect();
    let number = random.pick(&agents).filter(|_| random.chance(LOST_FOR_GOOD_PERCENT))?;
    // Where more are silent, they may be given up one at a time.
    let all_are_ready = cluster.oracle.newest().nodes().all(|node| node.status == NodeStatus::Ready);
    cluster.end_agent(number, AgentEnd::WithItsNode);
    let cluster = cluster.clone();
    tokio::spawn(async move {
        let leader = cluster.leader().await.server_id();
        let since = Instant::now();
        sleep_until(since + DOWN_WITHIN).await;
        let same = cluster.leader_now().is_some_and(|server| server.server_id() == leader);
        let newest = cluster.oracle.newest();
        let status = newest.node(node_id(number)).map(|node| node.status);
        if all_are_ready && same && status.is_some_and(|status| status != NodeStatus::Down) {
            let what = format!("n{number} has been gone for {DOWN_WITHIN:?} and is {status:?}");
            cluster.oracle.violate("a silent node is found down", what);
        }
    });
    Some(number)
}

/// Every server takes a write.
async fn serve_fresh_writes(cluster: &Arc<SimCluster>, random: &SeededRandom) -> Option<JobKey> {
    const PATIENCE: Duration = Duration::from_secs(15);
    let number = random.between(20, 30);
    let mut document = model::testing::job(&format!("job{number}"));
    document.groups[0].tasks[0].resources.memory = 20;
    let registers = Command::RegisterJob { job: Arc::new(document), check_index: None, submission: None };
    let deadline = Instant::now() + PATIENCE;
    for server in cluster.running() {
        while server.propose("client", None, registers.clone()).await.is_err() {
            if Instant::now() > deadline {
                cluster.oracle.violate("serves fresh writes", format!("server {} takes none", server.server_id()));
                return None;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
    Some(jobs::key(number))
}

/// Waits until nothing is lacking any more; what is lacking at the end of the time is a violation.
async fn heal(cluster: &Arc<SimCluster>, began: Instant, lost: Option<u64>) -> Option<Duration> {
    loop {
        sleep(LOOK).await;
        if cluster.trace.has_failed() {
            return None;
        }
        let lacking = audit::lacking(cluster, lost).await;
        if lacking.is_empty() {
            return Some(began.elapsed());
        }
        if began.elapsed() >= HEALS_WITHIN {
            lacking.into_iter().for_each(|what| cluster.oracle.violate("heals", what));
            return None;
        }
    }
}
