//! `sched rebalance cancel`: ends the rebalance that runs. What waits stays, what moves already moves on.

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show;

/// Arguments of `rebalance cancel`.
#[derive(ClapArgs, Debug)]
pub struct Args {}

/// Runs it.
pub async fn run(_: &Args, session: &Session) -> Result<Exit, Failure> {
    let answer = session.client.call(Call::delete("/v1/rebalance")).await?.value;
    if !session.print_json(&answer)? {
        show::line("the rebalance ends; what moves already moves on");
        show::hint("see `sched rebalance status`");
    }
    Ok(Exit::Done)
}
