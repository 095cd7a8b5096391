//! `sched service`: the catalog.

mod info;
mod list;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What can be asked of the catalog.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the services with their tags
    List(list::Args),
    /// Show the passing instances of a service
    Info(info::Args),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::List(args) => list::run(&args, session).await,
        Command::Info(args) => info::run(&args, session).await,
    }
}
