//! Whether the values of a job make sense, alone and together.
//!
//! The same rules and texts for HCL, JSON and the server's admission. The path of a problem leads to its line in a
//! jobspec. Values that are merely unusual (no instances, more memory than any node has) are no problem here.

mod batch;
mod cron;
mod driver;
mod files;
mod identity;
mod mesh;
mod names;
mod placement;
mod policy;
mod scaling;
mod service;
mod signal;
mod storage;

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use model::{Group, Job, JobType, NetworkMode, Task};

use crate::nearest;

pub(crate) use driver::DRIVERS;
pub use names::{NAME_LENGTH_MAX, SERVICE_NAME_LENGTH_MAX};

/// The range of a job's priority.
pub const PRIORITY_LEAST: u32 = 1;
/// See [`PRIORITY_LEAST`].
pub const PRIORITY_MOST: u32 = 100;
/// The most instances of one job, over all its groups.
pub const INSTANCES_MAX: u64 = 50_000;
/// The most instances of a job that is `all_at_once`: they have to fit in one plan.
pub const ALL_AT_ONCE_INSTANCES_MAX: u64 = 10_000;
/// The least memory of a task, in MiB.
pub const MEMORY_LEAST_MB: u64 = 10;
/// The least CPU share of a task, in MHz.
pub const CPU_LEAST_MHZ: u64 = 1;
/// The least disk of a group, in MiB.
pub const DISK_LEAST_MB: u64 = 10;

/// Something that is wrong with a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where, as a path in the job's JSON: `TaskGroups[0].Tasks[0].Driver`.
    pub path: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The name that is itself wrong, where it is not the value.
    pub(crate) name: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

/// Everything that is wrong with a complete job; empty if it can be admitted.
pub fn validate(job: &Job) -> Vec<Problem> {
    let mut problems = Problems::default();
    names::check_job(job, &mut problems);
    if !(PRIORITY_LEAST..=PRIORITY_MOST).contains(&job.priority) {
        let message = format!("the priority must be {PRIORITY_LEAST} to {PRIORITY_MOST}, this is {}", job.priority);
        problems.add("Priority", message, "50 is usual");
    }
    if job.groups.is_empty() {
        problems.add(
            "",
            format!("the job `{}` has no groups", job.id),
            "write: group \"name\" { task \"name\" { … } }",
        );
    }
    let instances: u64 = job.groups.iter().map(|group| u64::from(group.count)).sum();
    if instances > INSTANCES_MAX {
        let message = format!("the job asks for {instances} instances, the limit is {INSTANCES_MAX}");
        problems.add("TaskGroups", message, "split it into several jobs");
    } else if job.all_at_once && instances > ALL_AT_ONCE_INSTANCES_MAX {
        let message = format!(
            "the job asks for {instances} instances all at once, at most {ALL_AT_ONCE_INSTANCES_MAX} are placed together"
        );
        problems.add("AllAtOnce", message, "split it into several jobs, or do without all_at_once");
    }
    placement::check(job, "", (&job.constraints, &job.affinities, &job.spreads), &mut problems);
    policy::check_job(job, &mut problems);
    batch::check_job(job, &mut problems);
    for (at, group) in job.groups.iter().enumerate() {
        check_group(job, group, &format!("TaskGroups[{at}]"), &mut problems);
    }
    problems.0
}

