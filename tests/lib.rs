//! What tests share: rules over the tree ([`tidy`]), what must always hold of the state ([`invariants`]), and the
//! cluster in one thread ([`sim`]).

pub mod invariants;
pub mod sim;
pub mod tidy;
