//! What is said of allocations until a server has kept it: the newest observation of each, never a queue.
//!
//! Changes are gathered for [`BATCH_DELAY`], except those that others wait for (client status, health), which go at
//! once. What no server confirmed is sent again, after [`RESEND_DELAY`] or when the stream is new.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{AllocationId, ClientStatus, Observation};
use proto::convert::observation_to_wire;
use proto::wire;
use tokio::time::Instant;

/// How long changes that nobody waits for are gathered.
pub const BATCH_DELAY: Duration = Duration::from_millis(100);
/// When an observation that no server confirmed is sent again.
pub const RESEND_DELAY: Duration = Duration::from_secs(5);
/// Observations in one message.
pub const OBSERVATIONS_MAX: usize = 500;

/// The newest observation of each allocation.
#[derive(Default)]
pub struct Report {
    newest: BTreeMap<AllocationId, Entry>,
    /// When each that no server has kept is to be sent.
    waiting: BTreeSet<(Instant, AllocationId)>,
    sequence: u64,
}

struct Entry {
    observation: Observation,
    state: State,
}

#[derive(Clone, Copy, PartialEq)]
enum State {
    Due(Instant),
    Sent { sequence: u64, at: Instant },
    Kept,
}

impl State {
    /// When it is to be sent.
    fn due_at(self) -> Option<Instant> {
        match self {
            State::Due(at) => Some(at),
            State::Sent { at, .. } => Some(at + RESEND_DELAY),
            State::Kept => None,
        }
    }
}

impl Report {
    /// Takes an observation in; one that says nothing new changes nothing.
    pub fn put(&mut self, observation: Observation, now: Instant) {
        let id = observation.allocation;
        let due = match self.newest.get(&id) {
            Some(entry) if entry.observation == observation => return,
            Some(Entry { observation: before, state }) => {
                let urgent = before.client_status != observation.client_status || before.healthy != observation.healthy;
                match state {
                    _ if urgent => now,
                    State::Due(at) => *at,
                    State::Sent { .. } | State::Kept => now + BATCH_DELAY,
                }
            }
            // Until somebody hears otherwise, it is pending.
            None if observation.client_status == ClientStatus::Pending => now + BATCH_DELAY,
            None => now,
        };
        self.forget(id);
        self.newest.insert(id, Entry { observation, state: State::Due(due) });
        self.waiting.insert((due, id));
    }

    /// Says all again, to a server that may not have heard it. What is over and was kept stays quiet.
    pub fn repeat(&mut self, now: Instant) {
        let speaks = |entry: &Entry| entry.state != State::Kept || !entry.observation.client_status.is_terminal();
        let again: Vec<_> = self.newest.iter().filter(|(_, entry)| speaks(entry)).map(|(id, _)| *id).collect();
        again.into_iter().for_each(|id| self.set(id, State::Due(now)));
    }

    /// When something must be sent.
    pub fn due_at(&self) -> Option<Instant> {
        self.waiting.first().map(|(at, _)| *at)
    }

    /// What must be sent now, if anything: with it goes all that waits.
    pub fn take(&mut self, now: Instant) -> Option<wire::Observations> {
        if self.due_at().is_none_or(|at| at > now) {
            return None;
        }
        self.sequence += 1;
        let waits = |id: &AllocationId| match self.newest[id].state {
            State::Due(_) => true,
            State::Sent { at, .. } => at + RESEND_DELAY <= now,
            State::Kept => false,
        };
        // What is due later than that was sent not long ago.
        let soon = self.waiting.iter().take_while(|(at, _)| *at <= now + BATCH_DELAY).map(|(_, id)| *id);
        let ids: Vec<_> = soon.filter(waits).take(OBSERVATIONS_MAX).collect();
        let items = ids.iter().map(|id| observation_to_wire(&self.newest[id].observation)).collect();
        let sent = State::Sent { sequence: self.sequence, at: now };
        ids.into_iter().for_each(|id| self.set(id, sent));
        Some(wire::Observations { sequence: self.sequence, items })
    }

