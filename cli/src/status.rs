//! `sched status`: the cluster on one page: leader, servers, nodes, jobs, deployments, and what is blocked.

use std::collections::BTreeMap;

use clap::Args as ClapArgs;
use serde_json::json;

use crate::api::{Deployment, Evaluation, JobStub, Members, Node, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::job::{StatusParts, print_status};
use crate::session::Session;
use crate::show::{self, Pairs, Table, Tone, table::row, text};

/// Arguments of `status`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A job's name: the same as `sched job status <name>`
    job: Option<String>,
    #[command(flatten)]
    parts: StatusParts,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    if let Some(job) = &args.job {
        return print_status(job, &args.parts, session).await;
    }
    let fetch = async |path: &str| session.client.call(Call::get(path)).await.map(|answer| answer.value);
    let leader = fetch("/v1/status/leader").await?;
    let members = fetch("/v1/agent/members").await?;
    let nodes = fetch("/v1/nodes").await?;
    let jobs = fetch("/v1/jobs").await?;
    let deployments = fetch("/v1/deployments").await?;
    let evaluations = fetch("/v1/evaluations").await?;
    if session.json {
        show::json(&json!({
            "Leader": leader, "Members": members, "Nodes": nodes, "Jobs": jobs, "Deployments": deployments,
            "Evaluations": evaluations,
        }))?;
        return Ok(Exit::Done);
    }
    let mut pairs = Pairs::new();
    pairs.add("Leader", leader.as_str().unwrap_or_default());
    pairs.add("Servers", servers(&decode(&members)?));
    pairs.add("Nodes", tally(decode::<Vec<Node>>(&nodes)?.iter().map(node_state)));
    let jobs: Vec<JobStub> = decode(&jobs)?;
    pairs.add("Jobs", tally(jobs.iter().map(|job| job.status.clone())));
    pairs.add("Instances", instances(&jobs));
    pairs.print();

    let active: Vec<Deployment> =
        decode::<Vec<Deployment>>(&deployments)?.into_iter().filter(Deployment::is_active).collect();
    print_deployments(&active, session);
    let evaluations: Vec<Evaluation> = decode(&evaluations)?;
    let blocked: Vec<&Evaluation> = evaluations.iter().filter(|one| one.status == "blocked").collect();
    print_blocked(&blocked, session);
    Ok(Exit::Done)
}

fn servers(members: &Members) -> String {
    tally(members.members.iter().map(|member| member.status.clone()))
}

fn node_state(node: &Node) -> String {
    match (node.drain, node.scheduling_eligibility.as_str()) {
        (true, _) => format!("{}, draining", node.status),
        (false, "ineligible") => format!("{}, ineligible", node.status),
        (false, _) => node.status.clone(),
    }
}

/// `3 ready, 1 down`; `none` for nothing.
fn tally(words: impl Iterator<Item = String>) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    words.for_each(|word| *counts.entry(word).or_default() += 1);
    let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
    counts.sort_by(|left, right| right.1.cmp(&left.1).then_with(|| left.0.cmp(&right.0)));
    if counts.is_empty() {
        return "none".into();
    }
    counts.iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>().join("; ")
}

fn instances(jobs: &[JobStub]) -> String {
    let groups = || jobs.iter().flat_map(|job| job.job_summary.summary.values());
    let sum = |pick: fn(&crate::api::GroupSummary) -> u64| groups().map(pick).sum::<u64>();
    let counts = [
        ("running", sum(|group| group.running)),
        ("starting", sum(|group| group.starting)),
        ("waiting for their place", sum(|group| group.queued)),
        ("unknown", sum(|group| group.unknown)),
    ];
    let shown: Vec<String> =
        counts.iter().filter(|(_, count)| *count > 0).map(|(word, count)| format!("{count} {word}")).collect();
    if shown.is_empty() { "none".into() } else { shown.join("; ") }
}

fn print_deployments(active: &[Deployment], session: &Session) {
    if active.is_empty() {
        return;
    }
    show::heading("Deployments");
    let mut table = Table::new(&["ID", "Job", "Version", "Status", "Healthy", "Description"]);
    for one in active {
        let (healthy, wanted) = one.progress();
        table.row(row![
            session.id(&one.id),
            &one.job_id,
            one.job_version,
            show::Cell::status(&one.status),
            format!("{healthy}/{wanted}"),
            &one.status_description
        ]);
    }
    show::line(table);
}

fn print_blocked(blocked: &[&Evaluation], session: &Session) {
    if blocked.is_empty() {
        return;
    }
    show::heading("Blocked");
    let mut table = Table::new(&["Job", "Group", "Unplaced", "Main Reason", "Since"]);
    for one in blocked {
        for (group, metric) in &one.failed_groups {
            let reasons = metric.dimension_exhausted.iter().chain(&metric.constraint_filtered);
            let main = reasons.max_by_key(|(_, nodes)| **nodes);
            let main = main.map_or(String::new(), |(name, nodes)| format!("{name} on {}", text::count(*nodes, "node")));
            let unplaced = show::Cell::toned(metric.unplaced().to_string(), Tone::Bad);
            table.row(row![&one.job_id, group, unplaced, main, session.time(one.create_time)]);
        }
    }
    if table.is_empty() {
        blocked.iter().for_each(|one| table.row(row![&one.job_id, "", "", "", session.time(one.create_time)]));
    }
    show::line(table);
    show::hint(format_args!(
        "`sched job why {}` shows every node and what would help",
        text::escape(&blocked[0].job_id)
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commonest_comes_first() {
        let words = ["ready", "down", "ready"].map(str::to_owned);
        assert_eq!(tally(words.into_iter()), "2 ready; 1 down");
        assert_eq!(tally(std::iter::empty()), "none");
    }
}
