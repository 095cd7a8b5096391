//! Ports, cores and devices: what a node lacks, what is short now, and what an instance is given.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use model::{
    AllocationId, Constraint, CoreGrant, Device, DeviceGrant, DeviceGroup, DeviceId, Group, Misfit, Node, Operator,
    Port, Task, WHOLE_DEVICE,
};

use crate::condition;
use crate::desk::{Piece, held_of};

/// What an instance is given beyond amounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Cores.
    pub cores: Vec<CoreGrant>,
    /// Devices.
    pub devices: Vec<DeviceGrant>,
    /// The weights of the preferences among devices that are met, and of all.
    pub liked: (i64, i64),
}

/// The address of `node` on which `port` is published.
pub fn address(port: &Port, node: &Node) -> Option<String> {
    node.address_on(&network(port, node)?).map(String::from)
}

fn network(port: &Port, node: &Node) -> Option<String> {
    if port.host_network.starts_with("${") {
        condition::resolve(&port.host_network, node)
    } else {
        Some(port.host_network.clone())
    }
}

/// Networks that the group names and `node` does not have.
pub fn lacks(node: &Node, group: &Group) -> BTreeSet<Misfit> {
    let mut misfits = BTreeSet::new();
    for port in group.networks.iter().flat_map(|network| network.ports()).filter(|port| address(port, node).is_none()) {
        misfits.insert(Misfit::HostNetwork { name: network(port, node).unwrap_or_else(|| port.host_network.clone()) });
    }
    misfits
}

/// Ports that an instance can't have on `node`, where `here` stands, of which it succeeds `after`.
pub fn short_of_ports(node: &Node, group: &Group, here: &[&Piece], after: &[AllocationId]) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    let mut own: BTreeSet<(String, u16)> = BTreeSet::new();
    for port in group.networks.iter().flat_map(|network| &network.reserved_ports) {
        let Some(address) = address(port, node) else { continue };
        let at = (address, port.value);
        let holds = |piece: &&&Piece| !after.contains(&piece.id) && piece.ports.contains(&at);
        let is_free = !is_reserved(node, &at) && here.iter().find(holds).is_none();
        let is_first = own.insert(at);
        if !(port.ignore_collision || is_first && is_free) {
            misfits.push(Misfit::PortTaken { port: port.value });
        }
    }
    // A static port may lie in the range of the dynamic ones: some must be left for those of which nobody knows the number.
    let mut wanted: BTreeMap<String, usize> = own.iter().map(|(address, _)| (address.clone(), 0)).collect();
    for port in group.networks.iter().flat_map(|network| &network.dynamic_ports) {
        if let Some(address) = address(port, node) {
            *wanted.entry(address).or_default() += 1;
        }
    }
    let is_short = |(address, wanted): (&String, &usize)| {
        let unknown: usize = here.iter().filter_map(|piece| piece.unknown_ports.get(address)).sum();
        let free = (node.dynamic_ports.0..=node.dynamic_ports.1).filter(|port| {
            let at = (address.clone(), *port);
            !is_reserved(node, &at) && !own.contains(&at) && !here.iter().any(|piece| piece.ports.contains(&at))
        });
        // Enough of them tell, and ranges are long.
        let enough = wanted + unknown;
        free.take(enough).count() < enough
    };
    if wanted.iter().any(is_short) {
        misfits.push(Misfit::NoDynamicPort);
    }
    misfits
}

/// Whether nobody is ever given that port.
pub fn is_reserved(node: &Node, (address, port): &(String, u16)) -> bool {
    let of_network = node.host_networks.values().filter(|network| network.address == *address);
    node.reserved_ports.contains(port) || of_network.into_iter().any(|network| network.reserved_ports.contains(port))
}

/// The task that wants its cores on one NUMA node, and which one that is.
type Near<'a> = Option<(&'a Task, u16)>;

