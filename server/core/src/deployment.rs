//! The watch over deployments: which are done, which have failed, which promote themselves.
//!
//! Level-triggered like the drains: asked after every change and at [`Step::wake_at`], nothing is remembered.

mod per_node;

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{
    Allocation, AllocationId, ClientStatus, Deployment, DeploymentGroup, DeploymentStatus, Desired, Term, Timestamp,
};

use crate::command::Command;
use crate::schedule::is_final;
use crate::state::State;

/// What the deployments need next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Step {
    /// To be proposed, in order.
    pub commands: Vec<Command>,
    /// When to ask again at the latest.
    pub wake_at: Option<Timestamp>,
}

/// What the deployments need next, as the leader of `term` sees it.
pub fn next(state: &State, now: Timestamp, term: Term) -> Step {
    let mut step = Step::default();
    // One of an older version has nothing to say any more; the planner cancels it.
    let is_current = |known: &Deployment| state.job(&known.job).is_some_and(|record| record.is_rolled_out_by(known));
    for deployment in state.deployments().filter(|known| known.status == DeploymentStatus::Running && is_current(known))
    {
        if is_per_node(state, deployment) {
            let (healthy, next) = per_node::never_judged(state, deployment, now);
            step.wake_at = step.wake_at.into_iter().chain(next).min();
            if !healthy.is_empty() {
                let (deployment, unhealthy, term) = (deployment.id, Vec::new(), Some(term));
                step.commands.push(Command::SetAllocationHealth { deployment, healthy, unhealthy, term });
                continue;
            }
        }
        let groups: Vec<_> =
            deployment.groups.iter().map(|(name, group)| Standing::of(state, deployment, name, group, now)).collect();
        match verdict(&groups, now) {
            Verdict::Succeeds => step.commands.push(Command::EndDeployment {
                deployment: deployment.id,
                status: DeploymentStatus::Successful,
                description: "Deployment completed successfully".into(),
                revert_to: None,
                term: Some(term),
            }),
            Verdict::Fails(why) => step.commands.push(fail(state, deployment, why, Some(term))),
            Verdict::Promotes => {
                let (deployment, groups, term) = (deployment.id, None, Some(term));
                step.commands.push(Command::PromoteDeployment { deployment, groups, term });
            }
            Verdict::Waits(until) => step.wake_at = step.wake_at.into_iter().chain(until).min(),
        }
    }
    step
}

/// The command that ends `deployment` as failed, going back to the last stable version where a group asks for it.
pub fn fail(state: &State, deployment: &Deployment, why: &str, term: Option<Term>) -> Command {
    let reverts = deployment.groups.values().any(|group| group.auto_revert);
    let record = state.job(&deployment.job);
    // Going back to the very document that has just failed would go on for ever, and to go back from a version that came
    // after it is not its business.
    let stable = record.filter(|record| record.is_rolled_out_by(deployment)).and_then(|record| {
        record.stable_before(deployment.job_version).filter(|stable| stable.job != record.current().job)
    });
    let revert_to = stable.filter(|_| reverts).map(|version| version.version);
    let description = match revert_to {
        Some(version) => format!("{why} - rolling back to job version {version}"),
        None if reverts => format!("{why} - no stable job version to auto revert to"),
        None => why.to_string(),
    };
    Command::EndDeployment { deployment: deployment.id, status: DeploymentStatus::Failed, description, revert_to, term }
}

enum Verdict {
    Succeeds,
    Fails(&'static str),
    Promotes,
    Waits(Option<Timestamp>),
}

/// A group of a deployment, with what is healthy of it now. What it has counted says what was ever healthy: an instance
/// that fails later stays counted there, and so does the one in its place.
struct Standing<'a> {
    group: &'a DeploymentGroup,
    /// Instances that shall be healthy in the end.
    wanted: u32,
    healthy: u32,
    healthy_canaries: u32,
    /// Whether an instance that is still needed failed and will not be placed anew.
    has_failed_for_good: bool,
}

impl<'a> Standing<'a> {
    fn of(state: &State, deployment: &Deployment, name: &str, group: &'a DeploymentGroup, now: Timestamp) -> Self {
        if is_per_node(state, deployment) {
            let (healthy, all) = per_node::standing(state, deployment, name);
            // One without any instance has proved nothing.
            return Self {
                group,
                wanted: all.max(1),
                healthy,
                healthy_canaries: healthy_canaries(state, group),
                has_failed_for_good: false,
            };
        }
        let of_it = |known: &&Arc<Allocation>| known.deployment == Some(deployment.id) && known.group == name;
        let of_group = || state.allocations_of_job(&deployment.job).filter(of_it);
        // One that moves is there twice.
        let indexes = || of_group().filter(|known| known.is_well()).map(|known| known.index).collect::<BTreeSet<_>>();
        // Whoever is well was counted, so as long as too few were counted nobody need be looked at.
        let healthy = match group.healthy < group.desired_total {
            true => group.healthy,
            false => indexes().len() as u32,
        };
        debug_assert!(group.healthy >= indexes().len() as u32, "healthy instances of {name} that nobody counted");
        let policy = || {
            let version = state.job_version(&deployment.job, deployment.job_version)?;
            version.job.group(name)?.reschedule.as_ref()
        };
        let stands = |failed: &Allocation| {
            of_group().any(|other| other.is_live() && (other.index, other.canary) == (failed.index, failed.canary))
        };
        let has_failed_for_good = state.has_failed(&deployment.job)
            && of_group().any(|known| has_failed(known) && is_final(known, policy(), now) && !stands(known));
        let (wanted, healthy_canaries) = (group.desired_total, healthy_canaries(state, group));
        Self { group, wanted, healthy, healthy_canaries, has_failed_for_good }
    }

