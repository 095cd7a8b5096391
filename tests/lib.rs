//! What tests share: rules over the tree ([`tidy`]), the cluster in one thread ([`sim`]), the cluster of real processes
//! ([`e2e`]), how fast it is ([`mod@bench`]), and who has the [`machine`]. The scheduler's behaviour as text and what must
//! always hold of the state are packages of their own, `scenarios` and `invariants`.

pub mod bench;
pub mod e2e;
pub mod machine;
pub mod sim;
pub mod tidy;
