//! What a target such as `${meta.rack}` is on each node: a number per node and a dictionary, so that a condition is asked
//! once per value and not once per node.

use std::collections::BTreeMap;

use super::super::constraint::resolve;
use super::{Place, Row};

/// Targets that are remembered; one that was not asked for the longest time is forgotten first.
const COLUMNS_KEPT: usize = 64;

/// Number of a value in a column.
pub(in super::super) type ValueId = u32;

/// The values of one target.
#[derive(Default)]
pub(in super::super) struct Column {
    /// By value id; none for nodes that lack it.
    values: Vec<Option<String>>,
    ids: BTreeMap<Option<String>, ValueId>,
    /// By place.
    of_row: Vec<ValueId>,
    asked_at: u64,
}

impl Column {
    /// Every value that some node has or had.
    pub fn values(&self) -> &[Option<String>] {
        &self.values
    }

    /// The value ids of the nodes, by place.
    pub fn of_rows(&self) -> &[ValueId] {
        &self.of_row
    }

    fn set(&mut self, place: Place, target: &str, row: &Row) {
        let value = resolve(target, &row.node);
        let id = match self.ids.get(&value.as_deref().map(str::to_string)) {
            Some(id) => *id,
            None => {
                let value = value.map(|value| value.into_owned());
                let id = self.values.len() as ValueId;
                self.values.push(value.clone());
                self.ids.insert(value, id);
                id
            }
        };
        if place as usize == self.of_row.len() {
            self.of_row.push(id);
        } else {
            self.of_row[place as usize] = id;
        }
    }
}

/// The columns that were asked for.
#[derive(Default)]
pub(super) struct Columns {
    all: BTreeMap<String, Column>,
    clock: u64,
}

impl Columns {
    /// The column of `target`.
    pub fn of(&mut self, rows: &[Row], target: &str) -> &Column {
        self.clock += 1;
        if !self.all.contains_key(target) {
            self.forget_one_of_too_many();
            let mut column = Column::default();
            for (place, row) in (0..).zip(rows) {
                column.set(place, target, row);
            }
            self.all.insert(target.to_string(), column);
        }
        let column = self.all.get_mut(target).expect("it was put there above");
        column.asked_at = self.clock;
        column
    }

    /// Takes over what changed at `place`, which may be a new one at the end.
    pub fn update(&mut self, rows: &[Row], place: Place) {
        for (target, column) in &mut self.all {
            column.set(place, target, &rows[place as usize]);
        }
    }

    fn forget_one_of_too_many(&mut self) {
        if self.all.len() < COLUMNS_KEPT {
            return;
        }
        let oldest = self.all.iter().min_by_key(|(_, column)| column.asked_at).map(|(target, _)| target.clone());
        oldest.and_then(|target| self.all.remove(&target));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::testing::node;

    use super::*;

    #[test]
    fn so_many_targets_are_remembered_and_of_more_the_last_asked() {
        let rows = [Row::of(&Arc::new(node("n1")))];
        let mut columns = Columns::default();
        let target = |number: usize| format!("${{meta.m{number}}}");
        for number in 0..COLUMNS_KEPT {
            columns.of(&rows, &target(number));
        }
        assert_eq!(columns.all.len(), COLUMNS_KEPT);
        columns.of(&rows, &target(0));
        columns.of(&rows, &target(COLUMNS_KEPT));
        assert_eq!(columns.all.len(), COLUMNS_KEPT);
        assert!(columns.all.contains_key(&target(0)), "it was asked for again");
        assert!(!columns.all.contains_key(&target(1)), "nobody asked for it since");
    }
}
