//! Rebalancing: which running instances would be better off elsewhere, and how they get there.
//!
//! ```text
//!   propose ──► Proposal ──(a person says yes)──► Rebalance in the state ──► next ──► a few moves at a time ──► done
//!                                                                              └── a replacement does badly: aborted
//! ```
//!
//! [`propose`] plays each move on a copy of the state with the scheduler and `apply` themselves, and keeps it only if the
//! scheduler would choose that node and the goal is nearer afterwards: so nothing is moved in vain, a proposal never makes
//! things worse, and proposing again after the moves comes to an end. [`next`] is asked by a loop of the leader, looks at
//! the state alone, and remembers nothing: a new leader goes on where the old one stopped. A move is an ordinary
//! migration to the promised node: the original stops when its replacement there is healthy. What is promised and no
//! longer holds is skipped with its reason.

mod measure;
mod movable;
mod proposal;
mod record;
mod search;
mod step;
mod trial;

use model::{Allocation, NodeId};

pub use measure::{Gain, Measure, Skew};
pub use movable::KeptBack;
pub(crate) use proposal::check_index;
pub use proposal::{Held, Proposal, propose};
pub use record::{Ask, Goal, Limits, Move, Rebalance, Scope, Stage, Status};
pub use step::{End, Step, next};

use crate::state::State;

/// The node that a rebalance has promised `allocation`, which moves. A promise holds as long as its node can be reached and
/// stays: whatever must leave goes wherever there is room.
pub(crate) fn promised(state: &State, allocation: &Allocation) -> Option<NodeId> {
    let promise = state.rebalance()?.move_of(allocation.id).filter(|known| known.stage == Stage::Moving)?;
    may_stay(state, allocation).then_some(promise.to)
}

/// Whether nothing drives `allocation` off its node.
fn may_stay(state: &State, allocation: &Allocation) -> bool {
    allocation.client_status != model::ClientStatus::Unknown
        && state.node(allocation.node).is_some_and(|node| node.drain.is_none())
}

#[cfg(test)]
mod tests;
