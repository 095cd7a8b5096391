//! I19: what is wanted runs, or there is a reason for each instance that is missing, and it is true: a placement would really
//! fail. Told of a cluster at rest.
//!
//! Whether a reason is true is looked at by brute force, over all nodes, for groups that ask for nothing but amounts.

use std::collections::BTreeSet;

use model::{ClientStatus, Desired, EvaluationStatus, Group, Job, Node, Resources};
use server_core::state::{JobRecord, State};

use super::Violation;

pub(super) const NAME: &str = "reasons";

pub(super) fn check(state: &State, violations: &mut Vec<Violation>) {
    for record in state.jobs().filter(|record| !record.stop && !record.current().job.kind.is_per_node()) {
        let job = &record.current().job;
        for group in &job.groups {
            let missing = missing(state, record, group);
            if missing == 0 {
                continue;
            }
            let name = format!("{} of {}", group.name, record.key);
            if !has_reason(state, record, group) {
                violations.push(Violation::new(NAME, format!("{missing} of {name} are missing, and nothing says why")));
            } else if let Some(node) = lacks_room(state, record, group).and_then(|()| fits_somewhere(state, job, group))
            {
                let what = format!("{missing} of {name} are said to lack room, and {} has it", node.name);
                violations.push(Violation::new(NAME, what));
            }
        }
    }
}

/// How many names of the group nothing stands for: neither something live, nor work that is done.
fn missing(state: &State, record: &JobRecord, group: &Group) -> usize {
    let is_done = |status| record.current().job.kind.runs_to_completion() && status == ClientStatus::Complete;
    let counts = state
        .allocations_of_job(&record.key)
        .filter(|known| known.group == group.name && !known.canary)
        .filter(|known| known.is_live() || (known.desired == Desired::Run && is_done(known.client_status)));
    let standing: BTreeSet<u32> = counts.map(|known| known.index).collect();
    (group.count as usize).saturating_sub(standing.len())
}

fn has_reason(state: &State, record: &JobRecord, group: &Group) -> bool {
    let is_open = |status: EvaluationStatus| !status.is_terminal();
    let waits = state.evaluations_of_job(&record.key).any(|evaluation| is_open(evaluation.status));
    // What failed for good says so itself.
    let failed = state.allocations_of_job(&record.key).any(|known| {
        known.group == group.name && known.client_status == ClientStatus::Failed && known.desired == Desired::Run
    });
    let is_rolled_out = state
        .latest_deployment(&record.key)
        .is_some_and(|known| known.status.is_active() || failed_last(record, known));
    waits || failed || is_rolled_out
}

fn failed_last(record: &JobRecord, deployment: &model::Deployment) -> bool {
    record.is_rolled_out_by(deployment) && deployment.status == model::DeploymentStatus::Failed
}

/// Whether the reason is that there is no room.
fn lacks_room(state: &State, record: &JobRecord, group: &Group) -> Option<()> {
    let mut of_job = state.evaluations_of_job(&record.key);
    let others_wait = state.open_evaluations(EvaluationStatus::Pending).any(|known| known.job == record.key);
    let blocked = |known: &&std::sync::Arc<model::Evaluation>| {
        known.status == EvaluationStatus::Blocked && known.unplaced.contains_key(&group.name)
    };
    (!others_wait && of_job.any(|known| blocked(&known))).then_some(())
}

/// A node that takes one more, where the group asks for nothing but amounts.
fn fits_somewhere<'a>(state: &'a State, job: &Job, group: &Group) -> Option<&'a Node> {
    let asks_more = |task: &model::Task| {
        !task.constraints.is_empty()
            || !task.resources.devices.is_empty()
            || task.resources.cores > 0
            || task.resources.numa.is_some()
            || !task.resources.networks.is_empty()
            || task.vault.is_some()
            || !task.secrets.is_empty()
            || task.driver != "fake"
    };
    let is_plain = job.constraints.is_empty()
        && group.constraints.is_empty()
        && group.volumes.is_empty()
        && group.networks.is_empty()
        && !job.all_at_once
        && !group.tasks.iter().any(asks_more);
    let takes = |node: &&Node| {
        let is_there = job.datacenters.iter().any(|name| name == "*" || *name == node.datacenter)
            && (job.node_pool == node.pool || job.node_pool == "all");
        let drives = node.drivers.get("fake").is_some_and(|driver| driver.detected && driver.healthy);
        let held: Vec<_> = state.allocations_of_node(node.id).filter(|known| known.holds()).collect();
        let number = held.len();
        let sum = held.into_iter().fold(Resources::default(), |sum, known| sum + known.resources);
        let is_few = node.max_allocations.is_none_or(|max| number < max as usize);
        node.is_schedulable()
            && is_there
            && drives
            && is_few
            && (sum + group.ask_on(node)).is_within(node.total - node.reserved)
    };
    is_plain.then(|| state.nodes().map(|node| &**node).find(takes)).flatten()
}

#[cfg(test)]
mod tests {
    use model::testing::job;

    use super::*;
    use crate::fixture::{bend, cluster, found, ids, plan, register};

    #[test]
    fn an_instance_that_is_missing_for_nothing_is_found() {
        let state = cluster();
        assert_eq!(found(&state, check), []);
        let ends = |known: &mut model::Allocation| known.desired = Desired::Stop(model::StopReason::NotNeeded);
        let mut missing = bend(&state, ids(&state)[0], ends);
        let rollout = state.deployments().next().unwrap();
        let mut over = model::Deployment::clone(rollout);
        over.status = model::DeploymentStatus::Successful;
        server_core::testing::put_deployment(&mut missing, over);
        assert_eq!(found(&missing, check).len(), 1);
    }

    #[test]
    fn a_reason_that_is_not_true_is_found() {
        let mut state = cluster();
        let mut large = job("large").count(9);
        large.groups[0].tasks[0].resources.memory = 3_000;
        register(&mut state, large);
        plan(&mut state);
        assert_eq!(found(&state, check), [], "two nodes take two each, and the rest lacks room");
        let first = state.allocations_of_job(&model::JobKey::new("default", "large")).next().unwrap().id;
        let freed = bend(&state, first, |known| {
            known.client_status = ClientStatus::Complete;
            known.desired = Desired::Stop(model::StopReason::Requested);
        });
        let violations = found(&freed, check);
        assert!(violations.len() == 1 && violations[0].what.contains("has it"), "{violations:?}");
    }
}
