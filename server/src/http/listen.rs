//! The connection loop: accepts, limits, and ends in order.
//!
//! Ours rather than a ready-made one, because a slow head must not hold a connection for ever, and because shutdown must
//! not wait for streams that never end: they and blocking queries end on the same token.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::bind::{BindError, check_bind};
use super::limits::{CONNECTIONS_MAX, HEADER_READ_MAX, SHUTDOWN_GRACE};
use super::{HttpConfig, router};
use crate::cluster::Cluster;

/// Pause after a connection could not be accepted, which mostly means that there are no more file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves HTTP until `shutdown`, then lets what is under way end.
pub async fn serve(
    listener: TcpListener,
    cluster: Arc<dyn Cluster>,
    config: HttpConfig,
    shutdown: CancellationToken,
) -> Result<(), BindError> {
    if let Ok(address) = listener.local_addr() {
        check_bind(address)?;
    }
    let router = router(cluster, config, shutdown.clone());
    let places = places();
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = accept(&listener, &places) => accepted,
        };
        if let Some((stream, place)) = accepted {
            connections.spawn(connection(stream, place, router.clone(), shutdown.clone()));
        }
    }
    // Each connection has its own deadline, so this ends.
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// A place for each connection that is held at a time.
fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(CONNECTIONS_MAX))
}

async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, _)) => Some((stream, place)),
        Err(error) => {
            warn!(%error, "can't accept a connection");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn connection(stream: TcpStream, place: OwnedSemaphorePermit, router: Router, shutdown: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "can't set TCP_NODELAY");
    }
    let service = TowerToHyperService::new(router.into_service::<hyper::body::Incoming>());
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_READ_MAX);
    let mut serving = std::pin::pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        result = serving.as_mut() => Some(result),
        () = shutdown.cancelled() => {
            serving.as_mut().graceful_shutdown();
            tokio::time::timeout(SHUTDOWN_GRACE, serving).await.ok()
        }
    };
    if let Some(Err(error)) = ended {
        debug!(%error, "a connection broke");
    }
    drop(place);
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn as_many_connections_are_held_as_the_limit_and_one_more_waits() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let _clients = [TcpStream::connect(address).await.unwrap(), TcpStream::connect(address).await.unwrap()];
        let places = places();
        let others = u32::try_from(CONNECTIONS_MAX).unwrap() - 1;
        let _others = places.clone().acquire_many_owned(others).await.unwrap();
        let (_stream, place) = accept(&listener, &places).await.unwrap();
        let mut next = std::pin::pin!(accept(&listener, &places));
        assert!(next.as_mut().now_or_never().is_none(), "it stands in the queue of the system");
        drop(place);
        assert!(next.await.is_some());
    }
}
