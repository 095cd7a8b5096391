//! When an instance that failed may be placed anew; and one of a service that ended well, which its agent has not run again.
//!
//! A service has no end, so the next one comes, but with the same growing pauses: one that ends at once would be placed
//! anew for ever, as fast as the cluster can. How often is a limit for failures, and does not hold for it.

use std::time::Duration;

use model::old_bugs::{OldBug, is_on};
use model::{
    Allocation, ClientStatus, DelayFunction, Desired, JobType, Reschedule, RescheduleEvent, StopReason, Timestamp,
};

use crate::limits::RESCHEDULES_KEPT;

/// Whether an instance of a job of that kind is over that shall run: it failed, or it ended and is of a service.
pub(crate) fn shall_come_back(known: &Allocation, kind: JobType) -> bool {
    let is_over = match known.client_status {
        ClientStatus::Failed => true,
        ClientStatus::Complete => !kind.runs_to_completion(),
        ClientStatus::Pending | ClientStatus::Running | ClientStatus::Unknown | ClientStatus::Lost => false,
    };
    is_over && known.desired == Desired::Run
}

/// Whether nothing was to take its place.
pub(crate) fn ended_on_purpose(known: &Allocation) -> bool {
    match known.desired {
        Desired::Stop(StopReason::JobStopped | StopReason::NotNeeded | StopReason::Updated) => true,
        Desired::Run | Desired::Stop(_) => false,
    }
}

/// What becomes of a failed instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is placed anew now, with this history.
    Now(Vec<RescheduleEvent>),
    /// It is placed anew then.
    Later(Timestamp),
    /// Its attempts are used up.
    Never,
}

/// What becomes of `failed` under `policy`; without one it stays as it is, unless a person wants it placed anew.
pub(super) fn judge(failed: &Allocation, policy: Option<&Reschedule>, now: Timestamp) -> Verdict {
    if failed.forced {
        let policy = policy.cloned().unwrap_or_default();
        // The pauses grow as if it had waited.
        let delay = delay(failed, &policy, failed_at(failed));
        return Verdict::Now(history_of(failed, &policy, delay, now));
    }
    let without_limit = (failed.client_status == ClientStatus::Complete).then(|| without_limit(policy));
    let Some(policy) = without_limit.as_ref().or(policy) else { return Verdict::Never };
    let failed_at = failed_at(failed);
    let recent = failed.ties().reschedules.iter().filter(|event| failed_at.since(event.at) < policy.interval).count();
    if !policy.unlimited && recent >= policy.attempts as usize {
        return Verdict::Never;
    }
    let delay = delay(failed, policy, failed_at);
    let due = failed_at + delay;
    if due > now && !is_on(OldBug::NoPause) {
        return Verdict::Later(due);
    }
    Verdict::Now(history_of(failed, policy, delay, now))
}

/// The pauses of `policy` without its limit; those of a service's default where it never places anything anew, since it need
/// not name any then.
fn without_limit(policy: Option<&Reschedule>) -> Reschedule {
    let places = policy.filter(|policy| policy.unlimited || policy.attempts > 0);
    places.map_or_else(Reschedule::default, |policy| Reschedule { unlimited: true, ..policy.clone() })
}

/// Whether nothing will ever be placed in place of `failed`, unless a person wants it.
pub(crate) fn is_final(failed: &Allocation, policy: Option<&Reschedule>, now: Timestamp) -> bool {
    judge(failed, policy, now) == Verdict::Never
}

/// What the instance in place of `failed` remembers.
fn history_of(failed: &Allocation, policy: &Reschedule, delay: Duration, now: Timestamp) -> Vec<RescheduleEvent> {
    let mut history = failed.ties().reschedules.clone();
    history.push(RescheduleEvent {
        at: now,
        previous: failed.id,
        node: failed.node,
        delay_ns: u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX),
    });
    forget_oldest(&mut history, policy, now);
    history
}

/// Forgets the oldest placements beyond the limit, but none that `policy` still counts. There are no more of those than
/// it allows attempts.
fn forget_oldest(history: &mut Vec<RescheduleEvent>, policy: &Reschedule, now: Timestamp) {
    let excess = history.len().saturating_sub(RESCHEDULES_KEPT);
    let counts = |event: &RescheduleEvent| !policy.unlimited && now.since(event.at) < policy.interval;
    let forgotten = history[..excess].iter().take_while(|event| !counts(event)).count();
    history.drain(..forgotten);
}

/// When it failed: the last end of a task, or else the last change. The end is told by its node's clock, which may be
/// anywhere: it was not before the instance was placed, nor after it was heard of, or what fails at once would be placed
/// anew without any pause, or far too late.
fn failed_at(failed: &Allocation) -> Timestamp {
    let told = failed.tasks.unpack().values().filter_map(|task| task.finished_at).max();
    told.map_or(failed.modified_at, |told| told.clamp(failed.created_at, failed.modified_at.max(failed.created_at)))
}

/// The wait before the next placement. It starts anew once an instance lived longer than the wait before it.
fn delay(failed: &Allocation, policy: &Reschedule, failed_at: Timestamp) -> Duration {
    let Some(last) = failed.ties().reschedules.last() else { return policy.delay };
    let last_delay = Duration::from_nanos(last.delay_ns);
    let limit = |delay: Duration| match policy.max_delay {
        Duration::ZERO => delay,
        max_delay => delay.min(max_delay),
    };
    let next = match policy.delay_function {
        DelayFunction::Constant => return policy.delay,
        DelayFunction::Exponential => limit(last_delay.saturating_mul(2)),
        DelayFunction::Fibonacci => {
            // A shorter wait after a longer one began anew, as did the first of all.
            let before =
                failed.ties().reschedules.iter().rev().nth(1).map(|event| Duration::from_nanos(event.delay_ns));
            limit(last_delay.saturating_add(before.filter(|before| *before <= last_delay).unwrap_or_default()))
        }
    };
    if failed_at.since(failed.created_at) > next { policy.delay } else { next }
}

#[cfg(test)]
mod tests;
