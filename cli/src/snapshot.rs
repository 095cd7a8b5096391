//! `sched snapshot`: backups of a cluster. One file per subcommand.

mod contents;
mod diff;
mod inspect;
mod restore;
mod save;
mod verify;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What can be done with backups.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take a backup of the cluster into a file
    Save(save::Args),
    /// Show what a backup is of and what it holds
    Inspect(inspect::Args),
    /// Check every byte of a backup, and that it can be restored
    Verify(verify::Args),
    /// Go on from a backup, in a new cluster or in the one that runs
    Restore(restore::Args),
    /// Show what differs between two backups
    Diff(diff::Args),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Save(args) => save::run(&args, session).await,
        Command::Inspect(args) => inspect::run(&args, session),
        Command::Verify(args) => verify::run(&args, session),
        Command::Restore(args) => restore::run(&args, session).await,
        Command::Diff(args) => diff::run(&args, session),
    }
}
