//! Nodes as agents describe them, and what is used of them.

use model::{Driver, Eligibility, Node, NodeStatus, Resources, Timestamp, Usage};

use super::equipment::{
    cores_from_wire, cores_to_wire, device_group_from_wire, device_group_to_wire, networks_from_wire, networks_to_wire,
    small, volumes_from_wire, volumes_to_wire,
};
use super::{BadMessage, allocation_from_bytes, allocation_to_bytes, node_from_bytes, node_to_bytes};
use crate::wire;

/// Writes what an agent says of its node; what only servers know is left out.
pub fn node_to_wire(node: &Node) -> wire::NodeDescription {
    let driver = |(name, driver): (&String, &Driver)| {
        let driver = wire::Driver {
            detected: driver.detected,
            healthy: driver.healthy,
            description: driver.description.clone(),
            attributes: driver.attributes.clone(),
        };
        (name.clone(), driver)
    };
    wire::NodeDescription {
        id: node_to_bytes(node.id),
        name: node.name.clone(),
        datacenter: node.datacenter.clone(),
        pool: node.pool.clone(),
        class: node.class.clone(),
        address: node.address.clone(),
        http_address: node.http_address.clone(),
        attributes: node.attributes.clone(),
        meta: node.meta.clone(),
        total: Some(resources_to_wire(node.total)),
        reserved: Some(resources_to_wire(node.reserved)),
        dynamic_port_first: node.dynamic_ports.0.into(),
        dynamic_port_last: node.dynamic_ports.1.into(),
        reserved_ports: node.reserved_ports.iter().map(|port| u32::from(*port)).collect(),
        drivers: node.drivers.iter().map(driver).collect(),
        version: node.version.clone(),
        cores: Some(cores_to_wire(&node.cores)),
        devices: node.devices.iter().map(device_group_to_wire).collect(),
        host_volumes: volumes_to_wire(&node.host_volumes),
        host_networks: networks_to_wire(&node.host_networks),
        network_modes: node.network_modes.iter().cloned().collect(),
        max_allocations: node.max_allocations,
    }
}

/// Reads what an agent says of its node; status, eligibility and drain are as for a node that is new.
pub fn node_from_wire(message: &wire::NodeDescription) -> Result<Node, BadMessage> {
    let port = |number: u32| small("node.ports", number);
    let driver = |(name, driver): (&String, &wire::Driver)| {
        let driver = Driver {
            detected: driver.detected,
            healthy: driver.healthy,
            description: driver.description.clone(),
            attributes: driver.attributes.clone(),
        };
        (name.clone(), driver)
    };
    if message.name.is_empty() {
        return Err(BadMessage::new("node.name", "is empty"));
    }
    Ok(Node {
        id: node_from_bytes("node.id", &message.id)?,
        name: message.name.clone(),
        datacenter: message.datacenter.clone(),
        pool: message.pool.clone(),
        class: message.class.clone(),
        address: message.address.clone(),
        http_address: message.http_address.clone(),
        attributes: message.attributes.clone(),
        meta: message.meta.clone(),
        total: resources_from_wire(message.total),
        reserved: resources_from_wire(message.reserved),
        dynamic_ports: (port(message.dynamic_port_first)?, port(message.dynamic_port_last)?),
        reserved_ports: message.reserved_ports.iter().map(|number| port(*number)).collect::<Result<_, _>>()?,
        drivers: message.drivers.iter().map(driver).collect(),
        version: message.version.clone(),
        cores: cores_from_wire(message.cores.as_ref())?,
        devices: message.devices.iter().map(device_group_from_wire).collect::<Result<_, _>>()?,
        host_volumes: volumes_from_wire(&message.host_volumes)?,
        host_networks: networks_from_wire(&message.host_networks)?,
        network_modes: match message.network_modes.is_empty() {
            true => model::usual_network_modes(),
            false => message.network_modes.iter().cloned().collect(),
        },
        max_allocations: message.max_allocations,
        status: NodeStatus::Initializing,
        status_at: Timestamp::default(),
        eligibility: Eligibility::Eligible,
        drain: None,
        last_drain: None,
        generation: 0,
        events: Vec::new(),
        create_index: 0,
        modify_index: 0,
    })
}

