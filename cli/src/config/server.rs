//! The block `server`.

use std::path::PathBuf;

use serde::Deserialize;

/// What a server is told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Whether this process is a server.
    pub enabled: bool,
    /// The folder that `sched server init` made: CA, certificates, keys, and who the first servers are.
    pub cluster_dir: Option<PathBuf>,
    /// RPC addresses of servers of an existing cluster to join, `ip:port`.
    pub join: Vec<String>,
}
