//! What people do while things go wrong: they register, scale and stop jobs, drain and close nodes, promote, revert.
//!
//! Each deed is one request with an id, sent to any server that runs. Where the outcome stays unknown it is sent again
//! under the same id, as a careful client does, and sometimes it is even though the outcome is known.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::{Algorithm, Deployment, DeploymentStatus, Eligibility, Node, NodeStatus};
use seams::Random;
use server::cluster::{Cluster, ClusterError};
use server_core::apply::Answer;
use server_core::command::{Command, DrainSpec, Preemption, SchedulerConfiguration};
use server_core::rebalance::{Ask, Goal, propose};
use server_core::state::State;
use tokio::time::sleep;

use super::cluster::SimCluster;
use super::coverage::Sometimes;
use super::jobs;
use super::seed::SeededRandom;

/// Jobs that deeds are about.
const JOBS: u64 = 8;
/// How often a request is sent whose outcome stays unknown.
const ATTEMPTS_MAX: u32 = 4;
/// Requests that are sent again though the outcome is known, in percent.
const SENT_TWICE_PERCENT: u64 = 15;

/// Something that somebody does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// Registers a job, or changes it.
    Register {
        /// Its number.
        job: u64,
    },
    /// Gives a job another count.
    Scale {
        /// Its number.
        job: u64,
    },
    /// Stops a job, and perhaps has it forgotten.
    Stop {
        /// Its number.
        job: u64,
    },
    /// Goes back to an older version of a job.
    Revert {
        /// Its number.
        job: u64,
    },
    /// Has a job evaluated anew.
    Evaluate {
        /// Its number.
        job: u64,
    },
    /// Stops an instance.
    StopInstance,
    /// Promotes what waits for it.
    Promote,
    /// Ends a rollout.
    FailRollout,
    /// Pauses a rollout for a while.
    PauseRollout,
    /// Drains a node, and opens it again later.
    Drain,
    /// Closes a node for new work, and opens it again later.
    CloseNode,
    /// Forgets a node that was given up.
    PurgeNode,
    /// Changes how the scheduler chooses.
    Configure,
    /// Has instances moved.
    Rebalance,
    /// Hands leadership over.
    HandOver,
}

impl Deed {
    /// Any deed.
    pub fn draw(random: &SeededRandom) -> Self {
        let job = random.below(JOBS);
        match random.below(100) {
            0..30 => Deed::Register { job },
            30..38 => Deed::Scale { job },
            38..45 => Deed::Stop { job },
            45..50 => Deed::Revert { job },
            50..54 => Deed::Evaluate { job },
            54..60 => Deed::StopInstance,
            60..68 => Deed::Promote,
            68..71 => Deed::FailRollout,
            71..75 => Deed::PauseRollout,
            75..84 => Deed::Drain,
            84..88 => Deed::CloseNode,
            88..91 => Deed::PurgeNode,
            91..93 => Deed::Configure,
            93..97 => Deed::Rebalance,
            _ => Deed::HandOver,
        }
    }

