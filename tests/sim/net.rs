//! The network's twin: delays from the seed, processes that can be unplugged as a crash does, and bad weather.
//!
//! Frames of one conversation keep their order and none is lost alone, as over TCP: a loss delays what follows, and a
//! link that is dead for too long breaks the conversation. Questions stand each for themselves, so they overtake each
//! other. A process that was unplugged neither sends nor receives any more, whatever its tasks still do.

mod stream;
mod weather;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::{NodeId, ServerId};
use proto::net::{Caller, Channel, Dialer, NetError, Peer, Service};
use proto::wire::{Frame, Request, Response, agent_down, agent_up, frame};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::oracle::Oracle;
use super::seed::SeededRandom;
pub use weather::Weather;

/// The shortest delay of a message.
const DELAY_MIN_US: u64 = 100;
/// How much longer it may be.
const DELAY_SPREAD_US: u64 = 1_900;
/// When a packet that was lost is sent again.
const RETRANSMIT: Duration = Duration::from_millis(200);
/// How long a connection is waited for, as in production.
const CONNECT_WITHIN: Duration = Duration::from_millis(250);
/// How late a duplicate may come.
const DUPLICATE_AFTER_MS: u64 = 2_000;

/// A process as the network knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Process {
    /// A server.
    Server(ServerId),
    /// An agent, by its number.
    Agent(u64),
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Process::Server(id) => write!(f, "s{id}"),
            Process::Agent(number) => write!(f, "n{number}"),
        }
    }
}

/// Where a server is reached.
pub fn address(id: ServerId) -> String {
    format!("s{id}:4647")
}

fn server_at(address: &str) -> Option<Process> {
    address.strip_prefix('s')?.split_once(':')?.0.parse().ok().map(Process::Server)
}

/// The network that all processes of a simulation share.
#[derive(Clone)]
pub struct SimNet {
    random: Arc<SeededRandom>,
    listeners: Arc<Mutex<BTreeMap<String, Listener>>>,
    weather: watch::Sender<Weather>,
    /// Questions that arrive once more and have not yet.
    late: Arc<AtomicUsize>,
    /// How long a link may be dead before its conversations break.
    breaks_after: Duration,
    oracle: Arc<Oracle>,
}

#[derive(Clone)]
struct Listener {
    service: Arc<dyn Service>,
    plug: CancellationToken,
}

/// A conversation broke, or a question did.
struct Broken;

impl SimNet {
    /// An empty network whose delays follow from `random`.
    pub fn new(random: Arc<SeededRandom>, breaks_after: Duration, oracle: Arc<Oracle>) -> Self {
        Self {
            random,
            listeners: Arc::default(),
            weather: watch::Sender::default(),
            late: Arc::default(),
            breaks_after,
            oracle,
        }
    }

    /// Answers at `address` until `plug` is pulled (cancelled).
    pub fn listen(&self, address: &str, service: Arc<dyn Service>, plug: CancellationToken) {
        self.listeners().insert(address.into(), Listener { service, plug });
    }

    /// What `process` dials with, who proves to be `caller`, until its `plug` is pulled.
    pub fn dialer(&self, process: Process, caller: Caller, plug: CancellationToken) -> Arc<dyn Dialer> {
        Arc::new(SimDialer { net: self.clone(), process, caller, plug })
    }

    /// Changes the weather.
    pub fn change(&self, change: impl FnOnce(&mut Weather)) {
        self.weather.send_modify(change);
    }

    /// Whether messages pass from one to the other now.
    pub fn passes(&self, from: Process, to: Process) -> bool {
        self.weather.borrow().passes(from, to)
    }

    /// Whether nothing is wrong with it now, nor on its way from when something was.
    pub fn is_clear(&self) -> bool {
        self.weather.borrow().is_clear() && self.late.load(Ordering::Relaxed) == 0
    }

    fn listeners(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long a message is on its way, losses included.
    fn delay(&self) -> Duration {
        let (jitter_ms, loss_percent) = {
            let weather = self.weather.borrow();
            (weather.jitter_ms, weather.loss_percent)
        };
        let mut delay = Duration::from_micros(DELAY_MIN_US + self.random.below(DELAY_SPREAD_US));
        if jitter_ms > 0 {
            delay += Duration::from_micros(self.random.below(jitter_ms * 1000));
        }
        let mut wait = RETRANSMIT;
        while loss_percent > 0 && self.random.chance(loss_percent) {
            delay += wait;
            wait *= 2;
        }
        delay
    }

    /// Waits until a message that is sent now has crossed; an error if the link is dead for too long.
    async fn cross(&self, from: Process, to: Process) -> Result<(), Broken> {
        self.opens(from, to).await?;
        sleep(self.delay()).await;
        self.opens(from, to).await
    }

    /// Waits until the link is open.
    async fn opens(&self, from: Process, to: Process) -> Result<(), Broken> {
        if self.passes(from, to) {
            return Ok(());
        }
        let mut weather = self.weather.subscribe();
        let open = weather.wait_for(|weather| weather.passes(from, to));
        match timeout(self.breaks_after, open).await {
            Ok(Ok(_)) => {}
            Ok(Err(_)) | Err(_) => return Err(Broken),
        }
        // Not all that waited arrives at once.
        sleep(self.delay()).await;
        Ok(())
    }

    /// What the world outside learns from a frame on its way.
    fn overhear(&self, from: Process, to: Process, frame: &Frame) {
        match (from, to, &frame.body) {
            (Process::Agent(number), _, Some(frame::Body::Up(up))) => {
                if let Some(agent_up::Body::Beat(beat)) = &up.body {
                    self.oracle.beat_sent(number, beat.sequence, Instant::now());
                }
            }
            (_, Process::Agent(number), Some(frame::Body::Down(down))) => {
                if let Some(agent_down::Body::BeatHeard(sequence)) = down.body {
                    self.oracle.beat_heard(number, sequence);
                }
            }
            _ => {}
        }
    }
}

struct SimDialer {
    net: SimNet,
    process: Process,
    caller: Caller,
    plug: CancellationToken,
}

impl SimDialer {
    fn listener(&self, peer: &Peer) -> Result<(Listener, Process), NetError> {
        let unreachable = || NetError::Unreachable { address: peer.address.clone(), reason: "nobody answers".into() };
        let listener = self.net.listeners().get(&peer.address).cloned().ok_or_else(unreachable)?;
        if listener.plug.is_cancelled() || self.plug.is_cancelled() {
            return Err(unreachable());
        }
        Ok((listener, server_at(&peer.address).ok_or_else(unreachable)?))
    }

