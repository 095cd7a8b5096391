//! Where the process listens.

use serde::Deserialize;

/// Addresses of single ports where they differ from `bind`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Addresses {
    /// Of the HTTP API and the web UI.
    pub http: Option<String>,
    /// Of other servers and of agents.
    pub rpc: Option<String>,
}

/// The ports.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ports {
    /// The HTTP API and the web UI; 4646 unless given.
    pub http: u16,
    /// Other servers and agents, with mutual TLS; 4647 unless given.
    pub rpc: u16,
    /// DNS, both UDP and TCP; 8600 unless given.
    pub dns: u16,
}

impl Default for Ports {
    fn default() -> Self {
        Self { http: 4646, rpc: 4647, dns: 8600 }
    }
}
