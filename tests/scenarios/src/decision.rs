//! What was decided, as lines.

use model::{Allocation, AllocationId, DeploymentId, Evaluation, JobKey, Node, NodeId, Timestamp, Unplaced};
use server_core::command::Command;
use server_core::drain::{self, Progress};
use server_core::dry_run::DryRun;
use server_core::plan::{DeploymentChange, Plan};
use server_core::state::State;
use server_core::why::{Attempt, Wait, Why};

use super::equipment;

/// What a plan did, between the state before it and the one after.
pub fn of_plan(before: &State, after: &State, plan: &Plan, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    let name = |id: AllocationId| after.allocation(id).map_or("nobody".into(), |known| name(known));
    match &plan.deployment {
        DeploymentChange::None => {}
        DeploymentChange::Begin(_) => lines.push("deployment begins".into()),
        DeploymentChange::Cancel { .. } => lines.push("deployment cancelled".into()),
    }
    for stop in &plan.stops {
        let node = after.allocation(stop.allocation).map_or("?", |known| &known.node_name);
        lines.push(format!("stop {} on {node}: {}", name(stop.allocation), words(&format!("{:?}", stop.reason))));
    }
    lines.extend(plan.updates_in_place.iter().map(|id| format!("in-place {}", name(*id))));
    for new in after.allocations_of_job(&plan.job).filter(|known| before.allocation(known.id).is_none()) {
        let verb = if new.canary { "canary" } else { "place" };
        let is_current = new.job_version == plan.job_version;
        let version = if is_current { String::new() } else { format!(" of version {}", new.job_version) };
        let mut line = format!("{verb} {}{version} on {}", self::name(new), new.node_name);
        for predecessor in &new.ties().after {
            line += &format!(" after {}", name(*predecessor));
        }
        line += &equipment::given(new);
        lines.push(line);
        let victims = after.allocations().filter(|known| known.ties().preempted_by == Some(new.id));
        lines.extend(victims.map(|victim| format!("preempt {} on {}", self::name(victim), victim.node_name)));
    }
    for follow_up in &plan.outcome.follow_ups {
        let names: Vec<_> = follow_up.allocations.iter().map(|id| name(*id)).collect();
        lines.push(format!("follow-up in {}s for {}", follow_up.at.since(now).as_secs(), names.join(", ")));
    }
    let superseded = plan.supersedes.iter().filter_map(|id| before.evaluation(*id)?.wait_until);
    lines.extend(superseded.map(|until| format!("no follow-up in {}s", until.since(now).as_secs())));
    for (group, unplaced) in &plan.outcome.unplaced {
        lines.push(blocked(&label(&plan.job.id, group), unplaced));
    }
    for (group, queued) in &plan.outcome.queued {
        let unplaced = plan.outcome.unplaced.get(group).map_or(0, |unplaced| unplaced.count);
        if *queued > unplaced {
            lines.push(format!("held back {} {}", label(&plan.job.id, group), queued - unplaced));
        }
    }
    lines
}

/// The instances of a job that are wanted and not over.
pub fn of_wanted(state: &State, job: &JobKey) -> Vec<String> {
    let current = state.job(job).map(|record| record.current().version);
    let line = |known: &Allocation| {
        let canary = if known.canary { "canary " } else { "" };
        let is_current = Some(known.job_version) == current;
        let version = if is_current { String::new() } else { format!(" of version {}", known.job_version) };
        format!("{canary}{}{version} on {}", name(known), known.node_name)
    };
    state.allocations_of_job(job).filter(|known| known.is_live()).map(|known| line(known)).collect()
}

/// What became of the evaluations of a job, oldest first.
pub fn of_evaluations(state: &State, job: &JobKey) -> Vec<String> {
    let mut all: Vec<_> = state.evaluations_of_job(job).collect();
    all.sort_by_key(|known| (known.create_index, known.id));
    let line = |known: &Evaluation| {
        let queued = known.queued.iter().filter(|(_, number)| **number > 0);
        let queued: Vec<_> = queued.map(|(group, number)| format!(", {number} of {group} queued")).collect();
        format!("{} {}{}", known.trigger.as_str(), known.status.as_str(), queued.concat())
    };
    all.into_iter().map(|known| line(known)).collect()
}

/// What the watch over deployments does.
pub fn of_watch(state: &State, command: &Command) -> String {
    let job = |id: &DeploymentId| state.deployment(*id).map_or("nobody", |known| &known.job.id);
    match command {
        Command::EndDeployment { deployment, status, description, .. } => {
            format!("{} is {}: {description}", job(deployment), status.as_str())
        }
        Command::PromoteDeployment { deployment, .. } => format!("{} is promoted", job(deployment)),
        other => format!("{other:?}"),
    }
}

/// What the watch over drains does.
pub fn of_drains(state: &State, step: &drain::Step) -> Vec<String> {
    let name = |id: &AllocationId| state.allocation(*id).map_or("nobody".into(), |known| name(known));
    let node = |id: &NodeId| state.node(*id).map_or("nobody".into(), |known| known.name.clone());
    let moves = step.moves.iter().map(|id| format!("{} may move", name(id)));
    let stops = step.stops.iter().map(|id| format!("{} ends", name(id)));
    moves.chain(stops).chain(step.complete.iter().map(|id| format!("{} is drained", node(id)))).collect()
}

