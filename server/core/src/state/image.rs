//! The state as bytes: what a snapshot holds.
//!
//! Only what is not derived is written; the rest is recomputed on the way back. MessagePack with field names, so that a
//! later release can add fields.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use model::old_bugs::{OldBug, is_on};
use model::{
    Allocation, ClusterId, Cohort, Deployment, DynamicVolume, Evaluation, EvaluationId, Index, JobKey, Node, NodeId,
    ServerId, Term, Timestamp, VolumeClaim,
};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

use super::mix::{Mix, Taken};
use super::{JobRecord, Restoring, State, TableIndexes};
use crate::apply::Answer;
use crate::autopilot::AutopilotConfiguration;
use crate::chain::Chain;
use crate::command::{Holder, JoinTokenRecord, SchedulerConfiguration, ServerRecord};
use crate::rebalance::Rebalance;

/// So many allocations are fetched from memory together.
const FETCHED: usize = 32;

/// As many bytes as an allocation and what comes with it take at most, usually.
const ALLOCATION_BYTES: usize = 320;

/// The bytes are not a state that this release can read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("a snapshot of the state does not decode: {reason}")]
pub struct DecodeImage {
    reason: String,
}

/// Everything of the state that is not derived, in order of keys. `A` and `C`: its allocations, in the order of their
/// placement, each with the place of its cohort; and their cohorts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Image<A = Vec<(u32, Arc<Allocation>)>, C = Vec<Arc<Cohort>>> {
    index: Index,
    term: Term,
    cluster: ClusterId,
    cluster_version: u32,
    epoch: u64,
    #[serde(default)]
    restored_at: Timestamp,
    scheduler: SchedulerConfiguration,
    scheduler_index: Index,
    last_server_id: ServerId,
    #[serde(default)]
    autopilot: AutopilotConfiguration,
    #[serde(default)]
    autopilot_index: Index,
    #[serde(default)]
    removed_servers: Vec<ServerId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    awaited: Vec<NodeId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    sessions: Vec<(NodeId, Index)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    holders: Vec<(NodeId, Holder)>,
    /// None in images of releases that did not keep it.
    #[serde(default)]
    time: Option<Timestamp>,
    indexes: TableIndexes,
    jobs: Vec<Arc<JobRecord>>,
    nodes: Vec<Arc<Node>>,
    allocations: A,
    /// What allocations share. Behind them: which they are is found while these are written.
    cohorts: C,
    evaluations: Vec<Arc<Evaluation>>,
    deployments: Vec<Arc<Deployment>>,
    servers: Vec<Arc<ServerRecord>>,
    join_tokens: Vec<Arc<JoinTokenRecord>>,
    port_cursors: Vec<(NodeId, u16)>,
    #[serde(default)]
    gains: Vec<(NodeId, Index)>,
    requests: Vec<([u8; 16], Index, Arc<Answer>)>,
    purged: Vec<JobKey>,
    #[serde(default)]
    volumes: Vec<Arc<DynamicVolume>>,
    #[serde(default)]
    volume_claims: Vec<Arc<VolumeClaim>>,
    #[serde(default)]
    rebalance: Option<Arc<Rebalance>>,
    #[serde(default)]
    restoring: Option<Arc<Restoring>>,
    /// Index at which each service last changed; its instances are derived.
    services: Vec<(String, String, Index)>,
    /// What usually runs, as it was last looked at.
    #[serde(default)]
    mix: Taken,
    #[serde(default, skip_serializing_if = "Chain::is_empty")]
    chain: Chain,
}

