//! What commands carry beside the vocabulary: specifications and records that the state keeps as they came.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{Algorithm, Index, Job, JobType, ServerId, Timestamp};
use serde::{Deserialize, Serialize};

/// How a drain is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrainSpec {
    /// How long it may take; none for without limit, zero for at once.
    pub deadline: Option<Duration>,
    /// Whether system jobs stay.
    pub ignore_system_jobs: bool,
}

/// In which session an agent says something. An agent turns to another server whenever it must, and says there all that it
/// said before; what the server that it left still proposes would undo the newer. So the log orders sessions: one begins
/// with the entry that registers its node, is known by that entry's index, and ends all earlier ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NodeSession {
    /// This begins one; of whom is not said, as by releases that did not know it.
    Begins,
    /// This begins one of that agent.
    BegunBy(Holder),
    /// It is said in the session that began at this index.
    Within(Index),
}

/// The agent that a node belongs to. A node's id alone proves nothing: it can be copied with the folder that keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// BLAKE3 of the public key that its certificate is for.
    pub key: [u8; 32],
    /// A mark that its host bears and no other, nor another folder of the same host; none of an agent that does not say it.
    pub host: Option<[u8; 32]>,
}

/// What a person sent to register a job.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Submission {
    /// The text.
    pub source: String,
    /// `hcl2` or `json`.
    pub format: String,
    /// Variables given one by one.
    pub variable_flags: BTreeMap<String, String>,
    /// Variables given as a file.
    pub variables: String,
}

/// A server of the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerRecord {
    /// Its id.
    pub id: ServerId,
    /// Its name.
    pub name: String,
    /// Where it is reached by servers and agents.
    pub address: String,
    /// Where it is reached by people.
    pub http_address: String,
    /// The newest cluster version that it speaks.
    pub version: u32,
    /// Its release.
    pub build: String,
}

/// A token that lets servers or agents join, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinTokenRecord {
    /// Its public id.
    pub id: String,
    /// `server` or `agent`.
    pub role: String,
    /// BLAKE3 of the secret, in hexadecimal.
    pub secret_hash: String,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// How the scheduler chooses.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SchedulerConfiguration {
    /// Pack nodes, or keep them evenly filled.
    pub algorithm: Algorithm,
    /// The same for jobs of single node pools, by their names. In a command: none leaves those as they are, since who
    /// knows nothing of them must not undo them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pools: Option<BTreeMap<String, Algorithm>>,
    /// Whose work may take the room of work of a lower priority.
    #[serde(default)]
    pub preemption: Preemption,
}

impl SchedulerConfiguration {
    /// How nodes are chosen for `job`: as it asks itself, or else as its node pool has it, or else the cluster.
    pub fn algorithm_for(&self, job: &Job) -> Algorithm {
        let of_pool = || self.pools.as_ref()?.get(&job.node_pool).copied();
        job.scheduler_algorithm.or_else(of_pool).unwrap_or(self.algorithm)
    }
}

/// Whose work may take the room of work of a lower priority where there is no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preemption {
    /// Service jobs.
    pub service: bool,
    /// Batch jobs.
    pub batch: bool,
    /// System jobs.
    pub system: bool,
    /// Sysbatch jobs.
    pub sysbatch: bool,
}

impl Default for Preemption {
    fn default() -> Self {
        Self { service: false, batch: false, system: true, sysbatch: false }
    }
}

impl Preemption {
    /// Whether jobs of that type may.
    pub fn allows(self, kind: JobType) -> bool {
        match kind {
            JobType::Service => self.service,
            JobType::Batch => self.batch,
            JobType::System => self.system,
            JobType::SysBatch => self.sysbatch,
        }
    }
}
