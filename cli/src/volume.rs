//! `sched volume`: volumes of hosts. One file per subcommand; [`spec`] reads what people write of one.

mod claim;
mod create;
mod delete;
mod register;
mod spec;
mod status;

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use crate::api::{Volume, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, text};

/// What can be done with volumes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Have a node make a volume
    Create(create::Args),
    /// Take a folder of a node up as a volume
    Register(register::Args),
    /// List the volumes, or show one with what uses it
    Status(status::Args),
    /// Delete a volume, with what is in it if a plugin made it
    Delete(delete::Args),
    /// Look at what instances claim of sticky volumes, and free them of it
    #[command(subcommand)]
    Claim(claim::Command),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Create(args) => create::run(&args, session).await,
        Command::Register(args) => register::run(&args, session).await,
        Command::Status(args) => status::run(&args, session).await,
        Command::Delete(args) => delete::run(&args, session).await,
        Command::Claim(command) => claim::run(command, session).await,
    }
}

/// Sends the volume that a file describes, and says what became of it.
async fn put(file: &Path, route: &str, done: &str, session: &Session) -> Result<Exit, Failure> {
    let request = json!({ "Volume": spec::read(file)? });
    let answer = session.client.call(Call::put(route, &request)).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let volume: Volume = decode(answer.get("Volume").unwrap_or(&serde_json::Value::Null))?;
    let name = text::escape(&volume.name);
    let (id, node) = (session.id(&volume.id), session.id(&volume.node_id));
    show::line(format_args!("volume {name} ({id}) {done} on node {node} at {}", text::escape(&volume.host_path)));
    Ok(Exit::Done)
}
