//! A session with one agent: its node registered, its beats and observations taken, its wanted allocations sent whenever
//! they change.

mod bodies;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use model::old_bugs::{OldBug, is_on};
use model::{Index, NodeId, NodeStatus};
use proto::convert::{node_from_wire, observation_from_wire, usage_from_wire};
use proto::net::{CHANNEL_FRAMES_MAX, Caller, Channel, Frames, Refusal};
use proto::wire::{self, AgentHello, AgentUp, Frame, Wanted, WantedItem, Welcome, agent_down, agent_up, frame};
use server_core::apply::{Answer, check_holder};
use server_core::authorize::{self, Action, Object};
use server_core::command::{Command, Holder, NodeSession, ServerRecord};
use server_core::limits::BEAT_INTERVAL_MIN;
use server_core::state::State;
use tokio::sync::mpsc;
use tokio::time::Instant;

use self::bodies::{fetched, item, news};
use super::Refused;
use super::beats::down;
use super::observations::Said;
use crate::server::Server;

/// Holds the session until either side ends it.
pub(super) async fn serve(server: &Server, caller: Caller, hello: AgentHello, channel: Channel) -> Result<(), Refused> {
    let (node, holder) = match check_hello(server, caller, &hello) {
        Ok(checked) => checked,
        Err(refusal) => return Err((refusal, channel)),
    };
    let Channel { sender, mut receiver } = channel;
    let mut session = Session::new(server, node, sender.clone());
    if is_on(OldBug::OldWantedObeyed) && (session.welcome().await.is_err() || session.send_wanted().await.is_err()) {
        return Ok(());
    }
    let mut early = Vec::new();
    let registered = tokio::select! {
        biased;
        registered = register(server, hello.node.as_ref(), NodeSession::BegunBy(holder)) => registered,
        () = hear_early(server, (node, holder), &sender, &mut receiver, &mut early) => return Ok(()),
    };
    match registered {
        Ok(index) => session.began_at = index,
        Err(refusal) => return Err((refusal, Channel { sender, receiver })),
    }
    let number = server.inner.orders.begin_session(node, sender);
    tracing::debug!(%node, "serves the agent");
    session.hold(early, receiver).await;
    server.inner.orders.end_session(node, number);
    tracing::debug!(%node, "serves the agent no more");
    Ok(())
}

fn check_hello(server: &Server, caller: Caller, hello: &AgentHello) -> Result<(NodeId, Holder), Refusal> {
    let description = hello.node.as_ref().ok_or_else(|| Refusal::Invalid("hello without a node".into()))?;
    let node = node_from_wire(description).map_err(|error| Refusal::Invalid(error.to_string()))?;
    let key = match caller {
        Caller::Agent { cluster, node: of, key } if cluster == server.inner.config.cluster && of == node.id => key,
        _ => return Err(Refusal::Denied(format!("{caller} may not speak for node {}", node.id))),
    };
    if hello.epoch > server.state().epoch() {
        return Err(Refusal::Unavailable(
            "this server was restored from an older backup than the agent has seen".into(),
        ));
    }
    super::allow(authorize::Caller::Agent(node.id), Action::ServeNode, Object::Node(node.id))?;
    let holder = Holder { key, host: hello.host.as_ref().try_into().ok() };
    // Asked again when the node is registered; whoever tries all the time need not write into the log each time.
    check_holder(&server.state(), node.id, &holder).map_err(|rejection| Refusal::Denied(rejection.to_string()))?;
    Ok((node.id, holder))
}

/// Registers a node as its agent describes it; the index at which that was done.
async fn register(
    server: &Server,
    description: Option<&wire::NodeDescription>,
    session: NodeSession,
) -> Result<Index, Refusal> {
    let description = description.ok_or_else(|| Refusal::Invalid("no node is described".into()))?;
    let node = node_from_wire(description).map_err(|error| Refusal::Invalid(error.to_string()))?;
    match server.propose_own(Command::RegisterNode { node: Arc::new(node), session: Some(session) }).await {
        Ok(Answer::Accepted(accepted)) => Ok(accepted.index),
        Ok(Answer::Rejected(rejection)) => Err(Refusal::Invalid(rejection.to_string())),
        Err(error) => Err(Refusal::Unavailable(error.to_string())),
    }
}

