//! In which order groups are placed that come all at once.
//!
//! As if one mean node after the other were filled: each time with the group whose ask is largest along what is free there
//! and what is left to place as a whole. The scorer, which places them in that order, then finds combinations that a
//! placement in the document's order would miss.

use std::cmp::Reverse;

use model::Resources;

use super::super::reconcile::Want;

/// Groups of which each next one is looked for among all that are left; more are placed by size, the largest first.
const GROUPS_MATCHED_MAX: usize = 2_000;
/// Parts that shares are counted in.
const PARTS: u64 = 1024;

/// An amount of CPU, memory and disk.
type Amounts = [u64; 3];

/// `wants` in the order in which they are best placed, where they are fresh instances of several groups; none where the
/// order is given. `mean` is what a node has as a rule.
pub(super) fn best_order(wants: &[Want], mean: Resources) -> Option<Vec<Want>> {
    let is_one_group = wants.windows(2).all(|pair| pair[0].group == pair[1].group);
    if is_one_group || !wants.iter().all(|want| want.is_plain() && want.index.is_none()) {
        return None;
    }
    let ask = |want: &Want| want.version.job.group(&want.group).map(|group| amounts(group.ask())).unwrap_or_default();
    let asks: Vec<_> = wants.iter().map(ask).collect();
    let counts: Vec<_> = wants.iter().map(|want| u64::from(want.count)).collect();
    let order = if wants.len() <= GROUPS_MATCHED_MAX {
        node_by_node(&asks, &counts, amounts(mean))
    } else {
        by_size(&asks, amounts(mean))
    };
    Some(order.into_iter().map(|at| wants[at].clone()).collect())
}

fn amounts(of: Resources) -> Amounts {
    [of.cpu_mhz, of.memory_mb, of.disk_mb]
}

fn part(amount: u64, of: u64) -> u64 {
    (amount * PARTS).checked_div(of).unwrap_or(0)
}

fn by_size(asks: &[Amounts], mean: Amounts) -> Vec<usize> {
    let mut order: Vec<usize> = (0..asks.len()).collect();
    order.sort_by_key(|at| Reverse((0..3).map(|of| part(asks[*at][of], mean[of])).sum::<u64>()));
    order
}

fn node_by_node(asks: &[Amounts], counts: &[u64], mean: Amounts) -> Vec<usize> {
    let mut rest: Vec<usize> = (0..asks.len()).collect();
    let mut left = [0, 1, 2].map(|of| asks.iter().zip(counts).map(|(ask, count)| ask[of] * count).sum::<u64>());
    let mut order = Vec::new();
    let mut free = mean;
    while !rest.is_empty() {
        let weights = [0, 1, 2].map(|of| part(left[of], mean[of]) * part(free[of], mean[of]) / PARTS);
        let fits = |ask: &Amounts| (0..3).all(|of| ask[of] <= free[of]);
        let along = |ask: &Amounts| (0..3).map(|of| weights[of] * part(ask[of], mean[of])).sum::<u64>();
        let fitting = rest.iter().enumerate().filter(|(_, at)| fits(&asks[**at]));
        // Of equals the first.
        let best = fitting.max_by_key(|(place, at)| (along(&asks[**at]), Reverse(*place))).map(|(place, _)| place);
        let place = match best {
            Some(place) => place,
            // Nothing fits any more, so the next node; what fits on none goes by its size.
            None if free != mean => {
                free = mean;
                continue;
            }
            None => 0,
        };
        let at = rest.remove(place);
        for of in 0..3 {
            free[of] = free[of].saturating_sub(asks[at][of]);
            left[of] = left[of].saturating_sub(asks[at][of] * counts[at]);
        }
        order.push(at);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: Amounts = [100, 100, 0];

    #[test]
    fn the_largest_comes_first_and_then_what_fits_beside_it() {
        let asks = [[10, 10, 0], [60, 20, 0], [30, 70, 0], [40, 40, 0]];
        assert_eq!(node_by_node(&asks, &[1; 4], NODE), [2, 1, 0, 3]);
    }

    #[test]
    fn what_fits_on_no_node_does_not_stop_the_rest() {
        assert_eq!(node_by_node(&[[200, 1, 0], [50, 50, 0]], &[1; 2], NODE), [1, 0]);
    }

    #[test]
    fn many_groups_go_by_their_size() {
        assert_eq!(by_size(&[[10, 10, 0], [50, 40, 0], [60, 10, 0]], NODE), [1, 2, 0]);
    }
}
