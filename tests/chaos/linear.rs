//! Whether the history of a register is linearizable: whether every operation can have taken effect at one moment
//! between its beginning and its end, such that each outcome follows from the ones before.
//!
//! The search is that of Wing and Gong (1993) as Lowe (2017) made it fast: operations are tried one after the other in
//! the order of their beginnings; a set of operations that led to a value once without success is not tried again. What
//! changes nothing takes effect as soon as it can: whatever follows can follow it as well. An operation of unknown
//! outcome never ends: it may take effect at any later moment or never. The search gives up after a bounded number of
//! steps, and that is no proof.

use std::collections::HashSet;
use std::fmt;

use super::history::{ABSENT, Deed, Operation, Outcome, Value};

/// Steps of one search; histories of a few hundred operations take about as many steps as they have operations.
pub const STEPS_MAX: usize = 5_000_000;
/// Operations that are shown around the one that could not take effect.
const SHOWN: usize = 12;

/// What the search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// There is such an order.
    Valid,
    /// There is none; the text says where it ends.
    Invalid(String),
    /// Not found within [`STEPS_MAX`].
    GaveUp,
}

/// Judges the operations of one register, which does not exist at first.
pub fn check(operations: &[Operation]) -> Verdict {
    check_within(operations, STEPS_MAX)
}

fn check_within(operations: &[Operation], steps_max: usize) -> Verdict {
    let mut search = Search::new(operations);
    search.settle();
    let mut place = search.events.next(HEAD);
    for _ in 0..steps_max {
        if search.open == 0 {
            return Verdict::Valid;
        }
        match search.events.at(place) {
            Event::Begins(number) if search.take(number) => {
                search.settle();
                place = search.events.next(HEAD);
            }
            Event::Begins(_) => place = search.events.next(place),
            Event::Ends(number) => {
                search.note_stuck(number);
                match search.give_back() {
                    Some(number) => place = search.events.next(search.events.begin_of[number]),
                    None => return Verdict::Invalid(search.explain()),
                }
            }
            Event::Nothing => unreachable!("an operation that is not over stands in the list with its end"),
        }
    }
    Verdict::GaveUp
}

/// What `operation` leaves of `value`, or nothing if its outcome cannot have followed from it.
fn effect(operation: &Operation, value: Value) -> Option<Value> {
    match (operation.deed, operation.outcome) {
        (Deed::Read, Outcome::Value(read)) => (read == value).then_some(value),
        (Deed::Swap { from, to }, Outcome::Swapped) => (from == value).then_some(to),
        (Deed::Swap { from, .. }, Outcome::Refused) => (from != value).then_some(value),
        // Where it would change nothing it need not take effect at all.
        (Deed::Swap { from, to }, Outcome::Unknown) => (from == value).then_some(to),
        (Deed::Read, Outcome::Swapped | Outcome::Refused | Outcome::Unknown)
        | (Deed::Swap { .. }, Outcome::Value(_)) => None,
    }
}

/// An operation that has taken effect.
struct Taken {
    number: usize,
    /// The value before it.
    before: Value,
    /// Whether another could have been tried in its place.
    is_choice: bool,
}

struct Search<'a> {
    operations: &'a [Operation],
    events: Events,
    /// Operations that have taken effect, as bits.
    taken: Vec<u64>,
    /// The same in order.
    order: Vec<Taken>,
    value: Value,
    /// Completed operations that have not taken effect.
    open: usize,
    tried: HashSet<(Vec<u64>, Value)>,
    /// How many had taken effect where the search came furthest, and who could not follow.
    furthest: (usize, usize, Value),
}

impl<'a> Search<'a> {
    fn new(operations: &'a [Operation]) -> Self {
        Self {
            operations,
            events: Events::new(operations),
            taken: vec![0; operations.len().div_ceil(64)],
            order: Vec::new(),
            value: ABSENT,
            open: operations.iter().filter(|operation| operation.is_completed()).count(),
            tried: HashSet::new(),
            furthest: (0, 0, ABSENT),
        }
    }

    /// Lets an operation take effect, if it can and that was not tried before.
    fn take(&mut self, number: usize) -> bool {
        let Some(value) = effect(&self.operations[number], self.value) else { return false };
        self.flip(number);
        if !self.tried.insert((self.taken.clone(), value)) {
            self.flip(number);
            return false;
        }
        self.follow(number, value, true);
        true
    }

