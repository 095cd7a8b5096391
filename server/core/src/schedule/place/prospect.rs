//! Where an instance would go if it were placed anew, and how far a group is from its spreads: asked by rebalancing,
//! without planning anything.
//!
//! The nodes are kept in line from question to question, so each costs one look at the nodes that could take the instance.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Algorithm, EvaluationId, Node, NodeId, Spread};

use super::super::fleet::Fleet;
use super::super::reconcile::Want;
use super::choose::Chooser;
use crate::schedule::Feasibility;
use crate::state::{JobVersion, State};

/// Looks at the nodes of one state after the other.
#[derive(Default)]
pub(crate) struct Prospect {
    fleet: Fleet,
}

impl Prospect {
    /// The node that would be chosen for one more instance of the group of that name, among those that `may_go` takes;
    /// none where none has room. `algorithm`: in place of the job's.
    pub fn best(
        &mut self,
        state: &State,
        version: &Arc<JobVersion>,
        group: &str,
        algorithm: Option<Algorithm>,
        may_go: &dyn Fn(&Node) -> bool,
    ) -> Option<NodeId> {
        let want = Want::fresh(group, version);
        let group = version.job.group(group)?;
        self.fleet.follow(state);
        let nobody = EvaluationId::default();
        let mut chooser = Chooser::new(state, &mut self.fleet, nobody, &want, group, &BTreeSet::new(), &[]);
        if let Some(algorithm) = algorithm {
            chooser.choose_as(algorithm);
        }
        chooser.best_among(&want, may_go)
    }

    /// How many instances of the group of that name would have to move for its spreads to be met, in hundredths: each
    /// spread counts by its share of the weights.
    pub fn out_of_place(&mut self, state: &State, version: &Arc<JobVersion>, group: &str) -> u64 {
        let Some(group) = version.job.group(group) else { return 0 };
        let spreads: Vec<_> = version.job.spreads.iter().chain(&group.spreads).collect();
        if spreads.is_empty() {
            return 0;
        }
        self.fleet.follow(state);
        let eligible = self.fleet.eligible(Feasibility::alone(version, group).demand());
        let weight = |spread: &Spread| u64::try_from(spread.weight).unwrap_or(0);
        let weights = spreads.iter().map(|spread| weight(spread)).sum::<u64>().max(1);
        let live = |known: &&Arc<model::Allocation>| known.is_live() && known.group == group.name;
        let of_group: Vec<_> = state.allocations_of_job(&version.job.key()).filter(live).collect();
        let mut sum = 0;
        for spread in spreads {
            let open: Vec<_> = eligible.iter().copied().filter(|at| self.fleet.row(*at).is_open).collect();
            let places: Vec<_> = of_group.iter().map(|known| self.fleet.place_of(known.node)).collect();
            let column = self.fleet.column(&spread.attribute);
            let value = |at: u32| column.values()[column.of_rows()[at as usize] as usize].as_deref();
            let mut used: BTreeMap<&str, u64> = open.iter().filter_map(|at| Some((value(*at)?, 0))).collect();
            let mut nowhere = 0;
            for at in places {
                match at.and_then(value) {
                    Some(value) => *used.entry(value).or_default() += 1,
                    None => nowhere += 1,
                }
            }
            sum += out_of_place(spread, &used, nowhere) * weight(spread) * 100 / weights;
        }
        sum
    }
}

/// The fewest moves after which every value has its share, rounded up or down. `used` counts the instances of each value,
/// `nowhere` those on nodes without one.
fn out_of_place(spread: &Spread, used: &BTreeMap<&str, u64>, nowhere: u64) -> u64 {
    let total = used.values().sum::<u64>() + nowhere;
    // What each value, or all values without a target together, has and shall have of how many parts.
    let mut shares: Vec<(u64, u64)> = vec![(nowhere, 0)];
    let parts = if spread.targets.is_empty() {
        shares.extend(used.values().map(|has| (*has, 1)));
        used.len() as u64
    } else {
        let mut rest = (total - nowhere, 100u64);
        for target in &spread.targets {
            let has = used.get(target.value.as_str()).copied().unwrap_or_default();
            shares.push((has, u64::from(target.percent)));
            rest = (rest.0 - has, rest.1.saturating_sub(u64::from(target.percent)));
        }
        shares.push(rest);
        100
    };
    let parts = parts.max(1);
    let too_many: u64 = shares.iter().map(|(has, part)| has.saturating_sub((total * part).div_ceil(parts))).sum();
    let too_few: u64 = shares.iter().map(|(has, part)| (total * part / parts).saturating_sub(*has)).sum();
    too_many.max(too_few)
}

#[cfg(test)]
mod tests {
    use model::SpreadTarget;

    use super::*;

    #[track_caller]
    fn check(targets: &[(&str, u32)], used: &[(&str, u64)], nowhere: u64, wanted: u64) {
        let target = |(value, percent): &(&str, u32)| SpreadTarget { value: (*value).into(), percent: *percent as _ };
        let spread = Spread { targets: targets.iter().map(target).collect(), ..Spread::default() };
        assert_eq!(out_of_place(&spread, &used.iter().copied().collect(), nowhere), wanted);
    }

    #[test]
    fn even_values_differ_by_one_at_most() {
        check(&[], &[("a", 2), ("b", 2)], 0, 0);
        check(&[], &[("a", 3), ("b", 2)], 0, 0);
        check(&[], &[("a", 3), ("b", 1)], 0, 1);
        check(&[], &[("a", 2), ("b", 2), ("c", 0)], 0, 1);
        check(&[], &[("a", 4), ("b", 0), ("c", 0)], 0, 2);
        check(&[], &[("a", 1), ("b", 0)], 1, 1);
    }

    #[test]
    fn targets_have_their_percentages_and_the_rest_what_they_leave() {
        check(&[("a", 50), ("b", 50)], &[("a", 2), ("b", 2)], 0, 0);
        check(&[("a", 75), ("b", 25)], &[("a", 2), ("b", 2)], 0, 1);
        check(&[("a", 50)], &[("a", 2), ("b", 1), ("c", 1)], 0, 0);
        check(&[("a", 50)], &[("a", 0), ("b", 2), ("c", 2)], 0, 2);
    }
}
