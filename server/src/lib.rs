//! The server: replicated state, scheduling, and the APIs that show it. See the modules.

pub mod raft;
