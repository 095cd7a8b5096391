//! What no policy can do better than: the fewest nodes whose sum holds the peak demand.

use std::cmp::Reverse;

use crate::input::{Input, NodeSpec, WHOLE};
use crate::replay::{Event, events};

/// What is asked, by dimension: CPU, memory, disk, devices.
pub type Demand = [u64; 4];

/// What all that has arrived and not ended asks, after each event.
pub fn demand(input: &Input) -> impl Iterator<Item = Demand> {
    events(input).into_iter().scan([0u64; 4], |asked, event| {
        let (at, arrives) = match event {
            Event::Arrival(at) => (at, true),
            Event::End(at) => (at, false),
        };
        let task = &input.tasks[at];
        let [cpu, memory, disk] = task.ask.amounts;
        for (asked, ask) in asked.iter_mut().zip([cpu, memory, disk, task.ask.device_milli]) {
            let all = ask * u64::from(task.count);
            *asked = if arrives { *asked + all } else { *asked - all };
        }
        Some(*asked)
    })
}

/// The most that is asked of each dimension.
pub fn peak(input: &Input) -> Demand {
    demand(input).fold([0; 4], |peak, asked| std::array::from_fn(|of| peak[of].max(asked[of])))
}

/// All that is ever asked.
pub fn total(input: &Input) -> Demand {
    input.tasks.iter().fold([0; 4], |mut sum, task| {
        let [cpu, memory, disk] = task.ask.amounts;
        for (sum, ask) in sum.iter_mut().zip([cpu, memory, disk, task.ask.device_milli]) {
            *sum += ask * u64::from(task.count);
        }
        sum
    })
}

/// The fewest nodes that hold `peak` in every dimension, the largest first; a fleet that is too small is repeated. None
/// if something is asked that no node has.
pub fn nodes(peak: Demand, fleet: &[NodeSpec]) -> Option<usize> {
    let capacity = |node: &NodeSpec, of: usize| match of {
        3 => node.devices as u64 * WHOLE,
        of => node.capacity[of],
    };
    let mut most = 0;
    for (of, peak) in peak.into_iter().enumerate() {
        let mut capacities: Vec<u64> = fleet.iter().map(|node| capacity(node, of)).collect();
        capacities.sort_by_key(|capacity| Reverse(*capacity));
        let all: u64 = capacities.iter().sum();
        if peak > 0 && all == 0 {
            return None;
        }
        let rounds = peak.checked_div(all).unwrap_or(0);
        let mut rest = peak - rounds * all;
        let mut count = rounds as usize * fleet.len();
        for capacity in capacities {
            if rest == 0 {
                break;
            }
            rest = rest.saturating_sub(capacity);
            count += 1;
        }
        most = most.max(count);
    }
    Some(most)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::fleet;
    use crate::input::tests::input;

    #[test]
    fn the_peak_counts_what_runs_at_the_same_time_and_ends_come_before_arrivals() {
        let tasks = "arrival,job,count,cpu,memory,lifetime\n0,a,2,10,1,5\n5,b,1,15,30,\n6,c,1,1,1,\n";
        let input = input("name,cpu,memory\nn,100,100\n", tasks, "").unwrap();
        assert_eq!(peak(&input), [20, 31, 0, 0]);
    }

    #[test]
    fn the_bound_is_that_of_the_scarcest_dimension_and_takes_large_nodes_first() {
        let text = "name,cpu,memory\na,10,100\nb,40,100\nc,10,100\n";
        let nodes_of = input(text, "arrival,job,cpu,memory\n0,a,1,1\n", "").unwrap().nodes;
        assert_eq!(nodes([40, 100, 0, 0], &nodes_of), Some(1));
        assert_eq!(nodes([41, 100, 0, 0], &nodes_of), Some(2));
        assert_eq!(nodes([41, 201, 0, 0], &nodes_of), Some(3));
        assert_eq!(nodes([61, 0, 0, 0], &nodes_of), Some(4));
        assert_eq!(nodes([120, 0, 0, 0], &nodes_of), Some(6));
        assert_eq!(nodes([1, 1, 1, 0], &nodes_of), None);
        assert_eq!(nodes([0; 4], &fleet(&nodes_of, 2)), Some(0));
    }
}
