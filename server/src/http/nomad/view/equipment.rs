//! What a node has beyond amounts, and what an allocation holds of it, in Nomad's words.

use std::collections::BTreeMap;

use model::{Allocation, DeviceGrant, DeviceGroup, Node, WHOLE_DEVICE};
use serde::Serialize;
use serde_json::{Value as Json, json};

/// Equal devices of a node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct DeviceView<'a> {
    vendor: &'a str,
    #[serde(rename = "Type")]
    kind: &'a str,
    name: &'a str,
    attributes: BTreeMap<&'a str, Json>,
    instances: Vec<InstanceView<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct InstanceView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    healthy: bool,
    health_description: &'static str,
}

/// The devices of a node.
pub(super) fn devices(node: &Node) -> Vec<DeviceView<'_>> {
    node.devices.iter().map(device).collect()
}

fn device(group: &DeviceGroup) -> DeviceView<'_> {
    let instances = group.instances.iter().map(|instance| InstanceView {
        id: &instance.id,
        healthy: instance.healthy,
        health_description: if instance.healthy { "" } else { "unhealthy" },
    });
    DeviceView {
        vendor: &group.name.vendor,
        kind: &group.name.kind,
        name: &group.name.name,
        attributes: group.attributes.iter().map(|(name, value)| (name.as_str(), attribute(value))).collect(),
        instances: instances.collect(),
    }
}

/// A whole number with or without a unit as such, anything else as a text.
fn attribute(text: &str) -> Json {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    match number.parse::<i64>() {
        Ok(number) => json!({ "Int": number, "Unit": unit }),
        Err(_) => json!({ "String": text, "Unit": "" }),
    }
}

/// A volume of a node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct HostVolumeView<'a> {
    name: &'a str,
    path: &'a str,
    read_only: bool,
    #[serde(rename = "ID")]
    id: String,
}

/// The volumes of a node.
pub(super) fn host_volumes(node: &Node) -> BTreeMap<&str, HostVolumeView<'_>> {
    let volumes = node.host_volumes.iter();
    let views = volumes.map(|(name, volume)| HostVolumeView {
        name,
        path: &volume.path,
        read_only: volume.read_only,
        id: volume.dynamic.as_ref().map(|offer| offer.id.to_string()).unwrap_or_default(),
    });
    views.map(|view| (view.name, view)).collect()
}

/// A network of a node.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct NodeNetworkView<'a> {
    mode: &'static str,
    addresses: [AddressView<'a>; 1],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AddressView<'a> {
    family: &'static str,
    alias: &'a str,
    address: &'a str,
    reserved_ports: String,
}

/// The networks of a node, its own first unless another stands in its place.
pub(super) fn networks(node: &Node) -> Vec<NodeNetworkView<'_>> {
    let own = (!node.host_networks.contains_key(model::DEFAULT_HOST_NETWORK))
        .then(|| network(model::DEFAULT_HOST_NETWORK, &node.address, &[]));
    let others = node.host_networks.iter().map(|(name, known)| network(name, &known.address, &known.reserved_ports));
    own.into_iter().chain(others).collect()
}

fn network<'a>(alias: &'a str, address: &'a str, reserved_ports: &[u16]) -> NodeNetworkView<'a> {
    let ports: Vec<_> = reserved_ports.iter().map(ToString::to_string).collect();
    let family = if address.contains(':') { "ipv6" } else { "ipv4" };
    NodeNetworkView {
        mode: "host",
        addresses: [AddressView { family, alias, address, reserved_ports: ports.join(",") }],
    }
}

/// Equal devices of a task.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AllocatedDevice<'a> {
    vendor: &'a str,
    #[serde(rename = "Type")]
    kind: &'a str,
    name: &'a str,
    #[serde(rename = "DeviceIDs")]
    device_ids: Vec<&'a str>,
    /// How much of each, in thousandths, where that is not all; not in Nomad's JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    share: Option<u32>,
}

