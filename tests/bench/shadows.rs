//! Nodes without an agent: registered and said to be alive by a peer of the servers, as servers pass beats on. What is
//! placed on them is never begun.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::{Node, NodeId, Timestamp};
use proto::convert::node_to_bytes;
use proto::grpc::GrpcDialer;
use proto::identity::Role;
use proto::net::{Dialer, Peer};
use proto::wire::{self, request, response};
use seams::{Clock, SystemClock};
use server::authority::Authority;
use server_core::command::{Command, Entry};
use server_core::limits::BEAT_INTERVAL_MIN;
use tokio::time::{Instant, sleep_until};

/// The share of the interval that the leader tells after which they beat, in percent.
const BEAT_AFTER_PERCENT: u32 = 80;
/// Registrations that are under way at the same time.
const REGISTERED_AT_ONCE: usize = 64;
/// How long one call may take.
const CALL_WITHIN: Duration = Duration::from_secs(5);

/// The way to the servers.
#[derive(Clone)]
pub struct Shadows {
    dialer: Arc<GrpcDialer>,
    servers: Vec<Peer>,
}

impl Shadows {
    /// Speaks to the servers as one of them.
    pub fn new(authority: &Authority, servers: Vec<Peer>) -> Result<Self, String> {
        let identity = authority.issue(Role::Server(1), SystemClock.now()).map_err(|error| error.to_string())?;
        let dialer = GrpcDialer::new(&identity).map_err(|error| error.to_string())?;
        Ok(Self { dialer: Arc::new(dialer), servers })
    }

    /// Registers all of `nodes`, and keeps them alive for as long as the runtime runs.
    pub async fn start(self, nodes: Vec<Node>) -> Result<(), String> {
        let ids: Vec<_> = nodes.iter().map(|node| node.id).collect();
        // Those that are registered first must not fall silent before the last one is.
        tokio::spawn(self.clone().beat(ids));
        let mut registering = tokio::task::JoinSet::new();
        for node in nodes {
            if registering.len() >= REGISTERED_AT_ONCE {
                registering.join_next().await.ok_or("nothing is under way")?.map_err(|error| error.to_string())??;
            }
            let shadows = self.clone();
            registering.spawn(async move { shadows.register(node).await });
        }
        while let Some(registered) = registering.join_next().await {
            registered.map_err(|error| error.to_string())??;
        }
        Ok(())
    }

    async fn register(&self, node: Node) -> Result<(), String> {
        let at = Timestamp(SystemClock.now().0);
        let command = Command::RegisterNode { node: Arc::new(node), session: None };
        let entry = Bytes::from(Entry { at, request: None, caller: "bench".into(), command }.encode());
        let propose = wire::Propose { entry, deadline_ms: CALL_WITHIN.as_millis() as u64 };
        match self.ask_leader(request::Body::Propose(propose)).await {
            Some(response::Body::Proposed(_)) => Ok(()),
            _ => Err("a node could not be registered".into()),
        }
    }

    async fn beat(self, nodes: Vec<NodeId>) {
        let beat = |node: &NodeId| wire::NodeBeat { node: node_to_bytes(*node), usage: None, lease_ms: 0 };
        let beats = wire::Beats { nodes: nodes.iter().map(beat).collect(), beat_interval_ms: 0 };
        let mut due = Instant::now();
        loop {
            let interval = match self.ask_leader(request::Body::Beats(beats.clone())).await {
                Some(response::Body::BeatsHeard(heard)) => Duration::from_millis(heard.beat_interval_ms),
                _ => BEAT_INTERVAL_MIN,
            };
            due = (due + interval * BEAT_AFTER_PERCENT / 100).max(Instant::now());
            sleep_until(due).await;
        }
    }

    /// Asks every server until one leads.
    async fn ask_leader(&self, body: request::Body) -> Option<response::Body> {
        for server in &self.servers {
            let request = wire::Request { body: Some(body.clone()) };
            if let Ok(answer) = self.dialer.call(server, request, CALL_WITHIN).await {
                return answer.body;
            }
        }
        None
    }
}
