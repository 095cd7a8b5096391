//! The core itself: nodes register, jobs register, evaluations are decided and their plans applied, and ends are
//! observed, all by commands, as in a server, save that nothing is logged or sent.
//!
//! A task is a batch job of its own, so that instances of a group are not kept apart for safety (a service's are). Where
//! a job comes in several lines that all run for ever and ask the same, it is one job whose count grows, so that a cap on
//! its instances per node holds over all of them. With everything at once, all tasks are groups of one job, which the
//! planner may order as it likes.
//!
//! Of the rules, the core is told the caps: `distinct_property` of the node's id with the cap as its limit. What one job
//! says of another has no word in jobspecs; such rules are not asked for, and what breaks them is counted.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{
    Algorithm, AllocationId, ClientStatus, Constraint, Device, DeviceGroup, DeviceInstance, DeviceName, EphemeralDisk,
    EvaluationStatus, Group, Job, JobKey, JobType, Node, NodeId, Observation, Operator, Resources, Task, TaskResources,
    TaskState, Timestamp, testing,
};
use server_core::apply::{Answer, apply};
use server_core::command::{Command, Entry, SchedulerConfiguration};
use server_core::schedule::Scheduler;
use server_core::state::State;

use crate::input::{Ask, Input, NodeSpec, WHOLE};
use crate::replay::Placer;

/// Plans of one evaluation before it is said to have no end.
const PLANS_MAX: usize = 10_000;

/// The core at work.
pub struct Product<'a> {
    input: &'a Input,
    state: State,
    scheduler: Scheduler,
    now: Timestamp,
    places: BTreeMap<NodeId, usize>,
    /// Jobs that grow, with the instances that came with earlier lines.
    growing: BTreeMap<usize, BTreeSet<AllocationId>>,
    placed: Vec<Vec<AllocationId>>,
}

impl<'a> Product<'a> {
    /// On empty nodes.
    pub fn new(input: &'a Input, fleet: &[NodeSpec], algorithm: Algorithm) -> Result<Self, String> {
        let mut product = Self {
            input,
            state: State::default(),
            scheduler: Scheduler::default(),
            now: Timestamp::from_seconds(0),
            places: BTreeMap::new(),
            growing: growing(input),
            placed: vec![Vec::new(); input.tasks.len()],
        };
        let configuration = SchedulerConfiguration { algorithm, ..SchedulerConfiguration::default() };
        product.command(Command::SetSchedulerConfiguration { configuration, check_index: None })?;
        for (at, spec) in fleet.iter().enumerate() {
            let node = node(spec);
            product.places.insert(node.id, at);
            product.command(Command::RegisterNode { node: Arc::new(node), session: None })?;
        }
        Ok(product)
    }

    fn command(&mut self, command: Command) -> Result<(), String> {
        let entry = Entry { at: self.now, request: None, caller: String::new(), command };
        let (index, term) = (self.state.index() + 1, self.state.term());
        match apply(&mut self.state, index, term, &entry).answer {
            Answer::Accepted(accepted) if accepted.rejected.is_empty() => Ok(()),
            Answer::Accepted(accepted) => Err(format!("the core's own plan did not fit: {:?}", accepted.rejected)),
            Answer::Rejected(rejection) => Err(format!("the core refuses a command: {rejection}")),
        }
    }

    /// Decides everything that is pending, and forgets the evaluations.
    fn decide(&mut self) -> Result<(), String> {
        for _ in 0..PLANS_MAX {
            let Some(evaluation) = self.state.open_evaluations(EvaluationStatus::Pending).next().cloned() else {
                let over = self.state.evaluations().filter(|known| known.status.is_terminal());
                let evaluations = over.map(|known| known.id).collect();
                let (allocations, deployments, jobs, nodes) = Default::default();
                return self.command(Command::Collect {
                    evaluations,
                    allocations,
                    deployments,
                    jobs,
                    nodes,
                    term: None,
                });
            };
            let plan = self.scheduler.decide(&self.state, &evaluation, self.now).plan;
            self.command(Command::Plan(Box::new(plan)))?;
        }
        Err("the evaluations have no end".into())
    }

