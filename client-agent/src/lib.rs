//! The agent of a node: runs what the servers want of it, and says what it sees.
//!
//! A thin shell around `client-agent-core`. One loop ([`run`]) owns all state; everything slow (drivers, probes, the
//! network) is a spawned future whose answer comes back as an input. It makes no decision of its own, never dials other
//! agents, and never stops a workload because it stops itself.
//!
//! ```text
//!   rpc (one stream to any server) -> agent (loop) -> drivers (docker, fake)
//!                    report <-------------'  '------> store, probes, orders (logs, stats, restart)
//! ```

mod agent;
mod config;
pub mod drivers;
mod host;
mod host_mark;
mod node_id;
mod probe;
mod report;
mod rpc;
mod secrets;
mod store;

pub use agent::{AgentError, run};
pub use config::{AgentConfig, AgentSeams, Devices};
pub use host::{CORE_MHZ_UNKNOWN, FixedHost, Host, HostFacts, HostUsage, RealHost};
pub use host_mark::host_mark;
pub use node_id::node_id;
pub use probe::{Probe, ProbeKind};
pub use secrets::{FetchSecret, Secrets};
pub use store::{FolderStore, MemoryStore, Store};
