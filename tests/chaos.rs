//! Chaos over the real binary: servers on hosts of their own are killed, paused, parted and replaced while clients
//! write and read; then it is judged whether what the clients were told can be true.
//!
//! It does not judge by time-outs: an answer that did not come is an unknown outcome. Called by the tests in
//! `tests/chaos`; what they measure is told as [bars](crate::bar).

pub mod auditor;
pub mod client;
pub mod cluster;
pub mod failover;
pub mod history;
pub mod linear;
pub mod nemesis;
pub mod net;
pub mod watcher;
pub mod writer;