    /// Live instances of `key`, oldest first.
    fn live(&self, key: &JobKey) -> Vec<(AllocationId, NodeId, String)> {
        let live = self.state.allocations_of_job(key).filter(|known| known.is_live());
        let mut live: Vec<_> = live.map(|known| (known.index, known.id, known.node, known.group.clone())).collect();
        live.sort();
        live.into_iter().map(|(_, id, node, group)| (id, node, group)).collect()
    }

    fn register(&mut self, job: Job) -> Result<(), String> {
        self.command(Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None })?;
        self.decide()
    }

    fn caps(&self, job: usize) -> Vec<Constraint> {
        let caps = self.input.rules.iter().filter(|rule| rule.job == job && rule.other == job);
        let constraint = |max: u32| Constraint {
            attribute: "${node.unique.id}".into(),
            value: max.to_string(),
            operator: Operator::DistinctProperty,
        };
        caps.map(|rule| constraint(rule.max_per_node)).collect()
    }

    /// What arrives with the task and the job it belongs to as the core knows it.
    fn document(&self, at: usize) -> Job {
        let task = &self.input.tasks[at];
        let name = &self.input.jobs[task.job];
        let id = if self.growing.contains_key(&task.job) { name.clone() } else { format!("{name}/{at}") };
        let mut job = testing::job(&id).of_type(JobType::Batch);
        job.groups = vec![group("group".into(), &task.ask, task.count)];
        job.groups[0].constraints.extend(self.caps(task.job));
        job
    }
}

impl Placer for Product<'_> {
    fn arrive(&mut self, at: usize) -> Result<Vec<usize>, String> {
        let task = &self.input.tasks[at];
        self.now = Timestamp::from_seconds(task.arrival as i64);
        let mut job = self.document(at);
        let key = job.key();
        let before = self.growing.get(&task.job).map_or(0, |known| known.len() as u32);
        job.groups[0].count += before;
        self.register(job.clone())?;
        let live = self.live(&key);
        let placed = live.len() as u32;
        if placed < job.groups[0].count {
            // What found no room now is given up, and must not wait for any.
            if placed == 0 {
                self.command(Command::DeregisterJob { job: key, purge: true })?;
                self.decide()?;
            } else {
                job.groups[0].count = placed;
                self.register(job)?;
            }
        }
        let mut new = live;
        if let Some(known) = self.growing.get_mut(&task.job) {
            new.retain(|(id, _, _)| known.insert(*id));
        }
        self.placed[at] = new.iter().map(|(id, _, _)| *id).collect();
        Ok(new.iter().map(|(_, node, _)| self.places[node]).collect())
    }

    fn arrive_all(&mut self) -> Result<Vec<Vec<usize>>, String> {
        let mut job = testing::job("all").of_type(JobType::Batch);
        let of_task = |(at, task): (usize, &crate::input::Task)| {
            let mut group = group(format!("{at:08}"), &task.ask, task.count);
            group.constraints.extend(self.caps(task.job));
            group
        };
        job.groups = self.input.tasks.iter().enumerate().map(of_task).collect();
        let key = job.key();
        self.register(job)?;
        let mut nodes = vec![Vec::new(); self.input.tasks.len()];
        for (_, node, group) in self.live(&key) {
            let at: usize = group.parse().map_err(|_| format!("nobody made the group {group}"))?;
            nodes[at].push(self.places[&node]);
        }
        Ok(nodes)
    }

    fn end(&mut self, at: usize) -> Result<(), String> {
        let placed = std::mem::take(&mut self.placed[at]);
        let Some(first) = placed.first() else { return Ok(()) };
        let Some(key) = self.state.allocation(*first).map(|known| known.job.clone()) else { return Ok(()) };
        let task = &self.input.tasks[at];
        // Time only goes on; what ends is known by its lifetime.
        let ends = task.arrival + task.lifetime.unwrap_or(0).max(1);
        self.now = Timestamp::from_seconds(ends as i64);
        let mut nodes: BTreeMap<NodeId, Vec<_>> = BTreeMap::new();
        for id in placed {
            let Some(known) = self.state.allocation(id) else { continue };
            nodes.entry(known.node).or_default().push(complete(id, self.now).packed());
        }
        self.command(Command::Observe { nodes: nodes.into_iter().collect(), sessions: Default::default() })?;
        self.decide()?;
        self.command(Command::DeregisterJob { job: key, purge: true })?;
        self.decide()
    }
}

