//! One step of one task: what an event means for it, and what shall be done.
//!
//! ```text
//!              Start            Started              Observed exit
//!   Pending ----------> Starting -------> Running ------------------> Backoff --Tick--> Pending
//!      ^                    | fails          | Stop, Restart              | gives up or is done
//!      |                    v                v                            v
//!      |                 Backoff          Stopping ---- observed gone --> Dead
//!      +---------------------------------------+ (to run again)
//!
//!   Unknown: the runtime was asked for something and the answer was not written down (the agent was restarted).
//!   It is left by observation only, so that nothing is ever started twice.
//! ```
//!
//! The step does not decide when a task's turn comes; `allocation` does, and says so with `Start`. It does not wait:
//! the shell runs the effects and answers with events. Every event may be repeated or come late.

mod life;

use std::time::Duration;

use model::{Exit, Restart, TaskState, Timestamp};
use serde::{Deserialize, Serialize};

use crate::restart::{Ending, Tracker};

/// Events kept per task.
pub const EVENTS_MAX: usize = 10;
/// Wait before a stop that the runtime refused is tried again.
pub const STOP_RETRY_DELAY: Duration = Duration::from_secs(2);

/// A task as the agent knows it.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Task {
    /// Where it stands.
    pub phase: Phase,
    /// Restarts counted by its policy.
    pub tracker: Tracker,
    /// What is reported of it.
    pub state: TaskState,
    /// The runtime's name for its last container, kept after its end for its logs.
    pub handle: Option<String>,
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Phase {
    /// Its turn has not come.
    #[default]
    Pending,
    /// Nobody knows whether it runs; the runtime must be asked.
    Unknown {
        /// What shall happen if it does run.
        stop: Option<AfterStop>,
    },
    /// The runtime was asked to start it: image, container, process.
    Starting {
        /// A stop that was asked for meanwhile.
        stop: Option<AfterStop>,
        /// An end that was seen before the start was confirmed, with its handle.
        early: Option<(String, Exit)>,
    },
    /// It runs.
    Running,
    /// The runtime was asked to end it.
    Stopping {
        /// What follows its end.
        after: AfterStop,
        /// When a stop that failed is tried again.
        retry_at: Option<Timestamp>,
    },
    /// It waits to run again.
    Backoff {
        /// Until then.
        until: Timestamp,
    },
    /// It is over.
    Dead,
}

/// What follows a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AfterStop {
    /// The end.
    End,
    /// Another start, not counted.
    Again,
    /// What the policy says, as if it had failed.
    Failed,
}

/// Something that happened to a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Its turn has come.
    Start,
    /// The start that was asked for succeeded.
    Started {
        /// The runtime's name for it.
        handle: String,
        /// When, as the runtime says.
        started_at: Timestamp,
    },
    /// The start that was asked for failed.
    StartFailed {
        /// Why.
        reason: String,
        /// Whether another try may succeed.
        retry: bool,
    },
    /// Something worth telling on the way to a start.
    Progress {
        /// Nomad's word.
        kind: String,
        /// A sentence.
        message: String,
    },
    /// What the runtime says of it, asked or not.
    Observed(Found),
    /// It shall end.
    Stop {
        /// Nomad's word for why, such as `Killing`.
        kind: &'static str,
        /// A sentence.
        reason: String,
    },
    /// It shall end and start again.
    Restart {
        /// Why.
        reason: String,
        /// Whether its policy counts it as a failure.
        counted: bool,
    },
    /// The stop that was asked for failed.
    StopFailed {
        /// Why.
        reason: String,
    },
    /// Time has passed.
    Tick,
}

/// What the runtime says of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// There is no container of it.
    Absent,
    /// Its container runs.
    Running {
        /// The runtime's name for it.
        handle: String,
        /// Since when.
        started_at: Timestamp,
    },
    /// Its container is there and has ended.
    Exited {
        /// The runtime's name for it.
        handle: String,
        /// How it ended.
        exit: Exit,
        /// When it had started.
        started_at: Timestamp,
        /// When it ended.
        finished_at: Timestamp,
    },
}

