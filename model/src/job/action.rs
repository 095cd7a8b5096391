//! What people may run in a task, and the hours in which it runs.

use serde::{Deserialize, Serialize};

/// A command that people may run in the task.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Action {
    /// Unique in the task.
    pub name: String,
    /// The command.
    pub command: String,
    /// Its arguments.
    #[serde(with = "crate::null")]
    pub args: Vec<String>,
}

/// The hours in which a task runs; it is paused outside them.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Schedule {
    /// The hours.
    pub cron: Option<ScheduleCron>,
}

/// When a task's hours begin and end.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ScheduleCron {
    /// The beginning, as cron writes it.
    pub start: String,
    /// The end: minutes and hours.
    pub end: String,
    /// The time zone.
    pub timezone: String,
}