    fn is_done(&self) -> bool {
        self.healthy >= self.wanted && (self.group.desired_canaries == 0 || self.group.promoted)
    }

    /// Whether all canaries are healthy, so that only a person (or `auto_promote`) is waited for.
    fn waits_for_promotion(&self) -> bool {
        let group = self.group;
        group.desired_canaries > 0 && !group.promoted && self.healthy_canaries >= group.desired_canaries
    }
}

/// Whether an allocation failed and has none in its place.
pub(crate) fn has_failed(allocation: &Allocation) -> bool {
    allocation.client_status == ClientStatus::Failed
        && allocation.desired == Desired::Run
        && allocation.ties().next.is_none()
}

/// Whether the job has one instance on every node that takes one, rather than a count.
fn is_per_node(state: &State, deployment: &Deployment) -> bool {
    let version = state.job_version(&deployment.job, deployment.job_version);
    version.is_some_and(|version| version.job.kind.is_per_node())
}

/// How many canaries of the group are healthy now.
pub(crate) fn healthy_canaries(state: &State, group: &DeploymentGroup) -> u32 {
    let is_well = |id: &&AllocationId| state.allocation(**id).is_some_and(|canary| canary.is_well());
    group.placed_canaries.iter().filter(is_well).count() as u32
}

fn verdict(groups: &[Standing<'_>], now: Timestamp) -> Verdict {
    if groups.iter().all(Standing::is_done) {
        return Verdict::Succeeds;
    }
    if groups.iter().any(|known| known.group.progress_deadline_ns == 0 && known.group.unhealthy > 0) {
        return Verdict::Fails("Failed due to unhealthy allocations");
    }
    // It can't be done any more: whoever waits for the deadline only waits longer for the version before.
    if groups.iter().any(|known| !known.is_done() && known.has_failed_for_good) {
        return Verdict::Fails("Failed due to unhealthy allocations");
    }
    let open = || groups.iter().filter(|known| !known.is_done() && !known.waits_for_promotion());
    if open().filter_map(|known| known.group.require_progress_by).any(|by| by <= now) {
        return Verdict::Fails("Failed due to progress deadline");
    }
    let canaries = || groups.iter().filter(|known| known.group.desired_canaries > 0 && !known.group.promoted);
    if canaries().next().is_some() && canaries().all(|known| known.group.auto_promote && known.waits_for_promotion()) {
        return Verdict::Promotes;
    }
    Verdict::Waits(open().filter_map(|known| known.group.require_progress_by).min())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group() -> DeploymentGroup {
        DeploymentGroup {
            desired_total: 2,
            progress_deadline_ns: 10,
            require_progress_by: Some(Timestamp(10)),
            ..DeploymentGroup::default()
        }
    }

    fn verdict_on(group: &DeploymentGroup, healthy: u32, now: i64) -> Verdict {
        let wanted = group.desired_total;
        let standing = Standing { group, wanted, healthy, healthy_canaries: healthy, has_failed_for_good: false };
        verdict(&[standing], Timestamp(now))
    }

    #[test]
    fn it_waits_until_its_deadline_and_fails_at_it() {
        assert!(matches!(verdict_on(&group(), 0, 9), Verdict::Waits(Some(Timestamp(10)))));
        assert!(matches!(verdict_on(&group(), 0, 10), Verdict::Fails("Failed due to progress deadline")));
    }

    #[test]
    fn it_succeeds_when_all_are_healthy_even_past_the_deadline() {
        assert!(matches!(verdict_on(&group(), 2, 99), Verdict::Succeeds));
    }

    #[test]
    fn without_a_deadline_the_first_unhealthy_instance_fails_it() {
        let group = DeploymentGroup { unhealthy: 1, progress_deadline_ns: 0, require_progress_by: None, ..group() };
        assert!(matches!(verdict_on(&group, 0, 0), Verdict::Fails(_)));
    }

    #[test]
    fn healthy_canaries_wait_for_a_person_or_promote_themselves() {
        let canaries = DeploymentGroup { desired_canaries: 1, ..group() };
        assert!(matches!(verdict_on(&canaries, 1, 99), Verdict::Waits(None)));
        let auto = DeploymentGroup { auto_promote: true, ..canaries };
        assert!(matches!(verdict_on(&auto, 1, 0), Verdict::Promotes));
        assert!(matches!(verdict_on(&auto, 0, 10), Verdict::Fails(_)));
    }
}
