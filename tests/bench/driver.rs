//! A driver that starts nothing: the product's fake one, with the time of each start kept.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use client_agent::drivers::fake::FakeDriver;
use client_agent::drivers::{Container, Driver, DriverError, LogQuery, News, Progress, Started, TaskSpec, TaskUsage};
use client_agent_core::Found;
use tokio::sync::mpsc;
use tokio::time::Instant;

/// When the tasks of all nodes started.
#[derive(Default)]
pub struct Starts {
    count: AtomicU64,
    newest: Mutex<Option<Instant>>,
}

impl Starts {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// When the newest was.
    pub fn newest(&self) -> Option<Instant> {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self) {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.count.fetch_add(1, Ordering::Relaxed);
    }
}

/// The driver of one node.
pub struct NullDriver {
    /// What plays the tasks.
    pub fake: Arc<FakeDriver>,
    /// Shared by all nodes.
    pub starts: Arc<Starts>,
}

#[async_trait]
impl Driver for NullDriver {
    fn name(&self) -> &'static str {
        self.fake.name()
    }

    async fn fingerprint(&self) -> model::Driver {
        self.fake.fingerprint().await
    }

    async fn start(&self, spec: &TaskSpec, progress: &Progress) -> Result<Started, DriverError> {
        let started = self.fake.start(spec, progress).await?;
        self.starts.add();
        Ok(started)
    }

    async fn stop(&self, handle: &str, signal: &str, timeout: Duration) -> Result<Found, DriverError> {
        self.fake.stop(handle, signal, timeout).await
    }

    async fn list(&self) -> Result<Vec<Container>, DriverError> {
        self.fake.list().await
    }

    async fn watch(&self, news: mpsc::Sender<News>) {
        self.fake.watch(news).await;
    }

    async fn logs(&self, handle: &str, query: LogQuery, out: mpsc::Sender<Bytes>) -> Result<(), DriverError> {
        self.fake.logs(handle, query, out).await
    }

    async fn usage(&self, handle: &str) -> Result<TaskUsage, DriverError> {
        self.fake.usage(handle).await
    }

    async fn remove(&self, handle: &str) -> Result<(), DriverError> {
        self.fake.remove(handle).await
    }
}
