//! The replicated state: what the cluster is, at one index of the log.
//!
//! Everything stands in ordered copy-on-write tables, so a snapshot is a clone that costs a few pointers. Only `apply`
//! writes. What is derived (use of nodes, the catalog, the indexes by job and node) is kept beside its source and can
//! be recomputed from it; tests assert that both agree.

mod derive;
#[cfg(test)]
mod golden;
mod image;
mod job;
mod mix;
mod of_job;
mod restored;
mod usage;
mod volumes;
mod watch;

use std::cmp::Reverse;
use std::sync::Arc;

use model::{
    Allocation, AllocationId, ClusterId, Deployment, DeploymentId, DynamicVolume, Evaluation, EvaluationId,
    EvaluationStatus, Index, Instance, JobKey, Node, NodeId, ServerId, Term, Timestamp, VolumeClaim, VolumeClaimKey,
    VolumeId, WaitBegan,
};

use crate::apply::Answer;
use crate::autopilot::AutopilotConfiguration;
use crate::chain::Chain;
use crate::command::{Holder, JoinTokenRecord, SchedulerConfiguration, ServerRecord};
use crate::cow::CowMap;
use crate::rebalance::Rebalance;
use crate::rows::{Place, Rows};

pub use image::{DecodeImage, Image};
pub use job::{JobRecord, JobStatus, JobVersion};
use mix::Mix;
pub(crate) use mix::{Picture, Usual};
use of_job::OfJob;
pub use restored::FirstServer;
pub use usage::NodeUse;
pub(crate) use usage::Occupancy;
pub(crate) use usage::counts_for;
pub use volumes::VolumeStatus;
pub use watch::{Change, NodeChange, Table, TableIndexes};

/// Names a service: its namespace and its name.
pub type ServiceKey = (Arc<str>, Arc<str>);

/// Sorts open evaluations: by status, priority (highest first), age and id.
pub(crate) type OpenKey = (EvaluationStatus, Reverse<u32>, Index, EvaluationId);

/// The replicated state at one index.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub(crate) index: Index,
    pub(crate) term: Term,
    pub(crate) cluster: ClusterId,
    pub(crate) cluster_version: u32,
    /// The latest time of an entry that was applied: the next leader goes on from it.
    pub(crate) time: Timestamp,
    /// Counts restores from a backup; agents refuse a lower one.
    pub(crate) epoch: u64,
    /// When the last of these was; the beginning of time where none was.
    pub(crate) restored_at: Timestamp,
    pub(crate) scheduler: SchedulerConfiguration,
    pub(crate) scheduler_index: Index,
    pub(crate) last_server_id: ServerId,
    pub(crate) autopilot: AutopilotConfiguration,
    pub(crate) autopilot_index: Index,

    pub(crate) jobs: CowMap<JobKey, Arc<JobRecord>>,
    pub(crate) nodes: CowMap<NodeId, Arc<Node>>,
    pub(crate) allocations: Rows<AllocationId, Arc<Allocation>>,
    pub(crate) evaluations: CowMap<EvaluationId, Arc<Evaluation>>,
    pub(crate) deployments: CowMap<DeploymentId, Arc<Deployment>>,
    pub(crate) servers: CowMap<ServerId, Arc<ServerRecord>>,
    /// Nodes that were not heard since the state was restored from a backup.
    pub(crate) awaited: CowMap<NodeId, ()>,
    /// Index at which the newest session of each node's agent began.
    pub(crate) sessions: CowMap<NodeId, Index>,
    /// The agent that each node belongs to, as its newest session says.
    pub(crate) holders: CowMap<NodeId, Holder>,
    /// Servers that left for good: their ids are never taken in again.
    pub(crate) removed_servers: CowMap<ServerId, ()>,
    pub(crate) join_tokens: CowMap<String, Arc<JoinTokenRecord>>,
    pub(crate) port_cursors: CowMap<NodeId, u16>,
    /// Index at which each node last gained room for new work: something there was gone, or it opened or changed.
    pub(crate) gains: CowMap<NodeId, Index>,
    pub(crate) requests: CowMap<[u8; 16], (Index, Arc<Answer>)>,
    /// Volumes that were made or registered while the cluster runs.
    pub(crate) volumes: CowMap<VolumeId, Arc<DynamicVolume>>,
    /// What instances have come to have of sticky volumes.
    pub(crate) volume_claims: CowMap<VolumeClaimKey, Arc<VolumeClaim>>,
    /// Jobs to forget as soon as nothing of them is held.
    pub(crate) purged: CowMap<JobKey, ()>,
    pub(crate) request_order: CowMap<(Index, [u8; 16]), ()>,
    /// The rebalance that runs, or the last one.
    pub(crate) rebalance: Option<Arc<Rebalance>>,
    pub(crate) indexes: TableIndexes,
    /// Parts of a backup that is being gone back to, up to the last.
    pub(crate) restoring: Option<Arc<Restoring>>,
    /// What led here, only on its way into a snapshot and out of it: who applies entries keeps it.
    pub(crate) chain: Chain,

    // Derived from the above.
    pub(crate) of_jobs: CowMap<JobKey, Arc<OfJob>>,
    /// Pending and blocked evaluations in the order in which they are tried.
    pub(crate) open_evaluations: CowMap<OpenKey, ()>,
    /// Pending evaluations that must wait for their time.
    pub(crate) waiting_evaluations: CowMap<(Timestamp, EvaluationId), ()>,
    pub(crate) nodes_by_gain: CowMap<(Index, NodeId), ()>,
    pub(crate) nodes_by_name: CowMap<(String, NodeId), ()>,
    pub(crate) occupancies: CowMap<NodeId, Arc<Occupancy>>,
    /// What usually runs; all but when its picture was taken is derived.
    pub(crate) mix: Mix,
    pub(crate) instances: CowMap<AllocationId, Arc<Vec<Instance>>>,
    pub(crate) services: CowMap<ServiceKey, Arc<ServiceRow>>,
    /// What the entry at work has changed so far; empty between entries.
    pub(crate) changes: Vec<Change>,
}

