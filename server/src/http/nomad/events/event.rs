//! One event: an object that an entry changed, as it is right after it.

use std::collections::BTreeSet;

use model::{Index, JobKey, NodeId, VolumeId};
use serde::Serialize;
use serde_json::{Value, json};
use server_core::authorize::Object;
use server_core::state::{Change, JobRecord, NodeChange, ServiceKey, State};

use super::super::view::allocation::AllocationView;
use super::super::view::deployment::DeploymentView;
use super::super::view::evaluation::EvaluationView;
use super::super::view::job::JobView;
use super::super::view::node::NodeView;
use super::super::view::service::{Registration, passing};
use super::super::view::volume::VolumeView;
use crate::cluster::Happening;
use crate::http::gate::Gate;

/// An event as it is written.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Event {
    pub(super) topic: &'static str,
    #[serde(rename = "Type")]
    kind: &'static str,
    pub(super) key: String,
    pub(super) namespace: String,
    pub(super) filter_keys: Vec<String>,
    index: Index,
    payload: Value,
    #[serde(skip)]
    subject: Subject,
}

/// What must be allowed to be seen.
#[derive(Clone, Debug)]
enum Subject {
    Job(JobKey),
    Node(NodeId),
    Service(ServiceKey),
    Namespace(String),
}

impl Event {
    /// Whether the caller may see it.
    pub(super) fn is_seen(&self, gate: &Gate) -> bool {
        match &self.subject {
            Subject::Job(key) => gate.sees(Object::Job(key)),
            Subject::Node(id) => gate.sees(Object::Node(*id)),
            Subject::Namespace(name) => gate.sees(Object::Namespace(name)),
            Subject::Service((namespace, name)) => gate.sees(Object::Service(namespace, name)),
        }
    }
}

/// The events of an entry. `before` is the state in front of it, where it is known.
pub(super) fn of(happening: &Happening, before: Option<&State>) -> Vec<Event> {
    let mut services = BTreeSet::new();
    let mut events = Vec::new();
    for change in happening.changes.iter() {
        match change {
            // One entry may change a service several times; its instances are compared once.
            Change::Service(key) => {
                if services.insert(key) {
                    events.extend(of_service(happening, before, key));
                }
            }
            Change::Job { key, gone } => events.push(of_job(happening, before, key, *gone)),
            Change::Node { id, kind } => events.push(of_node(happening, *id, *kind)),
            Change::Allocation { id, created, desired, .. } => {
                let kind = match (created, desired) {
                    (true, _) => "AllocationCreated",
                    (false, true) => "AllocationUpdateDesiredStatus",
                    (false, false) => "AllocationUpdated",
                };
                events.extend(happening.state.allocation(*id).map(|known| Event {
                    filter_keys: keys([Some(known.job.id.to_string()), known.deployment.map(|id| id.to_string())]),
                    payload: json!({ "Allocation": AllocationView::without_job(&happening.state, known) }),
                    ..of_job_part(happening, "Allocation", kind, id.to_string(), &known.job)
                }));
            }
            Change::Evaluation(id) => events.extend(happening.state.evaluation(*id).map(|known| Event {
                filter_keys: keys([Some(known.job.id.to_string()), known.deployment.map(|id| id.to_string())]),
                payload: json!({ "Evaluation": EvaluationView::of(known) }),
                ..of_job_part(happening, "Evaluation", "EvaluationUpdated", id.to_string(), &known.job)
            })),
            Change::Volume { id, gone } => events.extend(of_volume(happening, before, *id, *gone)),
            Change::Deployment(id) => events.extend(happening.state.deployment(*id).map(|known| Event {
                filter_keys: keys([Some(known.job.id.to_string()), None]),
                payload: json!({ "Deployment": DeploymentView::of(&happening.state, known) }),
                ..of_job_part(happening, "Deployment", "DeploymentStatusUpdate", id.to_string(), &known.job)
            })),
        }
    }
    events
}

