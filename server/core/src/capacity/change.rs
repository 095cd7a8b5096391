//! What is put into the copy of the state: nodes that do not exist, and a job that nobody wrote.

use std::collections::BTreeMap;

use model::{
    Constraint, Cores, Device, Driver, Eligibility, EphemeralDisk, Group, Job, JobKey, Node, NodeId, NodeStatus,
    Operator, Reschedule, Resources, Restart, Task, TaskResources,
};

use crate::state::State;

/// Drivers of a node where no other is there to be taken as a model.
const DRIVERS: [&str; 4] = ["docker", "exec", "fake", "raw_exec"];
/// Where nothing else is known: the most memory that may be used, as a share of all, in percent.
const MEMORY_MAX_PERCENT: u64 = 150;

/// Instances that ask no more than this.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ask {
    /// CPU in MHz.
    pub cpu_mhz: u64,
    /// Memory in MiB.
    pub memory_mb: u64,
    /// The most memory that may be used, in MiB; 0 for no more than `memory_mb`.
    pub memory_max_mb: u64,
    /// Disk in MiB.
    pub disk_mb: u64,
    /// Cores for itself alone.
    pub cores: u32,
    /// A device as it is asked for in a jobspec, and how many.
    pub device: Option<(String, u64)>,
    /// The driver; none for the one that most nodes have.
    pub driver: Option<String>,
    /// The datacenter; none for any.
    pub datacenter: Option<String>,
    /// The node pool; none for any.
    pub pool: Option<String>,
    /// The node class; none for any.
    pub class: Option<String>,
    /// How many instances; none for as many as fit.
    pub count: Option<u32>,
}

/// Nodes that there would be more, all alike.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NewNodes {
    /// A node that they are like; none for one of the cluster's, but without devices and cores of their own.
    pub like: Option<NodeId>,
    /// CPU in MHz that allocations may hold; none for as much as the model has.
    pub cpu_mhz: Option<u64>,
    /// Memory in MiB that allocations may hold; none for as much as the model has.
    pub memory_mb: Option<u64>,
    /// Disk in MiB; none for as much as the model has.
    pub disk_mb: Option<u64>,
    /// The datacenter; none for the model's.
    pub datacenter: Option<String>,
    /// The node pool; none for the model's.
    pub pool: Option<String>,
    /// The class; none for the model's.
    pub class: Option<String>,
    /// How many.
    pub count: u32,
}

/// The nodes, each with a name of its own: `new-1`, `new-2` and so on.
pub(super) fn nodes(state: &State, wanted: &NewNodes) -> Vec<Node> {
    let model = wanted.like.and_then(|id| state.node(id)).map(|node| Node::clone(node));
    let model = model.unwrap_or_else(|| without_equipment(model_of(state, wanted)));
    let names = (1u64..).map(|number| format!("new-{number}"));
    let free = names.filter(|name| state.nodes_named(name).next().is_none());
    free.take(wanted.count as usize).map(|name| node(&model, wanted, name)).collect()
}

/// The node that new ones are most likely like: one that is open and stands where they shall.
fn model_of(state: &State, wanted: &NewNodes) -> Node {
    let differs = |wanted: &Option<String>, has: &str| wanted.as_ref().is_some_and(|wanted| wanted != has);
    let distance = |node: &Node| {
        let differences = [
            differs(&wanted.class, &node.class),
            differs(&wanted.pool, &node.pool),
            differs(&wanted.datacenter, &node.datacenter),
        ];
        differences.into_iter().filter(|differs| *differs).count()
    };
    let nearest = state.nodes().min_by_key(|node| (distance(node), !node.is_schedulable(), &node.name, node.id));
    nearest.map_or_else(bare, |node| Node::clone(node))
}

fn without_equipment(node: Node) -> Node {
    Node { cores: Cores::default(), devices: Vec::new(), reserved: Resources::default(), ..node }
}

/// A node of a cluster that has none.
fn bare() -> Node {
    let driver = || Driver { detected: true, healthy: true, ..Driver::default() };
    Node {
        id: NodeId::default(),
        name: String::new(),
        datacenter: "dc1".into(),
        pool: model::DEFAULT_NODE_POOL.into(),
        class: String::new(),
        address: "127.0.0.1".into(),
        http_address: String::new(),
        attributes: BTreeMap::from([("kernel.name".to_string(), "linux".to_string())]),
        meta: BTreeMap::new(),
        total: Resources::default(),
        reserved: Resources::default(),
        dynamic_ports: (20_000, 32_000),
        reserved_ports: Vec::new(),
        drivers: DRIVERS.into_iter().map(|name| (name.to_string(), driver())).collect(),
        version: String::new(),
        cores: Cores::default(),
        devices: Vec::new(),
        host_volumes: BTreeMap::new(),
        host_networks: BTreeMap::new(),
        network_modes: model::usual_network_modes(),
        max_allocations: None,
        status: NodeStatus::Initializing,
        status_at: Default::default(),
        eligibility: Eligibility::Eligible,
        drain: None,
        last_drain: None,
        generation: 0,
        events: Vec::new(),
        create_index: 0,
        modify_index: 0,
    }
}

