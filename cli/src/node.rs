//! `sched node`: one file per subcommand.

mod drain;
mod eligibility;
mod status;
mod why;

use clap::Subcommand;

use crate::api::Node;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::session::Session;

/// What can be done with nodes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the nodes, or show one with what runs there
    Status(status::Args),
    /// Move everything away from a node, and show how far it is
    Drain(drain::Args),
    /// Let a node take new work, or not
    Eligibility(eligibility::Args),
    /// Explain what a node has for a job, or why it takes nothing more
    Why(why::Args),
}

/// Runs the subcommand.
pub async fn run(command: Command, session: &Session) -> Result<Exit, Failure> {
    match command {
        Command::Status(args) => status::run(&args, session).await,
        Command::Drain(args) => drain::run(&args, session).await,
        Command::Eligibility(args) => eligibility::run(&args, session).await,
        Command::Why(args) => why::run(&args, session).await,
    }
}

/// The node that was named, or that of the agent which answers.
async fn named_or_self(session: &Session, name: Option<&str>, own: bool) -> Result<Node, Failure> {
    match (name, own) {
        (Some(name), false) => find::node(session, name).await,
        (None, true) => find::local_node(session).await,
        _ => Err(Failure::new("say which node: either its name or -self").hint("`sched node status` lists the nodes")),
    }
}