/// Something to be done for a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Start it; answer with `Started` or `StartFailed`.
    Start,
    /// Signal it, and end it by force after its `kill_timeout`; answer with `Observed` or `StopFailed`.
    Stop,
    /// Ask the runtime what it knows; answer with `Observed`.
    Look,
}

/// The rules of one task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its restart block, or its group's.
    pub restart: Restart,
    /// Whether code 0 means that its work is done.
    pub completes: bool,
}

/// When a step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Now.
    pub now: Timestamp,
    /// A random number for delays.
    pub jitter: u16,
}

/// What `event` makes of `task`.
pub fn step(mut task: Task, event: Event, policy: &Policy, moment: Moment) -> (Task, Vec<Effect>) {
    let now = moment.now;
    if let Event::Progress { kind, message } = &event {
        task.note(kind, message.clone(), now);
        return (task, Vec::new());
    }
    match (task.phase.clone(), event) {
        (Phase::Pending, Event::Start) => {
            task.phase = Phase::Starting { stop: None, early: None };
            task.note("Task Setup", "Preparing the task", now);
            (task, vec![Effect::Start])
        }
        (Phase::Pending, Event::Observed(Found::Running { handle, started_at })) => {
            task.runs(handle, started_at);
            (task, Vec::new())
        }
        (Phase::Pending | Phase::Backoff { .. }, Event::Stop { kind, reason }) => {
            task.note(kind, reason, now);
            task.over(now);
            (task, Vec::new())
        }

        (Phase::Unknown { stop }, Event::Observed(found)) => unknown_observed(task, stop, found, policy, moment),
        (Phase::Unknown { .. }, Event::Stop { kind, reason }) => {
            task.note(kind, reason, now);
            task.phase = Phase::Unknown { stop: Some(AfterStop::End) };
            (task, vec![Effect::Look])
        }

        (Phase::Starting { stop, early }, Event::Started { handle, started_at }) => {
            task.runs(handle.clone(), started_at);
            task.note("Started", "Task started by client", now);
            match (stop, early) {
                (_, Some((ended, exit))) if ended == handle => task.ended(exit, stop, policy, moment),
                (Some(after), _) => {
                    task.phase = Phase::Stopping { after, retry_at: None };
                    (task, vec![Effect::Stop])
                }
                (None, _) => (task, Vec::new()),
            }
        }
        (Phase::Starting { stop, .. }, Event::StartFailed { reason, retry }) => {
            task.note("Driver Failure", reason.clone(), now);
            task.state.exit = Some(Exit { code: -1, error: reason, ..Exit::default() });
            let ending = if retry { Ending::Badly } else { Ending::Hopelessly };
            task.follows(ending, stop, policy, moment)
        }
        (Phase::Starting { stop, .. }, Event::Observed(Found::Exited { handle, exit, .. })) => {
            task.phase = Phase::Starting { stop, early: Some((handle, exit)) };
            (task, Vec::new())
        }
        (Phase::Starting { early, .. }, Event::Stop { kind, reason }) => {
            task.note(kind, reason, now);
            task.phase = Phase::Starting { stop: Some(AfterStop::End), early };
            (task, Vec::new())
        }

        (Phase::Running, Event::Observed(Found::Exited { handle, exit, .. })) if task.is(&handle) => {
            task.ended(exit, None, policy, moment)
        }
        (Phase::Running, Event::Observed(Found::Absent)) => task.ended(vanished(), None, policy, moment),
        (Phase::Running, Event::Stop { kind, reason }) => {
            task.note(kind, reason, now);
            task.phase = Phase::Stopping { after: AfterStop::End, retry_at: None };
            (task, vec![Effect::Stop])
        }
        (Phase::Running, Event::Restart { reason, counted }) => {
            task.note("Restart Signaled", reason, now);
            let after = if counted { AfterStop::Failed } else { AfterStop::Again };
            task.phase = Phase::Stopping { after, retry_at: None };
            (task, vec![Effect::Stop])
        }

        (Phase::Stopping { after, .. }, Event::Observed(Found::Exited { handle, exit, .. })) if task.is(&handle) => {
            task.ended(exit, Some(after), policy, moment)
        }
        (Phase::Stopping { after, .. }, Event::Observed(Found::Absent)) => {
            task.ended(vanished(), Some(after), policy, moment)
        }
        (Phase::Stopping { retry_at, .. }, Event::Stop { .. }) => {
            task.phase = Phase::Stopping { after: AfterStop::End, retry_at };
            (task, Vec::new())
        }
        (Phase::Stopping { after, .. }, Event::StopFailed { reason }) => {
            task.note("Killing", format!("The runtime could not stop it: {reason}"), now);
            task.phase = Phase::Stopping { after, retry_at: Some(now + STOP_RETRY_DELAY) };
            (task, Vec::new())
        }
        (Phase::Stopping { after, retry_at: Some(at) }, Event::Tick) if at <= now => {
            task.phase = Phase::Stopping { after, retry_at: None };
            (task, vec![Effect::Stop])
        }

        (Phase::Backoff { until }, Event::Tick) if until <= now => {
            task.again(now);
            (task, Vec::new())
        }
        (Phase::Backoff { .. }, Event::Restart { reason, .. }) => {
            task.note("Restart Signaled", reason, now);
            task.again(now);
            (task, Vec::new())
        }

        // What is left is late, repeated, or of no meaning where the task stands; each pair is written out, so that a
        // new phase or event stops the build here.
        (Phase::Pending, Event::Observed(Found::Absent | Found::Exited { .. }))
        | (
            Phase::Pending,
            Event::Started { .. }
            | Event::StartFailed { .. }
            | Event::StopFailed { .. }
            | Event::Restart { .. }
            | Event::Tick,
        )
        | (
            Phase::Unknown { .. },
            Event::Start
            | Event::Started { .. }
            | Event::StartFailed { .. }
            | Event::StopFailed { .. }
            | Event::Restart { .. }
            | Event::Tick,
        )
        | (
            Phase::Starting { .. },
            Event::Start
            | Event::Observed(Found::Absent | Found::Running { .. })
            | Event::Restart { .. }
            | Event::StopFailed { .. }
            | Event::Tick,
        )
        | (
            Phase::Running,
            Event::Start
            | Event::Started { .. }
            | Event::StartFailed { .. }
            | Event::Observed(Found::Running { .. } | Found::Exited { .. })
            | Event::StopFailed { .. }
            | Event::Tick,
        )
        | (
            Phase::Stopping { .. },
            Event::Start
            | Event::Started { .. }
            | Event::StartFailed { .. }
            | Event::Observed(Found::Running { .. } | Found::Exited { .. })
            | Event::Restart { .. }
            | Event::Tick,
        )
        | (
            Phase::Backoff { .. },
            Event::Start
            | Event::Started { .. }
            | Event::StartFailed { .. }
            | Event::Observed(_)
            | Event::StopFailed { .. }
            | Event::Tick,
        )
        | (Phase::Dead, _)
        | (_, Event::Progress { .. }) => (task, Vec::new()),
    }
}