fn node(model: &Node, wanted: &NewNodes, name: String) -> Node {
    let mut node = model.clone();
    node.id = NodeId::derive(&[b"what if", name.as_bytes()]);
    node.name = name;
    (node.status, node.eligibility) = (NodeStatus::Initializing, Eligibility::Eligible);
    (node.drain, node.last_drain) = (None, None);
    node.events.clear();
    // What tells a host from all others is not the same twice.
    node.attributes.retain(|key, _| !key.starts_with("unique."));
    let set = |place: &mut String, wanted: &Option<String>| place.clone_from(wanted.as_ref().unwrap_or(&place.clone()));
    set(&mut node.datacenter, &wanted.datacenter);
    set(&mut node.pool, &wanted.pool);
    set(&mut node.class, &wanted.class);
    let (total, reserved) = (&mut node.total, node.reserved);
    if let Some(cpu_mhz) = wanted.cpu_mhz {
        total.cpu_mhz = cpu_mhz + reserved.cpu_mhz;
    }
    if let Some(memory_mb) = wanted.memory_mb {
        let most = memory_mb
            * (model.total.memory_max_mb * 100).checked_div(model.total.memory_mb).unwrap_or(MEMORY_MAX_PERCENT)
            / 100;
        total.memory_mb = memory_mb + reserved.memory_mb;
        total.memory_max_mb = most.max(memory_mb) + reserved.memory_max_mb;
    }
    if let Some(disk_mb) = wanted.disk_mb {
        total.disk_mb = disk_mb + reserved.disk_mb;
    }
    node
}

/// A job of the lowest priority that asks that, `count` times. Its group bears its name.
pub(super) fn job(state: &State, ask: &Ask, count: u32) -> Job {
    let names = (0u64..).map(|number| if number == 0 { "what-if".into() } else { format!("what-if-{number}") });
    let is_free = |id: &String| state.job(&JobKey::new(&Job::default().namespace, id)).is_none();
    let id = { names }.find(is_free).unwrap_or_default();
    let device = |(name, count): &(String, u64)| Device { name: name.clone(), count: *count, ..Device::default() };
    let resources = TaskResources {
        cpu: ask.cpu_mhz,
        cores: ask.cores,
        memory: ask.memory_mb,
        memory_max: i64::try_from(ask.memory_max_mb).unwrap_or(i64::MAX),
        devices: ask.device.iter().map(device).collect(),
        ..TaskResources::default()
    };
    let driver = ask.driver.clone().unwrap_or_else(|| commonest_driver(state));
    let class = |class: &String| Constraint {
        attribute: "${node.class}".into(),
        value: class.clone(),
        operator: Operator::Equal,
    };
    let group = Group {
        name: id.clone(),
        count,
        tasks: vec![Task { name: id.clone(), driver, resources, ..Task::default() }],
        constraints: ask.class.iter().map(class).collect(),
        restart: Some(Restart::default()),
        reschedule: Some(Reschedule::default()),
        ephemeral_disk: EphemeralDisk { size_mb: ask.disk_mb, ..EphemeralDisk::default() },
        ..Group::default()
    };
    Job {
        id: id.clone(),
        name: id,
        // Nobody has to make way for it.
        priority: 1,
        datacenters: vec![ask.datacenter.clone().unwrap_or_else(|| "*".into())],
        node_pool: ask.pool.clone().unwrap_or_else(|| model::ALL_NODE_POOLS.into()),
        groups: vec![group],
        ..Job::default()
    }
}

/// The driver that works on most of the nodes.
fn commonest_driver(state: &State) -> String {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for node in state.nodes() {
        for (name, _) in node.drivers.iter().filter(|(_, driver)| driver.detected && driver.healthy) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let commonest = counts.into_iter().max_by_key(|(name, count)| (*count, std::cmp::Reverse(*name)));
    commonest.map_or(DRIVERS[0], |(name, _)| name).to_string()
}