/// Jobs that come in several lines, all for ever and with the same ask: they grow.
fn growing(input: &Input) -> BTreeMap<usize, BTreeSet<AllocationId>> {
    let mut lines: BTreeMap<usize, Vec<&crate::input::Task>> = BTreeMap::new();
    for task in &input.tasks {
        lines.entry(task.job).or_default().push(task);
    }
    let grows = |tasks: &Vec<&crate::input::Task>| {
        tasks.len() > 1 && tasks.iter().all(|task| task.lifetime.is_none() && task.ask == tasks[0].ask)
    };
    lines.into_iter().filter(|(_, tasks)| grows(tasks)).map(|(job, _)| (job, BTreeSet::new())).collect()
}

fn node(spec: &NodeSpec) -> Node {
    let mut node = testing::node(&spec.name);
    let [cpu_mhz, memory_mb, disk_mb] = spec.capacity;
    node.total = Resources { cpu_mhz, memory_mb, memory_max_mb: memory_mb, disk_mb };
    node.class = spec.class.clone();
    if spec.devices > 0 {
        let instance = |at: usize| DeviceInstance { id: format!("{at}"), healthy: true, numa_node: None };
        node.devices = vec![DeviceGroup {
            name: DeviceName { vendor: "any".into(), kind: "gpu".into(), name: spec.class.clone() },
            instances: (0..spec.devices).map(instance).collect(),
            ..DeviceGroup::default()
        }];
    }
    node
}

fn group(name: String, ask: &Ask, count: u32) -> Group {
    let [cpu, memory, disk] = ask.amounts;
    let mut group = testing::job(&name).of_type(JobType::Batch).groups.remove(0);
    group.name = name;
    group.count = count;
    group.ephemeral_disk = EphemeralDisk { size_mb: disk, ..EphemeralDisk::default() };
    let mut resources = TaskResources { cpu, memory, ..TaskResources::default() };
    if ask.device_milli > 0 {
        let whole = ask.device_milli / WHOLE;
        let (count, share) = if whole == 0 { (1, ask.device_milli as u32) } else { (whole, WHOLE as u32) };
        resources.devices = vec![Device { name: "gpu".into(), count, share, ..Device::default() }];
        group.constraints.extend(of_classes(&ask.classes));
    }
    group.tasks = vec![Task { name: "task".into(), resources, ..group.tasks.remove(0) }];
    group
}

/// The condition that a node is of one of `classes`.
fn of_classes(classes: &[String]) -> Option<Constraint> {
    let attribute = "${node.class}".into();
    match classes {
        [] => None,
        [class] => Some(Constraint { attribute, value: class.clone(), operator: Operator::Equal }),
        classes => {
            Some(Constraint { attribute, value: format!("^({})$", classes.join("|")), operator: Operator::Regexp })
        }
    }
}

