//! `sched node why`: what stands on a node and why it takes nothing more; or everything that one job asks of it, met or
//! not, and what the node is worth beside the one that is better.

use clap::Args as ClapArgs;

use crate::api::{BlockedThere, GroupOnNode, JobOnNode, NodeAlone, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::jobspec::{self, JobFile};
use crate::session::Session;
use crate::show::{self, Cell, Table, Tone, score, table::row, text};

/// Arguments of `node why`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The node's name or id, or the beginning of either
    node: Option<String>,
    /// The node of the agent that answers
    #[arg(long = "self")]
    own: bool,
    /// The job that the node is looked at for; `job/group` for one group
    #[arg(long, value_name = "JOB", conflicts_with = "file")]
    job: Option<String>,
    /// A jobspec that the node is looked at for, as if it was run
    #[arg(long, value_name = "FILE")]
    file: Option<String>,
    /// Sets a variable of the jobspec; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", requires = "file")]
    variables: Vec<String>,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let node = super::named_or_self(session, args.node.as_deref(), args.own).await?;
    let place = path(&["v1", "node", &node.id, "why"]);
    let (call, group) = match (&args.job, &args.file) {
        (Some(job), _) => {
            let (stub, group) = find::job_and_group(session, job).await?;
            (Call::get(place).query("namespace", &stub.namespace).query("job", &stub.id), group)
        }
        (None, Some(file)) => {
            let file = JobFile {
                file: file.clone(),
                variables: args.variables.clone(),
                variable_files: Vec::new(),
                strict: true,
            };
            (jobspec::read(&file, session)?.call_with(place), None)
        }
        (None, None) => {
            let answer = session.client.call(Call::get(place)).await?.value;
            if !session.print_json(&answer)? {
                print_alone(&decode(&answer)?, session);
            }
            return Ok(Exit::Done);
        }
    };
    let answer = session.client.call(call).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let found: JobOnNode = decode(&answer)?;
    let wanted = |one: &&GroupOnNode| group.as_ref().is_none_or(|group| one.group == *group);
    let groups: Vec<&GroupOnNode> = found.groups.iter().filter(wanted).collect();
    if let (Some(group), true) = (&group, groups.is_empty()) {
        let known: Vec<&str> = found.groups.iter().map(|one| one.group.as_str()).collect();
        return Err(Failure::new(format!("job `{}` has no group `{group}`", found.job_id))
            .hint(format!("its groups are {}", known.join(", "))));
    }
    show::line(format_args!(
        "Node {} for job {} v{}",
        text::escape(&found.node_name),
        text::escape(&found.job_id),
        found.job_version
    ));
    groups.into_iter().for_each(|group| print_group(group, &found.node_name));
    Ok(Exit::Done)
}

fn print_group(group: &GroupOnNode, node: &str) {
    show::heading(&format!("Group {}", text::escape(&group.group)));
    if !group.instances.is_empty() {
        show::line(format_args!(
            "{} here: {}",
            text::count(group.instances.len() as u64, "instance"),
            text::escape(&group.instances.join(", "))
        ));
    }
    let wrong = group.checks.iter().filter(|check| !check.ok).count();
    let verdict = match wrong {
        0 => Tone::Good.paint("The next instance would fit."),
        _ => Tone::Bad.paint(&format!("The next instance does not fit, for {}.", text::count(wrong as u64, "reason"))),
    };
    show::line(verdict);
    let mut table = Table::new(&["", "Check", "Wanted", "Has"]);
    for check in &group.checks {
        let sign = if check.ok { Cell::toned("✓", Tone::Good) } else { Cell::toned("✗", Tone::Bad) };
        let has = Cell::toned(&check.has, if check.ok { Tone::Plain } else { Tone::Bad });
        table.row([sign, Cell::from(&check.name), Cell::from(&check.wanted), has]);
    }
    show::line("");
    show::line(table);
    print_score(group, node);
}

fn print_score(group: &GroupOnNode, node: &str) {
    let (Some(score), Some(best)) = (&group.score, &group.best) else { return };
    show::line(format_args!("\nScore {}", score::of(score)));
    let among = text::count(group.nodes_fit, "node");
    if best.node_name == node {
        show::line(format_args!("It is the best of {among} that fit."));
        return;
    }
    let how = match group.rank {
        1 => "equal to the best".to_string(),
        rank => format!("number {rank}"),
    };
    show::line(format_args!(
        "It is {how} of {among} that fit; {} gets the instance with {}",
        text::escape(&best.node_name),
        score::of(&best.score)
    ));
}

fn print_alone(node: &NodeAlone, session: &Session) {
    show::line(format_args!("Node {}", text::escape(&node.node_name)));
    if node.open {
        show::line(Tone::Good.paint("It takes new work."));
    } else {
        show::line(Tone::Bad.paint(&format!("It takes no new work: {}.", text::escape(&node.closed.join("; ")))));
    }
    show::line("");
    let mut table = Table::new(&["", "Total", "Held", "Free"]);
    let (all, held, free) = (&node.capacity, &node.held, &node.free);
    let amount = |amount: u64, unit: &str| format!("{amount} {unit}");
    let mut add = |name: &str, unit: &str, all: u64, held: u64, free: u64| {
        table.row(row![name, amount(all, unit), amount(held, unit), amount(free, unit)]);
    };
    add("CPU", "MHz", all.cpu, held.cpu, free.cpu);
    add("Memory", "MiB", all.memory_mb, held.memory_mb, free.memory_mb);
    add("Memory Max", "MiB", all.memory_max_mb, held.memory_max_mb, free.memory_max_mb);
    add("Disk", "MiB", all.disk_mb, held.disk_mb, free.disk_mb);
    show::line(table);
    print_allocations(node, session);
    print_blocked(&node.blocked, node.blocked_total);
}

fn print_allocations(node: &NodeAlone, session: &Session) {
    show::heading("What holds it");
    let mut table = Table::new(&["ID", "Name", "Status", "CPU", "Memory"]);
    for one in &node.allocations {
        let (cpu, memory) = (format!("{} MHz", one.holds.cpu), format!("{} MiB", one.holds.memory_mb));
        table.row(row![session.id(&one.id), &one.name, Cell::status(&one.client_status), cpu, memory]);
    }
    table.print_or("Nothing");
}

fn print_blocked(blocked: &[BlockedThere], total: u64) {
    if total == 0 {
        return;
    }
    show::heading("Who waits for room, and lacks what here");
    let mut table = Table::new(&["Job", "Group", "Unplaced", "Why not"]);
    for one in blocked {
        let why = if one.fits { Cell::toned("fits", Tone::Good) } else { Cell::from(one.reasons.join("; ")) };
        table.row(row![&one.job_id, &one.group, one.unplaced, why]);
    }
    if !table.is_empty() {
        show::line(table);
    }
    if total > blocked.len() as u64 {
        show::line(format_args!("... and {} more", text::count(total - blocked.len() as u64, "group")));
    }
}
