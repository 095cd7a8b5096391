//! Looks for what would let an instance in. Nothing is a hint that was not tried: a bent document is put through the same
//! checks, and a job that should stop is stopped on a copy of the state. Only of a new node it is said what it needs.

use std::collections::{BTreeMap, BTreeSet};

use model::{Constraint, Group, Job, JobKey, Misfit, Resources};

use super::slips::{Slip, slips};
use super::{Asks, Change, Dimension, Hint, NewNode, NodeLimit};
use crate::limits::{HINTS_OF_CLOSED_NODES_MAX, HINTS_OF_JOBS_MAX, HINTS_TOGETHER_MAX};
use crate::rehearsal::Rehearsal;
use crate::schedule::{Finding, Survey, Surveyor, differs_by_node, unmet};
use crate::state::State;

/// An ask that would have to be lowered to less than one part in so many is no hint.
const LOWERED_PARTS_MAX: u64 = 10;
/// Nodes for which several changes are put together, the nearest first.
const NODES_TRIED_MAX: usize = 5;
/// Jobs that are stopped in thought.
const JOBS_TRIED_MAX: usize = 8;

/// What would let the instance of `survey` in, of which `unplaced` found no room: changes of the document first, then
/// changes of the cluster.
pub(in super::super) fn hints(
    state: &State,
    surveyor: &mut Surveyor<'_>,
    survey: &Survey,
    findings: &[Finding],
    unplaced: u32,
) -> Vec<Hint> {
    let Some(group) = survey.group() else { return Vec::new() };
    let now = fits(findings);
    let mut try_out = |changes: Vec<Change>| {
        let bent = survey.with(|job| {
            for change in &changes {
                change.bend(job, &group.name);
            }
        });
        let nodes = fits(&surveyor.findings(&bent));
        // A change that lets nobody in is no hint.
        (nodes > now).then_some(Hint::of(changes, nodes))
    };
    let slips = slips(survey.job(), group, findings);
    let single = single_changes(survey.job(), group, findings, &slips);
    let mut hints: Vec<_> = single.into_iter().filter_map(|change| try_out(vec![change])).collect();
    if hints.is_empty() {
        hints = together(survey.job(), group, findings, &slips).into_iter().filter_map(&mut try_out).collect();
        hints.truncate(HINTS_TOGETHER_MAX);
    }
    let of_one_node = [closed_nodes(findings), sick_drivers(findings), low_limits(findings)].concat();
    hints.extend(of_one_node.into_iter().map(|change| Hint::of(vec![change], now + 1)));
    hints.extend(stopped_jobs(state, survey, group, findings, now));
    if !is_out_of_reach(survey.job(), group, findings) {
        let node = NewNode {
            with: conditions(survey.job(), group, findings),
            is_apart: is_apart(survey.job(), group),
            ..new_node(group, findings, unplaced.max(1))
        };
        hints.push(Hint::of(vec![Change::AddNode(node)], now + 1));
    }
    hints
}

/// Whether a constraint asks for what no node can ever be, as it is written.
fn is_out_of_reach(job: &Job, group: &Group, findings: &[Finding]) -> bool {
    let is_met = |known: &Constraint| findings.iter().any(|it| unmet(std::slice::from_ref(known), &it.node).is_empty());
    let is_constant =
        |known: &Constraint| ![&known.attribute, &known.value].into_iter().any(|side| differs_by_node(side));
    constraints(job, group).iter().any(|known| is_constant(known) && !is_met(known) && !findings.is_empty())
}

fn fits(findings: &[Finding]) -> u32 {
    findings.iter().filter(|finding| finding.misfits.is_empty()).count() as u32
}

/// Changes of the document of which each may be enough.
fn single_changes(job: &Job, group: &Group, findings: &[Finding], slips: &[Slip]) -> Vec<Change> {
    let mut changes: Vec<_> = slips.iter().cloned().map(Change::Correct).collect();
    changes.extend(least_lowered(group, findings).into_iter().map(Change::Lower));
    changes.extend(fewer_devices(findings));
    changes.extend(fewer_cores(findings).map(Change::FewerCores));
    changes.extend(constraints(job, group).into_iter().map(Change::RemoveConstraint));
    changes.extend([Change::AnyDatacenter, Change::AnyPool, Change::DynamicPorts, Change::NoNumaAffinity]);
    changes.extend(read_only_volumes(findings));
    changes
}

