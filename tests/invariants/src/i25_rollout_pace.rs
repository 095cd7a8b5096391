//! I25: a rollout has no more in motion than its `max_parallel`, touches nothing before its canaries are promoted, has no more
//! canaries than were asked for, and is promoted once.

use std::collections::BTreeSet;

use model::{Allocation, Deployment, JobType, StopReason};
use server_core::command::Command;
use server_core::state::State;

use super::{Step, Violation};

pub(super) const NAME: &str = "rollout pace";

pub(super) fn check(step: &Step<'_>, violations: &mut Vec<Violation>) {
    for (before, after) in step.deployments() {
        let Some(before) = before else { continue };
        for (name, group) in &before.groups {
            if group.promoted && !after.groups.get(name).is_some_and(|group| group.promoted) {
                let what = format!("{name} of {} was promoted, and is not any more", after.id.short());
                violations.push(Violation::new(NAME, what));
            }
        }
    }
    if let Command::Plan(plan) = &step.entry.command
        && let Some(deployment) = step.after.latest_deployment(&plan.job)
        && deployment.status.is_active()
        && step.after.job(&plan.job).is_some_and(|record| record.is_rolled_out_by(deployment))
    {
        check_plan(step, deployment, violations);
    }
}

fn check_plan(step: &Step<'_>, deployment: &Deployment, violations: &mut Vec<Violation>) {
    let Some(version) = step.after.job_version(&deployment.job, deployment.job_version) else { return };
    for group in version.job.groups.iter().filter(|_| version.job.kind == JobType::Service) {
        let Some(update) = group.update.as_ref().filter(|update| update.max_parallel > 0) else { continue };
        let Some(progress) = deployment.groups.get(&group.name) else { continue };
        let mut found = |number: usize, was: usize, max: u32, what: &str| {
            if number > max as usize && number > was {
                let what = format!("{number} of {} of {} {what}, {max} may", group.name, deployment.job);
                violations.push(Violation::new(NAME, what));
            }
        };
        let of = |state: &State, counts: fn(&State, &Deployment, &Allocation) -> bool| {
            let of_group = state.allocations_of_job(&deployment.job).filter(|known| known.group == group.name);
            of_group
                .filter(|known| counts(state, deployment, known))
                .map(|known| known.index)
                .collect::<BTreeSet<_>>()
                .len()
        };
        let (canaries, were) = (of(step.after, is_canary), of(step.before, is_canary));
        found(canaries, were, progress.desired_canaries, "are canaries");
        let may = if progress.desired_canaries > 0 && !progress.promoted { 0 } else { update.max_parallel };
        let stopped = step.stopped(StopReason::Updated).map(|(before, _)| before);
        let is_double = |known: &Allocation| {
            let mut of_job = step.before.allocations_of_job(&known.job);
            of_job.any(|other| {
                other.id != known.id && other.group == known.group && other.index == known.index && other.is_live()
            })
        };
        let ended: Vec<_> = stopped.filter(|known| known.group == group.name && !is_double(known)).collect();
        let well = ended.iter().filter(|known| known.is_well()).count();
        found(well, 0, may, "that are well end for the new version at once");
        // What fails, moves or is out of contact is replaced at once, by the new version as long as that spreads, whatever
        // else is in motion: `max_parallel` bounds what is ended for it, not what is made up for. So who ends something
        // waits for all of them, and nobody else does.
        if !ended.is_empty() {
            let (moving, were) = (of(step.after, is_in_motion), of(step.before, is_in_motion));
            found(moving, were, update.max_parallel, "are in motion");
        }
    }
}

fn is_canary(_: &State, deployment: &Deployment, known: &Allocation) -> bool {
    known.canary && known.deployment == Some(deployment.id) && known.is_live() && !known.migrate
}

/// Whether it was placed since the rollout began, in the place of an older version, and is not well yet or any more, nor
/// is another in its place: one that moves stays until it is, and of one whose node came back there are two for a moment.
fn is_in_motion(state: &State, deployment: &Deployment, known: &Allocation) -> bool {
    let previous = known.ties().previous.and_then(|id| state.allocation(id));
    known.deployment == Some(deployment.id)
        && known.is_live()
        && !known.is_well()
        && !known.canary
        && known.create_index >= deployment.create_index
        && !is_well_otherwise(state, known)
        && previous.is_some_and(|previous| {
            let moves = previous.is_live() && previous.migrate;
            previous.job_version < known.job_version && !moves
        })
}

