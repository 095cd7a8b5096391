//! What allocations hold of a node.
//!
//! A successor and its predecessors on the same node never run at the same time: together they count as the larger of
//! the successor and the sum of those predecessors that still hold something, in each dimension and for each device, and
//! as the union of their ports and cores.

use std::collections::{BTreeMap, BTreeSet};

use model::old_bugs::{OldBug, is_on};
use model::{Allocation, AllocationId, Desired, DeviceId, Node, Resources};

use crate::cow::CowMap;
use crate::rows::Place;

/// What allocations hold of a node; derived from its allocations.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct NodeUse {
    /// The sum.
    pub held: Resources,
    /// Ports, per address of the node.
    pub(super) ports: BTreeMap<String, Holders>,
    /// Cores that some task has alone.
    pub cores: BTreeSet<u16>,
    /// How much is held of each device, in thousandths.
    pub devices: BTreeMap<DeviceId, u32>,
    /// How many allocations that is, where a successor and its predecessors count as the predecessors, and as one at least.
    pub allocations: u32,
    /// Predecessors that still hold something, each with its successor.
    successors: BTreeMap<AllocationId, AllocationId>,
}

/// The ports of an address that are held, in order, each with how many hold it: more than one where a port may be shared.
/// They are counted, and copied with the node's other numbers, far more often than one comes or goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Holders(Vec<(u16, u32)>);

/// What is on a node, derived from its allocations: what they hold, and where each stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Occupancy {
    pub held: NodeUse,
    pub allocations: CowMap<AllocationId, Place>,
}

/// Whether it counts.
fn holds(allocation: &Allocation) -> bool {
    allocation.holds() && !(is_on(OldBug::FreedTooEarly) && allocation.desired != Desired::Run)
}

impl Holders {
    fn place_of(&self, port: u16) -> Result<usize, usize> {
        self.0.binary_search_by_key(&port, |(known, _)| *known)
    }

    /// How many hold `port`.
    fn of(&self, port: u16) -> u32 {
        self.place_of(port).map_or(0, |at| self.0[at].1)
    }

    /// How many ports are held, from `first` to `last`.
    fn between(&self, first: u16, last: u16) -> usize {
        let below = |port: u32| self.0.partition_point(|(known, _)| u32::from(*known) < port);
        below(u32::from(last) + 1).saturating_sub(below(u32::from(first)))
    }

    fn add_one(&mut self, port: u16) {
        match self.place_of(port) {
            Ok(at) => self.0[at].1 += 1,
            Err(at) => self.0.insert(at, (port, 1)),
        }
    }

    /// What nobody holds is not there, as if it had never been.
    fn remove_one(&mut self, port: u16) {
        let Ok(at) = self.place_of(port) else { return };
        self.0[at].1 -= 1;
        if self.0[at].1 == 0 {
            self.0.remove(at);
        }
    }
}

