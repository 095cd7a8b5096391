//! `sched job why`: why a job does not run everywhere it should: every node, every reason, sums, and what would help.

use clap::Args as ClapArgs;

use crate::api::{Ask, Explanation, GroupExplanation, JobStub, Wait, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, Cell, Table, Tone, score, table::row, text, time};

/// Nodes that are listed at most, nearest first, unless all are asked for.
const NODES_SHOWN_MAX: usize = 50;
/// Failed instances and the like that are listed at most.
const WAITS_SHOWN_MAX: usize = 10;

/// Arguments of `job why`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The job's name or its beginning; `job/group` for one group
    job: String,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let (stub, group) = find::job_and_group(session, &args.job).await?;
    let call = Call::get(path(&["v1", "job", &stub.id, "why"])).query("namespace", &stub.namespace);
    let answer = session.client.call(call).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let explanation: Explanation = decode(&answer)?;
    let wanted = |one: &&GroupExplanation| group.as_ref().is_none_or(|group| one.group == *group);
    let groups: Vec<&GroupExplanation> = explanation.groups.iter().filter(wanted).collect();
    if let (Some(group), true) = (&group, groups.is_empty()) {
        let known: Vec<&str> = explanation.groups.iter().map(|one| one.group.as_str()).collect();
        return Err(Failure::new(format!("job `{}` has no group `{group}`", stub.id))
            .hint(format!("its groups are {}", known.join(", "))));
    }
    show::line(format_args!("Job {} v{}", text::escape(&explanation.job_id), explanation.job_version));
    groups.into_iter().for_each(|group| print_group(&stub, group, session));
    Ok(Exit::Done)
}

/// What a group of the job waits for, a sentence, if it is not room.
pub fn of_wait(job: &str, wait: &Wait, session: &Session) -> String {
    let name = wait.name.strip_prefix(job).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&wait.name);
    let name = text::escape(name);
    let logs = format!("`sched alloc logs {}`", text::short(&wait.alloc_id));
    // What comes within a second has come when it is read.
    let is_due = wait.until < time::now().saturating_add(time::NANOSECONDS_PER_SECOND);
    let when = || if is_due { "due now".into() } else { session.time(wait.until) };
    match wait.kind.as_str() {
        "promotion" => format!(
            "its canaries are healthy, and the deployment waits for `sched deployment promote {}`",
            text::escape(job)
        ),
        "canaries" => format!("{} of {} canaries healthy: the others come after them", wait.healthy, wait.wanted),
        "all-at-once" => {
            let groups: Vec<_> = wait.groups.iter().map(|group| text::escape(group)).collect();
            format!(
                "all instances of the job are placed at once or none, and there is no room for all of {}",
                groups.join(", ")
            )
        }
        "paused" => "its deployment is paused".into(),
        "rollout" => format!("its deployment goes on: {} of {} healthy", wait.healthy, wait.wanted),
        "ended" => {
            format!("{name} ended by itself ({logs} says how); a service runs on, and the next one is {}", when())
        }
        "retry" => format!("{name} failed ({logs} says why); the next attempt is {}", when()),
        "given-up" => {
            format!("{name} failed, and its attempts are used up: {logs} says why, a new version tries again")
        }
        other => text::escape(other),
    }
}