/// What has come of a backup that the cluster is being taken back to.
#[derive(Clone, Debug, PartialEq, Default, serde::Serialize, serde::Deserialize)]
pub struct Restoring {
    /// BLAKE3 of all of it.
    pub hash: [u8; 32],
    /// How many parts have come.
    pub parts: u32,
    /// What they hold together.
    pub bytes: Vec<u8>,
}

/// The instances of one service, and the index at which they last changed.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct ServiceRow {
    /// By instance id.
    pub instances: std::collections::BTreeMap<String, Instance>,
    /// Moves only when an instance changes.
    pub modify_index: Index,
}

impl State {
    /// Index of the last applied entry.
    pub fn index(&self) -> Index {
        self.index
    }

    /// Term of the last leader whose entry was applied.
    pub fn term(&self) -> Term {
        self.term
    }

    /// Whether that request is answered already: it is answered the same when it comes again, and does nothing more.
    pub fn has_answered(&self, request: &[u8; 16]) -> bool {
        self.requests.get(request).is_some()
    }

    /// The cluster's id.
    pub fn cluster(&self) -> ClusterId {
        self.cluster
    }

    /// The version that all servers speak.
    pub fn cluster_version(&self) -> u32 {
        self.cluster_version
    }

    /// How often the state was restored from a backup.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The index at which the newest session of a node's agent began; none if none is counted.
    pub fn session(&self, node: NodeId) -> Option<Index> {
        self.sessions.get(&node).copied()
    }

    /// Whether a node's agent has begun another session after this one.
    pub fn is_past_session(&self, node: NodeId, session: Index) -> bool {
        self.sessions.get(&node).is_some_and(|newest| session < *newest)
    }

    /// The agent that a node belongs to; none if it never said so.
    pub fn holder(&self, node: NodeId) -> Option<Holder> {
        self.holders.get(&node).copied()
    }

    /// When the state was last restored from a backup; none if it never was.
    pub fn restored_at(&self) -> Option<Timestamp> {
        (self.epoch > 0).then_some(self.restored_at)
    }

    /// How servers are judged, and the index at which that was set.
    pub fn autopilot(&self) -> (AutopilotConfiguration, Index) {
        (self.autopilot, self.autopilot_index)
    }

    /// Whether a server left for good.
    pub fn is_removed_server(&self, id: ServerId) -> bool {
        self.removed_servers.get(&id).is_some()
    }

    /// The highest server id that was ever given out.
    pub fn last_server_id(&self) -> ServerId {
        self.last_server_id
    }

    /// How the scheduler chooses, and the index at which that was set.
    pub fn scheduler(&self) -> (&SchedulerConfiguration, Index) {
        (&self.scheduler, self.scheduler_index)
    }

    /// Gives the state what led to it, for a snapshot.
    pub fn put_chain(&mut self, chain: Chain) {
        self.chain = chain;
    }

    /// Takes what led to the state out of it. Empty if the snapshot is of a release that knew of none.
    pub fn take_chain(&mut self) -> Chain {
        std::mem::take(&mut self.chain)
    }

