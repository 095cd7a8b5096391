//! The cluster as this server's listeners see it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use model::{Index, NodeId, ServerId, Usage};
use prost::Message;
use proto::convert::{node_from_bytes, node_to_bytes, usage_from_wire, usage_to_wire};
use proto::net::{Channel, Peer, Refusal};
use proto::wire::{self, order, request, response};
use server_core::apply::Answer;
use server_core::command::Command;
use server_core::state::State;
use tokio::sync::watch;

use crate::cluster::{Cluster, ClusterError, Consistency, Happening, Leadership, LogNumbers, Member, View};
use crate::raft;
use crate::server::Server;

/// How long a linearizable read may wait for a leader to confirm itself.
const READ_WITHIN: Duration = Duration::from_secs(5);
/// How long the leader may take to say what is used.
const USAGE_WITHIN: Duration = Duration::from_secs(2);

#[async_trait]
impl Cluster for Server {
    async fn view(&self, consistency: Consistency) -> Result<View, ClusterError> {
        if consistency == Consistency::Linearizable {
            self.inner.raft.barrier(READ_WITHIN).await.map_err(|_| ClusterError::NoLeader)?;
        }
        let known_leader = self.inner.raft.leader().borrow().leader.is_some();
        Ok(View { state: self.state(), last_contact: self.last_contact(), known_leader })
    }

    fn states(&self) -> watch::Receiver<Arc<State>> {
        self.inner.states.clone()
    }

    async fn propose(&self, caller: &str, request: Option<[u8; 16]>, command: Command) -> Result<Answer, ClusterError> {
        self.propose_as(caller, request, command).await
    }

    fn happenings_after(&self, index: Index) -> Option<Vec<Happening>> {
        self.inner.happenings.after(index)
    }

    fn leadership(&self) -> Leadership {
        let leadership = self.inner.raft.leader().borrow().clone();
        Leadership { term: leadership.term, leader: leadership.leader, is_self: leadership.is_leader }
    }

    fn members(&self) -> Vec<Member> {
        let metrics = self.inner.raft.metrics();
        let member = |member: raft::Member| Member {
            // Only the leader knows whom its entries reach; the others know themselves.
            is_alive: match metrics.matching.get(&member.id) {
                Some(matching) => *matching + LAG_ALIVE_MAX >= metrics.committed,
                None => !metrics.is_leader || member.id == self.inner.config.id,
            },
            is_voter: member.role == raft::Role::Voter,
            id: member.id,
            address: member.address,
        };
        metrics.members.clone().into_iter().map(member).collect()
    }

    fn log_numbers(&self) -> LogNumbers {
        let metrics = self.inner.raft.metrics();
        LogNumbers {
            term: metrics.term,
            last_log: metrics.last_log,
            committed: metrics.committed,
            applied: metrics.applied,
            snapshot: metrics.snapshot,
        }
    }

    fn server_id(&self) -> ServerId {
        self.inner.config.id
    }

    async fn order(&self, node: NodeId, order: order::Body) -> Result<Channel, ClusterError> {
        self.give_order(node, order).await
    }

    async fn usage(&self) -> Result<BTreeMap<NodeId, Usage>, ClusterError> {
        if let Some(usage) = self.with_leading(|leading| leading.usage.clone()) {
            return Ok(usage);
        }
        let leader = self.inner.raft.leader().borrow().leader.clone().ok_or(ClusterError::NoLeader)?;
        let admin = wire::Admin { action: "usage".into(), body: Bytes::new() };
        let request = wire::Request { body: Some(request::Body::Admin(admin)) };
        let peer = Peer::server(leader.0, leader.1);
        let asked = self.inner.seams.dialer.call(&peer, request, USAGE_WITHIN).await;
        match asked.map(|answer| answer.body) {
            Ok(Some(response::Body::Admin(bytes))) => Ok(decode_usage(&bytes)),
            Ok(_) | Err(_) => Err(ClusterError::NoLeader),
        }
    }

    async fn remove_server(&self, id: ServerId) -> Result<(), ClusterError> {
        self.let_go(id).await
    }
}

/// A server whose log is so many entries behind what is committed still counts as alive: it is catching up.
const LAG_ALIVE_MAX: Index = 1_000;

impl Server {
    /// What is used on the nodes, for a server that asks the leader: beats, of which the usage counts.
    pub(crate) fn usage_for_peer(&self) -> Result<Bytes, Refusal> {
        let nodes = self.with_leading(|leading| {
            let beat = |(node, usage): (&NodeId, &Usage)| wire::NodeBeat {
                node: node_to_bytes(*node),
                usage: Some(usage_to_wire(usage)),
                lease_ms: 0,
            };
            leading.usage.iter().map(beat).collect()
        });
        let nodes = nodes.ok_or(Refusal::NotLeader { leader: None })?;
        Ok(wire::Beats { nodes }.encode_to_vec().into())
    }
}

fn decode_usage(bytes: &[u8]) -> BTreeMap<NodeId, Usage> {
    let beats = wire::Beats::decode(bytes).unwrap_or_default();
    let usage = |beat: &wire::NodeBeat| {
        let node = node_from_bytes("usage.node", &beat.node).ok()?;
        Some((node, usage_from_wire(beat.usage.as_ref()?).ok()?))
    };
    beats.nodes.iter().filter_map(usage).collect()
}
