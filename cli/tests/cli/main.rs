//! Real invocations of `sched` against a fixture server in this process: tables, errors, exit codes, what is sent.
//!
//! Expected output stands in `snapshots/`; `UPDATE=1 cargo test -p cli` rewrites it, and the difference is what a
//! reviewer reads. The addresses of fixtures and seconds are normalised.

mod cluster;
mod fixture;
mod invocation;

mod backups;
mod connection;
mod drains;
mod errors;
mod explaining;
mod following;
mod help;
mod json;
mod logs;
mod plans;
mod rebalances;
mod tables;
