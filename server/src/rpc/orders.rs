//! Orders to agents: logs, figures and restarts that a person asks for now.
//!
//! Servers never dial agents. An order goes down the stream that the agent holds, and the agent answers on a
//! conversation that it opens for it. A server that does not serve the agent asks the others.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::NodeId;
use proto::convert::{node_from_bytes, node_to_bytes};
use proto::net::{Caller, Channel, Peer, Refusal};
use proto::wire::{self, End, Frame, Hello, Order, OrderAnswer, OrderProxy, agent_down, frame, hello, order};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Refused;
use super::beats::down;
use crate::cluster::ClusterError;
use crate::server::Server;

/// How long an agent may take to open its answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long connecting to another server may take.
const PROXY_WITHIN: Duration = Duration::from_secs(1);
/// The status of an end that says: ask another server.
const NO_PATH: u32 = 502;

/// The agents that this server serves, and the orders that they have not answered yet.
#[derive(Default)]
pub(crate) struct Orders {
    /// An agent may have several for a while, and it is not always the newest that lives.
    sessions: Mutex<BTreeMap<NodeId, Vec<Session>>>,
    waiting: Mutex<BTreeMap<u64, (NodeId, oneshot::Sender<Channel>)>>,
    numbers: AtomicU64,
}

/// A stream that an agent holds.
struct Session {
    number: u64,
    down: mpsc::Sender<Frame>,
}

impl Orders {
    /// An agent's session begins; the number that ends it again.
    pub fn begin_session(&self, node: NodeId, session: mpsc::Sender<Frame>) -> u64 {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.entry(node).or_default().push(Session { number, down: session });
        number
    }

    /// An agent's session is over.
    pub fn end_session(&self, node: NodeId, number: u64) {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_node) = sessions.get_mut(&node) else { return };
        of_node.retain(|session| session.number != number);
        if of_node.is_empty() {
            sessions.remove(&node);
        }
    }

    /// The newest session of an agent that is still connected.
    fn session(&self, node: NodeId) -> Option<mpsc::Sender<Frame>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(&node)?.iter().rev().map(|session| &session.down).find(|down| !down.is_closed()).cloned()
    }
}

impl Server {
    /// Passes an order on to a node's agent, through whichever server serves it.
    pub(crate) async fn give_order(&self, node: NodeId, body: order::Body) -> Result<Channel, ClusterError> {
        if let Some(channel) = self.give_order_here(node, body.clone()).await {
            return Ok(channel);
        }
        let state = self.state();
        for server in state.servers().filter(|server| server.id != self.inner.config.id) {
            let peer = Peer::server(server.id, &server.address);
            if let Some(channel) = self.give_order_through(&peer, node, body.clone()).await {
                return Ok(channel);
            }
        }
        Err(ClusterError::NoPath)
    }

    /// Passes an order on if this server serves the agent.
    async fn give_order_here(&self, node: NodeId, body: order::Body) -> Option<Channel> {
        let orders = &self.inner.orders;
        let session = orders.session(node)?;
        let id = orders.numbers.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        orders.waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id, (node, sender));
        let order = Order { id, body: Some(body) };
        let sent = session.send(down(agent_down::Body::Order(order))).await.is_ok();
        let answer = if sent { timeout(ANSWER_WITHIN, answer).await.ok().and_then(Result::ok) } else { None };
        orders.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
        answer
    }

    /// Asks another server to pass an order on; none if it does not serve the agent.
    async fn give_order_through(&self, peer: &Peer, node: NodeId, body: order::Body) -> Option<Channel> {
        let Channel { sender, mut receiver } = self.inner.seams.dialer.open(peer, PROXY_WITHIN).await.ok()?;
        let order = Order { id: 0, body: Some(body) };
        let proxy = OrderProxy { node: node_to_bytes(node), order: Some(order) };
        let hello = Hello { body: Some(hello::Body::Proxy(proxy)) };
        sender.send(Frame { body: Some(frame::Body::Hello(hello)) }).await.ok()?;
        let first = timeout(ANSWER_WITHIN * 2, receiver.recv()).await.ok()??;
        if let Some(frame::Body::End(End { status: NO_PATH, .. })) = first.body {
            return None;
        }
        // The first frame was read to see whether there is a path.
        Some(Channel { sender, receiver: receiver.behind(first) })
    }
}

/// An agent answers an order.
pub(super) fn take_answer(
    server: &Server,
    caller: Caller,
    answer: OrderAnswer,
    channel: Channel,
) -> Result<(), Refused> {
    let mut waiting = server.inner.orders.waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let is_for_caller = waiting.get(&answer.order).is_some_and(|(node, _)| {
        matches!(caller, Caller::Agent { cluster, node: of, key } if cluster == server.inner.config.cluster
            && of == *node
            && server.state().holder(of).is_none_or(|holder| holder.key == key))
    });
    if !is_for_caller {
        return Err((Refusal::Denied(format!("{caller} was not given order {}", answer.order)), channel));
    }
    if let Some((_, sender)) = waiting.remove(&answer.order) {
        // Whoever asked may have gone; dropping the channel tells the agent.
        let _ = sender.send(channel);
    }
    Ok(())
}

/// Passes an order of another server on, and the answer back.
pub(super) async fn serve_proxy(server: &Server, proxy: OrderProxy, channel: Channel) {
    let Channel { sender, mut receiver } = channel;
    let node = node_from_bytes("proxy.node", &proxy.node).ok();
    let body = proxy.order.and_then(|order: wire::Order| order.body);
    let (Some(node), Some(body)) = (node, body) else {
        let _ = sender.send(end(400, "the order is not complete".into())).await;
        return;
    };
    let Some(mut answer) = server.give_order_here(node, body).await else {
        let _ = sender.send(end(NO_PATH, "no path to node".into())).await;
        return;
    };
    loop {
        tokio::select! {
            biased;
            // The server that asked has gone.
            frame = receiver.recv() => if frame.is_none() { return },
            frame = answer.receiver.recv() => match frame {
                Some(frame) => if sender.send(frame).await.is_err() { return },
                None => return,
            },
        }
    }
}

/// The frame that ends an answer with an error.
pub(crate) fn end(status: u32, error: String) -> Frame {
    Frame { body: Some(frame::Body::End(End { error, status })) }
}