/// The cores and devices that an instance gets on `node`, or everything that is short.
pub fn give(node: &Node, group: &Group, here: &[&Piece], after: &[AllocationId]) -> Result<Given, Vec<Misfit>> {
    let Some(task) = group.tasks.iter().find(|task| wants_near(task)) else {
        return give_from(node, group, here, after, None);
    };
    let free = free_cores(node, here, after);
    let wanted = task.resources.cores as usize;
    // Where the instance before has most of them, then where least is left over.
    let mut rooms: Vec<_> = node
        .cores
        .numa_nodes
        .iter()
        .map(|(numa, cores)| {
            let there: Vec<u16> = free.iter().copied().filter(|core| cores.contains(core)).collect();
            let known = there.iter().filter(|core| is_inherited(here, after, **core)).count();
            (Reverse(known), there.len(), *numa)
        })
        .collect();
    rooms.sort();
    let open: Vec<u16> = rooms.iter().filter(|(_, there, _)| *there >= wanted).map(|(_, _, numa)| *numa).collect();
    let near = open.iter().find_map(|numa| give_from(node, group, here, after, Some((task, *numa))).ok());
    if let Some(given) = near {
        return Ok(given);
    }
    // Of what is short anywhere that is told, and not that it is short near.
    let anywhere = give_from(node, group, here, after, None)?;
    if task.resources.numa.as_ref().is_none_or(|numa| !numa.is_required()) {
        return Ok(anywhere);
    }
    if open.is_empty() {
        let most = node.cores.numa_nodes.values().map(BTreeSet::len).max().unwrap_or(0);
        let free = rooms.iter().map(|(_, there, _)| *there).max().unwrap_or(0);
        return Err(vec![Misfit::NumaCores { ask: wanted as u32, most: most as u32, free: free as u32 }]);
    }
    let mut short: Vec<_> =
        task.resources.devices.iter().filter_map(|device| short_near(node, task, device, here, after, &open)).collect();
    if short.is_empty() {
        // Each is there alone, and together they are too many: told of the NUMA node that comes first.
        let together = give_from(node, group, here, after, Some((task, open[0]))).err().unwrap_or_default();
        short.extend(together.into_iter().filter_map(|misfit| match misfit {
            Misfit::Device { name, ask, matching, free, .. } => Some(Misfit::NumaDevice { name, ask, matching, free }),
            _ => None,
        }));
    }
    short.sort();
    short.dedup();
    Err(short)
}

/// Stories have one such task in a group at most.
fn wants_near(task: &Task) -> bool {
    task.resources.cores > 0 && task.resources.numa.as_ref().is_some_and(|numa| numa.is_asked())
}

/// Whether `task` wants that device near its cores.
fn is_near_wanted(task: &Task, device: &Device) -> bool {
    task.resources.numa.as_ref().is_some_and(|numa| numa.devices.contains(&device.name))
}

/// What is short of a device that must be near, where the cores are free on each NUMA node of `open`.
fn short_near(
    node: &Node,
    task: &Task,
    device: &Device,
    here: &[&Piece],
    after: &[AllocationId],
    open: &[u16],
) -> Option<Misfit> {
    let left = left_of_each(node, here, after);
    let on =
        |numa: u16, counts: &dyn Fn(usize, usize) -> bool| most(node, &Ask { task, device, near: Some(numa) }, counts);
    let free = open.iter().map(|numa| on(*numa, &|set, one| left[set][one] >= u64::from(device.share))).max();
    let free = free.unwrap_or(0);
    let matching = node.cores.numa_nodes.keys().map(|numa| on(*numa, &|_, _| true)).max().unwrap_or(0);
    let (name, ask) = (device.name.clone(), device.count);
    (is_near_wanted(task, device) && free < ask).then_some(Misfit::NumaDevice { name, ask, matching, free })
}

/// The same, with the cores of that task from that NUMA node, and the devices that it wants near them.
fn give_from(
    node: &Node,
    group: &Group,
    here: &[&Piece],
    after: &[AllocationId],
    near: Near<'_>,
) -> Result<Given, Vec<Misfit>> {
    let cores = cores(node, group, here, after, near);
    let devices = devices(node, group, here, after, near);
    match (cores, devices) {
        (Ok(cores), Ok((devices, liked))) => Ok(Given { cores, devices, liked }),
        (cores, devices) => Err(cores.err().into_iter().chain(devices.err().unwrap_or_default()).collect()),
    }
}

fn is_inherited(here: &[&Piece], after: &[AllocationId], core: u16) -> bool {
    here.iter().any(|piece| after.contains(&piece.id) && piece.cores.contains(&core))
}

fn free_cores(node: &Node, here: &[&Piece], after: &[AllocationId]) -> Vec<u16> {
    let is_held = |core: u16| here.iter().any(|piece| piece.cores.contains(&core));
    let is_free = |core: &u16| !is_held(*core) || is_inherited(here, after, *core);
    node.cores.ids.iter().copied().filter(is_free).collect()
}