fn check_group(job: &Job, group: &Group, path: &str, problems: &mut Problems) {
    let name = &group.name;
    if job.kind.is_per_node() && group.count > 1 {
        let message = format!("the group `{name}` of a {} job must have count 1 or 0", job.kind.as_str());
        problems.add(format!("{path}.Count"), message, "a system job runs one instance on each eligible node");
    }
    if group.tasks.is_empty() {
        problems.add(
            path,
            format!("the group `{name}` has no tasks"),
            "write: task \"name\" { driver = \"docker\" … }",
        );
    } else if group.tasks.iter().all(|task| task.lifecycle.is_some()) {
        let message = format!("the group `{name}` has no main task");
        problems.add(path, message, "at least one task must have no `lifecycle` block");
    }
    if group.networks.len() > 1 {
        let message = format!("the group `{name}` has {} networks", group.networks.len());
        problems.add(format!("{path}.Networks[1]"), message, "a group has at most one `network` block");
    }
    if group.ephemeral_disk.size_mb < DISK_LEAST_MB {
        let message = format!("the disk of group `{name}` must be at least {DISK_LEAST_MB} MiB");
        problems.add(format!("{path}.EphemeralDisk.SizeMB"), message, "300 is usual");
    }
    let leaders: Vec<usize> = (0..group.tasks.len()).filter(|at| group.tasks[*at].leader).collect();
    if let [_, second, ..] = leaders.as_slice() {
        let message = format!("the group `{name}` has {} leaders", leaders.len());
        problems.add(format!("{path}.Tasks[{second}].Leader"), message, "at most one task may lead");
    }
    names::check_group(group, path, problems);
    check_ports(group, path, problems);
    placement::check(job, path, (&group.constraints, &group.affinities, &group.spreads), problems);
    policy::check_group(job, group, path, problems);
    batch::check_group(job, group, path, problems);
    scaling::check_group(group, path, problems);
    storage::check_group(job, group, path, problems);
    // Ports of tasks are deprecated, and still ports by name.
    let of_tasks = group.tasks.iter().flat_map(|task| &task.resources.networks);
    let ports = group.networks.iter().chain(of_tasks).flat_map(|network| network.ports());
    let labels: BTreeSet<&str> = ports.map(|port| port.label.as_str()).collect();
    service::check_all(group, &labels, path, problems);
    for (at, task) in group.tasks.iter().enumerate() {
        driver::check(task, &labels, &format!("{path}.Tasks[{at}]"), problems);
        check_task(job, group, task, &format!("{path}.Tasks[{at}]"), problems);
    }
}

fn check_task(job: &Job, group: &Group, task: &Task, path: &str, problems: &mut Problems) {
    let name = &task.name;
    let resources = &task.resources;
    if resources.memory < MEMORY_LEAST_MB {
        let message = format!(
            "the task `{name}` asks for {} MiB of memory, the least is {MEMORY_LEAST_MB} MiB",
            resources.memory
        );
        problems.add(
            format!("{path}.Resources.MemoryMB"),
            message,
            "memory is reserved and enforced: give what it needs",
        );
    }
    let memory = i64::try_from(resources.memory).unwrap_or(i64::MAX);
    if resources.memory_max > 0 && resources.memory_max < memory {
        let message = format!(
            "the task `{name}` has memory_max {} MiB below its memory of {} MiB",
            resources.memory_max, resources.memory
        );
        problems.add(
            format!("{path}.Resources.MemoryMaxMB"),
            message,
            "memory_max is the limit, memory what is reserved",
        );
    }
    if resources.cores == 0 && resources.cpu < CPU_LEAST_MHZ {
        let message = format!("the task `{name}` asks for {} MHz, the least is {CPU_LEAST_MHZ}", resources.cpu);
        problems.add(format!("{path}.Resources.CPU"), message, "100 is usual");
    }
    let logs = u64::from(task.logs.max_files) * u64::from(task.logs.max_file_size_mb);
    if !task.logs.disabled && logs > group.ephemeral_disk.size_mb {
        let message = format!(
            "the logs of task `{name}` may take {logs} MiB, the group has {} MiB of disk",
            group.ephemeral_disk.size_mb
        );
        problems.add(format!("{path}.LogConfig"), message, "lower max_files or max_file_size, or raise ephemeral_disk");
    }
    if !task.logs.disabled && (task.logs.max_files == 0 || task.logs.max_file_size_mb == 0) {
        let message = format!("the logs of task `{name}` need at least one file of 1 MiB");
        problems.add(format!("{path}.LogConfig"), message, "to keep none: logs { disabled = true }");
    }
    placement::check(job, path, (&task.constraints, &task.affinities, &[]), problems);
    // The group's own rule is complained about there.
    if task.restart != group.restart {
        policy::check_restart(task.restart.as_ref(), &format!("{path}.RestartPolicy"), problems);
    }
    files::check(task, path, problems);
    identity::check(task, path, problems);
    signal::check(task, path, problems);
    scaling::check_task(task, path, problems);
}