/// What `why` says.
pub fn of_why(why: &Why, now: Timestamp) -> Vec<String> {
    let mut lines = Vec::new();
    for group in &why.groups {
        let state = if group.blocked.is_some() { "blocked" } else { "not blocked" };
        lines.push(format!(
            "{}: {} of {} run, {} unplaced, {state}",
            label(&why.job.id, &group.group),
            group.running,
            group.desired,
            group.unplaced
        ));
        lines.extend(group.waits.iter().map(|wait| format!("waits: {}", of_wait(wait, now))));
        lines.push(format!(
            "{} nodes: {} filtered, {} exhausted, {} fit",
            group.nodes_total, group.nodes_filtered, group.nodes_exhausted, group.nodes_fit
        ));
        for node in &group.nodes {
            let misfits: Vec<_> = node.misfits.iter().map(ToString::to_string).collect();
            let verdict = if misfits.is_empty() { "fits".into() } else { misfits.join("; ") };
            lines.push(format!("{}: {verdict}", node.name));
        }
        lines.extend(group.hints.iter().map(|hint| format!("hint: {hint}")));
    }
    lines
}

fn of_wait(wait: &Wait, now: Timestamp) -> String {
    match wait {
        Wait::AllAtOnce { groups } => format!("all at once, {} without room", groups.join(", ")),
        Wait::Promotion { .. } => "promotion".into(),
        Wait::Canaries { healthy, wanted } => format!("{healthy} of {wanted} canaries healthy"),
        Wait::Paused { .. } => "paused".into(),
        Wait::Rollout { healthy, wanted } => format!("{healthy} of {wanted} healthy"),
        Wait::Ended { name, at, .. } => format!("{} ended, next in {}s", short_name(name), at.since(now).as_secs()),
        Wait::Failed { name, next: Attempt::At(at), .. } => {
            format!("{} failed, next in {}s", short_name(name), at.since(now).as_secs())
        }
        Wait::Failed { name, next: Attempt::Never, .. } => format!("{} failed for good", short_name(name)),
    }
}

/// Where a drain stands; ids are left out, nobody writes those into a scenario.
pub fn of_drain(state: &State, node: &Node) -> Vec<String> {
    let line = |progress: &Progress| {
        let name = state.allocation(progress.allocation).map_or("nobody".into(), |known| name(known));
        let hidden = |word: &&str| !(word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let detail = progress.detail.split(' ').filter(hidden).collect::<Vec<_>>().join(" ");
        let detail = if detail.is_empty() { detail } else { format!(": {detail}") };
        format!("{name} {}{detail}", progress.stage.as_str())
    };
    drain::progress(state, node).iter().map(line).collect()
}

/// What a dry run foresees.
pub fn of_dry_run(run: &DryRun) -> Vec<String> {
    let mut lines = vec![format!("version {}", run.job_version)];
    if run.begins_deployment {
        lines.push("deployment begins".into());
    }
    lines.extend(run.stops.iter().map(|stop| format!("stop {} on {}", short_name(&stop.name), stop.node_name)));
    lines
        .extend(run.placements.iter().map(|place| format!("place {} on {}", short_name(&place.name), place.node_name)));
    for one in &run.preempted {
        lines.push(format!("preempt {} on {} for {}", short_name(&one.name), one.node_name, short_name(&one.by)));
    }
    lines.extend(run.unplaced.iter().map(|(group, unplaced)| blocked(group, unplaced)));
    for (group, counts) in &run.counts {
        let named = [
            ("ignore", counts.ignore),
            ("place", counts.place),
            ("stop", counts.stop),
            ("migrate", counts.migrate),
            ("in place", counts.in_place),
            ("destructive", counts.destructive),
            ("canary", counts.canary),
            ("reschedule now", counts.reschedule_now),
            ("reschedule later", counts.reschedule_later),
            ("preempt", counts.preempted),
        ];
        let named = named.iter().filter(|(_, number)| *number > 0).map(|(name, number)| format!("{name} {number}"));
        lines.push(format!("{group}: {}", named.collect::<Vec<_>>().join(", ")));
    }
    lines
}

/// `web.web[0]` as `web[0]`.
pub fn short_name(name: &str) -> String {
    let (path, index) = name.split_once('[').unwrap_or((name, ""));
    let (job, group) = path.split_once('.').unwrap_or((path, path));
    format!("{}[{index}", label(job, group))
}

fn blocked(label: &str, unplaced: &Unplaced) -> String {
    assert_eq!(unplaced.nodes_total, unplaced.nodes_filtered + unplaced.nodes_exhausted, "sums add up");
    let reasons: Vec<_> = unplaced.reasons.iter().map(|(reason, count)| format!("{reason} {}", count.nodes)).collect();
    format!("blocked {label} {}: {}", unplaced.count, reasons.join(", "))
}

fn name(allocation: &Allocation) -> String {
    format!("{}[{}]", label(&allocation.job.id, &allocation.group), allocation.index)
}

pub fn label(job: &str, group: &str) -> String {
    if job == group { job.into() } else { format!("{job}.{group}") }
}

/// `NodeUnfit` as `node unfit`.
fn words(variant: &str) -> String {
    let mut words = String::new();
    for letter in variant.chars() {
        if letter.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(letter.to_lowercase());
    }
    words
}
