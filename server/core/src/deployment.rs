//! The watch over deployments: which are done, which have failed, which promote themselves.
//!
//! Level-triggered like the drains: asked after every change and at [`Step::wake_at`], nothing is remembered.

use model::{Deployment, DeploymentGroup, DeploymentStatus, Term, Timestamp};

use crate::command::Command;
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
    for deployment in state.deployments().filter(|known| known.status == DeploymentStatus::Running) {
        match verdict(deployment, now) {
            Verdict::Succeeds => step.commands.push(Command::EndDeployment {
                deployment: deployment.id,
                status: DeploymentStatus::Successful,
                description: "Deployment completed successfully".into(),
                revert_to: None,
                term: Some(term),
            }),
            Verdict::Fails(why) => step.commands.push(fail(state, deployment, why, Some(term))),
            Verdict::Promotes => {
                step.commands.push(Command::PromoteDeployment { deployment: deployment.id, groups: None });
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
    // Going back to the very document that has just failed would go on for ever.
    let stable = record.and_then(|record| {
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

fn verdict(deployment: &Deployment, now: Timestamp) -> Verdict {
    let groups = || deployment.groups.values();
    if groups().all(is_done) {
        return Verdict::Succeeds;
    }
    if groups().any(|group| group.progress_deadline_ns == 0 && group.unhealthy > 0) {
        return Verdict::Fails("Failed due to unhealthy allocations");
    }
    let open = || groups().filter(|group| !is_done(group) && !waits_for_promotion(group));
    if open().filter_map(|group| group.require_progress_by).any(|by| by <= now) {
        return Verdict::Fails("Failed due to progress deadline");
    }
    let canaries: Vec<_> = groups().filter(|group| group.desired_canaries > 0 && !group.promoted).collect();
    if !canaries.is_empty() && canaries.iter().all(|group| group.auto_promote && waits_for_promotion(group)) {
        return Verdict::Promotes;
    }
    Verdict::Waits(open().filter_map(|group| group.require_progress_by).min())
}

fn is_done(group: &DeploymentGroup) -> bool {
    group.healthy >= group.desired_total && (group.desired_canaries == 0 || group.promoted)
}

/// Whether all canaries are healthy, so that only a person (or `auto_promote`) is waited for.
fn waits_for_promotion(group: &DeploymentGroup) -> bool {
    group.desired_canaries > 0 && !group.promoted && group.healthy >= group.desired_canaries
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::{DeploymentId, JobKey};

    use super::*;

    fn deployment(group: DeploymentGroup) -> Deployment {
        Deployment {
            id: DeploymentId::derive(&[b"d"]),
            job: JobKey::new("default", "web"),
            job_version: 1,
            job_create_index: 1,
            groups: BTreeMap::from([("web".to_string(), group)]),
            status: DeploymentStatus::Running,
            description: String::new(),
            create_index: 1,
            modify_index: 1,
            created_at: Timestamp(0),
            modified_at: Timestamp(0),
        }
    }

    fn group() -> DeploymentGroup {
        DeploymentGroup {
            desired_total: 2,
            progress_deadline_ns: 10,
            require_progress_by: Some(Timestamp(10)),
            ..DeploymentGroup::default()
        }
    }

    #[test]
    fn it_waits_until_its_deadline_and_fails_at_it() {
        let deployment = deployment(group());
        assert!(matches!(verdict(&deployment, Timestamp(9)), Verdict::Waits(Some(Timestamp(10)))));
        assert!(matches!(verdict(&deployment, Timestamp(10)), Verdict::Fails("Failed due to progress deadline")));
    }

    #[test]
    fn it_succeeds_when_all_are_healthy_even_past_the_deadline() {
        let deployment = deployment(DeploymentGroup { healthy: 2, placed: 2, ..group() });
        assert!(matches!(verdict(&deployment, Timestamp(99)), Verdict::Succeeds));
    }

    #[test]
    fn without_a_deadline_the_first_unhealthy_instance_fails_it() {
        let group = DeploymentGroup { unhealthy: 1, progress_deadline_ns: 0, require_progress_by: None, ..group() };
        assert!(matches!(verdict(&deployment(group), Timestamp(0)), Verdict::Fails(_)));
    }

    #[test]
    fn healthy_canaries_wait_for_a_person_or_promote_themselves() {
        let canaries = DeploymentGroup { desired_canaries: 1, healthy: 1, ..group() };
        assert!(matches!(verdict(&deployment(canaries.clone()), Timestamp(99)), Verdict::Waits(None)));
        let auto = DeploymentGroup { auto_promote: true, ..canaries };
        assert!(matches!(verdict(&deployment(auto), Timestamp(0)), Verdict::Promotes));
    }
}
