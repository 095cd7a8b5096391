//! The stream to a server: one at a time, to any of them, for as long as the agent lives.
//!
//! Beats go up at the interval that servers tell; the leader's acknowledgements come down. A beat that stays without
//! one for [`SILENCE_GRACE`] beyond the interval makes the link open a stream to another server beside the first, which
//! it drops only when the second stands. Where none helps, it tries less and less often: it is the leader then that is gone
//! or has too much to do, and each new stream gives it more. It carries frames; what they mean is the agent's matter.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use proto::net::{Channel, Dialer, NetError, Peer};
use proto::wire::{self, AgentDown, AgentUp, Frame, agent_down, agent_up, frame, hello};
use seams::Random;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::agent::Input;

/// How long after a missed acknowledgement another server is tried.
pub const SILENCE_GRACE: Duration = Duration::from_millis(500);
/// Time to connect to a server.
pub const DIAL_DEADLINE: Duration = Duration::from_secs(2);
/// The longest wait between two attempts to connect, before jitter.
pub const REDIAL_DELAY_MAX: Duration = Duration::from_secs(2);
/// The wait after the first failed attempt.
pub const REDIAL_DELAY_MIN: Duration = Duration::from_millis(100);
/// The longest wait before a server is left because the leader stays silent, before jitter: with the time until that is
/// noticed it is less than a node may be silent.
pub const SILENT_REDIAL_DELAY_MAX: Duration = Duration::from_secs(4);
/// How often beats say again what runs use, though it has not changed: a new leader has not heard it.
pub const USAGE_REPEATED: Duration = Duration::from_secs(10);
/// The interval of beats until a server tells another.
pub const BEAT_INTERVAL_FIRST: Duration = Duration::from_secs(1);

/// What the link tells the agent.
#[derive(Debug)]
pub(crate) enum LinkEvent {
    /// A server took the stream.
    Welcome(wire::Welcome),
    /// The wanted set.
    Wanted(wire::Wanted),
    /// What was fetched.
    Bodies(wire::Bodies),
    /// Observations up to this sequence are kept.
    Kept(u64),
    /// How often beats come from now on.
    BeatInterval(Duration),
    /// Something to be done now, and the server that asks.
    Order(Peer, wire::Order),
    /// The leader does not know the node.
    Reregister,
}

/// The link's end of what it shares with the agent.
pub(crate) struct Link {
    pub dialer: Arc<dyn Dialer>,
    pub random: Arc<dyn Random>,
    pub servers: Vec<Peer>,
    pub inputs: mpsc::UnboundedSender<Input>,
    pub outgoing: mpsc::UnboundedReceiver<AgentUp>,
    pub hello: watch::Receiver<wire::AgentHello>,
    pub usage: watch::Receiver<wire::Usage>,
    /// When the leader last heard a beat. The agent is not woken for it.
    pub heard: watch::Sender<Instant>,
    pub lease: Duration,
    pub shutdown: CancellationToken,
}

/// Where the link stands.
struct Stand {
    conversation: Option<(Peer, Channel)>,
    dialing: Option<BoxFuture<'static, (Peer, Result<Channel, NetError>)>>,
    /// The place in the list of servers that is tried next.
    next: usize,
    failures: u32,
    /// Streams that were opened because the leader was silent, since it last was not.
    silences: u32,
    interval: Duration,
    beat_at: Instant,
    beats: u64,
    /// When what runs use is told again though it has not changed.
    usage_at: Instant,
    /// When the silence of the leader is too long.
    silent_at: Instant,
}

impl Stand {
    /// Beats each so many milliseconds from now on; 0 says nothing.
    fn go_by(&mut self, milliseconds: u64) {
        if milliseconds > 0 {
            self.interval = Duration::from_millis(milliseconds);
            self.beat_at = self.beat_at.min(Instant::now() + self.interval);
        }
    }
}

