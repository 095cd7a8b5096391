//! What a node has beyond amounts, and what of it one more instance would get: cores that a task has alone, devices and
//! parts of devices, ports per network, volumes of the host.
//!
//! ```text
//!   lacks ──► what the node will never have         (volumes, networks)
//!   room_for_ports, grant ──► what is short now, or the cores and devices that the instance gets
//! ```
//!
//! Pure, and the same whenever it is asked with the same values: among equals the lower number wins. A plan carries what
//! was granted here, and `apply` only counts it over. Amounts (CPU, memory, disk) are not looked at; cores count in the
//! CPU dimension by [`model::Group::ask_on`].

mod cores;
mod devices;
mod matching;
mod numa;
mod ports;
mod quantity;
mod shares;
mod taken;
mod volumes;

use std::collections::{BTreeMap, BTreeSet};

use model::{CoreGrant, DEFAULT_HOST_NETWORK, DeviceGrant, Group, Misfit, Node};

pub(crate) use devices::{Pick, is_without_devices};
pub(crate) use ports::{address_of, network_of, room_for_ports};
pub use shares::Shares;
pub use taken::{Placed, Taken};
pub(crate) use volumes::{Written, is_elsewhere};

/// What one instance gets.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Grant {
    /// Cores, for the tasks that ask for some.
    pub cores: Vec<CoreGrant>,
    /// Devices, for the tasks that ask for some.
    pub devices: Vec<DeviceGrant>,
    /// How well the devices meet the preferences among them: the weight of those met over the weight of all, in
    /// millionths.
    pub device_affinity: i64,
}

/// The same as long as nobody needs names: the planner asks this of every node.
#[derive(Debug, Default)]
pub(crate) struct Picked<'a> {
    cores: Vec<CoreGrant>,
    /// Devices, and parts of some.
    pub devices: Vec<Pick<'a>>,
    /// See [`Grant::device_affinity`].
    pub device_affinity: i64,
}

/// Picks the cores and devices of one instance of `group` on `node`; otherwise everything that is short.
pub fn grant(node: &Node, taken: &Taken<'_>, group: &Group) -> Result<Grant, Vec<Misfit>> {
    let Picked { cores, devices, device_affinity } = pick(node, taken, group)?;
    Ok(Grant { cores, devices: devices.iter().map(|pick| pick.grant(node)).collect(), device_affinity })
}

/// The same without names.
pub(crate) fn pick<'g>(node: &Node, taken: &Taken<'_>, group: &'g Group) -> Result<Picked<'g>, Vec<Misfit>> {
    let resources = || group.tasks.iter().map(|task| &task.resources);
    if resources().all(|resources| resources.cores == 0 && resources.devices.is_empty()) {
        return Ok(Picked::default());
    }
    if group.tasks.iter().any(numa::is_asked) {
        numa::pick(node, taken, group)
    } else {
        pick_near(node, taken, group, &Near::new())
    }
}

/// The NUMA node of each task whose cores are to be on one.
type Near<'a> = BTreeMap<&'a str, u16>;

/// Picks the cores and devices of one instance, those near to each other that are said to be; otherwise what is short.
fn pick_near<'g>(node: &Node, taken: &Taken<'_>, group: &'g Group, near: &Near<'_>) -> Result<Picked<'g>, Vec<Misfit>> {
    let mut misfits = Vec::new();
    let cores = cores::pick(node, taken, group, near).unwrap_or_else(|misfit| {
        misfits.push(misfit);
        Vec::new()
    });
    let (devices, device_affinity) = devices::pick(node, taken, group, near).unwrap_or_else(|short| {
        misfits.extend(short);
        (Vec::new(), 0)
    });
    if misfits.is_empty() { Ok(Picked { cores, devices, device_affinity }) } else { Err(misfits) }
}

/// Whether `group` names volumes or networks that a node may lack.
pub(crate) fn may_lack(group: &Group) -> bool {
    let is_special = |port: &model::Port| !["", DEFAULT_HOST_NETWORK].contains(&port.host_network.as_str());
    !group.volumes.is_empty() || group.networks.iter().flat_map(|network| network.ports()).any(is_special)
}

/// What `node` lacks of the volumes and networks that `group` of a job of `namespace` names, whatever is held there.
pub(crate) fn lacks(node: &Node, namespace: &str, group: &Group) -> Vec<Misfit> {
    let mut misfits = BTreeSet::new();
    misfits.extend(group.host_volumes().filter_map(|volume| volumes::lack(node, namespace, volume)));
    for port in group.networks.iter().flat_map(|network| network.ports()) {
        if address_of(port, node).is_none() {
            let name = network_of(port, node).unwrap_or_else(|| port.host_network.as_str().into());
            misfits.insert(Misfit::HostNetwork { name: name.into_owned() });
        }
    }
    misfits.into_iter().collect()
}

#[cfg(test)]
mod tests;
