//! (in progress)

pub mod authority;
