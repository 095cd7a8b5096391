//! Where servers and agents meet: the messages, the trait over which they travel, and conversion at the border.
//!
//! [`wire`] is generated from `schema/wire.proto`. Everything outside the shells speaks the types of `model`;
//! [`convert`] is the only place that knows both. [`net`] is the seam: [`grpc`] is one adaptor of it, the
//! simulated network another. [`identity`] is what a process proves itself with.

pub mod convert;
pub mod grpc;
pub mod identity;
pub mod net;
mod secret;
#[cfg(test)]
mod testing;

pub use secret::Secret;

/// Generated from `schema/wire.proto`.
#[allow(missing_docs, clippy::all, unreachable_pub)]
pub mod wire {
    tonic::include_proto!("sched.wire.v1");
}