/// The devices that a task has of `grants`, equal ones together.
pub(super) fn allocated_devices<'a>(grants: &'a [DeviceGrant], task: &str) -> Vec<AllocatedDevice<'a>> {
    let mut devices: BTreeMap<_, AllocatedDevice<'a>> = BTreeMap::new();
    for grant in grants.iter().filter(|grant| grant.task == task) {
        let name = &grant.device.name;
        let equals = devices.entry((name, grant.share)).or_insert_with(|| AllocatedDevice {
            vendor: &name.vendor,
            kind: &name.kind,
            name: &name.name,
            device_ids: Vec::new(),
            share: (grant.share < WHOLE_DEVICE).then_some(grant.share),
        });
        equals.device_ids.push(&grant.device.id);
    }
    devices.into_values().collect()
}

/// The cores that a task of an allocation has alone.
pub(super) fn reserved_cores(allocation: &Allocation, task: &str) -> Vec<u16> {
    let grants = allocation.cores.iter().filter(|grant| grant.task == task);
    grants.flat_map(|grant| grant.ids.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use model::{DeviceId, DeviceInstance, DeviceName, HostNetwork, HostVolume};

    use super::*;

    fn gpu() -> DeviceName {
        DeviceName { vendor: "nvidia".into(), kind: "gpu".into(), name: "a100".into() }
    }

    #[test]
    fn a_node_shows_what_it_has_in_nomads_words() {
        let mut node = model::testing::node("n1");
        node.devices = vec![DeviceGroup {
            name: gpu(),
            attributes: [("memory".to_string(), "40 GiB".to_string()), ("arch".into(), "ampere".into())].into(),
            instances: vec![DeviceInstance { id: "0".into(), healthy: true, numa_node: None }],
        }];
        node.host_volumes
            .insert("certs".into(), HostVolume { path: "/srv/certs".into(), read_only: true, dynamic: None });
        node.host_networks
            .insert("lan".into(), HostNetwork { address: "10.0.0.1".into(), reserved_ports: vec![22, 80] });
        assert_eq!(
            serde_json::to_value(devices(&node)).unwrap(),
            json!([{
                "Vendor": "nvidia", "Type": "gpu", "Name": "a100",
                "Attributes": {"memory": {"Int": 40, "Unit": "GiB"}, "arch": {"String": "ampere", "Unit": ""}},
                "Instances": [{"ID": "0", "Healthy": true, "HealthDescription": ""}],
            }])
        );
        assert_eq!(
            serde_json::to_value(host_volumes(&node)).unwrap(),
            json!({"certs": {"Name": "certs", "Path": "/srv/certs", "ReadOnly": true, "ID": ""}})
        );
        let address = |family: &str, alias: &str, address: &str, ports: &str| json!({"Family": family, "Alias": alias, "Address": address, "ReservedPorts": ports});
        assert_eq!(
            serde_json::to_value(networks(&node)).unwrap(),
            json!([
                {"Mode": "host", "Addresses": [address("ipv4", "default", "127.0.0.1", "")]},
                {"Mode": "host", "Addresses": [address("ipv4", "lan", "10.0.0.1", "22,80")]},
            ])
        );
    }

    #[test]
    fn equal_devices_of_a_task_stand_together_and_parts_apart() {
        let grant = |task: &str, id: &str, share| DeviceGrant {
            task: task.into(),
            device: DeviceId { name: gpu(), id: id.into() },
            share,
        };
        let held =
            [grant("web", "0", 1000), grant("web", "1", 1000), grant("web", "2", 250), grant("other", "3", 1000)];
        let equals = |ids: &[&str]| json!({"Vendor": "nvidia", "Type": "gpu", "Name": "a100", "DeviceIDs": ids});
        let mut part = equals(&["2"]);
        part["Share"] = json!(250);
        assert_eq!(serde_json::to_value(allocated_devices(&held, "web")).unwrap(), json!([part, equals(&["0", "1"])]));
    }
}