    /// A server has kept everything up to `sequence`.
    pub fn kept(&mut self, sequence: u64) {
        let sent = |id: &AllocationId| match self.newest[id].state {
            State::Sent { sequence, .. } => Some(sequence),
            State::Due(_) | State::Kept => None,
        };
        // They wait in the order in which they were sent.
        let waiting = self.waiting.iter().map(|(_, id)| *id);
        let until = waiting.take_while(|id| sent(id).is_none_or(|sent| sent <= sequence));
        let kept: Vec<_> = until.filter(|id| sent(id).is_some()).collect();
        kept.into_iter().for_each(|id| self.set(id, State::Kept));
    }

    /// The allocation is no longer known.
    pub fn forget(&mut self, id: AllocationId) {
        if let Some(at) = self.newest.remove(&id).and_then(|entry| entry.state.due_at()) {
            self.waiting.remove(&(at, id));
        }
    }

    fn set(&mut self, id: AllocationId, state: State) {
        let Some(entry) = self.newest.get_mut(&id) else { return };
        if let Some(at) = entry.state.due_at() {
            self.waiting.remove(&(at, id));
        }
        entry.state = state;
        self.waiting.extend(state.due_at().map(|at| (at, id)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observation(name: &str, client_status: ClientStatus, description: &str) -> Observation {
        Observation {
            allocation: AllocationId::derive(&[name.as_bytes()]),
            client_status,
            client_description: description.into(),
            tasks: BTreeMap::new(),
            healthy: None,
            healthy_at: None,
            checks: BTreeMap::new(),
            network_address: None,
        }
    }

    fn sent(report: &mut Report, now: Instant) -> Option<(u64, usize)> {
        report.take(now).map(|observations| (observations.sequence, observations.items.len()))
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_wait_for_goes_at_once_and_the_rest_is_gathered() {
        let (mut report, start) = (Report::default(), Instant::now());
        report.put(observation("a", ClientStatus::Pending, ""), start);
        assert_eq!(sent(&mut report, start), None, "that is what servers take it for");
        report.put(observation("a", ClientStatus::Pending, "pulls"), start + BATCH_DELAY / 2);
        assert_eq!(sent(&mut report, start + BATCH_DELAY), Some((1, 1)));
        report.put(observation("a", ClientStatus::Pending, "pulled"), start + BATCH_DELAY);
        assert_eq!(sent(&mut report, start + BATCH_DELAY), None);
        report.put(observation("b", ClientStatus::Running, ""), start + BATCH_DELAY);
        assert_eq!(sent(&mut report, start + BATCH_DELAY), Some((2, 2)), "what waits goes along");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_kept_is_sent_again_and_what_was_is_not() {
        let (mut report, start) = (Report::default(), Instant::now());
        report.put(observation("a", ClientStatus::Running, ""), start);
        report.put(observation("b", ClientStatus::Complete, ""), start);
        assert_eq!(sent(&mut report, start), Some((1, 2)));
        assert_eq!(sent(&mut report, start + RESEND_DELAY), Some((2, 2)));
        report.kept(1);
        assert!(report.due_at().is_some(), "the second sending is not confirmed yet");
        report.kept(2);
        assert_eq!(report.due_at(), None);
        report.put(observation("a", ClientStatus::Running, ""), start);
        assert_eq!(report.due_at(), None, "it says nothing new");
        report.repeat(start);
        assert_eq!(sent(&mut report, start), Some((3, 1)), "what is over and kept stays quiet");
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_holds_a_limited_number() {
        let (mut report, start) = (Report::default(), Instant::now());
        for number in 0..=OBSERVATIONS_MAX {
            report.put(observation(&number.to_string(), ClientStatus::Running, ""), start);
        }
        assert_eq!(sent(&mut report, start), Some((1, OBSERVATIONS_MAX)));
        assert_eq!(sent(&mut report, start), Some((2, 1)));
    }
}
