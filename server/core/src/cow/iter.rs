//! Walks a range of a [`CowMap`](super::CowMap) in order.

use std::ops::{Bound, RangeBounds};

use super::Node;

/// The entries of a range, in order of their keys.
#[derive(Debug)]
pub struct Iter<'a, K, V> {
    /// The path to the next entry: each node with the place of the next child or entry in it.
    path: Vec<(&'a Node<K, V>, usize)>,
    end: Bound<K>,
}

impl<'a, K: Ord + Clone, V> Iter<'a, K, V> {
    pub(super) fn new(root: &'a Node<K, V>, range: impl RangeBounds<K>) -> Self {
        let mut path = Vec::new();
        let mut node = root;
        loop {
            match node {
                Node::Leaf(entries) => {
                    path.push((node, entries.partition_point(|(key, _)| is_before(key, range.start_bound()))));
                    break;
                }
                Node::Branch(children) => {
                    // The last child that begins before the range may still reach into it.
                    let after = children.partition_point(|(lowest, _)| is_before(lowest, range.start_bound()));
                    let at = after.saturating_sub(1);
                    path.push((node, at + 1));
                    node = &children[at].1;
                }
            }
        }
        Self { path, end: range.end_bound().cloned() }
    }
}

fn is_before<K: Ord>(key: &K, start: Bound<&K>) -> bool {
    match start {
        Bound::Unbounded => false,
        Bound::Included(start) => key < start,
        Bound::Excluded(start) => key <= start,
    }
}

impl<'a, K: Ord, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (node, at) = self.path.last_mut()?;
            match node {
                Node::Leaf(entries) => match entries.get(*at) {
                    Some((key, value)) => {
                        *at += 1;
                        let inside = match &self.end {
                            Bound::Unbounded => true,
                            Bound::Included(end) => key <= end,
                            Bound::Excluded(end) => key < end,
                        };
                        if !inside {
                            self.path.clear();
                            return None;
                        }
                        return Some((key, value));
                    }
                    None => {
                        self.path.pop();
                    }
                },
                Node::Branch(children) => match children.get(*at) {
                    Some((_, child)) => {
                        *at += 1;
                        self.path.push((child, 0));
                    }
                    None => {
                        self.path.pop();
                    }
                },
            }
        }
    }
}
