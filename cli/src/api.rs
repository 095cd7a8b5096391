//! The parts of the API's answers that commands show, with the names of its JSON.
//!
//! Every field may be absent: an answer of an older or newer release is shown as far as it goes. What is printed with
//! -json never passes through these types.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::failure::Failure;
use crate::http::{self, Error};

mod allocation;
mod capacity;
mod deployment;
mod evaluation;
mod explanation;
mod job;
mod node;
mod plan;
mod rebalance;
mod server;
mod service;
mod volume;

pub use allocation::{Allocation, CheckStatus, TaskEvent, TaskState};
pub use capacity::{Foreseen, Largest, Moved, Overview, Placed, Room};
pub use deployment::Deployment;
pub use evaluation::{Evaluation, Metric};
pub use explanation::{
    Ask, BlockedThere, Explanation, GroupExplanation, GroupOnNode, JobOnNode, NodeAlone, Score, Wait,
};
pub use job::{GroupSummary, Job, JobStub, Summary, Versions};
pub use node::{DrainStatus, Node, NodeUsage};
pub use plan::{Change, Diff, FieldChange, ObjectChange, Plan, TaskChange};
pub use rebalance::{Balance, Rebalance, RebalanceMove, RebalancePlan};
pub use server::{Member, Members, RaftServer, RaftServers};
pub use service::{ServiceInstance, ServicesOfNamespace};
pub use volume::{Volume, VolumeClaim};

/// An answer in the given type; null stands for an empty object or list.
pub fn decode<T: DeserializeOwned + Default>(value: &Value) -> Result<T, Failure> {
    if value.is_null() {
        return Ok(T::default());
    }
    http::typed(value).map_err(|error| Error::Nonsense { url: "the answer".into(), reason: error.to_string() }.into())
}
