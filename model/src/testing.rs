//! Builders of complete, valid things to bend: `node("n1").cpu(1000)`, `job("web").count(3)`.

use std::collections::BTreeMap;

use crate::{
    AllocationId, ClientStatus, Cores, Driver, Eligibility, Group, Job, JobType, Migrate, Node, NodeId, NodeStatus,
    Observation, Reschedule, Resources, Restart, Task, Timestamp, Update,
};

/// A ready node of 4,000 MHz and 8,192 MiB with the `fake` driver; its id is derived from the name.
pub fn node(name: &str) -> Node {
    Node {
        id: NodeId::derive(&[b"node", name.as_bytes()]),
        name: name.into(),
        datacenter: "dc1".into(),
        pool: crate::DEFAULT_NODE_POOL.into(),
        class: String::new(),
        address: "127.0.0.1".into(),
        http_address: String::new(),
        attributes: BTreeMap::from([("kernel.name".to_string(), "linux".to_string())]),
        meta: BTreeMap::new(),
        total: Resources { cpu_mhz: 4000, memory_mb: 8192, memory_max_mb: 12288, disk_mb: 102_400 },
        reserved: Resources::default(),
        dynamic_ports: (20_000, 32_000),
        reserved_ports: Vec::new(),
        drivers: BTreeMap::from([("fake".to_string(), Driver { detected: true, healthy: true, ..Driver::default() })]),
        version: "0.1.0".into(),
        cores: Cores::default(),
        devices: Vec::new(),
        host_volumes: BTreeMap::new(),
        host_networks: BTreeMap::new(),
        network_modes: crate::node::usual_network_modes(),
        max_allocations: None,
        status: NodeStatus::Ready,
        status_at: Timestamp::default(),
        eligibility: Eligibility::Eligible,
        drain: None,
        last_drain: None,
        generation: 0,
        events: Vec::new(),
        create_index: 0,
        modify_index: 0,
    }
}

impl Node {
    /// With that much CPU, in MHz.
    pub fn cpu(mut self, mhz: u64) -> Self {
        self.total.cpu_mhz = mhz;
        self
    }

    /// With that much memory, in MiB, and half as much again for `memory_max`.
    pub fn memory(mut self, mb: u64) -> Self {
        self.total.memory_mb = mb;
        self.total.memory_max_mb = mb * 3 / 2;
        self
    }

    /// With that fact of the operator.
    pub fn meta(mut self, key: &str, value: &str) -> Self {
        self.meta.insert(key.into(), value.into());
        self
    }
}

/// A service job with one group, named as the job, of one `fake` task that asks 100 MHz and 64 MiB.
pub fn job(id: &str) -> Job {
    let task = Task {
        name: id.into(),
        driver: "fake".into(),
        resources: crate::TaskResources { cpu: 100, memory: 64, ..crate::TaskResources::default() },
        ..Task::default()
    };
    let group = Group {
        name: id.into(),
        tasks: vec![task],
        restart: Some(Restart::default()),
        reschedule: Some(Reschedule::default()),
        update: Some(Update::default()),
        migrate: Some(Migrate::default()),
        ephemeral_disk: crate::EphemeralDisk { size_mb: 10, ..crate::EphemeralDisk::default() },
        ..Group::default()
    };
    Job { id: id.into(), name: id.into(), groups: vec![group], ..Job::default() }
}

impl Job {
    /// With that many instances of the first group.
    pub fn count(mut self, count: u32) -> Self {
        self.groups[0].count = count;
        self
    }

    /// Of that type, with its rules.
    pub fn of_type(mut self, kind: JobType) -> Self {
        self.kind = kind;
        for group in &mut self.groups {
            group.restart = Some(Restart::of(kind));
            group.reschedule = Reschedule::of(kind);
            if kind != JobType::Service {
                group.update = None;
                group.migrate = None;
            }
        }
        self
    }
}

/// What an agent observed that has nothing to say beside the status.
pub fn observation(allocation: AllocationId, client_status: ClientStatus) -> Observation {
    Observation {
        allocation,
        client_status,
        client_description: String::new(),
        tasks: BTreeMap::new(),
        healthy: None,
        healthy_at: None,
        checks: BTreeMap::new(),
        network_address: None,
    }
}
