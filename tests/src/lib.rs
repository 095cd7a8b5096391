//! What is tested above the single crates. So far: `tidy`, the house rules that a program can check.
//!
//! The product never depends on this crate.

pub mod tidy;
