//! Where work that blocks is done: file writes, encoding of large state.

use std::io;

/// How to run work that blocks. Production gives it a thread; the simulation, which owns one thread and one order of
/// events, runs it on the spot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Blocking {
    /// On a thread of tokio's pool for blocking work.
    #[default]
    Threads,
    /// At once, in the calling task.
    Inline,
    /// In the calling task, after as many nanoseconds as the number says then: a disk that is slow.
    #[cfg(feature = "testing")]
    Slow(Slowness),
}

/// How slow blocking work is, in nanoseconds; it may change at any time. Lives as long as the process, so that what
/// holds it can be copied.
#[cfg(feature = "testing")]
#[derive(Clone, Copy, Debug)]
pub struct Slowness(pub &'static std::sync::atomic::AtomicU64);

#[cfg(feature = "testing")]
impl PartialEq for Slowness {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

#[cfg(feature = "testing")]
impl Eq for Slowness {}

impl Blocking {
    /// Runs `work` and waits for its result. Fails only where the work panicked or the runtime is shutting down.
    pub async fn run<T, F>(self, work: F) -> io::Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        match self {
            Self::Threads => tokio::task::spawn_blocking(work).await.map_err(io::Error::other),
            Self::Inline => Ok(work()),
            #[cfg(feature = "testing")]
            Self::Slow(Slowness(nanoseconds)) => {
                let pause = nanoseconds.load(std::sync::atomic::Ordering::Relaxed);
                if pause > 0 {
                    tokio::time::sleep(std::time::Duration::from_nanos(pause)).await;
                }
                Ok(work())
            }
        }
    }
}
