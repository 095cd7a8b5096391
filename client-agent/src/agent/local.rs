//! One allocation in the agent's hands: its assignment, its job, and where it stands; and the record kept of it.

use std::sync::Arc;
use std::time::Duration;

use client_agent_core::{Allocation, NETWORK_TASK, Role, Spec};
use model::{AllocationId, Assignment, Group, Job, Task, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

/// An allocation and what is needed to act for it.
pub(super) struct Local {
    pub assignment: Assignment,
    pub job: Arc<Job>,
    pub spec: Spec,
    pub state: Allocation,
    pub wake_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// The loops that probe its checks; ended by being dropped.
    pub probes: JoinSet<()>,
    /// Whether its remains are being removed.
    pub collecting: bool,
}

/// What is kept of an allocation over a restart of the agent.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    pub assignment: Assignment,
    pub state: Allocation,
    pub ended_at: Option<Timestamp>,
}

impl Local {
    pub fn new(assignment: Assignment, job: Arc<Job>, state: Allocation, grace: Duration) -> Local {
        let spec = spec_of(&assignment, &job, grace);
        Local { assignment, job, spec, state, wake_at: None, ended_at: None, probes: JoinSet::new(), collecting: false }
    }

    /// Its group; none where the job's document does not have it.
    pub fn group(&self) -> Option<&Group> {
        self.job.group(&self.assignment.group)
    }

    /// The task of that name; for the holder of the shared network, the task whose driver runs it.
    pub fn task(&self, name: &str) -> Option<&Task> {
        let group = self.group()?;
        match name {
            NETWORK_TASK => group.tasks.iter().find(|task| Role::of(task) == Role::Main).or(group.tasks.first()),
            _ => group.tasks.iter().find(|task| task.name == name),
        }
    }

    /// The runtime's name for the task's container.
    pub fn handle(&self, task: &str) -> Option<&str> {
        self.state.tasks.get(task)?.handle.as_deref()
    }

    /// The containers of the allocation: task, driver, handle.
    pub fn containers(&self) -> impl Iterator<Item = (&String, &str, &str)> {
        self.state.tasks.iter().filter_map(|(name, task)| {
            let driver = self.task(name)?.driver.as_str();
            Some((name, driver, task.handle.as_deref()?))
        })
    }

    pub fn record(&self) -> Record {
        Record { assignment: self.assignment.clone(), state: self.state.clone(), ended_at: self.ended_at }
    }
}

/// The rules of an assignment; those of nothing where the job does not have its group.
pub(super) fn spec_of(assignment: &Assignment, job: &Job, grace: Duration) -> Spec {
    match job.group(&assignment.group) {
        Some(group) => Spec::of(job, group, assignment, grace),
        None => Spec::of(job, &Group::default(), assignment, grace),
    }
}

/// The name of an allocation's record.
pub(super) fn record_name(id: AllocationId) -> String {
    format!("allocations/{id}.json")
}
