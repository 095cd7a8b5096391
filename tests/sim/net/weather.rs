//! What is wrong with the network: who can't reach whom, what is slow, lost or doubled.

use std::collections::BTreeMap;

use super::Process;

/// The state of the network. Faults overlap, so each closed direction counts how many closed it.
#[derive(Clone, Debug, Default)]
pub struct Weather {
    closed: BTreeMap<(Process, Process), u32>,
    held: BTreeMap<Process, u32>,
    /// How much longer than usual a message may take.
    pub jitter_ms: u64,
    /// Messages that must be sent again.
    pub loss_percent: u64,
    /// Answers that are lost after the deed.
    pub lost_replies_percent: u64,
    /// Questions that arrive twice.
    pub duplicate_percent: u64,
}

impl Weather {
    /// Whether messages pass from one to the other.
    pub fn passes(&self, from: Process, to: Process) -> bool {
        !self.closed.contains_key(&(from, to)) && !self.held.contains_key(&from) && !self.held.contains_key(&to)
    }

    /// Whether nothing is wrong.
    pub fn is_clear(&self) -> bool {
        let trouble = [self.jitter_ms, self.loss_percent, self.lost_replies_percent, self.duplicate_percent];
        self.closed.is_empty() && self.held.is_empty() && trouble == [0; 4]
    }

    /// Closes one direction.
    pub fn close(&mut self, from: Process, to: Process) {
        *self.closed.entry((from, to)).or_default() += 1;
    }

    /// Takes one [`Weather::close`] back.
    pub fn open(&mut self, from: Process, to: Process) {
        take_back(&mut self.closed, (from, to));
    }

    /// Keeps everything that a process sends and is sent, as if it did not get to run.
    pub fn hold(&mut self, process: Process) {
        *self.held.entry(process).or_default() += 1;
    }

    /// Takes one [`Weather::hold`] back.
    pub fn release(&mut self, process: Process) {
        take_back(&mut self.held, process);
    }
}

fn take_back<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_is_open_again_when_all_who_closed_it_opened_it() {
        let (one, other) = (Process::Server(1), Process::Agent(1));
        let mut weather = Weather::default();
        weather.close(one, other);
        weather.close(one, other);
        assert!(!weather.passes(one, other));
        assert!(weather.passes(other, one));
        weather.open(one, other);
        assert!(!weather.passes(one, other));
        weather.open(one, other);
        assert!(weather.passes(one, other));
        weather.hold(other);
        assert!(!weather.passes(one, other) && !weather.passes(other, one));
        weather.release(other);
        assert!(weather.passes(one, other));
    }
}
