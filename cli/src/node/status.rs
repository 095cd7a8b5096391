//! `sched node status`: the list of nodes, or one node with what it has, holds and runs.

use clap::Args as ClapArgs;
use serde::Deserialize;

use crate::api::{Allocation, Node, NodeUsage, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, Cell, Pairs, Table, Tone, table::row, time};

/// Arguments of `node status`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The node's name or id, or the beginning of either; all nodes unless given
    node: Option<String>,
    /// The node of the agent that answers
    #[arg(long = "self")]
    own: bool,
    /// Count what runs on each node
    #[arg(long)]
    allocs: bool,
    /// The key-value block only
    #[arg(long)]
    short: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Usage {
    nodes: Vec<NodeUsage>,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    if args.node.is_none() && !args.own {
        return list(args, session).await;
    }
    let found = super::named_or_self(session, args.node.as_deref(), args.own).await?;
    let answer = session.client.call(Call::get(path(&["v1", "node", &found.id]))).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let node: Node = decode(&answer)?;
    print_pairs(&node, session);
    if args.short {
        return Ok(Exit::Done);
    }
    let usage = usage(session).await?;
    if let Some(usage) = usage.iter().find(|usage| usage.id == node.id) {
        print_usage(usage, &node);
    }
    let call = Call::get(path(&["v1", "node", &node.id, "allocations"]));
    let allocations: Vec<Allocation> = session.client.read(call).await?;
    show::heading("Allocations");
    crate::job::print_allocations(&allocations, session);
    print_events(&node, session);
    if session.verbose {
        print_attributes("Attributes", &node.attributes);
        print_attributes("Meta", &node.meta);
    }
    Ok(Exit::Done)
}

/// What all nodes hold; empty where the server is of another make.
async fn usage(session: &Session) -> Result<Vec<NodeUsage>, Failure> {
    match session.client.read::<Usage>(Call::get("/v1/nodes/usage")).await {
        Ok(usage) => Ok(usage.nodes),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

async fn list(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let answer = session.client.call(Call::get("/v1/nodes")).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let mut nodes: Vec<Node> = decode(&answer)?;
    nodes.sort_by(|left, right| (&left.name, &left.id).cmp(&(&right.name, &right.id)));
    let usage = if args.allocs { usage(session).await? } else { Vec::new() };
    let mut columns = vec!["ID", "Node Pool", "DC", "Name", "Class"];
    if session.verbose {
        columns.extend(["Address", "Version"]);
    }
    columns.extend(["Drain", "Eligibility", "Status"]);
    if args.allocs {
        columns.push("Running Allocs");
    }
    let mut table = Table::new(&columns);
    for node in &nodes {
        let mut cells =
            Vec::from(row![session.id(&node.id), &node.node_pool, &node.datacenter, &node.name, &node.node_class]);
        if session.verbose {
            cells.extend(row![&node.address, &node.version]);
        }
        let drain = Cell::toned(node.drain.to_string(), if node.drain { Tone::Busy } else { Tone::Plain });
        cells.extend([drain, Cell::status(&node.scheduling_eligibility), Cell::status(&node.status)]);
        if args.allocs {
            let held = usage.iter().find(|usage| usage.id == node.id).map_or(0, running);
            cells.push(held.into());
        }
        table.row(cells);
    }
    table.print_or("No nodes");
    Ok(Exit::Done)
}

fn running(usage: &NodeUsage) -> usize {
    let status =
        |one: &serde_json::Value| one.get("ClientStatus").and_then(|status| status.as_str()) == Some("running");
    usage.allocations.iter().filter(|one| status(one)).count()
}

fn print_pairs(node: &Node, session: &Session) {
    let mut pairs = Pairs::new();
    pairs.add("ID", &node.id);
    pairs.add("Name", &node.name);
    pairs.add("Node Pool", &node.node_pool);
    pairs.add("Class", &node.node_class);
    pairs.add("DC", &node.datacenter);
    pairs.add("Drain", node.drain);
    pairs.add("Eligibility", Cell::status(&node.scheduling_eligibility));
    pairs.add("Status", Cell::status(&node.status));
    pairs.add_if("Status Description", &node.status_description);
    pairs.add_if("Address", if node.http_addr.is_empty() { &node.address } else { &node.http_addr });
    let health = |healthy| if healthy { "healthy" } else { "unhealthy" };
    let drivers = node.drivers.iter().filter(|(_, driver)| driver.detected);
    let drivers: Vec<String> = drivers.map(|(name, driver)| format!("{name} ({})", health(driver.healthy))).collect();
    pairs.add("Drivers", drivers.join(", "));
    if !node.last_drain.status.is_empty() {
        let when = time::parse(&node.last_drain.updated_at).map_or("-".into(), |when| session.time(when));
        let message = node.last_drain.meta.get("message").map_or(String::new(), |text| format!(": {text}"));
        pairs.add("Last Drain", format!("{}, {when}{message}", node.last_drain.status));
    }
    pairs.print();
    for (name, driver) in node.drivers.iter().filter(|(_, driver)| driver.detected && !driver.healthy) {
        show::warning(&format!("driver {name}: {}", driver.health_description));
    }
}

fn print_usage(usage: &NodeUsage, node: &Node) {
    show::heading("Resources");
    let share =
        |part: u64, whole: u64| (part * 100).checked_div(whole).map_or(String::new(), |share| format!(" ({share}%)"));
    let used = |pick: fn(&crate::api::NodeUsage) -> Option<u64>, unit: &str| {
        pick(usage).map_or("unknown".into(), |amount| format!("{amount} {unit}"))
    };
    let mut table = Table::new(&["", "Total", "Reserved", "Used"]);
    table.row(row![
        "CPU",
        format!("{} MHz", usage.total.cpu),
        format!("{} MHz{}", usage.reserved.cpu, share(usage.reserved.cpu, usage.total.cpu)),
        used(|usage| usage.used.as_ref().map(|used| used.cpu), "MHz"),
    ]);
    table.row(row![
        "Memory",
        format!("{} MiB", usage.total.memory_mb),
        format!("{} MiB{}", usage.reserved.memory_mb, share(usage.reserved.memory_mb, usage.total.memory_mb)),
        used(|usage| usage.used.as_ref().map(|used| used.memory_mb), "MiB"),
    ]);
    if node.node_resources.disk.disk_mb > 0 {
        table.row(row!["Disk", format!("{} MiB", node.node_resources.disk.disk_mb), "", ""]);
    }
    show::line(table);
}

fn print_events(node: &Node, session: &Session) {
    show::heading("Node Events");
    let mut table = Table::new(&["Time", "Subsystem", "Message"]);
    for event in node.events.iter().rev() {
        let when = time::parse(&event.timestamp).map_or("-".into(), |when| session.time(when));
        table.row(row![when, &event.subsystem, &event.message]);
    }
    table.print_or("No events");
}

fn print_attributes(title: &str, attributes: &std::collections::BTreeMap<String, String>) {
    show::heading(title);
    let mut pairs = Pairs::new();
    for (name, value) in attributes {
        pairs.add(name, value);
    }
    pairs.print();
}
