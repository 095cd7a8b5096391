//! What is counted, from a state and from consensus.

use std::collections::BTreeMap;

use model::{EvaluationStatus, Node, NodeId, NodeStatus, Usage};
use server_core::state::{JobStatus, State};

use super::super::view::summary::JobSummary;
use crate::cluster::{Leadership, LogNumbers};

/// One number.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Figure {
    /// Its name in Prometheus's form.
    pub(super) name: &'static str,
    /// What it is the number of.
    pub(super) labels: Vec<(&'static str, String)>,
    /// The number.
    pub(super) value: u64,
}

impl Figure {
    /// Its name in the JSON form, whose parts are set apart by dots.
    pub(super) fn json_name(&self) -> String {
        let parts = ["nomad_nomad_", "nomad_client_", "nomad_raft_", "sched_"];
        let part = parts.into_iter().find(|part| self.name.starts_with(part)).unwrap_or_default();
        format!("{}{}", part.replace('_', "."), &self.name[part.len()..])
    }
}

/// Every figure, those of one name together.
pub(super) fn of(
    state: &State,
    numbers: &LogNumbers,
    leadership: &Leadership,
    used: &BTreeMap<NodeId, Usage>,
    alarms: u64,
) -> Vec<Figure> {
    let mut figures = Figures(Vec::new());
    figures.add("sched_alarms_raised", &[], alarms);
    figures.consensus(numbers, leadership);
    figures.evaluations(state);
    figures.jobs(state);
    figures.nodes(state, used);
    let mut figures = figures.0;
    figures.sort_by(|one, other| one.name.cmp(other.name));
    figures
}

struct Figures(Vec<Figure>);

impl Figures {
    fn add(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: u64) {
        let labels = labels.iter().map(|(name, value)| (*name, (*value).to_string())).collect();
        self.0.push(Figure { name, labels, value });
    }

    fn consensus(&mut self, numbers: &LogNumbers, leadership: &Leadership) {
        self.add("nomad_raft_term", &[], numbers.term);
        self.add("nomad_raft_lastIndex", &[], numbers.last_log);
        self.add("nomad_raft_commitIndex", &[], numbers.committed);
        self.add("nomad_raft_appliedIndex", &[], numbers.applied);
        self.add("nomad_raft_snapshotIndex", &[], numbers.snapshot);
        self.add("sched_leader_known", &[], leadership.leader.is_some().into());
        self.add("sched_leader_self", &[], leadership.is_self.into());
        self.add("sched_beat_interval_milliseconds", &[], leadership.beat_interval.as_millis() as u64);
    }

    fn evaluations(&mut self, state: &State) {
        let ready = state.open_evaluations(EvaluationStatus::Pending).count() as u64;
        let waiting = state.waiting_evaluations().count() as u64;
        let blocked = state.open_evaluations(EvaluationStatus::Blocked).count() as u64;
        self.add("nomad_nomad_broker_total_ready", &[], ready);
        self.add("nomad_nomad_broker_total_waiting", &[], waiting);
        self.add("nomad_nomad_broker_total_pending", &[], ready + waiting);
        self.add("nomad_nomad_blocked_evals_total_blocked", &[], blocked);
    }

    fn jobs(&mut self, state: &State) {
        let mut by_status = BTreeMap::from([("pending", 0), ("running", 0), ("dead", 0)]);
        for record in state.jobs() {
            let status: JobStatus = state.job_status(&record.key);
            *by_status.entry(status.as_str()).or_default() += 1;
            let (job, namespace) = (&*record.key.id, &*record.key.namespace);
            for (group, counts) in JobSummary::of(state, record).summary {
                let labels = [("exported_job", job), ("namespace", namespace), ("task_group", group.as_str())];
                for (name, count) in [
                    ("nomad_nomad_job_summary_queued", counts.queued),
                    ("nomad_nomad_job_summary_complete", counts.complete),
                    ("nomad_nomad_job_summary_failed", counts.failed),
                    ("nomad_nomad_job_summary_running", counts.running),
                    ("nomad_nomad_job_summary_starting", counts.starting),
                    ("nomad_nomad_job_summary_lost", counts.lost),
                    ("nomad_nomad_job_summary_unknown", counts.unknown),
                ] {
                    self.add(name, &labels, count.into());
                }
            }
        }
        self.add("nomad_nomad_job_status_pending", &[], by_status["pending"]);
        self.add("nomad_nomad_job_status_running", &[], by_status["running"]);
        self.add("nomad_nomad_job_status_dead", &[], by_status["dead"]);
    }

    fn nodes(&mut self, state: &State, used: &BTreeMap<NodeId, Usage>) {
        let alive = state.nodes().filter(|node| matches!(node.status, NodeStatus::Ready | NodeStatus::Suspect));
        self.add("nomad_nomad_heartbeat_active", &[], alive.count() as u64);
        for node in state.nodes() {
            self.node(state, node, used.get(&node.id));
        }
    }

    fn node(&mut self, state: &State, node: &Node, used: Option<&Usage>) {
        let id = node.id.to_string();
        let labels = [
            ("node_id", id.as_str()),
            ("datacenter", node.datacenter.as_str()),
            ("node_class", node.class.as_str()),
            ("host", node.name.as_str()),
        ];
        let held = state.node_use(node.id);
        let free = held.free(node);
        self.add("nomad_client_allocated_cpu", &labels, held.held.cpu_mhz);
        self.add("nomad_client_allocated_memory", &labels, held.held.memory_mb);
        self.add("nomad_client_allocated_disk", &labels, held.held.disk_mb);
        self.add("nomad_client_unallocated_cpu", &labels, free.cpu_mhz);
        self.add("nomad_client_unallocated_memory", &labels, free.memory_mb);
        self.add("nomad_client_unallocated_disk", &labels, free.disk_mb);
        if let Some(used) = used {
            self.add("sched_node_used_cpu_mhz", &labels, used.cpu_mhz);
            self.add("sched_node_used_memory_mb", &labels, used.memory_mb);
        }
        let (mut running, mut pending, mut terminal) = (0, 0, 0);
        for allocation in state.allocations_of_node(node.id) {
            match allocation.client_status {
                model::ClientStatus::Running => running += 1,
                model::ClientStatus::Pending => pending += 1,
                model::ClientStatus::Unknown => {}
                model::ClientStatus::Complete | model::ClientStatus::Failed | model::ClientStatus::Lost => {
                    terminal += 1
                }
            }
        }
        self.add("nomad_client_allocations_running", &labels, running);
        self.add("nomad_client_allocations_pending", &labels, pending);
        self.add("nomad_client_allocations_terminal", &labels, terminal);
    }
}
