//! Whether an instance of a group has room on a node, and what it takes there.

use std::collections::BTreeSet;

use model::{Allocation, AllocationId, Group, Misfit, Resources, fits};

use super::super::fleet::{Fleet, Place};
use crate::state::{State, counts_for};

/// What one instance of a group takes of a node.
pub(super) struct Ask<'a> {
    state: &'a State,
    resources: Resources,
    static_ports: Vec<u16>,
    dynamic_ports: u32,
}

impl<'a> Ask<'a> {
    pub fn of(state: &'a State, group: &Group) -> Self {
        let networks = || group.networks.iter();
        Self {
            state,
            resources: group.ask(),
            static_ports: networks().flat_map(|network| &network.reserved_ports).map(|port| port.value).collect(),
            dynamic_ports: networks().map(|network| network.dynamic_ports.len() as u32).sum(),
        }
    }

    /// The amounts.
    pub fn resources(&self) -> Resources {
        self.resources
    }

    /// The static ports.
    pub fn static_ports(&self) -> impl Iterator<Item = u16> {
        self.static_ports.iter().copied()
    }

    /// Whether enough dynamic ports are free.
    pub fn has_dynamic_ports(&self, fleet: &Fleet, at: Place) -> bool {
        fleet.row(at).dynamic_ports >= self.dynamic_ports
    }

    /// The allocations that hold its static ports there; none where one of those can't come free.
    pub fn holders_of_ports(&self, fleet: &Fleet, at: Place) -> Option<BTreeSet<AllocationId>> {
        let node = &fleet.row(at).node;
        let mut holders = BTreeSet::new();
        for port in self.static_ports.iter().filter(|port| !self.is_free(fleet, at, **port, None)) {
            if fleet.is_placed(at, *port) || node.reserved_ports.contains(port) {
                return None;
            }
            let holds = |known: &&std::sync::Arc<Allocation>| {
                known.holds() && known.ports.iter().any(|held| held.value == *port)
            };
            holders.extend(self.state.allocations_of_node(node.id).filter(holds).map(|known| known.id));
        }
        Some(holders)
    }

    /// Places an instance there in `room` that others make.
    pub fn put_in_room(&self, fleet: &mut Fleet, at: Place, room: Resources) {
        let added = self.resources.max(room) - room;
        fleet.put(at, added, self.static_ports.iter().copied(), self.dynamic_ports);
    }

    /// Whether there is room, in place of `succeeded` if that is there.
    pub fn has_room(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> bool {
        let row = fleet.row(at);
        let succeeded = succeeded.filter(|known| known.node == row.node.id);
        self.added(succeeded).is_within(row.free())
            && self.has_dynamic_ports(fleet, at)
            && self.static_ports.iter().all(|port| self.is_free(fleet, at, *port, succeeded))
    }

    /// Everything that is short, in place of `succeeded` if that is there.
    pub fn misfits(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> Vec<Misfit> {
        let row = fleet.row(at);
        let succeeded = succeeded.filter(|known| known.node == row.node.id);
        let mut misfits = fits(self.added(succeeded), row.free()).err().unwrap_or_default();
        let taken = self.static_ports.iter().filter(|port| !self.is_free(fleet, at, **port, succeeded));
        misfits.extend(taken.map(|port| Misfit::PortTaken { port: *port }));
        if row.dynamic_ports < self.dynamic_ports {
            misfits.push(Misfit::NoDynamicPort);
        }
        misfits
    }

    /// What is used there with one more instance.
    pub fn used_with(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> Resources {
        let row = fleet.row(at);
        row.used + self.added(succeeded.filter(|known| known.node == row.node.id))
    }

    /// Places an instance there.
    pub fn put(&self, fleet: &mut Fleet, at: Place, succeeded: Option<&Allocation>) {
        let added = self.added(succeeded.filter(|known| known.node == fleet.row(at).node.id));
        fleet.put(at, added, self.static_ports.iter().copied(), self.dynamic_ports);
    }

    fn is_free(&self, fleet: &Fleet, at: Place, port: u16, succeeded: Option<&Allocation>) -> bool {
        let node = &fleet.row(at).node;
        let is_held = self.state.uses.get(&node.id).is_some_and(|held| held.ports.contains(&port));
        let is_taken = is_held || fleet.is_placed(at, port) || node.reserved_ports.contains(&port);
        !is_taken || succeeded.is_some_and(|known| known.ports.iter().any(|known| known.value == port))
    }

    /// What one more instance adds: its ask, or where it succeeds another only what it asks beyond what that counts for.
    fn added(&self, succeeded: Option<&Allocation>) -> Resources {
        let Some(known) = succeeded else { return self.resources };
        let counts = if known.after.is_empty() {
            known.resources
        } else {
            counts_for(known, self.state.allocations_of_node(known.node).map(|other| &**other))
        };
        self.resources.max(counts) - counts
    }
}
