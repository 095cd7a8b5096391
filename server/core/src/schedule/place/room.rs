//! Whether an instance of a group has room on a node, and what it takes there.

use std::collections::BTreeSet;

use model::{Allocation, AllocationId, Device, Group, Misfit, Resources, WHOLE_DEVICE, fits};

use super::super::fleet::{Devices, Fleet, Place, Row};
use super::super::grant::{self, Grant, Pick, Picked, Taken, Written, address_of, room_for_ports};
use super::moves::Burden;
use crate::state::{NodeUse, State, counts_for};

/// What one instance of a group takes of a node.
pub(super) struct Ask<'a> {
    state: &'a State,
    group: &'a Group,
    /// The amounts, where they are the same on every node.
    resources: Option<Resources>,
    ports: Ports,
    written: Written<'a>,
    /// Whether it asks for cores or devices.
    is_granted: bool,
    /// What it asks for of devices in all, in thousandths of one.
    device_share: u64,
    /// What of that are whole devices.
    whole_share: u64,
}

/// What an instance would get on a node that has room for it.
pub(super) struct Room {
    /// How well the devices meet its preferences, and what is free of the node's devices then; none where it asks for none.
    pub devices: Option<(i64, Devices)>,
}

impl Room {
    /// That of an instance which asks for neither cores nor devices.
    const PLAIN: Self = Self { devices: None };
}

/// How a group's ports are looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ports {
    /// So many dynamic ones of the node's default network, of which a row knows how many are free.
    Dynamic(u32),
    /// Port by port.
    Any,
}

impl<'a> Ask<'a> {
    pub fn of(state: &'a State, group: &'a Group) -> Self {
        let resources = || group.tasks.iter().map(|task| &task.resources);
        let devices = || resources().flat_map(|resources| &resources.devices);
        let asks_cores = resources().any(|resources| resources.cores > 0);
        let ports = || group.networks.iter().flat_map(|network| network.ports());
        let is_dynamic = group.networks.iter().all(|network| network.reserved_ports.is_empty())
            && ports().all(|port| port.host_network.is_empty() || port.host_network == model::DEFAULT_HOST_NETWORK);
        Self {
            state,
            group,
            resources: (!asks_cores).then(|| group.ask()),
            ports: if is_dynamic { Ports::Dynamic(ports().count() as u32) } else { Ports::Any },
            written: Written::of(group),
            is_granted: asks_cores || resources().any(|resources| !resources.devices.is_empty()),
            device_share: share_asked(devices()),
            whole_share: share_asked(devices().filter(|device| device.share >= WHOLE_DEVICE)),
        }
    }

    /// The amounts, if they are all that has a say in where it goes, and the same on every node.
    pub fn amounts(&self) -> Option<Resources> {
        self.resources.filter(|_| !self.is_granted)
    }

    /// The amounts on that node.
    pub fn resources_on(&self, row: &Row) -> Resources {
        self.resources.unwrap_or_else(|| self.group.ask_on(&row.node))
    }

