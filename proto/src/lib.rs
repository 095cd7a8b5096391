//! Where servers and agents meet: the messages, the trait over which they travel, and conversion at the border.
//!
//! [`wire`] is generated from `schema/wire.proto`. Everything outside the shells speaks the types of `model`;
//! [`convert`] is the only place that knows both. [`net`] is the seam: tonic is one adaptor of it, the
//! simulated network another.

pub mod convert;
pub mod net;

/// Generated from `schema/wire.proto`.
#[allow(missing_docs, clippy::all, unreachable_pub)]
pub mod wire {
    tonic::include_proto!("sched.wire.v1");
}
