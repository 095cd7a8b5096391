//! `sched server transfer`: hands leadership to another server.

use clap::Args as ClapArgs;
use serde_json::Value;

use super::leave::choose;
use crate::api::RaftServers;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `server transfer`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The name, address or id of the server that shall lead
    server: String,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let known: RaftServers = session.client.read(Call::get("/v1/operator/raft/configuration")).await?;
    let server = choose(&known.servers, &args.server)?;
    if !server.voter {
        return Err(Failure::new(format!("server `{}` does not vote yet", args.server))
            .hint("it is joining; `sched server health` shows how far it is"));
    }
    let call = Call::put("/v1/operator/raft/transfer-leadership", &Value::Null).query("id", &server.id);
    let answer = session.client.call(call).await?.value;
    if !session.print_json(&answer)? {
        let name = text::escape(&server.node);
        match answer["Noop"] == true {
            true => show::line(format_args!("server {name} leads already")),
            false => show::line(format_args!("server {name} leads now")),
        }
    }
    Ok(Exit::Done)
}
