//! What is taken of a node before one more instance comes.

use std::collections::{BTreeMap, BTreeSet};

use model::{DeviceId, Group, Node, Port, WHOLE_DEVICE};

use super::{Grant, Shares, address_of};
use crate::state::NodeUse;

/// What is taken of a node before one more instance comes.
#[derive(Clone, Copy, Debug)]
pub struct Taken<'a> {
    /// What allocations hold; none for nothing.
    pub held: Option<&'a NodeUse>,
    /// What the plan has placed there so far.
    pub placed: &'a Placed,
    /// What those hold whose room the instance takes over, all of them together; none where it succeeds nobody.
    pub inherited: Option<&'a NodeUse>,
    /// What is free of each device where it succeeds nobody, if that was counted already.
    pub shares: Option<&'a Shares>,
}

/// What a plan has placed on a node so far, beyond what is held there.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Placed {
    cores: BTreeSet<u16>,
    /// Beyond what predecessors hold.
    devices: BTreeMap<DeviceId, u32>,
    /// All of it.
    shares: BTreeMap<DeviceId, u32>,
    /// Static ports, per address.
    ports: BTreeMap<String, BTreeSet<u16>>,
    /// How many dynamic ports, per address.
    dynamic_ports: BTreeMap<String, usize>,
    /// Volumes of the host that are written, each with whether that is done alone.
    written: BTreeMap<String, bool>,
}

impl Placed {
    /// What was placed where nothing was.
    pub(crate) const NOTHING: Placed = Placed {
        cores: BTreeSet::new(),
        devices: BTreeMap::new(),
        shares: BTreeMap::new(),
        ports: BTreeMap::new(),
        dynamic_ports: BTreeMap::new(),
        written: BTreeMap::new(),
    };

    /// Adds an instance that got `grant`, in place of those that hold `inherited`.
    pub fn add(&mut self, node: &Node, group: &Group, grant: &Grant, inherited: Option<&NodeUse>) {
        self.cores.extend(grant.cores.iter().flat_map(|grant| &grant.ids));
        let mut shares: BTreeMap<&DeviceId, u32> = BTreeMap::new();
        for grant in &grant.devices {
            *shares.entry(&grant.device).or_default() += grant.share;
        }
        for (device, share) in shares {
            // Together they count as the larger, and what is inherited is held already.
            let more = share.saturating_sub(inherited.map_or(0, |inherited| inherited.share_of(device)));
            *self.devices.entry(device.clone()).or_default() += more;
            *self.shares.entry(device.clone()).or_default() += share;
        }
        for network in &group.networks {
            for port in &network.reserved_ports {
                let Some(address) = address_of(port, node) else { continue };
                self.ports.entry(address.to_string()).or_default().insert(port.value);
            }
            for port in &network.dynamic_ports {
                let Some(address) = address_of(port, node) else { continue };
                *self.dynamic_ports.entry(address.to_string()).or_default() += 1;
            }
        }
    }
}

impl Placed {
    /// Adds what an instance of `group` writes to.
    pub(crate) fn add_written(&mut self, group: &Group) {
        for volume in group.host_volumes().filter(|volume| !volume.read_only) {
            *self.written.entry(volume.source.clone()).or_default() |= volume.is_written_alone();
        }
    }

    /// Whether that volume is written, and if so, whether that is done alone.
    pub(crate) fn writes(&self, source: &str) -> Option<bool> {
        self.written.get(source).copied()
    }

    /// Whether the plan has placed ports whose number `apply` picks.
    pub(super) fn has_dynamic_ports(&self) -> bool {
        !self.dynamic_ports.is_empty()
    }

    /// Whether one of them may turn out to be `port`.
    pub(in super::super) fn may_pick(&self, node: &Node, port: &Port) -> bool {
        let (first, last) = node.dynamic_ports;
        (first..=last).contains(&port.value)
            && address_of(port, node).is_some_and(|address| self.dynamic_ports.contains_key(address))
    }

    /// The same when all predecessors are gone.
    pub(crate) fn alone(&self) -> Self {
        Self { devices: self.shares.clone(), ..self.clone() }
    }

