//! The configuration of `sched agent`: types, defaults, reading and checking.
//!
//! Files are HCL. Several are laid over each other: a later value wins, blocks are merged field by field, lists are
//! replaced. An unknown key is an error that names the nearest known one. Flags are applied by [`crate::agent`].

mod check;
mod client;
mod dns;
mod network;
mod read;
mod server;

use std::path::PathBuf;

use serde::Deserialize;

pub use client::{Client, Device};
pub use dns::Dns;
pub use network::{Addresses, Ports};
pub use read::read;
pub use server::Server;

use crate::failure::Failure;

/// Everything that `sched agent` can be told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where state is kept; required except with -dev.
    pub data_dir: Option<PathBuf>,
    /// The name of this process in the cluster; the host's name unless given.
    pub name: String,
    /// The region; `global` unless given.
    pub region: String,
    /// The datacenter; `dc1` unless given.
    pub datacenter: String,
    /// The IP address on which all ports are opened, and which others are told; `127.0.0.1` unless given.
    #[serde(alias = "bind_addr")]
    pub bind: String,
    /// Addresses of single ports where they differ from `bind`.
    pub addresses: Addresses,
    /// The ports.
    pub ports: Ports,
    /// `trace`, `debug`, `info`, `warn` or `error`; `info` unless given.
    pub log_level: String,
    /// Whether to log in JSON.
    pub log_json: bool,
    /// The token with which this process joins a cluster whose `cluster_dir` it does not have.
    pub join_token: Option<String>,
    /// The server, if this process is one.
    pub server: Server,
    /// The client agent, if this process is one.
    pub client: Client,
    /// The DNS listener.
    pub dns: Dns,
    /// Whether this is `sched agent -dev`.
    #[serde(skip)]
    pub dev: bool,
    /// Whether state and containers are dropped at the end.
    #[serde(skip)]
    pub ephemeral: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: None,
            name: host_name(),
            region: model::DEFAULT_REGION.into(),
            datacenter: "dc1".into(),
            bind: "127.0.0.1".into(),
            addresses: Addresses::default(),
            ports: Ports::default(),
            log_level: "info".into(),
            log_json: false,
            join_token: None,
            server: Server::default(),
            client: Client::default(),
            dns: Dns::default(),
            dev: false,
            ephemeral: false,
        }
    }
}

impl Config {
    /// Makes it the configuration of -dev: both roles on loopback, state in a folder of the user.
    pub fn make_dev(&mut self, ephemeral: bool) -> Result<(), Failure> {
        (self.dev, self.ephemeral) = (true, ephemeral);
        (self.server.enabled, self.client.enabled, self.client.fake.enabled) = (true, true, true);
        if self.data_dir.is_none() {
            self.data_dir = Some(dev_folder(ephemeral)?);
        }
        Ok(())
    }
}

/// Where -dev keeps its state: across restarts in the user's state folder, otherwise in a folder of this process.
fn dev_folder(ephemeral: bool) -> Result<PathBuf, Failure> {
    if ephemeral {
        return Ok(std::env::temp_dir().join(format!("sched-dev-{}", std::process::id())));
    }
    let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute()).or(home);
    let state = state.ok_or_else(|| {
        Failure::new("there is no home folder to keep the state in").hint("say -data-dir FOLDER, or -ephemeral")
    })?;
    Ok(state.join("sched/dev"))
}

fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "localhost".into() } else { name.into() }
}
