//! The block `dns`.

use serde::Deserialize;

/// What the DNS listener is told.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dns {
    /// Whether to answer DNS; true unless given.
    pub enabled: bool,
    /// The zones that are answered; `sched` and `consul` unless given.
    pub domains: Vec<String>,
    /// IP addresses to listen on; `bind` unless given.
    pub addresses: Vec<String>,
}

impl Default for Dns {
    fn default() -> Self {
        Self { enabled: true, domains: vec!["sched".into(), "consul".into()], addresses: Vec::new() }
    }
}
