//! `sched version`: the release of this command, and of the server that answers, if one does.

use std::time::Duration;

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, text};

/// How long to wait for the server: the command's own release is known without it.
const SERVER_PATIENCE: Duration = Duration::from_secs(2);

/// Arguments of `version`.
#[derive(ClapArgs, Debug)]
pub struct Args {}

/// Runs it.
pub async fn run(_: &Args, session: &Session) -> Result<Exit, Failure> {
    let asked = tokio::time::timeout(SERVER_PATIENCE, session.client.call(Call::get("/v1/agent/self"))).await;
    let answer = asked.ok().and_then(Result::ok).map(|answer| answer.value);
    let server = answer.as_ref().and_then(server_version);
    let own = env!("CARGO_PKG_VERSION");
    if session.json {
        show::json(&json!({ "Version": own, "ServerVersion": server }))?;
        return Ok(Exit::Done);
    }
    show::line(format_args!("sched {own}"));
    match server {
        Some(version) => show::line(format_args!("server {}", text::escape(version))),
        None => show::note("no server answers"),
    }
    Ok(Exit::Done)
}

/// From where an agent tells its release.
fn server_version(answer: &Value) -> Option<&str> {
    ["/config/Version/Version", "/member/Tags/build"].iter().find_map(|place| answer.pointer(place)?.as_str())
}