fn complete(allocation: AllocationId, at: Timestamp) -> Observation {
    let task = TaskState { finished_at: Some(at), started_at: Some(at), ..TaskState::default() };
    Observation {
        allocation,
        client_status: ClientStatus::Complete,
        client_description: String::new(),
        tasks: BTreeMap::from([("task".to_string(), task)]),
        healthy: None,
        healthy_at: None,
        checks: BTreeMap::new(),
        network_address: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::tests::input;

    const NODES: &str = "name,cpu,memory\na,100,100\nb,100,100\nc,100,100\n";

    fn arrive(nodes: &str, tasks: &str, rules: &str) -> Vec<Vec<usize>> {
        let input = input(nodes, tasks, rules).unwrap();
        let mut product = Product::new(&input, &input.nodes, Algorithm::Binpack).unwrap();
        (0..input.tasks.len()).map(|task| product.arrive(task).unwrap()).collect()
    }

    #[test]
    fn what_finds_no_room_is_rejected_for_good_and_the_rest_of_its_line_stays() {
        let tasks = "arrival,job,count,cpu,memory,lifetime\n0,a,4,90,10,50\n0,b,1,50,10,\n";
        let input = input(NODES, tasks, "").unwrap();
        let mut product = Product::new(&input, &input.nodes, Algorithm::Binpack).unwrap();
        assert_eq!(product.arrive(0).unwrap().len(), 3);
        assert_eq!(product.arrive(1), Ok(vec![]));
        product.end(0).unwrap();
        assert_eq!(product.state.allocations().count(), 0);
        assert_eq!(product.state.jobs().count(), 0);
        assert_eq!(product.state.evaluations().count(), 0);
        assert_eq!(product.arrive(1).unwrap().len(), 1);
    }

    #[test]
    fn instances_of_a_line_share_a_node_and_the_fullest_is_taken() {
        let placed = arrive(NODES, "arrival,job,count,cpu,memory\n0,a,2,40,40\n0,b,1,20,20\n", "");
        assert_eq!(placed[0][0], placed[0][1]);
        assert_eq!(placed[1][0], placed[0][0]);
    }

    #[test]
    fn a_cap_holds_over_all_lines_of_a_job_that_grows() {
        let tasks = "arrival,job,cpu,memory\n0,a,1,1\n1,b,1,1\n2,a,1,1\n3,a,1,1\n4,a,1,1\n5,a,1,1\n6,a,1,1\n7,a,1,1\n";
        let placed = arrive(NODES, tasks, "job,other_job,max_per_node\na,a,2\n");
        let of_a: Vec<_> = [0, 2, 3, 4, 5, 6, 7].into_iter().flat_map(|task| placed[task].clone()).collect();
        assert_eq!(of_a.len(), 6, "the seventh finds no node: {placed:?}");
        assert!((0..3).all(|node| of_a.iter().filter(|at| **at == node).count() == 2), "{of_a:?}");
    }

    #[test]
    fn devices_are_shared_or_whole_and_of_the_models_that_are_asked() {
        let nodes = "name,cpu,memory,gpu_milli,class\na,100,100,1000,P100\nb,100,100,2000,T4\n";
        let tasks = "arrival,job,cpu,memory,gpu_milli,gpu_class\n0,s,1,1,500,T4\n0,t,1,1,400,T4|V100\n0,u,1,1,1000,T4\n\
                     0,v,1,1,1000,T4\n0,w,1,1,1000,\n0,x,1,1,200,\n";
        let wanted: [Vec<usize>; 6] = [vec![1], vec![1], vec![1], vec![], vec![0], vec![]];
        assert_eq!(arrive(nodes, tasks, ""), wanted);
    }

    #[test]
    fn all_at_once_every_task_is_found_again() {
        let input = input(NODES, "arrival,job,count,cpu,memory\n0,a,1,60,60\n0,b,3,40,40\n", "").unwrap();
        let mut product = Product::new(&input, &input.nodes, Algorithm::Binpack).unwrap();
        let placed = product.arrive_all().unwrap();
        assert_eq!((placed[0].len(), placed[1].len()), (1, 3));
    }
}
