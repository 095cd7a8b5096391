//! In which order the groups of a job are placed that come all at once: as if one mean node after the other were filled.

use model::Group;
use server_core::state::State;
use server_core::testing::Wanted;

use crate::desk::{capacity, over};

/// Parts that shares are counted in.
const PARTS: u64 = 1024;

/// `wants` in the order in which they are placed.
pub fn best_order<'a>(
    state: &State,
    mut wants: Vec<Wanted>,
    group: &dyn Fn(&Wanted) -> Option<&'a Group>,
) -> Vec<Wanted> {
    let is_one_group = wants.iter().all(|want| want.group == wants[0].group);
    let is_fresh = |want: &Wanted| {
        want.previous.is_none() && want.succeeds.is_none() && want.node.is_none() && want.index.is_none()
    };
    if is_one_group || !wants.iter().all(is_fresh) {
        return wants;
    }
    let mean: [u64; 3] = [0, 1, 3].map(|at| {
        let has: Vec<u64> = state.nodes().map(|node| capacity(node)[at]).filter(|has| *has > 0).collect();
        over(has.iter().sum(), has.len() as u64)
    });
    let ask = |want: &Wanted| {
        group(want).map_or([0; 3], |group| {
            let ask = group.ask();
            [ask.cpu_mhz, ask.memory_mb, ask.disk_mb]
        })
    };
    let part = |amount: u64, of: usize| over(amount * PARTS, mean[of]);
    let mut left = [0, 1, 2].map(|of| wants.iter().map(|want| ask(want)[of] * u64::from(want.count)).sum::<u64>());
    let mut free = mean;
    let mut ordered = Vec::new();
    while !wants.is_empty() {
        let along = |want: &Wanted| {
            let weighed = |of: usize| part(left[of], of) * part(free[of], of) / PARTS * part(ask(want)[of], of);
            (0..3).map(weighed).sum::<u64>()
        };
        let fitting = wants.iter().enumerate().filter(|(_, want)| (0..3).all(|of| ask(want)[of] <= free[of]));
        let mut best: Option<(usize, u64)> = None;
        for (at, want) in fitting {
            if best.is_none_or(|(_, known)| along(want) > known) {
                best = Some((at, along(want)));
            }
        }
        if best.is_none() && free != mean {
            free = mean;
            continue;
        }
        let next = wants.remove(best.map_or(0, |(at, _)| at));
        for of in 0..3 {
            free[of] = free[of].saturating_sub(ask(&next)[of]);
            left[of] = left[of].saturating_sub(ask(&next)[of] * u64::from(next.count));
        }
        ordered.push(next);
    }
    ordered
}
