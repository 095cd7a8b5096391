//! `sched server leave`: removes a server from the cluster for good. Its id is never used again.

use clap::Args as ClapArgs;

use crate::api::{RaftServer, RaftServers};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `server leave`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The server's name, address or id
    server: String,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let known: RaftServers = session.client.read(Call::get("/v1/operator/raft/configuration")).await?;
    let server = choose(&known.servers, &args.server)?;
    let voters = known.servers.iter().filter(|one| one.voter).count();
    let left = voters.saturating_sub(usize::from(server.voter));
    if left == 0 {
        return Err(Failure::new("this is the last server: the cluster would be gone")
            .hint("to end a cluster, stop its processes"));
    }
    let name = text::escape(&server.node);
    let question = format!(
        "Remove server {name}? {} will be left, of which {} may fail.",
        text::count(left as u64, "server"),
        (left - 1) / 2
    );
    if !args.yes && !session.confirm(&question)? {
        return Err(Failure::new("nothing was changed"));
    }
    let answer = session.client.call(Call::delete(path(&["v1", "server", &server.id]))).await?.value;
    if !session.print_json(&answer)? {
        show::line(format_args!("server {name} has left; {}", text::count(left as u64, "server")));
        show::hint("its process ends by itself; its data folder can't be used again");
    }
    Ok(Exit::Done)
}

/// The server of that name, address or id.
pub(super) fn choose<'a>(servers: &'a [RaftServer], given: &str) -> Result<&'a RaftServer, Failure> {
    // Names are shown with their region behind them, and typed without.
    let is_name = |node: &str| node == given || node.rsplit_once('.').is_some_and(|(name, _region)| name == given);
    let is_meant = |one: &&RaftServer| one.id == given || is_name(&one.node) || one.address == given;
    let matching: Vec<&RaftServer> = servers.iter().filter(is_meant).collect();
    match matching.as_slice() {
        [one] => Ok(one),
        [] => {
            let names: Vec<&str> = servers.iter().map(|one| one.node.as_str()).collect();
            Err(Failure::new(format!("server `{given}` not found"))
                .hint(format!("the servers are {}", names.join(", "))))
        }
        several => Err(Failure::ambiguous(
            "server",
            given,
            several.iter().map(|one| format!("{} {} {}", one.id, one.node, one.address)),
        )),
    }
}
