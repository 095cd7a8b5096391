//! `sched server`: one file per subcommand.

mod autopilot;
mod health;
pub mod init;
mod join;
mod leave;
mod members;
mod recover;
mod rejoin;
mod transfer;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What can be done with servers.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make the CA and certificates of a new cluster, on this machine
    Init(init::Args),
    /// List the servers and who leads
    Members(members::Args),
    /// Get a token with which a new server or agent joins, and the command to paste there
    Join(join::Args),
    /// Remove a server from the cluster for good
    Leave(leave::Args),
    /// Bring a server back whose files are damaged: on its host, under a new id
    Rejoin(rejoin::Args),
    /// Show how each server does, and how many may fail
    Health(health::Args),
    /// Hand leadership to another server
    Transfer(transfer::Args),
    /// Show or set how servers are judged and dead ones removed
    Autopilot(autopilot::Args),
    /// Go on from one stopped server's folder when most servers are lost for good
    Recover(recover::Args),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Init(args) => init::run(&args, session),
        Command::Members(args) => members::run(&args, session).await,
        Command::Join(args) => join::run(&args, session).await,
        Command::Leave(args) => leave::run(&args, session).await,
        Command::Rejoin(args) => rejoin::run(&args, session).await,
        Command::Health(args) => health::run(&args, session).await,
        Command::Transfer(args) => transfer::run(&args, session).await,
        Command::Autopilot(args) => autopilot::run(&args, session).await,
        Command::Recover(args) => recover::run(&args, session),
    }
}
