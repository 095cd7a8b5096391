//! `sched job revert`: makes an earlier version the newest, and follows its deployment.

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use crate::api::Job;
use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::find;
use crate::follow::{self, Subject};
use crate::http::{Call, path};
use crate::session::Session;
use crate::show;

/// Arguments of `job revert`.
#[derive(ClapArgs, Debug)]
#[command(after_help = exit::HELP_FOLLOW)]
pub struct Args {
    /// The job's name or its beginning
    job: String,
    /// The version to go back to
    #[arg(value_name = "NUMBER")]
    version: u64,
    /// Return once it is accepted, without following it
    #[arg(long)]
    detach: bool,
    /// Do not ask when only the beginning of the name was given
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let stub = find::job(session, &args.job).await?;
    let question = || format!("Revert job `{}` to version {}?", stub.id, args.version);
    if stub.id != args.job && !args.yes && !session.confirm(&question())? {
        return Err(Failure::new("nothing was reverted"));
    }
    let call = Call::get(path(&["v1", "job", &stub.id])).query("namespace", &stub.namespace);
    let now: Job = session.client.read(call).await?;
    // The version that was looked at is enforced, so that a change in between is not undone unseen.
    let request = json!({ "JobID": stub.id, "JobVersion": args.version, "EnforcePriorVersion": now.version });
    let call = Call::put(path(&["v1", "job", &stub.id, "revert"]), &request).query("namespace", &stub.namespace);
    let answer = session.client.call(call).await.map_err(|error| {
        Failure::from(error).hint(format!("`sched job history {}` lists the versions that are kept", stub.id))
    })?;
    session.print_json(&answer.value)?;
    let evaluation = answer.value.get("EvalID").and_then(Value::as_str).unwrap_or_default();
    if args.detach || evaluation.is_empty() {
        if !session.json {
            show::line(format_args!("job {} goes back to version {}", stub.id, args.version));
        }
        return Ok(Exit::Done);
    }
    follow::evaluation(session, Subject { job: stub.id, namespace: stub.namespace }, evaluation).await
}