    /// How many allocations there are.
    pub fn allocation_count(&self) -> usize {
        self.allocations.len()
    }

    /// Indexes at which each table last changed.
    pub fn indexes(&self) -> &TableIndexes {
        &self.indexes
    }

    /// A job with its versions.
    pub fn job(&self, key: &JobKey) -> Option<&Arc<JobRecord>> {
        self.jobs.get(key)
    }

    /// All jobs, by namespace and id.
    pub fn jobs(&self) -> impl Iterator<Item = &Arc<JobRecord>> {
        self.jobs.values()
    }

    /// A version of a job.
    pub fn job_version(&self, key: &JobKey, version: u64) -> Option<&Arc<JobVersion>> {
        self.jobs.get(key)?.version(version)
    }

    /// A node.
    pub fn node(&self, id: NodeId) -> Option<&Arc<Node>> {
        self.nodes.get(&id)
    }

    /// All nodes, by id.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<Node>> {
        self.nodes.values()
    }

    /// The nodes of that name.
    pub(crate) fn nodes_named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Arc<Node>> {
        let ids = self.nodes_by_name.range((name.to_string(), NodeId::default())..);
        ids.take_while(move |((known, _), ())| known == name).filter_map(|((_, id), ())| self.nodes.get(id))
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// What allocations hold of a node.
    pub fn node_use(&self, id: NodeId) -> NodeUse {
        self.held_on(id).cloned().unwrap_or_default()
    }

    /// The same where it stands; none where no allocation is.
    pub(crate) fn held_on(&self, id: NodeId) -> Option<&NodeUse> {
        self.occupancies.get(&id).map(|occupancy| &occupancy.held)
    }

    /// What a successor of `known` takes over: what that holds, and what it waits for itself, all of them together.
    pub(crate) fn inherited(&self, known: &Allocation) -> NodeUse {
        let before = known.ties().after.iter().filter_map(|id| self.allocation(*id)).map(|before| &**before);
        NodeUse::of(before.chain([known]))
    }

    /// An allocation.
    pub fn allocation(&self, id: AllocationId) -> Option<&Arc<Allocation>> {
        self.allocations.get(&id)
    }

    /// An allocation of a node: found sooner than by its id alone, among a few instead of all.
    pub fn allocation_on(&self, node: NodeId, id: AllocationId) -> Option<&Arc<Allocation>> {
        self.place_on(node, id).and_then(|place| self.allocations.at(place))
    }

    /// Where it stands.
    fn place_on(&self, node: NodeId, id: AllocationId) -> Option<Place> {
        self.occupancies.get(&node)?.allocations.get(&id).copied()
    }

    /// All allocations, by id.
    pub fn allocations(&self) -> impl Iterator<Item = &Arc<Allocation>> {
        self.allocations.values()
    }

    /// All allocations in the order in which they were placed, which is the quickest way to see all of them.
    pub fn allocations_as_placed(&self) -> impl Iterator<Item = &Arc<Allocation>> {
        self.allocations.arrivals()
    }

    /// The allocations of a job, by id.
    pub fn allocations_of_job<'a>(&'a self, key: &JobKey) -> impl Iterator<Item = &'a Arc<Allocation>> + use<'a> {
        let places = self.of_jobs.get(key).into_iter().flat_map(|of_job| of_job.allocations.values());
        places.filter_map(|place| self.allocations.at(*place))
    }

    /// The allocations of a node, by id.
    pub fn allocations_of_node(&self, node: NodeId) -> impl Iterator<Item = &Arc<Allocation>> {
        let places = self.occupancies.get(&node).into_iter().flat_map(|occupancy| occupancy.allocations.values());
        places.filter_map(|place| self.allocations.at(*place))
    }

    /// An evaluation.
    pub fn evaluation(&self, id: EvaluationId) -> Option<&Arc<Evaluation>> {
        self.evaluations.get(&id)
    }

    /// All evaluations, by id.
    pub fn evaluations(&self) -> impl Iterator<Item = &Arc<Evaluation>> {
        self.evaluations.values()
    }

    /// The evaluations of a job, by id.
    pub fn evaluations_of_job<'a>(&'a self, key: &JobKey) -> impl Iterator<Item = &'a Arc<Evaluation>> + use<'a> {
        let ids = self.of_jobs.get(key).into_iter().flat_map(|of_job| &of_job.evaluations);
        ids.filter_map(|id| self.evaluations.get(id))
    }

    /// How the wait of `group` began for which `evaluation` stands; none if it does not.
    pub fn wait_began(&self, evaluation: &Evaluation, group: &str) -> Option<WaitBegan> {
        let cause = evaluation.previous.and_then(|id| self.evaluation(id)).map_or(evaluation.trigger, |by| by.trigger);
        let itself = WaitBegan { at: evaluation.created_at, by: cause };
        Some(evaluation.unplaced.get(group)?.began.unwrap_or(itself))
    }

    /// The evaluations that are pending without having to wait, or those that are blocked, in the order in which they
    /// are tried: by priority, then by age.
    pub fn open_evaluations(&self, status: EvaluationStatus) -> impl Iterator<Item = &Arc<Evaluation>> {
        let ids = self.open_evaluations.range((status, Reverse(u32::MAX), 0, EvaluationId::default())..);
        ids.take_while(move |((of, ..), ())| *of == status).filter_map(|((.., id), ())| self.evaluations.get(id))
    }

    /// The nodes that gained room for new work after `index`, longest ago first.
    pub(crate) fn gains_after(&self, index: Index) -> impl Iterator<Item = (Index, NodeId)> {
        self.nodes_by_gain.range((index + 1, NodeId::default())..).map(|(gain, ())| *gain)
    }

    /// The pending evaluations that wait for their time, earliest first.
    pub fn waiting_evaluations(&self) -> impl Iterator<Item = &Arc<Evaluation>> {
        self.waiting_evaluations.iter().filter_map(|((_, id), ())| self.evaluations.get(id))
    }

    /// A deployment.
    pub fn deployment(&self, id: DeploymentId) -> Option<&Arc<Deployment>> {
        self.deployments.get(&id)
    }

    /// All deployments, by id.
    pub fn deployments(&self) -> impl Iterator<Item = &Arc<Deployment>> {
        self.deployments.values()
    }

    /// The deployments of a job, oldest first.
    pub fn deployments_of_job<'a>(&'a self, key: &JobKey) -> impl Iterator<Item = &'a Arc<Deployment>> + use<'a> {
        let begun = self.of_jobs.get(key).into_iter().flat_map(|of_job| &of_job.deployments);
        begun.filter_map(|(_, id)| self.deployments.get(id))
    }

    /// The newest deployment of a job.
    pub fn latest_deployment(&self, key: &JobKey) -> Option<&Arc<Deployment>> {
        let (_, id) = self.of_jobs.get(key)?.deployments.last()?;
        self.deployments.get(id)
    }

    /// The servers, by id.
    pub fn servers(&self) -> impl Iterator<Item = &Arc<ServerRecord>> {
        self.servers.values()
    }

    /// A server.
    pub fn server(&self, id: ServerId) -> Option<&Arc<ServerRecord>> {
        self.servers.get(&id)
    }

    /// The rebalance that runs, or the last one.
    pub fn rebalance(&self) -> Option<&Arc<Rebalance>> {
        self.rebalance.as_ref()
    }

    /// A join token, by its public id.
    pub fn join_token(&self, id: &str) -> Option<&Arc<JoinTokenRecord>> {
        self.join_tokens.get(&id.to_string())
    }

    /// The services of the catalog with their rows, by namespace and name.
    pub fn services(&self) -> impl Iterator<Item = (&ServiceKey, &Arc<ServiceRow>)> {
        self.services.iter()
    }

    /// The row of one service.
    pub fn service(&self, namespace: &str, name: &str) -> Option<&Arc<ServiceRow>> {
        self.services.get(&(namespace.into(), name.into()))
    }

    /// The instances that an allocation provides.
    pub fn instances_of(&self, allocation: AllocationId) -> &[Instance] {
        self.instances.get(&allocation).map(|instances| instances.as_slice()).unwrap_or_default()
    }

    /// What usually ran when that was last looked at.
    pub(crate) fn picture(&self) -> &Arc<Picture> {
        &self.mix.taken().picture
    }

    /// What became of a job, as people see it.
    pub fn job_status(&self, key: &JobKey) -> JobStatus {
        let Some(record) = self.jobs.get(key) else { return JobStatus::Dead };
        if self.allocations_of_job(key).any(|allocation| !allocation.client_status.is_terminal()) {
            return JobStatus::Running;
        }
        let waits = self.evaluations_of_job(key).any(|evaluation| !evaluation.status.is_terminal());
        let runs_for_ever = !record.current().job.kind.runs_to_completion();
        if waits || (runs_for_ever && !record.stop) { JobStatus::Pending } else { JobStatus::Dead }
    }

    /// The latest time of an entry, as its leader said: the time, for whoever has no clock.
    pub fn time(&self) -> Timestamp {
        self.time
    }
}