/// Changes of the document that are enough only together, for each of the nearest nodes.
fn together(job: &Job, group: &Group, findings: &[Finding], slips: &[Slip]) -> Vec<Vec<Change>> {
    let mut nearest: Vec<_> = findings.iter().collect();
    nearest.sort_by_key(|finding| (finding.misfits.len(), &finding.node.name, finding.node.id));
    let mut known = Vec::new();
    let all_for = |finding| all_for(job, group, finding, slips);
    for changes in nearest.into_iter().take(NODES_TRIED_MAX).filter_map(all_for) {
        if !known.contains(&changes) {
            known.push(changes);
        }
    }
    known
}

/// The changes that overcome everything that stands against a node; none where that is no way.
fn all_for(job: &Job, group: &Group, finding: &Finding, slips: &[Slip]) -> Option<Vec<Change>> {
    let (short, others): (Vec<_>, Vec<_>) = finding.misfits.iter().cloned().partition(is_amount);
    let mut changes = Vec::new();
    for misfit in &others {
        let slip = slips.iter().find(|slip| slip.explains(misfit, &finding.node)).cloned().map(Change::Correct);
        let change = slip.or_else(|| change_for(job, group, misfit))?;
        if !changes.contains(&change) {
            changes.push(change);
        }
    }
    if !short.is_empty() {
        changes.push(Change::Lower(lowered_for(group, &short)?.1));
    }
    (changes.len() > 1).then_some(changes)
}

fn is_amount(misfit: &Misfit) -> bool {
    matches!(misfit, Misfit::Cpu { .. } | Misfit::Memory { .. } | Misfit::MemoryMax { .. } | Misfit::Disk { .. })
}

/// The change of the document that overcomes a reason other than an amount.
fn change_for(job: &Job, group: &Group, misfit: &Misfit) -> Option<Change> {
    let written = |is: &dyn Fn(&Constraint) -> bool| constraints(job, group).into_iter().find(|known| is(known));
    match misfit {
        Misfit::Constraint { text, .. } => written(&|known| known.to_string() == *text).map(Change::RemoveConstraint),
        Misfit::DistinctHosts => {
            written(&|known| known.operator == model::Operator::DistinctHosts).map(Change::RemoveConstraint)
        }
        Misfit::DistinctProperty { property, .. } => {
            let is = |known: &Constraint| {
                known.operator == model::Operator::DistinctProperty && known.attribute == *property
            };
            written(&is).map(Change::RemoveConstraint)
        }
        Misfit::Datacenter { .. } => Some(Change::AnyDatacenter),
        Misfit::Pool { .. } => Some(Change::AnyPool),
        Misfit::PortTaken { .. } => Some(Change::DynamicPorts),
        Misfit::Device { name, free, .. } if *free > 0 => Some(Change::FewerDevices { name: name.clone(), to: *free }),
        Misfit::Cores { free, .. } if *free > 0 => Some(Change::FewerCores(*free)),
        Misfit::NumaCores { .. } | Misfit::NumaDevice { .. } => Some(Change::NoNumaAffinity),
        Misfit::HostVolumeReadOnly { name } => Some(Change::ReadVolumeOnly(name.clone())),
        Misfit::Device { .. }
        | Misfit::NotReady { .. }
        | Misfit::Ineligible { .. }
        | Misfit::Driver { .. }
        | Misfit::Cpu { .. }
        | Misfit::Memory { .. }
        | Misfit::MemoryMax { .. }
        | Misfit::Disk { .. }
        | Misfit::NoDynamicPort
        | Misfit::Cores { .. }
        | Misfit::Allocations { .. }
        | Misfit::NetworkMode { .. }
        | Misfit::SecretsProvider { .. }
        | Misfit::HostVolumeMode { .. }
        | Misfit::HostVolumeWritten { .. }
        | Misfit::HostVolumeClaimed { .. }
        | Misfit::VolumePlugin { .. }
        | Misfit::VolumeNameTaken { .. }
        | Misfit::HostVolume { .. }
        | Misfit::HostNetwork { .. } => None,
    }
}

/// For each set of dimensions that alone keeps an instance from some node: the amounts that ask for the least sacrifice.
fn least_lowered(group: &Group, findings: &[Finding]) -> Vec<Asks> {
    let mut least: BTreeMap<(usize, Vec<Dimension>), (u64, Asks)> = BTreeMap::new();
    for finding in findings {
        let Some((sacrifice, to)) = lowered_for(group, &finding.misfits) else { continue };
        let dimensions: Vec<_> = to.keys().copied().collect();
        let known = least.entry((dimensions.len(), dimensions)).or_insert_with(|| (sacrifice, to.clone()));
        if sacrifice < known.0 {
            *known = (sacrifice, to);
        }
    }
    least.into_values().map(|(_, to)| to).collect()
}

