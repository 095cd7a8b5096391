//! What the core is compared with: small loops over arrays, without groups, versions, ports or a log.

use std::collections::BTreeMap;

use crate::cluster::Rules;
use crate::input::{Ask, Input, NodeSpec, WHOLE};
use crate::replay::Placer;

/// How a baseline chooses among the nodes that have room and break no rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// The first.
    FirstFit,
    /// The one with the least 10^(free CPU share) + 10^(free memory share), ties to the first.
    NomadAll,
    /// The same among two, drawn at random.
    NomadTwo,
}

impl Policy {
    /// All of them.
    pub const ALL: [Policy; 3] = [Policy::FirstFit, Policy::NomadAll, Policy::NomadTwo];

    /// Its name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Policy::FirstFit => "first fit",
            Policy::NomadAll => "nomad-like, all nodes",
            Policy::NomadTwo => "nomad-like, 2 nodes",
        }
    }

    /// How many feasible nodes are looked at; none for all.
    fn sample(self) -> Option<usize> {
        match self {
            Policy::FirstFit => Some(1),
            Policy::NomadAll => None,
            Policy::NomadTwo => Some(2),
        }
    }
}

/// Devices of a node, each with the thousandths that were taken of it.
type Shares = Vec<(usize, u64)>;

/// A baseline at work.
pub struct Baseline<'a> {
    policy: Policy,
    input: &'a Input,
    nodes: Vec<Node<'a>>,
    rules: Rules,
    /// Where the instances of each task are, with the devices they took.
    placed: Vec<Vec<(usize, Shares)>>,
    random: u64,
}

struct Node<'a> {
    spec: &'a NodeSpec,
    free: [u64; 3],
    devices: Vec<u64>,
    tenants: BTreeMap<usize, u32>,
}

impl<'a> Baseline<'a> {
    /// On empty nodes.
    pub fn new(policy: Policy, input: &'a Input, fleet: &'a [NodeSpec]) -> Self {
        let node = |spec: &'a NodeSpec| Node {
            spec,
            free: spec.capacity,
            devices: vec![WHOLE; spec.devices],
            tenants: BTreeMap::new(),
        };
        Self {
            policy,
            input,
            nodes: fleet.iter().map(node).collect(),
            rules: Rules::of(&input.rules),
            placed: vec![Vec::new(); input.tasks.len()],
            random: 1,
        }
    }

    fn choose(&mut self, job: usize, ask: &Ask) -> Option<usize> {
        let count = self.nodes.len();
        let (start, step) = match self.policy {
            Policy::FirstFit | Policy::NomadAll => (0, 1),
            Policy::NomadTwo => self.walk(count),
        };
        let mut left = self.policy.sample().unwrap_or(usize::MAX);
        let mut best: Option<(f64, usize)> = None;
        let mut at = start;
        for _ in 0..count {
            let node = &self.nodes[at];
            if node.fits(ask) && (self.rules.is_empty() || self.rules.broken(job, &node.tenants) == 0) {
                let score = if self.policy == Policy::FirstFit { 0.0 } else { node.score(ask) };
                if best.is_none_or(|(least, _)| score < least) {
                    best = Some((score, at));
                }
                left -= 1;
                if left == 0 {
                    break;
                }
            }
            at = (at + step) % count;
        }
        best.map(|(_, at)| at)
    }

    /// A start and a step with which a walk over `count` nodes meets each once.
    fn walk(&mut self, count: usize) -> (usize, usize) {
        let start = self.draw(count);
        let step = (1 + self.draw(count)) % count;
        (start, if common_divisor(step, count) == 1 { step } else { 1 })
    }

    /// A number below `below`, from the same seed in every run (splitmix64).
    fn draw(&mut self, below: usize) -> usize {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % below as u64) as usize
    }
}

impl Placer for Baseline<'_> {
    fn arrive(&mut self, task: usize) -> Result<Vec<usize>, String> {
        let known = &self.input.tasks[task];
        for _ in 0..known.count {
            let Some(at) = self.choose(known.job, &known.ask) else { break };
            let node = &mut self.nodes[at];
            let devices = node.take(&known.ask);
            *node.tenants.entry(known.job).or_default() += 1;
            self.placed[task].push((at, devices));
        }
        Ok(self.placed[task].iter().map(|(at, _)| *at).collect())
    }

    fn arrive_all(&mut self) -> Result<Vec<Vec<usize>>, String> {
        (0..self.input.tasks.len()).map(|task| self.arrive(task)).collect()
    }

    fn end(&mut self, task: usize) -> Result<(), String> {
        let known = &self.input.tasks[task];
        for (at, devices) in std::mem::take(&mut self.placed[task]) {
            let node = &mut self.nodes[at];
            for (free, ask) in node.free.iter_mut().zip(known.ask.amounts) {
                *free += ask;
            }
            for (device, share) in devices {
                node.devices[device] += share;
            }
            if let Some(count) = node.tenants.get_mut(&known.job) {
                *count -= 1;
            }
        }
        Ok(())
    }
}