/// Port labels and numbers are unique in the group. Their ranges are checked where they are read.
fn check_ports(group: &Group, path: &str, problems: &mut Problems) {
    for (at, network) in group.networks.iter().enumerate() {
        let mut labels: BTreeSet<&str> = BTreeSet::new();
        let mut numbers: BTreeSet<u16> = BTreeSet::new();
        let lists = [("ReservedPorts", &network.reserved_ports), ("DynamicPorts", &network.dynamic_ports)];
        for (list, ports) in lists {
            for (number, port) in ports.iter().enumerate() {
                let path = format!("{path}.Networks[{at}].{list}[{number}]");
                if port.label.is_empty() {
                    problems.add(path.as_str(), "a port needs a label", "write: port \"http\" {}");
                } else if !labels.insert(&port.label) {
                    let message = format!("the port `{}` is given twice in group `{}`", port.label, group.name);
                    problems.add(path.as_str(), message, "give each port a label of its own");
                }
                if list == "ReservedPorts" && port.value == 0 {
                    let message = format!("the port 0 of `{}` is out of range, ports are 1 to 65535", port.label);
                    problems.add(format!("{path}.Value"), message, "leave `static` out for a port that is free");
                } else if list == "ReservedPorts" && !numbers.insert(port.value) {
                    let message = format!("the port number {} is given twice in group `{}`", port.value, group.name);
                    problems.add(format!("{path}.Value"), message, "a number can be held once on a node");
                }
                let inside = port.to;
                if !(-1..=65_535).contains(&inside) {
                    let message = format!("the port {inside} is out of range, ports are 1 to 65535");
                    problems.add(format!("{path}.To"), message, "-1 stands for the same number as on the node");
                }
            }
        }
        if let NetworkMode::Named(mode) = &network.mode
            && let Some(word) = nearest::nearest(mode, ["host", "bridge", "none"])
        {
            let message = format!("the group `{}` has the unknown network mode `{mode}`", group.name);
            problems.add(format!("{path}.Networks[{at}].Mode"), message, format!("did you mean `{word}`?"));
        }
        if network.mode == NetworkMode::None && network.ports().next().is_some() {
            let message = format!("the group `{}` has ports, but the network mode `none`", group.name);
            problems.add(format!("{path}.Networks[{at}].Mode"), message, "use mode \"host\" or \"bridge\"");
        }
    }
}

/// Problems as they are found.
#[derive(Default)]
struct Problems(Vec<Problem>);

impl Problems {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) {
        let hint = Some(hint.into()).filter(|hint: &String| !hint.is_empty());
        self.0.push(Problem { path: path.into(), message: message.into(), hint, name: None });
    }

    /// The same about a name that is not known.
    fn add_unknown(&mut self, path: String, name: &str, message: String, hint: String) {
        self.0.push(Problem { path, message, hint: Some(hint), name: Some(name.into()) });
    }
}

/// Whether a rule of rollouts or drains applies to jobs of that type.
fn rolls_out(kind: JobType) -> bool {
    matches!(kind, JobType::Service | JobType::System)
}

/// A duration for messages, `1m30s`.
fn duration_text(duration: Duration) -> String {
    crate::duration::show(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

/// `path.name`, or `name` at the top.
fn below(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_string() } else { format!("{path}.{name}") }
}

#[cfg(test)]
mod tests;
