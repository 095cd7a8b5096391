//! `sched server members`.

use clap::Args as ClapArgs;

use crate::api::{Member, Members, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, Cell, Table, Tone, table::row};

/// Arguments of `server members`.
#[derive(ClapArgs, Debug)]
pub struct Args {}

/// Runs it.
pub async fn run(_: &Args, session: &Session) -> Result<Exit, Failure> {
    let answer = session.client.call(Call::get("/v1/agent/members")).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let members: Members = decode(&answer)?;
    // The members are worth showing also while there is no leader: then most of all.
    let leader: String = session.client.read(Call::get("/v1/status/leader")).await.unwrap_or_default();
    let columns = ["Name", "Address", "Port", "Status", "Leader", "Raft Version", "Build", "Datacenter", "Region"];
    let mut table = Table::new(&columns);
    let mut sorted: Vec<&Member> = members.members.iter().collect();
    sorted.sort_by(|left, right| left.name.cmp(&right.name));
    for member in sorted {
        let leads = is_leader(member, &leader);
        let leads = Cell::toned(leads.to_string(), if leads { Tone::Good } else { Tone::Plain });
        table.row(row![
            &member.name,
            &member.addr,
            member.port,
            Cell::status(&member.status),
            leads,
            member.tag("raft_vsn"),
            member.tag("build"),
            member.tag("dc"),
            member.tag("region")
        ]);
    }
    table.print_or("No servers");
    if leader.is_empty() {
        show::warning("there is no leader: nothing can be changed until more than half of the servers are up");
    }
    Ok(Exit::Done)
}

/// Whether the leader's address is one of the member's.
fn is_leader(member: &Member, leader: &str) -> bool {
    let at = |port: &str| format!("{}:{port}", member.addr) == leader;
    !leader.is_empty() && (member.tag("rpc_addr") == leader || at(member.tag("port")) || at(&member.port.to_string()))
}
