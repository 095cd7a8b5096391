//! Who is where: what each node holds, counted beside whoever decides, so that every policy is measured alike.

use std::collections::BTreeMap;

use crate::input::{Amounts, Ask, Input, NodeSpec, Rule, WHOLE};

/// How many of the commonest asks are the mix that stranded room is judged by.
const MIX: usize = 100;

/// What the nodes hold.
pub struct Cluster<'a> {
    nodes: &'a [NodeSpec],
    used: Vec<Amounts>,
    device_milli: Vec<u64>,
    instances: Vec<u32>,
    /// Instances of each job on each node; only counted where there are rules.
    tenants: Vec<BTreeMap<usize, u32>>,
    rules: Rules,
    touched: Vec<bool>,
    in_use: usize,
    peak_in_use: usize,
    devices_given: u64,
    device_peak: u64,
    violations: u64,
}

/// The rules, found by either job of theirs.
#[derive(Clone, Default)]
pub struct Rules {
    of_job: BTreeMap<usize, Vec<Rule>>,
}

impl Rules {
    /// Those of the input.
    pub fn of(rules: &[Rule]) -> Self {
        let mut of_job: BTreeMap<usize, Vec<Rule>> = BTreeMap::new();
        for rule in rules {
            of_job.entry(rule.job).or_default().push(*rule);
            if rule.other != rule.job {
                of_job.entry(rule.other).or_default().push(*rule);
            }
        }
        Self { of_job }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.of_job.is_empty()
    }

    /// Which rules one more instance of `job` would break on a node with `tenants`.
    pub fn broken(&self, job: usize, tenants: &BTreeMap<usize, u32>) -> usize {
        let here = |of: usize| tenants.get(&of).copied().unwrap_or_default() + u32::from(of == job);
        let is_broken = |rule: &&Rule| here(rule.job) > 0 && here(rule.other) > rule.max_per_node;
        self.of_job.get(&job).map_or(0, |rules| rules.iter().filter(is_broken).count())
    }
}

impl<'a> Cluster<'a> {
    /// Empty nodes.
    pub fn new(nodes: &'a [NodeSpec], rules: &[Rule]) -> Self {
        Self {
            nodes,
            used: vec![[0; 3]; nodes.len()],
            device_milli: vec![0; nodes.len()],
            instances: vec![0; nodes.len()],
            tenants: vec![BTreeMap::new(); nodes.len()],
            rules: Rules::of(rules),
            touched: vec![false; nodes.len()],
            in_use: 0,
            peak_in_use: 0,
            devices_given: 0,
            device_peak: 0,
            violations: 0,
        }
    }

    /// An instance of `job` begins on `node`. An error if that is more than the node has: no policy may do that.
    pub fn begin(&mut self, node: usize, job: usize, ask: &Ask) -> Result<(), String> {
        if !self.rules.is_empty() {
            self.violations += u64::from(self.rules.broken(job, &self.tenants[node]) > 0);
            *self.tenants[node].entry(job).or_default() += 1;
        }
        for (used, ask) in self.used[node].iter_mut().zip(ask.amounts) {
            *used += ask;
        }
        self.device_milli[node] += ask.device_milli;
        let spec = &self.nodes[node];
        let over = (0..3).any(|of| self.used[node][of] > spec.capacity[of]);
        if over || self.device_milli[node] > spec.devices as u64 * WHOLE {
            return Err(format!("node {} was given more than it has", spec.name));
        }
        self.in_use += usize::from(self.instances[node] == 0);
        self.instances[node] += 1;
        self.touched[node] = true;
        self.peak_in_use = self.peak_in_use.max(self.in_use);
        self.devices_given += ask.device_milli;
        self.device_peak = self.device_peak.max(self.devices_given);
        Ok(())
    }

    /// An instance of `job` ends on `node`.
    pub fn end(&mut self, node: usize, job: usize, ask: &Ask) {
        for (used, ask) in self.used[node].iter_mut().zip(ask.amounts) {
            *used -= ask;
        }
        self.device_milli[node] -= ask.device_milli;
        self.devices_given -= ask.device_milli;
        self.instances[node] -= 1;
        self.in_use -= usize::from(self.instances[node] == 0);
        if let Some(count) = self.tenants[node].get_mut(&job) {
            *count -= 1;
        }
    }

