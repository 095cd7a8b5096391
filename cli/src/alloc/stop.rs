//! `sched alloc stop`: stops one allocation, and follows the one that takes its place.

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::find;
use crate::follow::{self, Subject};
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `alloc stop`.
#[derive(ClapArgs, Debug)]
#[command(after_help = exit::HELP_FOLLOW)]
pub struct Args {
    /// A name such as `web[2]`, or an id or its beginning
    allocation: String,
    /// Return once it is accepted, without following what comes of it
    #[arg(long)]
    detach: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let one = find::allocation(session, &args.allocation).await?;
    let call = Call::put(path(&["v1", "allocation", &one.id, "stop"]), &json!({})).query("namespace", &one.namespace);
    let answer = session.client.call(call).await?.value;
    let evaluation = answer.get("EvalID").and_then(Value::as_str).unwrap_or_default();
    if !session.print_json(&answer)? {
        let name = text::escape(&one.short_name());
        show::line(format_args!("{name} ({}) stops, evaluation {}", session.id(&one.id), session.id(evaluation)));
    }
    if args.detach || evaluation.is_empty() {
        return Ok(Exit::Done);
    }
    follow::replacement(session, Subject { job: one.job_id, namespace: one.namespace }, evaluation, &one.id).await
}
