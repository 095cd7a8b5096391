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
}

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
        }
    }
}
