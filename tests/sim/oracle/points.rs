//! What an entry says in a timeline, and what it shows that must happen sometimes.

use std::collections::BTreeMap;

use model::{
    ClientStatus, DeploymentId, DeploymentStatus, Desired, EvaluationStatus, NodeId, NodeStatus, StopReason, Term,
};
use server_core::apply::{Answer, Applied, Rejection};
use server_core::command::{Command, Entry};
use server_core::state::{Change, State};

use crate::sim::coverage::{Coverage, Sometimes};

/// What is remembered to tell what outlives a leader.
#[derive(Default)]
pub struct Points {
    rollouts: BTreeMap<DeploymentId, Term>,
    drains: BTreeMap<NodeId, Term>,
    down: std::collections::BTreeSet<NodeId>,
}

impl Points {
    /// Looks at an entry that was applied for the first time.
    pub fn look(&mut self, entry: &Entry, term: Term, applied: &Applied, state: &State, coverage: &mut Coverage) {
        match &applied.answer {
            Answer::Rejected(Rejection::OldTerm { .. }) => coverage.note(Sometimes::OldTermWasRejected),
            Answer::Rejected(_) => {}
            Answer::Accepted(accepted) => {
                if !accepted.rejected.is_empty() {
                    coverage.note(Sometimes::PlanWasRejectedInPart);
                }
                self.look_at_command(&entry.command, term, coverage);
            }
        }
        for change in &applied.changes {
            self.look_at_change(change, term, state, coverage);
        }
    }

    fn look_at_command(&mut self, command: &Command, term: Term, coverage: &mut Coverage) {
        match command {
            Command::DrainNode { node, drain: Some(_), .. } => {
                self.drains.insert(*node, term);
            }
            Command::CompleteDrain { node, .. } => {
                coverage.note(Sometimes::DrainEnded);
                if self.drains.remove(node).is_some_and(|began| began < term) {
                    coverage.note(Sometimes::DrainOutlivedItsLeader);
                }
            }
            Command::EndDeployment { revert_to: Some(_), .. } => coverage.note(Sometimes::JobWasReverted),
            Command::PromoteDeployment { .. } => coverage.note(Sometimes::CanariesWerePromoted),
            Command::BeginRebalance { .. } => coverage.note(Sometimes::RebalanceBegan),
            Command::SetNodeStatus { changes, .. } => {
                let down = changes.iter().filter(|(_, status)| *status == NodeStatus::Down);
                for (node, _) in down {
                    self.down.insert(*node);
                    coverage.note(Sometimes::NodeWasGivenUp);
                }
            }
            Command::RegisterNode { node, .. } if self.down.remove(&node.id) => coverage.note(Sometimes::NodeCameBack),
            _ => {}
        }
    }

    fn look_at_change(&mut self, change: &Change, term: Term, state: &State, coverage: &mut Coverage) {
        match change {
            Change::Deployment(id) => {
                let Some(known) = state.deployment(*id) else { return };
                let began = *self.rollouts.entry(*id).or_insert(term);
                match known.status {
                    DeploymentStatus::Successful => coverage.note(Sometimes::RolloutSucceeded),
                    DeploymentStatus::Failed => coverage.note(Sometimes::RolloutFailed),
                    DeploymentStatus::Running | DeploymentStatus::Paused | DeploymentStatus::Cancelled => return,
                }
                if began < term {
                    coverage.note(Sometimes::RolloutOutlivedItsLeader);
                }
            }
            Change::Allocation { id, .. } => {
                let Some(known) = state.allocation(*id) else { return };
                match known.desired {
                    Desired::Stop(StopReason::Reconnected) => coverage.note(Sometimes::ReconnectedInstanceWasStopped),
                    Desired::Stop(StopReason::Preempted) => coverage.note(Sometimes::WorkWasPreempted),
                    Desired::Stop(_) | Desired::Run => {}
                }
                if known.client_status == ClientStatus::Failed && known.ties().follow_up.is_some() {
                    coverage.note(Sometimes::WorkWaitedForItsTime);
                }
            }
            Change::Evaluation(id)
                if state.evaluation(*id).is_some_and(|known| known.status == EvaluationStatus::Blocked) =>
            {
                coverage.note(Sometimes::WorkWaitedForRoom);
            }
            _ => {}
        }
    }
}

/// A command in a few words.
pub fn words(command: &Command) -> String {
    let name = command.name();
    match command {
        Command::RegisterJob { job, .. } => {
            let counts: Vec<_> = job.groups.iter().map(|group| format!("{}×{}", group.name, group.count)).collect();
            format!("{name} {} {} {}", job.id, job.kind.as_str(), counts.join(" "))
        }
        Command::DeregisterJob { job, purge } => format!("{name} {}{}", job.id, if *purge { " purge" } else { "" }),
        Command::RevertJob { job, version, .. } => format!("{name} {} to {version}", job.id),
        Command::EvaluateJob { job, .. } => format!("{name} {}", job.id),
        Command::RegisterNode { node, .. } => format!("{name} {}", node.name),
        Command::SetNodeStatus { changes, .. } => {
            let changes: Vec<_> = changes.iter().map(|(node, status)| format!("{} {status:?}", node.short())).collect();
            format!("{name} {}", changes.join(", "))
        }
        Command::SetNodeEligibility { node, eligibility } => format!("{name} {} {eligibility:?}", node.short()),
        Command::DrainNode { node, drain, .. } => {
            format!("{name} {} {}", node.short(), if drain.is_some() { "begins" } else { "ends" })
        }
        Command::CompleteDrain { node, .. } | Command::PurgeNode { node } => format!("{name} {}", node.short()),
        Command::Observe { nodes, .. } => {
            let seen = |observation: &model::Observation<model::TaskStates>| {
                format!("{} {:?}", observation.allocation.short(), observation.client_status)
            };
            let seen: Vec<_> = nodes.iter().flat_map(|(_, observations)| observations.iter().map(seen)).collect();
            format!("{name} {}", seen.join(", "))
        }
        Command::Plan(plan) => {
            let placed: u32 = plan.placements.iter().map(|placement| placement.count).sum();
            let (stops, unplaced) = (plan.stops.len(), plan.outcome.unplaced.values().map(|it| it.count).sum::<u32>());
            format!("{name} {} places {placed} stops {stops} lacks {unplaced}", plan.job.id)
        }
        Command::EndDeployment { deployment, status, revert_to, .. } => {
            format!("{name} {} {status:?} {}", deployment.short(), if revert_to.is_some() { "reverts" } else { "" })
        }
        Command::StopAllocation { allocation } => format!("{name} {}", allocation.short()),
        Command::AnnounceServer { server } => format!("{name} {}", server.id),
        Command::ForgetServer { id, .. } => format!("{name} {id}"),
        _ => name.to_string(),
    }
}
