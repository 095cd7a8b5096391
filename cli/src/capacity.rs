//! `sched capacity`: what is held and what is free; and what would fit if there were other nodes, or more to place.

mod amounts;

use std::collections::BTreeMap;

use clap::Args as ClapArgs;
use serde_json::{Map, Value, json};

use crate::api::{Foreseen, Largest, Moved, Overview, Placed, Room, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::follow;
use crate::http::Call;
use crate::jobspec::{self, JobFile};
use crate::session::Session;
use crate::show::{self, Cell, Table, Tone, table::row, text};

/// Nodes of which each is named where instances would go; of more the rest is counted.
const NODES_NAMED_MAX: usize = 20;

/// Arguments of `capacity`.
#[derive(ClapArgs, Debug)]
#[command(after_help = HELP)]
pub struct Args {
    /// Instances to place in thought: cpu in MHz, memory as 512m or 2g, count unless as many as fit
    #[arg(long, value_name = "AMOUNTS")]
    what_if: Option<String>,
    /// A jobspec to place in thought
    #[arg(value_name = "FILE")]
    file: Option<String>,
    /// Sets a variable of the jobspec; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE", requires = "file")]
    variables: Vec<String>,
    /// Nodes to add in thought, with so much for allocations or like another; may be repeated
    #[arg(long, value_name = "AMOUNTS")]
    node_add: Vec<String>,
    /// A node to take away in thought; may be repeated
    #[arg(long, value_name = "NODE")]
    node_remove: Vec<String>,
}

/// Printed at the end of the help.
const HELP: &str = "\
Amounts are words `name=value` in one argument:
  --what-if 'cpu=500 mem=2g count=20'   also memory_max, disk, cores, device=nvidia/gpu:2, driver, datacenter, pool, class
  --node-add 'cpu=8000 mem=16g count=3' also disk, datacenter, pool, class
  --node-add 'like=n1 count=3'

Exit codes:
  0  everything that was asked for would fit
  1  an error
  2  something would not fit";

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let Some(call) = call(args, session).await? else {
        let answer = session.client.call(Call::get("/v1/capacity")).await?.value;
        if !session.print_json(&answer)? {
            print_overview(&decode(&answer)?);
        }
        return Ok(Exit::Done);
    };
    let answer = session.client.call(call).await?.value;
    let foreseen: Foreseen = decode(&answer)?;
    let exit = if fits(&foreseen) { Exit::Done } else { Exit::PlacementsFailed };
    if !session.print_json(&answer)? {
        print_foreseen(&foreseen);
    }
    Ok(exit)
}

/// The call that foresees what was asked for, if anything was.
async fn call(args: &Args, session: &Session) -> Result<Option<Call>, Failure> {
    let mut body = Map::new();
    let mut namespace = None;
    if let Some(amounts) = &args.what_if {
        body.insert("Ask".into(), amounts::ask(amounts)?);
    }
    if let Some(file) = &args.file {
        let file =
            JobFile { file: file.clone(), variables: args.variables.clone(), variable_files: Vec::new(), strict: true };
        let jobspec = jobspec::read(&file, session)?;
        namespace = Some(jobspec.namespace().to_owned());
        body.insert("Job".into(), jobspec.job);
    }
    let mut added = Vec::new();
    for amounts in &args.node_add {
        let mut nodes = amounts::nodes(amounts)?;
        if let Some(like) = nodes.get("Like").and_then(Value::as_str) {
            let id = find::node(session, like).await?.id;
            nodes["Like"] = id.into();
        }
        added.push(nodes);
    }
    let mut removed = Vec::new();
    for node in &args.node_remove {
        removed.push(find::node(session, node).await?.id);
    }
    if !added.is_empty() {
        body.insert("NodesAdded".into(), added.into());
    }
    if !removed.is_empty() {
        body.insert("NodesRemoved".into(), removed.into());
    }
    if body.is_empty() {
        return Ok(None);
    }
    let call = Call::put("/v1/capacity", &json!(body));
    Ok(Some(match namespace {
        Some(namespace) => call.query("namespace", namespace),
        None => call,
    }))
}

/// Whether all that was asked for has a place, and nothing lost its own.
fn fits(foreseen: &Foreseen) -> bool {
    let placed = |placed: &Placed| placed.placed >= placed.wanted;
    let keeps = |moved: &Moved| moved.unplaced <= moved.unplaced_before;
    let room = foreseen.room.as_ref().is_none_or(|room| room.instances > 0);
    room && foreseen.job.iter().all(placed) && foreseen.ask.iter().all(placed) && foreseen.moved.iter().all(keeps)
}

fn print_overview(overview: &Overview) {
    let mut table = Table::new(&[
        "DC",
        "Node Pool",
        "Class",
        "Nodes",
        "CPU Total",
        "Held",
        "Free",
        "Memory Total",
        "Held",
        "Free",
        "Largest Ask",
    ]);
    for share in &overview.shares {
        let nodes = match share.open {
            open if open == share.nodes => Cell::from(share.nodes),
            open => Cell::toned(format!("{open} of {} open", share.nodes), Tone::Bad),
        };
        let mhz = |amount: u64| format!("{amount} MHz");
        let mib = |amount: u64| format!("{amount} MiB");
        let largest = |largest: &Largest| {
            format!("{} MHz, {} MiB on {}", largest.ask.cpu, largest.ask.memory_mb, largest.node_name)
        };
        let mut asks: Vec<String> =
            [&share.largest_memory, &share.largest_cpu].into_iter().flatten().map(largest).collect();
        asks.dedup();
        let (total, held, free) = (&share.total, &share.held, &share.free);
        table.row([
            Cell::from(&share.datacenter),
            Cell::from(&share.node_pool),
            Cell::from(&share.node_class),
            nodes,
            Cell::from(mhz(total.cpu)),
            Cell::from(mhz(held.cpu)),
            Cell::from(mhz(free.cpu)),
            Cell::from(mib(total.memory_mb)),
            Cell::from(mib(held.memory_mb)),
            Cell::from(mib(free.memory_mb)),
            Cell::from(if asks.is_empty() { "nothing fits".into() } else { asks.join(" or ") }),
        ]);
    }
    table.print_or("No nodes");
    show::hint("`sched capacity --what-if 'cpu=500 mem=1g'` counts how many of these fit");
}

