//! The listener against a cluster in memory, by what clients send and read.

mod bad_input;
mod blocking;
mod changes;
mod events;
mod explain;
mod limits;
mod listen;
mod logs;
mod operator;
mod rebalance;
mod shapes;
mod volumes;
mod wire;
