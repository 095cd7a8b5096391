//! The server: the shell around `server-core`. It carries commands through consensus, serves agents, and answers people.

pub mod cluster;
pub mod raft;
