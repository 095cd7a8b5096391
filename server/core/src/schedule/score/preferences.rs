//! The affinities of a group: what each node's attributes count for or against it.

use model::{Group, Job};

use super::super::constraint::Condition;
use super::super::fleet::{Fleet, Place};
use super::ONE;

/// The preferences of a job and one of its groups.
pub(in super::super) struct Affinities {
    /// In millionths, by place; empty where there are no preferences.
    scores: Vec<i64>,
}

impl Affinities {
    /// The preferences of `group`, asked of every node: each once per value where that decides.
    pub fn of(fleet: &mut Fleet, job: &Job, group: &Group) -> Self {
        let of_tasks = group.tasks.iter().flat_map(|task| &task.affinities);
        let all: Vec<_> = job.affinities.iter().chain(&group.affinities).chain(of_tasks).collect();
        if all.is_empty() {
            return Self { scores: Vec::new() };
        }
        let weights: i64 = all.iter().map(|affinity| i64::from(affinity.weight.abs())).sum();
        let mut sums = vec![0; fleet.len()];
        for affinity in &all {
            let condition = Condition::of(affinity.condition());
            let weight = i64::from(affinity.weight);
            if condition.is_of_left_side() {
                let column = fleet.column(&affinity.attribute);
                let worth = |value: &Option<String>| if condition.holds_for(value.as_deref()) { weight } else { 0 };
                let worths: Vec<_> = column.values().iter().map(worth).collect();
                for (sum, value) in sums.iter_mut().zip(column.of_rows()) {
                    *sum += worths[*value as usize];
                }
            } else {
                for (sum, at) in sums.iter_mut().zip(0..) {
                    *sum += if condition.holds(&fleet.row(at).node) { weight } else { 0 };
                }
            }
        }
        Self { scores: sums.into_iter().map(|sum| sum * ONE / weights.max(1)).collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scores.is_empty()
    }

    /// Weight of the preferences that hold at `place`, over the weight of all.
    pub fn score(&self, place: Place) -> i64 {
        self.scores.get(place as usize).copied().unwrap_or(0)
    }
}
