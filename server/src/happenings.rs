//! The newest happenings, buffered so that a reader of the event stream can resume where it stopped.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use model::Index;

use crate::cluster::Happening;

/// Happenings kept.
pub const HAPPENINGS_KEPT: usize = 1024;

/// A bounded buffer of what happened.
#[derive(Default)]
pub struct Happenings {
    buffer: Mutex<Buffer>,
}

#[derive(Default)]
struct Buffer {
    kept: VecDeque<Happening>,
    /// Index of the newest happening that was dropped; what came after it is complete.
    dropped_up_to: Index,
}

impl Happenings {
    /// Adds the newest.
    pub fn push(&self, happening: Happening) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.kept.push_back(happening);
        while buffer.kept.len() > HAPPENINGS_KEPT {
            buffer.dropped_up_to = buffer.kept.pop_front().map_or(0, |oldest| oldest.index);
        }
    }

    /// Forgets everything: the state was replaced by that of `index`, and nobody can resume from before it.
    pub fn clear(&self, index: Index) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.dropped_up_to = index;
        buffer.kept.clear();
    }

    /// Everything after `index`, oldest first; none if some of it was dropped.
    pub fn after(&self, index: Index) -> Option<Vec<Happening>> {
        let buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        if index < buffer.dropped_up_to {
            return None;
        }
        let from = buffer.kept.partition_point(|happening| happening.index <= index);
        Some(buffer.kept.range(from..).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use server_core::state::State;

    use super::*;

    fn push(happenings: &Happenings, index: Index) {
        happenings.push(Happening { index, changes: Arc::new(Vec::new()), state: Arc::new(State::default()) });
    }

    #[test]
    fn a_reader_resumes_until_the_buffer_has_dropped_what_it_lacks() {
        let happenings = Happenings::default();
        for index in 1..=HAPPENINGS_KEPT as Index {
            push(&happenings, index);
        }
        assert_eq!(happenings.after(0).map(|kept| kept.len()), Some(HAPPENINGS_KEPT));
        push(&happenings, HAPPENINGS_KEPT as Index + 1);
        assert!(happenings.after(0).is_none());
        assert_eq!(happenings.after(1).map(|kept| kept.len()), Some(HAPPENINGS_KEPT));
    }

    #[test]
    fn after_a_restore_nobody_resumes_from_before_it() {
        let happenings = Happenings::default();
        happenings.clear(7);
        assert!(happenings.after(6).is_none());
        assert_eq!(happenings.after(7).map(|kept| kept.len()), Some(0));
    }
}
