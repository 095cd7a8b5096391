//! Cores and devices of a new instance, as the planner chose them: counted over, not chosen.
//!
//! Whether a device is the one that was asked for is the planner's business, and holds for as long as the node's
//! generation does. Here is seen to it that the numbers are those of the document, and that nothing is given twice.

use std::collections::{BTreeMap, BTreeSet};

use model::{Allocation, DeviceId, Group, Misfit, Node, WHOLE_DEVICE};

use crate::state::NodeUse;

/// Whether `new` may have its cores and devices on `node`, where `held` is held, of it `inherited` by its predecessors.
pub(super) fn check(
    node: &Node,
    held: &NodeUse,
    inherited: &NodeUse,
    new: &Allocation,
    group: &Group,
) -> Result<(), Vec<Misfit>> {
    let mut misfits = devices(node, held, inherited, new, group);
    misfits.extend(cores(node, held, inherited, new, group));
    if misfits.is_empty() { Ok(()) } else { Err(misfits) }
}

fn cores(node: &Node, held: &NodeUse, inherited: &NodeUse, new: &Allocation, group: &Group) -> Option<Misfit> {
    let ask: u32 = group.tasks.iter().map(|task| task.resources.cores).sum();
    let is_free =
        |core: &u16| node.cores.ids.contains(core) && (!held.cores.contains(core) || inherited.cores.contains(core));
    let granted = || new.cores.iter().flat_map(|grant| &grant.ids);
    let free: BTreeSet<u16> = granted().copied().filter(is_free).collect();
    let of_task = |task: &str| new.cores.iter().filter(|grant| grant.task == task).map(|grant| grant.ids.len()).sum();
    let is_right = |task: &model::Task| {
        let ids: usize = of_task(&task.name);
        ids == task.resources.cores as usize
    };
    let is_well = group.tasks.iter().all(is_right) && free.len() == granted().count() && free.len() == ask as usize;
    (!is_well).then_some(Misfit::Cores { ask, free: free.len() as u32 })
}

fn devices(node: &Node, held: &NodeUse, inherited: &NodeUse, new: &Allocation, group: &Group) -> Vec<Misfit> {
    let mut asks: BTreeMap<(&str, u32), u64> = BTreeMap::new();
    for task in &group.tasks {
        for device in task.resources.devices.iter().filter(|device| device.count > 0) {
            *asks.entry((&task.name, device.share.clamp(1, WHOLE_DEVICE))).or_default() += device.count;
        }
    }
    let mut granted: BTreeMap<(&str, u32), u64> = BTreeMap::new();
    let mut shares: BTreeMap<&DeviceId, u32> = BTreeMap::new();
    for grant in &new.devices {
        *granted.entry((&grant.task, grant.share)).or_default() += 1;
        *shares.entry(&grant.device).or_default() += grant.share;
    }
    let short =
        |name: String, ask: u64, share: u32, free: u64| Misfit::Device { name, ask, share, matching: ask, free };
    let mut misfits = Vec::new();
    if asks != granted {
        let count = |of: &BTreeMap<(&str, u32), u64>| of.values().sum();
        let name = |task: &model::Task| task.resources.devices.iter().map(|device| device.name.clone()).next();
        let name = group.tasks.iter().find_map(name).unwrap_or_default();
        misfits.push(short(name, count(&asks), WHOLE_DEVICE, count(&granted)));
    }
    for (device, share) in shares {
        let group = node.device_group(&device.name);
        let is_well = group.is_some_and(|group| group.instances.iter().any(|one| one.id == device.id && one.healthy));
        let free = (WHOLE_DEVICE + inherited.share_of(device)).saturating_sub(held.share_of(device));
        if !is_well || share > free {
            misfits.push(short(device.to_string(), 1, share, 0));
        }
    }
    misfits
}
