//! What tests share: rules over the tree ([`tidy`]), what must always hold of the state ([`invariants`]), the scheduler's
//! behaviour as text ([`scenarios`]), the cluster in one thread ([`sim`]), the cluster of real processes ([`e2e`]), how
//! fast it is ([`mod@bench`]), and who has the [`machine`].

pub mod bench;
pub mod e2e;
pub mod invariants;
pub mod machine;
pub mod scenarios;
pub mod sim;
pub mod tidy;
