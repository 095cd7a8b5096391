//! Which nodes meet a demand, remembered while jobs ask for the same: found by columns, a condition at a time, and kept
//! in line with nodes that change.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::feasible::{Demand, DemandKey};
use super::column::Columns;
use super::index::Index;
use super::{Place, Row};

/// Demands that are remembered; one that was not asked for the longest time is forgotten first.
const DEMANDS_KEPT: usize = 64;
/// Searches for few instances after which their demand gets an index; before, it costs more than it saves.
const SEARCHES_BEFORE_INDEX: u32 = 8;

/// The demands that were asked for.
#[derive(Default)]
pub(super) struct Demands {
    all: BTreeMap<DemandKey, Eligible>,
    clock: u64,
}

struct Eligible {
    demand: Demand,
    /// In order.
    places: Arc<Vec<Place>>,
    asked_at: u64,
    searches: u32,
    index: Option<Index>,
    /// How much of the log of changes the index has followed.
    followed: u64,
}

/// Rows that changed, in the order in which they did: the indexes follow it, each when it is asked.
#[derive(Default)]
pub(super) struct Log {
    places: Vec<Place>,
    /// Changes that were forgotten before the first of these.
    forgotten: u64,
}

impl Log {
    pub fn add(&mut self, place: Place) {
        self.places.push(place);
    }

    /// Forgets what makes following it dearer than beginning anew, in a cluster of that many nodes.
    pub fn trim(&mut self, nodes: usize) {
        if self.places.len() > nodes.max(1) * 2 {
            self.forgotten += self.places.len() as u64;
            self.places.clear();
        }
    }

    fn len(&self) -> u64 {
        self.forgotten + self.places.len() as u64
    }

    /// What changed after the first `followed` changes; none where that is forgotten.
    fn since(&self, followed: u64) -> Option<&[Place]> {
        self.places.get(usize::try_from(followed.checked_sub(self.forgotten)?).ok()?..)
    }
}

impl Demands {
    /// The places of the nodes that meet `demand`, in order.
    pub fn places(&mut self, columns: &mut Columns, rows: &[Row], demand: &Demand) -> Arc<Vec<Place>> {
        self.clock += 1;
        if !self.all.contains_key(demand.key()) {
            self.forget_one_of_too_many();
            let places = Arc::new(find(columns, rows, demand));
            let eligible = Eligible {
                demand: Demand::of(demand.key().clone()),
                places,
                asked_at: 0,
                searches: 0,
                index: None,
                followed: 0,
            };
            self.all.insert(demand.key().clone(), eligible);
        }
        let eligible = self.all.get_mut(demand.key()).expect("it was put there above");
        eligible.asked_at = self.clock;
        eligible.places.clone()
    }

    /// Whether few instances of `demand`, which was asked for so often by now, are better searched for in its index.
    pub fn is_worth_an_index(&mut self, demand: &Demand) -> bool {
        self.all.get_mut(demand.key()).is_some_and(|eligible| {
            eligible.searches += 1;
            eligible.searches > SEARCHES_BEFORE_INDEX
        })
    }

    /// Brings the index of `demand` in line with `rows`.
    pub fn refresh_index(&mut self, rows: &[Row], log: &Log, demand: &Demand) {
        let Some(eligible) = self.all.get_mut(demand.key()) else { return };
        let changed = log.since(eligible.followed).filter(|_| eligible.index.is_some());
        let index = eligible.index.get_or_insert_default();
        match changed {
            Some(changed) => {
                for place in changed {
                    let stands = eligible.places.binary_search(place).is_ok();
                    index.update(*place, stands.then(|| &rows[*place as usize]));
                }
            }
            None => {
                *index = Index::default();
                for place in &*eligible.places {
                    index.update(*place, Some(&rows[*place as usize]));
                }
            }
        }
        eligible.followed = log.len();
    }

    /// The index of `demand`, as it was last refreshed.
    pub fn index(&self, demand: &Demand) -> Option<&Index> {
        self.all.get(demand.key())?.index.as_ref()
    }

    /// Takes over what changed at `place`.
    pub fn update(&mut self, rows: &[Row], place: Place) {
        let row = &rows[place as usize];
        for eligible in self.all.values_mut() {
            let meets = row.exists && eligible.demand.is_met(&row.node);
            match eligible.places.binary_search(&place) {
                Ok(at) if !meets => drop(Arc::make_mut(&mut eligible.places).remove(at)),
                Err(at) if meets => Arc::make_mut(&mut eligible.places).insert(at, place),
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn forget_one_of_too_many(&mut self) {
        if self.all.len() < DEMANDS_KEPT {
            return;
        }
        let oldest = self.all.iter().min_by_key(|(_, eligible)| eligible.asked_at).map(|(key, _)| key.clone());
        oldest.and_then(|key| self.all.remove(&key));
    }
}

/// The places of the rows that meet `demand`.
fn find(columns: &mut Columns, rows: &[Row], demand: &Demand) -> Vec<Place> {
    let mut meets: Vec<bool> = rows.iter().map(|row| row.exists).collect();
    let mut sift = |target: &str, holds: &dyn Fn(Option<&str>) -> bool| {
        let column = columns.of(rows, target);
        let verdicts: Vec<bool> = column.values().iter().map(|value| holds(value.as_deref())).collect();
        for (meets, value) in meets.iter_mut().zip(column.of_rows()) {
            *meets &= verdicts[*value as usize];
        }
    };
    sift("${node.datacenter}", &|value| demand.takes_datacenter(value.unwrap_or_default()));
    sift("${node.pool}", &|value| demand.takes_pool(value.unwrap_or_default()));
    let (by_value, by_node): (Vec<_>, Vec<_>) =
        demand.conditions().iter().partition(|condition| condition.is_of_left_side());
    for condition in by_value {
        sift(&condition.constraint().attribute, &|value| condition.holds_for(value));
    }
    let meets_rest = |row: &Row| demand.is_served(&row.node) && by_node.iter().all(|known| known.holds(&row.node));
    let places = (0..).zip(rows).zip(meets).filter(|((_, row), meets)| *meets && meets_rest(row));
    places.map(|((place, _), _)| place).collect()
}
