//! The catalog as DNS sees it: this server's newest state, without asking the leader, once there is one.
//!
//! A server that joins or starts replays what happened before. Meanwhile its state lacks what came later, and DNS must
//! not deny names for that: resolvers remember a denial.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::{ClusterId, Instance, InstanceState, Node, NodeStatus};
use server_core::state::{ServiceRow, State};

use crate::dns::{Endpoint, Host, Lookup, Names};
use crate::raft::{Member, Metrics, Role};
use crate::server::Server;

impl Names for Server {
    fn service(&self, service: &str, tag: Option<&str>) -> Lookup<Vec<Endpoint>> {
        let Some(state) = self.synced_state() else { return Lookup::Unsynced };
        let mut rows = state.services().filter(|((_, name), _)| name.eq_ignore_ascii_case(service)).peekable();
        if rows.peek().is_none() {
            return Lookup::Unknown;
        }
        let of_row = |row: &ServiceRow| {
            row.instances.values().filter(|known| answers(known, tag)).filter_map(endpoint).collect::<Vec<_>>()
        };
        Lookup::Found(rows.flat_map(|(_, row)| of_row(row)).collect())
    }

    fn node(&self, name: &str) -> Lookup<Host> {
        let Some(state) = self.synced_state() else { return Lookup::Unsynced };
        let node = state.nodes().find(|node| node.name.eq_ignore_ascii_case(name) && node.status != NodeStatus::Down);
        match node.and_then(|node| host(node)) {
            Some(host) => Lookup::Found(host),
            None => Lookup::Unknown,
        }
    }

    fn is_datacenter(&self, name: &str) -> bool {
        self.state().nodes().any(|node| node.datacenter.eq_ignore_ascii_case(name))
    }
}

impl Server {
    /// The newest state; none before this server was up to date for the first time.
    fn synced_state(&self) -> Option<Arc<State>> {
        let synced = &self.inner.synced;
        if !synced.load(Ordering::Relaxed) && is_up_to_date(&self.inner.raft.metrics()) {
            synced.store(true, Ordering::Relaxed);
        }
        // Read after the metrics: a state is published before it counts as applied.
        let state = self.state();
        (synced.load(Ordering::Relaxed) && state.cluster() != ClusterId::default()).then_some(state)
    }
}

/// Whether a server has all that it knows to be committed. One that joins does not know how much there is before it
/// votes.
fn is_up_to_date(metrics: &Metrics) -> bool {
    let votes = |member: &Member| member.id == metrics.id && member.role == Role::Voter;
    metrics.applied > 0 && metrics.applied >= metrics.committed && metrics.members.iter().any(votes)
}

fn answers(instance: &Instance, tag: Option<&str>) -> bool {
    let has_tag = |tag: &str| instance.tags.iter().any(|known| known.eq_ignore_ascii_case(tag));
    instance.state == InstanceState::Passing && tag.is_none_or(has_tag)
}

fn endpoint(instance: &Instance) -> Option<Endpoint> {
    // An address that is a name can't stand in an A record; such an instance is left to the HTTP catalog.
    let address: IpAddr = instance.address.parse().ok()?;
    Some(Endpoint {
        address,
        port: instance.port,
        node: instance.node_name.clone(),
        datacenter: instance.datacenter.clone(),
    })
}

fn host(node: &Node) -> Option<Host> {
    Some(Host { address: node.address.parse().ok()?, datacenter: node.datacenter.clone() })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn metrics(role: Role, committed: u64, applied: u64) -> Metrics {
        let member = |id, role| Member { id, address: format!("10.0.0.{id}:5647"), role };
        Metrics {
            id: 4,
            term: 2,
            leader: Some(1),
            is_leader: false,
            last_log: 90,
            committed,
            applied,
            snapshot: 0,
            purged: 0,
            members: vec![member(1, Role::Voter), member(4, role)],
            matching: BTreeMap::new(),
            silent: BTreeMap::new(),
        }
    }

    #[test]
    fn who_replays_is_not_up_to_date() {
        assert!(is_up_to_date(&metrics(Role::Voter, 80, 80)));
        assert!(!is_up_to_date(&metrics(Role::Voter, 80, 79)));
        // It has applied all that it has heard of so far, and knows of no more.
        assert!(!is_up_to_date(&metrics(Role::Learner, 30, 30)));
        assert!(!is_up_to_date(&metrics(Role::Voter, 0, 0)));
    }
}
