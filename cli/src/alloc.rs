//! `sched alloc`: one file per subcommand.

mod logs;
mod restart;
mod status;
mod stop;

use clap::Subcommand;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// What can be done with allocations.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show an allocation: its tasks, what happened to them, addresses, checks
    Status(status::Args),
    /// Print what a task wrote, and go on with -f
    Logs(logs::Args),
    /// Stop an allocation; another takes its place
    Stop(stop::Args),
    /// Restart the tasks of an allocation where they are
    Restart(restart::Args),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Status(args) => status::run(&args, session).await,
        Command::Logs(args) => logs::run(&args, session).await,
        Command::Stop(args) => stop::run(&args, session).await,
        Command::Restart(args) => restart::run(&args, session).await,
    }
}

/// The hint that names the tasks that there are.
fn known_tasks(known: &[&str]) -> String {
    match known {
        [one] => format!("its task is {one}"),
        several => format!("its tasks are {}", several.join(", ")),
    }
}
