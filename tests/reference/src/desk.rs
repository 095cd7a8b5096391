//! What stands on the nodes while a plan is made: every allocation that holds something, and what was placed so far, in one
//! plain list that is summed up anew for each question.

use std::collections::{BTreeMap, BTreeSet};

use model::{AllocationId, Desired, DeviceId, Group, JobKey, Node, NodeId, Resources};
use server_core::state::State;

use crate::equipment::Given;
use crate::volumes::{writes, writes_of};

/// Something that holds a part of a node.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The allocation, or a made-up id of what is placed now.
    pub id: AllocationId,
    /// Where.
    pub node: NodeId,
    /// CPU, memory, `memory_max`, disk.
    pub amounts: [u64; 4],
    /// Known ports, each with its address.
    pub ports: Vec<(String, u16)>,
    /// Ports per address whose number nobody knows yet.
    pub unknown_ports: BTreeMap<String, usize>,
    /// Cores that it has alone.
    pub cores: BTreeSet<u16>,
    /// Shares of devices, in thousandths.
    pub devices: Vec<(DeviceId, u32)>,
    /// Volumes of the host that it writes to, each with whether nobody else may.
    pub writes: Vec<(String, bool)>,
    /// What must be gone before it begins.
    pub after: Vec<AllocationId>,
}

/// An instance that was placed.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Its group.
    pub group: String,
    /// Where.
    pub node: NodeId,
    /// What it replaces.
    pub previous: Option<AllocationId>,
}

/// A plan in the making.
pub struct Desk<'a> {
    /// What it is made on.
    pub state: &'a State,
    /// The job.
    pub job: JobKey,
    /// Everything that holds something.
    pub pieces: Vec<Piece>,
    /// What the plan ends.
    pub ending: BTreeSet<AllocationId>,
    /// What it has placed.
    pub placed: Vec<Placed>,
}

impl<'a> Desk<'a> {
    /// An empty plan for `job` on `state`.
    pub fn new(state: &'a State, job: &JobKey) -> Self {
        let holding = state.allocations().filter(|known| !known.client_status.is_terminal());
        let pieces = holding.map(|known| Piece {
            id: known.id,
            node: known.node,
            amounts: amounts(known.resources),
            ports: known.ports.iter().map(|port| (port.host_ip.clone(), port.value)).collect(),
            unknown_ports: BTreeMap::new(),
            cores: known.cores.iter().flat_map(|grant| grant.ids.iter().copied()).collect(),
            devices: known.devices.iter().map(|grant| (grant.device.clone(), grant.share)).collect(),
            writes: writes_of(state, known),
            after: known.ties().after.clone(),
        });
        Self { state, job: job.clone(), pieces: pieces.collect(), ending: BTreeSet::new(), placed: Vec::new() }
    }

    /// What stands on a node.
    pub fn on(&self, node: NodeId) -> Vec<&Piece> {
        self.pieces.iter().filter(|piece| piece.node == node).collect()
    }

    /// What will stand on a node when all is gone that was told to end, by this plan or before it.
    pub fn staying_on(&self, node: NodeId) -> Vec<&Piece> {
        let is_told = |id: &AllocationId| {
            self.ending.contains(id) || self.state.allocation(*id).is_some_and(|known| known.desired != Desired::Run)
        };
        self.on(node).into_iter().filter(|piece| !is_told(&piece.id)).collect()
    }

    /// What one instance of `group` would hold on `node` after those are gone.
    pub fn newcomer(&self, node: &Node, group: &Group, after: Vec<AllocationId>, given: &Given) -> Piece {
        let mut piece = Piece {
            id: AllocationId::derive(&[b"placed", &(self.pieces.len() as u64).to_le_bytes()]),
            node: node.id,
            amounts: amounts(group.ask_on(node)),
            ports: Vec::new(),
            unknown_ports: BTreeMap::new(),
            cores: given.cores.iter().flat_map(|grant| grant.ids.iter().copied()).collect(),
            devices: given.devices.iter().map(|grant| (grant.device.clone(), grant.share)).collect(),
            writes: writes(group),
            after,
        };
        for network in &group.networks {
            for port in &network.reserved_ports {
                piece.ports.extend(crate::equipment::address(port, node).map(|address| (address, port.value)));
            }
            for port in &network.dynamic_ports {
                if let Some(address) = crate::equipment::address(port, node) {
                    *piece.unknown_ports.entry(address).or_default() += 1;
                }
            }
        }
        piece
    }

    /// What a newcomer in the room of `known` waits for: that, and what that waits for itself.
    pub fn waits_for(&self, known: AllocationId) -> Vec<AllocationId> {
        let of_it = self.pieces.iter().find(|piece| piece.id == known).map(|piece| piece.after.clone());
        let holds = |id: &AllocationId| self.pieces.iter().any(|piece| piece.id == *id);
        [known].into_iter().chain(of_it.unwrap_or_default()).filter(holds).collect()
    }
}

/// `amount` in parts of `of`; none where there is nothing of it.
pub fn over(amount: u64, of: u64) -> u64 {
    amount.checked_div(of).unwrap_or(0)
}

/// Amounts in the order of the dimensions.
pub fn amounts(of: Resources) -> [u64; 4] {
    [of.cpu_mhz, of.memory_mb, of.memory_max_mb, of.disk_mb]
}

/// What all of `pieces` hold together, each successor and its predecessors counted as the larger.
pub fn held(pieces: &[&Piece]) -> [u64; 4] {
    let mut sum = [0; 4];
    for piece in last_ones(pieces) {
        add(&mut sum, weight(piece, pieces, &|piece| piece.amounts));
    }
    sum
}

/// How many allocations all of `pieces` are at once.
pub fn number(pieces: &[&Piece]) -> u64 {
    last_ones(pieces).map(|piece| weight(piece, pieces, &|_| [1, 0, 0, 0])[0]).sum()
}

/// How much of a device all of `pieces` hold together.
pub fn held_of(device: &DeviceId, pieces: &[&Piece]) -> u64 {
    let own = |piece: &Piece| {
        let shares = piece.devices.iter().filter(|(known, _)| known == device);
        [shares.map(|(_, share)| u64::from(*share)).sum(), 0, 0, 0]
    };
    last_ones(pieces).map(|piece| weight(piece, pieces, &own)[0]).sum()
}

fn last_ones<'p>(pieces: &'p [&'p Piece]) -> impl Iterator<Item = &'p Piece> {
    let is_succeeded = |id: AllocationId| pieces.iter().any(|other| other.after.contains(&id));
    pieces.iter().copied().filter(move |piece| !is_succeeded(piece.id))
}

fn weight(piece: &Piece, all: &[&Piece], own: &dyn Fn(&Piece) -> [u64; 4]) -> [u64; 4] {
    let before: Vec<_> = all.iter().filter(|other| piece.after.contains(&other.id)).collect();
    let mut sum = [0; 4];
    for one in &before {
        if !before.iter().any(|other| other.after.contains(&one.id)) {
            add(&mut sum, weight(one, all, own));
        }
    }
    let own = own(piece);
    std::array::from_fn(|at| own[at].max(sum[at]))
}

fn add(sum: &mut [u64; 4], more: [u64; 4]) {
    for (sum, more) in sum.iter_mut().zip(more) {
        *sum += more;
    }
}

/// What `node` has for allocations.
pub fn capacity(node: &Node) -> [u64; 4] {
    let (total, reserved) = (amounts(node.total), amounts(node.reserved));
    std::array::from_fn(|at| total[at].saturating_sub(reserved[at]))
}
