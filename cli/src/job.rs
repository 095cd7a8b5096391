//! `sched job`: one file per subcommand.

mod diff;
mod fmt;
mod history;
mod init;
mod inspect;
mod plan;
mod revert;
mod run;
mod spec;
mod status;
mod stop;
mod validate;
mod why;

use clap::Subcommand;

pub use status::{Parts as StatusParts, print as print_status, print_allocations};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What can be done with jobs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send a job and follow its deployment live
    Run(run::Args),
    /// Show what running a job would change
    Plan(plan::Args),
    /// List the jobs, or show one with its allocations
    Status(status::Args),
    /// Stop a job
    Stop(stop::Args),
    /// Print a job as the servers hold it
    Inspect(inspect::Args),
    /// Check a jobspec without running it
    Validate(validate::Args),
    /// Lay jobspecs out: indentation, columns, spaces
    Fmt(fmt::Args),
    /// Write a jobspec to start from
    Init(init::Args),
    /// Show what may stand in a block of a jobspec
    Spec(spec::Args),
    /// Show the versions of a job and what each changed
    History(history::Args),
    /// Go back to an earlier version
    Revert(revert::Args),
    /// Explain why a job does not run everywhere it should
    Why(why::Args),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Run(args) => run::run(&args, session).await,
        Command::Plan(args) => plan::run(&args, session).await,
        Command::Status(args) => status::run(&args, session).await,
        Command::Stop(args) => stop::run(&args, session).await,
        Command::Inspect(args) => inspect::run(&args, session).await,
        Command::Validate(args) => validate::run(&args, session).await,
        Command::Fmt(args) => fmt::run(&args),
        Command::Init(args) => init::run(&args),
        Command::Spec(args) => spec::run(&args),
        Command::History(args) => history::run(&args, session).await,
        Command::Revert(args) => revert::run(&args, session).await,
        Command::Why(args) => why::run(&args, session).await,
    }
}