    /// Whether there is room, in place of `succeeded` if that is there.
    pub fn has_room(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> bool {
        self.room(fleet, at, succeeded).is_some()
    }

    /// What it would get, in place of `succeeded` if that is there; none where there is no room.
    pub fn room(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> Option<Room> {
        let row = fleet.row(at);
        let succeeded = succeeded.filter(|known| known.node == row.node.id);
        let may_have_room = self.added(row, succeeded).is_within(row.free())
            && (succeeded.is_some() || row.allocations > 0)
            && (succeeded.is_some() || self.has_shares(&row.devices))
            && match self.ports {
                Ports::Dynamic(ports) => row.dynamic_ports >= ports,
                Ports::Any => self.beyond_amounts(fleet, at, succeeded).is_empty(),
            }
            && (self.written.is_empty() || self.contended(fleet, at, succeeded).is_empty());
        if !may_have_room {
            return None;
        }
        if !self.is_granted {
            // The usual case, asked of every node: what is picked would be moved about for nothing.
            return Some(Room::PLAIN);
        }
        let picked = self.pick(fleet, at, succeeded).ok()?;
        Some(Room { devices: self.devices_left(fleet, at, succeeded, &picked) })
    }

    /// Everything that is short, in place of `succeeded` if that is there.
    pub fn misfits(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> Vec<Misfit> {
        let row = fleet.row(at);
        let succeeded = succeeded.filter(|known| known.node == row.node.id);
        // People think of what is asked in all, and of all that is to be had.
        let free = row.free() + succeeded.map(|known| self.counts(known)).unwrap_or_default();
        let mut misfits = fits(self.resources_on(row), free).err().unwrap_or_default();
        misfits.extend(row.node.max_allocations.filter(|_| succeeded.is_none() && row.allocations == 0).map(too_many));
        misfits.extend(self.pick(fleet, at, succeeded).err().unwrap_or_default());
        match self.ports {
            Ports::Dynamic(ports) if row.dynamic_ports >= ports => {}
            Ports::Dynamic(_) | Ports::Any => misfits.extend(self.beyond_amounts(fleet, at, succeeded)),
        }
        misfits.extend(self.contended(fleet, at, succeeded));
        misfits
    }

    /// What is used there with one more instance.
    pub fn used_with(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> Resources {
        let row = fleet.row(at);
        row.used + self.added(row, succeeded.filter(|known| known.node == row.node.id))
    }

    /// Whether so much is free of the devices, whichever they are: far cheaper to tell than which of them it would get.
    fn has_shares(&self, devices: &Devices) -> bool {
        self.device_share <= devices.free && self.whole_share <= devices.free - devices.begun
    }

    /// What it would get if room is made for it there, as far as that is to be had before.
    pub fn room_to_come(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> Room {
        if !self.is_granted {
            return Room::PLAIN;
        }
        let picked = self.pick(fleet, at, succeeded);
        Room { devices: picked.ok().and_then(|picked| self.devices_left(fleet, at, succeeded, &picked)) }
    }

    fn devices_left(
        &self,
        fleet: &Fleet,
        at: Place,
        succeeded: Option<&Allocation>,
        picked: &Picked<'_>,
    ) -> Option<(i64, Devices)> {
        if picked.devices.is_empty() {
            return None;
        }
        let row = fleet.row(at);
        let inherited = succeeded.filter(|known| known.node == row.node.id).map(|known| self.state.inherited(known));
        let mut devices = row.devices;
        for (number, pick) in picked.devices.iter().enumerate() {
            let is_same = |other: &&Pick<'_>| other.at == pick.at;
            // Parts of one device count together, with the first of them.
            if picked.devices[..number].iter().any(|earlier| is_same(&earlier)) {
                continue;
            }
            let share: u32 = picked.devices.iter().filter(is_same).map(|same| same.share).sum();
            // What its predecessors have of it is taken already.
            let theirs = inherited.as_ref().map_or(0, |inherited| inherited.share_of(&pick.grant(&row.node).device));
            devices.take(row.shares.at(pick.at), share.saturating_sub(theirs));
        }
        Some((picked.device_affinity, devices))
    }

    /// Places an instance there, and says what it gets beyond amounts.
    pub fn put(&self, fleet: &mut Fleet, at: Place, succeeded: Option<&Allocation>) -> Grant {
        let succeeded = succeeded.filter(|known| known.node == fleet.row(at).node.id);
        let added = self.added(fleet.row(at), succeeded);
        let inherited = succeeded.map(|known| self.state.inherited(known));
        self.put_adding(fleet, at, added, inherited.as_ref())
    }

    /// Places an instance there in `room` that others make, who hold `inherited`, and says what it gets beyond amounts.
    pub fn put_in_room(&self, fleet: &mut Fleet, at: Place, room: Resources, inherited: &NodeUse) -> Grant {
        let added = self.resources_on(fleet.row(at)).max(room) - room;
        self.put_adding(fleet, at, added, Some(inherited))
    }

    fn put_adding(&self, fleet: &mut Fleet, at: Place, added: Resources, inherited: Option<&NodeUse>) -> Grant {
        fleet.put(at, added, inherited.is_none_or(|inherited| inherited.allocations == 0));
        if !self.written.is_empty() {
            fleet.placed_mut(at).0.add_written(self.group);
        }
        match self.ports {
            Ports::Dynamic(0) if !self.is_granted => return Grant::default(),
            Ports::Dynamic(ports) if !self.is_granted => {
                let (placed, row) = fleet.placed_mut(at);
                placed.add_dynamic_ports(&row.node, ports);
                row.dynamic_ports = row.dynamic_ports.saturating_sub(ports);
                return Grant::default();
            }
            Ports::Dynamic(_) | Ports::Any => {}
        }
        let row = fleet.row(at);
        let taken = Taken { held: self.held(row), placed: fleet.placed(at), inherited, shares: Some(&row.shares) };
        let grant = grant::grant(&fleet.row(at).node, &taken, self.group).unwrap_or_default();
        let (placed, row) = fleet.placed_mut(at);
        placed.add(&row.node, self.group, &grant, inherited);
        let taken = Taken { held: self.held(row), placed, inherited: None, shares: None };
        row.count_beyond_amounts(&taken);
        grant
    }

    /// The cores and devices that it would get there; otherwise everything that is short.
    fn pick(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> Result<Picked<'a>, Vec<Misfit>> {
        if !self.is_granted {
            return Ok(Picked::default());
        }
        let row = fleet.row(at);
        let inherited = succeeded.filter(|known| known.node == row.node.id).map(|known| self.state.inherited(known));
        let taken = Taken {
            held: self.held(row),
            placed: fleet.placed(at),
            inherited: inherited.as_ref(),
            shares: Some(&row.shares),
        };
        grant::pick(&row.node, &taken, self.group)
    }

    /// Ports that it can't have there.
    fn beyond_amounts(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> Vec<Misfit> {
        let row = fleet.row(at);
        let inherited = succeeded.filter(|known| known.node == row.node.id).map(|known| self.state.inherited(known));
        let taken =
            Taken { held: self.held(row), placed: fleet.placed(at), inherited: inherited.as_ref(), shares: None };
        room_for_ports(&row.node, &taken, self.group)
    }

    /// Volumes there to which others write, where one of both wants to be alone. What it succeeds is gone by then.
    fn contended(&self, fleet: &Fleet, at: Place, succeeded: Option<&Allocation>) -> Vec<Misfit> {
        let row = fleet.row(at);
        let known = succeeded.filter(|known| known.node == row.node.id);
        let gone: Vec<_> =
            known.into_iter().flat_map(|known| known.ties().after.iter().copied().chain([known.id])).collect();
        self.written.contended(self.state, &row.node, fleet.placed(at), &gone)
    }

    fn held(&self, row: &Row) -> Option<&'a NodeUse> {
        self.state.held_on(row.node.id)
    }

    /// Its static ports there, each with its address, that others must not have.
    fn static_ports(&self, row: &Row) -> Vec<(String, u16)> {
        let of_group = self.group.networks.iter().flat_map(|network| &network.reserved_ports);
        let alone = of_group.filter(|port| !port.ignore_collision);
        alone.filter_map(|port| Some((address_of(port, &row.node)?.to_string(), port.value))).collect()
    }

    /// Whether a static port that others may have too can be one of the dynamic ones that the plan has placed. Which those
    /// are is known to the next plan; until then it seems to need one more of the range.
    pub fn may_share_what_nobody_knows(&self, fleet: &Fleet) -> bool {
        let mut of_group = self.group.networks.iter().flat_map(|network| &network.reserved_ports);
        of_group.any(|port| port.ignore_collision && fleet.may_be_picked(port))
    }

    /// Whether there is room as soon as those are `gone` and nothing is left there but what `stays`, and `placed` of it by
    /// the plan.
    pub fn has_room_beside(
        &self,
        fleet: &Fleet,
        at: Place,
        (stays, gone): (&NodeUse, &[AllocationId]),
        placed: Burden,
    ) -> bool {
        let row = fleet.row(at);
        let taken = Taken { held: Some(stays), placed: &fleet.placed(at).alone(), inherited: None, shares: None };
        self.resources_on(row).is_within(row.capacity - (stays.held + placed.ask))
            && row.node.max_allocations.is_none_or(|max| stays.allocations + placed.count < max)
            && room_for_ports(&row.node, &taken, self.group).is_empty()
            && grant::grant(&row.node, &taken, self.group).is_ok()
            && self.written.contended(self.state, &row.node, fleet.placed(at), gone).is_empty()
    }

    /// Whether cores, devices, dynamic ports, volumes and a place among the node's allocations are to be had there when
    /// those are `gone`.
    pub fn is_granted_without<'k>(&self, fleet: &Fleet, at: Place, gone: impl Iterator<Item = &'k Allocation>) -> bool {
        let row = fleet.row(at);
        let gone: Vec<_> = gone.collect();
        let ids: Vec<_> = gone.iter().map(|known| known.id).collect();
        let inherited = NodeUse::of(gone.into_iter());
        let taken = Taken { held: self.held(row), placed: fleet.placed(at), inherited: Some(&inherited), shares: None };
        let is_static = |misfit: &Misfit| matches!(misfit, Misfit::PortTaken { .. });
        (row.allocations > 0 || inherited.allocations > 0)
            && room_for_ports(&row.node, &taken, self.group).iter().all(is_static)
            && grant::grant(&row.node, &taken, self.group).is_ok()
            && self.written.contended(self.state, &row.node, fleet.placed(at), &ids).is_empty()
    }

    /// The allocations that hold its static ports there; none where a port can't come free by ending them.
    pub fn holders_of_ports(&self, fleet: &Fleet, at: Place) -> Option<BTreeSet<AllocationId>> {
        let row = fleet.row(at);
        let static_ports = self.static_ports(row);
        if static_ports.iter().collect::<BTreeSet<_>>().len() < static_ports.len() {
            return None;
        }
        let mut holders = BTreeSet::new();
        let nobody = Taken { held: None, placed: fleet.placed(at), inherited: None, shares: None };
        for (address, port) in static_ports {
            if nobody.is_port_taken(&address, port) || row.node.reserves_port(&address, port) {
                return None;
            }
            let holds = |known: &&std::sync::Arc<Allocation>| {
                known.holds() && known.ports.iter().any(|held| held.value == port && held.host_ip == address)
            };
            holders.extend(self.state.allocations_of_node(row.node.id).filter(holds).map(|known| known.id));
        }
        Some(holders)
    }

    /// What one more instance adds: its ask, or where it succeeds another only what it asks beyond what that counts for.
    fn added(&self, row: &Row, succeeded: Option<&Allocation>) -> Resources {
        let ask = self.resources_on(row);
        let Some(known) = succeeded else { return ask };
        let counts = self.counts(known);
        ask.max(counts) - counts
    }

    /// What `known` counts for on its node, for who takes over its room.
    fn counts(&self, known: &Allocation) -> Resources {
        match known.ties().after.is_empty() {
            true => known.resources,
            false => counts_for(known, self.state.allocations_of_node(known.node).map(|other| &**other)),
        }
    }
}

/// What asks for devices come to, in thousandths of one.
fn share_asked<'d>(devices: impl Iterator<Item = &'d Device>) -> u64 {
    let share = |device: &Device| device.count.saturating_mul(u64::from(device.share.clamp(1, WHOLE_DEVICE)));
    devices.map(share).fold(0, u64::saturating_add)
}

fn too_many(max: u32) -> Misfit {
    Misfit::Allocations { max }
}
