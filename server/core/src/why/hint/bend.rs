//! Carries a change out on a document.

use model::{Constraint, Group, Job};

use super::{Change, Dimension, Named, Slip};

impl Change {
    /// Changes `group` of `job`; whether this is a change of the document at all, and not of the cluster.
    pub fn bend(&self, job: &mut Job, group: &str) -> bool {
        match self {
            Change::Lower(to) => of_group(job, group, |group| to.iter().for_each(|(of, to)| lower(group, *of, *to))),
            Change::Correct(slip) => correct(job, group, slip),
            Change::RemoveConstraint(constraint) => {
                job.constraints.retain(|known| known != constraint);
                of_group(job, group, |group| remove(group, constraint));
            }
            Change::AnyDatacenter => job.datacenters = vec!["*".into()],
            Change::AnyPool => job.node_pool = model::ALL_NODE_POOLS.into(),
            Change::DynamicPorts => of_group(job, group, let_ports_be_chosen),
            Change::FewerDevices { name, to } => of_group(job, group, |group| ask_fewer(group, name, *to)),
            Change::FewerCores(to) => of_group(job, group, |group| lower_cores(group, *to)),
            Change::NoNumaAffinity => of_group(job, group, |group| {
                group.tasks.iter_mut().for_each(|task| task.resources.numa = None);
            }),
            Change::ReadVolumeOnly(name) => of_group(job, group, |group| read_only(group, name)),
            Change::HealDrivers { .. }
            | Change::RaiseLimits { .. }
            | Change::OpenNode { .. }
            | Change::StopJob(_)
            | Change::AddNode(_) => return false,
        }
        true
    }
}

fn of_group(job: &mut Job, group: &str, bend: impl Fn(&mut Group)) {
    job.groups.iter_mut().filter(|known| known.name == group).for_each(bend);
}

fn correct(job: &mut Job, group: &str, slip: &Slip) {
    let rename = |name: &mut String| {
        if *name == slip.from {
            name.clone_from(&slip.to);
        }
    };
    match slip.of {
        Named::Datacenter => job.datacenters.iter_mut().for_each(rename),
        Named::Pool => rename(&mut job.node_pool),
        Named::Attribute => {
            job.constraints.iter_mut().for_each(|known| rename(&mut known.attribute));
            of_group(job, group, |group| {
                let of_tasks = group.tasks.iter_mut().flat_map(|task| &mut task.constraints);
                group.constraints.iter_mut().chain(of_tasks).for_each(|known| rename(&mut known.attribute));
            });
        }
        Named::HostVolume => of_group(job, group, |group| {
            let volumes = group.volumes.values_mut().filter(|volume| volume.is_of_host());
            volumes.for_each(|volume| rename(&mut volume.source));
        }),
    }
}

/// Lowers what the tasks of `group` ask together, the largest first.
fn lower(group: &mut Group, dimension: Dimension, to: u64) {
    if dimension == Dimension::Disk {
        group.ephemeral_disk.size_mb = to;
        return;
    }
    for _ in 0..group.tasks.len() {
        let ask = group.ask();
        let sum = match dimension {
            Dimension::Cpu => ask.cpu_mhz,
            Dimension::Memory => ask.memory_mb,
            Dimension::MemoryMax | Dimension::Disk => ask.memory_max_mb,
        };
        let of_task = |task: &model::Task| match dimension {
            // Cores can't be had in parts.
            Dimension::Cpu => task.resources.cpu_mhz(0),
            Dimension::Memory => task.resources.memory,
            Dimension::MemoryMax | Dimension::Disk => task.resources.limit_mb(),
        };
        let Some(largest) = group.tasks.iter_mut().max_by_key(|task| of_task(task)) else { return };
        let amount = of_task(largest).saturating_sub(sum.saturating_sub(to));
        match dimension {
            Dimension::Cpu => largest.resources.cpu = amount,
            Dimension::Memory => largest.resources.memory = amount,
            Dimension::MemoryMax | Dimension::Disk => {
                largest.resources.memory_max = i64::try_from(amount).unwrap_or(i64::MAX);
            }
        }
    }
}

/// Lowers how many cores the tasks of `group` ask for together, those that ask for most first.
fn lower_cores(group: &mut Group, to: u32) {
    let cores = |group: &Group| group.tasks.iter().map(|task| task.resources.cores).sum::<u32>();
    while cores(group) > to {
        let Some(most) = group.tasks.iter_mut().max_by_key(|task| task.resources.cores) else { return };
        most.resources.cores -= 1;
    }
}

fn read_only(group: &mut Group, source: &str) {
    let volumes = group.volumes.values_mut().filter(|volume| volume.is_of_host() && volume.source == source);
    volumes.for_each(|volume| volume.read_only = true);
}

fn remove(group: &mut Group, constraint: &Constraint) {
    group.constraints.retain(|known| known != constraint);
    for task in &mut group.tasks {
        task.constraints.retain(|known| known != constraint);
    }
}

fn let_ports_be_chosen(group: &mut Group) {
    for network in &mut group.networks {
        let fixed = std::mem::take(&mut network.reserved_ports);
        network.dynamic_ports.extend(fixed);
    }
}

fn ask_fewer(group: &mut Group, name: &str, to: u64) {
    let asks = group.tasks.iter_mut().flat_map(|task| &mut task.resources.devices);
    for ask in asks.filter(|ask| ask.name == name) {
        ask.count = ask.count.min(to);
    }
}
