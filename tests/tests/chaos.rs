//! What the cluster keeps of its promises while its servers are killed, paused, parted and replaced. The quick forms run
//! with all tests; `make soak` runs the long ones.

#[path = "chaos/hanging_leader.rs"]
mod hanging_leader;
#[path = "chaos/leader_kill.rs"]
mod leader_kill;
#[path = "chaos/linearizable.rs"]
mod linearizable;
#[path = "chaos/slow_readers.rs"]
mod slow_readers;
