//! What a task remembers of itself, and what its ends come to.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Exit, TaskEvent, TaskPhase, TaskState, Timestamp};

use super::{AfterStop, EVENTS_MAX, Effect, Moment, Phase, Policy, Task};
use crate::restart::{Ending, Verdict, after_end};

impl Task {
    /// A task that the server just assigned.
    pub fn received(now: Timestamp) -> Task {
        let mut task = Task::default();
        task.note("Received", "Task received by client", now);
        task
    }

    /// The task as it is known after the agent was restarted: whatever was under way is unknown until observed.
    pub fn restored(mut self) -> Task {
        self.phase = match self.phase {
            Phase::Starting { stop, .. } => Phase::Unknown { stop },
            Phase::Running => Phase::Unknown { stop: None },
            Phase::Stopping { after, .. } => Phase::Unknown { stop: Some(after) },
            other @ (Phase::Pending | Phase::Unknown { .. } | Phase::Backoff { .. } | Phase::Dead) => other,
        };
        self
    }

    /// A task of which only its container is known: what had been written down is lost.
    pub fn orphaned(restarts: u32) -> Task {
        let state = TaskState { restarts, ..TaskState::default() };
        Task { phase: Phase::Unknown { stop: None }, state, ..Task::default() }
    }

    /// Whether it is over.
    pub fn is_dead(&self) -> bool {
        self.phase == Phase::Dead
    }

    /// Whether it runs and shall go on running.
    pub fn is_running(&self) -> bool {
        self.phase == Phase::Running
    }

    /// Whether a container of it may be running.
    pub fn may_run(&self) -> bool {
        match self.phase {
            Phase::Unknown { .. } | Phase::Starting { .. } | Phase::Running | Phase::Stopping { .. } => true,
            Phase::Pending | Phase::Backoff { .. } | Phase::Dead => false,
        }
    }

    /// Whether it was asked to end for good.
    pub fn is_ending(&self) -> bool {
        match self.phase {
            Phase::Stopping { after, .. } => after == AfterStop::End,
            Phase::Unknown { stop } | Phase::Starting { stop, .. } => stop == Some(AfterStop::End),
            Phase::Dead => true,
            Phase::Pending | Phase::Running | Phase::Backoff { .. } => false,
        }
    }

    /// When it must be stepped without an event from outside.
    pub fn wake_at(&self) -> Option<Timestamp> {
        match self.phase {
            Phase::Backoff { until } => Some(until),
            Phase::Stopping { retry_at, .. } => retry_at,
            Phase::Pending | Phase::Unknown { .. } | Phase::Starting { .. } | Phase::Running | Phase::Dead => None,
        }
    }

    /// Adds an event, dropping the oldest beyond the limit.
    pub fn note(&mut self, kind: &str, message: impl Into<String>, at: Timestamp) {
        self.note_with(kind, message, at, BTreeMap::new());
    }

    fn note_with(&mut self, kind: &str, message: impl Into<String>, at: Timestamp, details: BTreeMap<String, String>) {
        self.state.events.push(TaskEvent { kind: kind.into(), at, message: message.into(), details });
        if self.state.events.len() > EVENTS_MAX {
            self.state.events.remove(0);
        }
    }

    pub(super) fn is(&self, handle: &str) -> bool {
        self.handle.as_deref() == Some(handle)
    }

    pub(super) fn runs(&mut self, handle: String, started_at: Timestamp) {
        self.handle = Some(handle);
        self.phase = Phase::Running;
        self.state.phase = TaskPhase::Running;
        self.state.started_at = Some(started_at);
        self.state.finished_at = None;
    }

    pub(super) fn over(&mut self, now: Timestamp) {
        self.phase = Phase::Dead;
        self.state.phase = TaskPhase::Dead;
        self.state.finished_at = self.state.finished_at.or(Some(now));
    }

    pub(super) fn again(&mut self, now: Timestamp) {
        self.phase = Phase::Pending;
        self.state.phase = TaskPhase::Pending;
        self.state.restarts += 1;
        self.state.last_restart = Some(now);
    }

    /// Its container ended.
    pub(super) fn ended(
        mut self,
        exit: Exit,
        stop: Option<AfterStop>,
        policy: &Policy,
        moment: Moment,
    ) -> (Task, Vec<Effect>) {
        let ending = if exit.code == 0 && !exit.oom_killed { Ending::Well } else { Ending::Badly };
        let mut details = BTreeMap::from([
            ("exit_code".to_string(), exit.code.to_string()),
            ("signal".to_string(), exit.signal.to_string()),
            ("oom_killed".to_string(), exit.oom_killed.to_string()),
        ]);
        if !exit.error.is_empty() {
            details.insert("exit_message".into(), exit.error.clone());
        }
        let message = match (&exit, exit.error.is_empty()) {
            (exit, _) if exit.oom_killed => format!("Exit code: {}, killed: out of memory", exit.code),
            (exit, true) => format!("Exit code: {}", exit.code),
            (exit, false) => format!("Exit code: {}, {}", exit.code, exit.error),
        };
        self.note_with("Terminated", message, moment.now, details);
        self.state.exit = Some(exit);
        self.state.finished_at = Some(moment.now);
        self.follows(ending, stop, policy, moment)
    }

    /// Decides what follows an end or a failed start.
    pub(super) fn follows(
        mut self,
        ending: Ending,
        stop: Option<AfterStop>,
        policy: &Policy,
        moment: Moment,
    ) -> (Task, Vec<Effect>) {
        let now = moment.now;
        let ending = match stop {
            Some(AfterStop::End) => {
                self.note("Killed", "Task successfully killed", now);
                self.over(now);
                return (self, Vec::new());
            }
            Some(AfterStop::Again) => {
                self.again(now);
                return (self, Vec::new());
            }
            Some(AfterStop::Failed) => Ending::Badly,
            None => ending,
        };
        let (tracker, verdict) = after_end(self.tracker, &policy.restart, policy.completes, ending, moment.jitter, now);
        self.tracker = tracker;
        match verdict {
            Verdict::Complete => self.over(now),
            Verdict::Again { at, reason } => {
                self.note("Restarting", format!("Task restarting in {:?}: {reason}", round(at.since(now))), now);
                self.state.phase = TaskPhase::Pending;
                self.phase = Phase::Backoff { until: at };
            }
            Verdict::GiveUp { reason } => {
                self.note("Not Restarting", reason, now);
                self.state.failed = true;
                self.over(now);
            }
        }
        (self, Vec::new())
    }
}

/// To milliseconds, for people.
fn round(duration: Duration) -> Duration {
    Duration::from_millis(duration.as_millis() as u64)
}
