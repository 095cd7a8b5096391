//! Which nodes meet a demand, remembered while jobs ask for the same: found by columns, a condition at a time, and kept
//! in line with nodes that change.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::feasible::{Demand, DemandKey};
use super::column::Columns;
use super::{Place, Row};

/// Demands that are remembered; one that was not asked for the longest time is forgotten first.
const DEMANDS_KEPT: usize = 64;

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
}

impl Demands {
    /// The places of the nodes that meet `demand`, in order.
    pub fn places(&mut self, columns: &mut Columns, rows: &[Row], demand: &Demand) -> Arc<Vec<Place>> {
        self.clock += 1;
        if !self.all.contains_key(demand.key()) {
            self.forget_one_of_too_many();
            let places = Arc::new(find(columns, rows, demand));
            let eligible = Eligible { demand: Demand::of(demand.key().clone()), places, asked_at: 0 };
            self.all.insert(demand.key().clone(), eligible);
        }
        let eligible = self.all.get_mut(demand.key()).expect("it was put there above");
        eligible.asked_at = self.clock;
        eligible.places.clone()
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
    let meets_rest = |row: &Row| {
        demand.missing_drivers(&row.node).next().is_none() && by_node.iter().all(|known| known.holds(&row.node))
    };
    let places = (0..).zip(rows).zip(meets).filter(|((_, row), meets)| *meets && meets_rest(row));
    places.map(|((place, _), _)| place).collect()
}
