//! What the agent says of its node: facts of the host, settings of the operator, and its drivers.

use std::collections::BTreeSet;
use std::time::Duration;

use model::{Cores, DeviceGroup, DeviceInstance, Eligibility, Node, NodeStatus, Resources, Timestamp};
use proto::convert::node_to_wire;
use proto::wire::agent_up;
use tracing::{info, warn};

use super::{Agent, Input};
use crate::config::{AgentConfig, Devices};
use crate::drivers::Driver;
use crate::host::HostFacts;

/// Time for a driver to say how it is.
const FINGERPRINT_DEADLINE: Duration = Duration::from_secs(5);

/// The node without its drivers.
pub(super) fn node(config: &AgentConfig, facts: &HostFacts) -> Node {
    let cpu_mhz = config.cpu_total_compute_mhz.unwrap_or(facts.cores * facts.core_mhz).max(1);
    let memory_mb = config.memory_total_mb.unwrap_or(facts.memory_bytes >> 20);
    let mut attributes = facts.attributes.clone();
    attributes.insert("cpu.totalcompute".into(), cpu_mhz.to_string());
    attributes.insert("unique.network.ip-address".into(), config.address.clone());
    attributes.insert("sched.version".into(), env!("CARGO_PKG_VERSION").into());
    if config.volumes_folder.is_some() {
        let attribute = model::volume_plugin_attribute(model::FOLDER_PLUGIN);
        attributes.insert(attribute, env!("CARGO_PKG_VERSION").into());
    }
    Node {
        id: config.node,
        name: config.name.clone(),
        datacenter: config.datacenter.clone(),
        pool: config.pool.clone(),
        class: config.class.clone(),
        address: config.address.clone(),
        http_address: config.http_address.clone(),
        attributes,
        meta: config.meta.clone(),
        total: Resources {
            cpu_mhz,
            memory_mb,
            memory_max_mb: memory_mb * config.oversubscription_percent / 100,
            disk_mb: config.disk_total_mb.unwrap_or(facts.disk_mb),
        },
        reserved: config.reserved,
        dynamic_ports: config.dynamic_ports,
        reserved_ports: config.reserved_ports.clone(),
        drivers: Default::default(),
        version: env!("CARGO_PKG_VERSION").into(),
        cores: cores(config, facts, cpu_mhz),
        devices: config.devices.iter().map(|devices| device_group(devices, facts)).collect(),
        host_volumes: config.host_volumes.clone(),
        host_networks: config.host_networks.clone(),
        network_modes: config.network_modes.iter().chain(config.named_networks.keys()).cloned().collect(),
        max_allocations: config.max_allocations,
        status: NodeStatus::Initializing,
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

/// Cores that may be given away. Several nodes on one host would give away the same ones, so there must be said which.
fn cores(config: &AgentConfig, facts: &HostFacts, cpu_mhz: u64) -> Cores {
    let all = || match config.is_share_of_host() {
        true => Default::default(),
        false => (0..u16::try_from(facts.cores).unwrap_or(u16::MAX)).collect(),
    };
    let ids = config.reservable_cores.clone().unwrap_or_else(all);
    // A kernel that says nothing of NUMA nodes has one memory, which is near to all.
    let all: BTreeSet<u16> = (0..u16::try_from(facts.cores).unwrap_or(u16::MAX)).collect();
    let whole = || [(0, all)].into();
    let numa_nodes = if facts.numa_nodes.is_empty() { whole() } else { facts.numa_nodes.clone() };
    let reservable = numa_nodes.into_iter().map(|(numa, cores)| (numa, &cores & &ids));
    let numa_nodes = reservable.filter(|(_, cores)| !cores.is_empty()).collect();
    Cores { ids, core_mhz: (cpu_mhz / facts.cores.max(1)).max(1), numa_nodes }
}

fn device_group(devices: &Devices, facts: &HostFacts) -> DeviceGroup {
    let numa_node = |id: &String| facts.numa_node_of(devices.bus_ids.get(id).map(String::as_str));
    let instance = |id: &String| DeviceInstance { id: id.clone(), healthy: true, numa_node: numa_node(id) };
    DeviceGroup {
        name: devices.name.clone(),
        attributes: devices.attributes.clone(),
        instances: devices.instances.keys().map(instance).collect(),
    }
}

/// How a driver is; one that does not answer is not well.
pub(super) async fn look(driver: &dyn Driver) -> model::Driver {
    match tokio::time::timeout(FINGERPRINT_DEADLINE, driver.fingerprint()).await {
        Ok(found) => found,
        Err(_) => {
            let description = format!("no answer in {FINGERPRINT_DEADLINE:?}");
            model::Driver { detected: true, healthy: false, description, ..model::Driver::default() }
        }
    }
}

/// Enters a driver, with its facts among the node's. Facts of a driver that does not answer stay, so that constraints
/// on its version do not flap with it.
pub(super) fn enter(node: &mut Node, name: &str, driver: model::Driver) {
    node.attributes.extend(driver.attributes.clone());
    node.drivers.insert(name.into(), driver);
}

impl Agent {
    pub(super) fn look_at_drivers(&mut self) {
        for (name, driver) in self.drivers.clone() {
            let inputs = self.inputs.clone();
            self.work.spawn(async move {
                let found = look(driver.as_ref()).await;
                let _ = inputs.send(Input::Fingerprint(name, found));
            });
        }
    }

    pub(super) fn fingerprinted(&mut self, name: &str, driver: model::Driver) {
        if self.node.drivers.get(name) == Some(&driver) {
            return;
        }
        match driver.healthy {
            true => info!(driver = name, "driver is healthy"),
            false => {
                warn!(driver = name, reason = driver.description, "driver is not healthy; its tasks are left alone")
            }
        }
        enter(&mut self.node, name, driver);
        self.tell_hello();
        self.send(agent_up::Body::Register(node_to_wire(&self.node)));
    }
}
