//! Looks after the servers: says how each does, takes those out that are to leave, and removes the dead.
//!
//! What is to leave stands in the state before consensus forgets it, so a leader that dies in between leaves the rest of
//! the work to the next one.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Index, ServerId, Term, Timestamp};
use server_core::autopilot::{AutopilotConfiguration, ServerSeen, next_removal};
use server_core::command::Command;
use tokio::time::{Instant, sleep};

use super::propose;
use crate::raft::{Metrics, Role};
use crate::server::Server;

/// How often servers are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);
/// How long a server may take to leave before it is tried anew.
const REMOVE_WITHIN: Duration = Duration::from_secs(10);

pub(super) async fn run(server: Server, term: Term) {
    let led_since = Instant::now();
    let mut well_since = BTreeMap::new();
    loop {
        let state = server.state();
        let (configuration, _) = state.autopilot();
        let metrics = server.raft().metrics();
        let seen = look(&metrics, &configuration, led_since, server.now(), &mut well_since);
        if server.with_leading(|leading| leading.servers.clone_from(&seen)).is_none() {
            return;
        }
        let leaves = seen.iter().map(|one| one.id).find(|id| state.is_removed_server(*id));
        match leaves {
            Some(id) if id == metrics.id => server.hand_over().await,
            Some(id) => remove(&server, id).await,
            None => {
                if let Some(id) = next_removal(&seen, &configuration) {
                    let silent = seen.iter().find(|one| one.id == id).map(|one| one.silent).unwrap_or_default();
                    tracing::warn!(server = id, ?silent, "a dead server is removed");
                    propose(&server, Command::ForgetServer { id, term: Some(term) }).await;
                    remove(&server, id).await;
                }
            }
        }
        sleep(LOOK_INTERVAL).await;
    }
}

async fn remove(server: &Server, id: ServerId) {
    match server.raft().remove_server(id, REMOVE_WITHIN).await {
        Ok(()) => tracing::info!(server = id, "a server is out of the cluster"),
        Err(error) => tracing::warn!(server = id, %error, "a server can't be taken out yet"),
    }
}

/// How each server does, as its leader sees it.
fn look(
    metrics: &Metrics,
    configuration: &AutopilotConfiguration,
    led_since: Instant,
    now: Timestamp,
    well_since: &mut BTreeMap<ServerId, Timestamp>,
) -> Vec<ServerSeen> {
    let last_log: Index = metrics.last_log;
    let seen: Vec<ServerSeen> = metrics
        .members
        .iter()
        .map(|member| {
            let is_leader = member.id == metrics.id;
            // Who has not answered this leader yet is silent since it leads.
            let silent = metrics.silent.get(&member.id).copied().unwrap_or_else(|| led_since.elapsed());
            let mut one = ServerSeen {
                id: member.id,
                is_voter: member.role == Role::Voter,
                is_leader,
                silent: if is_leader { Duration::ZERO } else { silent },
                matching: if is_leader { last_log } else { metrics.matching.get(&member.id).copied().unwrap_or(0) },
                well_since: None,
            };
            if one.is_well(configuration, last_log) {
                one.well_since = Some(*well_since.entry(one.id).or_insert(now));
            } else {
                well_since.remove(&one.id);
            }
            one
        })
        .collect();
    well_since.retain(|id, _| seen.iter().any(|one| one.id == *id));
    seen
}