    /// Does it. `number` is that of the event.
    pub async fn play(self, cluster: &SimCluster, number: u32, random: &SeededRandom) {
        let seed = cluster.settings.seed;
        match self {
            Deed::Register { job } => {
                let document = jobs::document(seed, job, u64::from(number));
                let register = Command::RegisterJob { job: Arc::new(document), check_index: None, submission: None };
                ask(cluster, number, random, register).await;
            }
            Deed::Scale { job } => {
                let newest = cluster.oracle.newest();
                let Some(record) = newest.job(&jobs::key(job)).filter(|record| !record.stop) else { return };
                let mut document = (*record.current().job).clone();
                document.groups[0].count = random.between(0, 6) as u32;
                let check_index = random.chance(30).then_some(record.job_modify_index);
                let register = Command::RegisterJob { job: Arc::new(document), check_index, submission: None };
                ask(cluster, number, random, register).await;
            }
            Deed::Stop { job } => {
                let stop = Command::DeregisterJob { job: jobs::key(job), purge: random.chance(40) };
                ask(cluster, number, random, stop).await;
            }
            Deed::Revert { job } => {
                let newest = cluster.oracle.newest();
                let Some(record) = newest.job(&jobs::key(job)) else { return };
                let version = record.current().version.saturating_sub(random.between(1, 2));
                let revert = Command::RevertJob { job: jobs::key(job), version, check_version: None };
                ask(cluster, number, random, revert).await;
            }
            Deed::Evaluate { job } => {
                let evaluate = Command::EvaluateJob { job: jobs::key(job), force_reschedule: random.chance(50) };
                ask(cluster, number, random, evaluate).await;
            }
            Deed::StopInstance => {
                let newest = cluster.oracle.newest();
                let live: Vec<_> = newest.allocations().filter(|known| known.is_live()).map(|known| known.id).collect();
                let Some(allocation) = random.pick(&live) else { return };
                ask(cluster, number, random, Command::StopAllocation { allocation }).await;
            }
            Deed::Promote => {
                let Some(rollout) = rollout(&cluster.oracle.newest(), random, Deployment::requires_promotion) else {
                    return;
                };
                let promote = Command::PromoteDeployment { deployment: rollout, groups: None, term: None };
                ask(cluster, number, random, promote).await;
            }
            Deed::FailRollout => {
                let Some(deployment) = rollout(&cluster.oracle.newest(), random, |_| true) else { return };
                let (status, description) = (DeploymentStatus::Failed, "ended by a person".to_string());
                let end = Command::EndDeployment { deployment, status, description, revert_to: None, term: None };
                ask(cluster, number, random, end).await;
            }
            Deed::PauseRollout => {
                let Some(deployment) = rollout(&cluster.oracle.newest(), random, |_| true) else { return };
                ask(cluster, number, random, Command::PauseDeployment { deployment, pause: true }).await;
                sleep(random.milliseconds(1_000, 10_000)).await;
                ask(cluster, number, random, Command::PauseDeployment { deployment, pause: false }).await;
            }
            Deed::Drain => drain(cluster, number, random).await,
            Deed::CloseNode => close(cluster, number, random).await,
            Deed::PurgeNode => {
                let newest = cluster.oracle.newest();
                let down = newest.nodes().filter(|node| node.status == NodeStatus::Down).map(|node| node.id);
                let Some(node) = random.pick(&down.collect::<Vec<_>>()) else { return };
                ask(cluster, number, random, Command::PurgeNode { node }).await;
            }
            Deed::Configure => {
                let yes = || random.chance(60);
                let preemption = Preemption { service: yes(), batch: yes(), system: yes(), sysbatch: yes() };
                let algorithm = random.pick(&[Algorithm::Binpack, Algorithm::Spread]).expect("there are two");
                let configuration =
                    SchedulerConfiguration { algorithm, preemption, ..SchedulerConfiguration::default() };
                let set = Command::SetSchedulerConfiguration { configuration, check_index: None };
                ask(cluster, number, random, set).await;
            }
            Deed::Rebalance => {
                let newest = cluster.oracle.newest();
                let goal = match (random.below(3), any_node(&newest, random)) {
                    (0, Some(node)) => Goal::Empty(node.id),
                    (1, _) => Goal::Pack,
                    _ => Goal::Spread,
                };
                let mut ask_for = Ask::of(goal);
                ask_for.scope.singletons = random.chance(50);
                let moves = propose(&newest, &ask_for, newest.time()).moves;
                if !moves.is_empty() {
                    let begin = Command::BeginRebalance { ask: ask_for, moves, check_index: None };
                    ask(cluster, number, random, begin).await;
                }
            }
            Deed::HandOver => {
                let Some(leader) = cluster.leader_now() else { return };
                let others: Vec<_> = cluster.server_ids().into_iter().filter(|id| *id != leader.server_id()).collect();
                if let Some(to) = random.pick(&others) {
                    cluster.trace.say(format_args!("-- s{} hands over to s{to}", leader.server_id()));
                    drop(leader.raft().transfer_leadership(to, Duration::from_secs(2)).await);
                }
            }
        }
    }
}