fn print_foreseen(foreseen: &Foreseen) {
    if !foreseen.nodes_added.is_empty() {
        let named = foreseen.nodes_added.iter().take(NODES_NAMED_MAX).map(|name| text::escape(name));
        let named: Vec<String> = named.collect();
        let more = foreseen.nodes_added.len() - named.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        show::line(format_args!("With {}{more}:", named.join(", ")));
    }
    print_moved(&foreseen.moved);
    foreseen.job.iter().for_each(print_placed);
    if !foreseen.preempted.is_empty() {
        show::line(Tone::Bad.paint("Instances of other jobs would end to make room:"));
        let mut table = Table::new(&["Instance", "Runs on", "Ends for"]);
        for one in &foreseen.preempted {
            table.row(row![&one.name, &one.node_name, &one.by]);
        }
        show::line(table);
    }
    foreseen.ask.iter().for_each(print_placed);
    if let Some(room) = &foreseen.room {
        print_room(room);
        // Where a number was asked for it is said there.
        if let (Some(why), 0, None) = (&room.why, room.instances, &foreseen.ask) {
            follow::unplaced_lines("what-if", why).iter().for_each(show::line);
        }
    }
    if foreseen.is_cut_short {
        show::warning("more must be decided than is foreseen: what else waits is not counted");
    }
    if foreseen.moved.is_empty() && foreseen.job.is_empty() && foreseen.room.is_none() {
        show::line("Nothing would move, and nobody waits for room.");
    }
}

fn print_moved(moved: &[Moved]) {
    if moved.is_empty() {
        return;
    }
    let mut table = Table::new(&["Job", "Group", "Must Move", "Waited", "Would Wait"]);
    for one in moved {
        let tone = if one.unplaced > one.unplaced_before { Tone::Bad } else { Tone::Good };
        let waits = Cell::toned(one.unplaced.to_string(), tone);
        table.row(row![&one.job_id, &one.group, one.displaced, one.unplaced_before, waits]);
    }
    show::line(table);
    for one in moved.iter().filter(|one| one.unplaced > one.unplaced_before) {
        let lines = one.why.iter().flat_map(|why| follow::unplaced_lines(&one.group, why));
        lines.for_each(show::line);
    }
}

fn print_placed(placed: &Placed) {
    let tone = if placed.placed >= placed.wanted { Tone::Good } else { Tone::Bad };
    let words = format!("{} of {} would be placed", placed.placed, placed.wanted);
    show::line(format_args!("Group {}: {}", text::escape(&placed.group), tone.paint(&words)));
    print_nodes(&placed.nodes);
    let lines = placed.why.iter().flat_map(|why| follow::unplaced_lines(&placed.group, why));
    lines.for_each(show::line);
}

fn print_room(room: &Room) {
    let more = if room.is_limit { " or more" } else { "" };
    let instances = if room.instances == 1 { "instance" } else { "instances" };
    let tone = if room.instances > 0 { Tone::Good } else { Tone::Bad };
    show::line(format_args!("Room for {}{more} {instances} in all", tone.paint(&room.instances.to_string())));
    print_nodes(&room.nodes);
    if !room.ends_first.is_empty() {
        show::line(format_args!("What ends first: {}", text::escape(&room.ends_first)));
    }
}

fn print_nodes(nodes: &BTreeMap<String, u64>) {
    let mut most: Vec<_> = nodes.iter().collect();
    most.sort_by(|one, other| other.1.cmp(one.1).then_with(|| one.0.cmp(other.0)));
    let named = most.iter().take(NODES_NAMED_MAX).map(|(name, count)| format!("{count} on {}", text::escape(name)));
    let named: Vec<String> = named.collect();
    if !named.is_empty() {
        let more = most.len() - named.len();
        let more =
            if more > 0 { format!(", and more on {}", text::count(more as u64, "other node")) } else { String::new() };
        show::line(format_args!("  {}{more}", named.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_placed_or_loses_its_place_does_not_fit() {
        let placed = |placed| Placed { wanted: 2, placed, ..Placed::default() };
        assert!(fits(&Foreseen { job: vec![placed(2)], ..Foreseen::default() }));
        assert!(!fits(&Foreseen { ask: Some(placed(1)), ..Foreseen::default() }));
        let moved = |unplaced| vec![Moved { unplaced_before: 1, unplaced, ..Moved::default() }];
        assert!(fits(&Foreseen { moved: moved(1), ..Foreseen::default() }));
        assert!(!fits(&Foreseen { moved: moved(2), ..Foreseen::default() }));
        assert!(!fits(&Foreseen { room: Some(Room::default()), ..Foreseen::default() }));
    }
}