    /// Adds that many instances of which no more is to be said than that each has `dynamic_ports` of the node's default network.
    pub(crate) fn add_dynamic_ports(&mut self, node: &Node, dynamic_ports: u32) {
        // Looked up first: the address is mostly there, and need not be copied.
        match self.dynamic_ports.get_mut(node.default_address()) {
            Some(known) => *known += dynamic_ports as usize,
            None => drop(self.dynamic_ports.insert(node.default_address().to_string(), dynamic_ports as usize)),
        }
    }
}

impl Taken<'_> {
    /// Whether nobody else has that core.
    pub(super) fn is_core_free(&self, core: u16) -> bool {
        self.inherits_core(core)
            || !(self.placed.cores.contains(&core) || self.held.is_some_and(|held| held.cores.contains(&core)))
    }

    /// Whether those have that core whose room the instance takes over.
    pub(super) fn inherits_core(&self, core: u16) -> bool {
        self.inherited.is_some_and(|inherited| inherited.cores.contains(&core))
    }

    /// How much of a device the instance could have, in thousandths.
    pub(crate) fn free_share(&self, device: &DeviceId) -> u32 {
        let held = self.held.map_or(0, |held| held.share_of(device));
        let placed = self.placed.devices.get(device).copied().unwrap_or_default();
        (WHOLE_DEVICE + self.inherited_share(device)).saturating_sub(held + placed).min(WHOLE_DEVICE)
    }

    /// How much of each device the instance could have.
    pub(in super::super) fn free_shares(&self, node: &Node) -> Shares {
        match self.shares.filter(|_| self.inherited.is_none()) {
            Some(shares) => shares.clone(),
            None => Shares::of(node, |device| self.free_share(device)),
        }
    }

    /// How much of a device those have whose room the instance takes over.
    pub(super) fn inherited_share(&self, device: &DeviceId) -> u32 {
        self.inherited.map_or(0, |inherited| inherited.share_of(device))
    }

    /// Whether a port of an address is taken by others.
    pub(crate) fn is_port_taken(&self, address: &str, port: u16) -> bool {
        let holders = |of: Option<&NodeUse>| of.map_or(0, |of| of.holders_of_port(address, port));
        self.placed.ports.get(address).is_some_and(|ports| ports.contains(&port))
            || holders(self.held) > holders(self.inherited)
    }

    /// How many ports of an address are free for dynamic ones, where `own` are about to be taken.
    pub(crate) fn free_dynamic_ports(&self, node: &Node, address: &str, own: &BTreeSet<u16>) -> usize {
        self.ports_left(node, address, own).unwrap_or(0)
    }

    /// The same; none where not even `own` can all be had beside the dynamic ones that the plan has placed.
    pub(super) fn ports_left(&self, node: &Node, address: &str, own: &BTreeSet<u16>) -> Option<usize> {
        let (first, last) = node.dynamic_ports;
        let all = usize::from(last.saturating_sub(first)) + 1;
        let within = |port: &&u16| (first..=last).contains(*port);
        let is_held = |port: u16| self.held.is_some_and(|held| held.holds_port(address, port));
        let is_placed = |port: u16| self.placed.ports.get(address).is_some_and(|ports| ports.contains(&port));
        let held = self.held.map_or(0, |held| held.ports_between(address, first, last));
        let placed = self.placed.ports.get(address).into_iter().flatten();
        let placed = placed.filter(within).filter(|port| !is_held(**port)).count();
        let own_new = own.iter().filter(within).filter(|port| !is_held(**port) && !is_placed(**port)).count();
        let of_networks = node.host_networks.values().filter(|network| network.address == address);
        let reserved: BTreeSet<u16> =
            of_networks.flat_map(|network| &network.reserved_ports).chain(&node.reserved_ports).copied().collect();
        let is_counted = |port: u16| is_held(port) || is_placed(port) || own.contains(&port);
        let reserved = reserved.iter().filter(within).filter(|port| !is_counted(**port)).count();
        let picked = self.placed.dynamic_ports.get(address).copied().unwrap_or_default();
        all.checked_sub(held + placed + own_new + reserved + picked)
    }
}
