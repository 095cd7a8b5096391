//! Where the shells touch the world: clock, randomness and disk, each a trait with the real implementation here and a
//! simulated twin in `tests/sim`. (The network is a seam too; it lives in `proto`, where server and agent meet.)
//!
//! Timers are not a seam of their own: everything waits on `tokio::time`, whose clock the simulation pauses.

mod blocking;
mod clock;
mod disk;
mod random;
mod workers;

#[cfg(feature = "testing")]
pub mod recording;
#[cfg(feature = "testing")]
pub mod testing;

pub use blocking::Blocking;
#[cfg(feature = "testing")]
pub use blocking::Slowness;
pub use clock::{Clock, SteadyClock, SystemClock};
pub use disk::{Disk, DiskFile, RealDisk};
pub use random::{Random, SystemRandom};
pub use workers::Workers;
