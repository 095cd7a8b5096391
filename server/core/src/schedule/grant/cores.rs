//! Cores that tasks have alone: the smallest row of neighbours that is large enough, so that large rows stay whole.

use std::collections::BTreeSet;

use model::{CoreGrant, Group, Misfit, Node};

use super::Taken;

/// The cores of each task that asks for some, or how many are short.
pub(super) fn pick(node: &Node, taken: &Taken<'_>, group: &Group) -> Result<Vec<CoreGrant>, Misfit> {
    let asks = || group.tasks.iter().filter(|task| task.resources.cores > 0);
    let ask: u64 = asks().map(|task| u64::from(task.resources.cores)).sum();
    let mut free: BTreeSet<u16> = node.cores.ids.iter().copied().filter(|core| taken.is_core_free(*core)).collect();
    if ask > free.len() as u64 {
        return Err(Misfit::Cores { ask: u32::try_from(ask).unwrap_or(u32::MAX), free: free.len() as u32 });
    }
    let mut grants = Vec::new();
    for task in asks() {
        let ids = row(&free, taken, task.resources.cores as usize);
        free.retain(|core| !ids.contains(core));
        grants.push(CoreGrant { task: task.name.clone(), ids });
    }
    Ok(grants)
}

/// That many of `free`, which are enough: those of the predecessors first, which nobody else could have.
fn row(free: &BTreeSet<u16>, taken: &Taken<'_>, wanted: usize) -> BTreeSet<u16> {
    let mut picked: BTreeSet<u16> =
        free.iter().copied().filter(|core| taken.inherits_core(*core)).take(wanted).collect();
    let wanted = wanted - picked.len();
    let others: Vec<u16> = free.iter().copied().filter(|core| !picked.contains(core)).collect();
    let rows = others.chunk_by(|left, right| left + 1 == *right);
    let smallest = rows.filter(|row| row.len() >= wanted).min_by_key(|row| row.len()).unwrap_or(&others);
    picked.extend(&smallest[..wanted]);
    picked
}
