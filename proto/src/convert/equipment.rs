//! What a node has beyond amounts, and what an allocation holds of it.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    CoreGrant, Cores, DeviceGrant, DeviceGroup, DeviceId, DeviceInstance, DeviceName, HostNetwork, HostVolume,
    VolumeOffer, WHOLE_DEVICE,
};

use super::{BadMessage, volume_from_bytes, volume_to_bytes};
use crate::wire;

/// A number that must fit into 16 bits.
pub(super) fn small(field: &'static str, number: u32) -> Result<u16, BadMessage> {
    u16::try_from(number).map_err(|_| BadMessage::new(field, format!("holds the number {number}")))
}

pub(super) fn cores_to_wire(cores: &Cores) -> wire::Cores {
    let numbers = |ids: &BTreeSet<u16>| ids.iter().map(|id| u32::from(*id)).collect();
    let numa_node = |(id, cores): (&u16, &BTreeSet<u16>)| wire::NumaNode { id: u32::from(*id), cores: numbers(cores) };
    wire::Cores {
        ids: numbers(&cores.ids),
        core_mhz: cores.core_mhz,
        numa_nodes: cores.numa_nodes.iter().map(numa_node).collect(),
    }
}

pub(super) fn cores_from_wire(message: Option<&wire::Cores>) -> Result<Cores, BadMessage> {
    let Some(message) = message else { return Ok(Cores::default()) };
    let numbers = |ids: &[u32]| ids.iter().map(|id| small("node.cores", *id)).collect::<Result<BTreeSet<u16>, _>>();
    let numa_node = |node: &wire::NumaNode| Ok((small("node.cores", node.id)?, numbers(&node.cores)?));
    Ok(Cores {
        ids: numbers(&message.ids)?,
        core_mhz: message.core_mhz,
        numa_nodes: message.numa_nodes.iter().map(numa_node).collect::<Result<_, BadMessage>>()?,
    })
}

pub(super) fn device_group_to_wire(group: &DeviceGroup) -> wire::DeviceGroup {
    let instance = |instance: &DeviceInstance| wire::DeviceInstance {
        id: instance.id.clone(),
        healthy: instance.healthy,
        numa_node: instance.numa_node.map(u32::from),
    };
    wire::DeviceGroup {
        vendor: group.name.vendor.clone(),
        kind: group.name.kind.clone(),
        name: group.name.name.clone(),
        attributes: group.attributes.clone(),
        instances: group.instances.iter().map(instance).collect(),
    }
}

/// Reads equal devices. An id that is there twice would be given away twice.
pub(super) fn device_group_from_wire(message: &wire::DeviceGroup) -> Result<DeviceGroup, BadMessage> {
    let mut instances: Vec<DeviceInstance> = Vec::new();
    for wire::DeviceInstance { id, healthy, numa_node } in &message.instances {
        if instances.iter().any(|known| known.id == *id) {
            return Err(BadMessage::new("node.devices", format!("holds {id} twice")));
        }
        let numa_node = numa_node.map(|node| small("node.devices", node)).transpose()?;
        instances.push(DeviceInstance { id: id.clone(), healthy: *healthy, numa_node });
    }
    let name = DeviceName { vendor: message.vendor.clone(), kind: message.kind.clone(), name: message.name.clone() };
    Ok(DeviceGroup { name, attributes: message.attributes.clone(), instances })
}

pub(super) fn volumes_to_wire(volumes: &BTreeMap<String, HostVolume>) -> BTreeMap<String, wire::HostVolume> {
    let volume = |(name, volume): (&String, &HostVolume)| {
        let id = volume.dynamic.as_ref().map(|offer| volume_to_bytes(offer.id)).unwrap_or_default();
        (name.clone(), wire::HostVolume { path: volume.path.clone(), read_only: volume.read_only, volume: id })
    };
    volumes.iter().map(volume).collect()
}

/// Reads volumes. Of a dynamic one an agent says only which it is; the rest is what the servers know.
pub(super) fn volumes_from_wire(
    volumes: &BTreeMap<String, wire::HostVolume>,
) -> Result<BTreeMap<String, HostVolume>, BadMessage> {
    let volume = |(name, volume): (&String, &wire::HostVolume)| {
        let dynamic = match volume.volume.is_empty() {
            true => None,
            false => Some(VolumeOffer {
                id: volume_from_bytes("node.host_volumes", &volume.volume)?,
                ..VolumeOffer::default()
            }),
        };
        Ok((name.clone(), HostVolume { path: volume.path.clone(), read_only: volume.read_only, dynamic }))
    };
    volumes.iter().map(volume).collect()
}

pub(super) fn networks_to_wire(networks: &BTreeMap<String, HostNetwork>) -> BTreeMap<String, wire::HostNetwork> {
    let network = |(name, network): (&String, &HostNetwork)| {
        let reserved_ports = network.reserved_ports.iter().map(|port| u32::from(*port)).collect();
        (name.clone(), wire::HostNetwork { address: network.address.clone(), reserved_ports })
    };
    networks.iter().map(network).collect()
}

pub(super) fn networks_from_wire(
    networks: &BTreeMap<String, wire::HostNetwork>,
) -> Result<BTreeMap<String, HostNetwork>, BadMessage> {
    let network = |(name, network): (&String, &wire::HostNetwork)| {
        let ports = network.reserved_ports.iter().map(|port| small("node.host_networks", *port));
        let reserved_ports = ports.collect::<Result<_, _>>()?;
        Ok((name.clone(), HostNetwork { address: network.address.clone(), reserved_ports }))
    };
    networks.iter().map(network).collect()
}

pub(super) fn core_grant_to_wire(grant: &CoreGrant) -> wire::CoreGrant {
    wire::CoreGrant { task: grant.task.clone(), ids: grant.ids.iter().map(|id| u32::from(*id)).collect() }
}

pub(super) fn core_grant_from_wire(message: &wire::CoreGrant) -> Result<CoreGrant, BadMessage> {
    let ids = message.ids.iter().map(|id| small("assignment.cores", *id)).collect::<Result<_, _>>()?;
    Ok(CoreGrant { task: message.task.clone(), ids })
}

pub(super) fn device_grant_to_wire(grant: &DeviceGrant) -> wire::DeviceGrant {
    let DeviceId { name, id } = &grant.device;
    wire::DeviceGrant {
        task: grant.task.clone(),
        vendor: name.vendor.clone(),
        kind: name.kind.clone(),
        name: name.name.clone(),
        id: id.clone(),
        share: grant.share,
    }
}

pub(super) fn device_grant_from_wire(message: &wire::DeviceGrant) -> Result<DeviceGrant, BadMessage> {
    if message.share > WHOLE_DEVICE {
        return Err(BadMessage::new("assignment.devices", format!("holds {} thousandths of one", message.share)));
    }
    let name = DeviceName { vendor: message.vendor.clone(), kind: message.kind.clone(), name: message.name.clone() };
    let device = DeviceId { name, id: message.id.clone() };
    Ok(DeviceGrant { task: message.task.clone(), device, share: message.share })
}
