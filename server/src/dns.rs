//! The catalog over DNS, on UDP and TCP: where the passing instances of a service are, and where a node is.
//!
//! Every name below may end in each of the configured domains (`sched` and `consul`, if nothing else is said):
//!
//! | name | means |
//! |---|---|
//! | `<service>.service[.<dc>].<domain>` | the passing instances of a service |
//! | `<tag>.<service>.service[.<dc>].<domain>` | those with a tag |
//! | `_<service>._<tag>.service[.<dc>].<domain>` | likewise, as RFC 2782 writes it; `_tcp` and `_udp` mean any tag |
//! | `<node>.node[.<dc>].<domain>` | the address of a node |
//! | `<8 or 32 hex digits>.addr[.<dc>].<domain>` | the address that the digits say; targets of SRV records |
//!
//! A name that means nothing is NXDOMAIN; a name that exists, but not with the type asked for, and a service without a
//! passing instance, has an empty answer; before the catalog was ever seen, everything is SERVFAIL; other domains are
//! REFUSED, for we resolve nothing for others. Answers come in a random order.
//!
//! Consul answers NXDOMAIN for such a service. All its nodes may have been silent for a moment only, and resolvers
//! remember that a name is not there for everything below it as well.
//!
//! `question` reads names, `answer` decides, `server` speaks on sockets. The catalog stands behind [`Names`].

use std::net::IpAddr;
use std::time::Duration;

mod answer;
mod question;
mod server;
mod zone;

pub use answer::Answers;
pub use server::{DnsError, DnsServer};
pub use zone::{DomainError, Zone};

/// The domains that are served where nothing else is configured.
pub const DOMAINS_DEFAULT: [&str; 2] = ["sched", "consul"];
/// How long a resolver may remember an address, where nothing else is configured: not at all.
pub const TTL_DEFAULT: Duration = Duration::ZERO;
/// How long a resolver may remember that a name doesn't exist: a new service should not wait for it.
pub const NEGATIVE_TTL: Duration = Duration::from_secs(1);
/// The longest UDP answer, whatever the client offers: it passes every network in one piece (DNS flag day 2020).
pub const UDP_BYTES_MAX: u16 = 1232;
/// The longest UDP answer for clients that offer nothing (RFC 1035).
pub const UDP_BYTES_PLAIN_MAX: u16 = 512;
/// How long a TCP connection may be silent.
pub const TCP_IDLE_MAX: Duration = Duration::from_secs(10);

/// What the catalog knows about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// Nothing was ever heard from the cluster, so nothing can be said.
    Unsynced,
    /// There is no such name.
    Unknown,
    /// There is.
    Found(T),
}

/// Where an instance of a service listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address.
    pub address: IpAddr,
    /// Its port.
    pub port: u16,
    /// The name of its node.
    pub node: String,
    /// The datacenter of its node.
    pub datacenter: String,
}

/// Where a node is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its address.
    pub address: IpAddr,
    /// Its datacenter.
    pub datacenter: String,
}

/// The catalog, as DNS sees it. Names arrive in lower case and have to be compared without regard to case.
pub trait Names: Send + Sync + 'static {
    /// The passing instances of `service`, of those with `tag` if one is given. A service whose instances are all
    /// failing, or have another tag, is found and empty.
    fn service(&self, service: &str, tag: Option<&str>) -> Lookup<Vec<Endpoint>>;

    /// The node with this name.
    fn node(&self, name: &str) -> Lookup<Host>;

    /// Whether a node of this datacenter is known. Resolvers that ask for a name label by label need to hear that the
    /// labels in between exist.
    fn is_datacenter(&self, name: &str) -> bool;
}

#[cfg(test)]
mod tests;
