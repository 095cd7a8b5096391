//! The block `server`.

use std::path::PathBuf;

use serde::Deserialize;

/// What a server is told.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Whether this process is a server.
    pub enabled: bool,
    /// The folder that `sched server init` made: CA, certificates, keys.
    pub cluster_dir: Option<PathBuf>,
    /// How many servers the new cluster begins with; instead of `initial`.
    pub bootstrap_expect: Option<u32>,
    /// RPC addresses of all servers of a new cluster, `ip:port`; ignored once there is state.
    pub initial: Vec<String>,
    /// RPC addresses of servers of an existing cluster to join, `ip:port`.
    pub join: Vec<String>,
}