/// Hears the beats of a node that is about to be registered again, and keeps what else its agent says for later; until the
/// agent is gone. The entry takes as long as the log does, and where that is longer than a node may be silent, one whose
/// server fell away would be given up in spite of having found another.
async fn hear_early(
    server: &Server,
    (node, holder): (NodeId, Holder),
    sender: &mpsc::Sender<Frame>,
    receiver: &mut Frames,
    early: &mut Vec<Frame>,
) {
    while early.len() < CHANNEL_FRAMES_MAX {
        let Some(frame) = receiver.recv().await else { return };
        // Of one that was given up nobody hears beats before it is registered, nor of one that may be turned away.
        let state = server.state();
        let is_known = state.node(node).is_some_and(|known| known.status != NodeStatus::Down)
            && state.holder(node).is_none_or(|known| known == holder);
        match frame.body {
            Some(frame::Body::Up(AgentUp { body: Some(agent_up::Body::Beat(beat)) })) if is_known => {
                take_beat(server, node, &beat, sender);
            }
            _ => early.push(frame),
        }
    }
    std::future::pending().await
}

fn take_beat(server: &Server, node: NodeId, beat: &wire::Beat, sender: &mpsc::Sender<Frame>) {
    let usage = beat.usage.as_ref().and_then(|usage| usage_from_wire(usage).ok());
    server.inner.beats.take(node, beat.sequence, usage, sender.clone());
}

struct Session<'a> {
    server: &'a Server,
    node: NodeId,
    /// Index of the entry with which it began.
    began_at: Index,
    sender: mpsc::Sender<Frame>,
    /// How often the agent is asked to beat.
    beat_interval: Duration,
    last_beat_at: Option<Instant>,
    /// Index of the servers' table when they were sent.
    servers_sent_at: Index,
    last_sent: Option<Vec<WantedItem>>,
}

impl<'a> Session<'a> {
    fn new(server: &'a Server, node: NodeId, sender: mpsc::Sender<Frame>) -> Self {
        Self {
            server,
            node,
            began_at: 0,
            sender,
            beat_interval: BEAT_INTERVAL_MIN,
            last_beat_at: None,
            servers_sent_at: 0,
            last_sent: None,
        }
    }

    /// Takes what the agent says, `early` before all else, and sends it what changes, until either side ends it.
    async fn hold(&mut self, early: Vec<Frame>, mut receiver: Frames) {
        let woken = self.server.inner.nodes.begin_session(self.node);
        if self.welcome().await.is_err() || self.send_wanted().await.is_err() {
            return;
        }
        for frame in early {
            if self.take(frame).await.is_err() {
                return;
            }
        }
        let mut turn: Option<Turn<'_>> = None;
        loop {
            let sent = tokio::select! {
                biased;
                frame = receiver.recv() => match frame {
                    Some(frame) => self.take(frame).await,
                    None => return,
                },
                () = come(&mut turn), if turn.is_some() => {
                    turn = None;
                    self.send_news().await
                }
                () = woken.notified(), if turn.is_none() => {
                    turn = Some(Box::pin(self.server.inner.pace.turn(self.new_work())));
                    Ok(())
                }
            };
            if sent.is_err() {
                return;
            }
        }
    }

    async fn welcome(&mut self) -> Result<(), Gone> {
        let state = self.server.state();
        self.servers_sent_at = state.indexes().servers;
        self.beat_interval = self.server.inner.beats.interval(state.node_count());
        self.send(agent_down::Body::Welcome(Welcome {
            cluster: bytes::Bytes::copy_from_slice(self.server.inner.config.cluster.as_bytes()),
            beat_interval_ms: self.beat_interval.as_millis() as u64,
            servers: servers(&state),
        }))
        .await
    }

