//! Cores of one NUMA node, and devices on the same one: memory is near to both then.
//!
//! A task that requires it gets all its cores from one NUMA node, with the devices that it names; one that prefers it gets
//! them from anywhere where that is not to be had. Which NUMA node each task gets is searched for in order: those of the
//! predecessors first, then where the fewest cores are left over, so that whole NUMA nodes stay free.

use std::collections::BTreeSet;

use model::{Group, Misfit, Node, Task};

use super::{Near, Picked, Taken, cores, devices, pick_near};
use crate::limits::NUMA_SEARCH_STEPS_MAX;

/// Whether a task wants its cores near to each other.
pub(super) fn is_asked(task: &Task) -> bool {
    task.resources.cores > 0 && task.resources.numa.as_ref().is_some_and(|numa| numa.is_asked())
}

fn is_required(task: &Task) -> bool {
    is_asked(task) && task.resources.numa.as_ref().is_some_and(|numa| numa.is_required())
}

/// Picks the cores and devices of one instance of `group` on `node`; otherwise everything that is short.
pub(super) fn pick<'g>(node: &Node, taken: &Taken<'_>, group: &'g Group) -> Result<Picked<'g>, Vec<Misfit>> {
    let tasks: Vec<_> = group.tasks.iter().filter(|task| is_asked(task)).collect();
    let mut steps = NUMA_SEARCH_STEPS_MAX;
    match search(node, taken, group, &tasks, &mut Near::new(), &mut steps) {
        Some(picked) => Ok(picked),
        None => Err(short(node, taken, group)),
    }
}

/// Finds a NUMA node for each of `tasks`; none where there is none, or none was found in that many steps.
fn search<'g>(
    node: &Node,
    taken: &Taken<'_>,
    group: &'g Group,
    tasks: &[&'g Task],
    near: &mut Near<'g>,
    steps: &mut u32,
) -> Option<Picked<'g>> {
    let Some((task, rest)) = tasks.split_first() else {
        *steps = steps.checked_sub(1)?;
        return pick_near(node, taken, group, near).ok();
    };
    let found = choices(node, taken, task).into_iter().find_map(|choice| {
        match choice {
            Some(numa) => near.insert(&task.name, numa),
            None => near.remove(task.name.as_str()),
        };
        search(node, taken, group, rest, near, steps)
    });
    near.remove(task.name.as_str());
    found
}

/// Where the cores of `task` may be, the best first; none for anywhere.
fn choices(node: &Node, taken: &Taken<'_>, task: &Task) -> Vec<Option<u16>> {
    let free = cores::free(node, taken);
    let of_numa = node.cores.numa_nodes.iter().map(|(numa, cores)| (*numa, cores & &free));
    let mut fit: Vec<_> = of_numa
        .filter(|(_, free)| free.len() >= task.resources.cores as usize)
        .map(|(numa, free)| {
            let inherited = free.iter().filter(|core| taken.inherits_core(**core)).count();
            (std::cmp::Reverse(inherited), free.len(), numa)
        })
        .collect();
    fit.sort_unstable();
    let anywhere = (!is_required(task)).then_some(None);
    fit.into_iter().map(|(_, _, numa)| Some(numa)).chain(anywhere).collect()
}

/// What is short: cores or devices at all, or near to each other.
fn short(node: &Node, taken: &Taken<'_>, group: &Group) -> Vec<Misfit> {
    if let Err(misfits) = pick_near(node, taken, group, &Near::new()) {
        return misfits;
    }
    let free = cores::free(node, taken);
    let numa_nodes = || node.cores.numa_nodes.values();
    let most = numa_nodes().map(BTreeSet::len).max().unwrap_or_default() as u32;
    let most_free = numa_nodes().map(|cores| (cores & &free).len()).max().unwrap_or_default() as u32;
    let mut misfits = BTreeSet::new();
    let required = || group.tasks.iter().filter(|task| is_required(task));
    for task in required() {
        let open: Vec<u16> = choices(node, taken, task).into_iter().flatten().collect();
        if open.is_empty() {
            misfits.insert(Misfit::NumaCores { ask: task.resources.cores, most, free: most_free });
        }
        misfits.extend(devices::short_near(node, taken, group, &task.name, &open));
    }
    if misfits.is_empty() {
        // Each would fit alone. Together they ask for more of one NUMA node than is free there.
        let ask = required().map(|task| task.resources.cores).sum();
        misfits.insert(Misfit::NumaCores { ask, most, free: most_free });
    }
    misfits.into_iter().collect()
}
