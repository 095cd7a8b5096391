//! Moves frames from an HTTP/2 stream into a channel of the seam, until either end has had enough.

use tokio::sync::{mpsc, watch};
use tonic::Streaming;

use crate::wire::Frame;

/// Moves what arrives on `incoming` to `frames`. Ends when the other side ends or breaks, when nobody listens any more,
/// or when `closing` turns true. Each direction lives by itself: whoever has stopped listening may go on talking.
pub(super) async fn pump(
    mut incoming: Streaming<Frame>,
    frames: mpsc::Sender<Frame>,
    mut closing: watch::Receiver<bool>,
) {
    let receive = async {
        while let Ok(Some(frame)) = incoming.message().await {
            if frames.send(frame).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        () = receive => {}
        () = frames.closed() => {}
        () = closed(&mut closing) => {}
    }
}

/// Returns when `closing` is true, and never if it can't become so any more.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_err() {
        std::future::pending().await
    }
}
