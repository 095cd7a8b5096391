//! The labels by which containers are known again: whose they are, and what they run.

use std::collections::HashMap;

use client_agent_core::NETWORK_TASK;
use model::{AllocationId, ClusterId, NodeId};

use crate::drivers::TaskSpec;

const CLUSTER: &str = "sched.cluster";
const NODE: &str = "sched.node";
const ALLOCATION: &str = "sched.alloc";
const TASK: &str = "sched.task";
const RESTARTS: &str = "sched.restarts";

/// The pair that makes a container ours, with names for people.
#[derive(Clone, Debug)]
pub(super) struct Owner {
    pub cluster: ClusterId,
    pub cluster_name: String,
    pub node: NodeId,
    pub node_name: String,
}

/// What the labels of a container of ours say.
pub(super) struct Identity {
    pub allocation: AllocationId,
    pub task: String,
    pub restarts: u32,
}

impl Owner {
    /// The filter that finds our containers only.
    pub fn filter(&self) -> HashMap<String, Vec<String>> {
        let labels = vec![format!("{CLUSTER}={}", self.cluster), format!("{NODE}={}", self.node)];
        HashMap::from([("label".to_string(), labels)])
    }

    /// The labels of a task's container: ours, and those that log shippers for Nomad look for.
    pub fn labels(&self, spec: &TaskSpec) -> HashMap<String, String> {
        let TaskSpec { job, job_version, group, .. } = spec;
        let mut labels = HashMap::new();
        let mut set = |name: &str, value: String| labels.insert(name.to_string(), value);
        set(CLUSTER, self.cluster.to_string());
        set("sched.cluster_name", self.cluster_name.clone());
        set(NODE, self.node.to_string());
        set("sched.node_name", self.node_name.clone());
        set(ALLOCATION, spec.allocation.to_string());
        set(TASK, spec.task.clone());
        set("sched.generation", spec.generation.to_string());
        set("sched.spec", format!("{}/{}@{job_version}/{group}", job.namespace, job.id));
        set(RESTARTS, spec.restarts.to_string());
        set("com.hashicorp.nomad.alloc_id", spec.allocation.to_string());
        set("com.hashicorp.nomad.job_id", job.id.to_string());
        set("com.hashicorp.nomad.job_name", spec.job_name.clone());
        set("com.hashicorp.nomad.namespace", job.namespace.to_string());
        set("com.hashicorp.nomad.task_group_name", group.clone());
        set("com.hashicorp.nomad.task_name", spec.task.clone());
        set("com.hashicorp.nomad.node_id", self.node.to_string());
        set("com.hashicorp.nomad.node_name", self.node_name.clone());
        labels
    }

    /// What a container runs for us; none for a container of others.
    pub fn read(&self, labels: &HashMap<String, String>) -> Option<Identity> {
        let ours = labels.get(CLUSTER)? == &self.cluster.to_string() && labels.get(NODE)? == &self.node.to_string();
        let allocation = labels.get(ALLOCATION)?.parse().ok()?;
        let restarts = labels.get(RESTARTS).and_then(|text| text.parse().ok()).unwrap_or(0);
        ours.then_some(Identity { allocation, task: labels.get(TASK)?.clone(), restarts })
    }
}

/// The name of a task's container: the same at every start, so that there are never two.
pub(super) fn container_name(spec: &TaskSpec) -> String {
    let task = if spec.task == NETWORK_TASK { "network" } else { &spec.task };
    let clean = |c: char| if c.is_ascii_alphanumeric() || "_.-".contains(c) { c } else { '_' };
    let cleaned: String = task.chars().map(clean).collect();
    match cleaned.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        true => format!("{cleaned}-{}", spec.allocation),
        false => format!("t{cleaned}-{}", spec.allocation),
    }
}
