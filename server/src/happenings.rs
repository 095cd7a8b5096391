//! The newest happenings, buffered so that a reader of the event stream can resume where it stopped.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use model::Index;

use crate::cluster::Happening;

/// Happenings kept.
pub const HAPPENINGS_KEPT: usize = 1024;
/// Changes in those that are kept, unless the newest alone has more: with each goes what it replaced, for the state of
/// its time is kept too.
pub const CHANGES_KEPT: usize = 16_384;

/// A bounded buffer of what happened.
#[derive(Default)]
pub struct Happenings {
    buffer: Mutex<Buffer>,
}

#[derive(Default)]
struct Buffer {
    kept: VecDeque<Happening>,
    /// Changes in all of them.
    changes: usize,
    /// Index of the newest happening that was dropped; what came after it is complete.
    dropped_up_to: Index,
}

impl Happenings {
    /// Adds the newest.
    pub fn push(&self, happening: Happening) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.changes += happening.changes.len();
        buffer.kept.push_back(happening);
        while buffer.kept.len() > HAPPENINGS_KEPT || (buffer.changes > CHANGES_KEPT && buffer.kept.len() > 1) {
            let Some(oldest) = buffer.kept.pop_front() else { break };
            buffer.changes -= oldest.changes.len();
            buffer.dropped_up_to = oldest.index;
        }
    }

    /// Forgets everything: the state was replaced by that of `index`, and nobody can resume from before it.
    pub fn clear(&self, index: Index) {
        let mut buffer = self.buffer.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.dropped_up_to = index;
        buffer.kept.clear();
        buffer.changes = 0;
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

    use model::DeploymentId;
    use server_core::state::{Change, State};

    use super::*;

    fn push(happenings: &Happenings, index: Index) {
        push_large(happenings, index, 0);
    }

    fn push_large(happenings: &Happenings, index: Index, changes: usize) {
        let changes = vec![Change::Deployment(DeploymentId::default()); changes];
        happenings.push(Happening { index, changes: Arc::new(changes), state: Arc::new(State::default()) });
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
    fn no_more_changes_are_kept_than_the_limit_but_always_the_newest_happening() {
        let happenings = Happenings::default();
        push_large(&happenings, 1, CHANGES_KEPT - 1);
        push_large(&happenings, 2, 1);
        assert_eq!(happenings.after(0).map(|kept| kept.len()), Some(2));
        push_large(&happenings, 3, 1);
        assert!(happenings.after(0).is_none());
        assert_eq!(happenings.after(1).map(|kept| kept.len()), Some(2));
        push_large(&happenings, 4, CHANGES_KEPT + 1);
        assert_eq!(happenings.after(3).map(|kept| kept.len()), Some(1));
    }

    #[test]
    fn after_a_restore_nobody_resumes_from_before_it() {
        let happenings = Happenings::default();
        happenings.clear(7);
        assert!(happenings.after(6).is_none());
        assert_eq!(happenings.after(7).map(|kept| kept.len()), Some(0));
    }
}
