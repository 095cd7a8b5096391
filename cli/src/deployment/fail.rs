//! `sched deployment fail`.

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::follow::{self, Subject};
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `deployment fail`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The deployment's id or its beginning, or a job's name for its newest
    deployment: String,
    /// Return once it is accepted, without following what comes of it
    #[arg(long)]
    detach: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let stub = find::deployment(session, &args.deployment).await?;
    let call = Call::put(path(&["v1", "deployment", "fail", &stub.id]), &json!({})).query("namespace", &stub.namespace);
    let answer = session.client.call(call).await?.value;
    let reverted = answer.get("RevertedJobVersion").and_then(Value::as_u64);
    if !session.print_json(&answer)? {
        let job = text::escape(&stub.job_id);
        show::line(format_args!(
            "deployment {} of {job} v{} failed on request",
            session.id(&stub.id),
            stub.job_version
        ));
        if let Some(version) = reverted {
            show::line(format_args!("{job} goes back to what version {version} was"));
        }
    }
    let evaluation = answer.get("EvalID").and_then(Value::as_str).unwrap_or_default();
    if args.detach || evaluation.is_empty() || reverted.is_none() {
        return Ok(Exit::Done);
    }
    follow::evaluation(session, Subject { job: stub.job_id, namespace: stub.namespace }, evaluation).await
}
