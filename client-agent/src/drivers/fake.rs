//! A driver that plays what the jobspec says: it runs for a time, fails, hangs or leaks, without any process.
//!
//! Part of the product (design 18): tests, examples, simulation and benchmarks share it. Everything follows from the
//! time that tokio tells, so a paused clock makes it exact. What it "runs" outlives the agent that asked for it, as
//! containers do: a second agent with the same driver value adopts it.

pub mod settings;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use client_agent_core::{Found, Probed};
use model::{AllocationId, Exit, Timestamp};
use seams::Clock;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::{Container, Driver, DriverError, LogQuery, News, Progress, Started, TaskSpec, TaskUsage};
use crate::probe::Probe;
use settings::{CheckPlay, Settings};

/// The exit code of a process that a SIGKILL ended.
const KILLED: i64 = 137;
/// The exit code of a process that a SIGTERM ended.
const TERMINATED: i64 = 143;

/// The fake driver.
pub struct FakeDriver {
    clock: Arc<dyn Clock>,
    seed: u64,
    tasks: Mutex<BTreeMap<String, FakeTask>>,
    changed: Notify,
    away: AtomicBool,
}

struct FakeTask {
    allocation: AllocationId,
    task: String,
    restarts: u32,
    settings: Settings,
    started_at: Timestamp,
    started: Instant,
    end: Option<(Instant, Exit)>,
    told: bool,
}

impl FakeTask {
    fn found(&self, handle: &str, now: Instant) -> Found {
        let handle = handle.to_string();
        match &self.end {
            Some((at, exit)) if *at <= now => {
                let finished_at = self.started_at + at.duration_since(self.started);
                Found::Exited { handle, exit: exit.clone(), started_at: self.started_at, finished_at }
            }
            _ => Found::Running { handle, started_at: self.started_at },
        }
    }

    fn container(&self, handle: &str, now: Instant) -> Container {
        Container {
            allocation: self.allocation,
            task: self.task.clone(),
            handle: handle.into(),
            restarts: self.restarts,
            found: self.found(handle, now),
            address: None,
        }
    }

    /// Brings the end forward to `at`.
    fn ends_by(&mut self, at: Instant, exit: Exit) {
        if self.end.as_ref().is_none_or(|(end, _)| *end > at) {
            self.end = Some((at, exit));
        }
    }
}

impl FakeDriver {
    /// A driver that tells times by `clock` and draws its chances from `seed`.
    pub fn new(clock: Arc<dyn Clock>, seed: u64) -> Arc<FakeDriver> {
        Arc::new(FakeDriver {
            clock,
            seed,
            tasks: Mutex::default(),
            changed: Notify::new(),
            away: AtomicBool::new(false),
        })
    }

    /// Ends everything at once, as the loss of a node does. Nobody is told until somebody asks.
    pub fn kill_all(&self) {
        let now = Instant::now();
        for task in self.lock().values_mut() {
            task.ends_by(now, Exit { code: KILLED, signal: 9, ..Exit::default() });
        }
        self.changed.notify_waiters();
    }

    /// Ends what runs of an allocation in this way, as the kernel does to a process or somebody to a container.
    pub fn end(&self, allocation: AllocationId, exit: &Exit) {
        let now = Instant::now();
        for task in self.lock().values_mut().filter(|task| task.allocation == allocation) {
            task.ends_by(now, exit.clone());
        }
        self.changed.notify_waiters();
    }

    /// Has the containers of an allocation vanish, as if somebody had removed them by force. Nobody is told.
    pub fn vanish(&self, allocation: AllocationId) {
        self.lock().retain(|_, task| task.allocation != allocation);
    }

    /// Makes the driver answer nothing, as a runtime that is down does, or answer again. What runs goes on.
    pub fn set_away(&self, away: bool) {
        self.away.store(away, Ordering::Relaxed);
    }

    fn answers(&self) -> Result<(), DriverError> {
        match self.away.load(Ordering::Relaxed) {
            true => Err(DriverError::Unreachable("the fake runtime is away".into())),
            false => Ok(()),
        }
    }

    /// What runs now: allocation and task of each.
    pub fn running(&self) -> Vec<(AllocationId, String)> {
        let now = Instant::now();
        let tasks = self.lock();
        let running = tasks.iter().filter(|(handle, task)| matches!(task.found(handle, now), Found::Running { .. }));
        running.map(|(_, task)| (task.allocation, task.task.clone())).collect()
    }

