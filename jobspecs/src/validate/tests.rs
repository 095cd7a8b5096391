//! Every limit: a value at it is taken, one beyond is not.

use std::time::Duration;

use model::testing::job;
use model::{Affinity, Check, Constraint, Job, Operator, Reschedule, Restart, Service, Spread, SpreadTarget, Update};

use super::batch::DESCRIPTION_LENGTH_MAX;
use super::placement::WEIGHT_MOST;
use super::policy::{
    RESCHEDULE_ATTEMPTS_MOST, RESCHEDULE_DELAY_LEAST, RESCHEDULE_INTERVAL_LEAST, RESTART_INTERVAL_LEAST,
};
use super::service::CHECK_INTERVAL_LEAST;
use super::*;
use crate::complete;

/// The first problem's path of a valid job that `bend` has changed; empty if there is none.
fn path(bend: impl FnOnce(&mut Job)) -> String {
    let mut job = job("web");
    job.groups[0].tasks[0].logs.max_file_size_mb = 1;
    bend(&mut job);
    complete(&mut job);
    validate(&job).first().map(|problem| problem.path.clone()).unwrap_or_default()
}

/// Takes `bend` at the limit and beyond, and where the problem must be.
#[track_caller]
fn check<T>(bend: impl Fn(&mut Job, T), at_limit: T, beyond: T, expected: &str) {
    assert_eq!(path(|job| bend(job, at_limit)), "", "at the limit");
    assert_eq!(path(|job| bend(job, beyond)), expected, "beyond the limit");
}

const SECOND: Duration = Duration::from_secs(1);
const NANOSECOND: Duration = Duration::from_nanos(1);

#[test]
fn names_have_a_length() {
    check(|job, length| job.id = "a".repeat(length), NAME_LENGTH_MAX, NAME_LENGTH_MAX + 1, "ID");
    check(
        |job, length| job.groups[0].name = "a".repeat(length),
        NAME_LENGTH_MAX,
        NAME_LENGTH_MAX + 1,
        "TaskGroups[0].Name",
    );
    let task = |job: &mut Job, length| job.groups[0].tasks[0].name = "a".repeat(length);
    check(task, NAME_LENGTH_MAX, NAME_LENGTH_MAX + 1, "TaskGroups[0].Tasks[0].Name");
    let service = |job: &mut Job, length| {
        job.groups[0].services = vec![Service { name: "a".repeat(length), ..Service::default() }];
    };
    check(service, SERVICE_NAME_LENGTH_MAX, SERVICE_NAME_LENGTH_MAX + 1, "TaskGroups[0].Services[0].Name");
    let pool = |job: &mut Job, length| job.node_pool = "a".repeat(length);
    check(pool, NAME_LENGTH_MAX, NAME_LENGTH_MAX + 1, "NodePool");
}

#[test]
fn a_description_has_a_length() {
    let describe = |job: &mut Job, length| {
        job.ui = Some(model::Ui { description: "ä".repeat(length), ..model::Ui::default() });
    };
    check(describe, DESCRIPTION_LENGTH_MAX, DESCRIPTION_LENGTH_MAX + 1, "UI.Description");
}

#[test]
fn amounts_have_a_range() {
    check(|job, priority| job.priority = priority, PRIORITY_MOST, PRIORITY_MOST + 1, "Priority");
    check(|job, priority| job.priority = priority, PRIORITY_LEAST, PRIORITY_LEAST - 1, "Priority");
    let most = INSTANCES_MAX as u32;
    check(|job, count| job.groups[0].count = count, most, most + 1, "TaskGroups");
    let together = |job: &mut Job, count| (job.all_at_once, job.groups[0].count) = (true, count);
    let most = ALL_AT_ONCE_INSTANCES_MAX as u32;
    check(together, most, most + 1, "AllAtOnce");
    let memory = |job: &mut Job, memory| job.groups[0].tasks[0].resources.memory = memory;
    check(memory, MEMORY_LEAST_MB, MEMORY_LEAST_MB - 1, "TaskGroups[0].Tasks[0].Resources.MemoryMB");
    let cpu = |job: &mut Job, cpu| job.groups[0].tasks[0].resources.cpu = cpu;
    check(cpu, CPU_LEAST_MHZ, CPU_LEAST_MHZ - 1, "TaskGroups[0].Tasks[0].Resources.CPU");
    let disk = |job: &mut Job, disk| job.groups[0].ephemeral_disk.size_mb = disk;
    check(disk, DISK_LEAST_MB, DISK_LEAST_MB - 1, "TaskGroups[0].EphemeralDisk.SizeMB");
    let memory_max = |job: &mut Job, most| job.groups[0].tasks[0].resources.memory_max = most;
    check(memory_max, 64, 63, "TaskGroups[0].Tasks[0].Resources.MemoryMaxMB");
}

