//! What objects look like in Nomad's JSON. Names and shapes are the wire's; the model never sees them.

pub(super) mod allocation;
pub(super) mod capacity;
pub(super) mod deployment;
pub(super) mod drain;
mod equipment;
pub(super) mod evaluation;
pub(super) mod job;
pub(super) mod metric;
pub(super) mod node;
pub(super) mod plan;
pub(super) mod rebalance;
pub(super) mod service;
pub(super) mod summary;
pub(super) mod time;
pub(super) mod usage;
pub(super) mod volume;
pub(super) mod why;
pub(super) mod why_node;
