//! Beats of the agents that this server serves: gathered, passed on to the leader at most each 100 ms, acknowledged only
//! when the leader has heard them. They never touch the log.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::{NodeId, Usage};
use proto::convert::{node_from_bytes, node_to_bytes, usage_from_wire, usage_to_wire};
use proto::net::{Peer, Refusal};
use proto::wire::{self, AgentDown, Frame, agent_down, frame, request, response};
use server_core::limits::beat_interval;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use crate::server::Server;

/// Beats are gathered for so long.
const GATHER: Duration = Duration::from_millis(100);
/// How long the leader may take to hear them.
const HEAR_WITHIN: Duration = Duration::from_secs(1);

/// Beats that wait to be passed on, the newest of each node.
#[derive(Default)]
pub(crate) struct Beats {
    waiting: Mutex<BTreeMap<NodeId, Waiting>>,
    arrived: Notify,
    /// How often agents shall beat, in milliseconds, as a leader last said it; 0 for never.
    asked_ms: AtomicU64,
}

struct Waiting {
    sequence: u64,
    /// What runs use, where the beat says it.
    usage: Option<Usage>,
    lease: Option<Duration>,
    session: mpsc::Sender<Frame>,
}

impl Beats {
    /// Takes a beat of a node whose agent listens on `session`.
    pub fn take(&self, node: NodeId, sequence: u64, usage: Option<Usage>, session: mpsc::Sender<Frame>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let (lease, told) = waiting.remove(&node).map_or((None, None), |earlier| (earlier.lease, earlier.usage));
        let usage = usage.or(told);
        waiting.insert(node, Waiting { sequence, usage, lease, session });
        self.arrived.notify_one();
    }

    /// Takes the word that a node's agent restarts on purpose.
    pub fn take_lease(&self, node: NodeId, lease: Duration, session: mpsc::Sender<Frame>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let known = waiting.remove(&node);
        let (sequence, usage) = known.map_or((0, None), |known| (known.sequence, known.usage));
        waiting.insert(node, Waiting { sequence, usage, lease: Some(lease), session });
        self.arrived.notify_one();
    }

    /// How often agents of a cluster of so many nodes shall beat: as the leader last said, if this server has heard it.
    pub fn interval(&self, nodes: usize) -> Duration {
        match self.asked_ms.load(Ordering::Relaxed) {
            0 => beat_interval(nodes),
            asked => Duration::from_millis(asked),
        }
    }

    fn drain(&self) -> BTreeMap<NodeId, Waiting> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Passes beats on for as long as the server runs. One that the leader did not hear is not acknowledged; its agent
/// notices and beats through another server.
pub(crate) async fn pass_on(server: Server) {
    loop {
        server.inner.beats.arrived.notified().await;
        sleep(GATHER).await;
        let batch = server.inner.beats.drain();
        if batch.is_empty() {
            continue;
        }
        let server = server.clone();
        // Each batch on its own: a leader that hangs must not keep the next batch from its successor.
        tokio::spawn(async move { pass_batch_on(&server, batch).await });
    }
}

async fn pass_batch_on(server: &Server, batch: BTreeMap<NodeId, Waiting>) {
    let beat = |(node, waiting): (&NodeId, &Waiting)| wire::NodeBeat {
        node: node_to_bytes(*node),
        usage: waiting.usage.as_ref().map(usage_to_wire),
        lease_ms: waiting.lease.map_or(0, |lease| lease.as_millis() as u64),
    };
    let interval = server.inner.beats.interval(server.state().node_count());
    let beats = wire::Beats { nodes: batch.iter().map(beat).collect(), beat_interval_ms: interval.as_millis() as u64 };
    let leader = server.inner.raft.leader().borrow().leader.clone();
    let heard = match leader {
        Some((id, _)) if id == server.inner.config.id => server.hear_beats(beats).ok(),
        Some((id, address)) => {
            let request = wire::Request { body: Some(request::Body::Beats(beats)) };
            let asked = server.inner.seams.dialer.call(&Peer::server(id, address), request, HEAR_WITHIN).await;
            match asked.map(|answer| answer.body) {
                Ok(Some(response::Body::BeatsHeard(heard))) => Some(heard),
                Ok(_) | Err(_) => None,
            }
        }
        None => None,
    };
    let Some(heard) = heard else { return };
    server.inner.beats.asked_ms.store(heard.beat_interval_ms, Ordering::Relaxed);
    let unknown: BTreeSet<Bytes> = heard.unknown.into_iter().collect();
    for (node, waiting) in batch {
        let body = if unknown.contains(&node_to_bytes(node)) {
            agent_down::Body::Reregister(wire::Reregister {})
        } else {
            agent_down::Body::BeatHeard(waiting.sequence)
        };
        // A session that does not keep up misses an acknowledgement, and says so by opening another one.
        let _ = waiting.session.try_send(down(body));
    }
}

impl Server {
    /// The leader hears a batch of beats.
    pub(crate) fn hear_beats(&self, batch: wire::Beats) -> Result<wire::BeatsHeard, Refusal> {
        let state = self.state();
        let now = self.monotonic();
        let not_leading = || Refusal::NotLeader { leader: None };
        self.with_leading(|leading| {
            leading.clocks.gone_by(Duration::from_millis(batch.beat_interval_ms), now);
            let mut unknown = Vec::new();
            for beat in batch.nodes {
                let Ok(node) = node_from_bytes("beat.node", &beat.node) else { continue };
                // A node that was given up must register anew, which settles what of it stays.
                let is_known = state.node(node).is_some_and(|node| node.status != model::NodeStatus::Down);
                if !is_known {
                    unknown.push(beat.node);
                    continue;
                }
                leading.clocks.heard(node, now);
                if beat.lease_ms > 0 {
                    leading.clocks.lease(node, Duration::from_millis(beat.lease_ms), now);
                }
                if let Some(Ok(usage)) = beat.usage.as_ref().map(usage_from_wire) {
                    leading.usage.insert(node, usage);
                }
            }
            // Nodes that are gone are looked for only when there must be some: batches come often, nodes go rarely.
            if leading.usage.len() > state.node_count() {
                leading.usage.retain(|node, _| state.node(*node).is_some());
            }
            let interval = leading.clocks.beat_interval(state.node_count());
            wire::BeatsHeard { unknown, beat_interval_ms: interval.as_millis() as u64 }
        })
        .ok_or_else(not_leading)
    }
}

/// A frame to an agent.
pub(crate) fn down(body: agent_down::Body) -> Frame {
    Frame { body: Some(frame::Body::Down(AgentDown { body: Some(body) })) }
}