    /// CPU and memory that are free on nodes in use where none of `mix` fits, in percent of the fleet's.
    pub fn stranded(&self, mix: &[Ask]) -> [f64; 2] {
        let free = |at: usize| -> Amounts { std::array::from_fn(|of| self.nodes[at].capacity[of] - self.used[at][of]) };
        let fits = |ask: &Ask, free: &Amounts| (0..3).all(|of| ask.amounts[of] <= free[of]);
        let lost = (0..self.nodes.len()).filter(|at| self.instances[*at] > 0).map(free);
        let lost: Vec<Amounts> = lost.filter(|free| !mix.iter().any(|ask| fits(ask, free))).collect();
        [0, 1].map(|of| {
            let all: u64 = self.nodes.iter().map(|node| node.capacity[of]).sum();
            percent(lost.iter().map(|free| free[of]).sum(), all).unwrap_or(0.0)
        })
    }

    /// Nodes that ever ran something.
    pub fn touched(&self) -> usize {
        self.touched.iter().filter(|touched| **touched).count()
    }

    /// The most nodes that ran something at the same time.
    pub fn peak_in_use(&self) -> usize {
        self.peak_in_use
    }

    /// Instances that were placed against a rule.
    pub fn violations(&self) -> u64 {
        self.violations
    }

    /// The most of the devices that was given away, in percent; none without devices.
    pub fn device_percent(&self) -> Option<f64> {
        percent(self.device_peak, self.nodes.iter().map(|node| node.devices as u64 * WHOLE).sum())
    }
}

/// The asks that stranded room is judged by: the commonest.
pub fn mix(input: &Input) -> Vec<Ask> {
    let mut counts: BTreeMap<&Ask, u64> = BTreeMap::new();
    for task in &input.tasks {
        *counts.entry(&task.ask).or_default() += u64::from(task.count);
    }
    let mut asks: Vec<_> = counts.into_iter().collect();
    asks.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    asks.into_iter().take(MIX).map(|(ask, _)| ask.clone()).collect()
}

fn percent(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 * 100.0 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(cpu: u64, memory: u64) -> Ask {
        Ask { amounts: [cpu, memory, 0], device_milli: 0, classes: Vec::new() }
    }

    fn nodes(count: usize) -> Vec<NodeSpec> {
        let node = |at| NodeSpec { name: format!("n{at}"), capacity: [10, 100, 0], devices: 0, class: String::new() };
        (0..count).map(node).collect()
    }

    #[test]
    fn nodes_in_use_are_counted_at_their_peak_and_touched_ones_for_ever() {
        let nodes = nodes(3);
        let mut cluster = Cluster::new(&nodes, &[]);
        cluster.begin(0, 0, &ask(5, 5)).unwrap();
        cluster.end(0, 0, &ask(5, 5));
        cluster.begin(1, 0, &ask(5, 5)).unwrap();
        assert_eq!((cluster.peak_in_use(), cluster.touched()), (1, 2));
        assert!(cluster.begin(1, 0, &ask(6, 0)).unwrap_err().contains("n1 was given more"));
    }

    #[test]
    fn room_is_stranded_where_no_usual_ask_fits_on_a_node_in_use() {
        let nodes = nodes(2);
        let mut cluster = Cluster::new(&nodes, &[]);
        cluster.begin(0, 0, &ask(10, 40)).unwrap();
        assert_eq!(cluster.stranded(&[ask(1, 1)]), [0.0, 30.0]);
        assert_eq!(cluster.stranded(&[ask(1, 1), ask(0, 60)]), [0.0, 0.0]);
    }

    #[test]
    fn a_rule_is_broken_by_whichever_job_comes_second() {
        let rules =
            Rules::of(&[Rule { job: 0, other: 1, max_per_node: 0 }, Rule { job: 2, other: 2, max_per_node: 1 }]);
        assert_eq!(rules.broken(0, &BTreeMap::from([(1, 1)])), 1);
        assert_eq!(rules.broken(1, &BTreeMap::from([(0, 1)])), 1);
        assert_eq!(rules.broken(1, &BTreeMap::from([(1, 5)])), 0);
        assert_eq!(rules.broken(2, &BTreeMap::from([(2, 1)])), 1);
        assert_eq!(rules.broken(2, &BTreeMap::new()), 0);
    }
}
