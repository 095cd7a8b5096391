//! Cores that tasks have alone: the smallest row of neighbours that is large enough, so that large rows stay whole.

use std::collections::{BTreeMap, BTreeSet};

use model::{CoreGrant, Group, Misfit, Node, Task};

use super::{Near, Taken};

/// The cores of each task that asks for some, or how many are short. Those that are said to be near to each other are
/// picked first.
pub(super) fn pick(node: &Node, taken: &Taken<'_>, group: &Group, near: &Near<'_>) -> Result<Vec<CoreGrant>, Misfit> {
    let asks = || group.tasks.iter().filter(|task| task.resources.cores > 0);
    if asks().next().is_none() {
        return Ok(Vec::new());
    }
    let ask: u64 = asks().map(|task| u64::from(task.resources.cores)).sum();
    let mut free = free(node, taken);
    if ask > free.len() as u64 {
        return Err(Misfit::Cores { ask: u32::try_from(ask).unwrap_or(u32::MAX), free: free.len() as u32 });
    }
    let mut ids_of = BTreeMap::new();
    let is_near = |task: &&Task| near.contains_key(task.name.as_str());
    for task in asks().filter(is_near).chain(asks().filter(|task| !is_near(task))) {
        let wanted = task.resources.cores as usize;
        let from = match near.get(task.name.as_str()).and_then(|numa| node.cores.numa_nodes.get(numa)) {
            Some(cores) => free.intersection(cores).copied().collect(),
            None => free.clone(),
        };
        if from.len() < wanted {
            return Err(Misfit::Cores { ask: task.resources.cores, free: from.len() as u32 });
        }
        let ids = row(&from, taken, wanted);
        free.retain(|core| !ids.contains(core));
        ids_of.insert(task.name.as_str(), ids);
    }
    let grant = |task: &Task| {
        let ids = ids_of.remove(task.name.as_str())?;
        Some(CoreGrant { task: task.name.clone(), ids })
    };
    Ok(group.tasks.iter().filter_map(grant).collect())
}

/// The cores that nobody else has.
pub(super) fn free(node: &Node, taken: &Taken<'_>) -> BTreeSet<u16> {
    node.cores.ids.iter().copied().filter(|core| taken.is_core_free(*core)).collect()
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
