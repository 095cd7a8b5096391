//! The container runtime's twin: the fake driver, which can hang, be slow, be away, say nothing, or lose its answers.
//!
//! The fake driver names a container after its task and its restarts. Here the name holds the start as well, so that no
//! two containers ever have the same, as with a real engine.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use client_agent::Probe;
use client_agent::drivers::fake::FakeDriver;
use client_agent::drivers::{Container, Driver, DriverError, LogQuery, News, Progress, Started, TaskSpec, TaskUsage};
use client_agent_core::{Found, Probed};
use model::{AllocationId, Timestamp};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};

use super::coverage::Sometimes;
use super::oracle::Oracle;
use super::seed::SeededRandom;

/// How long an agent waits for an answer, as with a real engine.
const CALL_DEADLINE: Duration = Duration::from_secs(10);
/// How often a call looks whether the runtime still hangs.
const LOOK: Duration = Duration::from_millis(100);

/// What is wrong with a runtime.
#[derive(Default)]
pub struct Trouble {
    /// It takes questions and answers none.
    pub hangs: AtomicBool,
    /// It tells nothing unasked.
    pub is_deaf: AtomicBool,
    /// How long an answer may take.
    pub slow_ms: AtomicU64,
    /// Answers that are lost after the deed, in percent.
    pub lost_replies_percent: AtomicU64,
    /// Starts that fail in a way that may pass, in percent.
    pub failed_starts_percent: AtomicU64,
}

impl Trouble {
    /// Whether something is wrong.
    pub fn is_there(&self) -> bool {
        let numbers = [&self.slow_ms, &self.lost_replies_percent, &self.failed_starts_percent];
        let is_set = |flag: &AtomicBool| flag.load(Ordering::Relaxed);
        is_set(&self.hangs) || is_set(&self.is_deaf) || numbers.iter().any(|one| one.load(Ordering::Relaxed) > 0)
    }

    /// Nothing is wrong any more.
    pub fn end(&self) {
        self.hangs.store(false, Ordering::Relaxed);
        self.is_deaf.store(false, Ordering::Relaxed);
        self.slow_ms.store(0, Ordering::Relaxed);
        self.lost_replies_percent.store(0, Ordering::Relaxed);
        self.failed_starts_percent.store(0, Ordering::Relaxed);
    }
}

/// The runtime of one node. What it runs outlives the agent that asked for it, and what that agent had asked last.
pub struct SimDriver {
    /// What runs.
    pub fake: Arc<FakeDriver>,
    /// What is wrong with it.
    pub trouble: Arc<Trouble>,
    /// The number of the node's agent.
    pub agent: u64,
    /// Whether the agent's process is there; one that is gone asks for nothing more.
    pub is_asked: Arc<AtomicBool>,
    /// Chances.
    pub random: Arc<SeededRandom>,
    /// Whom to tell.
    pub oracle: Arc<Oracle>,
    /// What this process of the agent asked to start and has no answer for.
    pub doubts: Doubts,
}

/// Allocations that may run because an answer was lost; true once a later start of the same failed. What runs of those is
/// the agent's to end, since it tells that they failed.
#[derive(Default)]
pub struct Doubts(Mutex<BTreeMap<AllocationId, bool>>);

impl Doubts {
    fn began(&self, allocation: AllocationId) {
        self.kept().entry(allocation).or_default();
    }

    fn answered<T>(&self, allocation: AllocationId, outcome: &Result<T, DriverError>) {
        match outcome {
            Ok(_) => drop(self.kept().remove(&allocation)),
            Err(DriverError::Unreachable(_)) => {}
            Err(_) => {
                if let Some(failed) = self.kept().get_mut(&allocation) {
                    *failed = true;
                }
            }
        }
    }

