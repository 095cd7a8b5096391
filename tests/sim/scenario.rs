//! What happens in a run: warm-up, a plan that overfills a node, a leader killed, a node lost, calm, audit.

use std::sync::Arc;
use std::time::Duration;

use model::testing::job;
use model::{Desired, JobKey};
use server::cluster::Cluster;
use server_core::apply::Answer;
use server_core::command::Command;
use tokio::time::sleep;

use super::cluster::{AGENTS, SimCluster};
use super::{Run, overfill};
use invariants::Violation;

/// How long a run lasts, in virtual time.
const RUN: Duration = Duration::from_secs(130);
/// How long the cluster has to heal before the audit.
const CALM: Duration = Duration::from_secs(60);

/// Plays the run of `seed`.
pub async fn play(seed: u64) -> Run {
    let mut cluster = SimCluster::start(seed).await;
    let jobs = submit_jobs(&cluster).await;
    pause(&cluster, 5, 10).await;

    overfill::play(&cluster).await;

    let leader = cluster.leader().await.server_id();
    cluster.kill_server(leader).await;
    pause(&cluster, 2, 8).await;
    cluster.start_server(leader).await;
    pause(&cluster, 2, 8).await;

    let lost = 1 + cluster.random.below(AGENTS);
    cluster.kill_agent(lost, true);
    pause(&cluster, 12, 20).await;
    cluster.start_agent(lost);

    let left = RUN.saturating_sub(Duration::from_millis(cluster.clock.elapsed_ms() as u64));
    sleep(left.max(CALM)).await;
    audit(&cluster, &jobs).await;
    cluster.trace.say("-- the run is over");
    Run { trace: cluster.trace.lines(), violations: cluster.trace.violations() }
}

/// Registers a handful of jobs whose sizes follow from the seed; together they fit on two nodes of three.
async fn submit_jobs(cluster: &SimCluster) -> Vec<(JobKey, u32)> {
    let mut jobs = Vec::new();
    for number in 0..3 {
        let count = 2 + cluster.random.below(3) as u32;
        let mut document = job(&format!("job{number}")).count(count);
        for group in &mut document.groups {
            if let Some(update) = &mut group.update {
                update.min_healthy_time = Duration::from_secs(1);
            }
            if let Some(reschedule) = &mut group.reschedule {
                reschedule.delay = Duration::from_secs(5);
            }
            group.tasks[0].resources.memory = 100 + 50 * cluster.random.below(4);
            group.tasks[0].resources.cpu = 100 + 50 * cluster.random.below(4);
        }
        let key = document.key();
        let command = Command::RegisterJob { job: Arc::new(document), check_index: None, submission: None };
        let leader = cluster.leader().await;
        match leader.propose("scenario", None, command).await {
            Ok(Answer::Accepted(_)) => jobs.push((key, count)),
            other => cluster.trace.violate(Violation { invariant: "registers", what: format!("{key}: {other:?}") }),
        }
    }
    jobs
}

/// Sleeps between `from` and `to` seconds, as the seed says.
async fn pause(cluster: &SimCluster, from: u64, to: u64) {
    let milliseconds = from * 1000 + cluster.random.below((to - from) * 1000);
    sleep(Duration::from_millis(milliseconds)).await;
}

/// After the calm everything is as it was asked for, on every server, and nothing runs twice.
async fn audit(cluster: &SimCluster, jobs: &[(JobKey, u32)]) {
    let violate = |what: String| cluster.trace.violate(Violation { invariant: "heals", what });
    let mut wanted = 0;
    for server in cluster.running() {
        if server.raft().barrier(Duration::from_secs(5)).await.is_err() {
            violate(format!("server {} can't read", server.server_id()));
            continue;
        }
        let state = server.state();
        for (key, count) in jobs {
            let running = state
                .allocations_of_job(key)
                .filter(|allocation| allocation.desired == Desired::Run)
                .filter(|allocation| allocation.client_status == model::ClientStatus::Running)
                .count();
            if running != *count as usize {
                violate(format!("server {}: {running} of {count} of {key} run", server.server_id()));
            }
        }
        wanted = jobs.iter().map(|(_, count)| *count as usize).sum();
    }
    let hashes: Vec<_> = cluster
        .running()
        .iter()
        .map(|server| (server.state().index(), blake3::hash(&server.state().encode())))
        .collect();
    for pair in hashes.windows(2) {
        if pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1 {
            violate(format!("two servers differ at index {}", pair[0].0));
        }
    }
    let tasks = cluster.tasks_running();
    if tasks != wanted {
        violate(format!("{tasks} tasks run where {wanted} are wanted"));
    }
}
