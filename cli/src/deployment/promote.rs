//! `sched deployment promote`.

use clap::Args as ClapArgs;
use serde_json::json;

use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::find;
use crate::follow::{self, Subject};
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `deployment promote`.
#[derive(ClapArgs, Debug)]
#[command(after_help = exit::HELP_FOLLOW)]
pub struct Args {
    /// The deployment's id or its beginning, or a job's name for its newest
    deployment: String,
    /// Promote this group only; may be repeated
    #[arg(long, value_name = "NAME")]
    group: Vec<String>,
    /// Return once it is accepted, without following it
    #[arg(long)]
    detach: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let stub = find::deployment(session, &args.deployment).await?;
    let request = json!({ "DeploymentID": stub.id, "All": args.group.is_empty(), "Groups": args.group });
    let call =
        Call::put(path(&["v1", "deployment", "promote", &stub.id]), &request).query("namespace", &stub.namespace);
    let answer = session.client.call(call).await?.value;
    session.print_json(&answer)?;
    if args.detach {
        if !session.json {
            show::line(format_args!("deployment {} of {} promoted", session.id(&stub.id), text::escape(&stub.job_id)));
        }
        return Ok(Exit::Done);
    }
    follow::deployment(session, Subject { job: stub.job_id, namespace: stub.namespace }, &stub.id).await
}