/// Writes what is used.
pub fn usage_to_wire(usage: &Usage) -> wire::Usage {
    let allocation = |(id, (cpu_mhz, memory_mb)): (&model::AllocationId, &(u64, u64))| wire::AllocationUsage {
        allocation: allocation_to_bytes(*id),
        cpu_mhz: *cpu_mhz,
        memory_mb: *memory_mb,
    };
    wire::Usage {
        cpu_mhz: usage.cpu_mhz,
        memory_mb: usage.memory_mb,
        allocations: usage.allocations.iter().map(allocation).collect(),
    }
}

/// Reads what is used.
pub fn usage_from_wire(message: &wire::Usage) -> Result<Usage, BadMessage> {
    let allocation = |usage: &wire::AllocationUsage| {
        Ok((allocation_from_bytes("usage.allocation", &usage.allocation)?, (usage.cpu_mhz, usage.memory_mb)))
    };
    Ok(Usage {
        cpu_mhz: message.cpu_mhz,
        memory_mb: message.memory_mb,
        allocations: message.allocations.iter().map(allocation).collect::<Result<_, _>>()?,
    })
}

fn resources_to_wire(resources: Resources) -> wire::Resources {
    let Resources { cpu_mhz, memory_mb, memory_max_mb, disk_mb } = resources;
    wire::Resources { cpu_mhz, memory_mb, memory_max_mb, disk_mb }
}

fn resources_from_wire(message: Option<wire::Resources>) -> Resources {
    let wire::Resources { cpu_mhz, memory_mb, memory_max_mb, disk_mb } = message.unwrap_or_default();
    Resources { cpu_mhz, memory_mb, memory_max_mb, disk_mb }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_agent_says_of_its_node_survives_the_wire() {
        let mut node = model::testing::node("n1").meta("rack", "r1");
        node.status = NodeStatus::Initializing;
        node.reserved_ports = vec![22];
        node.cores = model::Cores {
            ids: [0, 1, 5].into(),
            core_mhz: 2400,
            numa_nodes: [(0, [0, 1].into()), (1, [5].into())].into(),
        };
        node.max_allocations = Some(50);
        node.network_modes.insert("cni/lan".into());
        node.devices = vec![model::DeviceGroup {
            name: model::DeviceName { vendor: "nvidia".into(), kind: "gpu".into(), name: "a100".into() },
            attributes: [("memory".to_string(), "40 GiB".to_string())].into(),
            instances: vec![
                model::DeviceInstance { id: "0".into(), healthy: true, numa_node: Some(1) },
                model::DeviceInstance { id: "1".into(), healthy: false, numa_node: None },
            ],
        }];
        let volume = model::HostVolume { path: "/srv/certs".into(), read_only: true, dynamic: None };
        node.host_volumes.insert("certs".into(), volume);
        let offer = model::VolumeOffer { id: model::VolumeId::derive(&[b"v"]), ..Default::default() };
        let volume = model::HostVolume { path: "/volumes/v".into(), read_only: false, dynamic: Some(offer) };
        node.host_volumes.insert("data".into(), volume);
        let network = model::HostNetwork { address: "10.0.0.1".into(), reserved_ports: vec![80] };
        node.host_networks.insert("lan".into(), network);
        assert_eq!(node_from_wire(&node_to_wire(&node)), Ok(node));
    }

    #[test]
    fn a_device_that_is_there_twice_is_refused() {
        let mut message = node_to_wire(&model::testing::node("n1"));
        let instance = wire::DeviceInstance { id: "0".into(), healthy: true, numa_node: None };
        message.devices.push(wire::DeviceGroup { instances: vec![instance.clone(), instance], ..Default::default() });
        assert_eq!(node_from_wire(&message).unwrap_err().to_string(), "bad message: node.devices holds 0 twice");
    }

    #[test]
    fn a_port_above_65535_is_refused() {
        let mut message = node_to_wire(&model::testing::node("n1"));
        message.dynamic_port_last = 65_536;
        assert_eq!(node_from_wire(&message).unwrap_err().to_string(), "bad message: node.ports holds the number 65536");
    }
}