    fn have_failed(&self, allocation: AllocationId) -> bool {
        self.kept().get(&allocation).is_some_and(|failed| *failed)
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<AllocationId, bool>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SimDriver {
    async fn gate(&self) -> Result<(), DriverError> {
        let deadline = Instant::now() + CALL_DEADLINE;
        let slow_ms = self.trouble.slow_ms.load(Ordering::Relaxed);
        if slow_ms > 0 {
            sleep(self.random.milliseconds(0, slow_ms)).await;
        }
        while self.trouble.hangs.load(Ordering::Relaxed) {
            if Instant::now() >= deadline {
                return Err(DriverError::Unreachable("the runtime does not answer".into()));
            }
            sleep(LOOK).await;
        }
        if !self.is_asked.load(Ordering::Relaxed) {
            // The agent died while it waited to be heard.
            std::future::pending::<()>().await;
        }
        Ok(())
    }

    fn is_lost(&self) -> bool {
        let percent = self.trouble.lost_replies_percent.load(Ordering::Relaxed);
        let is_lost = percent > 0 && self.random.chance(percent);
        if is_lost {
            self.oracle.note(Sometimes::RuntimeReplyWasLost);
        }
        is_lost
    }

    fn reply<T>(&self, outcome: Result<T, DriverError>) -> Result<T, DriverError> {
        if self.is_lost() { Err(DriverError::Unreachable("the answer was lost".into())) } else { outcome }
    }
}

/// What stands between the fake driver's name of a container and its start.
const SINCE: char = '@';

fn named(handle: &str, started_at: Timestamp) -> String {
    format!("{handle}{SINCE}{}", started_at.0)
}

fn seen(found: Found) -> Found {
    match found {
        Found::Absent => Found::Absent,
        Found::Running { handle, started_at } => Found::Running { handle: named(&handle, started_at), started_at },
        Found::Exited { handle, exit, started_at, finished_at } => {
            Found::Exited { handle: named(&handle, started_at), exit, started_at, finished_at }
        }
    }
}

fn listed(container: Container) -> Container {
    let found = seen(container.found);
    let handle = match &found {
        Found::Running { handle, .. } | Found::Exited { handle, .. } => handle.clone(),
        Found::Absent => container.handle,
    };
    Container { handle, found, ..container }
}

impl SimDriver {
    /// The container of that name, if it is there: the fake driver's name for it, and how it is.
    async fn find(&self, handle: &str) -> Result<(String, Container), DriverError> {
        let absent = || DriverError::NotFound(handle.into());
        let (inner, _) = handle.rsplit_once(SINCE).ok_or_else(absent)?;
        let containers = self.fake.list().await?;
        let known = containers.into_iter().map(listed).find(|container| container.handle == handle);
        Ok((inner.to_string(), known.ok_or_else(absent)?))
    }
}

#[async_trait]
impl Driver for SimDriver {
    fn name(&self) -> &'static str {
        self.fake.name()
    }

    async fn fingerprint(&self) -> model::Driver {
        match self.gate().await {
            Ok(()) => self.fake.fingerprint().await,
            Err(error) => model::Driver { detected: true, description: error.to_string(), ..model::Driver::default() },
        }
    }

    async fn start(&self, spec: &TaskSpec, progress: &Progress) -> Result<Started, DriverError> {
        self.gate().await?;
        let percent = self.trouble.failed_starts_percent.load(Ordering::Relaxed);
        let outcome = if percent > 0 && self.random.chance(percent) {
            Err(DriverError::Failed("the image can't be pulled".into()))
        } else {
            let started = self.fake.start(spec, progress).await;
            let started = started.map(|it| Started { handle: named(&it.handle, it.started_at), ..it });
            if started.is_ok() {
                self.oracle.started(self.agent, spec.allocation);
                self.doubts.began(spec.allocation);
            }
            self.reply(started)
        };
        self.doubts.answered(spec.allocation, &outcome);
        outcome
    }

    async fn stop(&self, handle: &str, signal: &str, timeout: Duration) -> Result<Found, DriverError> {
        self.gate().await?;
        let (inner, container) = self.find(handle).await?;
        let runs = matches!(container.found, Found::Running { .. });
        if runs && !self.doubts.have_failed(container.allocation) {
            self.oracle.stopping(self.agent, container.allocation);
        }
        let stopped = self.fake.stop(&inner, signal, timeout).await.map(seen);
        self.reply(stopped)
    }

    async fn list(&self) -> Result<Vec<Container>, DriverError> {
        self.gate().await?;
        let containers = self.fake.list().await;
        self.reply(containers.map(|containers| containers.into_iter().map(listed).collect()))
    }

    async fn watch(&self, news: mpsc::Sender<News>) {
        let (inner, mut told) = mpsc::channel(64);
        let pass_on = async {
            while let Some(item) = told.recv().await {
                let is_silent =
                    self.trouble.is_deaf.load(Ordering::Relaxed) || self.trouble.hangs.load(Ordering::Relaxed);
                let item = match item {
                    News::Changed(container) => News::Changed(listed(container)),
                    News::Missed => News::Missed,
                };
                if !is_silent && news.send(item).await.is_err() {
                    return;
                }
            }
        };
        tokio::join!(self.fake.watch(inner), pass_on);
    }

    async fn logs(&self, handle: &str, query: LogQuery, out: mpsc::Sender<Bytes>) -> Result<(), DriverError> {
        self.gate().await?;
        self.fake.logs(&self.find(handle).await?.0, query, out).await
    }

    async fn usage(&self, handle: &str) -> Result<TaskUsage, DriverError> {
        self.gate().await?;
        let usage = self.fake.usage(&self.find(handle).await?.0).await;
        self.reply(usage)
    }

    async fn remove(&self, handle: &str) -> Result<(), DriverError> {
        self.gate().await?;
        let removed = match self.find(handle).await {
            Ok((inner, _)) => self.fake.remove(&inner).await,
            Err(DriverError::NotFound(_)) => Ok(()),
            Err(error) => Err(error),
        };
        self.reply(removed)
    }

    async fn probe(&self, handle: &str, probe: &Probe) -> Probed {
        match self.find(handle).await {
            Ok((inner, _)) => self.fake.probe(&inner, probe).await,
            Err(error) => Probed { passed: false, output: error.to_string() },
        }
    }
}
