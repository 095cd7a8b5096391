//! The parts of the API's answers that commands show, with the names of its JSON.
//!
//! Every field may be absent: an answer of an older or newer release is shown as far as it goes. What is printed with
//! -json never passes through these types.

mod allocation;
mod deployment;
mod evaluation;
mod explanation;
mod job;
mod node;
mod plan;
mod server;
mod service;

pub use allocation::{Allocation, CheckStatus, TaskEvent, TaskState};
pub use deployment::Deployment;
pub use evaluation::{Evaluation, Metric};
pub use explanation::{Explanation, GroupExplanation};
pub use job::{GroupSummary, Job, JobStub, Summary, Versions};
pub use node::{DrainStatus, Node, NodeUsage};
pub use plan::{Change, Diff, FieldChange, ObjectChange, Plan, TaskChange};
pub use server::{Member, Members, RaftServer, RaftServers};
pub use service::{ServiceInstance, ServicesOfNamespace};
