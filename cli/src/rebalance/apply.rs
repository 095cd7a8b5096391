//! `sched rebalance apply`: moves instances to better nodes and shows how far it is until every move is over.
//!
//! The server decides when the next one moves, and ends the rebalance when one does badly; this command shows it.

use clap::Args as ClapArgs;
use serde_json::Value;

use super::{Ask, plan, status};
use crate::api::{RebalancePlan, decode};
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `rebalance apply`.
#[derive(ClapArgs, Debug)]
#[command(after_help = exit::HELP_REBALANCE)]
pub struct Args {
    #[command(flatten)]
    ask: Ask,
    /// Begin only if nothing has changed since the plan of that index
    #[arg(long, value_name = "INDEX")]
    check_index: Option<u64>,
    /// Return once it has begun, without showing the progress
    #[arg(long)]
    detach: bool,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let mut request = args.ask.request(session).await?;
    let mut check_index = args.check_index;
    if check_index.is_none() {
        let answer = session.client.call(Call::put("/v1/rebalance/plan", &request)).await?.value;
        let planned: RebalancePlan = decode(&answer)?;
        if planned.moves.is_empty() {
            if !session.print_json(&answer)? {
                plan::print(&planned);
            }
            return Ok(Exit::Done);
        }
        if !args.yes {
            if !session.json {
                plan::print(&planned);
            }
            let instances = text::count(planned.moves.len() as u64, "instance");
            if !session.confirm(&format!("Move {instances}?"))? {
                return Err(Failure::new("nothing was changed"));
            }
            // What was seen is what is done.
            check_index = Some(planned.check_index);
        }
    }
    if let Some(index) = check_index {
        request["CheckIndex"] = Value::from(index);
    }
    let answer = session.client.call(Call::put("/v1/rebalance", &request)).await?.value;
    let begun = answer["Rebalance"].as_u64().unwrap_or_default();
    if session.print_json(&answer)? && args.detach {
        return Ok(Exit::Done);
    }
    if args.detach {
        let moves = text::count(answer["Moves"].as_u64().unwrap_or_default(), "move");
        show::line(format_args!("rebalance {begun} begins: {moves}"));
        show::hint("follow it with `sched rebalance status -monitor`");
        return Ok(Exit::Done);
    }
    status::follow(Some(begun), session).await
}
