//! Processes that end or do not get to run.

use std::sync::Arc;
use std::time::Duration;

use model::ServerId;
use server::cluster::Cluster;
use tokio::time::sleep;

use super::Fault;
use crate::sim::cluster::{AgentEnd, SimCluster};
use crate::sim::coverage::Sometimes;
use crate::sim::net::Process;
use crate::sim::seed::SeededRandom;

/// In which an agent without its records finds the containers of before.
const ADOPTS_WITHIN: Duration = Duration::from_secs(5);

pub(super) async fn play(fault: Fault, cluster: &Arc<SimCluster>, random: &SeededRandom) {
    let servers = cluster.server_ids();
    let away = random.milliseconds(300, 12_000);
    let leader = || cluster.leader_now().map(|leader| leader.server_id()).or_else(|| random.pick(&servers));
    let follower = || {
        let leader = cluster.leader_now().map(|leader| leader.server_id());
        random.pick(&servers.iter().copied().filter(|id| Some(*id) != leader).collect::<Vec<_>>())
    };
    match fault {
        Fault::KillLeader => kill(cluster, leader().as_slice(), away).await,
        Fault::KillFollower => kill(cluster, follower().as_slice(), away).await,
        Fault::KillMajority => {
            let mut victims = servers.clone();
            while victims.len() > servers.len() / 2 + 1 {
                victims.remove(random.below(victims.len() as u64) as usize);
            }
            kill(cluster, &victims, away).await;
        }
        Fault::KillAllServers => {
            for id in &servers {
                cluster.tear_server(*id, random);
            }
            sleep(away).await;
            for id in servers {
                sleep(random.milliseconds(0, 500)).await;
                cluster.start_server(id).await;
            }
        }
        Fault::KillLeaderAndNode => {
            let agent = random.pick(&cluster.agent_numbers());
            if let Some(agent) = agent {
                cluster.end_agent(agent, AgentEnd::WithItsNode);
            }
            kill(cluster, leader().as_slice(), away).await;
            if let Some(agent) = agent {
                sleep(random.milliseconds(0, 15_000)).await;
                cluster.start_agent(agent);
            }
        }
        Fault::StopServer => {
            let Some(id) = random.pick(&servers) else { return };
            cluster.stop_server(id).await;
            sleep(away).await;
            cluster.start_server(id).await;
        }
        Fault::LongOutage => kill(cluster, follower().as_slice(), random.milliseconds(20_000, 40_000)).await,
        Fault::PauseServer => {
            let Some(id) = leader().filter(|_| random.chance(60)).or_else(|| random.pick(&servers)) else { return };
            pause(cluster, Process::Server(id), random.milliseconds(300, 20_000)).await;
        }
        Fault::PauseAgent => {
            let Some(number) = random.pick(&cluster.agent_numbers()) else { return };
            pause(cluster, Process::Agent(number), random.milliseconds(300, 20_000)).await;
        }
        Fault::KillAgent | Fault::LoseNode | Fault::RestartAgent | Fault::DamageStore => {
            let Some(number) = random.pick(&cluster.agent_numbers()) else { return };
            end_agent(fault, cluster, random, number).await;
        }
        _ => {}
    }
}

async fn kill(cluster: &Arc<SimCluster>, victims: &[ServerId], away: Duration) {
    victims.iter().for_each(|id| cluster.kill_server(*id));
    sleep(away).await;
    for id in victims {
        cluster.start_server(*id).await;
    }
}

async fn pause(cluster: &SimCluster, process: Process, lasts: Duration) {
    cluster.trace.say(format_args!("-- {process} does not get to run for {lasts:?}"));
    cluster.net.change(|weather| weather.hold(process));
    sleep(lasts).await;
    cluster.net.change(|weather| weather.release(process));
    cluster.trace.say(format_args!("-- {process} runs again"));
}

async fn end_agent(fault: Fault, cluster: &SimCluster, random: &SeededRandom, number: u64) {
    let (end, away) = match fault {
        Fault::LoseNode => (AgentEnd::WithItsNode, random.milliseconds(1_000, 25_000)),
        Fault::RestartAgent => (AgentEnd::Asked, random.milliseconds(500, 12_000)),
        _ => (AgentEnd::Killed, random.milliseconds(200, 15_000)),
    };
    cluster.end_agent(number, end);
    sleep(away).await;
    if fault != Fault::DamageStore || cluster.agent_runs(number) {
        cluster.start_agent(number);
        return;
    }
    cluster.damage_store(number, random).await;
    cluster.trace.say(format_args!("-- n{number} lost what it kept"));
    let before = cluster.containers().remove(&number).unwrap_or_default();
    cluster.start_agent(number);
    sleep(ADOPTS_WITHIN).await;
    let now = cluster.containers().remove(&number).unwrap_or_default();
    if before.iter().any(|container| now.contains(container)) {
        cluster.oracle.note(Sometimes::ContainerWasAdopted);
    }
}
