//! Words about what a node has, and a job asks, beyond amounts.

use std::collections::{BTreeMap, BTreeSet};

use model::{
    AccessMode, Affinity, Allocation, Device, DeviceGroup, DeviceInstance, DeviceName, Group, HostNetwork, HostVolume,
    Network, Node, Numa, Port, Secret, Volume, VolumeMount, WHOLE_DEVICE,
};

use super::job::constraint;
use super::words::Words;

/// MHz of a core where the line says nothing.
const CORE_MHZ: u64 = 1000;

/// Gives `node` what its line says: `cores=0-3`, `device=nvidia/gpu/1080ti:2`, `volume=data`, `network=lan:10.0.0.1`.
pub fn equip(node: &mut Node, words: &mut Words) {
    if let Some(text) = words.value("cores") {
        let ranges = text.split(',').filter(|range| !range.is_empty()).map(range);
        node.cores.ids = ranges.flat_map(|(first, last)| first..=last).collect();
        node.cores.core_mhz = words.number("core_mhz").unwrap_or(CORE_MHZ);
    }
    if let Some(text) = words.value("numa") {
        let cores = |text: &str| range(text).0..=range(text).1;
        node.cores.numa_nodes = (0..).zip(text.split(';').map(|text| cores(text).collect())).collect();
    }
    while let Some(text) = words.value("device") {
        let mut parts = text.split(';').peekable();
        let (name, counts) = parts.next().and_then(|head| head.rsplit_once(':')).expect("a device is name:count");
        let (count, sick) = counts.split_once('-').unwrap_or((counts, "0"));
        let (count, sick): (u32, u32) = (number(count), number(sick));
        let numa = parts.next_if(|part| part.starts_with("numa=")).unwrap_or_default();
        let numa: Vec<u16> = numa.trim_start_matches("numa=").split(',').filter_map(|node| node.parse().ok()).collect();
        let numa_node = |at: u32| numa.get(at as usize).copied();
        let instance = |at: u32| DeviceInstance { id: at.to_string(), healthy: at >= sick, numa_node: numa_node(at) };
        let attribute = |text: &str| {
            let (name, value) = text.split_once('=').expect("an attribute is name=value");
            (name.to_string(), value.to_string())
        };
        node.devices.push(DeviceGroup {
            name: device_name(name),
            attributes: parts.map(attribute).collect::<BTreeMap<_, _>>(),
            instances: (0..count).map(instance).collect(),
        });
    }
    while let Some(text) = words.value("volume") {
        let (name, mode) = text.split_once(':').unwrap_or((&text, "rw"));
        let volume = HostVolume { path: format!("/srv/{name}"), read_only: mode == "ro", dynamic: None };
        node.host_volumes.insert(name.to_string(), volume);
    }
    while let Some(text) = words.value("network") {
        let mut parts = text.split(':');
        let name = parts.next().unwrap_or_default().to_string();
        let address = parts.next().expect("a network is name:address").to_string();
        let ports = parts.next().unwrap_or_default();
        let reserved_ports = ports.split(',').filter(|port| !port.is_empty()).map(number).collect();
        node.host_networks.insert(name, HostNetwork { address, reserved_ports });
    }
    if let Some(ports) = words.value("reserved_ports") {
        node.reserved_ports = ports.split(',').map(number).collect();
    }
    if let Some(modes) = words.value("modes") {
        node.network_modes = modes.split(',').map(String::from).collect();
    }
    node.max_allocations = words.number("max_allocs");
    node.address = words.value("address").unwrap_or(node.address.clone());
}

/// Bends `group` as its line says: `cores=2`, `device="gpu:2;share=500;…"`, `volume=data:ro`.
pub fn ask(group: &mut Group, words: &mut Words) {
    if let Some(mode) = words.value("mode") {
        group.networks = vec![Network { mode: mode.into(), ..Network::default() }];
    }
    let task = &mut group.tasks[0];
    while let Some(provider) = words.value("secret") {
        task.secrets.push(Secret { name: format!("s{}", task.secrets.len()), provider, ..Secret::default() });
    }
    if let Some(cores) = words.number("cores") {
        task.resources.cores = cores;
        task.resources.cpu = 0;
    }
    if let Some(text) = words.value("numa") {
        let (affinity, devices) = text.split_once(':').unwrap_or((&text, ""));
        let devices = devices.split(',').filter(|name| !name.is_empty()).map(String::from).collect();
        task.resources.numa = Some(Numa { affinity: affinity.into(), devices });
    }
    if words.flag("no_devices") {
        task.resources.devices.clear();
    }
    while let Some(text) = words.value("device") {
        task.resources.devices.push(device(&text));
    }
    while let Some(text) = words.value("volume") {
        let mut parts = text.split(';');
        let head = parts.next().unwrap_or_default();
        let (source, mode) = head.split_once(':').unwrap_or((head, "rw"));
        let mut volume = Volume {
            name: source.into(),
            kind: "host".into(),
            source: source.into(),
            read_only: mode == "ro",
            ..Volume::default()
        };
        for part in parts {
            match part {
                "sticky" => volume.sticky = true,
                "per_alloc" => volume.per_alloc = true,
                "block" => volume.attachment_mode = "block-device".into(),
                mode => volume.access_mode = access(mode).as_str().into(),
            }
        }
        let destination = format!("/{source}");
        task.volume_mounts.push(VolumeMount { volume: source.into(), destination, ..VolumeMount::default() });
        group.volumes.insert(source.into(), volume);
    }
}