    /// A panic while the lock is held leaves whole entries only, so the map stays usable.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, FakeTask>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn observe(&self, handle: &str) -> Result<Found, DriverError> {
        let tasks = self.lock();
        let task = tasks.get(handle).ok_or_else(|| DriverError::NotFound(handle.into()))?;
        Ok(task.found(handle, Instant::now()))
    }

    /// When, if ever, the task ends by itself, and how.
    fn planned_end(&self, spec: &TaskSpec, settings: &Settings, started: Instant) -> Option<(Instant, Exit)> {
        let fails =
            settings.fail_probability > 0 && chance(self.seed, spec) % 100 < u64::from(settings.fail_probability);
        let code = if fails && settings.exit_code == 0 { 1 } else { settings.exit_code };
        let own = settings
            .run_for
            .map(|after| (started + after, Exit { code, signal: settings.exit_signal, ..Exit::default() }));
        let oom = settings
            .oom_after
            .map(|after| (started + after, Exit { code: KILLED, signal: 9, oom_killed: true, ..Exit::default() }));
        let drawn = fails.then(|| (started + settings.fail_after, Exit { code, ..Exit::default() }));
        [own, oom, drawn].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

#[async_trait]
impl Driver for FakeDriver {
    fn name(&self) -> &'static str {
        "fake"
    }

    async fn fingerprint(&self) -> model::Driver {
        if let Err(error) = self.answers() {
            return model::Driver { detected: true, description: error.to_string(), ..model::Driver::default() };
        }
        let attributes = BTreeMap::from([("driver.fake".to_string(), "1".to_string())]);
        model::Driver { detected: true, healthy: true, description: "Healthy".into(), attributes }
    }

    async fn start(&self, spec: &TaskSpec, _progress: &Progress) -> Result<Started, DriverError> {
        self.answers()?;
        let handle = format!("{}-{}-{}", spec.task, spec.allocation, spec.restarts);
        let answer = |task: &FakeTask, handle: &str| Started {
            handle: handle.into(),
            started_at: task.started_at,
            address: spec.holds_network.then(|| "192.0.2.1".to_string()),
        };
        let settings = if spec.holds_network { Settings::default() } else { Settings::read(&spec.config)? };
        let known = |tasks: &BTreeMap<String, FakeTask>| {
            let now = Instant::now();
            let mut same = tasks.iter().filter(|(_, it)| it.allocation == spec.allocation && it.task == spec.task);
            same.find(|(handle, task)| matches!(task.found(handle, now), Found::Running { .. }))
                .map(|(handle, task)| answer(task, handle))
        };
        if let Some(started) = known(&self.lock()) {
            return Ok(started);
        }
        tokio::time::sleep(settings.start_delay).await;
        if !settings.start_error.is_empty() {
            let reason = settings.start_error.clone();
            let error = if settings.start_error_retry { DriverError::Failed } else { DriverError::Invalid };
            return Err(error(reason));
        }
        let started = Instant::now();
        let mut tasks = self.lock();
        if let Some(started) = known(&tasks) {
            return Ok(started);
        }
        tasks.retain(|_, it| it.allocation != spec.allocation || it.task != spec.task);
        let task = FakeTask {
            allocation: spec.allocation,
            task: spec.task.clone(),
            restarts: spec.restarts,
            end: self.planned_end(spec, &settings, started),
            settings,
            started_at: self.clock.now(),
            started,
            told: false,
        };
        let result = answer(&task, &handle);
        tasks.insert(handle, task);
        drop(tasks);
        self.changed.notify_waiters();
        Ok(result)
    }

    async fn stop(&self, handle: &str, _signal: &str, timeout: Duration) -> Result<Found, DriverError> {
        self.answers()?;
        let ends_at = {
            let mut tasks = self.lock();
            let task = tasks.get_mut(handle).ok_or_else(|| DriverError::NotFound(handle.into()))?;
            let now = Instant::now();
            let settings = task.settings.clone();
            if settings.hang || settings.stop_delay > timeout {
                task.ends_by(now + timeout, Exit { code: KILLED, signal: 9, ..Exit::default() });
            } else {
                let code = if settings.stop_delay.is_zero() { TERMINATED } else { 0 };
                task.ends_by(now + settings.stop_delay, Exit { code, signal: 15, ..Exit::default() });
            }
            // This caller is told by the answer.
            task.told = true;
            task.end.as_ref().map_or(now, |(at, _)| *at)
        };
        tokio::time::sleep_until(ends_at).await;
        self.observe(handle)
    }

    async fn list(&self) -> Result<Vec<Container>, DriverError> {
        self.answers()?;
        let now = Instant::now();
        Ok(self.lock().iter().map(|(handle, task)| task.container(handle, now)).collect())
    }

    async fn watch(&self, news: mpsc::Sender<News>) {
        loop {
            let changed = self.changed.notified();
            let now = Instant::now();
            let (ended, next) = {
                let mut tasks = self.lock();
                let mut ended = Vec::new();
                for (handle, task) in tasks.iter_mut() {
                    if !task.told && matches!(task.found(handle, now), Found::Exited { .. }) {
                        task.told = true;
                        ended.push(task.container(handle, now));
                    }
                }
                let next = tasks.values().filter(|task| !task.told).filter_map(|task| Some(task.end.as_ref()?.0));
                (ended, next.min())
            };
            for container in ended {
                if news.send(News::Changed(container)).await.is_err() {
                    return;
                }
            }
            match next {
                Some(at) => {
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep_until(at) => {}
                        () = changed => {}
                    }
                }
                None => changed.await,
            }
        }
    }

    async fn logs(&self, handle: &str, query: LogQuery, out: mpsc::Sender<Bytes>) -> Result<(), DriverError> {
        self.answers()?;
        let (text, runs) = {
            let tasks = self.lock();
            let task = tasks.get(handle).ok_or_else(|| DriverError::NotFound(handle.into()))?;
            let play = if query.stderr { &task.settings.stderr } else { &task.settings.stdout };
            (play.clone(), matches!(task.found(handle, Instant::now()), Found::Running { .. }))
        };
        let offset = usize::try_from(query.offset).unwrap_or(usize::MAX).min(text.len());
        let from = if query.from_end { text.len() - offset } else { offset };
        if out.send(Bytes::copy_from_slice(&text.as_bytes()[from..])).await.is_err() || !query.follow || !runs {
            return Ok(());
        }
        // All of the play was said at the start; to follow is to wait for the end.
        while matches!(self.observe(handle), Ok(Found::Running { .. })) {
            tokio::select! {
                biased;
                () = out.closed() => return Ok(()),
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
        }
        Ok(())
    }

    async fn usage(&self, handle: &str) -> Result<TaskUsage, DriverError> {
        self.answers()?;
        let tasks = self.lock();
        let task = tasks.get(handle).ok_or_else(|| DriverError::NotFound(handle.into()))?;
        let ran = task.started.elapsed();
        let cpu_ns = ran.as_nanos() as u64 / 1000 * u64::from(task.settings.cpu_permille);
        Ok(TaskUsage { cpu_ns, memory_bytes: task.settings.memory_mb << 20 })
    }

    async fn remove(&self, handle: &str) -> Result<(), DriverError> {
        self.answers()?;
        self.lock().remove(handle);
        Ok(())
    }

    async fn probe(&self, handle: &str, _probe: &Probe) -> Probed {
        let tasks = self.lock();
        let Some(task) = tasks.get(handle) else {
            return Probed { passed: false, output: "nothing runs".into() };
        };
        let runs = matches!(task.found(handle, Instant::now()), Found::Running { .. });
        let passed = runs
            && match task.settings.checks {
                CheckPlay::Pass => true,
                CheckPlay::Fail => false,
                CheckPlay::PassAfter(delay) => task.started.elapsed() >= delay,
                CheckPlay::FailAfter(delay) => task.started.elapsed() < delay,
            };
        Probed { passed, output: if passed { "fake: ok".into() } else { "fake: fails".into() } }
    }
}

/// A number that depends on the seed and on which start it is, and on nothing else (splitmix64).
fn chance(seed: u64, spec: &TaskSpec) -> u64 {
    let mut state = seed ^ u64::from(spec.restarts).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in spec.allocation.as_bytes().iter().chain(spec.task.as_bytes()) {
        state = state.wrapping_add(u64::from(*byte)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 27;
    }
    state = (state ^ (state >> 30)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}
