//! A net in memory: every message takes a moment that follows from the seed, and a process can be unplugged for good.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use model::ServerId;
use proto::net::{CHANNEL_FRAMES_MAX, Caller, Channel, Dialer, NetError, Peer, Service};
use proto::wire::{Frame, Request, Response};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::sim::seed::SeededRandom;

/// The shortest time that a message takes, and how much longer it may take, in microseconds.
const DELAY_US: (u64, u64) = (100, 900);

/// The net that all processes share. Clones are the same.
#[derive(Clone)]
pub struct Net {
    random: Arc<SeededRandom>,
    listeners: Arc<Mutex<BTreeMap<String, Listener>>>,
}

#[derive(Clone)]
struct Listener {
    id: ServerId,
    service: Arc<dyn Service>,
    plug: CancellationToken,
}

impl Net {
    /// Nobody listens.
    pub fn new(random: Arc<SeededRandom>) -> Self {
        Self { random, listeners: Arc::default() }
    }

    /// Server `id` answers at `address`, until `plug` is pulled.
    pub fn listen(&self, id: ServerId, address: &str, service: Arc<dyn Service>, plug: CancellationToken) {
        self.listeners().insert(address.into(), Listener { id, service, plug });
    }

    /// What `caller` dials with, until its `plug` is pulled.
    pub fn dialer(&self, caller: Caller, plug: CancellationToken) -> Arc<dyn Dialer> {
        Arc::new(Dials { net: self.clone(), caller, plug })
    }

    fn listeners(&self) -> MutexGuard<'_, BTreeMap<String, Listener>> {
        self.listeners.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn travel(&self) {
        sleep(Duration::from_micros(DELAY_US.0 + self.random.below(DELAY_US.1))).await;
    }

    /// Carries frames one way, in order, until an end is dropped or unplugged.
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
                net.travel().await;
                if plugs.iter().any(CancellationToken::is_cancelled) || to.send(frame).await.is_err() {
                    return;
                }
            }
        });
    }
}

struct Dials {
    net: Net,
    caller: Caller,
    plug: CancellationToken,
}

impl Dials {
    fn listener(&self, peer: &Peer) -> Result<Listener, NetError> {
        let nobody = || NetError::Unreachable { address: peer.address.clone(), reason: "nobody answers".into() };
        let listener = self.net.listeners().get(&peer.address).cloned().ok_or_else(nobody)?;
        // As TLS does: who wants one server does not speak to another.
        let is_another = peer.server.is_some_and(|wanted| wanted != listener.id);
        let is_cut = listener.plug.is_cancelled() || self.plug.is_cancelled();
        if is_another || is_cut { Err(nobody()) } else { Ok(listener) }
    }
}

#[async_trait]
impl Dialer for Dials {
    async fn call(&self, peer: &Peer, request: Request, deadline: Duration) -> Result<Response, NetError> {
        let unknown = |reason: &str| NetError::Unknown { address: peer.address.clone(), reason: reason.into() };
        let asked = async {
            self.net.travel().await;
            let listener = self.listener(peer)?;
            let answer = tokio::select! {
                biased;
                () = listener.plug.cancelled() => return Err(unknown("the connection broke")),
                () = self.plug.cancelled() => return Err(unknown("the connection broke")),
                answer = listener.service.call(self.caller, request) => answer,
            };
            self.net.travel().await;
            Ok(answer?)
        };
        timeout(deadline, asked).await.unwrap_or_else(|_| Err(unknown("the deadline passed")))
    }

    async fn open(&self, peer: &Peer, _: Duration) -> Result<Channel, NetError> {
        self.net.travel().await;
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
            service.open(caller, Channel { sender: far_sender, receiver: far_receiver.into() }).await;
        });
        Ok(Channel { sender: near_sender, receiver: near_receiver.into() })
    }
}
