//! Which threads a part of the process runs on.

use std::future::Future;
use std::io;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Threads for tasks that must go on however much else there is to do: the operating system shares the cores between
/// threads, so that they have their part; in one pool with everything else, a task waits for its turn behind thousands.
/// What such a task spawns runs there too.
#[derive(Clone, Debug, Default)]
pub struct Workers {
    own: Option<Handle>,
}

impl Workers {
    /// No threads apart: on those of whoever asks. The simulation has only one.
    pub fn shared() -> Self {
        Self::default()
    }

    /// The threads of a runtime of their own, which must outlive what runs there.
    pub fn own(handle: Handle) -> Self {
        Self { own: Some(handle) }
    }

    /// Runs `work` there to its end; who drops the answer ends it. Fails only where the work panicked or the runtime is
    /// shutting down.
    pub async fn run<T, F>(&self, work: F) -> io::Result<T>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        match &self.own {
            Some(handle) => EndsWithItsOwner(handle.spawn(work)).joined().await,
            None => Ok(work.await),
        }
    }
}

struct EndsWithItsOwner<T>(JoinHandle<T>);

impl<T> EndsWithItsOwner<T> {
    async fn joined(mut self) -> io::Result<T> {
        (&mut self.0).await.map_err(io::Error::other)
    }
}

impl<T> Drop for EndsWithItsOwner<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn work_runs_on_threads_of_its_own_and_ends_with_who_wants_it() {
        let here = thread::current().id();
        let there = || async { thread::current().id() };
        assert_eq!(Workers::shared().run(there()).await.unwrap(), here);

        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let workers = Workers::own(runtime.handle().clone());
        let of_work = workers.run(there()).await.unwrap();
        assert_ne!(of_work, here);
        assert_eq!(workers.run(there()).await.unwrap(), of_work);

        let (held, mut dropped) = oneshot::channel::<()>();
        let endless = async move {
            let _held = held;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            biased;
            _ = workers.run(endless) => unreachable!("it never ends"),
            () = async {} => {}
        }
        (&mut dropped).await.unwrap_err();
        runtime.shutdown_background();
    }
}
