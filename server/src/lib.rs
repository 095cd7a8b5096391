//! (in progress)

pub mod authority;
pub mod dns;