/// To what each ask must be lowered to overcome `misfits`, and the sacrifice in thousandths; none where that is no way.
fn lowered_for(group: &Group, misfits: &[Misfit]) -> Option<(u64, Asks)> {
    // Without a limit of its own, the most memory is the memory.
    let max_is_memory = group.tasks.iter().all(|task| task.resources.limit_mb() == task.resources.memory);
    let mut to = BTreeMap::new();
    let mut sacrifice = 0;
    for misfit in misfits {
        let (dimension, ask, free) = match misfit {
            Misfit::Cpu { ask_mhz, free_mhz } => (Dimension::Cpu, *ask_mhz, *free_mhz),
            Misfit::Memory { ask_mb, free_mb } => (Dimension::Memory, *ask_mb, *free_mb),
            Misfit::MemoryMax { ask_mb, free_mb } if max_is_memory => (Dimension::Memory, *ask_mb, *free_mb),
            Misfit::MemoryMax { ask_mb, free_mb } => (Dimension::MemoryMax, *ask_mb, *free_mb),
            Misfit::Disk { ask_mb, free_mb } => (Dimension::Disk, *ask_mb, *free_mb),
            _ => return None,
        };
        if free.saturating_mul(LOWERED_PARTS_MAX) < ask || free == 0 {
            return None;
        }
        let known = to.entry(dimension).or_insert(free);
        *known = free.min(*known);
        sacrifice += (ask - free) * 1000 / ask;
    }
    Some((sacrifice, to)).filter(|(_, to)| !to.is_empty())
}

/// Per kind of device the most that a node could give that is short of nothing else.
fn fewer_devices(findings: &[Finding]) -> Vec<Change> {
    let mut most: BTreeMap<&str, u64> = BTreeMap::new();
    for finding in findings {
        if let [Misfit::Device { name, free, .. }] = finding.misfits.as_slice()
            && *free > 0
        {
            let known = most.entry(name).or_default();
            *known = (*free).max(*known);
        }
    }
    most.into_iter().map(|(name, to)| Change::FewerDevices { name: name.to_string(), to }).collect()
}

/// The most cores that a node could give which is short of those and their share of CPU only.
fn fewer_cores(findings: &[Finding]) -> Option<u32> {
    let is_of_cores =
        |misfit: &Misfit| matches!(misfit, Misfit::Cpu { .. } | Misfit::Cores { .. } | Misfit::NumaCores { .. });
    let short_of_cores = findings.iter().filter(|finding| finding.misfits.iter().all(is_of_cores));
    let free = short_of_cores.flat_map(|finding| &finding.misfits).filter_map(|misfit| match misfit {
        Misfit::Cores { free, .. } | Misfit::NumaCores { free, .. } => Some(*free),
        _ => None,
    });
    free.max().filter(|free| *free > 0)
}

/// The host volumes that are read-only where nothing else is in the way.
fn read_only_volumes(findings: &[Finding]) -> Vec<Change> {
    let names = findings.iter().filter_map(|finding| match finding.misfits.as_slice() {
        [Misfit::HostVolumeReadOnly { name }] => Some(name),
        _ => None,
    });
    names.collect::<BTreeSet<_>>().into_iter().map(|name| Change::ReadVolumeOnly(name.clone())).collect()
}

/// The constraints of an instance, each once, as they are written.
pub(super) fn constraints(job: &Job, group: &Group) -> Vec<Constraint> {
    let of_tasks = group.tasks.iter().flat_map(|task| &task.constraints);
    let mut seen = BTreeSet::new();
    let all = job.constraints.iter().chain(&group.constraints).chain(of_tasks);
    all.filter(|constraint| seen.insert(constraint.to_string())).cloned().collect()
}

/// The nodes that would fit if they were ready and open.
fn closed_nodes(findings: &[Finding]) -> Vec<Change> {
    let closes = |misfit: &Misfit| matches!(misfit, Misfit::NotReady { .. } | Misfit::Ineligible { .. });
    of_a_few_nodes(findings, |finding| {
        let because = finding.misfits.first().filter(|_| finding.misfits.iter().all(closes))?.clone();
        Some(Change::OpenNode { node: finding.node.id, name: finding.node.name.clone(), because })
    })
}

