//! Finds the best node for a few instances without looking at all nodes.
//!
//! Nodes stand in cells by their size and by how much of their CPU and memory is free. No node of a cell packs better than
//! a bound that follows from the cell alone; so cells are opened in order of their bounds until no bound reaches the best
//! node that was found. Within a cell equal nodes stand together, of which all are worth the same.

use std::collections::{BTreeMap, BTreeSet};

use model::Resources;

use super::{Place, Row};

/// What is free of a node is told apart in parts of so many.
const PARTS: u64 = 1 << 16;

/// Nodes in cells.
#[derive(Default)]
pub(super) struct Index {
    cells: BTreeMap<Key, Cell>,
    /// Where each node stands; none where it takes no new work.
    standing: Vec<Option<Standing>>,
}

/// Names a cell: the size in CPU and memory, and the free parts of both, each by its leading digits.
type Key = [u8; 4];

#[derive(Default)]
struct Cell {
    /// Equal nodes, in order of their hashes.
    equals: BTreeMap<Kind, BTreeSet<(u64, Place)>>,
    /// At most what any member has free. It may be more, since it does not shrink when a member leaves.
    free: Resources,
}

/// What equal nodes have in common.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    capacity: [u64; 4],
    used: [u64; 4],
}

#[derive(Clone, Copy, PartialEq)]
struct Standing {
    cell: Key,
    kind: Kind,
    hash: u64,
    free: Resources,
}

/// What is left free of a node of some cell, if an instance comes: CPU and memory, in parts of 1,024.
pub(in super::super) struct Left {
    /// No member has less.
    pub least: [u64; 2],
    /// No member has more.
    pub most: [u64; 2],
}

/// How an index is searched for a place.
pub(in super::super) trait Judge {
    /// What the best member of a cell is worth at most.
    fn bound(&self, left: &Left) -> i64;

    /// What a place is worth, were it only for its room.
    fn unspoilt(&self, at: Place) -> i64;

    /// What a place is worth, and what breaks its ties; none if it can't take the instance.
    fn candidate(&self, at: Place) -> Option<(i64, u64, Place)>;
}

impl Index {
    /// Takes over what changed at `place`; none where the node may not stand here.
    pub fn update(&mut self, place: Place, row: Option<&Row>) {
        let at = place as usize;
        if self.standing.len() <= at {
            self.standing.resize(at + 1, None);
        }
        let standing = row.filter(|row| row.is_open).map(Standing::of);
        if self.standing[at] == standing {
            return;
        }
        if let Some(old) = std::mem::replace(&mut self.standing[at], standing)
            && let Some(cell) = self.cells.get_mut(&old.cell)
        {
            cell.remove(&old, place);
            if cell.equals.is_empty() {
                self.cells.remove(&old.cell);
            }
        }
        if let Some(new) = standing {
            self.cells.entry(new.cell).or_default().insert(&new, place);
        }
    }

    /// The best place for an instance that asks `ask`. Of equal nodes the one comes first whose hash is next below `seed`.
    pub fn best(&self, ask: Resources, seed: u64, judge: &impl Judge) -> Option<Place> {
        let may_fit = self.cells.iter().filter(|(_, cell)| ask.is_within(cell.free));
        let mut open: Vec<_> = may_fit.map(|(key, cell)| (judge.bound(&left_in(key, ask)), cell)).collect();
        let mut best = None;
        while let Some(at) = (0..open.len()).max_by_key(|at| open[*at].0) {
            let (bound, cell) = open.swap_remove(at);
            if best.is_some_and(|(score, _, _)| score > bound) {
                break;
            }
            for (_, equals) in cell.equals.iter().filter(|(kind, _)| kind.has_room(ask)) {
                best = best.max(best_of_equals(equals, seed, judge));
            }
        }
        best.map(|(_, _, place)| place)
    }
}

/// The first of equal nodes that can take the instance, unless something speaks against it that is no matter of room: then
/// one that comes later may be better.
fn best_of_equals(equals: &BTreeSet<(u64, Place)>, seed: u64, judge: &impl Judge) -> Option<(i64, u64, Place)> {
    let mut best = None;
    for (_, place) in equals.range(..(seed, 0)).rev().chain(equals.range((seed, 0)..).rev()) {
        best = best.max(judge.candidate(*place));
        if best.is_some_and(|(score, _, _)| score >= judge.unspoilt(*place)) {
            break;
        }
    }
    best
}

