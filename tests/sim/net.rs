//! The network's twin: delays from the seed, and processes that can be unplugged as a crash does.
//!
//! Frames of one conversation keep their order, as they do over TCP. A process that was unplugged neither sends nor
//! receives any more, whatever its tasks still do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use proto::net::{CHANNEL_FRAMES_MAX, Caller, Channel, Dialer, NetError, Peer, Service};
use proto::wire::{Frame, Request, Response};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::seed::SeededRandom;

/// The shortest delay of a message.
const DELAY_MIN_US: u64 = 100;
/// How much longer it may be.
const DELAY_SPREAD_US: u64 = 1_900;

/// The network that all processes of a simulation share.
#[derive(Clone)]
pub struct SimNet {
    random: Arc<SeededRandom>,
    listeners: Arc<Mutex<BTreeMap<String, Listener>>>,
}

#[derive(Clone)]
struct Listener {
    service: Arc<dyn Service>,
    plug: CancellationToken,
}

impl SimNet {
    /// An empty network whose delays follow from `random`.
    pub fn new(random: Arc<SeededRandom>) -> Self {
        Self { random, listeners: Arc::default() }
    }

    /// Answers at `address` until `plug` is pulled (cancelled).
    pub fn listen(&self, address: &str, service: Arc<dyn Service>, plug: CancellationToken) {
        self.listeners().insert(address.into(), Listener { service, plug });
    }

    /// What a process dials with that is `caller`, until its `plug` is pulled.
    pub fn dialer(&self, caller: Caller, plug: CancellationToken) -> Arc<dyn Dialer> {
        Arc::new(SimDialer { net: self.clone(), caller, plug })
    }

    fn listeners(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn delay(&self) -> Duration {
        Duration::from_micros(DELAY_MIN_US + self.random.below(DELAY_SPREAD_US))
    }

    /// Carries frames one way, until an end is dropped or unplugged.
    fn carry(&self, mut from: mpsc::Receiver<Frame>, to: mpsc::Sender<Frame>, plugs: [CancellationToken; 2]) {
        let net = self.clone();
        tokio::spawn(async move {
            loop {
                let frame = tokio::select! {
                    biased;
                    () = plugs[0].cancelled() => return,
                    () = plugs[1].cancelled() => return,
                    () = to.closed() => return,
                    frame = from.recv() => frame,
                };
                let Some(frame) = frame else { return };
                sleep(net.delay()).await;
                if plugs.iter().any(CancellationToken::is_cancelled) || to.send(frame).await.is_err() {
                    return;
                }
            }
        });
    }
}

struct SimDialer {
    net: SimNet,
    caller: Caller,
    plug: CancellationToken,
}

impl SimDialer {
    fn listener(&self, peer: &Peer) -> Result<Listener, NetError> {
        let unreachable = || NetError::Unreachable { address: peer.address.clone(), reason: "nobody answers".into() };
        let listener = self.net.listeners().get(&peer.address).cloned().ok_or_else(unreachable)?;
        if listener.plug.is_cancelled() || self.plug.is_cancelled() { Err(unreachable()) } else { Ok(listener) }
    }
}

#[async_trait]
impl Dialer for SimDialer {
    async fn call(&self, peer: &Peer, request: Request, deadline: Duration) -> Result<Response, NetError> {
        let unknown = |reason: &str| NetError::Unknown { address: peer.address.clone(), reason: reason.into() };
        let asked = async {
            sleep(self.net.delay()).await;
            let listener = self.listener(peer)?;
            let answer = tokio::select! {
                biased;
                () = listener.plug.cancelled() => return Err(unknown("the connection broke")),
                () = self.plug.cancelled() => return Err(unknown("the connection broke")),
                answer = listener.service.call(self.caller, request) => answer,
            };
            sleep(self.net.delay()).await;
            Ok(answer?)
        };
        timeout(deadline, asked).await.unwrap_or_else(|_| Err(unknown("the deadline passed")))
    }

    async fn open(&self, peer: &Peer, _deadline: Duration) -> Result<Channel, NetError> {
        sleep(self.net.delay()).await;
        let listener = self.listener(peer)?;
        let plugs = [self.plug.clone(), listener.plug.clone()];
        let (near_sender, near_outbound) = mpsc::channel(CHANNEL_FRAMES_MAX);
        let (near_inbound, near_receiver) = mpsc::channel(CHANNEL_FRAMES_MAX);
        let (far_sender, far_outbound) = mpsc::channel(CHANNEL_FRAMES_MAX);
        let (far_inbound, far_receiver) = mpsc::channel(CHANNEL_FRAMES_MAX);
        self.net.carry(near_outbound, far_inbound, plugs.clone());
        self.net.carry(far_outbound, near_inbound, plugs);
        let (service, caller) = (listener.service, self.caller);
        tokio::spawn(async move {
            service.open(caller, Channel { sender: far_sender, receiver: far_receiver }).await;
        });
        Ok(Channel { sender: near_sender, receiver: near_receiver })
    }
}
