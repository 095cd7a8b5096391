//! The server: the shell around `server-core`. It carries commands through consensus, serves agents, and answers people.

pub mod authority;
pub mod backup;
pub mod cluster;
pub mod dns;
pub mod http;
pub mod raft;
pub mod recovery;
pub mod server;

mod admission;
mod alarms;
mod happenings;
mod leader;
mod machine;
mod marks;
mod members;
mod names;
mod node_watch;
mod propose;
mod room;
mod rpc;
mod view;

pub use admission::token_record;
pub use alarms::{ALARMS_KEPT, Raised};
pub use machine::Witness;