fn is_well_otherwise(state: &State, known: &Allocation) -> bool {
    let stands_there = |other: &Allocation| other.group == known.group && other.index == known.index && !other.canary;
    state.allocations_of_job(&known.job).any(|other| stands_there(other) && other.is_well())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::testing::job;
    use model::{Desired, Job, NodeStatus};

    use super::*;
    use crate::fixture::{Played, bend, changed, cluster_of, plan, play, register};

    /// The first plan of a rollout.
    fn rolls(canary: u32) -> Played {
        let with = |priority| {
            let mut job = Job { priority, ..job("web").count(3) };
            job.groups[0].tasks[0].env.insert("VERSION".into(), priority.to_string());
            job.groups[0].update.as_mut().unwrap().canary = canary;
            job
        };
        let mut state = cluster_of(with(50));
        register(&mut state, with(51));
        plan(&mut state)
    }

    fn also_ends(mut played: Played) -> Vec<Violation> {
        let live = played.after.allocations().find(|known| known.is_well() && known.job_version == 0);
        let id = live.expect("not all have ended").id;
        played.applied.changes.push(changed(id, true));
        played.leaving(id, |known| known.desired = Desired::Stop(StopReason::Updated)).found(check)
    }

    #[test]
    fn more_in_motion_than_may_be_are_found() {
        assert_eq!(rolls(0).found(check), []);
        let found = also_ends(rolls(0));
        assert!(found.len() == 1 && found[0].what.contains("at once"), "{found:?}");
        let played = rolls(0);
        let new = played.step().placed().next().expect("one is replaced").clone();
        let is_old = |known: &&Arc<Allocation>| known.is_well() && known.job_version == 0;
        let olds: Vec<_> = played.after.allocations().filter(is_old).cloned().collect();
        let [old, other] = &olds[..] else { panic!("two are left: {olds:?}") };
        let starts = |known: &mut Allocation| {
            known.healthy = None;
            known.cohort = new.cohort.clone();
            known.ties = new.ties.clone();
        };
        let found = played.leaving(old.id, starts).found(check);
        assert!(found.len() == 1 && found[0].what.contains("in motion"), "{found:?}");
        // It is made up for.
        let stands_in = |known: &mut Allocation| known.index = old.index;
        assert_eq!(rolls(0).leaving(old.id, starts).leaving(other.id, stands_in).found(check), []);
    }

    #[test]
    fn what_is_lost_in_a_rollout_is_replaced_beside_it_and_only_what_ends_beside_that_is_found() {
        let Played { after: mut state, .. } = rolls(0);
        let well: Vec<_> = state.allocations().filter(|known| known.is_well()).map(|known| known.id).collect();
        let &[lost, stays] = &well[..] else { panic!("one of three has ended: {well:?}") };
        let (here, there) = (state.allocation(stays).unwrap().node, state.allocation(lost).unwrap().node);
        if here == there {
            let other = state.nodes().map(|node| node.id).find(|id| *id != here).expect("there are two");
            state = bend(&state, lost, |known| known.node = other);
        }
        let (node, term) = (state.allocation(lost).unwrap().node, state.term());
        play(&mut state, Command::SetNodeStatus { changes: vec![(node, NodeStatus::Down)], seen: None, term });
        let mut played = plan(&mut state);
        let placed = played.step().placed().next().expect("the lost one is replaced");
        assert_eq!((placed.ties().previous, placed.job_version), (Some(lost), 1));
        assert_eq!(played.found(check), []);

        played.applied.changes.push(changed(stays, true));
        let found = played.leaving(stays, |known| known.desired = Desired::Stop(StopReason::Updated)).found(check);
        assert!(found.len() == 1 && found[0].what.contains("in motion"), "{found:?}");
    }

    #[test]
    fn what_ends_before_canaries_are_promoted_and_too_many_of_them_are_found() {
        assert_eq!(rolls(1).found(check), []);
        assert_eq!(also_ends(rolls(1)).len(), 1);
        let played = rolls(1);
        let deployment = played.after.deployments().last().unwrap().id;
        let old = played.after.allocations().find(|known| known.job_version == 0 && known.index == 2).unwrap().id;
        let found = played
            .leaving(old, |known| {
                known.canary = true;
                std::sync::Arc::make_mut(&mut known.cohort).deployment = Some(deployment);
            })
            .found(check);
        assert!(found.iter().any(|known| known.what.contains("are canaries")), "{found:?}");
    }

    #[test]
    fn a_promotion_that_is_taken_back_is_found() {
        let mut played = rolls(1);
        let mut known = Deployment::clone(played.after.deployments().last().unwrap());
        let id = known.id;
        known.groups.get_mut("web").unwrap().promoted = true;
        server_core::testing::put_deployment(&mut played.before, known);
        played.applied.changes.push(server_core::state::Change::Deployment(id));
        assert!(played.found(check).iter().any(|known| known.what.contains("not any more")));
    }
}
