//! `sched node eligibility`: lets a node take new work, or not. What runs there is not touched.

use clap::{ArgGroup, Args as ClapArgs};
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `node eligibility`.
#[derive(ClapArgs, Debug)]
#[command(group = ArgGroup::new("wanted").required(true))]
pub struct Args {
    /// The node's name or id, or the beginning of either
    node: Option<String>,
    /// Let it take new work
    #[arg(long, group = "wanted")]
    enable: bool,
    /// Let it take no new work
    #[arg(long, group = "wanted")]
    disable: bool,
    /// The node of the agent that answers
    #[arg(long = "self")]
    own: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let node = super::named_or_self(session, args.node.as_deref(), args.own).await?;
    let wanted = if args.enable { "eligible" } else { "ineligible" };
    let request = json!({ "NodeID": node.id, "Eligibility": wanted });
    let answer = session.client.call(Call::put(path(&["v1", "node", &node.id, "eligibility"]), &request)).await?.value;
    if !session.print_json(&answer)? {
        show::line(format_args!("node {} ({}) is {wanted}", text::escape(&node.name), session.id(&node.id)));
    }
    Ok(Exit::Done)
}
