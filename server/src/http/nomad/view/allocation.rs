//! Allocations, full and as rows of lists.
//!
//! What nobody knows of (its node is down) is shown as Nomad's clients expect: `lost` and to be stopped, because it is
//! replaced; or `unknown`, where the group's `disconnect` block says that it may come back, and for jobs with one
//! instance per node, which are not replaced. Nomad leaves fields out that are empty, and so do we.

use std::collections::BTreeMap;

use model::{
    Allocation, AssignedPort, CheckState, CheckStatus, ClientStatus, Desired, Index, RescheduleEvent, StopReason,
    TaskEvent, TaskState, Timestamp,
};
use serde::Serialize;
use server_core::state::State;

use super::equipment::{AllocatedDevice, allocated_devices, reserved_cores};
use super::job::JobView;
use super::time::GoTime;

/// The words under which an allocation is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::http) struct ShownStatus {
    /// What is observed.
    pub(in crate::http) client: &'static str,
    /// What is wanted.
    pub(in crate::http) desired: &'static str,
    /// Why it shall end; empty while it shall run.
    pub(in crate::http) description: &'static str,
}

/// The words under which an allocation is shown.
pub(in crate::http) fn shown_status(state: &State, allocation: &Allocation) -> ShownStatus {
    let as_is = ShownStatus {
        client: allocation.client_status.as_str(),
        desired: allocation.desired.as_str(),
        description: match allocation.desired {
            Desired::Run => "",
            Desired::Stop(reason) => reason.as_str(),
        },
    };
    if allocation.client_status != ClientStatus::Unknown {
        return as_is;
    }
    let version = state.job_version(&allocation.job, allocation.job_version);
    let may_return = version.and_then(|version| version.job.group(&allocation.group)).is_some_and(|group| {
        let is_per_node = version.is_some_and(|version| version.job.kind.is_per_node());
        group.disconnect_rules().is_some() || (is_per_node && allocation.ties().next.is_none())
    });
    // What its node brings back too late ends there.
    let is_given_up = allocation.desired == Desired::Stop(StopReason::NodeDown);
    if may_return && !is_given_up {
        return as_is;
    }
    let description = if as_is.description.is_empty() { StopReason::NodeDown.as_str() } else { as_is.description };
    ShownStatus { client: ClientStatus::Lost.as_str(), desired: "stop", description }
}

/// An allocation as a row of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct AllocationStub<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    job_type: &'static str,
    job_version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    allocated_resources: Option<AllocatedResources<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task_states: Option<BTreeMap<String, TaskView>>,
}

impl<'a> AllocationStub<'a> {
    /// The row of an allocation.
    pub(in crate::http) fn of(
        state: &'a State,
        allocation: &'a Allocation,
        with_resources: bool,
        with_tasks: bool,
    ) -> Self {
        let version = state.job_version(&allocation.job, allocation.job_version);
        Self {
            common: Common::of(state, allocation),
            job_type: version.map_or("", |version| version.job.kind.as_str()),
            job_version: allocation.job_version,
            allocated_resources: with_resources.then(|| AllocatedResources::of(state, allocation)),
            task_states: with_tasks.then(|| task_states(allocation)),
        }
    }
}

/// An allocation in full.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct AllocationView<'a> {
    #[serde(flatten)]
    common: Common<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<JobView<'a>>,
    job_version: u64,
    allocated_resources: AllocatedResources<'a>,
    task_states: BTreeMap<String, TaskView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    network_status: Option<NetworkStatus<'a>>,
    /// What ended to make room for it, as long as that is known.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    preempted_allocations: Vec<String>,
    /// Index of the last change of what is wanted.
    alloc_modify_index: Index,
}

impl<'a> AllocationView<'a> {
    /// An allocation with its job.
    pub(in crate::http) fn of(state: &'a State, allocation: &'a Allocation) -> Self {
        let record = state.job(&allocation.job);
        let job = record.and_then(|record| {
            record.version(allocation.job_version).map(|version| JobView::version(state, record, version))
        });
        Self { job, ..Self::without_job(state, allocation) }
    }