    /// Lets everything take effect that can and changes nothing.
    fn settle(&mut self) {
        let mut place = self.events.next(HEAD);
        while let Event::Begins(number) = self.events.at(place) {
            place = self.events.next(place);
            if effect(&self.operations[number], self.value) == Some(self.value) {
                self.flip(number);
                self.follow(number, self.value, false);
                // With it an end has gone: more operations may follow now.
                place = self.events.next(HEAD);
            }
        }
    }

    fn follow(&mut self, number: usize, value: Value, is_choice: bool) {
        self.order.push(Taken { number, before: self.value, is_choice });
        self.value = value;
        self.open -= usize::from(self.operations[number].is_completed());
        self.events.unlink(number);
    }

    /// Takes the last choice back, with what followed it.
    fn give_back(&mut self) -> Option<usize> {
        loop {
            let Taken { number, before, is_choice } = self.order.pop()?;
            self.flip(number);
            self.value = before;
            self.open += usize::from(self.operations[number].is_completed());
            self.events.link(number);
            if is_choice {
                return Some(number);
            }
        }
    }

    fn flip(&mut self, number: usize) {
        self.taken[number / 64] ^= 1 << (number % 64);
    }

    fn note_stuck(&mut self, number: usize) {
        if self.order.len() >= self.furthest.0 {
            self.furthest = (self.order.len(), number, self.value);
        }
    }

    fn explain(&self) -> String {
        let (_, number, value) = self.furthest;
        let stuck = &self.operations[number];
        let mut near: Vec<&Operation> = self.operations.iter().filter(|one| one.began <= stuck.ended).collect();
        near.sort_by_key(|one| one.ended);
        let near = near.split_off(near.len().saturating_sub(SHOWN));
        let near: Vec<String> = near.iter().map(|one| one.to_string()).collect();
        format!(
            "nothing explains `{stuck}` (at best the value was {value}); what ended last by then:\n{}",
            near.join("\n")
        )
    }
}

#[derive(Clone, Copy, Debug)]
enum Event {
    Begins(usize),
    Ends(usize),
    /// The head of the list, and what lies behind its end.
    Nothing,
}

/// Beginnings and ends in the order of time, as a list from which an operation can be taken out and put back.
struct Events {
    events: Vec<Event>,
    next: Vec<usize>,
    previous: Vec<usize>,
    begin_of: Vec<usize>,
    end_of: Vec<Option<usize>>,
}

/// The place before the first event.
const HEAD: usize = 0;

impl Events {
    fn new(operations: &[Operation]) -> Self {
        let mut timed = Vec::new();
        for (number, operation) in operations.iter().enumerate() {
            // At the same moment beginnings come first: then they overlap, and either order is allowed.
            timed.push((operation.began, 0, number));
            if operation.is_completed() {
                timed.push((operation.ended, 1, number));
            }
        }
        timed.sort_unstable();
        let mut list = Self {
            events: vec![Event::Nothing],
            next: (1..=timed.len() + 1).collect(),
            previous: (0..=timed.len() + 1).map(|place| place.saturating_sub(1)).collect(),
            begin_of: vec![HEAD; operations.len()],
            end_of: vec![None; operations.len()],
        };
        for (place, (_, is_end, number)) in (1..).zip(timed) {
            if is_end == 1 {
                list.end_of[number] = Some(place);
                list.events.push(Event::Ends(number));
            } else {
                list.begin_of[number] = place;
                list.events.push(Event::Begins(number));
            }
        }
        list.events.push(Event::Nothing);
        list
    }

    fn at(&self, place: usize) -> Event {
        self.events[place]
    }

    fn next(&self, place: usize) -> usize {
        self.next[place]
    }

    fn places(&self, number: usize) -> [Option<usize>; 2] {
        [Some(self.begin_of[number]), self.end_of[number]]
    }

    fn unlink(&mut self, number: usize) {
        for place in self.places(number).into_iter().flatten() {
            let (previous, next) = (self.previous[place], self.next[place]);
            self.next[previous] = next;
            self.previous[next] = previous;
        }
    }

    /// The reverse of [`Events::unlink`], in reverse order.
    fn link(&mut self, number: usize) {
        for place in self.places(number).into_iter().rev().flatten() {
            let (previous, next) = (self.previous[place], self.next[place]);
            self.next[previous] = place;
            self.previous[next] = place;
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Valid => write!(f, "linearizable"),
            Verdict::Invalid(reason) => write!(f, "not linearizable: {reason}"),
            Verdict::GaveUp => write!(f, "no verdict within {STEPS_MAX} steps"),
        }
    }
}

#[cfg(test)]
mod tests;
