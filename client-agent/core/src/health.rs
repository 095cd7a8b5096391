//! Whether an allocation counts as healthy for the deployment or the drain that waits for it.
//!
//! Healthy: all its tasks run (and its counted checks pass) for `min_healthy_time` without a break. Unhealthy: it
//! failed, or is not healthy at its deadline. Decided once; of services, and of system jobs in a rollout. Who waits for it is the server's matter.

use std::time::Duration;

use model::{Group, HealthCheck, Timestamp};
use serde::{Deserialize, Serialize};

/// When an allocation is healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthRules {
    /// What is looked at.
    pub check: HealthCheck,
    /// How long it must be well.
    pub min_healthy_time: Duration,
    /// When it must be.
    pub healthy_deadline: Duration,
}

impl HealthRules {
    /// The rules of the group's `update` block for an allocation of a deployment, otherwise of its `migrate` block.
    pub fn of(group: &Group, in_deployment: bool) -> HealthRules {
        match &group.update {
            Some(update) if in_deployment => HealthRules {
                check: update.health_check,
                min_healthy_time: update.min_healthy_time,
                healthy_deadline: update.healthy_deadline,
            },
            _ => {
                let migrate = group.migrate.clone().unwrap_or_default();
                HealthRules {
                    check: migrate.health_check,
                    min_healthy_time: migrate.min_healthy_time,
                    healthy_deadline: migrate.healthy_deadline,
                }
            }
        }
    }
}

/// How an allocation does at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vitals {
    /// Whether all tasks that shall run do.
    pub tasks_run: bool,
    /// Whether all counted checks pass.
    pub checks_pass: bool,
    /// Whether it failed for good.
    pub failed: bool,
}

/// What is known of an allocation's health.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Health {
    /// When its tasks could first start.
    pub began: Option<Timestamp>,
    well_since: Option<Timestamp>,
    decided: Option<(bool, Timestamp)>,
}

impl Health {
    /// Whether it is healthy, and when that was decided.
    pub fn verdict(&self) -> Option<(bool, Timestamp)> {
        self.decided
    }

    /// Looks at the allocation. Answers when it must be looked at again if nothing changes.
    pub fn look(&mut self, vitals: Vitals, rules: &HealthRules, now: Timestamp) -> Option<Timestamp> {
        if self.decided.is_some() {
            return None;
        }
        let began = *self.began.get_or_insert(now);
        if vitals.failed {
            self.decided = Some((false, now));
            return None;
        }
        let well = match rules.check {
            HealthCheck::Checks => vitals.tasks_run && vitals.checks_pass,
            HealthCheck::TaskStates => vitals.tasks_run,
            HealthCheck::Manual => return None,
        };
        self.well_since = if well { Some(self.well_since.unwrap_or(now)) } else { None };
        let deadline = began + rules.healthy_deadline;
        let healthy_at = self.well_since.map(|since| since + rules.min_healthy_time);
        match healthy_at {
            Some(at) if at <= now => self.decided = Some((true, now)),
            _ if deadline <= now => self.decided = Some((false, now)),
            Some(at) => return Some(at.min(deadline)),
            None => return Some(deadline),
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One look per second: `w` well, `t` tasks run but checks fail, `.` nothing runs, `f` failed.
    /// Healthy after 2 s, deadline at 6 s.
    fn check(check: HealthCheck, seconds: &str, expected: &str) {
        let rules =
            HealthRules { check, min_healthy_time: Duration::from_secs(2), healthy_deadline: Duration::from_secs(6) };
        let mut health = Health::default();
        for (second, word) in seconds.chars().enumerate() {
            let vitals = Vitals { tasks_run: matches!(word, 'w' | 't'), checks_pass: word == 'w', failed: word == 'f' };
            health.look(vitals, &rules, Timestamp::from_seconds(second as i64));
        }
        let outcome = match health.verdict() {
            None => "undecided".to_string(),
            Some((healthy, at)) => format!("{healthy}@{}", at.since(Timestamp::default()).as_secs()),
        };
        assert_eq!(outcome, expected, "{seconds}");
    }

    #[test]
    fn health_needs_an_unbroken_time() {
        check(HealthCheck::Checks, "www", "true@2");
        check(HealthCheck::Checks, "wtwww", "true@4");
        check(HealthCheck::Checks, "ww", "undecided");
    }

    #[test]
    fn the_deadline_and_a_failure_decide_against_it() {
        check(HealthCheck::Checks, "ttttttt", "false@6");
        check(HealthCheck::Checks, "ttttttw", "false@6");
        check(HealthCheck::Checks, ".f", "false@1");
    }

    #[test]
    fn the_verdict_stays() {
        check(HealthCheck::Checks, "wwwtttttt", "true@2");
    }

    #[test]
    fn the_rule_says_what_is_looked_at() {
        check(HealthCheck::TaskStates, "ttt", "true@2");
        check(HealthCheck::Manual, "wwwwwwww", "undecided");
        check(HealthCheck::Manual, "f", "false@0");
    }
}