impl Standing {
    fn of(row: &Row) -> Self {
        let Row { capacity, used, .. } = row;
        let free = row.free();
        let part = |free: u64, capacity: u64| digits((free * PARTS).checked_div(capacity).unwrap_or(0));
        let cell = [
            digits(capacity.cpu_mhz),
            digits(capacity.memory_mb),
            part(free.cpu_mhz, capacity.cpu_mhz),
            part(free.memory_mb, capacity.memory_mb),
        ];
        let amounts = |of: &Resources| [of.cpu_mhz, of.memory_mb, of.memory_max_mb, of.disk_mb];
        let kind = Kind { capacity: amounts(capacity), used: amounts(used) };
        Self { cell, kind, hash: row.hash, free }
    }
}

impl Kind {
    fn has_room(&self, ask: Resources) -> bool {
        let asks = [ask.cpu_mhz, ask.memory_mb, ask.memory_max_mb, ask.disk_mb];
        (0..4).all(|of| self.used[of] + asks[of] <= self.capacity[of] || asks[of] == 0)
    }
}

impl Cell {
    fn insert(&mut self, standing: &Standing, place: Place) {
        self.free = self.free.max(standing.free);
        self.equals.entry(standing.kind).or_default().insert((standing.hash, place));
    }

    fn remove(&mut self, standing: &Standing, place: Place) {
        if let Some(equals) = self.equals.get_mut(&standing.kind) {
            equals.remove(&(standing.hash, place));
            if equals.is_empty() {
                self.equals.remove(&standing.kind);
            }
        }
    }
}

/// What is left free of the members of a cell when an instance comes that asks `ask`.
fn left_in(key: &Key, ask: Resources) -> Left {
    let [cpu, memory, free_cpu, free_memory] = *key;
    // Of the smallest capacity an ask takes the largest part, and of the largest the smallest.
    let least = |size: u8, free: u8, ask: u64| {
        let taken = (ask * 1024).div_ceil(lowest(size).max(1));
        (lowest(free) * 1024 / PARTS).saturating_sub(taken + 1)
    };
    let most = |size: u8, free: u8, ask: u64| {
        let taken = ask * 1024 / highest(size).max(1);
        (highest(free) * 1024).div_ceil(PARTS).saturating_sub(taken)
    };
    Left {
        least: [least(cpu, free_cpu, ask.cpu_mhz), least(memory, free_memory, ask.memory_mb)],
        most: [most(cpu, free_cpu, ask.cpu_mhz), most(memory, free_memory, ask.memory_mb)],
    }
}

/// The length of `number` in bits and its two bits after the first: numbers with the same digits differ by a fifth at most.
fn digits(number: u64) -> u8 {
    match number.checked_ilog2() {
        None | Some(0..=1) => number as u8,
        Some(length) => (length as u8) << 2 | ((number >> (length - 2)) & 3) as u8,
    }
}

/// The lowest number with those digits.
fn lowest(digits: u8) -> u64 {
    match digits {
        0..=3 => u64::from(digits),
        // No number has these.
        4..=7 => 4,
        _ => u64::from(4 | (digits & 3)) << ((digits >> 2) - 2),
    }
}

/// The highest number with those digits.
fn highest(digits: u8) -> u64 {
    match digits {
        0..=3 => u64::from(digits),
        4..=7 => 4,
        _ => lowest(digits) + ((1 << ((digits >> 2) - 2)) - 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_lies_between_the_lowest_and_the_highest_of_its_digits(number in any::<u64>()) {
            let of = digits(number);
            prop_assert!(lowest(of) <= number && number <= highest(of));
            prop_assert!(number < 4 || highest(of) - lowest(of) <= lowest(of) / 4);
        }
    }

    #[test]
    fn small_numbers_have_digits_of_their_own() {
        for number in 0..8 {
            assert_eq!((lowest(digits(number)), highest(digits(number))), (number, number));
        }
    }
}
