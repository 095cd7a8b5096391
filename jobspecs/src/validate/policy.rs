//! Rules of restarts, new placements, rollouts, migrations and disconnects.

use std::time::Duration;

use model::{Group, HealthCheck, Job, JobType, Migrate, Reschedule, Restart, Update};

use super::{Problems, duration_text as show, rolls_out};

/// The least interval in which restarts are counted.
pub(crate) const RESTART_INTERVAL_LEAST: Duration = Duration::from_secs(5);
/// The least wait before a new placement.
pub(crate) const RESCHEDULE_DELAY_LEAST: Duration = Duration::from_secs(5);
/// The least interval in which new placements are counted.
pub(crate) const RESCHEDULE_INTERVAL_LEAST: Duration = Duration::from_secs(15);

/// The most new placements in an interval: each instance remembers those that are counted.
pub(crate) const RESCHEDULE_ATTEMPTS_MOST: u32 = 1_000;

/// The most nodes of a system job that try a new version first, in percent.
const PERCENT_MOST: u32 = 100;

/// The rules that a job gives for all of its groups: whether its type has such rules. Their values are checked in the
/// groups, into which they are merged.
pub(super) fn check_job(job: &Job, problems: &mut Problems) {
    check_types(job, "", (job.update.is_some(), job.migrate.is_some(), job.reschedule.is_some()), problems);
}

fn check_types(job: &Job, path: &str, (update, migrate, reschedule): (bool, bool, bool), problems: &mut Problems) {
    let kind = job.kind.as_str();
    let at = |name: &str| super::below(path, name);
    if update && !rolls_out(job.kind) {
        let message = format!("a {kind} job can't have an `update` block");
        problems.add(at("Update"), message, "rolling updates are for services and system jobs");
    }
    if migrate && job.kind != JobType::Service {
        let message = format!("a {kind} job can't have a `migrate` block");
        problems.add(at("Migrate"), message, "drains wait for batch jobs and stop system jobs last");
    }
    if reschedule && job.kind.is_per_node() {
        let name = if path.is_empty() { "Reschedule" } else { "ReschedulePolicy" };
        let message = format!("a {kind} job can't have a `reschedule` block");
        problems.add(at(name), message, "it already runs on every eligible node; `restart` applies");
    }
}

pub(super) fn check_group(job: &Job, group: &Group, path: &str, problems: &mut Problems) {
    // A rule that came from the job is complained about there.
    let own = (
        group.update.is_some() && group.update != job.update,
        group.migrate.is_some() && group.migrate != job.migrate,
        group.reschedule.is_some() && group.reschedule != job.reschedule,
    );
    check_types(job, path, own, problems);
    check_restart(group.restart.as_ref(), &format!("{path}.RestartPolicy"), problems);
    // A rule is complained about where it stands.
    let place = |is_own: bool, of_job: &str, name: &str| if is_own { format!("{path}.{name}") } else { of_job.into() };
    if let Some(reschedule) = &group.reschedule {
        check_reschedule(reschedule, &place(own.2, "Reschedule", "ReschedulePolicy"), problems);
    }
    if let Some(update) = &group.update {
        check_update(job, update, &place(own.0, "Update", "Update"), problems);
    }
    if let Some(migrate) = &group.migrate {
        check_migrate(migrate, &place(own.1, "Migrate", "Migrate"), problems);
    }
    if let Some(disconnect) = &group.disconnect
        && disconnect.stop_on_client_after.is_some()
        && !disconnect.lost_after.is_zero()
    {
        let message = "`lost_after` and `stop_on_client_after` exclude each other";
        problems.add(format!("{path}.Disconnect"), message, "keep one of the two");
    }
}

pub(super) fn check_restart(restart: Option<&Restart>, path: &str, problems: &mut Problems) {
    let Some(restart) = restart else { return };
    if restart.attempts > 0 && restart.interval < RESTART_INTERVAL_LEAST {
        let message = format!("the restart interval must be at least {}", show(RESTART_INTERVAL_LEAST));
        problems.add(format!("{path}.Interval"), message, "attempts are counted in it");
    }
    let busy = restart.delay.saturating_mul(restart.attempts);
    if restart.attempts > 0 && busy > restart.interval {
        let message = format!(
            "{} restarts with a delay of {} do not fit into the interval of {}",
            restart.attempts,
            show(restart.delay),
            show(restart.interval)
        );
        problems.add(path, message, "raise the interval, or lower attempts or delay");
    }
}