/// A task whose runtime was asked and whose answer is in.
fn unknown_observed(
    mut task: Task,
    stop: Option<AfterStop>,
    found: Found,
    policy: &Policy,
    moment: Moment,
) -> (Task, Vec<Effect>) {
    match (found, stop) {
        (Found::Running { handle, started_at }, None) => {
            task.runs(handle, started_at);
            (task, Vec::new())
        }
        (Found::Running { handle, started_at }, Some(after)) => {
            task.runs(handle, started_at);
            task.phase = Phase::Stopping { after, retry_at: None };
            (task, vec![Effect::Stop])
        }
        (Found::Exited { handle, exit, started_at, finished_at }, stop) => {
            task.runs(handle, started_at);
            let (mut task, effects) = task.ended(exit, stop, policy, moment);
            task.state.finished_at = Some(finished_at);
            (task, effects)
        }
        // It had started before the agent went away, so its end was missed.
        (Found::Absent, stop) if task.handle.is_some() => task.ended(vanished(), stop, policy, moment),
        (Found::Absent, Some(AfterStop::End)) => {
            task.over(moment.now);
            (task, Vec::new())
        }
        (Found::Absent, _) => {
            task.phase = Phase::Pending;
            (task, Vec::new())
        }
    }
}

/// The end of a container that somebody removed.
fn vanished() -> Exit {
    Exit { code: -1, error: "the container is gone".into(), ..Exit::default() }
}

#[cfg(test)]
mod tests;