fn cores(
    node: &Node,
    group: &Group,
    here: &[&Piece],
    after: &[AllocationId],
    near: Near<'_>,
) -> Result<Vec<CoreGrant>, Misfit> {
    let mut free = free_cores(node, here, after);
    let ask: u32 = group.tasks.iter().map(|task| task.resources.cores).sum();
    if ask as usize > free.len() {
        return Err(Misfit::Cores { ask, free: free.len() as u32 });
    }
    let mut grants = Vec::new();
    for task in group.tasks.iter().filter(|task| task.resources.cores > 0) {
        let wanted = task.resources.cores as usize;
        let numa = near.filter(|(of, _)| of.name == task.name).and_then(|(_, numa)| node.cores.numa_nodes.get(&numa));
        let from: Vec<u16> =
            free.iter().copied().filter(|core| numa.is_none_or(|cores| cores.contains(core))).collect();
        let mut ids: Vec<u16> =
            from.iter().copied().filter(|core| is_inherited(here, after, *core)).take(wanted).collect();
        let rest: Vec<u16> = from.iter().copied().filter(|core| !ids.contains(core)).collect();
        let lacking = wanted - ids.len();
        // The shortest row of neighbours that is long enough, or else the lowest.
        let mut rows: Vec<Vec<u16>> = Vec::new();
        for core in &rest {
            match rows.last_mut().filter(|row| row.last().is_some_and(|last| last + 1 == *core)) {
                Some(row) => row.push(*core),
                None => rows.push(vec![*core]),
            }
        }
        let shortest = rows.iter().filter(|row| row.len() >= lacking).map(Vec::len).min();
        let row = rows.iter().find(|row| Some(row.len()) == shortest).unwrap_or(&rest);
        ids.extend(&row[..lacking]);
        free.retain(|core| !ids.contains(core));
        grants.push(CoreGrant { task: task.name.clone(), ids: ids.into_iter().collect() });
    }
    Ok(grants)
}

type Devices = (Vec<DeviceGrant>, (i64, i64));
/// What is left of each device, group by group.
type Left = Vec<Vec<u64>>;

/// A device block of a task.
struct Ask<'a> {
    task: &'a Task,
    device: &'a Device,
    /// The NUMA node that the devices have to be on.
    near: Option<u16>,
}

fn of_each(node: &Node, amount: impl Fn(&DeviceId) -> u64) -> Left {
    let of_group = |known: &DeviceGroup| known.instances.iter().map(|one| amount(&known.id_of(&one.id))).collect();
    node.devices.iter().map(of_group).collect()
}

fn left_of_each(node: &Node, here: &[&Piece], after: &[AllocationId]) -> Left {
    let before: Vec<_> = here.iter().copied().filter(|piece| after.contains(&piece.id)).collect();
    let whole = u64::from(WHOLE_DEVICE);
    of_each(node, |id| (whole + held_of(id, &before)).saturating_sub(held_of(id, here)).min(whole))
}

fn devices(
    node: &Node,
    group: &Group,
    here: &[&Piece],
    after: &[AllocationId],
    near: Near<'_>,
) -> Result<Devices, Vec<Misfit>> {
    let of_tasks = group.tasks.iter().flat_map(|task| task.resources.devices.iter().map(move |device| (task, device)));
    let asks: Vec<_> = of_tasks
        .filter(|(_, device)| device.count > 0)
        .map(|(task, device)| {
            let near = near.filter(|(of, _)| of.name == task.name && is_near_wanted(task, device));
            Ask { task, device, near: near.map(|(_, numa)| numa) }
        })
        .collect();
    let before: Vec<_> = here.iter().copied().filter(|piece| after.contains(&piece.id)).collect();
    let inherited = of_each(node, |id| held_of(id, &before));
    let mut left = left_of_each(node, here, after);
    let misfits: Vec<_> = asks.iter().filter_map(|ask| short(node, ask, &left)).collect();
    if !misfits.is_empty() {
        return Err(misfits);
    }
    // Larger shares choose first, then those with fewer sets of equals to choose from, then those that want more.
    let mut order: Vec<usize> = (0..asks.len()).collect();
    order.sort_by_key(|at| {
        let device = asks[*at].device;
        let sets = node.devices.iter().filter(|known| answers(known, device)).count();
        (Reverse(device.share), sets, Reverse(device.count), *at)
    });
    let mut picks = BTreeMap::new();
    let wanted: Vec<_> = order.iter().map(|at| (*at, &asks[*at])).collect();
    if !pick_all(node, &wanted, &inherited, &mut left, &mut picks) {
        let mut misfits = Vec::new();
        for (_, ask) in &wanted {
            match choices(node, ask, &inherited, &left).first() {
                Some((set, instances)) => take(&mut left, *set, instances, ask.device),
                None => misfits.extend(short(node, ask, &left)),
            }
        }
        return Err(misfits);
    }
    let mut grants = Vec::new();
    let mut liked = (0, 0);
    for (at, Ask { task, device, .. }) in asks.iter().enumerate() {
        let (set, instances): &(usize, Vec<usize>) = &picks[&at];
        let known = &node.devices[*set];
        liked.0 += weight(known, device);
        liked.1 += device.affinities.iter().map(|affinity| i64::from(affinity.weight).abs()).sum::<i64>();
        grants.extend(instances.iter().map(|one| DeviceGrant {
            task: task.name.clone(),
            device: known.id_of(&known.instances[*one].id),
            share: device.share,
        }));
    }
    Ok((grants, liked))
}

