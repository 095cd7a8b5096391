//! Where two states of a [`CowMap`] differ: what they share is passed over unseen.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{CowMap, Node};

impl<K: Ord + Clone, V: Clone> CowMap<K, V> {
    /// Calls `found` with every key that one of the maps lacks or that has another value in it, as far as `is_same` can
    /// tell; in order. It costs as much as differs, not as much as there is.
    pub fn differences(&self, other: &Self, is_same: impl Fn(&V, &V) -> bool, mut found: impl FnMut(&K)) {
        let (mut one, mut two) = (Walk::of(&self.root), Walk::of(&other.root));
        loop {
            match (one.peek(), two.peek()) {
                (None, None) => return,
                // The same tree below both: nothing in it differs.
                (Some(Place::Tree(left)), Some(Place::Tree(right))) if Arc::ptr_eq(left, right) => {
                    one.pass();
                    two.pass();
                }
                (Some(Place::Tree(left)), Some(Place::Tree(right))) => {
                    // The higher one is opened first, so that equal trees meet at the same height.
                    let (left, right) = (height(left), height(right));
                    if left >= right {
                        one.open();
                    }
                    if right >= left {
                        two.open();
                    }
                }
                (Some(Place::Tree(_)), _) => one.open(),
                (_, Some(Place::Tree(_))) => two.open(),
                (Some(Place::Entry(key, _)), None) => {
                    found(key);
                    one.pass();
                }
                (None, Some(Place::Entry(key, _))) => {
                    found(key);
                    two.pass();
                }
                (Some(Place::Entry(key, value)), Some(Place::Entry(other_key, other_value))) => {
                    let order = key.cmp(other_key);
                    if order != Ordering::Equal || !is_same(value, other_value) {
                        found(if order == Ordering::Greater { other_key } else { key });
                    }
                    if order != Ordering::Greater {
                        one.pass();
                    }
                    if order != Ordering::Less {
                        two.pass();
                    }
                }
            }
        }
    }
}

/// What comes next on a walk.
enum Place<'a, K, V> {
    Tree(&'a Arc<Node<K, V>>),
    Entry(&'a K, &'a V),
}

/// A walk through a tree in order, on which a whole tree can be passed over.
struct Walk<'a, K, V> {
    root: Option<&'a Arc<Node<K, V>>>,
    /// The open nodes down to where the walk is, each with the next place in it.
    path: Vec<(&'a Node<K, V>, usize)>,
}

impl<'a, K, V> Walk<'a, K, V> {
    fn of(root: &'a Arc<Node<K, V>>) -> Self {
        Self { root: Some(root), path: Vec::new() }
    }

    fn peek(&mut self) -> Option<Place<'a, K, V>> {
        if let Some(root) = self.root {
            return Some(Place::Tree(root));
        }
        loop {
            let (node, at) = *self.path.last()?;
            match node {
                Node::Leaf(entries) if at < entries.len() => return Some(Place::Entry(&entries[at].0, &entries[at].1)),
                Node::Branch(children) if at < children.len() => return Some(Place::Tree(&children[at].1)),
                Node::Leaf(_) | Node::Branch(_) => self.path.pop(),
            };
        }
    }

    /// Goes past what is next.
    fn pass(&mut self) {
        if self.root.take().is_none()
            && let Some((_, at)) = self.path.last_mut()
        {
            *at += 1;
        }
    }

    /// Goes into the tree that is next.
    fn open(&mut self) {
        if let Some(Place::Tree(tree)) = self.peek() {
            self.pass();
            self.path.push((tree, 0));
        }
    }
}

fn height<K, V>(tree: &Node<K, V>) -> usize {
    match tree {
        Node::Leaf(_) => 0,
        Node::Branch(children) => 1 + children.first().map_or(0, |(_, child)| height(child)),
    }
}
