//! Links that are closed, and weather that is bad.

use std::sync::Arc;
use std::time::Duration;

use server::cluster::Cluster;
use tokio::time::sleep;

use super::Fault;
use crate::sim::cluster::SimCluster;
use crate::sim::coverage::Sometimes;
use crate::sim::net::{Process, Weather};
use crate::sim::seed::SeededRandom;
use server_core::limits::MASS_LOSS_NODES_MIN;

/// A direction between two processes.
type Way = (Process, Process);

pub(super) async fn play(fault: Fault, cluster: &Arc<SimCluster>, random: &SeededRandom) {
    let servers: Vec<Process> = cluster.server_ids().into_iter().map(Process::Server).collect();
    let agents: Vec<Process> = cluster.agent_numbers().into_iter().map(Process::Agent).collect();
    let lasts = random.milliseconds(500, 15_000);
    match fault {
        Fault::CutLeader => {
            let leader = cluster.leader_now().map(|leader| Process::Server(leader.server_id()));
            let Some(leader) = leader.or_else(|| random.pick(&servers)) else { return };
            close(cluster, fault, ways_of(leader, &cluster.processes()), lasts).await;
        }
        Fault::CutFollower => {
            let leader = cluster.leader_now().map(|leader| Process::Server(leader.server_id()));
            let others: Vec<_> = servers.into_iter().filter(|server| Some(*server) != leader).collect();
            let Some(other) = random.pick(&others) else { return };
            close(cluster, fault, ways_of(other, &cluster.processes()), lasts).await;
        }
        Fault::Split => {
            let (one, other): (Vec<_>, Vec<_>) = cluster.processes().into_iter().partition(|_| random.chance(50));
            close(cluster, fault, ways_between(&one, &other), lasts).await;
        }
        Fault::OneWay => {
            let from = random.pick(&servers);
            let others: Vec<_> = servers.iter().copied().filter(|server| Some(*server) != from).collect();
            let (Some(from), Some(to)) = (from, random.pick(&others)) else { return };
            close(cluster, fault, vec![(from, to)], lasts).await;
        }
        Fault::Bridge => {
            let Some((_, rest)) = servers.split_first() else { return };
            let (one, other) = rest.split_at(rest.len() / 2);
            close(cluster, fault, ways_between(one, other), lasts).await;
        }
        Fault::Flap => {
            let from = random.pick(&servers);
            let others: Vec<_> = servers.iter().copied().filter(|server| Some(*server) != from).collect();
            let (Some(from), Some(to)) = (from, random.pick(&others)) else { return };
            for _ in 0..random.between(3, 10) {
                close(cluster, fault, vec![(from, to), (to, from)], random.milliseconds(200, 3_000)).await;
                sleep(random.milliseconds(200, 3_000)).await;
            }
        }
        Fault::CutAgent => {
            let Some(agent) = random.pick(&agents) else { return };
            close(cluster, fault, ways_of(agent, &servers), random.milliseconds(500, 25_000)).await;
        }
        Fault::CutAgentInPart => {
            let Some(agent) = random.pick(&agents) else { return };
            let some: Vec<_> = servers.into_iter().filter(|_| random.chance(60)).collect();
            close(cluster, fault, ways_of(agent, &some), lasts).await;
        }
        Fault::CutMostAgents => {
            let most: Vec<_> = agents.iter().copied().filter(|_| random.chance(75)).collect();
            let ways = most.iter().flat_map(|agent| ways_of(*agent, &servers)).collect();
            let watch = watch_brake(cluster, agents.len(), most.len());
            tokio::join!(close(cluster, fault, ways, random.milliseconds(2_000, 20_000)), watch);
        }
        Fault::Jitter => {
            let ms = random.between(20, 500);
            weather(cluster, fault, lasts, ms, |weather| &mut weather.jitter_ms).await;
        }
        Fault::Loss => {
            let percent = random.between(1, 30);
            weather(cluster, fault, lasts, percent, |weather| &mut weather.loss_percent).await;
        }
        Fault::LostReplies => {
            let percent = random.between(5, 40);
            weather(cluster, fault, lasts, percent, |weather| &mut weather.lost_replies_percent).await;
        }
        Fault::Duplicates => {
            let percent = random.between(5, 50);
            weather(cluster, fault, lasts, percent, |weather| &mut weather.duplicate_percent).await;
        }
        _ => {}
    }
}

/// Both directions between a process and others.
fn ways_of(process: Process, others: &[Process]) -> Vec<Way> {
    let others = others.iter().copied().filter(|other| *other != process);
    others.flat_map(|other| [(process, other), (other, process)]).collect()
}

fn ways_between(one: &[Process], other: &[Process]) -> Vec<Way> {
    one.iter().flat_map(|process| ways_of(*process, other)).collect()
}

/// Closes directions for a while.
pub(super) async fn close(cluster: &SimCluster, fault: Fault, ways: Vec<Way>, lasts: Duration) {
    let names: Vec<_> = ways.iter().take(6).map(|(from, to)| format!("{from}>{to}")).collect();
    let more = if ways.len() > 6 { " …" } else { "" };
    cluster.trace.say(format_args!("-- {fault:?}: {}{more} for {lasts:?}", names.join(" ")));
    cluster.net.change(|weather| ways.iter().for_each(|(from, to)| weather.close(*from, *to)));
    sleep(lasts).await;
    cluster.net.change(|weather| ways.iter().for_each(|(from, to)| weather.open(*from, *to)));
    cluster.trace.say(format_args!("-- {fault:?} is over"));
}

/// Adds an amount to some of the weather for a while.
async fn weather(
    cluster: &SimCluster,
    fault: Fault,
    lasts: Duration,
    amount: u64,
    of: impl Fn(&mut Weather) -> &mut u64,
) {
    cluster.trace.say(format_args!("-- {fault:?}: {amount} for {lasts:?}"));
    cluster.net.change(|weather| *of(weather) += amount);
    sleep(lasts).await;
    cluster.net.change(|weather| *of(weather) -= amount);
    cluster.trace.say(format_args!("-- {fault:?} is over"));
}

/// Where most of many nodes are silent, they are given up one at a time.
async fn watch_brake(cluster: &SimCluster, agents: usize, cut: usize) {
    const LOOK_AFTER: Duration = Duration::from_secs(10);
    if agents < MASS_LOSS_NODES_MIN {
        return;
    }
    sleep(LOOK_AFTER).await;
    let down = cluster.oracle.newest().nodes().filter(|node| node.status == model::NodeStatus::Down).count();
    if down > 0 && down < cut / 2 {
        cluster.oracle.note(Sometimes::MassLossWasBraked);
    }
}
