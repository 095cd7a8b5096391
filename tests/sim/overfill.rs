//! A plan that puts more on a node than it holds, as a planner would make it that looked at an emptier cluster.
//!
//! The servers' own planner never makes one: it looks at a state that holds its plans in flight. `apply` must refuse all
//! the same what no longer fits, and this is where a simulation sees that it does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::testing::job;
use model::{Evaluation, Job, JobKey, Restart};
use serde_json::json;
use server::cluster::Cluster;
use server::server::Server;
use server_core::apply::Answer;
use server_core::command::Command;
use server_core::plan::{DeploymentChange, Outcome, Placement, Plan, Progress};
use tokio::time::{sleep, timeout};

use super::Run;
use super::cluster::SimCluster;
use super::settings::Settings;
use invariants::Violation;

/// Instances of the plan; no node has room for all of them.
const INSTANCES: u32 = 4;
/// MiB of each.
const MEMORY_MB: u64 = 900;
/// How long the job may take to fail and wait for its next placement.
const WAITS_WITHIN: Duration = Duration::from_secs(30);

/// Plays the run of `seed`: proposes the plan, and takes back what it placed.
pub async fn play(seed: u64) -> Run {
    let cluster = SimCluster::start(Settings::small(seed), &BTreeSet::new()).await;
    if let Err(what) = try_play(&cluster).await {
        cluster.trace.violate(Violation { invariant: "refuses what does not fit", what });
    }
    cluster.trace.say("-- the run is over");
    Run { seed, timeline: cluster.trace.timeline(), violations: cluster.trace.violations(), ..Run::default() }
}

async fn try_play(cluster: &SimCluster) -> Result<(), String> {
    let leader = cluster.leader().await;
    let document = failing_job();
    let key = document.key();
    let register = Command::RegisterJob { job: Arc::new(document), check_index: None, submission: None };
    leader.propose("scenario", None, register).await.map_err(|error| format!("{key} is not registered: {error}"))?;
    // The planner leaves an evaluation alone that waits for its time; so nobody is faster than the plan below.
    let waiting = timeout(WAITS_WITHIN, waiting_evaluation(&leader, &key)).await;
    let evaluation = waiting.map_err(|_| format!("{key} does not wait for its next placement"))?;
    cluster.trace.say("-- a plan overfills a node");
    let plan = Command::Plan(Box::new(overfull(&leader, &key, &evaluation)));
    match leader.propose("scenario", None, plan).await {
        Ok(Answer::Accepted(accepted)) if !accepted.rejected.is_empty() => {}
        other => return Err(format!("the plan was answered {other:?}")),
    }
    let end = Command::DeregisterJob { job: key.clone(), purge: false };
    leader.propose("scenario", None, end).await.map_err(|error| format!("{key} is not stopped: {error}"))?;
    Ok(())
}

/// A job whose instance fails at once and is not placed anew for a long time.
fn failing_job() -> Job {
    let mut document = job("overfull");
    let group = &mut document.groups[0];
    group.restart = Some(Restart { attempts: 0, ..Restart::default() });
    if let Some(reschedule) = &mut group.reschedule {
        reschedule.delay = Duration::from_secs(600);
    }
    let task = &mut group.tasks[0];
    task.resources.memory = MEMORY_MB;
    task.config = [("run_for".to_string(), json!("1s")), ("exit_code".to_string(), json!(1))].into();
    document
}

async fn waiting_evaluation(leader: &Server, key: &JobKey) -> Arc<Evaluation> {
    loop {
        let state = leader.state();
        let waiting = state.waiting_evaluations().find(|known| known.job == *key).cloned();
        match waiting {
            Some(evaluation) => return evaluation,
            None => sleep(Duration::from_millis(100)).await,
        }
    }
}

fn overfull(leader: &Server, key: &JobKey, evaluation: &Evaluation) -> Plan {
    let state = leader.state();
    let record = state.job(key).expect("it was registered");
    let node = state.nodes().next().expect("agents have registered");
    let placement = Placement {
        group: record.current().job.groups[0].name.clone(),
        job_version: record.current().version,
        node: node.id,
        node_generation: node.generation,
        count: INSTANCES,
        tails: Vec::new(),
    };
    Plan {
        evaluation: evaluation.id,
        attempt: evaluation.attempts,
        term: state.term(),
        snapshot_index: state.index(),
        job: key.clone(),
        job_version: record.current().version,
        job_modify_index: record.job_modify_index,
        job_plans: Some(record.plans),
        names_evaluations: true,
        supersedes: Vec::new(),
        stops: Vec::new(),
        updates_in_place: Vec::new(),
        placements: vec![placement],
        deployment: DeploymentChange::None,
        outcome: Outcome {
            progress: Progress::Complete,
            unplaced: Default::default(),
            queued: Default::default(),
            follow_ups: Vec::new(),
        },
    }
}
