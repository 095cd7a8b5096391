//! The catalog as DNS sees it: this server's newest state, without asking the leader.

use std::net::IpAddr;

use model::{ClusterId, Instance, InstanceState, Node, NodeStatus};
use server_core::state::ServiceRow;

use crate::dns::{Endpoint, Host, Lookup, Names};
use crate::server::Server;

impl Names for Server {
    fn service(&self, service: &str, tag: Option<&str>) -> Lookup<Vec<Endpoint>> {
        let state = self.state();
        if state.cluster() == ClusterId::default() {
            return Lookup::Unsynced;
        }
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
        let state = self.state();
        if state.cluster() == ClusterId::default() {
            return Lookup::Unsynced;
        }
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