    async fn take(&mut self, frame: Frame) -> Result<(), Gone> {
        let inner = &self.server.inner;
        let Some(frame::Body::Up(AgentUp { body: Some(up) })) = frame.body else { return Ok(()) };
        match up {
            agent_up::Body::Register(description) => {
                let session = NodeSession::Within(self.began_at);
                if let Err(refusal) = register(self.server, Some(&description), session).await {
                    tracing::warn!(node = %self.node, %refusal, "a node was not registered");
                }
                self.end_if_past()?;
            }
            agent_up::Body::Beat(beat) => {
                let now = Instant::now();
                if let Some(last) = self.last_beat_at.replace(now) {
                    inner.pace.beat(now - last, self.beat_interval);
                }
                take_beat(self.server, self.node, &beat, &self.sender);
                self.send_beat_interval().await?;
            }
            agent_up::Body::Lease(lease) => {
                let lease = Duration::from_millis(lease.milliseconds);
                inner.beats.take_lease(self.node, lease, self.sender.clone());
            }
            agent_up::Body::Observations(observed) => {
                let (good, bad): (Vec<_>, Vec<_>) =
                    observed.items.iter().map(observation_from_wire).partition(Result::is_ok);
                for error in bad.into_iter().filter_map(Result::err) {
                    tracing::warn!(node = %self.node, %error, "an observation was refused");
                }
                let good = good.into_iter().filter_map(Result::ok).collect();
                let said = Said { session: self.began_at, sequence: observed.sequence, to: self.sender.clone() };
                inner.observations.take(self.node, said, good);
            }
            agent_up::Body::Fetch(fetch) => {
                let bodies = fetched(&self.server.state(), self.node, &fetch);
                self.send(agent_down::Body::Bodies(bodies)).await?;
            }
        }
        Ok(())
    }

    /// Allocations that are wanted and that the agent has not heard of; one that shall take the place of another on the same
    /// node may not count.
    fn new_work(&self) -> u32 {
        let known = self.last_sent.as_ref().map_or(0, Vec::len);
        self.server.state().node_use(self.node).allocations.saturating_sub(u32::try_from(known).unwrap_or(u32::MAX))
    }

    /// Ends a session after which another has begun: nothing that is said in it counts any more. The agent of one that was
    /// overtaken, by an entry that a server it left before had proposed, comes again.
    fn end_if_past(&self) -> Result<(), Gone> {
        match self.server.state().is_past_session(self.node, self.began_at) {
            true => Err(Gone),
            false => Ok(()),
        }
    }

    /// Sends what changed since it was sent.
    async fn send_news(&mut self) -> Result<(), Gone> {
        self.end_if_past()?;
        self.send_servers().await?;
        self.send_wanted().await
    }

    /// Sends all servers, if something about them has changed: a stream may last longer than the servers that it began with,
    /// and where it breaks the agent must know whom to turn to.
    async fn send_servers(&mut self) -> Result<(), Gone> {
        let state = self.server.state();
        if self.servers_sent_at == state.indexes().servers {
            return Ok(());
        }
        self.servers_sent_at = state.indexes().servers;
        self.send(agent_down::Body::Servers(wire::Servers { servers: servers(&state) })).await
    }

    /// Tells how often to beat, if that is another interval than the agent was told: the cluster grows and shrinks, and its
    /// leader may have too much to do.
    async fn send_beat_interval(&mut self) -> Result<(), Gone> {
        let interval = self.server.inner.beats.interval(self.server.state().node_count());
        if self.beat_interval == interval {
            return Ok(());
        }
        self.beat_interval = interval;
        self.send(agent_down::Body::BeatIntervalMs(interval.as_millis() as u64)).await
    }

    /// Sends the whole set of wanted allocations, if it changed.
    async fn send_wanted(&mut self) -> Result<(), Gone> {
        let state = self.server.state();
        // Of an allocation that is over the agent has nothing more to do.
        let wanted: Vec<_> = state.allocations_of_node(self.node).filter(|allocation| allocation.holds()).collect();
        let items: Vec<_> = wanted.iter().map(|allocation| item(&state, allocation)).collect();
        if self.last_sent.as_ref() == Some(&items) {
            return Ok(());
        }
        // At first nobody knows what the agent has.
        let before = self.last_sent.replace(items.clone());
        let news = before.map(|before| news(&state, &before, &wanted));
        self.send(agent_down::Body::Wanted(Wanted { epoch: state.epoch(), index: state.index(), items, news })).await
    }

    async fn send(&self, body: agent_down::Body) -> Result<(), Gone> {
        self.sender.send(down(body)).await.map_err(|_| Gone)
    }
}

/// The servers that an agent may turn to.
fn servers(state: &State) -> Vec<wire::Server> {
    let server = |server: &Arc<ServerRecord>| wire::Server {
        id: server.id,
        address: server.address.clone(),
        http_address: server.http_address.clone(),
    };
    state.servers().map(server).collect()
}

/// The agent has gone, or speaks in another session.
struct Gone;

/// The wait until new work may be given out.
type Turn<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// Waits for a turn; for ever where there is none.
async fn come(turn: &mut Option<Turn<'_>>) {
    match turn {
        Some(turn) => turn.await,
        None => std::future::pending().await,
    }
}