fn keys(keys: [Option<String>; 2]) -> Vec<String> {
    keys.into_iter().flatten().collect()
}

fn of_job_part(happening: &Happening, topic: &'static str, kind: &'static str, key: String, job: &JobKey) -> Event {
    Event {
        topic,
        kind,
        key,
        namespace: job.namespace.to_string(),
        filter_keys: Vec::new(),
        index: happening.index,
        payload: json!({}),
        subject: Subject::Job(job.clone()),
    }
}

fn of_job(happening: &Happening, before: Option<&State>, key: &JobKey, gone: bool) -> Event {
    let record = happening.state.job(key).map(|record| &**record);
    let kind = match record {
        Some(record) if record.stop => "JobDeregistered",
        Some(_) if !gone => "JobRegistered",
        Some(_) | None => "JobDeregistered",
    };
    // What is forgotten is shown as it was.
    let view = |state, record: &JobRecord| json!({ "Job": JobView::current(state, record) });
    let was = || before.and_then(|before| before.job(key).map(|record| view(before, record)));
    let payload = record.map(|record| view(&happening.state, record)).or_else(was).unwrap_or_else(|| json!({}));
    Event { payload, ..of_job_part(happening, "Job", kind, key.id.to_string(), key) }
}

fn of_node(happening: &Happening, id: NodeId, change: NodeChange) -> Event {
    let kind = match change {
        NodeChange::Registered => "NodeRegistration",
        NodeChange::Deregistered => "NodeDeregistration",
        NodeChange::Eligibility => "NodeEligibility",
        NodeChange::Drain => "NodeDrain",
        NodeChange::Status => "NodeStreamEvent",
    };
    let node = happening.state.node(id);
    Event {
        topic: "Node",
        kind,
        key: id.to_string(),
        namespace: String::new(),
        filter_keys: node.map(|node| vec![node.pool.clone()]).unwrap_or_default(),
        index: happening.index,
        payload: node.map_or_else(|| json!({}), |node| json!({ "Node": NodeView::of(node) })),
        subject: Subject::Node(id),
    }
}

/// A volume as it is, or as it was before it went.
fn of_volume(happening: &Happening, before: Option<&State>, id: VolumeId, gone: bool) -> Option<Event> {
    let state = if gone { before? } else { &happening.state };
    let volume = state.volume(id)?;
    Some(Event {
        topic: "HostVolume",
        kind: if gone { "HostVolumeDeleted" } else { "HostVolumeRegistered" },
        key: id.to_string(),
        namespace: volume.namespace.clone(),
        filter_keys: vec![volume.name.clone(), volume.node.to_string()],
        index: happening.index,
        payload: json!({ "Volume": VolumeView::of(state, volume) }),
        subject: Subject::Namespace(volume.namespace.clone()),
    })
}

/// Instances that began to pass, and those that ceased to.
fn of_service(happening: &Happening, before: Option<&State>, key: &ServiceKey) -> Vec<Event> {
    let (namespace, name) = key;
    let row = happening.state.service(namespace, name);
    let old = before.and_then(|before| before.service(namespace, name));
    let event = |kind, state: &State, instance: &model::Instance| Event {
        topic: "Service",
        kind,
        key: instance.id.clone(),
        namespace: namespace.to_string(),
        filter_keys: vec![name.to_string(), instance.job.id.to_string()],
        index: happening.index,
        payload: json!({ "Service": Registration::of(state, instance, happening.index) }),
        subject: Subject::Service(key.clone()),
    };
    let now: Vec<_> = row.iter().flat_map(|row| passing(row)).collect();
    let was: Vec<_> = old.iter().flat_map(|row| passing(row)).collect();
    let came = now.iter().filter(|instance| !was.contains(instance));
    let came = came.map(|instance| event("ServiceRegistration", &happening.state, instance));
    let went = was.iter().filter(|instance| !now.iter().any(|other| other.id == instance.id));
    let went = went.map(|instance| event("ServiceDeregistration", before.unwrap_or(&happening.state), instance));
    came.chain(went).collect()
}
