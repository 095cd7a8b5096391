//! A conversation: frames in both directions, in order, until an end is dropped, unplugged, or the link is dead too long.

use proto::net::{CHANNEL_FRAMES_MAX, Channel};
use proto::wire::Frame;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Process, SimNet};

/// Both ends of a conversation from `near` to `far`.
pub fn conversation(net: &SimNet, near: Process, far: Process, plugs: [CancellationToken; 2]) -> (Channel, Channel) {
    let (near_sender, near_outbound) = mpsc::channel(CHANNEL_FRAMES_MAX);
    let (near_inbound, near_receiver) = mpsc::channel(CHANNEL_FRAMES_MAX);
    let (far_sender, far_outbound) = mpsc::channel(CHANNEL_FRAMES_MAX);
    let (far_inbound, far_receiver) = mpsc::channel(CHANNEL_FRAMES_MAX);
    let [one, other] = plugs;
    let ends = Ends { plugs: [one, other, CancellationToken::new()] };
    carry(net, (near, far), near_outbound, far_inbound, ends.clone());
    carry(net, (far, near), far_outbound, near_inbound, ends);
    let near = Channel { sender: near_sender, receiver: near_receiver.into() };
    let far = Channel { sender: far_sender, receiver: far_receiver.into() };
    (near, far)
}

/// What ends a conversation: either process, or the connection.
#[derive(Clone)]
struct Ends {
    plugs: [CancellationToken; 3],
}

impl Ends {
    async fn come(&self) {
        let [one, other, connection] = &self.plugs;
        tokio::select! {
            biased;
            () = one.cancelled() => {}
            () = other.cancelled() => {}
            () = connection.cancelled() => {}
        }
    }

    fn are_here(&self) -> bool {
        self.plugs.iter().any(CancellationToken::is_cancelled)
    }

    fn break_connection(&self) {
        self.plugs[2].cancel();
    }
}

/// Carries frames one way. Many are on their way at once, none overtakes another.
fn carry(
    net: &SimNet,
    (from, to): (Process, Process),
    mut outbound: mpsc::Receiver<Frame>,
    inbound: mpsc::Sender<Frame>,
    ends: Ends,
) {
    let (on_the_way, mut arriving) = mpsc::channel::<(Instant, Frame)>(CHANNEL_FRAMES_MAX);
    let (net, leaving, leaving_ends, gone) = (net.clone(), net.clone(), ends.clone(), inbound.clone());
    tokio::spawn(async move {
        let mut last = Instant::now();
        loop {
            let frame = tokio::select! {
                biased;
                () = leaving_ends.come() => return,
                () = gone.closed() => return,
                frame = outbound.recv() => frame,
            };
            let Some(frame) = frame else { return };
            leaving.overhear(from, to, &frame);
            last = last.max(Instant::now() + leaving.delay());
            if on_the_way.send((last, frame)).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(async move {
        while let Some((at, frame)) = arriving.recv().await {
            let arrived = async {
                sleep_until(at).await;
                net.opens(from, to).await
            };
            let arrived = tokio::select! {
                biased;
                () = ends.come() => return,
                arrived = arrived => arrived,
            };
            if arrived.is_err() {
                ends.break_connection();
                return;
            }
            if ends.are_here() || inbound.send(frame).await.is_err() {
                return;
            }
        }
    });
}
