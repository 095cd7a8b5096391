//! Work that is open must have a reason, and the reason must be true: to decide once more must change nothing.

use std::sync::Arc;
use std::time::Duration;

use model::{
    Allocation, ClientStatus, Deployment, DeploymentStatus, Evaluation, EvaluationId, EvaluationStatus, JobType,
    Timestamp, Trigger,
};
use server_core::plan::DeploymentChange;
use server_core::schedule::schedule;
use server_core::state::State;

/// How long an evaluation may be open that waits for nothing.
const PENDING_MAX: Duration = Duration::from_secs(5);
/// How long a rollout without a deadline may be under way.
const ROLLOUT_MAX: Duration = Duration::from_secs(45);

/// How long after its deadline a rollout may be judged.
const ROLLOUT_JUDGED_WITHIN: Duration = Duration::from_secs(5);

/// No evaluation is stuck and no rollout without an end.
pub fn open(state: &State, lacking: &mut Vec<String>) {
    let now = state.time();
    for known in state.open_evaluations(EvaluationStatus::Pending) {
        let due = known.wait_until.unwrap_or(known.modified_at);
        if now.since(due) > PENDING_MAX {
            lacking.push(format!("evaluation {} of {} is pending", known.id.short(), known.job));
        }
    }
    for known in state.deployments().filter(|known| known.status == DeploymentStatus::Running) {
        if !is_on_time(known, now) && !known.requires_promotion() {
            lacking.push(format!("rollout {} of {} does not end", known.id.short(), known.job));
        }
    }
    for node in state.nodes().filter(|node| node.drain.is_some()) {
        lacking.push(format!("{} still drains", node.name));
    }
}

/// Whether a rollout may still be under way. Each step may take until its deadline, which counts anew with each instance that
/// is healthy; there are no more steps than instances.
fn is_on_time(rollout: &Deployment, now: Timestamp) -> bool {
    match rollout.groups.values().filter_map(|group| group.require_progress_by).max() {
        Some(by) => now.since(by) <= ROLLOUT_JUDGED_WITHIN,
        None => now.since(rollout.created_at) <= ROLLOUT_MAX,
    }
}

/// Each job runs as it is wanted, or what it lacks has a reason: it fails by itself, a person must promote, it waits for
/// its time, or for room that is really not there.
pub fn jobs(state: &State, lacking: &mut Vec<String>) {
    let now = state.time();
    for record in state.jobs() {
        let job = &record.current().job;
        if state.evaluations_of_job(&record.key).any(|known| known.status == EvaluationStatus::Pending) {
            // It is about to change, or waits for its time.
            let waits = state.waiting_evaluations().any(|known| known.job == record.key);
            if !waits {
                lacking.push(format!("{} is being decided", record.key));
            }
            continue;
        }
        let again = schedule(state, &evaluation(state, &record.key, job.kind), now);
        let (placed, plan) = (&again.plan.placements, &again.plan);
        if !placed.is_empty() || !plan.stops.is_empty() || !plan.updates_in_place.is_empty() {
            let count: u32 = placed.iter().map(|placement| placement.count).sum();
            let what = format!("places {count}, stops {}", plan.stops.len());
            lacking.push(format!("{} is not settled: to decide once more {what}", record.key));
        }
        if !matches!(plan.deployment, DeploymentChange::None) {
            lacking.push(format!("{} is not settled: a rollout is to begin or end", record.key));
        }
        let lacks: u32 = plan.outcome.unplaced.values().map(|unplaced| unplaced.count).sum();
        let is_blocked = state.evaluations_of_job(&record.key).any(|known| known.status == EvaluationStatus::Blocked);
        if lacks > 0 && !is_blocked {
            lacking.push(format!("{} lacks {lacks}, and nothing waits for room", record.key));
        }
        if record.stop || job.kind.runs_to_completion() {
            continue;
        }
        for group in &job.groups {
            let of_group = || state.allocations_of_job(&record.key).filter(|known| known.group == group.name);
            let live: Vec<_> = of_group().filter(|known| known.is_live() && !known.canary).collect();
            // Of what is out of contact nobody knows; its group may want it to be left alone.
            let (silent, near): (Vec<&Arc<Allocation>>, Vec<&Arc<Allocation>>) =
                live.iter().partition(|known| known.client_status == ClientStatus::Unknown);
            // The next step of a rollout is under way.
            let rollout = state.latest_deployment(&record.key);
            let rollout = rollout.filter(|known| known.status == DeploymentStatus::Running && is_on_time(known, now));
            let is_next = |known: &Allocation| rollout.is_some_and(|rollout| known.deployment == Some(rollout.id));
            let not_up = near.iter().filter(|known| known.client_status != ClientStatus::Running && !is_next(known));
            let fails =
                of_group().any(|known| known.tasks.unpack().values().any(|task| task.failed || task.restarts > 0));
            let waits_for_a_person = state.latest_deployment(&record.key).is_some_and(|known| {
                known.requires_promotion()
                    || matches!(known.status, DeploymentStatus::Failed | DeploymentStatus::Paused)
            });
            let is_excused = fails || waits_for_a_person || lacks > 0;
            if not_up.count() > 0 && !is_excused {
                let states: Vec<_> = live.iter().map(|known| format!("{:?}", known.client_status)).collect();
                lacking.push(format!("{} does not run: {}", record.key, states.join(", ")));
            }
            let may_be_silent = if group.disconnect_rules().is_some() { silent.len() } else { 0 };
            let wanted = (group.count as usize).saturating_sub(may_be_silent)..=group.count as usize;
            if job.kind == JobType::Service && !wanted.contains(&near.len()) && !is_excused {
                let near: Vec<_> = near.iter().map(|known| told(known)).collect();
                let what = near.join(", ");
                lacking.push(format!("{} has {} of {} {}: {what}", record.key, near.len(), group.count, group.name));
            }
        }
    }
}

/// An instance, in short.
fn told(known: &Allocation) -> String {
    let moves = if known.migrate { ", moves" } else { "" };
    let next = known.ties().next.map(|next| format!(", next {}", next.short())).unwrap_or_default();
    let healthy = if known.is_well() { "well" } else { "not well" };
    format!("{} ({}, version {}, {healthy}{moves}{next})", known.name(), known.id.short(), known.job_version)
}

fn evaluation(state: &State, job: &model::JobKey, kind: JobType) -> Evaluation {
    Evaluation {
        id: EvaluationId::derive(&[b"audit", job.id.as_bytes()]),
        job: job.clone(),
        kind,
        priority: 50,
        trigger: Trigger::Requested,
        node: None,
        deployment: None,
        status: EvaluationStatus::Pending,
        description: String::new(),
        wait_until: None,
        previous: None,
        next: None,
        blocked: None,
        unplaced: Default::default(),
        queued: Default::default(),
        attempts: 0,
        snapshot_index: 0,
        create_index: state.index(),
        modify_index: state.index(),
        created_at: Timestamp::default(),
        modified_at: Timestamp::default(),
    }
}
