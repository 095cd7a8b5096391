//! An ordered map whose clone is free and whose clones share what they have in common.
//!
//! A B+ tree of reference-counted nodes. A write copies the nodes on its path that somebody else still holds, and
//! changes the others in place; so a snapshot costs one pointer, and the state can be read while it is written.
//! (Crates for this bring a source of randomness, which the pure core must not have.)

mod differences;
mod iter;

use std::ops::RangeBounds;
use std::sync::Arc;

pub use iter::Iter;

/// Entries of a leaf before it is split.
const LEAF_MAX: usize = 32;
/// Children of a branch before it is split.
const BRANCH_MAX: usize = 32;
/// Entries of a leaf, and children of a branch, of a map that is built at once, at most: the next ones find room.
const BUILT_MAX: usize = 28;

/// An ordered map with copy-on-write clones.
#[derive(Debug)]
pub struct CowMap<K, V> {
    root: Arc<Node<K, V>>,
    len: usize,
}

#[derive(Debug, Clone)]
enum Node<K, V> {
    Leaf(Vec<(K, V)>),
    /// Children, each with the lowest key below it at the time when it was put there: a lower bound.
    Branch(Vec<(K, Arc<Node<K, V>>)>),
}

/// A new right sibling of a node that was split.
type Split<K, V> = Option<(K, Arc<Node<K, V>>)>;

impl<K, V> Clone for CowMap<K, V> {
    fn clone(&self) -> Self {
        Self { root: self.root.clone(), len: self.len }
    }
}

impl<K: Ord + Clone, V: Clone> Default for CowMap<K, V> {
    fn default() -> Self {
        Self { root: Arc::new(Node::Leaf(Vec::new())), len: 0 }
    }
}

