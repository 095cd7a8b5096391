//! The deciding part of the servers: state, the only writer of it, and everything that is decided from it.
//!
//! Synchronous functions from values to values: no clock, no randomness, no I/O, no logger. The shell (`server`) feeds
//! it commands from the replicated log and carries out what it decides.

pub mod authorize;
pub mod cow;
pub mod limits;

pub mod command;
pub mod plan;
pub mod state;

pub mod apply;
pub mod catalog;
pub mod evaluations;
