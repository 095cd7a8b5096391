//! The HTTP listener: Nomad's dialect under `/v1`, and the web UI under `/ui/`.
//!
//! Handlers decode, authorize, call and encode; they decide nothing. What is served is one table of routes
//! (`nomad::ROUTES`), from which dispatch, authorization, the 405 answers and the OpenAPI document are made. The
//! cluster is seen through [`Cluster`] alone.
//!
//! ```text
//!   listen -> dispatch (request id, host, route, authorize, audit) -> read    a function of one state; waits on `index`
//!                                                                  -> act     everything that is more than that
//! ```

mod bind;
mod failure;
mod gate;
mod limits;
mod listen;

mod body;
mod call;
mod query;

mod filter;
mod listing;
mod read;
mod reply;

mod dispatch;
mod openapi;
mod route;

mod nomad;
mod ui;

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::sync::{Arc, OnceLock};

use model::NodeId;
use seams::{Blocking, Clock, Random};
use tokio_util::sync::CancellationToken;

use crate::authority::Authority;
use crate::cluster::Cluster;

pub use bind::{BindError, check_bind};
pub use dispatch::router;
pub use listen::serve;

/// What a listener is told about itself.
#[derive(Clone)]
pub struct HttpConfig {
    /// The server's name among people.
    pub name: String,
    /// The region that it serves.
    pub region: String,
    /// The datacenter that it stands in.
    pub datacenter: String,
    /// The release, as `agent/self` shows it.
    pub version: String,
    /// Names, beside those of loopback, by which clients may address it; a guard against DNS rebinding.
    pub host_names: Vec<String>,
    /// The cluster's authority, where this server holds its key: it can make join tokens then.
    pub authority: Option<Arc<Authority>>,
    /// The node whose client agent runs in this process, once it does.
    pub node: Arc<OnceLock<NodeId>>,
    /// The wall clock.
    pub clock: Arc<dyn Clock>,
    /// Request ids and jitter.
    pub random: Arc<dyn Random>,
    /// Where is computed what takes long on a large cluster.
    pub blocking: Blocking,
}

/// What every handler works with.
pub struct Api {
    cluster: Arc<dyn Cluster>,
    config: HttpConfig,
    /// Ends streams and waits.
    shutdown: CancellationToken,
}
