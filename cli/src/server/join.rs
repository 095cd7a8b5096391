//! `sched server join`: asks the cluster for a short-lived token, and prints the command to paste on the new machine.

use clap::{Args as ClapArgs, ValueEnum};
use serde_json::{Value, json};

use crate::api::{Member, Members};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `server join`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// What the new machine is to be
    #[arg(long, value_enum, default_value_t = Role::Server)]
    role: Role,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Role {
    /// A server
    Server,
    /// A client agent
    Agent,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let (role, flag) = match args.role {
        Role::Server => ("server", "-server"),
        Role::Agent => ("agent", "-client"),
    };
    let answer = session.client.call(Call::put("/v1/server/join-token", &json!({ "Role": role }))).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let token = answer.get("Token").and_then(Value::as_str).filter(|token| !token.is_empty());
    let token = token.ok_or_else(|| Failure::new("the server gave no token"))?;
    let members: Members = session.client.read(Call::get("/v1/agent/members")).await?;
    let addresses: Vec<String> = members.members.iter().filter(|one| one.status == "alive").map(rpc_address).collect();
    show::note(format_args!("on the new {role}, run:"));
    show::line(format_args!(
        "sched agent {flag} -data-dir /var/lib/sched -join {} -join-token {}",
        text::escape(&addresses.join(",")),
        text::escape(token)
    ));
    show::hint("the token is secret and short-lived; each run of this command makes a new one");
    Ok(Exit::Done)
}

fn rpc_address(member: &Member) -> String {
    match (member.tag("rpc_addr"), member.tag("port")) {
        ("", "") => member.addr.clone(),
        ("", port) => format!("{}:{port}", member.addr),
        (address, _) => address.to_owned(),
    }
}
