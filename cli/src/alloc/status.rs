//! `sched alloc status`: one allocation with everything that is known of it.

use std::collections::BTreeMap;

use clap::Args as ClapArgs;

use crate::api::{Allocation, CheckStatus, TaskEvent, TaskState, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, Cell, Pairs, Table, Tone, table::row, text, time};

/// Allocations that are named of those that ended to make room; of more the rest is counted.
const PREEMPTED_NAMED_MAX: usize = 10;

/// Arguments of `alloc status`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// A name such as `web[2]`, or an id or its beginning; all allocations unless given
    allocation: Option<String>,
    /// The key-value block and the tasks' states only
    #[arg(long)]
    short: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let Some(given) = &args.allocation else { return list(session).await };
    let found = find::allocation(session, given).await?;
    let call = Call::get(path(&["v1", "allocation", &found.id])).query("namespace", &found.namespace);
    let answer = session.client.call(call).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let one: Allocation = decode(&answer)?;
    print_pairs(&one, &Preemption::of(&one, session).await, session);
    if args.short {
        print_states(&one);
        return Ok(Exit::Done);
    }
    print_addresses(&one);
    print_checks(&one, session).await;
    for (task, state) in &one.task_states {
        print_task(&one, task, state, session);
    }
    Ok(Exit::Done)
}

async fn list(session: &Session) -> Result<Exit, Failure> {
    let answer = session.client.call(Call::get("/v1/allocations")).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let all: Vec<Allocation> = decode(&answer)?;
    crate::job::print_allocations(&all, session);
    Ok(Exit::Done)
}

/// Who took whose room, as `web[0] (1a2b3c4d)`; empty for nobody.
struct Preemption {
    by: String,
    of: String,
}

impl Preemption {
    async fn of(one: &Allocation, session: &Session) -> Self {
        let mut of = Vec::new();
        for id in one.preempted_allocations.iter().take(PREEMPTED_NAMED_MAX) {
            of.push(named(id, session).await);
        }
        if one.preempted_allocations.len() > of.len() {
            of.push(format!("and {} more", one.preempted_allocations.len() - of.len()));
        }
        let by = match one.preempted_by_allocation.as_str() {
            "" => String::new(),
            id => named(id, session).await,
        };
        Self { by, of: of.join(", ") }
    }
}

/// An allocation by its name, as long as it is known.
async fn named(id: &str, session: &Session) -> String {
    let known = session.client.read::<Allocation>(Call::get(path(&["v1", "allocation", id]))).await;
    match known {
        Ok(known) if !known.name.is_empty() => format!("{} ({})", known.short_name(), session.id(id)),
        _ => session.id(id).to_owned(),
    }
}

fn print_pairs(one: &Allocation, preemption: &Preemption, session: &Session) {
    let mut pairs = Pairs::new();
    pairs.add("ID", &one.id);
    pairs.add("Eval ID", session.id(&one.eval_id));
    pairs.add("Name", &one.name);
    pairs.add("Node ID", session.id(&one.node_id));
    pairs.add("Node Name", &one.node_name);
    pairs.add("Job ID", &one.job_id);
    pairs.add("Job Version", one.version());
    pairs.add("Client Status", Cell::status(&one.client_status));
    pairs.add_if("Client Description", &one.client_description);
    pairs.add("Desired Status", &one.desired_status);
    pairs.add_if("Desired Description", &one.desired_description);
    pairs.add("Created", session.time(one.create_time));
    pairs.add("Modified", session.time(one.modify_time));
    if !one.deployment_id.is_empty() {
        let health = match one.deployment_status.healthy {
            Some(true) => "healthy",
            Some(false) => "unhealthy",
            None => "unset",
        };
        pairs.add("Deployment ID", session.id(&one.deployment_id));
        pairs.add("Deployment Health", Cell::status(health));
        if one.deployment_status.canary {
            pairs.add("Canary", true);
        }
    }
    pairs.add_if("Replaces", session.id(&one.previous_allocation));
    pairs.add_if("Replaced By", session.id(&one.next_allocation));
    pairs.add_if("Preempted By", &preemption.by);
    pairs.add_if("Preempted", &preemption.of);
    pairs.print();
}

