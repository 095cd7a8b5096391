//! The deciding part of the servers: state, the only writer of it, and everything that is decided from it.
//!
//! Synchronous functions from values to values: no clock, no randomness, no I/O, no logger. The shell (`server`) feeds
//! it commands from the replicated log and carries out what it decides.

pub mod limits;

pub mod cow;
mod rows;

pub mod command;
pub mod plan;
pub mod state;

pub mod authorize;

pub mod apply;
pub mod autopilot;
pub mod catalog;
pub mod chain;

pub mod capacity;
pub mod clocks;
pub mod collection;
pub mod deployment;
pub mod drain;
pub mod dry_run;
pub mod evaluations;
pub mod rebalance;
mod reconnect;
mod rehearsal;
pub mod schedule;
pub mod volumes;
pub mod why;

#[cfg(feature = "testing")]
pub mod testing;
