//! What is still lacking: between servers, between what is wanted and what runs, between the catalog and what is healthy.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use model::{AllocationId, ClientStatus, Desired, InstanceState, NodeStatus};
use server::cluster::Cluster;
use server_core::state::State;

use super::reasons;
use crate::sim::cluster::SimCluster;
use crate::sim::net::node_id;

/// How long a server may take to catch up.
const BARRIER_WITHIN: Duration = Duration::from_secs(5);

/// Everything that is lacking, in words; `lost` is an agent that does not come back.
pub async fn lacking(cluster: &Arc<SimCluster>, lost: Option<u64>) -> Vec<String> {
    let mut lacking = Vec::new();
    servers(cluster, &mut lacking).await;
    let Some(leader) = cluster.leader_now() else {
        lacking.push("nobody leads".into());
        return lacking;
    };
    let state = leader.state();
    nodes(cluster, &state, lost, &mut lacking);
    containers(cluster, &state, lost, &mut lacking);
    catalog(&state, &mut lacking);
    reasons::open(&state, &mut lacking);
    reasons::jobs(&state, &mut lacking);
    let unsettled = invariants::check_settled(&state, cluster.oracle.time_of_log());
    lacking.extend(unsettled.iter().map(ToString::to_string));
    lacking
}

/// All servers run, have caught up, and agree.
async fn servers(cluster: &Arc<SimCluster>, lacking: &mut Vec<String>) {
    let running = cluster.running();
    if running.len() < cluster.server_ids().len() {
        lacking.push(format!("{} of {} servers run", running.len(), cluster.server_ids().len()));
    }
    let mut states: Vec<(u64, Arc<State>)> = Vec::new();
    for server in running {
        match server.raft().barrier(BARRIER_WITHIN).await {
            Ok(_) => states.push((server.server_id(), server.state())),
            Err(error) => lacking.push(format!("server {} can't read: {error}", server.server_id())),
        }
    }
    for pair in states.windows(2) {
        let [(one, first), (other, second)] = pair else { continue };
        if first.index() == second.index() && first.encode() != second.encode() {
            let what = format!("servers {one} and {other} differ at index {}", first.index());
            cluster.oracle.violate("what is committed does not change", what);
        }
    }
}

/// Every node whose agent runs is ready.
fn nodes(cluster: &SimCluster, state: &State, lost: Option<u64>, lacking: &mut Vec<String>) {
    for number in cluster.agent_numbers() {
        let wanted = if lost == Some(number) { NodeStatus::Down } else { NodeStatus::Ready };
        match state.node(node_id(number)) {
            Some(node) if node.status != wanted => lacking.push(format!("n{number} is {:?}", node.status)),
            Some(_) => {}
            None if lost == Some(number) => {}
            None => lacking.push(format!("n{number} is not registered")),
        }
    }
}

/// What runs is what is wanted, node by node.
fn containers(cluster: &SimCluster, state: &State, lost: Option<u64>, lacking: &mut Vec<String>) {
    for (number, running) in cluster.containers() {
        let runs: BTreeSet<AllocationId> = running.iter().map(|(allocation, _)| *allocation).collect();
        for id in &runs {
            match state.allocation(*id) {
                None => lacking.push(format!("n{number} runs {}, which is forgotten", id.short())),
                Some(known) if known.client_status.is_terminal() => {
                    lacking.push(format!("n{number} runs {} ({}), which is over", known.name(), id.short()));
                }
                Some(known) if known.desired != Desired::Run => {
                    lacking.push(format!("n{number} still runs {} ({})", known.name(), id.short()));
                }
                Some(_) => {}
            }
        }
        if lost == Some(number) {
            continue;
        }
        for known in state.allocations_of_node(node_id(number)).filter(|known| known.is_live()) {
            if known.client_status == ClientStatus::Running && !runs.contains(&known.id) && !restarts(known) {
                lacking.push(format!("n{number} does not run {} ({})", known.name(), known.id.short()));
            }
        }
    }
}

/// Whether a task of it waits to run again, or is being started.
fn restarts(allocation: &model::Allocation) -> bool {
    allocation.tasks.unpack().values().any(|task| task.phase != model::TaskPhase::Running)
}

/// The catalog's passing instances are wanted, run, and are on nodes that are ready.
fn catalog(state: &State, lacking: &mut Vec<String>) {
    for (key, row) in state.services() {
        for instance in row.instances.values().filter(|instance| instance.state == InstanceState::Passing) {
            let known = state.allocation(instance.allocation);
            let is_good = known.is_some_and(|known| known.is_live() && known.client_status == ClientStatus::Running);
            let ready = state.node(instance.node).is_some_and(|node| node.status == NodeStatus::Ready);
            if !is_good || !ready {
                lacking.push(format!("{key:?} has {} as passing, which is not", instance.id));
            }
        }
    }
}