fn print_states(one: &Allocation) {
    show::heading("Tasks");
    let mut table = Table::new(&["Name", "State", "Last Event", "Time"]);
    for (task, state) in &one.task_states {
        let (kind, when) = state.events.last().map_or(("", 0), |event| (event.kind.as_str(), event.time));
        let when = if when > 0 { time::date(when) } else { String::new() };
        table.row(row![task, Cell::status(&state.state), kind, when]);
    }
    table.print_or("No tasks yet");
}

fn print_addresses(one: &Allocation) {
    let ports = &one.allocated_resources.shared.ports;
    if ports.is_empty() {
        return;
    }
    show::heading("Allocation Addresses");
    let mut table = Table::new(&["Label", "Address", "To"]);
    for port in ports {
        // An IPv6 address needs brackets before a port.
        let host = if port.host_ip.contains(':') { format!("[{}]", port.host_ip) } else { port.host_ip.clone() };
        let to = if port.to > 0 { port.to.to_string() } else { String::new() };
        table.row(row![&port.label, format!("{host}:{}", port.value), to]);
    }
    show::line(table);
}

async fn print_checks(one: &Allocation, session: &Session) {
    let call = Call::get(path(&["v1", "client", "allocation", &one.id, "checks"])).query("namespace", &one.namespace);
    // The agent knows these, and it may be gone while everything else is still known.
    let Ok(checks) = session.client.read::<BTreeMap<String, CheckStatus>>(call).await else { return };
    if checks.is_empty() {
        return;
    }
    show::heading("Checks");
    let mut table = Table::new(&["Service", "Check", "Status", "Output"]);
    for check in checks.values() {
        let first_line = check.output.lines().next().unwrap_or_default();
        table.row(row![&check.service, &check.check, Cell::status(&check.status), first_line]);
    }
    show::line(table);
}

fn print_task(one: &Allocation, task: &str, state: &TaskState, session: &Session) {
    let tone = if state.failed { Tone::Bad } else { Tone::of_status(&state.state) };
    show::heading(&format!("Task {} is {}", text::escape(task), tone.paint(&text::escape(&state.state))));
    let mut pairs = Pairs::new();
    if let Some(held) = one.allocated_resources.tasks.get(task) {
        pairs.add("CPU", format!("{} MHz", held.cpu.cpu_shares));
        let burst = match held.memory.memory_max_mb {
            0 => String::new(),
            max => format!(" (max {max} MiB)"),
        };
        pairs.add("Memory", format!("{} MiB{burst}", held.memory.memory_mb));
    }
    let date = |text: &str| time::parse(text).map_or("N/A".into(), |when| session.time(when));
    pairs.add("Started At", date(&state.started_at));
    pairs.add("Finished At", date(&state.finished_at));
    pairs.add("Total Restarts", state.restarts);
    pairs.add("Last Restart", date(&state.last_restart));
    pairs.print();
    show::line("");
    let mut table = Table::new(&["Time", "Type", "Description"]);
    for event in state.events.iter().rev() {
        table.row(row![time::date(event.time), &event.kind, describe(event)]);
    }
    table.print_or("No events");
}

/// What happened, and that memory ran out unless the agent's words say so.
fn describe(event: &TaskEvent) -> String {
    let words = event.text();
    let is_told = words.contains("out of memory") || words.contains("OOM");
    if event.is_oom() && !is_told { format!("out of memory: {words}") } else { words.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::typed;

    #[test]
    fn that_memory_ran_out_is_said_once() {
        let event = |words: &str, oom: bool| -> TaskEvent {
            typed(&json!({ "DisplayMessage": words, "Details": { "oom_killed": oom.to_string() } })).unwrap()
        };
        let own = "Exit code: 137, killed: out of memory";
        assert_eq!(describe(&event(own, true)), own);
        assert_eq!(describe(&event("Exit Code: 137", true)), "out of memory: Exit Code: 137");
        assert_eq!(describe(&event("Exit Code: 137", false)), "Exit Code: 137");
    }
}