/// The ports of a line: `port=8080`, `port=8080@lan`, `dynamic_ports=2@lan`, `ignore_collision`. A later line that names
/// ports replaces those of an earlier one.
pub fn ask_ports(group: &mut Group, words: &mut Words) {
    let mut network = Network::default();
    let ignore_collision = words.flag("ignore_collision");
    while let Some(text) = words.value("port") {
        let (value, host_network) = text.split_once('@').unwrap_or((&text, "default"));
        let label = format!("fixed{}", network.reserved_ports.len());
        let host_network = host_network.into();
        network.reserved_ports.push(Port {
            label,
            value: number(value),
            host_network,
            ignore_collision,
            ..Port::default()
        });
    }
    while let Some(text) = words.value("dynamic_ports") {
        let (count, host_network) = text.split_once('@').unwrap_or((&text, "default"));
        for _ in 0..number::<u16>(count) {
            let label = format!("p{}", network.dynamic_ports.len());
            network.dynamic_ports.push(Port { label, host_network: host_network.into(), ..Port::default() });
        }
    }
    if network.ports().next().is_some() {
        group.networks = vec![network];
    }
}

/// What an instance was given beyond amounts, as the end of a line: ` with cores 0-1 and nvidia/gpu/1080ti[0]`.
pub fn given(allocation: &Allocation) -> String {
    let mut things = Vec::new();
    let cores: BTreeSet<u16> = allocation.cores.iter().flat_map(|grant| grant.ids.iter().copied()).collect();
    if !cores.is_empty() {
        let cores: Vec<_> = cores.iter().map(ToString::to_string).collect();
        things.push(format!("cores {}", cores.join(",")));
    }
    for grant in &allocation.devices {
        let part = if grant.share < WHOLE_DEVICE { format!("{} of ", grant.share) } else { String::new() };
        things.push(format!("{part}{}[{}]", grant.device.name.name, grant.device.id));
    }
    let elsewhere = allocation.ports.iter().filter(|port| port.host_ip != model::testing::node("any").address);
    things.extend(elsewhere.map(|port| format!("port {} at {}", port.value, port.host_ip)));
    if things.is_empty() { String::new() } else { format!(" with {}", things.join(" and ")) }
}

/// `gpu:2;share=500;constraint=${device.attr.memory} >= 8 GiB;affinity=50 ${device.model} = 1080ti`
fn device(text: &str) -> Device {
    let mut parts = text.split(';');
    let head = parts.next().unwrap_or_default();
    let (name, count) = head.rsplit_once(':').unwrap_or((head, "1"));
    let mut device = Device { name: name.into(), count: number(count), ..Device::default() };
    for part in parts {
        match part.split_once('=').expect("a part is name=value") {
            ("share", share) => device.share = number(share),
            ("constraint", text) => device.constraints.push(constraint(text)),
            ("affinity", text) => {
                let (weight, condition) = text.split_once(' ').expect("an affinity begins with its weight");
                let condition = constraint(condition);
                device.affinities.push(Affinity {
                    attribute: condition.attribute,
                    value: condition.value,
                    operator: condition.operator,
                    weight: number(weight),
                });
            }
            (other, _) => panic!("a device has no {other}"),
        }
    }
    device
}

/// A way to use a volume, without its first words: `single-writer`.
pub fn access(word: &str) -> AccessMode {
    let known = AccessMode::parse(&format!("single-node-{word}"));
    known.unwrap_or_else(|| panic!("nobody uses a volume as {word}"))
}

fn device_name(text: &str) -> DeviceName {
    let mut parts = text.splitn(3, '/').map(String::from);
    let mut part = || parts.next().expect("a device is vendor/type/name");
    DeviceName { vendor: part(), kind: part(), name: part() }
}

fn range(text: &str) -> (u16, u16) {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    (number(first), number(last))
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is not a number"))
}