fn check_reschedule(rule: &Reschedule, path: &str, problems: &mut Problems) {
    if !rule.unlimited && rule.attempts == 0 {
        // No new placements: the other values mean nothing.
        return;
    }
    if rule.delay < RESCHEDULE_DELAY_LEAST {
        let message = format!("the reschedule delay must be at least {}", show(RESCHEDULE_DELAY_LEAST));
        problems.add(format!("{path}.Delay"), message, "");
    }
    if rule.delay_function != model::DelayFunction::Constant && rule.max_delay < rule.delay {
        let message = format!("max_delay {} is below the delay of {}", show(rule.max_delay), show(rule.delay));
        problems.add(format!("{path}.MaxDelay"), message, "the delay grows up to max_delay");
    }
    if !rule.unlimited && rule.attempts > RESCHEDULE_ATTEMPTS_MOST {
        let message = format!("{} reschedule attempts are more than {RESCHEDULE_ATTEMPTS_MOST}", rule.attempts);
        problems.add(format!("{path}.Attempts"), message, "write: unlimited = true");
    }
    if !rule.unlimited && rule.interval < RESCHEDULE_INTERVAL_LEAST {
        let message = format!("the reschedule interval must be at least {}", show(RESCHEDULE_INTERVAL_LEAST));
        problems.add(format!("{path}.Interval"), message, "attempts are counted in it, unless they are unlimited");
    }
}

fn check_update(job: &Job, rule: &Update, path: &str, problems: &mut Problems) {
    if rule.max_parallel == 0 {
        // No deployment: the other values mean nothing.
        return;
    }
    if rule.min_healthy_time >= rule.healthy_deadline {
        let message = format!(
            "min_healthy_time {} must be less than healthy_deadline {}",
            show(rule.min_healthy_time),
            show(rule.healthy_deadline)
        );
        problems.add(format!("{path}.MinHealthyTime"), message, "otherwise no instance can become healthy in time");
    }
    if !rule.progress_deadline.is_zero() && rule.healthy_deadline >= rule.progress_deadline {
        let message = format!(
            "healthy_deadline {} must be less than progress_deadline {}",
            show(rule.healthy_deadline),
            show(rule.progress_deadline)
        );
        problems.add(format!("{path}.HealthyDeadline"), message, "otherwise a rollout fails before its instances can");
    }
    if job.kind.is_per_node() && rule.canary > PERCENT_MOST {
        let message = format!("canary is a percentage for a {} job, this is {}", job.kind.as_str(), rule.canary);
        problems.add(format!("{path}.Canary"), message, "write the share of nodes that try it first: canary = 20");
    }
    if rule.auto_promote && rule.canary == 0 {
        problems.add(format!("{path}.AutoPromote"), "auto_promote needs canaries", "write: canary = 1");
    }
    if rule.health_check == HealthCheck::Manual && rule.auto_promote {
        let message = "auto_promote can't go with health_check \"manual\"";
        problems.add(format!("{path}.AutoPromote"), message, "someone has to say that canaries are healthy");
    }
}

fn check_migrate(rule: &Migrate, path: &str, problems: &mut Problems) {
    if rule.max_parallel == 0 {
        problems.add(format!("{path}.MaxParallel"), "migrate needs max_parallel of at least 1", "");
    }
    if rule.min_healthy_time >= rule.healthy_deadline {
        let message = format!(
            "min_healthy_time {} must be less than healthy_deadline {}",
            show(rule.min_healthy_time),
            show(rule.healthy_deadline)
        );
        problems.add(format!("{path}.MinHealthyTime"), message, "otherwise no replacement can become healthy in time");
    }
    if rule.health_check == HealthCheck::Manual {
        let message = "a drain can't wait for health_check \"manual\"";
        problems.add(format!("{path}.HealthCheck"), message, "use \"checks\" or \"task_states\"");
    }
}
