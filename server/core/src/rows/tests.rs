//! Properties against `BTreeMap`, which is the model.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Insert(u16, u32),
    Remove(u16),
    Append(Vec<u16>),
    Snapshot,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0u16..400, any::<u32>()).prop_map(|(key, value)| Step::Insert(key, value)),
        5 => (0u16..400).prop_map(Step::Remove),
        2 => prop::collection::vec(0u16..400, 0..12).prop_map(Step::Append),
        1 => Just(Step::Snapshot),
    ]
}

proptest! {
    #[test]
    fn it_is_a_map_and_snapshots_do_not_change(
        built in prop::collection::vec((0u16..400, any::<u32>()), 0..60),
        steps in prop::collection::vec(step(), 0..2000),
    ) {
        let (mut table, mut model): (Rows<_, _>, BTreeMap<_, _>) = (built.iter().copied().collect(), built.into_iter().collect());
        let mut snapshots = Vec::new();
        for step in steps {
            match step {
                Step::Insert(key, value) => prop_assert_eq!(table.insert(key, value), model.insert(key, value)),
                Step::Remove(key) => prop_assert_eq!(table.remove(&key), model.remove(&key)),
                Step::Append(keys) => {
                    let new: BTreeSet<_> = keys.into_iter().filter(|key| !model.contains_key(key)).collect();
                    let learned: Vec<_> = new.into_iter().map(|key| (key, table.append(key.into()))).collect();
                    model.extend(learned.iter().map(|(key, _)| (*key, u32::from(*key))));
                    table.learn(&learned);
                }
                Step::Snapshot => snapshots.push((table.clone(), model.clone())),
            }
            prop_assert_eq!(table.len(), model.len());
            prop_assert!(table.gone <= table.len(), "{} keys of rows that are gone", table.gone);
        }
        snapshots.push((table, model));
        for (table, model) in snapshots {
            prop_assert!(table.iter().eq(model.iter().map(|(key, value)| (*key, value))));
            prop_assert!(table.values().eq(model.values()));
            prop_assert!(table == model.iter().map(|(key, value)| (*key, *value)).collect());
            let mut arrived: Vec<_> = table.arrivals().copied().collect();
            let mut wanted: Vec<_> = model.values().copied().collect();
            arrived.sort();
            wanted.sort();
            prop_assert_eq!(arrived, wanted);
            for key in 0..400 {
                prop_assert_eq!(table.get(&key), model.get(&key));
            }
        }
    }
}

#[test]
fn rows_stand_in_the_order_of_their_arrival_and_keep_their_place_when_changed() {
    let mut table: Rows<u16, &str> = [(7, "first"), (3, "second"), (5, "third")].into_iter().collect();
    table.insert(7, "changed");
    assert_eq!(table.arrivals().copied().collect::<Vec<_>>(), ["changed", "second", "third"]);
    assert_eq!(table.values().copied().collect::<Vec<_>>(), ["second", "third", "changed"]);
    table.remove(&3);
    table.insert(3, "back");
    assert_eq!(table.arrivals().copied().collect::<Vec<_>>(), ["changed", "third", "back"]);
}

#[test]
fn a_million_keys_stand_in_few_runs() {
    // The same ratio as with the usual size, for the number of runs depends on it alone.
    let mut table = Rows::default();
    for number in 0..8 * 1024_u32 {
        table.insert(number.wrapping_mul(2_654_435_761), ());
        assert!(table.runs.len() <= 7, "{} runs for {} rows", table.runs.len(), table.len());
    }
}
