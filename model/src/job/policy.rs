//! The rules of a group: restarts, new placements, rollouts, migrations, disconnects.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::JobType;

/// Restarts of a task on the node where it runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Restart {
    /// Restarts allowed per interval.
    pub attempts: u32,
    /// The interval in which attempts are counted.
    #[serde(with = "crate::nanoseconds")]
    pub interval: Duration,
    /// Wait before a restart; up to a quarter more is added so that many do not start at once.
    #[serde(with = "crate::nanoseconds")]
    pub delay: Duration,
    /// What happens when the attempts are used up.
    pub mode: RestartMode,
    /// Whether templates are made anew at a restart.
    pub render_templates: bool,
}

impl Restart {
    /// The default of jobs of that type.
    pub fn of(kind: JobType) -> Self {
        let (attempts, interval) = match kind {
            JobType::Service | JobType::System => (2, Duration::from_secs(30 * 60)),
            JobType::Batch | JobType::SysBatch => (3, Duration::from_secs(24 * 3600)),
        };
        Self { attempts, interval, delay: Duration::from_secs(15), mode: RestartMode::Fail, render_templates: false }
    }
}

impl Default for Restart {
    fn default() -> Self {
        Self::of(JobType::Service)
    }
}

/// What happens when the restarts of an interval are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RestartMode {
    /// The allocation fails, and may be placed elsewhere.
    #[default]
    Fail,
    /// The task waits for the next interval.
    Delay,
}

/// New placements of an instance that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Reschedule {
    /// Attempts allowed per interval, unless unlimited.
    pub attempts: u32,
    /// The interval in which attempts are counted.
    #[serde(with = "crate::nanoseconds")]
    pub interval: Duration,
    /// Wait before the first new placement.
    #[serde(with = "crate::nanoseconds")]
    pub delay: Duration,
    /// How the wait grows.
    pub delay_function: DelayFunction,
    /// The longest wait.
    #[serde(with = "crate::nanoseconds")]
    pub max_delay: Duration,
    /// Whether attempts are not counted.
    pub unlimited: bool,
}

impl Reschedule {
    /// The default of jobs of that type; system jobs are never placed anew.
    pub fn of(kind: JobType) -> Option<Self> {
        match kind {
            JobType::Service => Some(Self {
                attempts: 0,
                interval: Duration::ZERO,
                delay: Duration::from_secs(30),
                delay_function: DelayFunction::Exponential,
                max_delay: Duration::from_secs(3600),
                unlimited: true,
            }),
            JobType::Batch => Some(Self {
                attempts: 1,
                interval: Duration::from_secs(24 * 3600),
                delay: Duration::from_secs(5),
                delay_function: DelayFunction::Constant,
                max_delay: Duration::ZERO,
                unlimited: false,
            }),
            JobType::System | JobType::SysBatch => None,
        }
    }
}

impl Default for Reschedule {
    fn default() -> Self {
        Self::of(JobType::Service).expect("services have a reschedule policy")
    }
}

/// How the wait before new placements grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DelayFunction {
    /// Always the same.
    Constant,
    /// Doubles.
    #[default]
    Exponential,
    /// Grows by the Fibonacci numbers.
    Fibonacci,
}

/// How a new version replaces the old.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Update {
    /// Pause between batches of old system updates.
    #[serde(with = "crate::nanoseconds")]
    pub stagger: Duration,
    /// Instances replaced at a time; 0 replaces all at once, without a deployment.
    pub max_parallel: u32,
    /// What makes an instance healthy.
    pub health_check: HealthCheck,
    /// How long it must stay so.
    #[serde(with = "crate::nanoseconds")]
    pub min_healthy_time: Duration,
    /// When an instance that is not healthy yet counts as unhealthy.
    #[serde(with = "crate::nanoseconds")]
    pub healthy_deadline: Duration,
    /// When a deployment without progress fails; zero fails at the first unhealthy instance.
    #[serde(with = "crate::nanoseconds")]
    pub progress_deadline: Duration,
    /// Instances of the new version that run beside the old until promoted.
    pub canary: u32,
    /// Whether a failed deployment goes back to the last stable version.
    pub auto_revert: bool,
    /// Whether healthy canaries promote themselves.
    pub auto_promote: bool,
}

impl Default for Update {
    fn default() -> Self {
        Self {
            stagger: Duration::from_secs(30),
            max_parallel: 1,
            health_check: HealthCheck::Checks,
            min_healthy_time: Duration::from_secs(10),
            healthy_deadline: Duration::from_secs(5 * 60),
            progress_deadline: Duration::from_secs(10 * 60),
            canary: 0,
            auto_revert: false,
            auto_promote: false,
        }
    }
}

/// What makes an instance healthy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthCheck {
    /// Its tasks run and its checks pass.
    #[default]
    #[serde(alias = "")]
    Checks,
    /// Its tasks run.
    TaskStates,
    /// Someone says so through the API.
    Manual,
}

/// The pace at which a drain moves a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Migrate {
    /// Instances moved at a time.
    pub max_parallel: u32,
    /// What makes a replacement healthy.
    pub health_check: HealthCheck,
    /// How long it must stay so.
    #[serde(with = "crate::nanoseconds")]
    pub min_healthy_time: Duration,
    /// When a replacement that is not healthy yet counts as unhealthy.
    #[serde(with = "crate::nanoseconds")]
    pub healthy_deadline: Duration,
}

impl Default for Migrate {
    fn default() -> Self {
        Self {
            max_parallel: 1,
            health_check: HealthCheck::Checks,
            min_healthy_time: Duration::from_secs(10),
            healthy_deadline: Duration::from_secs(5 * 60),
        }
    }
}

/// What happens while a node is out of contact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Disconnect {
    /// How long instances count as unknown before they are lost.
    #[serde(with = "crate::nanoseconds")]
    pub lost_after: Duration,
    /// When the agent itself stops instances that it can't report.
    #[serde(with = "crate::nanoseconds::option")]
    pub stop_on_client_after: Option<Duration>,
    /// Whether a replacement runs meanwhile.
    pub replace: bool,
    /// Which of the two stays when the node returns.
    pub reconcile: Reconcile,
}

impl Default for Disconnect {
    fn default() -> Self {
        Self { lost_after: Duration::ZERO, stop_on_client_after: None, replace: true, reconcile: Reconcile::BestScore }
    }
}

/// Which of two instances stays when a node returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reconcile {
    /// The one on the better node.
    #[default]
    #[serde(alias = "")]
    BestScore,
    /// The one that was out of contact.
    KeepOriginal,
    /// The one that took its place.
    KeepReplacement,
    /// The one that has run longer.
    LongestRunning,
}