    /// Connects, where there may be no connection yet: what is out of reach then is known not to have got anything.
    async fn connect(&self, peer: &Peer) -> Result<(), NetError> {
        let Some(to) = server_at(&peer.address) else { return Ok(()) };
        if self.net.passes(self.process, to) && self.net.passes(to, self.process) {
            return Ok(());
        }
        if self.net.random.chance(50) {
            sleep(CONNECT_WITHIN).await;
            let reason = "no connection".to_string();
            return Err(NetError::Unreachable { address: peer.address.clone(), reason });
        }
        Ok(())
    }

    /// Has a question arrive once more, later, whatever became of the first.
    fn duplicate(&self, listener: &Listener, request: &Request) {
        let percent = self.net.weather.borrow().duplicate_percent;
        if percent == 0 || !self.net.random.chance(percent) {
            return;
        }
        let after = self.net.random.milliseconds(1, DUPLICATE_AFTER_MS);
        let (listener, caller, request) = (listener.clone(), self.caller, request.clone());
        let late = self.net.late.clone();
        late.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            sleep(after).await;
            tokio::select! {
                biased;
                () = listener.plug.cancelled() => {}
                _ = listener.service.call(caller, request) => {}
            }
            late.fetch_sub(1, Ordering::Relaxed);
        });
    }
}

#[async_trait]
impl Dialer for SimDialer {
    async fn call(&self, peer: &Peer, request: Request, deadline: Duration) -> Result<Response, NetError> {
        let unknown = |reason: &str| NetError::Unknown { address: peer.address.clone(), reason: reason.into() };
        let broken = |_: Broken| unknown("the connection broke");
        let asked = async {
            self.connect(peer).await?;
            let (_, to) = self.listener(peer)?;
            self.net.cross(self.process, to).await.map_err(broken)?;
            let (listener, _) = self.listener(peer)?;
            self.duplicate(&listener, &request);
            let answer = tokio::select! {
                biased;
                () = listener.plug.cancelled() => return Err(unknown("the connection broke")),
                () = self.plug.cancelled() => return Err(unknown("the connection broke")),
                answer = listener.service.call(self.caller, request) => answer,
            };
            let lost_percent = self.net.weather.borrow().lost_replies_percent;
            if lost_percent > 0 && self.net.random.chance(lost_percent) {
                return Err(unknown("the answer was lost"));
            }
            self.net.cross(to, self.process).await.map_err(broken)?;
            if self.plug.is_cancelled() {
                return Err(unknown("the connection broke"));
            }
            Ok(answer?)
        };
        timeout(deadline, asked).await.unwrap_or_else(|_| Err(unknown("the deadline passed")))
    }

    async fn open(&self, peer: &Peer, deadline: Duration) -> Result<Channel, NetError> {
        let unknown = |reason: &str| NetError::Unknown { address: peer.address.clone(), reason: reason.into() };
        let opened = async {
            self.connect(peer).await?;
            let (_, to) = self.listener(peer)?;
            self.net.cross(self.process, to).await.map_err(|_| unknown("the connection broke"))?;
            let (listener, _) = self.listener(peer)?;
            let plugs = [self.plug.clone(), listener.plug.clone()];
            let (near, far) = stream::conversation(&self.net, self.process, to, plugs);
            let (service, caller) = (listener.service, self.caller);
            tokio::spawn(async move { service.open(caller, far).await });
            Ok(near)
        };
        timeout(deadline, opened).await.unwrap_or_else(|_| Err(unknown("the deadline passed")))
    }
}

/// What stands for the key of agent `number`.
pub fn key_of(number: u64) -> [u8; 32] {
    blake3::hash(&number.to_le_bytes()).into()
}

/// The id of agent `number`'s node.
pub fn node_id(number: u64) -> NodeId {
    NodeId::derive(&[b"node", &number.to_le_bytes()])
}
