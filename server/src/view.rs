//! The cluster as this server's listeners see it.

use std::collections::{BTreeMap, BTreeSet};
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

use crate::alarms::Raised;
use crate::cluster::{
    Cluster, ClusterError, Consistency, Happening, Leadership, LogNumbers, Member, ServersSeen, View,
};
use crate::raft;
use crate::server::Server;

/// How long a linearizable read may wait for a leader to confirm itself.
const READ_WITHIN: Duration = Duration::from_secs(5);
/// How long the leader may take to say what only it knows.
const ASK_WITHIN: Duration = Duration::from_secs(2);

#[async_trait]
impl Cluster for Server {
    async fn view(&self, consistency: Consistency) -> Result<View, ClusterError> {
        if consistency == Consistency::Linearizable {
            self.inner.raft.barrier(READ_WITHIN).await.map_err(|_| ClusterError::NoLeader)?;
        }
        let known_leader = self.inner.raft.leader().borrow().leader.is_some();
        Ok(View { state: self.state(), last_contact: self.inner.raft.silence(), known_leader })
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
        let beat_interval = self.inner.beats.interval(self.state().node_count());
        Leadership { term: leadership.term, leader: leadership.leader, is_self: leadership.is_leader, beat_interval }
    }

    fn members(&self) -> Vec<Member> {
        let voters = self.inner.raft.voters();
        let member = |member: raft::Member| Member {
            is_voter: voters.contains(&member.id),
            id: member.id,
            address: member.address,
        };
        self.inner.raft.metrics().members.into_iter().map(member).collect()
    }

    async fn members_alive(&self) -> BTreeSet<ServerId> {
        if let Some(alive) = self.answered_lately() {
            return alive;
        }
        let told = self.ask_leader("members-alive", ASK_WITHIN).await;
        told.ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or([self.inner.config.id].into())
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

    fn alarms(&self) -> (u64, Vec<Raised>) {
        (self.inner.alarms.raised(), self.inner.alarms.newest())
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
        self.ask_leader("usage", ASK_WITHIN).await.map(|bytes| decode_usage(&bytes))
    }

    async fn servers_seen(&self) -> Result<ServersSeen, ClusterError> {
        if let Some(seen) = self.seen_as_leader() {
            return Ok(seen);
        }
        let bytes = self.ask_leader("servers-seen", ASK_WITHIN).await?;
        serde_json::from_slice(&bytes).map_err(|error| ClusterError::Refused(error.to_string()))
    }

    async fn remove_server(&self, id: ServerId) -> Result<(), ClusterError> {
        self.let_go(id).await
    }

    async fn transfer_leadership(&self, to: ServerId) -> Result<(), ClusterError> {
        self.transfer(to).await
    }
}

/// A server that the leader has not heard for so long counts as failed.
const ALIVE_WITHIN: Duration = Duration::from_secs(2);

impl Server {
    /// Asks the leader, which is another server, for something that only it knows.
    async fn ask_leader(&self, action: &str, within: Duration) -> Result<Bytes, ClusterError> {
        let leader = self.inner.raft.leader().borrow().leader.clone().ok_or(ClusterError::NoLeader)?;
        let admin = wire::Admin { action: action.into(), body: Bytes::new() };
        let request = wire::Request { body: Some(request::Body::Admin(admin)) };
        let peer = Peer::server(leader.0, leader.1);
        let asked = self.inner.seams.dialer.call(&peer, request, within).await;
        match asked.map(|answer| answer.body) {
            Ok(Some(response::Body::Admin(bytes))) => Ok(bytes),
            Ok(_) | Err(_) => Err(ClusterError::NoLeader),
        }
    }

    /// The servers that answered this one lately, and itself; none if it does not lead.
    fn answered_lately(&self) -> Option<BTreeSet<ServerId>> {
        let metrics = self.inner.raft.metrics();
        let answered = metrics.silent.iter().filter(|(_, silent)| **silent < ALIVE_WITHIN).map(|(id, _)| *id);
        metrics.is_leader.then(|| answered.chain([self.inner.config.id]).collect())
    }

    fn seen_as_leader(&self) -> Option<ServersSeen> {
        let servers = self.with_leading(|leading| leading.servers.clone())?;
        let metrics = self.inner.raft.metrics();
        Some(ServersSeen { servers, last_log: metrics.last_log, term: metrics.term })
    }

    /// How the servers do, for a server that asks the leader: in JSON.
    pub(crate) fn servers_seen_for_peer(&self) -> Result<Bytes, Refusal> {
        let seen = self.seen_as_leader().ok_or(Refusal::NotLeader { leader: None })?;
        Ok(serde_json::to_vec(&seen).expect("numbers can be written to memory").into())
    }

    /// As [`Server::answered_lately`], for a server that asks the leader: a list of ids in JSON.
    pub(crate) fn members_alive_for_peer(&self) -> Result<Bytes, Refusal> {
        let alive = self.answered_lately().ok_or(Refusal::NotLeader { leader: None })?;
        Ok(serde_json::to_vec(&alive).expect("numbers can be written to memory").into())
    }

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
        Ok(wire::Beats { nodes, beat_interval_ms: 0 }.encode_to_vec().into())
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