    /// An allocation without its job, as events carry it.
    pub(in crate::http) fn without_job(state: &'a State, allocation: &'a Allocation) -> Self {
        let address = allocation.network_address.as_deref();
        let here = state.allocations_of_node(allocation.node);
        let preempted = here.filter(|known| known.ties().preempted_by == Some(allocation.id));
        Self {
            common: Common::of(state, allocation),
            job: None,
            job_version: allocation.job_version,
            allocated_resources: AllocatedResources::of(state, allocation),
            task_states: task_states(allocation),
            network_status: address.map(|address| NetworkStatus { address }),
            preempted_allocations: preempted.map(|known| known.id.to_string()).collect(),
            alloc_modify_index: allocation.generation,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Common<'a> {
    #[serde(rename = "ID")]
    id: String,
    #[serde(rename = "EvalID")]
    eval_id: String,
    name: String,
    namespace: &'a str,
    #[serde(rename = "NodeID")]
    node_id: String,
    node_name: &'a str,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    task_group: &'a str,
    desired_status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    desired_description: &'static str,
    desired_transition: Transition,
    client_status: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    client_description: &'a str,
    #[serde(rename = "DeploymentID", skip_serializing_if = "Option::is_none")]
    deployment_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deployment_status: Option<Health>,
    #[serde(rename = "FollowupEvalID", skip_serializing_if = "Option::is_none")]
    followup_eval_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous_allocation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_allocation: Option<String>,
    preempted_by_allocation: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reschedule_tracker: Option<RescheduleTracker>,
    create_index: Index,
    modify_index: Index,
    create_time: i64,
    modify_time: i64,
}

impl<'a> Common<'a> {
    fn of(state: &State, allocation: &'a Allocation) -> Self {
        let shown = shown_status(state, allocation);
        let health = allocation.deployment.is_some() || allocation.healthy.is_some();
        let events = &allocation.ties().reschedules;
        Self {
            id: allocation.id.to_string(),
            eval_id: allocation.evaluation.to_string(),
            name: allocation.name(),
            namespace: &allocation.job.namespace,
            node_id: allocation.node.to_string(),
            node_name: &allocation.node_name,
            job_id: &allocation.job.id,
            task_group: &allocation.group,
            desired_status: shown.desired,
            desired_description: shown.description,
            desired_transition: Transition { migrate: allocation.migrate.then_some(true) },
            client_status: shown.client,
            client_description: allocation.client_description.as_deref().unwrap_or_default(),
            deployment_id: allocation.deployment.map(|id| id.to_string()),
            deployment_status: health.then_some(Health {
                healthy: allocation.healthy,
                timestamp: GoTime(allocation.healthy_at),
                canary: allocation.canary,
                modify_index: allocation.modify_index,
            }),
            followup_eval_id: allocation.ties().follow_up.map(|id| id.to_string()),
            previous_allocation: allocation.ties().previous.map(|id| id.to_string()),
            next_allocation: allocation.ties().next.map(|id| id.to_string()),
            preempted_by_allocation: allocation.ties().preempted_by.map(|id| id.to_string()),
            reschedule_tracker: (!events.is_empty())
                .then(|| RescheduleTracker { events: events.iter().map(RescheduleView::of).collect() }),
            create_index: allocation.create_index,
            modify_index: allocation.modify_index,
            create_time: allocation.created_at.nanoseconds(),
            modify_time: allocation.modified_at.nanoseconds(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Transition {
    #[serde(skip_serializing_if = "Option::is_none")]
    migrate: Option<bool>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Health {
    healthy: Option<bool>,
    timestamp: GoTime,
    canary: bool,
    modify_index: Index,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RescheduleTracker {
    events: Vec<RescheduleView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct RescheduleView {
    reschedule_time: i64,
    #[serde(rename = "PrevAllocID")]
    previous: String,
    #[serde(rename = "PrevNodeID")]
    node: String,
    delay: u64,
}

impl RescheduleView {
    fn of(event: &RescheduleEvent) -> Self {
        Self {
            reschedule_time: event.at.nanoseconds(),
            previous: event.previous.to_string(),
            node: event.node.to_string(),
            delay: event.delay_ns,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct NetworkStatus<'a> {
    address: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AllocatedResources<'a> {
    tasks: BTreeMap<&'a str, TaskShare<'a>>,
    shared: SharedShare<'a>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TaskShare<'a> {
    cpu: Cpu,
    memory: Memory,
    devices: Vec<AllocatedDevice<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Cpu {
    cpu_shares: u64,
    reserved_cores: Vec<u16>,
}

#[derive(Debug, Serialize)]
struct Memory {
    #[serde(rename = "MemoryMB")]
    memory_mb: u64,
    #[serde(rename = "MemoryMaxMB")]
    memory_max_mb: u64,
}

#[derive(Debug, Serialize)]
struct SharedShare<'a> {
    #[serde(rename = "DiskMB")]
    disk_mb: u64,
    #[serde(rename = "Ports")]
    ports: Vec<PortView<'a>>,
}

#[derive(Debug, Serialize)]
struct PortView<'a> {
    #[serde(rename = "Label")]
    label: &'a str,
    #[serde(rename = "Value")]
    value: u16,
    #[serde(rename = "To")]
    to: u16,
    #[serde(rename = "HostIP")]
    host_ip: &'a str,
}

impl<'a> AllocatedResources<'a> {
    fn of(state: &'a State, allocation: &'a Allocation) -> Self {
        let version = state.job_version(&allocation.job, allocation.job_version);
        let group = version.and_then(|version| version.job.group(&allocation.group));
        let share = |task: &'a model::Task| {
            let core_mhz = state.node(allocation.node).map_or(0, |node| node.cores.core_mhz);
            let ask = task.resources.ask(core_mhz);
            let cpu = Cpu { cpu_shares: ask.cpu_mhz, reserved_cores: reserved_cores(allocation, &task.name) };
            let memory = Memory { memory_mb: ask.memory_mb, memory_max_mb: ask.memory_max_mb };
            let devices = allocated_devices(&allocation.devices, &task.name);
            (task.name.as_str(), TaskShare { cpu, memory, devices })
        };
        let port = |port: &'a AssignedPort| PortView {
            label: &port.label,
            value: port.value,
            to: port.to,
            host_ip: &port.host_ip,
        };
        Self {
            tasks: group.iter().flat_map(|group| &group.tasks).map(share).collect(),
            shared: SharedShare {
                disk_mb: allocation.resources.disk_mb,
                ports: allocation.ports.iter().map(port).collect(),
            },
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct TaskView {
    state: &'static str,
    failed: bool,
    restarts: u32,
    last_restart: GoTime,
    started_at: GoTime,
    finished_at: GoTime,
    events: Vec<EventView>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct EventView {
    #[serde(rename = "Type")]
    kind: String,
    time: i64,
    message: String,
    display_message: String,
    details: BTreeMap<String, String>,
    exit_code: i64,
    signal: i64,
}

fn task_states(allocation: &Allocation) -> BTreeMap<String, TaskView> {
    allocation.tasks.unpack().into_iter().map(|(name, task)| (name, task_view(task))).collect()
}

fn task_view(task: TaskState) -> TaskView {
    TaskView {
        state: task.phase.as_str(),
        failed: task.failed,
        restarts: task.restarts,
        last_restart: GoTime(task.last_restart),
        started_at: GoTime(task.started_at),
        finished_at: GoTime(task.finished_at),
        events: task.events.into_iter().map(event_view).collect(),
    }
}

fn event_view(event: TaskEvent) -> EventView {
    let number = |name: &str| event.details.get(name).and_then(|text| text.parse().ok()).unwrap_or_default();
    EventView {
        exit_code: number("exit_code"),
        signal: number("signal"),
        kind: event.kind,
        time: event.at.nanoseconds(),
        display_message: event.message.clone(),
        message: event.message,
        details: event.details,
    }
}

/// A check of an allocation, in the words of Nomad's own checks.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct CheckView<'a> {
    #[serde(rename = "ID")]
    id: &'a str,
    check: &'a str,
    service: &'a str,
    group: String,
    mode: &'static str,
    status: &'static str,
    output: &'a str,
    /// Seconds since 1970.
    timestamp: i64,
}

impl<'a> CheckView<'a> {
    /// The check that an allocation keeps under `key`, `service/check`.
    pub(in crate::http) fn of(allocation: &Allocation, key: &'a str, check: &'a CheckState) -> Self {
        let (service, name) = key.rsplit_once('/').unwrap_or(("", key));
        let Timestamp(nanoseconds) = check.at;
        Self {
            id: key,
            check: name,
            service,
            group: allocation.name(),
            mode: "healthiness",
            status: match check.status {
                CheckStatus::Pending => "pending",
                CheckStatus::Passing => "success",
                CheckStatus::Failing => "failure",
            },
            output: &check.output,
            timestamp: nanoseconds / 1_000_000_000,
        }
    }
}
