//! A rebalance whose leader dies in the middle: the next one goes on with it to its end, and whatever moves goes where it
//! was promised. What a node misses that falls silent meanwhile is skipped.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use invariants::Violation;
use model::testing::job;
use model::{Eligibility, JobKey};
use server::cluster::Cluster;
use server_core::apply::Answer;
use server_core::command::Command;
use server_core::rebalance::{Ask, Goal, Move, Stage, Status, propose};
use server_core::state::State;
use tokio::time::{sleep, timeout};

use super::Run;
use super::cluster::SimCluster;
use super::settings::Settings;

/// Agents of the cluster.
const AGENTS: usize = 3;
/// Instances of the job.
const INSTANCES: usize = 6;
/// How long anything may take that is waited for, in virtual time: beyond the patience of a rebalance.
const WITHIN: Duration = Duration::from_secs(400);
/// How long the leader that was killed is away.
const AWAY: Duration = Duration::from_secs(2);

/// Plays the run of `seed`.
pub async fn play(seed: u64) -> Run {
    let cluster = SimCluster::start(Settings::small(seed), &BTreeSet::new()).await;
    if let Err(what) = try_play(&cluster).await {
        cluster.trace.violate(Violation { invariant: "rebalances", what });
    }
    cluster.trace.say("-- the run is over");
    Run { seed, timeline: cluster.trace.timeline(), violations: cluster.trace.violations(), ..Run::default() }
}

async fn try_play(cluster: &Arc<SimCluster>) -> Result<(), String> {
    let key = crowd(cluster).await?;
    let leader = cluster.leader().await;
    let (state, ask) = (leader.state(), Ask::of(Goal::Spread));
    let moves = propose(&state, &ask, state.time()).moves;
    if moves.len() < 2 {
        return Err(format!("only {moves:?} are proposed"));
    }
    cluster.trace.say("-- a rebalance begins");
    order(cluster, Command::BeginRebalance { ask, moves, check_index: None }).await?;
    let moves_one = |state: &State| state.rebalance().is_some_and(|known| known.moving().next().is_some());
    until(cluster, "one moves", moves_one).await?;
    let leader = cluster.leader().await.server_id();
    cluster.kill_server(leader);
    sleep(AWAY).await;
    cluster.start_server(leader).await;
    let is_over = |state: &State| state.rebalance().is_some_and(|known| known.status.is_over());
    until(cluster, "the rebalance is over", is_over).await?;
    let well = key.clone();
    let all_are_well =
        move |state: &State| state.allocations_of_job(&well).filter(|known| known.is_well()).count() == INSTANCES;
    until(cluster, "all instances are well again", all_are_well).await?;
    let state = cluster.leader().await.state();
    let rebalance = state.rebalance().ok_or("it is gone")?;
    let kept = |known: &&Move| {
        let next = state.allocation(known.allocation).and_then(|original| state.allocation(original.ties().next?));
        next.is_some_and(|next| next.node == known.to)
    };
    let (done, others): (Vec<_>, Vec<_>) = rebalance.moves.iter().partition(|known| known.stage == Stage::Done);
    let is_fine = rebalance.status == Status::Complete
        && !done.is_empty()
        && done.iter().all(kept)
        && others.iter().all(|known| known.stage == Stage::Skipped && !known.detail.is_empty());
    if is_fine { Ok(()) } else { Err(format!("{rebalance:?}")) }
}

/// Has all instances of a job run on one node, and opens the others afterwards.
async fn crowd(cluster: &SimCluster) -> Result<JobKey, String> {
    until(cluster, "all nodes are there", |state| state.node_count() == AGENTS).await?;
    let nodes: Vec<_> = cluster.leader().await.state().nodes().skip(1).map(|node| node.id).collect();
    for node in &nodes {
        let eligibility = Eligibility::Ineligible;
        order(cluster, Command::SetNodeEligibility { node: *node, eligibility }).await?;
    }
    let mut document = job("crowd").count(INSTANCES as u32);
    let group = &mut document.groups[0];
    group.update = None;
    group.migrate.get_or_insert_default().min_healthy_time = Duration::from_secs(1);
    group.tasks[0].resources.cpu = 50;
    group.tasks[0].resources.memory = 50;
    let key = document.key();
    order(cluster, Command::RegisterJob { job: Arc::new(document), check_index: None, submission: None }).await?;
    let wanted = key.clone();
    let all_are_well = move |state: &State| {
        let of_job = state.allocations_of_job(&wanted);
        of_job.filter(|known| known.is_well()).count() == INSTANCES
            && state.evaluations_of_job(&wanted).all(|known| known.status.is_terminal())
    };
    until(cluster, "all instances are well", all_are_well).await?;
    for node in nodes {
        order(cluster, Command::SetNodeEligibility { node, eligibility: Eligibility::Eligible }).await?;
    }
    Ok(key)
}

async fn order(cluster: &SimCluster, command: Command) -> Result<(), String> {
    let name = command.name();
    match cluster.leader().await.propose("scenario", None, command).await {
        Ok(Answer::Accepted(_)) => Ok(()),
        other => Err(format!("{name} was answered {other:?}")),
    }
}

/// Waits until the leader's state is so.
async fn until(cluster: &SimCluster, what: &str, is_so: impl Fn(&State) -> bool) -> Result<(), String> {
    let look = async {
        while !is_so(&cluster.leader().await.state()) {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(WITHIN, look).await.map_err(|_| format!("it never comes that {what}"))
}
