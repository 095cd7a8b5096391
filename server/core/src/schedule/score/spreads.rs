//! The spreads of a group: how many instances each value has, and how much it lacks of its share.

use model::{Group, Job, Spread};

use super::super::fleet::{Fleet, Place};
use super::ONE;

/// The spreads of a job and one of its groups.
pub(in super::super) struct Spreads<'a> {
    all: Vec<Counted<'a>>,
}

/// One spread, its values by their ids.
struct Counted<'a> {
    spread: &'a Spread,
    /// Sum of the weights of all spreads.
    weights: i64,
    /// Instances of the group.
    wanted: i64,
    values: Vec<Option<String>>,
    of_place: Vec<u32>,
    /// Values that a node has which could take an instance.
    reachable: Vec<bool>,
    /// Instances per value; none for a value that no node has which could take an instance, and no instance.
    used: Vec<Option<i64>>,
    least: i64,
    most: i64,
    /// What each value is worth now, weighted.
    boosts: Vec<i64>,
}

impl<'a> Spreads<'a> {
    /// The spreads of `group`; every value begins at zero that one of the `eligible` nodes has which takes new work.
    pub fn of(fleet: &mut Fleet, job: &'a Job, group: &'a Group, eligible: &[Place]) -> Self {
        let of_group: Vec<_> = job.spreads.iter().chain(&group.spreads).collect();
        let weights = of_group.iter().map(|spread| i64::from(spread.weight)).sum::<i64>().max(1);
        let mut all = Vec::new();
        for spread in of_group {
            let column = fleet.column(&spread.attribute);
            let (values, of_place) = (column.values().to_vec(), column.of_rows().to_vec());
            let mut reachable = vec![false; values.len()];
            for place in eligible.iter().filter(|place| fleet.row(**place).is_open) {
                let value = of_place[*place as usize] as usize;
                reachable[value] = values[value].is_some();
            }
            let used = reachable.iter().map(|is_reachable| is_reachable.then_some(0)).collect();
            let (wanted, boosts) = (i64::from(group.count.max(1)), vec![0; values.len()]);
            let (least, most) = (0, 0);
            let mut counted =
                Counted { spread, weights, wanted, values, of_place, reachable, used, least, most, boosts };
            counted.weigh();
            all.push(counted);
        }
        Self { all }
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Counts an instance at `place`, or with `-1` takes one away.
    pub fn add(&mut self, place: Place, number: i64) {
        self.all.iter_mut().for_each(|counted| counted.add(place, number));
    }

    /// The weighted sum of what the values of `place` lack.
    pub fn score(&self, place: Place) -> i64 {
        self.all.iter().map(|counted| counted.boosts[counted.of_place[place as usize] as usize]).sum()
    }

    /// The same, of the values with those ids.
    pub fn worth(&self, values: &[u32]) -> i64 {
        self.all.iter().zip(values).map(|(counted, value)| counted.boosts[*value as usize]).sum()
    }

    /// The ids of the values at `place`: nodes with the same ones are worth the same.
    pub fn values(&self, place: Place) -> Vec<u32> {
        self.all.iter().map(|counted| counted.of_place[place as usize]).collect()
    }
}

impl Counted<'_> {
    fn add(&mut self, place: Place, number: i64) {
        let value = self.of_place[place as usize] as usize;
        if self.values[value].is_none() {
            return;
        }
        let used = self.used[value].unwrap_or_default() + number;
        self.used[value] = (used != 0 || self.reachable[value]).then_some(used);
        let bounds = (self.least, self.most);
        self.measure();
        if self.is_even() && bounds != (self.least, self.most) {
            self.weigh();
        } else {
            self.boosts[value] = self.boost(value);
        }
    }

    /// Computes what every value is worth.
    fn weigh(&mut self) {
        self.measure();
        for value in 0..self.values.len() {
            self.boosts[value] = self.boost(value);
        }
    }

    fn measure(&mut self) {
        let used = self.used.iter().flatten().copied();
        (self.least, self.most) = used.fold((i64::MAX, 0), |(least, most), n| (least.min(n), most.max(n)));
        if self.least == i64::MAX {
            self.least = 0;
        }
    }

    fn is_even(&self) -> bool {
        self.spread.targets.is_empty()
    }

    fn boost(&self, value: usize) -> i64 {
        let used = self.used[value].unwrap_or_default();
        let boost = match &self.values[value] {
            None => -ONE,
            Some(_) if self.is_even() => self.even(used),
            Some(value) => self.to_target(value, used),
        };
        boost * i64::from(self.spread.weight) / self.weights
    }

    /// How much a value with `current` instances lacks, where all values shall be even.
    fn even(&self, current: i64) -> i64 {
        match (self.least, current) {
            (0, 0) => ONE,
            (0, _) => -ONE * current.min(10),
            (least, _) if least == self.most => -ONE,
            (least, current) if current == least => ONE * (self.most - least) / least,
            (least, current) => ONE * (least - current) / least,
        }
    }

    /// How much `value` lacks of its target; values without one share what the targets leave.
    fn to_target(&self, value: &str, used: i64) -> i64 {
        let targets = &self.spread.targets;
        let percent = match targets.iter().find(|target| target.value == value) {
            Some(target) => i64::from(target.percent),
            None => 100 - targets.iter().map(|target| i64::from(target.percent)).sum::<i64>(),
        };
        // In hundredths of an instance, so that shares of small counts are not cut to nothing.
        let wanted = percent * self.wanted;
        if wanted <= 0 { -ONE } else { (ONE * (wanted - (used + 1) * 100) / wanted).max(-ONE) }
    }
}
