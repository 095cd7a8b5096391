//! What tests share: rules over the tree ([`tidy`]), what must always hold of the state ([`invariants`]), the scheduler's
//! behaviour as text ([`scenarios`]), and the cluster in one thread ([`sim`]).

pub mod invariants;
pub mod scenarios;
pub mod sim;
pub mod tidy;