/// The nodes that would fit if the drivers that they have were well.
fn sick_drivers(findings: &[Finding]) -> Vec<Change> {
    of_a_few_nodes(findings, |Finding { node, misfits, .. }| {
        let sick = |misfit: &Misfit| match misfit {
            Misfit::Driver { name } if node.drivers.get(name).is_some_and(|it| it.detected) => Some(name.clone()),
            _ => None,
        };
        let drivers = misfits.iter().map(sick).collect::<Option<Vec<_>>>().filter(|drivers| !drivers.is_empty())?;
        Some(Change::HealDrivers { node: node.id, name: node.name.clone(), drivers })
    })
}

/// The nodes that would fit if their agents were configured for more.
fn low_limits(findings: &[Finding]) -> Vec<Change> {
    of_a_few_nodes(findings, |Finding { node, misfits, .. }| {
        let low = |misfit: &Misfit| match misfit {
            Misfit::Allocations { .. } => Some(NodeLimit::Allocations),
            Misfit::NoDynamicPort => Some(NodeLimit::DynamicPorts),
            _ => None,
        };
        let limits = misfits.iter().map(low).collect::<Option<BTreeSet<_>>>().filter(|limits| !limits.is_empty())?;
        let limits = limits.into_iter().collect();
        Some(Change::RaiseLimits { node: node.id, name: node.name.clone(), limits })
    })
}

/// What is to be changed of nodes, by name: of a few, since one is enough.
fn of_a_few_nodes(findings: &[Finding], change: impl Fn(&Finding) -> Option<Change>) -> Vec<Change> {
    let mut by_name: Vec<_> = findings.iter().collect();
    by_name.sort_by_key(|finding| (&finding.node.name, finding.node.id));
    by_name.into_iter().filter_map(change).take(HINTS_OF_CLOSED_NODES_MAX).collect()
}

/// The jobs of no higher priority in whose room the instance would fit, those of the lowest priority and the smallest
/// first.
fn stopped_jobs(state: &State, survey: &Survey, group: &Group, findings: &[Finding], now: u32) -> Vec<Hint> {
    let mut candidates = candidates(state, survey, group, findings);
    candidates.sort();
    candidates.truncate(JOBS_TRIED_MAX);
    let fits_without = |job: JobKey| {
        let mut rehearsal = Rehearsal::of(state, state.time());
        rehearsal.stop_at_once(&job);
        let nodes = fits(&Surveyor::of(&rehearsal.state).findings(survey));
        (nodes > now).then(|| Hint::of(vec![Change::StopJob(job)], nodes))
    };
    candidates.into_iter().filter_map(|(.., job)| fits_without(job)).take(HINTS_OF_JOBS_MAX).collect()
}

/// Jobs whose instances hold enough on some node that is merely full, by priority and by how many instances they have.
fn candidates(state: &State, survey: &Survey, group: &Group, findings: &[Finding]) -> Vec<(u32, usize, JobKey)> {
    let own = survey.job();
    let is_full = |finding: &&Finding| !finding.misfits.is_empty() && !finding.misfits.iter().any(Misfit::is_filter);
    let mut enough: BTreeSet<JobKey> = BTreeSet::new();
    for finding in findings.iter().filter(is_full) {
        let mut held: BTreeMap<&JobKey, Resources> = BTreeMap::new();
        for known in state.allocations_of_node(finding.node.id).filter(|known| known.holds()) {
            *held.entry(&known.job).or_default() += known.resources;
        }
        let free = state.node_use(finding.node.id).free(&finding.node);
        let ask = group.ask_on(&finding.node);
        let makes_room = |held: &Resources| ask.is_within(free + *held);
        enough.extend(held.into_iter().filter(|(_, held)| makes_room(held)).map(|(job, _)| job.clone()));
    }
    let weigh = |job: JobKey| {
        let priority = state.job(&job).filter(|record| !record.stop)?.current().job.priority;
        let instances = state.allocations_of_job(&job).filter(|known| known.is_live()).count();
        (job != own.key() && priority <= own.priority).then_some((priority, instances, job))
    };
    enough.into_iter().filter_map(weigh).collect()
}

/// What a node must have free.
fn new_node(group: &Group, findings: &[Finding], instances: u32) -> NewNode {
    let ask = group.ask();
    let is_short_of_disk =
        |finding: &Finding| finding.misfits.iter().any(|misfit| matches!(misfit, Misfit::Disk { .. }));
    NewNode {
        cpu_mhz: ask.cpu_mhz,
        memory_mb: ask.memory_mb,
        memory_max_mb: if ask.memory_max_mb > ask.memory_mb { ask.memory_max_mb } else { 0 },
        disk_mb: if findings.iter().any(is_short_of_disk) { ask.disk_mb } else { 0 },
        cores: group.cores(),
        devices: group.devices().into_iter().map(|(name, count)| (name.to_string(), count)).collect(),
        instances,
        with: Vec::new(),
        is_apart: false,
    }
}

