//! The cluster itself: its id, its servers, join tokens, versions and the scheduler's configuration.

use std::sync::Arc;

use model::{ClusterId, Index, ServerId};

use super::{Accepted, AtWork, Rejection};
use crate::autopilot::AutopilotConfiguration;
use crate::command::{JoinTokenRecord, SchedulerConfiguration, ServerRecord};
use crate::state::State;

pub(super) fn initialize(state: &mut State, cluster: ClusterId) -> Result<Accepted, Rejection> {
    if state.cluster != ClusterId::default() {
        return Err(Rejection::Initialized);
    }
    state.cluster = cluster;
    state.cluster_version = 1;
    Ok(Accepted::default())
}

/// Gives out the next server id. The counter only grows, so a wiped server comes back as another.
pub(super) fn allocate_server(
    state: &mut State,
    name: &str,
    address: &str,
    http_address: &str,
) -> Result<Accepted, Rejection> {
    state.last_server_id += 1;
    let id = state.last_server_id;
    let server = ServerRecord {
        id,
        name: name.into(),
        address: address.into(),
        http_address: http_address.into(),
        version: 0,
        build: String::new(),
    };
    state.indexes.servers = state.index;
    state.servers.insert(id, Arc::new(server));
    Ok(Accepted { server: Some(id), ..Accepted::default() })
}

pub(super) fn announce_server(state: &mut State, server: &ServerRecord) -> Result<Accepted, Rejection> {
    if state.removed_servers.get(&server.id).is_some() {
        return Err(Rejection::ServerRemoved { id: server.id });
    }
    state.last_server_id = state.last_server_id.max(server.id);
    if state.servers.get(&server.id).is_none_or(|known| **known != *server) {
        state.indexes.servers = state.index;
        state.servers.insert(server.id, Arc::new(server.clone()));
    }
    Ok(Accepted { server: Some(server.id), ..Accepted::default() })
}

/// Forgets a server for good: who comes back with its id is not taken in. One that never announced itself has an id, too.
pub(super) fn forget_server(state: &mut State, id: ServerId) -> Result<Accepted, Rejection> {
    let known = state.servers.remove(&id).is_some() || id <= state.last_server_id;
    if !known || state.removed_servers.get(&id).is_some() {
        return Err(Rejection::NoSuchServer);
    }
    state.removed_servers.insert(id, ());
    state.indexes.servers = state.index;
    Ok(Accepted { server: Some(id), ..Accepted::default() })
}

/// Stores a token, and drops those that have ended.
pub(super) fn put_join_token(state: &mut State, work: &AtWork, token: &JoinTokenRecord) -> Result<Accepted, Rejection> {
    let ended: Vec<String> =
        state.join_tokens.values().filter(|known| known.expires_at <= work.at).map(|known| known.id.clone()).collect();
    for id in ended {
        state.join_tokens.remove(&id);
    }
    state.join_tokens.insert(token.id.clone(), Arc::new(token.clone()));
    Ok(Accepted::default())
}

/// Raises the version that all servers speak; it never goes back.
pub(super) fn set_version(state: &mut State, version: u32) -> Result<Accepted, Rejection> {
    state.cluster_version = state.cluster_version.max(version);
    Ok(Accepted::default())
}

pub(super) fn set_autopilot(
    state: &mut State,
    configuration: AutopilotConfiguration,
    check_index: Option<Index>,
) -> Result<Accepted, Rejection> {
    if check_index.is_some_and(|wanted| wanted != state.autopilot_index) {
        return Err(Rejection::ConfigurationChanged { found: state.autopilot_index });
    }
    if let Some(fault) = configuration.fault() {
        return Err(Rejection::BadConfiguration { fault });
    }
    state.autopilot = configuration;
    state.autopilot_index = state.index;
    Ok(Accepted::default())
}

pub(super) fn set_scheduler(
    state: &mut State,
    configuration: &SchedulerConfiguration,
    check_index: Option<Index>,
) -> Result<Accepted, Rejection> {
    if check_index.is_some_and(|wanted| wanted != state.scheduler_index) {
        return Err(Rejection::ConfigurationChanged { found: state.scheduler_index });
    }
    let may_take_more = configuration.preemption != state.scheduler.preemption;
    let pools = configuration.pools.clone().or_else(|| state.scheduler.pools.take());
    state.scheduler = SchedulerConfiguration { pools, ..configuration.clone() };
    state.scheduler_index = state.index;
    if may_take_more {
        // Who waits for room may find it now with others.
        state.nodes.iter().map(|(id, _)| *id).collect::<Vec<_>>().into_iter().for_each(|id| state.put_gain(id));
    }
    Ok(Accepted::default())
}