fn print_group(job: &JobStub, group: &GroupExplanation, session: &Session) {
    show::heading(&format!("Group {}", text::escape(&group.group)));
    show::line(format_args!("{} of {} running, {} without a node", group.running, group.desired, group.unplaced));
    for wait in group.waits.iter().take(WAITS_SHOWN_MAX) {
        let sentence = of_wait(&job.id, wait, session);
        show::line(Tone::Busy.paint(&show::as_called(&sentence)));
    }
    if group.waits.len() > WAITS_SHOWN_MAX {
        show::line(format_args!("... and {} more", group.waits.len() - WAITS_SHOWN_MAX));
    }
    if group.unplaced == 0 {
        if group.waits.is_empty() {
            show::line("Nothing holds this group back.");
        }
        // A job that has an instance on each node is asked about the nodes that have none.
        if session.verbose || matches!(job.kind.as_str(), "system" | "sysbatch") && group.nodes_filtered > 0 {
            print_nodes(group, session);
        }
        return;
    }
    if group.blocked_since > 0 {
        let evaluation = session.id(&group.blocked_eval);
        let cause = match group.blocked_cause.as_str() {
            "" => String::new(),
            cause => format!(", caused by {}", text::escape(cause)),
        };
        let since = session.time(group.blocked_since);
        show::line(format_args!("Blocked since {since} (evaluation {evaluation}{cause})"));
        print_last_try(group, session);
    }
    show::line(format_args!("One instance asks for {}", asked(&group.ask)));
    show::line(format_args!(
        "Of {}: {} excluded, {} full, {} fit",
        text::count(group.nodes_total, "node"),
        group.nodes_filtered,
        group.nodes_exhausted,
        group.nodes_fit
    ));
    print_reasons(group);
    print_nodes(group, session);
    if !group.hints.is_empty() {
        show::heading("What would make it fit");
        group.hints.iter().for_each(|hint| show::line(format_args!("  {}", text::escape(hint))));
    }
}

fn print_last_try(group: &GroupExplanation, session: &Session) {
    if group.blocked_tried_at == 0 {
        show::line("Not tried again: nothing has happened since that could help");
        return;
    }
    let after = match group.blocked_tried_after.as_str() {
        "" => String::new(),
        node => format!(", after node {} gained room", text::escape(node)),
    };
    show::line(format_args!("Last tried again {}{after}", session.time(group.blocked_tried_at)));
}

fn print_reasons(group: &GroupExplanation) {
    if group.reasons.is_empty() {
        return;
    }
    let mut table = Table::new(&["Reason", "Nodes", "Meaning"]);
    for reason in &group.reasons {
        table.row(row![&reason.reason, reason.nodes, if reason.filter { "excluded" } else { "full" }]);
    }
    show::line("");
    show::line(table);
}

fn print_nodes(group: &GroupExplanation, session: &Session) {
    let mut nodes: Vec<_> = group.nodes.iter().collect();
    nodes.sort_by_key(|node| (node.reasons.len(), node.rank, node.name.clone()));
    let limit = shown(nodes.len(), session.verbose);
    let mut table = Table::new(&["Node", "ID", "Why not"]);
    for node in nodes.iter().take(limit) {
        let fits = || match &node.score {
            Some(score) => format!("fits, number {}: {}", node.rank, score::of(score)),
            None => "fits".into(),
        };
        let reasons =
            if node.fits { Cell::toned(fits(), Tone::Good) } else { Cell::toned(node.reasons.join("; "), Tone::Plain) };
        table.row(row![&node.name, session.id(&node.id), reasons]);
    }
    if table.is_empty() {
        return;
    }
    show::line("");
    show::line(table);
    if nodes.len() > limit {
        show::line(format_args!(
            "... and {} more; -verbose shows all",
            text::count((nodes.len() - limit) as u64, "node")
        ));
    }
}

/// How many of `nodes` are listed.
fn shown(nodes: usize, all: bool) -> usize {
    if all { nodes } else { nodes.min(NODES_SHOWN_MAX) }
}

/// What one instance asks for, in words.
fn asked(ask: &Ask) -> String {
    let burst = match ask.memory_max_mb > ask.memory_mb {
        true => format!(" (up to {})", ask.memory_max_mb),
        false => String::new(),
    };
    let mut parts = vec![format!("{} MHz", ask.cpu)];
    if ask.cores > 0 {
        parts.push(text::count(ask.cores, "core"));
    }
    parts.extend([format!("{} MiB memory{burst}", ask.memory_mb), format!("{} MiB disk", ask.disk_mb)]);
    parts.extend(ask.devices.iter().map(|(name, count)| format!("{count} of device {}", text::escape(name))));
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_nodes_are_listed_as_the_limit_unless_all_are_asked_for() {
        assert_eq!(shown(NODES_SHOWN_MAX, false), NODES_SHOWN_MAX);
        assert_eq!(shown(NODES_SHOWN_MAX + 1, false), NODES_SHOWN_MAX);
        assert_eq!(shown(NODES_SHOWN_MAX + 1, true), NODES_SHOWN_MAX + 1);
    }
}
