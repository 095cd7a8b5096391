//! `sched volume claim`: one file per subcommand.

mod delete;
mod list;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What can be done with claims to sticky volumes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the claims
    List(list::Args),
    /// Let an instance go elsewhere than to the volume that it had
    Delete(delete::Args),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(&args, session).await,
        Command::Delete(args) => delete::run(&args, session).await,
    }
}