impl State {
    /// The state as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let cohorts = RefCell::default();
        let image = Image {
            index: self.index,
            term: self.term,
            cluster: self.cluster,
            cluster_version: self.cluster_version,
            epoch: self.epoch,
            restored_at: self.restored_at,
            scheduler: self.scheduler.clone(),
            scheduler_index: self.scheduler_index,
            last_server_id: self.last_server_id,
            autopilot: self.autopilot,
            autopilot_index: self.autopilot_index,
            removed_servers: self.removed_servers.iter().map(|(id, ())| *id).collect(),
            awaited: self.awaited.iter().map(|(id, ())| *id).collect(),
            sessions: self.sessions.iter().map(|(node, index)| (*node, *index)).collect(),
            holders: self.holders.iter().map(|(node, holder)| (*node, *holder)).collect(),
            time: Some(self.time),
            indexes: self.indexes,
            jobs: self.jobs.values().cloned().collect(),
            nodes: self.nodes.values().cloned().collect(),
            allocations: Arrivals { state: self, cohorts: &cohorts },
            cohorts: &cohorts,
            evaluations: self.evaluations.values().cloned().collect(),
            deployments: self.deployments.values().cloned().collect(),
            servers: self.servers.values().cloned().collect(),
            join_tokens: self.join_tokens.values().cloned().collect(),
            port_cursors: self.port_cursors.iter().map(|(node, port)| (*node, *port)).collect(),
            gains: self.gains.iter().map(|(node, index)| (*node, *index)).collect(),
            requests: self.requests.iter().map(|(id, (index, answer))| (*id, *index, answer.clone())).collect(),
            purged: self.purged.iter().map(|(key, ())| key.clone()).collect(),
            volumes: self.volumes.values().cloned().collect(),
            volume_claims: self.volume_claims.values().cloned().collect(),
            rebalance: self.rebalance.clone(),
            restoring: self.restoring.clone(),
            services: self
                .services
                .iter()
                .map(|((namespace, name), row)| (namespace.to_string(), name.to_string(), row.modify_index))
                .collect(),
            mix: self.mix.taken().clone(),
            chain: self.chain,
        };
        // Memory that is not written to costs nothing; to grow would copy what was written.
        let mut bytes = Vec::with_capacity(self.allocations.len() * ALLOCATION_BYTES);
        rmp_serde::encode::write_named(&mut bytes, &image).expect("every state can be written to memory");
        bytes
    }

    /// The state of these bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeImage> {
        let image: Image = rmp_serde::from_slice(bytes).map_err(|error| DecodeImage { reason: error.to_string() })?;
        let cohorts = image.cohorts;
        let newest = image.evaluations.iter().map(|known| known.modified_at).max().unwrap_or_default();
        let allocation = |(cohort, mut allocation): (u32, Arc<Allocation>)| {
            Arc::make_mut(&mut allocation).cohort = cohorts.get(cohort as usize)?.clone();
            Some((allocation.id, allocation))
        };
        let allocations: Option<_> = image.allocations.into_iter().map(allocation).collect();
        let missing = || DecodeImage { reason: "an allocation names a cohort that is not there".into() };
        let mut state = Self {
            index: image.index,
            term: image.term,
            cluster: image.cluster,
            cluster_version: image.cluster_version,
            epoch: image.epoch,
            restored_at: image.restored_at,
            scheduler: image.scheduler,
            scheduler_index: image.scheduler_index,
            last_server_id: image.last_server_id,
            autopilot: image.autopilot,
            autopilot_index: image.autopilot_index,
            removed_servers: image.removed_servers.into_iter().map(|id| (id, ())).collect(),
            awaited: image.awaited.into_iter().map(|id| (id, ())).collect(),
            sessions: image.sessions.into_iter().collect(),
            holders: image.holders.into_iter().collect(),
            time: image.time.unwrap_or(newest),
            indexes: image.indexes,
            jobs: image.jobs.into_iter().map(|job| (job.key.clone(), job)).collect(),
            nodes: image.nodes.into_iter().map(|node| (node.id, node)).collect(),
            allocations: allocations.ok_or_else(missing)?,
            evaluations: image.evaluations.into_iter().map(|evaluation| (evaluation.id, evaluation)).collect(),
            deployments: image.deployments.into_iter().map(|deployment| (deployment.id, deployment)).collect(),
            servers: image.servers.into_iter().map(|server| (server.id, server)).collect(),
            join_tokens: image.join_tokens.into_iter().map(|token| (token.id.clone(), token)).collect(),
            port_cursors: image.port_cursors.into_iter().collect(),
            gains: image.gains.into_iter().collect(),
            request_order: image.requests.iter().map(|(id, index, _)| ((*index, *id), ())).collect(),
            requests: image
                .requests
                .into_iter()
                .filter(|_| !is_on(OldBug::RequestsNotRestored))
                .map(|(id, index, answer)| (id, (index, answer)))
                .collect(),
            purged: image.purged.into_iter().map(|key| (key, ())).collect(),
            volumes: image.volumes.into_iter().map(|volume| (volume.id, volume)).collect(),
            volume_claims: image.volume_claims.into_iter().map(|claim| (claim.key.clone(), claim)).collect(),
            rebalance: image.rebalance,
            restoring: image.restoring,
            chain: image.chain,
            mix: Mix::of(std::iter::empty(), image.mix),
            ..Self::default()
        };
        state.derive_all();
        // Deriving marks services as changed at this index; they changed when the image says.
        state.indexes = image.indexes;
        for (namespace, name, index) in image.services {
            let key = (namespace.into(), name.into());
            let mut row = state.services.get(&key).map(|row| (**row).clone()).unwrap_or_default();
            row.modify_index = index;
            state.services.insert(key, Arc::new(row));
        }
        Ok(state)
    }
}

/// The allocations of a state on their way into its image. Of millions each is looked at once.
struct Arrivals<'a> {
    state: &'a State,
    cohorts: &'a RefCell<Cohorts>,
}

impl Serialize for Arrivals<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serializer.serialize_seq(Some(self.state.allocations.len()))?;
        let mut cohorts = self.cohorts.borrow_mut();
        let mut coming = self.state.allocations.arrivals();
        let mut batch = Vec::with_capacity(FETCHED);
        loop {
            batch.extend(coming.by_ref().take(FETCHED));
            if batch.is_empty() {
                return all.end();
            }
            // Most of the time goes into waiting for memory: of several at once that is waited for together.
            std::hint::black_box(batch.iter().map(|known| known.tasks.fetch()).fold(0, u8::wrapping_add));
            for known in batch.drain(..) {
                all.serialize_element(&(cohorts.place_of(&known.cohort), known))?;
            }
        }
    }
}

impl Serialize for Cohorts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.all.serialize(serializer)
    }
}

/// Cohorts in the order in which they were first met, equal ones once.
#[derive(Default)]
struct Cohorts {
    all: Vec<Arc<Cohort>>,
    /// Places of those of one evaluation: few.
    of_evaluation: BTreeMap<EvaluationId, Vec<u32>>,
    /// The place of the last that was asked for: the next allocation mostly shares it.
    last: Option<u32>,
}

impl Cohorts {
    fn place_of(&mut self, cohort: &Arc<Cohort>) -> u32 {
        let known = self.last.filter(|place| Arc::ptr_eq(&self.all[*place as usize], cohort));
        let place = known.unwrap_or_else(|| self.find_or_add(cohort));
        self.last = Some(place);
        place
    }

    fn find_or_add(&mut self, cohort: &Arc<Cohort>) -> u32 {
        let places = self.of_evaluation.entry(cohort.evaluation).or_default();
        if let Some(place) = places.iter().find(|place| self.all[**place as usize] == *cohort) {
            return *place;
        }
        let place =
            u32::try_from(self.all.len()).expect("there are fewer cohorts than allocations, and those are millions");
        self.all.push(cohort.clone());
        places.push(place);
        place
    }
}
