//! I26: a deployment always ends, once: as successful, failed or cancelled. Only a person may hold one up.

use std::time::Duration;

use model::{Deployment, DeploymentStatus, Timestamp};
use server_core::state::State;

use super::{Step, Violation};

pub(super) const NAME: &str = "rollout ends";

/// How much longer than its deadline a deployment may go on.
pub const JUDGED_WITHIN: Duration = Duration::from_secs(30);

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    for (before, after) in step.deployments() {
        let Some(before) = before.filter(|known| !known.status.is_active()) else { continue };
        if after.status != before.status {
            let (id, was, is) = (after.id.short(), before.status.as_str(), after.status.as_str());
            violations.push(Violation::new(NAME, format!("{id} was {was} and is {is}")));
        }
    }
}

pub(super) fn check_settled(state: &State, now: Timestamp, violations: &mut Vec<Violation>) {
    for known in state.deployments().filter(|known| known.status == DeploymentStatus::Running) {
        let Some(record) = state.job(&known.job) else { continue };
        let id = known.id.short();
        if record.stop || !record.is_rolled_out_by(known) {
            let what = format!("{id} goes on, and {} is stopped or has another version", known.job);
            violations.push(Violation::new(NAME, what));
        } else if let Some(late) = late(state, known, now) {
            violations.push(Violation::new(NAME, format!("{id} of {} is {late:?} past its deadline", known.job)));
        }
    }
}

/// How late it is: no group that a person need not promote may be past its deadline.
fn late(state: &State, deployment: &Deployment, now: Timestamp) -> Option<Duration> {
    let is_well = |id: &&model::AllocationId| state.allocation(**id).is_some_and(|canary| canary.is_well());
    let waits = |group: &&model::DeploymentGroup| {
        let healthy = group.placed_canaries.iter().filter(is_well).count();
        group.desired_canaries > 0 && !group.promoted && healthy >= group.desired_canaries as usize
    };
    let all_wait = deployment.groups.values().all(|group| waits(&group));
    let by =
        deployment.groups.values().filter(|group| !waits(group)).filter_map(|group| group.require_progress_by).max();
    by.filter(|_| !all_wait).map(|by| now.since(by)).filter(|late| *late > JUDGED_WITHIN)
}

#[cfg(test)]
mod tests {
    use model::testing::job;

    use super::*;
    use crate::fixture::{after, cluster, play, register};
    use server_core::command::Command;

    fn settled(state: &State, now: Timestamp) -> usize {
        let mut violations = Vec::new();
        check_settled(state, now, &mut violations);
        violations.len()
    }

    #[test]
    fn a_deployment_that_does_not_end_is_found() {
        let mut state = cluster();
        let by = state.deployments().next().unwrap().groups["web"].require_progress_by.unwrap();
        assert_eq!(settled(&state, by + JUDGED_WITHIN), 0);
        assert_eq!(settled(&state, by + JUDGED_WITHIN + Duration::from_secs(1)), 1);
        register(&mut state, job("web").count(5));
        assert_eq!(settled(&state, after(0)), 1, "it is of an older version");
    }

    #[test]
    fn one_that_ends_twice_is_found() {
        let mut state = cluster();
        let deployment = state.deployments().next().unwrap().id;
        let ends = Command::EndDeployment {
            deployment,
            status: DeploymentStatus::Failed,
            description: String::new(),
            revert_to: None,
            term: None,
        };
        let mut played = play(&mut state, ends);
        assert_eq!(played.found(check), []);
        let mut known = Deployment::clone(played.after.deployment(deployment).unwrap());
        known.status = DeploymentStatus::Successful;
        server_core::testing::put_deployment(&mut played.before, known);
        assert_eq!(played.found(check).len(), 1);
    }
}