fn pick_all(
    node: &Node,
    wanted: &[(usize, &Ask<'_>)],
    inherited: &Left,
    left: &mut Left,
    picks: &mut BTreeMap<usize, (usize, Vec<usize>)>,
) -> bool {
    let Some(((at, ask), rest)) = wanted.split_first() else { return true };
    for (set, instances) in choices(node, ask, inherited, left) {
        let mut then = left.clone();
        take(&mut then, set, &instances, ask.device);
        picks.insert(*at, (set, instances));
        if pick_all(node, rest, inherited, &mut then, picks) {
            return true;
        }
    }
    false
}

fn take(left: &mut Left, set: usize, instances: &[usize], device: &Device) {
    instances.iter().for_each(|one| left[set][*one] -= u64::from(device.share));
}

/// The ways to meet one ask, the best first.
fn choices(node: &Node, ask: &Ask<'_>, inherited: &Left, left: &Left) -> Vec<(usize, Vec<usize>)> {
    let device = ask.device;
    let mut ways = Vec::new();
    for (set, known) in node.devices.iter().enumerate().filter(|(_, known)| answers(known, device)) {
        let fits = |one: &usize| may_be(known, *one, ask) && left[set][*one] >= u64::from(device.share);
        let mut fit: Vec<usize> = (0..known.instances.len()).filter(fits).collect();
        fit.sort_by_key(|one| (inherited[set][*one] == 0, left[set][*one], *one));
        if (fit.len() as u64) < device.count {
            continue;
        }
        let starts: Vec<Vec<usize>> = if device.count == 1 {
            let differs = |at: &usize| *at == 0 || left[set][fit[*at]] != left[set][fit[*at - 1]];
            (0..fit.len()).filter(differs).map(|at| vec![fit[at]]).collect()
        } else {
            vec![fit[..device.count as usize].to_vec()]
        };
        for instances in starts {
            let first = instances[0];
            let key = (-weight(known, device), inherited[set][first] == 0, left[set][first], fit.len(), set);
            ways.push((key, (set, instances)));
        }
    }
    ways.sort_by_key(|(key, _)| *key);
    ways.into_iter().map(|(_, way)| way).collect()
}

fn short(node: &Node, ask: &Ask<'_>, left: &Left) -> Option<Misfit> {
    let device = ask.device;
    let free = most(node, ask, &|set, one| left[set][one] >= u64::from(device.share));
    (free < device.count).then(|| Misfit::Device {
        name: device.name.clone(),
        ask: device.count,
        share: device.share,
        matching: most(node, ask, &|_, _| true),
        free,
    })
}

/// The most devices of one set that may be given for `ask` and that `counts` lets through.
fn most(node: &Node, ask: &Ask<'_>, counts: &dyn Fn(usize, usize) -> bool) -> u64 {
    let sets = node.devices.iter().enumerate().filter(|(_, known)| answers(known, ask.device));
    let of_set = |(set, known): (usize, &DeviceGroup)| {
        (0..known.instances.len()).filter(|one| may_be(known, *one, ask) && counts(set, *one)).count() as u64
    };
    sets.map(of_set).max().unwrap_or(0)
}

fn answers(known: &DeviceGroup, device: &Device) -> bool {
    known.name.answers_to(&device.name) && device.constraints.iter().all(|constraint| meets(known, constraint))
}

fn may_be(known: &DeviceGroup, one: usize, ask: &Ask<'_>) -> bool {
    let one = &known.instances[one];
    let named = |constraint: &Constraint| constraint.attribute != "${device.ids}" || constraint.value == one.id;
    let is_near = ask.near.is_none() || one.numa_node == ask.near;
    one.healthy && is_near && ask.device.constraints.iter().all(named)
}

fn weight(known: &DeviceGroup, device: &Device) -> i64 {
    let met = device.affinities.iter().filter(|affinity| meets(known, &affinity.condition()));
    met.map(|affinity| i64::from(affinity.weight)).sum()
}

/// Conditions on devices: names and attributes that are no amounts.
fn meets(known: &DeviceGroup, constraint: &Constraint) -> bool {
    let resolve = |target: &str| match target {
        "${device.model}" => Some(known.name.name.clone()),
        "${device.vendor}" => Some(known.name.vendor.clone()),
        "${device.type}" => Some(known.name.kind.clone()),
        other => match other.strip_prefix("${device.attr.").and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => known.attributes.get(name).cloned(),
            None => Some(other.to_string()),
        },
    };
    if constraint.attribute == "${device.ids}" && constraint.operator == Operator::Equal {
        return known.instances.iter().any(|one| one.id == constraint.value);
    }
    condition::stands(constraint.operator, resolve(&constraint.attribute), resolve(&constraint.value))
}
