//! What arrives on an HTTP/2 stream, as the seam wants it.

use tokio::sync::watch;
use tokio_stream::{Stream, StreamExt};
use tonic::Streaming;

use crate::wire::Frame;

/// What arrives on `incoming`, until the other side ends or breaks. Each direction lives by itself: whoever has stopped
/// listening may go on talking.
pub(super) fn frames(incoming: Streaming<Frame>) -> impl Stream<Item = Frame> + Send {
    incoming.map_while(Result::ok)
}

/// Returns when `closing` is true, and never if it can't become so any more.
pub(super) async fn closed(closing: &mut watch::Receiver<bool>) {
    if closing.wait_for(|closing| *closing).await.is_err() {
        std::future::pending().await
    }
}