impl Link {
    /// Keeps a stream to some server until the shutdown.
    pub async fn run(mut self) {
        let now = Instant::now();
        let mut stand = Stand {
            conversation: None,
            dialing: None,
            next: self.random.next_u64() as usize,
            failures: 0,
            silences: 0,
            interval: BEAT_INTERVAL_FIRST,
            beat_at: now,
            beats: 0,
            usage_at: now,
            silent_at: now,
        };
        loop {
            if stand.dialing.is_none() && (stand.conversation.is_none() || stand.silent_at <= Instant::now()) {
                stand.dialing = Some(self.dial(&mut stand));
            }
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => {
                    self.say_goodbye(&mut stand);
                    return;
                }
                (peer, dialed) = dialed(&mut stand.dialing) => self.dialed(&mut stand, peer, dialed),
                frame = received(&mut stand.conversation) => self.receive(&mut stand, frame),
                Some(up) = self.outgoing.recv() => send(&mut stand, up),
                () = sleep_until(stand.beat_at), if stand.conversation.is_some() => self.beat(&mut stand),
                () = sleep_until(stand.silent_at), if stand.conversation.is_some() && stand.dialing.is_none() => {}
            }
        }
    }

    /// Connects to the next server, not to the one whose leader is silent, after a wait that grows with failures.
    fn dial(&self, stand: &mut Stand) -> BoxFuture<'static, (Peer, Result<Channel, NetError>)> {
        let current = stand.conversation.as_ref().map(|(peer, _)| peer.address.clone());
        let others: Vec<&Peer> = self.servers.iter().filter(|peer| Some(&peer.address) != current.as_ref()).collect();
        let candidates = if others.is_empty() { self.servers.iter().collect() } else { others };
        let Some(peer) = candidates.get(stand.next % candidates.len().max(1)).map(|peer| (*peer).clone()) else {
            return Box::pin(std::future::pending());
        };
        // Where all have failed, other servers may have taken their places: those of a cluster that was restored have new
        // ids. Whoever answers still has to prove that it is a server of this cluster.
        let all_failed = current.is_none() && stand.failures as usize >= candidates.len();
        let peer = if all_failed { Peer::any(peer.address) } else { peer };
        stand.next = stand.next.wrapping_add(1);
        let base = redial_delay(stand.failures, current.is_some().then_some(stand.silences));
        // Half of the wait is random, so that the agents of a lost server do not arrive together.
        let jitter = Duration::from_nanos(self.random.next_u64() % (base.as_nanos() as u64 / 2 + 1));
        let dialer = self.dialer.clone();
        Box::pin(async move {
            tokio::time::sleep(base / 2 + jitter).await;
            let channel = dialer.open(&peer, DIAL_DEADLINE).await;
            (peer, channel)
        })
    }

    fn dialed(&self, stand: &mut Stand, peer: Peer, dialed: Result<Channel, NetError>) {
        stand.dialing = None;
        let now = Instant::now();
        match dialed {
            Ok(channel) => {
                let hello = wire::Hello { body: Some(hello::Body::Agent(self.hello.borrow().clone())) };
                // A fresh conversation has room for its first frame.
                let greeted = channel.sender.try_send(Frame { body: Some(frame::Body::Hello(hello)) }).is_ok();
                if greeted {
                    info!(server = %peer.address, "connected to server");
                    stand.silences += u32::from(stand.conversation.is_some());
                    stand.conversation = Some((peer, channel));
                    stand.beat_at = now;
                    stand.usage_at = now;
                    stand.silent_at = now + stand.interval + SILENCE_GRACE;
                    return;
                }
                stand.failures += 1;
            }
            Err(error) => {
                stand.failures += 1;
                if stand.failures.is_power_of_two() {
                    warn!(server = %peer.address, %error, attempts = stand.failures, "no server reached; tasks go on");
                }
            }
        }
        if stand.conversation.is_some() {
            // The first stream still stands; its silence counts anew before the next server is tried.
            stand.silent_at = now + SILENCE_GRACE;
        }
    }

    fn receive(&mut self, stand: &mut Stand, frame: Option<Frame>) {
        let Some((peer, _)) = &stand.conversation else { return };
        let peer = peer.clone();
        let down = match frame.map(|frame| frame.body) {
            Some(Some(frame::Body::Down(AgentDown { body: Some(down) }))) => down,
            Some(Some(frame::Body::End(end))) => {
                warn!(server = %peer.address, error = end.error, "server ended the stream");
                stand.failures += 1;
                stand.conversation = None;
                return;
            }
            // A frame of a newer release, which this one does not know.
            Some(_) => return,
            None => {
                info!(server = %peer.address, "stream to server broke");
                stand.failures += 1;
                stand.conversation = None;
                return;
            }
        };
        let event = match down {
            agent_down::Body::Welcome(welcome) => {
                stand.failures = 0;
                stand.go_by(welcome.beat_interval_ms);
                stand.silent_at = Instant::now() + stand.interval + SILENCE_GRACE;
                self.learn(&welcome.servers);
                LinkEvent::Welcome(welcome)
            }
            agent_down::Body::BeatHeard(_) => {
                let now = Instant::now();
                stand.silent_at = now + stand.interval + SILENCE_GRACE;
                // Another stream is not needed any more.
                stand.dialing = None;
                stand.silences = 0;
                self.heard.send_replace(now);
                return;
            }
            agent_down::Body::BeatIntervalMs(milliseconds) => {
                stand.go_by(milliseconds);
                LinkEvent::BeatInterval(stand.interval)
            }
            agent_down::Body::Wanted(wanted) => LinkEvent::Wanted(wanted),
            agent_down::Body::Bodies(bodies) => LinkEvent::Bodies(bodies),
            agent_down::Body::ObservationsKept(sequence) => LinkEvent::Kept(sequence),
            agent_down::Body::Order(order) => LinkEvent::Order(peer, order),
            agent_down::Body::Reregister(_) => LinkEvent::Reregister,
            agent_down::Body::Servers(told) => {
                self.learn(&told.servers);
                return;
            }
        };
        // The agent is gone only when this task is about to be.
        let _ = self.inputs.send(Input::Link(event));
    }

    /// Keeps the servers that it was configured with as a last resort behind those that it is told of.
    fn learn(&mut self, servers: &[wire::Server]) {
        let told: Vec<Peer> = servers.iter().map(|server| Peer::server(server.id, server.address.clone())).collect();
        if told.is_empty() {
            return;
        }
        let configured = std::mem::take(&mut self.servers);
        let known = |peer: &Peer| told.iter().any(|other| other.address == peer.address);
        let rest: Vec<Peer> = configured.into_iter().filter(|peer| peer.server.is_none() && !known(peer)).collect();
        self.servers = told.iter().cloned().chain(rest).collect();
    }

    fn beat(&mut self, stand: &mut Stand) {
        let now = Instant::now();
        stand.beats += 1;
        stand.beat_at = now + stand.interval;
        // The agent ends only after this.
        let is_news = stand.usage_at <= now || self.usage.has_changed().unwrap_or(false);
        let usage = is_news.then(|| self.usage.borrow_and_update().clone());
        if is_news {
            stand.usage_at = now + USAGE_REPEATED;
        }
        let beat = wire::Beat { sequence: stand.beats, usage };
        send(stand, AgentUp { body: Some(agent_up::Body::Beat(beat)) });
    }

    /// Tells that the agent will be back, so that nothing moves meanwhile.
    fn say_goodbye(&mut self, stand: &mut Stand) {
        while let Ok(up) = self.outgoing.try_recv() {
            send(stand, up);
        }
        let lease = wire::Lease { milliseconds: self.lease.as_millis() as u64 };
        send(stand, AgentUp { body: Some(agent_up::Body::Lease(lease)) });
    }
}