/// Whether no two instances can be on one node.
fn is_apart(job: &Job, group: &Group) -> bool {
    let mut ports = group.networks.iter().flat_map(|network| &network.reserved_ports);
    let is_apart = |known: &Constraint| known.operator == model::Operator::DistinctHosts && known.value != "false";
    constraints(job, group).iter().any(is_apart) || ports.any(|port| !port.ignore_collision)
}

/// What a new node must be or have, by which nodes that are there are excluded; each in words, once.
fn conditions(job: &Job, group: &Group, findings: &[Finding]) -> Vec<String> {
    let misfits = || findings.iter().flat_map(|finding| &finding.misfits);
    let mut conditions: BTreeSet<_> = misfits().filter_map(|misfit| condition(job, misfit)).collect();
    if misfits().any(|misfit| matches!(misfit, Misfit::NumaDevice { .. })) {
        conditions.extend(devices_near_cores(group));
    }
    conditions.into_iter().collect()
}

/// All devices that tasks of `group` want near their cores: those that one misses are no use without the others.
fn devices_near_cores(group: &Group) -> impl Iterator<Item = String> {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for resources in group.tasks.iter().map(|task| &task.resources) {
        let wanted = resources.numa.iter().flat_map(|numa| &numa.devices);
        for device in wanted.flat_map(|name| resources.devices.iter().filter(move |device| device.name == *name)) {
            *counts.entry(&device.name).or_default() += device.count;
        }
    }
    counts.into_iter().map(|(name, count)| format!("{count} of device {name} near the cores"))
}

/// What a new node must be or have so that a reason does not exclude it; none where that goes without saying, or amounts
/// to room.
fn condition(job: &Job, misfit: &Misfit) -> Option<String> {
    match misfit {
        Misfit::Datacenter { .. } => Some(format!("datacenter {}", job.datacenters.join(" or "))),
        Misfit::Pool { .. } => Some(format!("node pool {}", job.node_pool)),
        Misfit::Driver { name } => Some(format!("driver {name}")),
        Misfit::Constraint { text, .. } => Some(text.clone()),
        Misfit::HostVolume { name } => Some(format!("host volume {name}")),
        Misfit::HostVolumeReadOnly { name } => Some(format!("host volume {name} to be written")),
        Misfit::HostVolumeMode { name, wanted } => Some(format!("host volume {name} for {wanted}")),
        Misfit::NetworkMode { mode } => Some(format!("network mode {mode}")),
        Misfit::HostNetwork { name } => Some(format!("host network {name}")),
        Misfit::SecretsProvider { name } => Some(format!("secrets provider {name}")),
        Misfit::VolumePlugin { name } => Some(format!("volume plugin {name}")),
        Misfit::DistinctProperty { property, .. } => Some(format!("another {property}")),
        Misfit::NumaCores { ask, .. } => Some(format!("{ask} cores of one numa node")),
        Misfit::NumaDevice { .. }
        | Misfit::NotReady { .. }
        | Misfit::Ineligible { .. }
        | Misfit::DistinctHosts
        | Misfit::Cpu { .. }
        | Misfit::Memory { .. }
        | Misfit::MemoryMax { .. }
        | Misfit::Disk { .. }
        | Misfit::PortTaken { .. }
        | Misfit::NoDynamicPort
        | Misfit::Cores { .. }
        | Misfit::Device { .. }
        | Misfit::Allocations { .. }
        | Misfit::HostVolumeWritten { .. }
        | Misfit::HostVolumeClaimed { .. }
        | Misfit::VolumeNameTaken { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use model::testing::job;

    use super::*;

    #[test]
    fn an_ask_may_be_lowered_to_its_least_part_and_no_further() {
        let group = job("web").groups.remove(0);
        let lowered = |ask_mb| lowered_for(&group, &[Misfit::Disk { ask_mb, free_mb: 7 }]).map(|(_, to)| to);
        assert_eq!(lowered(7 * LOWERED_PARTS_MAX), Some(Asks::from([(Dimension::Disk, 7)])));
        assert_eq!(lowered(7 * LOWERED_PARTS_MAX + 1), None);
    }
}
