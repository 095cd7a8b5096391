//! The rules by which one allocation lives, drawn once from its job, so that no step reads the document again.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Assignment, CheckRestart, Group, Job, JobType, OnUpdate};

use crate::checks::Thresholds;
use crate::health::HealthRules;
use crate::lifecycle::Role;
use crate::task::Policy;

/// The name under which the holder of a shared network namespace is kept among the tasks. Jobs can't use it: `alloc`
/// is not allowed as a task's name.
pub const NETWORK_TASK: &str = "alloc";

/// The rules of one allocation.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Its tasks, by name.
    pub members: BTreeMap<String, Member>,
    /// Its checks, by `service/check`.
    pub checks: BTreeMap<String, CheckSpec>,
    /// Time between the decision to stop and the first signal, in which catalog and DNS forget the instance.
    pub signal_delay: Duration,
    /// What makes it healthy; none for jobs whose health nobody waits for.
    pub health: Option<HealthRules>,
}

/// The rules of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// Its part in the group.
    pub role: Role,
    /// Whether the others end with it.
    pub leader: bool,
    /// Its restarts.
    pub policy: Policy,
}

/// The rules of one check.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckSpec {
    /// The task whose service it belongs to; none for the group's services.
    pub task: Option<String>,
    /// When it changes.
    pub thresholds: Thresholds,
    /// Whether the instance is healthy only while it passes.
    pub counted: bool,
    /// Restarts the task when it keeps failing.
    pub restart: Option<CheckRestart>,
}

impl Spec {
    /// The rules of `assignment`, whose group is `group` of `job`. An instance with services stays silent for at least
    /// `deregister_grace` between leaving the catalog and the first signal.
    pub fn of(job: &Job, group: &Group, assignment: &Assignment, deregister_grace: Duration) -> Spec {
        let completes = job.kind.runs_to_completion();
        let group_restart = group.restart.clone().unwrap_or_else(|| model::Restart::of(job.kind));
        let mut members = BTreeMap::new();
        for task in &group.tasks {
            let role = Role::of(task);
            let restart = task.restart.clone().unwrap_or_else(|| group_restart.clone());
            let policy = Policy { restart, completes: role.completes(completes) };
            members.insert(task.name.clone(), Member { role, leader: task.leader, policy });
        }
        if group.networks.first().is_some_and(|network| network.mode.is_shared()) {
            let policy = Policy { restart: group_restart, completes: false };
            members.insert(NETWORK_TASK.into(), Member { role: Role::Network, leader: false, policy });
        }
        let in_deployment = assignment.deployment.is_some();
        let has_services = group.all_services().next().is_some();
        let own_delay = group.tasks.iter().map(|task| task.shutdown_delay).max().unwrap_or_default();
        let delay = group.shutdown_delay.unwrap_or_default().max(own_delay);
        Spec {
            members,
            checks: checks(group),
            signal_delay: if has_services { delay.max(deregister_grace) } else { delay },
            health: is_judged(job.kind, in_deployment).then(|| HealthRules::of(group, in_deployment)),
        }
    }
}

/// Whether somebody waits for the health of an instance: a rollout, or for a service also a drain.
fn is_judged(kind: JobType, in_deployment: bool) -> bool {
    match kind {
        JobType::Service => true,
        JobType::System => in_deployment,
        JobType::Batch | JobType::SysBatch => false,
    }
}

fn checks(group: &Group) -> BTreeMap<String, CheckSpec> {
    let mut checks = BTreeMap::new();
    for (task, service) in group.all_services() {
        let owner = task.map(|task| task.name.clone());
        let owner = owner.or_else(|| Some(service.task_name.clone()).filter(|name| !name.is_empty()));
        for check in service.checks.iter().filter(|check| check.is_probed()) {
            let thresholds = Thresholds {
                success_before_passing: check.success_before_passing,
                failures_before_critical: check.failures_before_critical,
            };
            let counted = match (check.on_update, service.on_update) {
                (OnUpdate::RequireHealthy, own) => own != OnUpdate::Ignore,
                (OnUpdate::IgnoreWarnings, _) => true,
                (OnUpdate::Ignore, _) => false,
            };
            let restart = check.check_restart.clone().filter(|restart| restart.limit > 0);
            let spec = CheckSpec { task: owner.clone(), thresholds, counted, restart };
            checks.insert(check_key(&service.name, &check.name), spec);
        }
    }
    checks
}

/// The key of a check in observations.
pub(crate) fn check_key(service: &str, check: &str) -> String {
    format!("{service}/{check}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_health_of_services_is_judged_always_and_that_of_system_jobs_in_a_rollout() {
        for (kind, alone, in_rollout) in [
            (JobType::Service, true, true),
            (JobType::System, false, true),
            (JobType::Batch, false, false),
            (JobType::SysBatch, false, false),
        ] {
            assert_eq!((is_judged(kind, false), is_judged(kind, true)), (alone, in_rollout), "{kind:?}");
        }
    }
}