/// Sends, or drops: everything that matters is repeated by whoever said it until it is confirmed.
fn send(stand: &mut Stand, up: AgentUp) {
    let Some((peer, channel)) = &stand.conversation else { return };
    match channel.sender.try_send(Frame { body: Some(frame::Body::Up(up)) }) {
        Ok(()) => {}
        Err(TrySendError::Full(_)) => warn!(server = %peer.address, "stream to server is full, a frame was dropped"),
        Err(TrySendError::Closed(_)) => stand.conversation = None,
    }
}

/// The wait before the next attempt to connect, before jitter: it doubles with each of the `failures` up to its limit. Where
/// a stream stands, but the leader is silent, it doubles with each of the `silences` too.
fn redial_delay(failures: u32, silences: Option<u32>) -> Duration {
    let doubled = |least: Duration, times: u32| least.saturating_mul(1 << times.min(31));
    let after_failure = |times| doubled(REDIAL_DELAY_MIN, times).min(REDIAL_DELAY_MAX);
    let after_failure = failures.checked_sub(1).map_or(Duration::ZERO, after_failure);
    let silent = silences.map(|silences| doubled(SILENCE_GRACE, silences).min(SILENT_REDIAL_DELAY_MAX));
    silent.unwrap_or_default().max(after_failure)
}

async fn dialed(
    dialing: &mut Option<BoxFuture<'static, (Peer, Result<Channel, NetError>)>>,
) -> (Peer, Result<Channel, NetError>) {
    match dialing {
        Some(dialing) => dialing.await,
        None => std::future::pending().await,
    }
}

async fn received(conversation: &mut Option<(Peer, Channel)>) -> Option<Frame> {
    match conversation {
        Some((_, channel)) => channel.receiver.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_before_the_next_attempt_grows_from_its_least_to_its_most() {
        assert_eq!(redial_delay(0, None), Duration::ZERO);
        assert_eq!(redial_delay(1, None), REDIAL_DELAY_MIN);
        assert_eq!(redial_delay(2, None), 2 * REDIAL_DELAY_MIN);
        let grows = (1..).take_while(|failures| REDIAL_DELAY_MIN * (1 << (failures - 1)) < REDIAL_DELAY_MAX).count();
        let grown = u32::try_from(grows).unwrap();
        assert!(redial_delay(grown, None) < REDIAL_DELAY_MAX);
        assert_eq!(redial_delay(grown + 1, None), REDIAL_DELAY_MAX);
        assert_eq!(redial_delay(u32::MAX, None), REDIAL_DELAY_MAX);
    }

    #[test]
    fn where_no_server_makes_the_leader_heard_others_are_tried_less_often_but_before_the_node_is_given_up() {
        assert_eq!(redial_delay(0, Some(0)), SILENCE_GRACE);
        assert_eq!(redial_delay(0, Some(1)), 2 * SILENCE_GRACE);
        assert_eq!(redial_delay(u32::MAX, Some(0)), REDIAL_DELAY_MAX);
        assert_eq!(redial_delay(0, Some(u32::MAX)), SILENT_REDIAL_DELAY_MAX);
        let rotation = BEAT_INTERVAL_FIRST + SILENCE_GRACE + SILENT_REDIAL_DELAY_MAX;
        assert!(rotation < Duration::from_secs(6), "after so long without a beat a node is down");
    }
}
