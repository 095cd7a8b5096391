//! A table whose keys are hashes and whose rows stand in the order in which they came; its clone is free, as a
//! [`CowMap`]'s is.
//!
//! In a tree ordered by hashes each new row lands on a page of its own, which some snapshot holds too, so that each costs
//! the copy of a page. Here rows that came together stand together, and what an entry of the log changes is mostly that.
//! Where a key stands is kept apart, in sorted runs that are never changed, only merged: the usual number of them is five
//! for a million keys. A key that was removed stays in its run until that is merged; its row is gone, which tells.

use std::iter::Peekable;
use std::sync::Arc;

use crate::cow::{CowMap, Iter};

/// Keys that are kept in a tree before they become a run; few in tests, so that these see runs.
const RECENT_MAX: usize = if cfg!(test) { 8 } else { 8192 };
/// Keys that come together become a run at once where they are so many.
const TOGETHER_MIN: usize = if cfg!(test) { 4 } else { 512 };
/// A run is merged with the one before it, unless that is longer by this factor.
const RUN_RATIO: usize = 4;

/// Where a row stands, for who looks for it often. Tables are compared by what they hold, so all places are alike: after a
/// restore from a snapshot rows stand elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct Place(u64);

impl PartialEq for Place {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Keys in order, each with the place of its row.
type Run<K> = Arc<[(K, Place)]>;

/// A table in the order of arrival, found by key.
#[derive(Clone, Debug)]
pub struct Rows<K, V> {
    rows: CowMap<u64, V>,
    next: u64,
    /// The newest keys.
    recent: CowMap<K, Place>,
    /// All others; longer ones, which are older, first.
    runs: Vec<Run<K>>,
    /// Keys in the runs whose rows are gone.
    gone: usize,
}

impl<K: Ord + Copy, V: Clone> Default for Rows<K, V> {
    fn default() -> Self {
        Self { rows: CowMap::default(), next: 0, recent: CowMap::default(), runs: Vec::new(), gone: 0 }
    }
}

impl<K: Ord + Copy, V: Clone> Rows<K, V> {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row under `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.places_of(key).find_map(|place| self.at(place))
    }

    /// The row that stands at `place`.
    pub fn at(&self, place: Place) -> Option<&V> {
        self.rows.get(&place.0)
    }

    /// Where the row under `key` stands, if there is one.
    pub fn place_of(&self, key: &K) -> Option<Place> {
        self.places_of(key).find(|place| self.rows.contains(&place.0))
    }

    /// Puts `value` under `key` and returns what was there. A new row stands behind all others.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(place) = self.place_of(&key) {
            return self.rows.insert(place.0, value);
        }
        let place = self.append(value);
        self.learn(&[(key, place)]);
        None
    }

    /// Puts `value` in the place of the row that stands at `place`, and returns that.
    pub fn replace(&mut self, place: Place, value: V) -> Option<V> {
        debug_assert!(self.at(place).is_some(), "a row stands there");
        self.rows.insert(place.0, value)
    }

    /// Puts `value` behind all others; where it stands then. It is found by its key after [`learn`](Self::learn).
    pub fn append(&mut self, value: V) -> Place {
        let place = Place(self.next);
        self.next += 1;
        self.rows.insert(place.0, value);
        place
    }

    /// Takes in the keys of rows that were appended, in order of the keys. Under none of them is anything yet.
    pub fn learn(&mut self, keys: &[(K, Place)]) {
        debug_assert!(keys.is_sorted_by(|(one, _), (next, _)| one < next), "keys are in order");
        debug_assert!(keys.iter().all(|(key, _)| self.place_of(key).is_none()), "keys are new");
        if keys.len() >= TOGETHER_MIN {
            return self.push_run(keys.to_vec());
        }
        for (key, place) in keys {
            self.recent.insert(*key, *place);
        }
        if self.recent.len() >= RECENT_MAX {
            let run = self.recent.iter().map(|(key, place)| (*key, *place)).collect();
            self.recent = CowMap::default();
            self.push_run(run);
        }
    }

    /// Takes the row under `key` away.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.place_of(key)?;
        if self.recent.remove(key).is_none() {
            self.gone += 1;
        }
        let old = self.rows.remove(&place.0);
        // No more of them than of others: what is collected gives its memory back.
        if self.gone > self.rows.len() {
            let runs = std::mem::take(&mut self.runs);
            self.push_merged(
                runs.iter().map(|run| run.to_vec()).reduce(|longer, run| merge(&longer, &run)).unwrap_or_default(),
            );
        }
        old
    }

    /// All rows in the order of their arrival.
    pub fn arrivals(&self) -> impl Iterator<Item = &V> {
        self.rows.values()
    }

    /// All rows in the order of their arrival, each with where it stands.
    pub fn places(&self) -> impl Iterator<Item = (Place, &V)> {
        self.rows.iter().map(|(place, row)| (Place(*place), row))
    }

    /// All rows in order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// All rows with their keys, in order of these.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let places = Walk::of(&self.recent, &self.runs);
        places.filter_map(|(key, place)| Some((key, self.at(place)?)))
    }

    /// Where rows under `key` stand or have stood, newest first.
    fn places_of<'a>(&'a self, key: &'a K) -> impl Iterator<Item = Place> + 'a {
        let of_run = |run: &'a Run<K>| run.binary_search_by(|(known, _)| known.cmp(key)).ok().map(|at| run[at].1);
        self.recent.get(key).copied().into_iter().chain(self.runs.iter().rev().filter_map(of_run))
    }

    /// Puts a run behind the others, merged with those that are not much longer.
    fn push_run(&mut self, newest: Vec<(K, Place)>) {
        let mut merged = newest;
        while let Some(last) = self.runs.pop_if(|last| last.len() < RUN_RATIO * merged.len()) {
            merged = merge(&last, &merged);
        }
        self.push_merged(merged);
    }

    /// Puts a run that was merged behind the others, without keys whose rows are gone.
    fn push_merged(&mut self, mut run: Vec<(K, Place)>) {
        if self.gone > 0 {
            let length = run.len();
            run.retain(|(_, place)| self.rows.contains(&place.0));
            self.gone -= length - run.len();
        }
        self.runs.extend((!run.is_empty()).then(|| Run::from(run)));
    }
}

/// Two sorted runs as one.
fn merge<K: Ord + Copy>(one: &[(K, Place)], other: &[(K, Place)]) -> Vec<(K, Place)> {
    let mut merged = Vec::with_capacity(one.len() + other.len());
    let (mut at, mut other_at) = (0, 0);
    while at < one.len() && other_at < other.len() {
        // Written so that nothing is to be predicted: keys are hashes.
        let is_other = other[other_at].0 < one[at].0;
        merged.push(if is_other { other[other_at] } else { one[at] });
        other_at += usize::from(is_other);
        at += usize::from(!is_other);
    }
    merged.extend_from_slice(&one[at..]);
    merged.extend_from_slice(&other[other_at..]);
    merged
}

impl<K: Ord + Copy, V: Clone + PartialEq> PartialEq for Rows<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.rows.is_same(&other.rows) || (self.len() == other.len() && self.iter().eq(other.iter()))
    }
}

/// Built at once. Of several rows under one key the last is there, where the first would stand.
impl<K: Ord + Copy, V: Clone> FromIterator<(K, V)> for Rows<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(rows: I) -> Self {
        let rows: Vec<_> = rows.into_iter().collect();
        let mut run: Vec<_> = (0..).zip(&rows).map(|(place, (key, _))| (*key, Place(place))).collect();
        run.sort_unstable_by_key(|(key, _)| *key);
        let mut table = Self::default();
        if run.is_sorted_by(|(one, _), (next, _)| one < next) {
            table.next = rows.len() as u64;
            table.rows = (0..).zip(rows.into_iter().map(|(_, row)| row)).collect();
            table.push_merged(run);
        } else {
            rows.into_iter().for_each(|(key, row)| drop(table.insert(key, row)));
        }
        table
    }
}

/// A walk through all keys in order, those of gone rows among them.
struct Walk<'a, K: Ord> {
    recent: Peekable<Iter<'a, K, Place>>,
    runs: Vec<&'a [(K, Place)]>,
}

impl<'a, K: Ord + Copy> Walk<'a, K> {
    fn of(recent: &'a CowMap<K, Place>, runs: &'a [Run<K>]) -> Self {
        Self { recent: recent.iter().peekable(), runs: runs.iter().map(|run| &**run).collect() }
    }
}

impl<K: Ord + Copy> Iterator for Walk<'_, K> {
    type Item = (K, Place);

    fn next(&mut self) -> Option<(K, Place)> {
        let firsts = self.runs.iter().enumerate().filter_map(|(at, run)| Some((run.first()?.0, at)));
        let lowest = firsts.min();
        let recent = self.recent.peek().map(|(key, _)| **key);
        if let Some(recent) = recent
            && lowest.is_none_or(|(key, _)| recent <= key)
        {
            return self.recent.next().map(|(key, place)| (*key, *place));
        }
        let run = &mut self.runs[lowest?.1];
        let (first, rest) = run.split_first()?;
        *run = rest;
        Some(*first)
    }
}

#[cfg(test)]
mod tests;