impl Node<'_> {
    fn fits(&self, ask: &Ask) -> bool {
        if (0..3).any(|of| ask.amounts[of] > self.free[of]) {
            return false;
        }
        if ask.device_milli == 0 {
            return true;
        }
        if !ask.classes.is_empty() && !ask.classes.contains(&self.spec.class) {
            return false;
        }
        if ask.device_milli < WHOLE {
            return self.devices.iter().any(|free| *free >= ask.device_milli);
        }
        self.devices.iter().filter(|free| **free == WHOLE).count() as u64 >= ask.device_milli / WHOLE
    }

    /// Takes what is asked; of devices, which and how much: a share from the fullest that has it.
    fn take(&mut self, ask: &Ask) -> Shares {
        for (free, ask) in self.free.iter_mut().zip(ask.amounts) {
            *free -= ask;
        }
        let mut devices: Vec<usize> = (0..self.devices.len()).collect();
        let (share, count) = match ask.device_milli {
            0 => return Vec::new(),
            milli if milli < WHOLE => (milli, 1),
            milli => (WHOLE, (milli / WHOLE) as usize),
        };
        devices.retain(|device| self.devices[*device] >= share);
        devices.sort_by_key(|device| self.devices[*device]);
        devices.truncate(count);
        for device in &devices {
            self.devices[*device] -= share;
        }
        devices.into_iter().map(|device| (device, share)).collect()
    }

    fn score(&self, ask: &Ask) -> f64 {
        let power = |of: usize| {
            let capacity = self.spec.capacity[of].max(1) as f64;
            10f64.powf((self.free[of] - ask.amounts[of]) as f64 / capacity)
        };
        power(0) + power(1)
    }
}

fn common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { common_divisor(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tests::input;

    fn places(policy: Policy, nodes: &str, tasks: &str, rules: &str) -> Vec<Vec<usize>> {
        let input = input(nodes, tasks, rules).unwrap();
        let mut baseline = Baseline::new(policy, &input, &input.nodes);
        baseline.arrive_all().unwrap()
    }

    const NODES: &str = "name,cpu,memory\na,100,100\nb,100,100\nc,100,100\n";

    #[test]
    fn first_fit_takes_the_first_and_the_nomad_like_score_the_fullest() {
        let tasks = "arrival,job,cpu,memory\n0,a,50,50\n0,b,70,70\n0,c,20,20\n";
        assert_eq!(places(Policy::FirstFit, NODES, tasks, ""), [vec![0], vec![1], vec![0]]);
        assert_eq!(places(Policy::NomadAll, NODES, tasks, ""), [vec![0], vec![1], vec![1]]);
    }

    #[test]
    fn two_sampled_nodes_are_feasible_ones_and_all_rooms_are_found() {
        let tasks = "arrival,job,count,cpu,memory\n0,a,6,50,50\n0,b,1,1,1\n";
        let mut found = places(Policy::NomadTwo, NODES, tasks, "");
        found[0].sort_unstable();
        assert_eq!(found, [vec![0, 0, 1, 1, 2, 2], vec![]]);
    }

    #[test]
    fn rules_are_kept_and_what_finds_no_node_is_rejected() {
        let tasks = "arrival,job,count,cpu,memory\n0,a,4,10,10\n0,b,1,10,10\n";
        let rules = "job,other_job,max_per_node\na,a,1\nb,a,0\n";
        assert_eq!(places(Policy::FirstFit, NODES, tasks, rules), [vec![0, 1, 2], vec![]]);
    }

    #[test]
    fn shares_fill_a_begun_device_and_whole_devices_are_untouched_ones_of_the_model() {
        let nodes = "name,cpu,memory,gpu_milli,class\na,100,100,1000,P100\nb,100,100,2000,T4\n";
        let tasks = "arrival,job,cpu,memory,gpu_milli,gpu_class\n0,s,1,1,500,T4\n0,t,1,1,400,T4|V100\n0,u,1,1,1000,T4\n\
                     0,v,1,1,1000,T4\n0,w,1,1,1000,\n0,x,1,1,200,\n";
        let wanted: [Vec<usize>; 6] = [vec![1], vec![1], vec![1], vec![], vec![0], vec![]];
        assert_eq!(places(Policy::FirstFit, nodes, tasks, ""), wanted);
    }

    #[test]
    fn what_ended_leaves_room() {
        let input = input("name,cpu,memory\na,10,10\n", "arrival,job,cpu,memory\n0,a,10,10\n0,b,10,10\n", "").unwrap();
        let mut baseline = Baseline::new(Policy::NomadAll, &input, &input.nodes);
        assert_eq!(baseline.arrive(0), Ok(vec![0]));
        baseline.end(0).unwrap();
        assert_eq!(baseline.arrive(1), Ok(vec![0]));
    }
}
