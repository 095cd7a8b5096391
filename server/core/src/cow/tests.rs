//! Properties against `BTreeMap`, which is the model.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Insert(u16, u32),
    Remove(u16),
    Change(u16, u32),
    Entry(u16, u32),
    Extend(Vec<(u16, u32)>),
    Snapshot,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0u16..600, any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
        4 => (0u16..600).prop_map(Step::Remove),
        2 => (0u16..600, any::<u32>()).prop_map(|(key, value)| Step::Change(key, value)),
        2 => (0u16..600, any::<u32>()).prop_map(|(key, value)| Step::Entry(key, value)),
        1 => prop::collection::vec((0u16..600, any::<u32>()), 0..40).prop_map(Step::Extend),
        1 => Just(Step::Snapshot),
    ]
}

proptest! {
    #[test]
    fn it_is_a_map_and_snapshots_do_not_change(
        built in prop::collection::vec((0u16..600, any::<u32>()), 0..1200),
        steps in prop::collection::vec(step(), 0..2000),
        (from, to) in (0u16..600, 0u16..600),
    ) {
        let (from, to) = (from.min(to), from.max(to));
        let (mut map, mut model): (CowMap<_, _>, BTreeMap<_, _>) = (built.iter().copied().collect(), built.into_iter().collect());
        prop_assert!(map.iter().eq(model.iter()));
        let mut snapshots = Vec::new();
        for step in steps {
            match step {
                Step::Insert(key, value) => prop_assert_eq!(map.insert(key, value), model.insert(key, value)),
                Step::Remove(key) => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                Step::Change(key, value) => {
                    let changed = map.get_mut(&key).map(|known| std::mem::replace(known, value));
                    prop_assert_eq!(changed, model.get_mut(&key).map(|known| std::mem::replace(known, value)));
                }
                Step::Entry(key, more) => {
                    let add = |known: &mut u32| *known = known.wrapping_add(more);
                    add(map.entry(&key));
                    add(model.entry(key).or_default());
                }
                Step::Extend(entries) => {
                    map.extend(entries.iter().copied());
                    model.extend(entries);
                }
                Step::Snapshot => snapshots.push((map.clone(), model.clone())),
            }
            prop_assert_eq!(map.len(), model.len());
        }
        for (earlier, of_earlier) in &snapshots {
            let keys: BTreeSet<_> = of_earlier.keys().chain(model.keys()).copied().collect();
            let differ: Vec<_> = keys.into_iter().filter(|key| of_earlier.get(key) != model.get(key)).collect();
            let mut found = Vec::new();
            earlier.differences(&map, |one, other| one == other, |key| found.push(*key));
            prop_assert_eq!(found, differ);
        }
        snapshots.push((map, model));
        for (map, model) in snapshots {
            prop_assert!(map.iter().eq(model.iter()));
            prop_assert!(map.range(from..to).eq(model.range(from..to)));
            prop_assert!(map.range(from..=to).eq(model.range(from..=to)));
            prop_assert_eq!(map.last(), model.last_key_value());
            for key in 0..600 {
                prop_assert_eq!(map.get(&key), model.get(&key));
            }
        }
    }
}

#[test]
fn an_empty_map_has_nothing_in_any_range() {
    let map = CowMap::<u8, u8>::default();
    assert_eq!(map.iter().count() + map.range(3..).count(), 0);
}

/// Entries of the fullest leaf, children of the fullest branch, and the height.
fn fullest<K, V>(node: &Node<K, V>) -> (usize, usize, usize) {
    match node {
        Node::Leaf(entries) => (entries.len(), 0, 1),
        Node::Branch(children) => {
            let below = children.iter().map(|(_, child)| fullest(child));
            let (leaf, branch, height) = below.reduce(|a, b| (a.0.max(b.0), a.1.max(b.1), a.2.max(b.2))).unwrap();
            (leaf, branch.max(children.len()), height + 1)
        }
    }
}

#[test]
fn a_leaf_and_a_branch_are_split_when_they_are_fuller_than_the_limit() {
    let mut map = CowMap::default();
    let mut seen = vec![(0, 0, 1)];
    while seen.last().is_none_or(|(.., height)| *height < 3) {
        map.insert(map.len(), ());
        seen.push(fullest(&map.root));
    }
    let last_of = |wanted| seen.iter().rfind(|(.., height)| *height == wanted).copied().unwrap();
    assert_eq!(last_of(1), (LEAF_MAX, 0, 1), "the one leaf was full when it was split");
    let (_, children, _) = last_of(2);
    assert_eq!(children, BRANCH_MAX, "the one branch was full when it was split");
    assert!(seen.iter().all(|(leaf, branch, _)| *leaf <= LEAF_MAX && *branch <= BRANCH_MAX), "none is ever fuller");
    assert!(map.iter().map(|(key, ())| *key).eq(0..map.len()));
}

#[test]
fn what_two_maps_share_is_not_looked_at_for_differences() {
    let map: CowMap<u32, u32> = (0..50_000).map(|number| (number, 0)).collect();
    let mut changed = map.clone();
    changed.insert(20_000, 1);
    changed.remove(&30_000);
    let (compared, mut found) = (std::cell::Cell::new(0), Vec::new());
    let is_same = |one: &u32, other: &u32| {
        compared.set(compared.get() + 1);
        one == other
    };
    map.differences(&changed, is_same, |key| found.push(*key));
    assert_eq!(found, [20_000, 30_000]);
    assert!(compared.get() <= 4 * LEAF_MAX, "{} entries were compared", compared.get());
}

#[test]
fn what_is_built_at_once_has_neither_small_leaves_nor_full_ones() {
    for count in [0, 1, BUILT_MAX, BUILT_MAX + 1, BUILT_MAX * BUILT_MAX, BUILT_MAX * BUILT_MAX + 1] {
        let sizes: Vec<_> = groups((0..count).collect()).map(|group: Vec<usize>| group.len()).collect();
        assert_eq!((sizes.iter().sum::<usize>(), sizes.len()), (count, count.div_ceil(BUILT_MAX)));
        assert!(sizes.iter().all(|size| *size <= BUILT_MAX && (*size >= BUILT_MAX / 2 || sizes.len() == 1)), "{count}");
        let map: CowMap<_, _> = (0..count).map(|key| (key, ())).collect();
        assert!(map.len() == count && map.iter().map(|(key, ())| *key).eq(0..count));
    }
}
