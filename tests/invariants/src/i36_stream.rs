//! I36: an event stream is ordered, names everything once, leaves nothing out, and can be resumed after the last index or says
//! that this is too old.

use std::collections::{BTreeMap, BTreeSet};

use model::Index;

use super::Violation;

pub(super) const NAME: &str = "stream";

/// What happened, and what each watcher was told of it.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    happened: BTreeMap<Index, BTreeSet<String>>,
    watchers: BTreeMap<u64, Index>,
}

impl Stream {
    /// At `index` these things changed, each named as the stream names it.
    pub fn happened(&mut self, index: Index, what: impl IntoIterator<Item = String>) {
        self.happened.entry(index).or_default().extend(what);
    }

    /// A watcher begins, or resumes, and wants everything after that index.
    pub fn watches(&mut self, watcher: u64, after: Index) {
        self.watchers.insert(watcher, after);
    }

    /// A watcher was told that this is too old, or that it is too slow; it begins anew.
    pub fn refused(&mut self, watcher: u64) {
        self.watchers.remove(&watcher);
    }

    /// A watcher was told of these at `index`; all of an index come together.
    pub fn told(&mut self, watcher: u64, index: Index, events: &[String]) -> Vec<Violation> {
        let mut violations = Vec::new();
        let mut found = |what: String| violations.push(Violation::new(NAME, format!("watcher {watcher}: {what}")));
        let Some(last) = self.watchers.get_mut(&watcher) else { return violations };
        if index <= *last {
            found(format!("{index} comes after {last}"));
            return violations;
        }
        for (missed, what) in self.happened.range(*last + 1..index).filter(|(_, what)| !what.is_empty()) {
            found(format!("{} at {missed} is left out", what.iter().next().map_or("", String::as_str)));
        }
        let named: BTreeSet<String> = events.iter().cloned().collect();
        if named.len() < events.len() {
            found(format!("something at {index} comes twice"));
        }
        let known = self.happened.get(&index).cloned().unwrap_or_default();
        if named != known {
            let differs = named.symmetric_difference(&known).next().cloned().unwrap_or_default();
            found(format!("{differs} at {index} is made up or left out"));
        }
        *last = index;
        violations
    }

    /// Everything has happened that will: what a watcher was not told yet it never will be.
    pub fn ended(&self, watcher: u64) -> Vec<Violation> {
        let Some(last) = self.watchers.get(&watcher) else { return Vec::new() };
        let missed = self.happened.range(*last + 1..).filter(|(_, what)| !what.is_empty()).map(|(index, _)| *index);
        let what = |index| format!("watcher {watcher}: it was never told of {index}");
        missed.map(|index| Violation::new(NAME, what(index))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watcher_that_is_told_too_much_or_too_little_is_found() {
        let mut stream = Stream::default();
        let event = |name: &str| name.to_string();
        stream.happened(1, [event("a")]);
        stream.happened(2, [event("b"), event("c")]);
        stream.happened(3, []);
        stream.happened(4, [event("d")]);
        for watcher in 0..6 {
            stream.watches(watcher, 0);
        }
        assert_eq!(stream.told(0, 1, &[event("a")]), []);
        assert_eq!(stream.told(0, 2, &[event("c"), event("b")]), []);
        assert_eq!(stream.ended(0).len(), 1);
        assert_eq!(stream.told(0, 4, &[event("d")]), []);
        assert_eq!(stream.ended(0), []);
        assert_eq!(stream.told(0, 2, &[event("c"), event("b")]).len(), 1, "it goes back");
        assert_eq!(stream.told(1, 2, &[event("b"), event("c")]).len(), 1, "1 is left out");
        assert_eq!(stream.told(2, 1, &[event("a"), event("a")]).len(), 1, "it comes twice");
        assert_eq!(stream.told(3, 1, &[]).len(), 1, "it is left out");
        assert_eq!(stream.told(4, 1, &[event("a"), event("z")]).len(), 1, "it is made up");
        stream.refused(5);
        assert_eq!(stream.told(5, 4, &[]), []);
        stream.watches(5, 2);
        assert_eq!(stream.told(5, 4, &[event("d")]), []);
    }
}