fn rollout(
    state: &State,
    random: &SeededRandom,
    is_meant: impl Fn(&Deployment) -> bool,
) -> Option<model::DeploymentId> {
    let active = state.deployments().filter(|known| known.status.is_active() && is_meant(known));
    random.pick(&active.map(|known| known.id).collect::<Vec<_>>())
}

fn any_node(state: &State, random: &SeededRandom) -> Option<Arc<Node>> {
    random.pick(&state.nodes().cloned().collect::<Vec<_>>())
}

async fn drain(cluster: &SimCluster, number: u32, random: &SeededRandom) {
    let Some(node) = any_node(&cluster.oracle.newest(), random) else { return };
    let deadline = match random.below(4) {
        0 => None,
        1 => Some(Duration::ZERO),
        _ => Some(random.milliseconds(3_000, 20_000)),
    };
    let spec = DrainSpec { deadline, ignore_system_jobs: random.chance(30) };
    let begin =
        |drain, mark_eligible| Command::DrainNode { node: node.id, drain, mark_eligible, meta: BTreeMap::new() };
    ask(cluster, number, random, begin(Some(spec), false)).await;
    sleep(random.milliseconds(5_000, 30_000)).await;
    ask(cluster, number, random, begin(None, true)).await;
    let eligibility = Eligibility::Eligible;
    ask(cluster, number, random, Command::SetNodeEligibility { node: node.id, eligibility }).await;
}

async fn close(cluster: &SimCluster, number: u32, random: &SeededRandom) {
    let Some(node) = any_node(&cluster.oracle.newest(), random) else { return };
    let set = |eligibility| Command::SetNodeEligibility { node: node.id, eligibility };
    ask(cluster, number, random, set(Eligibility::Ineligible)).await;
    sleep(random.milliseconds(3_000, 20_000)).await;
    ask(cluster, number, random, set(Eligibility::Eligible)).await;
}

/// Sends a request until its outcome is known, or patience ends. The answer, if there was one.
pub async fn ask(cluster: &SimCluster, number: u32, random: &SeededRandom, command: Command) -> Option<Answer> {
    let request = random.next_id();
    let what = command.name();
    let mut answered = None;
    for _ in 0..ATTEMPTS_MAX {
        let Some((server, gone)) = random.pick(&cluster.reachable()) else {
            sleep(Duration::from_secs(1)).await;
            continue;
        };
        let asked = tokio::select! {
            biased;
            () = gone.cancelled() => Err(ClusterError::Unknown),
            asked = server.propose("client", Some(request), command.clone()) => asked,
        };
        match asked {
            Ok(answer) => {
                if let Answer::Accepted(accepted) = &answer {
                    cluster.oracle.acknowledge(request, accepted.index, what);
                }
                if answered.as_ref().is_some_and(|before| *before != answer) {
                    let what = format!("[{number}] {what} was answered {answered:?} and then {answer:?}");
                    cluster.oracle.violate("a request is applied once", what);
                }
                answered = Some(answer);
                if !random.chance(SENT_TWICE_PERCENT) {
                    break;
                }
            }
            Err(ClusterError::Unknown) => cluster.oracle.note(Sometimes::OutcomeWasUnknown),
            Err(_) => sleep(Duration::from_millis(500)).await,
        }
    }
    let outcome = match &answered {
        Some(Answer::Accepted(accepted)) => format!("accepted as {}", accepted.index),
        Some(Answer::Rejected(rejection)) => format!("rejected: {rejection}"),
        None => "without a known outcome".into(),
    };
    cluster.trace.say(format_args!("-- [{number}] {what} {outcome}"));
    answered
}
