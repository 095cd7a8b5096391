//! Somebody claims to be a node: an agent with a copy of its data folder, or a stranger who knows its id and no more.

use std::sync::Arc;
use std::time::Duration;

use invariants::Violation;
use model::Node;
use proto::convert::node_to_wire;
use proto::net::{Channel, Dialer, Peer};
use proto::wire::{AgentHello, AgentUp, Beat, Frame, Hello, agent_down, agent_up, frame, hello};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;

use crate::sim::cluster::SimCluster;
use crate::sim::coverage::Sometimes;
use crate::sim::net::{Process, address, key_of, node_id};
use crate::sim::seed::SeededRandom;

/// Processes of claimants are numbered from here on.
const CLAIMANTS: u64 = 1_000;
/// The key of a stranger, and the mark of the host of whoever claims.
const OTHER: [u8; 32] = [0xee; 32];
const DIAL_WITHIN: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(500);
const BEAT: Duration = Duration::from_secs(1);

pub(super) async fn play(cluster: &Arc<SimCluster>, random: &SeededRandom) {
    let Some(number) = random.pick(&cluster.agent_numbers()) else { return };
    let is_copy = random.chance(60);
    let lasts = random.milliseconds(1_000, 15_000);
    let who = if is_copy { "a copy of its data folder" } else { "nothing but its id" };
    cluster.trace.say(format_args!("-- somebody claims to be n{number} for {lasts:?}, with {who}"));
    let plug = CancellationToken::new();
    let _pulled = plug.clone().drop_guard();
    let key = if is_copy { key_of(number) } else { OTHER };
    let dialer = cluster.dialer_of(Process::Agent(CLAIMANTS + number), node_id(number), key, plug);
    let claim = Claim { number, is_copy, until: Instant::now() + lasts, dialer };
    while Instant::now() < claim.until {
        if is_copy {
            cluster.claimed(number);
        }
        claim.attempt(cluster, random).await;
        sleep(PAUSE).await;
    }
}

struct Claim {
    number: u64,
    is_copy: bool,
    until: Instant,
    dialer: Arc<dyn Dialer>,
}

impl Claim {
    /// Says hello to some server, and beats for as long as it is let.
    async fn attempt(&self, cluster: &SimCluster, random: &SeededRandom) {
        let Some(server) = random.pick(&cluster.server_ids()) else { return };
        let state = cluster.oracle.newest();
        let id = node_id(self.number);
        // The first to come is the node's agent, and so is the first after it was purged.
        let Some(node) = state.node(id).filter(|_| state.holder(id).is_some()) else { return };
        let opened = self.dialer.open(&Peer::server(server, address(server)), DIAL_WITHIN).await;
        let Ok(mut channel) = opened else { return };
        if channel.sender.try_send(frame(frame::Body::Hello(self.hello(node, state.epoch())))).is_err() {
            return;
        }
        let mut beats = 0;
        while Instant::now() < self.until {
            beats += 1;
            let beat = AgentUp { body: Some(agent_up::Body::Beat(Beat { sequence: beats, usage: None })) };
            if channel.sender.try_send(frame(frame::Body::Up(beat))).is_err()
                || !self.listen(cluster, &mut channel).await
            {
                return;
            }
            if self.is_copy {
                cluster.claimed(self.number);
            }
        }
    }

    /// Listens until the next beat; whether the stream goes on.
    async fn listen(&self, cluster: &SimCluster, channel: &mut Channel) -> bool {
        let next = Instant::now() + BEAT;
        loop {
            let body = match timeout_at(next, channel.receiver.recv()).await {
                Err(_) => return true,
                Ok(None) => return false,
                Ok(Some(frame)) => frame.body,
            };
            match body {
                Some(frame::Body::Down(down)) if matches!(down.body, Some(agent_down::Body::Welcome(_))) => {
                    self.welcomed(cluster);
                }
                Some(frame::Body::End(_)) => {
                    cluster.oracle.note(Sometimes::ClaimWasTurnedAway);
                    return false;
                }
                _ => {}
            }
        }
    }

    fn welcomed(&self, cluster: &SimCluster) {
        let number = self.number;
        if self.is_copy {
            cluster.trace.say(format_args!("-- the copy is taken for n{number}"));
            cluster.oracle.note(Sometimes::CopyStoodIn);
        } else {
            cluster
                .trace
                .violate(Violation { invariant: "identity", what: format!("a stranger is taken for n{number}") });
        }
    }

    fn hello(&self, node: &Node, epoch: u64) -> Hello {
        let hello = AgentHello { node: Some(node_to_wire(node)), epoch, host: OTHER.to_vec().into() };
        Hello { body: Some(hello::Body::Agent(hello)) }
    }
}

fn frame(body: frame::Body) -> Frame {
    Frame { body: Some(body) }
}
