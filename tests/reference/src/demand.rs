//! What a group asks of a node other than room: whether the node may take it at all, and everything that speaks against it.

use std::collections::BTreeSet;

use model::{
    ALL_NODE_POOLS, AllocationId, Constraint, Eligibility, Group, Job, Misfit, NetworkMode, Node, NodeStatus, Operator,
};

use crate::condition::{holds, resolve};
use crate::desk::Desk;
use crate::{equipment, volumes};

/// Whether `node` meets what of the demand never depends on what runs: then it is one of the group's nodes.
pub fn is_eligible(node: &Node, job: &Job, group: &Group) -> bool {
    lasting(node, job, group).is_empty() && drivers(node, group).is_empty() && means(node, group).is_empty()
}

/// Whether `node` takes new work.
pub fn is_open(node: &Node) -> bool {
    node.status == NodeStatus::Ready && node.eligibility == Eligibility::Eligible && node.drain.is_none()
}

/// Everything that closes `node` to a new instance, whatever room it has, when `leaving` has left.
pub fn misfits(desk: &Desk<'_>, node: &Node, job: &Job, group: &Group, leaving: Option<AllocationId>) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    if node.status != NodeStatus::Ready {
        misfits.push(Misfit::NotReady { status: node.status.as_str().into() });
    }
    if node.drain.is_some() || node.eligibility == Eligibility::Ineligible {
        misfits.push(Misfit::Ineligible { draining: node.drain.is_some() });
    }
    misfits.extend(lasting(node, job, group));
    misfits.extend(drivers(node, group));
    misfits.extend(means(node, group));
    misfits.extend(others(desk, node, job, group, leaving));
    misfits
}

/// Datacenter, pool, constraints, volumes and networks that `node` does not have.
pub fn lasting(node: &Node, job: &Job, group: &Group) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    if !job.datacenters.iter().any(|glob| matches_glob(glob.as_bytes(), node.datacenter.as_bytes())) {
        misfits.push(Misfit::Datacenter { has: node.datacenter.clone() });
    }
    if job.node_pool != ALL_NODE_POOLS && job.node_pool != node.pool {
        misfits.push(Misfit::Pool { has: node.pool.clone() });
    }
    for constraint in constraints(job, group).filter(|constraint| !holds(constraint, node)) {
        misfits.push(Misfit::Constraint { text: constraint.to_string(), has: None });
    }
    misfits.extend(volumes::lacks(node, job, group));
    misfits.extend(equipment::lacks(node, group));
    misfits
}

fn constraints<'a>(job: &'a Job, group: &'a Group) -> impl Iterator<Item = &'a Constraint> {
    job.constraints.iter().chain(&group.constraints).chain(group.tasks.iter().flat_map(|task| &task.constraints))
}

fn drivers(node: &Node, group: &Group) -> Vec<Misfit> {
    let mut names: Vec<_> = group.tasks.iter().map(|task| task.driver.clone()).collect();
    names.sort();
    names.dedup();
    let works = |name: &String| node.drivers.get(name).is_some_and(|driver| driver.detected && driver.healthy);
    names.into_iter().filter(|name| !works(name)).map(|name| Misfit::Driver { name }).collect()
}

/// Ways of being attached to the network, and providers of secrets, that `node` does not have.
fn means(node: &Node, group: &Group) -> BTreeSet<Misfit> {
    let mut misfits = BTreeSet::new();
    for network in group.networks.iter().filter(|network| network.mode != NetworkMode::Unset) {
        let mode: String = network.mode.clone().into();
        if !node.network_modes.contains(&mode) {
            misfits.insert(Misfit::NetworkMode { mode });
        }
    }
    for secret in group.tasks.iter().flat_map(|task| &task.secrets) {
        if !node.attributes.contains_key(&format!("plugins.secrets.{}.version", secret.provider)) {
            misfits.insert(Misfit::SecretsProvider { name: secret.provider.clone() });
        }
    }
    misfits
}

/// `*` stands for anything.
fn matches_glob(glob: &[u8], text: &[u8]) -> bool {
    match glob.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|at| matches_glob(rest, &text[at..])),
        Some((letter, rest)) => {
            text.split_first().is_some_and(|(first, more)| first == letter && matches_glob(rest, more))
        }
    }
}

/// What `distinct_hosts` and `distinct_property` have against `node`.
pub fn others(desk: &Desk<'_>, node: &Node, job: &Job, group: &Group, leaving: Option<AllocationId>) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    let of_group = group.constraints.iter().map(|constraint| (constraint, true));
    let of_both: Vec<_> = of_group.chain(job.constraints.iter().map(|constraint| (constraint, false))).collect();
    // One of the job's goes beyond one of the group's.
    let distinct_hosts = of_both
        .iter()
        .rfind(|(constraint, _)| constraint.operator == Operator::DistinctHosts && constraint.value != "false");
    if let Some((_, in_group)) = distinct_hosts
        && count(desk, group, *in_group, leaving, |other| other.id == node.id) > 0
    {
        misfits.push(Misfit::DistinctHosts);
    }
    for (constraint, in_group) in of_both.iter().filter(|(known, _)| known.operator == Operator::DistinctProperty) {
        let Some(value) = resolve(&constraint.attribute, node) else {
            let text = format!("distinct_property {}", constraint.attribute);
            misfits.push(Misfit::Constraint { text, has: None });
            continue;
        };
        let most = constraint.value.parse().unwrap_or(1);
        let shares = |other: &Node| resolve(&constraint.attribute, other).as_ref() == Some(&value);
        if count(desk, group, *in_group, leaving, shares) >= most {
            misfits.push(Misfit::DistinctProperty { property: constraint.attribute.clone(), value });
        }
    }
    misfits
}

/// Whether places depend on where other instances of the job are.
pub fn is_relative(job: &Job, group: &Group) -> bool {
    group.constraints.iter().chain(&job.constraints).any(|constraint| match constraint.operator {
        Operator::DistinctHosts => constraint.value != "false",
        Operator::DistinctProperty => true,
        _ => false,
    })
}

/// How many instances of the job, or only of the group, are or will be on nodes that `counts`.
fn count(
    desk: &Desk<'_>,
    group: &Group,
    in_group: bool,
    leaving: Option<AllocationId>,
    counts: impl Fn(&Node) -> bool,
) -> usize {
    let is_there = |id| desk.state.node(id).is_some_and(|node| counts(node));
    let known = desk.state.allocations().filter(|known| {
        known.job == desk.job
            && known.is_live()
            && (!in_group || known.group == group.name)
            && Some(known.id) != leaving
            && !desk.ending.contains(&known.id)
            && is_there(known.node)
    });
    let placed = desk.placed.iter().filter(|placed| (!in_group || placed.group == group.name) && is_there(placed.node));
    known.count() + placed.count()
}