#[test]
fn nothing_to_run_and_more_than_any_node_has_are_no_problem() {
    assert_eq!(path(|job| job.groups[0].count = 0), "");
    assert_eq!(path(|job| job.groups[0].tasks[0].resources.memory = 1 << 30), "");
}

#[test]
fn durations_keep_their_order() {
    let update = |change: fn(&mut Update, Duration)| {
        move |job: &mut Job, value| change(job.groups[0].update.get_or_insert_default(), value)
    };
    let minute = Duration::from_secs(60);
    let deadline =
        update(|rule, value| (rule.healthy_deadline, rule.min_healthy_time) = (Duration::from_secs(60), value));
    check(deadline, minute - NANOSECOND, minute, "TaskGroups[0].Update.MinHealthyTime");
    let progress =
        update(|rule, value| (rule.progress_deadline, rule.healthy_deadline) = (Duration::from_secs(60), value));
    check(progress, minute - NANOSECOND, minute, "TaskGroups[0].Update.HealthyDeadline");
    let restart = |job: &mut Job, interval| {
        job.groups[0].restart = Some(Restart { interval, delay: SECOND, attempts: 1, ..Restart::default() });
    };
    check(restart, RESTART_INTERVAL_LEAST, RESTART_INTERVAL_LEAST - NANOSECOND, "TaskGroups[0].RestartPolicy.Interval");
    let delay = |job: &mut Job, delay| job.groups[0].reschedule = Some(Reschedule { delay, ..Reschedule::default() });
    check(delay, RESCHEDULE_DELAY_LEAST, RESCHEDULE_DELAY_LEAST - NANOSECOND, "TaskGroups[0].ReschedulePolicy.Delay");
    let interval = |job: &mut Job, interval| {
        let rule = Reschedule { interval, attempts: 1, unlimited: false, ..Reschedule::default() };
        job.groups[0].reschedule = Some(rule);
    };
    let least = RESCHEDULE_INTERVAL_LEAST;
    check(interval, least, least - NANOSECOND, "TaskGroups[0].ReschedulePolicy.Interval");
    let attempts = |job: &mut Job, attempts| {
        let rule = Reschedule { interval: minute, attempts, unlimited: false, ..Reschedule::default() };
        job.groups[0].reschedule = Some(rule);
    };
    let most = RESCHEDULE_ATTEMPTS_MOST;
    check(attempts, most, most + 1, "TaskGroups[0].ReschedulePolicy.Attempts");
    let timeout = |job: &mut Job, timeout| {
        let check = Check { path: "/".into(), port_label: "80".into(), interval: SECOND, timeout, ..Check::default() };
        job.groups[0].services = vec![Service { checks: vec![check], ..Service::default() }];
    };
    let least = CHECK_INTERVAL_LEAST;
    check(timeout, least, least - NANOSECOND, "TaskGroups[0].Services[0].Checks[0].Timeout");
}

#[test]
fn weights_and_shares_have_a_range() {
    let affinity = |job: &mut Job, weight| {
        job.affinities =
            vec![Affinity { attribute: "${meta.a}".into(), value: "x".into(), weight, ..Affinity::default() }];
    };
    check(affinity, WEIGHT_MOST, WEIGHT_MOST + 1, "Affinities[0].Weight");
    check(affinity, -WEIGHT_MOST, -WEIGHT_MOST - 1, "Affinities[0].Weight");
    check(affinity, 1, 0, "Affinities[0].Weight");
    let spread = |job: &mut Job, weight| {
        job.spreads = vec![Spread { attribute: "${meta.a}".into(), weight, ..Spread::default() }];
    };
    check(spread, WEIGHT_MOST, WEIGHT_MOST + 1, "Spreads[0].Weight");
    check(spread, 1, 0, "Spreads[0].Weight");
    let share = |job: &mut Job, percent| {
        let target = |value: &str, percent| SpreadTarget { value: value.into(), percent };
        let targets = vec![target("a", 60), target("b", percent)];
        job.spreads = vec![Spread { attribute: "${meta.a}".into(), weight: 50, targets }];
    };
    check(share, 40, 41, "Spreads[0].SpreadTarget");
}

#[test]
fn distinct_constraints_are_for_groups() {
    let distinct = Constraint { operator: Operator::DistinctHosts, ..Constraint::default() };
    assert_eq!(path(|job| job.groups[0].constraints = vec![distinct.clone()]), "");
    assert_eq!(
        path(|job| job.groups[0].tasks[0].constraints = vec![distinct]),
        "TaskGroups[0].Tasks[0].Constraints[0]"
    );
}
