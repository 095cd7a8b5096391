//! What tests share: rules over the tree ([`tidy`]), the cluster in one thread ([`sim`]), the cluster of real processes
//! ([`e2e`]), what becomes of it when its servers suffer ([`chaos`]) and what they have in their logs then ([`audit`]), how
//! fast it is ([`mod@bench`]), the figures of what is promised ([`bar`]), and who has the [`machine`]. The scheduler's behaviour as text and what must
//! always hold of the state are packages of their own, `scenarios` and `invariants`.

pub mod audit;
pub mod bar;
pub mod bench;
pub mod chaos;
pub mod e2e;
pub mod machine;
pub mod sim;
pub mod tidy;