impl<K: Ord + Clone, V: Clone> CowMap<K, V> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The value under `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf(entries) => {
                    return entries.binary_search_by(|(known, _)| known.cmp(key)).ok().map(|at| &entries[at].1);
                }
                Node::Branch(children) => node = &children[child_of(children, key)].1,
            }
        }
    }

    /// Whether there is a value under `key`.
    pub fn contains(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// The value under `key`, to be changed where it stands.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        // Looked up first, so that asking for what is not there copies nothing.
        if self.contains(key) { self.own(key) } else { None }
    }

    /// The value under `key`, which begins with its default, to be changed where it stands.
    pub fn entry(&mut self, key: &K) -> &mut V
    where
        V: Default,
    {
        if !self.contains(key) {
            self.insert(key.clone(), V::default());
        }
        self.own(key).expect("it was put there if it was missing")
    }

    /// The same where it is known to be there: where it is not, nodes are copied for nothing.
    fn own(&mut self, key: &K) -> Option<&mut V> {
        let mut node = Arc::make_mut(&mut self.root);
        loop {
            match node {
                Node::Leaf(entries) => {
                    let at = entries.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
                    return Some(&mut entries[at].1);
                }
                Node::Branch(children) => {
                    let at = child_of(children, key);
                    node = Arc::make_mut(&mut children[at].1);
                }
            }
        }
    }

    /// Puts `value` under `key` and returns what was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        let (old, split) = insert(own_with_room(&mut self.root), key, value);
        if let Some(right) = split {
            let left = self.root.clone();
            let lowest = lowest_key(&left).clone();
            self.root = Arc::new(Node::Branch(vec![(lowest, left), right]));
        }
        if old.is_none() {
            self.len += 1;
        }
        old
    }

    /// Takes the value under `key` away.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        // Looked up first, so that removing what is not there copies nothing.
        if !self.contains(key) {
            return None;
        }
        let old = remove(Arc::make_mut(&mut self.root), key);
        self.len -= 1;
        // A root with one child adds a level for nothing.
        while let Node::Branch(children) = &*self.root {
            match children.len() {
                0 => self.root = Arc::new(Node::Leaf(Vec::new())),
                1 => self.root = children[0].1.clone(),
                _ => break,
            }
        }
        old
    }

    /// All entries in order of their keys.
    pub fn iter(&self) -> Iter<'_, K, V> {
        self.range(..)
    }

    /// All values in order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// The entries whose keys are in `range`, in order.
    pub fn range(&self, range: impl RangeBounds<K>) -> Iter<'_, K, V> {
        Iter::new(&self.root, range)
    }

    /// The entry with the highest key.
    pub fn last(&self) -> Option<(&K, &V)> {
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf(entries) => return entries.last().map(|(key, value)| (key, value)),
                Node::Branch(children) => node = &children.last()?.1,
            }
        }
    }

    /// Whether both are the same tree, so that nothing can differ. (Equal content in different trees is not seen.)
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.root, &other.root)
    }
}

/// Built at once, from the leaves up, which takes a fraction of what one insertion after the other takes. Of several values
/// under one key the last is there.
impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for CowMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut entries: Vec<_> = entries.into_iter().collect();
        if !entries.is_sorted_by(|(one, _), (next, _)| one < next) {
            // Of equals the last one stays the last.
            entries.sort_by(|(one, _), (other, _)| one.cmp(other));
            entries.dedup_by(|later, kept| {
                let is_same = later.0 == kept.0;
                if is_same {
                    std::mem::swap(later, kept);
                }
                is_same
            });
        }
        let len = entries.len();
        let leaf = |entries: Vec<(K, V)>| (entries[0].0.clone(), Arc::new(Node::Leaf(entries)));
        let mut level: Vec<_> = groups(entries).map(leaf).collect();
        while level.len() > 1 {
            level = groups(level).map(|below| (below[0].0.clone(), Arc::new(Node::Branch(below)))).collect();
        }
        level.pop().map_or_else(Self::default, |(_, root)| Self { root, len })
    }
}

/// All in order, in as few groups of about the same size as have at most [`BUILT_MAX`] each.
fn groups<T>(all: Vec<T>) -> impl Iterator<Item = Vec<T>> {
    let (length, count) = (all.len(), all.len().div_ceil(BUILT_MAX));
    let mut rest = all.into_iter();
    (1..=count).map(move |at| rest.by_ref().take(length * at / count - length * (at - 1) / count).collect())
}

/// Like one insertion after the other; built at once where there was nothing.
impl<K: Ord + Clone, V: Clone> Extend<(K, V)> for CowMap<K, V> {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        if self.is_empty() {
            *self = entries.into_iter().collect();
        } else {
            entries.into_iter().for_each(|(key, value)| drop(self.insert(key, value)));
        }
    }
}

impl<K: Ord + Clone, V: Clone + PartialEq> PartialEq for CowMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same(other) || (self.len == other.len && self.iter().eq(other.iter()))
    }
}

/// Place of the child that may hold `key`.
fn child_of<K: Ord, N>(children: &[(K, N)], key: &K) -> usize {
    children.partition_point(|(lowest, _)| lowest <= key).saturating_sub(1)
}

fn lowest_key<K, V>(node: &Node<K, V>) -> &K {
    match node {
        Node::Leaf(entries) => &entries[0].0,
        Node::Branch(children) => &children[0].0,
    }
}

/// A node that may be changed, with room for one item more: a copy that had none would be copied again at once.
fn own_with_room<K: Clone, V: Clone>(node: &mut Arc<Node<K, V>>) -> &mut Node<K, V> {
    fn copied<T: Clone>(items: &[T], max: usize) -> Vec<T> {
        let mut copy = Vec::with_capacity(with_room(items.len(), max));
        copy.extend_from_slice(items);
        copy
    }
    if Arc::get_mut(node).is_none() {
        *node = Arc::new(match &**node {
            Node::Leaf(entries) => Node::Leaf(copied(entries, LEAF_MAX)),
            Node::Branch(children) => Node::Branch(copied(children, BRANCH_MAX)),
        });
    }
    Arc::make_mut(node)
}

fn insert<K: Ord + Clone, V: Clone>(node: &mut Node<K, V>, key: K, value: V) -> (Option<V>, Split<K, V>) {
    match node {
        Node::Leaf(entries) => match entries.binary_search_by(|(known, _)| known.cmp(&key)) {
            Ok(at) => (Some(std::mem::replace(&mut entries[at].1, value)), None),
            Err(at) => {
                put(entries, at, (key, value), LEAF_MAX);
                let right = split(entries, at, LEAF_MAX);
                (None, right.map(|right| (right[0].0.clone(), Arc::new(Node::Leaf(right)))))
            }
        },
        Node::Branch(children) => {
            let at = child_of(children, &key);
            if key < children[at].0 {
                children[at].0 = key.clone();
            }
            let (old, grown) = insert(own_with_room(&mut children[at].1), key, value);
            let Some(right) = grown else { return (old, None) };
            put(children, at + 1, right, BRANCH_MAX);
            let right = split(children, at + 1, BRANCH_MAX);
            (old, right.map(|right| (right[0].0.clone(), Arc::new(Node::Branch(right)))))
        }
    }
}

/// Inserts `item`. Where there is no room, there is room for as many again, and at most for all of a node.
fn put<T>(items: &mut Vec<T>, at: usize, item: T, max: usize) {
    if items.len() == items.capacity() {
        items.reserve_exact(with_room(items.len(), max) - items.len());
    }
    items.insert(at, item);
}

/// The capacity of a node that has so many items, and grows. There are millions of small maps that are one node.
fn with_room(items: usize, max: usize) -> usize {
    (2 * items).clamp(2, max + 1).max(items + 1)
}

/// The right part of what is more than `max` long since something was put `at` there. Ascending inserts, which are the rule,
/// leave full nodes behind.
fn split<T>(items: &mut Vec<T>, at: usize, max: usize) -> Option<Vec<T>> {
    if items.len() <= max {
        return None;
    }
    let ascends = at + 1 == items.len();
    let mut right = Vec::with_capacity(max + 1);
    right.extend(items.drain(if ascends { max } else { max * 3 / 4 }..));
    Some(right)
}

fn remove<K: Ord + Clone, V: Clone>(node: &mut Node<K, V>, key: &K) -> Option<V> {
    match node {
        Node::Leaf(entries) => {
            let at = entries.binary_search_by(|(known, _)| known.cmp(key)).ok()?;
            Some(entries.remove(at).1)
        }
        Node::Branch(children) => {
            let at = child_of(children, key);
            let old = remove(Arc::make_mut(&mut children[at].1), key);
            merge_around(children, at);
            old
        }
    }
}

/// Drops the child at `at` when it is empty, and joins it with its right sibling when both are small.
fn merge_around<K: Ord + Clone, V: Clone>(children: &mut Vec<(K, Arc<Node<K, V>>)>, at: usize) {
    if size(&children[at].1) == 0 {
        children.remove(at);
        return;
    }
    let Some((_, right)) = children.get(at + 1) else { return };
    if size(&children[at].1) + size(right) > LEAF_MAX / 2 {
        return;
    }
    let (_, right) = children.remove(at + 1);
    match (Arc::make_mut(&mut children[at].1), Arc::unwrap_or_clone(right)) {
        (Node::Leaf(left), Node::Leaf(right)) => left.extend(right),
        (Node::Branch(left), Node::Branch(right)) => left.extend(right),
        (Node::Leaf(_), Node::Branch(_)) | (Node::Branch(_), Node::Leaf(_)) => {
            unreachable!("siblings are of one height")
        }
    }
}

fn size<K, V>(node: &Node<K, V>) -> usize {
    match node {
        Node::Leaf(entries) => entries.len(),
        Node::Branch(children) => children.len(),
    }
}

#[cfg(test)]
mod tests;
