//! The shell of a server. Here so far: who belongs to the cluster, and the catalog over DNS.

pub mod authority;
pub mod dns;