impl NodeUse {
    /// What `allocations` of one node hold.
    pub fn of<'a>(allocations: impl Iterator<Item = &'a Allocation>) -> Self {
        let held: BTreeMap<_, _> =
            allocations.filter(|allocation| holds(allocation)).map(|allocation| (allocation.id, allocation)).collect();
        let mut sum = Self::default();
        for successor in held.values() {
            for predecessor in successor.ties().after.iter().filter(|id| held.contains_key(id)) {
                sum.successors.insert(*predecessor, successor.id);
            }
        }
        for allocation in held.values() {
            sum.add_ports(allocation);
            sum.cores.extend(allocation.cores.iter().flat_map(|grant| &grant.ids));
            // A predecessor counts where its successor does, unless that is itself a predecessor: then the chain's
            // last one counts for all.
            if sum.successors.contains_key(&allocation.id) {
                continue;
            }
            sum.held += chain(allocation, &held);
            sum.allocations += number_of_chain(allocation, &held);
            for (device, share) in device_chain(allocation, &held) {
                *sum.devices.entry(device).or_default() += share;
            }
        }
        sum
    }

    /// Whether that port of that address is held.
    pub fn holds_port(&self, address: &str, port: u16) -> bool {
        self.holders_of_port(address, port) > 0
    }

    /// How many hold that port of that address.
    pub fn holders_of_port(&self, address: &str, port: u16) -> u32 {
        self.ports.get(address).map_or(0, |ports| ports.of(port))
    }

    /// How many ports of that address are held, from `first` to `last`.
    pub fn ports_between(&self, address: &str, first: u16, last: u16) -> usize {
        self.ports.get(address).map_or(0, |ports| ports.between(first, last))
    }

    /// How much is held of a device, in thousandths.
    pub fn share_of(&self, device: &DeviceId) -> u32 {
        self.devices.get(device).copied().unwrap_or_default()
    }

    /// What is free on `node`.
    pub fn free(&self, node: &Node) -> Resources {
        node.capacity() - self.held
    }

    /// How many more allocations may be held on `node`.
    pub fn free_allocations(&self, node: &Node) -> u32 {
        node.max_allocations.map_or(u32::MAX, |max| max.saturating_sub(self.allocations))
    }

    /// Adds an allocation that succeeds nobody; the cheap way for the usual case.
    pub(crate) fn add(&mut self, allocation: &Allocation) {
        self.held += allocation.resources;
        self.allocations += 1;
        self.add_ports(allocation);
        self.cores.extend(allocation.cores.iter().flat_map(|grant| &grant.ids));
        for grant in &allocation.devices {
            *self.devices.entry(grant.device.clone()).or_default() += grant.share;
        }
    }

    /// Takes away an allocation that neither succeeds nor precedes another.
    pub(crate) fn subtract(&mut self, allocation: &Allocation) {
        self.held -= allocation.resources;
        self.allocations -= 1;
        for port in &allocation.ports {
            let Some(ports) = self.ports.get_mut(&port.host_ip) else { continue };
            ports.remove_one(port.value);
            if ports.0.is_empty() {
                self.ports.remove(&port.host_ip);
            }
        }
        for id in allocation.cores.iter().flat_map(|grant| &grant.ids) {
            self.cores.remove(id);
        }
        for grant in &allocation.devices {
            count_down(&mut self.devices, &grant.device, grant.share);
        }
    }

    fn add_ports(&mut self, allocation: &Allocation) {
        for port in &allocation.ports {
            // Looked up first: the address is almost always there, and need not be copied.
            let ports = match self.ports.get_mut(&port.host_ip) {
                Some(ports) => ports,
                None => self.ports.entry(port.host_ip.clone()).or_default(),
            };
            ports.add_one(port.value);
        }
    }

    /// Whether another allocation waits for that one to be gone.
    pub(crate) fn has_successor(&self, id: AllocationId) -> bool {
        self.successors.contains_key(&id)
    }

    /// Whether nothing on the node waits for a predecessor, so that the cheap ways are right.
    pub(crate) fn is_plain(&self) -> bool {
        self.successors.is_empty()
    }
}

/// Takes `number` away; what is at zero is not there, as if it had never been.
fn count_down(counts: &mut BTreeMap<DeviceId, u32>, key: &DeviceId, number: u32) {
    let Some(count) = counts.get_mut(key) else { return };
    *count = count.saturating_sub(number);
    if *count == 0 {
        counts.remove(key);
    }
}

/// What `allocation` counts for among `others` of its node, together with those that it succeeds.
pub(crate) fn counts_for<'a>(allocation: &Allocation, others: impl Iterator<Item = &'a Allocation>) -> Resources {
    chain(allocation, &others.filter(|other| other.holds()).map(|other| (other.id, other)).collect())
}

/// The larger of an allocation and the sum of its predecessors, and so on down the chain.
fn chain(allocation: &Allocation, held: &BTreeMap<AllocationId, &Allocation>) -> Resources {
    let before: Vec<_> = allocation.ties().after.iter().filter_map(|id| held.get(id)).collect();
    let mut predecessors = Resources::default();
    for predecessor in &before {
        // What was passed on by another predecessor counts with that one.
        if !before.iter().any(|other| other.ties().after.contains(&predecessor.id)) {
            predecessors += chain(predecessor, held);
        }
    }
    allocation.resources.max(predecessors)
}

/// The same as [`chain`] for how many allocations there are at once.
fn number_of_chain(allocation: &Allocation, held: &BTreeMap<AllocationId, &Allocation>) -> u32 {
    let before: Vec<_> = allocation.ties().after.iter().filter_map(|id| held.get(id)).collect();
    let counts = |one: &&&Allocation| !before.iter().any(|other| other.ties().after.contains(&one.id));
    let number: u32 =
        before.iter().copied().filter(|one| counts(one)).map(|before| number_of_chain(before, held)).sum();
    number.max(1)
}

/// The same as [`chain`] for devices, each for itself.
fn device_chain(allocation: &Allocation, held: &BTreeMap<AllocationId, &Allocation>) -> BTreeMap<DeviceId, u32> {
    let mut predecessors: BTreeMap<DeviceId, u32> = BTreeMap::new();
    let before: Vec<_> = allocation.ties().after.iter().filter_map(|id| held.get(id)).collect();
    for predecessor in &before {
        if !before.iter().any(|other| other.ties().after.contains(&predecessor.id)) {
            for (device, share) in device_chain(predecessor, held) {
                *predecessors.entry(device).or_default() += share;
            }
        }
    }
    let mut own: BTreeMap<DeviceId, u32> = BTreeMap::new();
    for grant in &allocation.devices {
        *own.entry(grant.device.clone()).or_default() += grant.share;
    }
    for (device, share) in predecessors {
        let own = own.entry(device).or_default();
        *own = share.max(*own);
    }
    own
}
