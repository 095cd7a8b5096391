//! The candidates of a group, so that the best is found without looking at all again.
//!
//! An instance changes the score of the node that it is placed on and, where the group spreads, that of all nodes with
//! the same values. So candidates of the same values share a heap, in which they are ordered by the rest of their score,
//! and what their values are worth is added to the best of each heap.

use std::collections::{BTreeMap, BinaryHeap};

use super::super::fleet::Place;
use super::super::score::Spreads;

/// A candidate: the best score first, ties by what evaluation and node make of each other.
pub(super) type Ranked = (i64, u64, Place);

/// The candidates.
pub(super) struct Ranking {
    heaps: Vec<Heap>,
    /// The heap from which the best was last taken.
    last: usize,
}

struct Heap {
    /// By their scores without spreads.
    ranked: BinaryHeap<Ranked>,
    values: Vec<u32>,
    /// What the values are worth.
    boost: i64,
}

impl Ranking {
    /// Ranks candidates, which come with their scores without spreads.
    pub fn of(candidates: impl Iterator<Item = Ranked>, spreads: &Spreads<'_>) -> Self {
        if spreads.is_empty() {
            let ranked = candidates.collect::<Vec<_>>().into();
            return Self { heaps: vec![Heap { ranked, values: Vec::new(), boost: 0 }], last: 0 };
        }
        let mut by_values: BTreeMap<Vec<u32>, Vec<Ranked>> = BTreeMap::new();
        for candidate in candidates {
            by_values.entry(spreads.values(candidate.2)).or_default().push(candidate);
        }
        let mut ranking = Self { heaps: Vec::new(), last: 0 };
        for (values, ranked) in by_values {
            ranking.heaps.push(Heap { ranked: ranked.into(), values, boost: 0 });
        }
        ranking.weigh(spreads);
        ranking
    }

    /// The best candidate.
    pub fn best(&mut self) -> Option<Place> {
        let mut best: Option<Ranked> = None;
        for (at, heap) in self.heaps.iter().enumerate() {
            let Some((score, tie, place)) = heap.ranked.peek() else { continue };
            let ranked = (score + heap.boost, *tie, *place);
            if best.is_none_or(|best| ranked > best) {
                best = Some(ranked);
                self.last = at;
            }
        }
        best.map(|(_, _, place)| place)
    }

    /// Gives the candidate that was last the best its new rank, or takes it out.
    pub fn replace_best(&mut self, ranked: Option<Ranked>) {
        let heap = &mut self.heaps[self.last].ranked;
        match ranked {
            Some(ranked) => {
                if let Some(mut top) = heap.peek_mut() {
                    *top = ranked;
                }
            }
            None => drop(heap.pop()),
        }
    }

    /// Takes over what values are worth now.
    pub fn weigh(&mut self, spreads: &Spreads<'_>) {
        for heap in &mut self.heaps {
            heap.boost = spreads.worth(&heap.values);
        }
    }
}
