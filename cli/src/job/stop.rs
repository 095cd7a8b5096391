//! `sched job stop`: stops a job and follows it until its instances are gone.

use clap::Args as ClapArgs;
use serde_json::Value;

use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::find;
use crate::follow::{self, Subject};
use crate::http::{Call, path};
use crate::session::Session;
use crate::show;

/// Arguments of `job stop`.
#[derive(ClapArgs, Debug)]
#[command(after_help = exit::HELP_FOLLOW)]
pub struct Args {
    /// The job's name or its beginning
    job: String,
    /// Forget the job, with its versions, once it is stopped
    #[arg(long)]
    purge: bool,
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
    if stub.id != args.job && !args.yes && !session.confirm(&format!("Stop job `{}`?", stub.id))? {
        return Err(Failure::new("nothing was stopped"));
    }
    let mut call = Call::delete(path(&["v1", "job", &stub.id])).query("namespace", &stub.namespace);
    if args.purge {
        call = call.query("purge", true);
    }
    let answer = session.client.call(call).await?.value;
    session.print_json(&answer)?;
    let evaluation = answer.get("EvalID").and_then(Value::as_str).unwrap_or_default();
    if args.detach || evaluation.is_empty() {
        if !session.json {
            show::line(format_args!("job {} stops", stub.id));
        }
        return Ok(Exit::Done);
    }
    follow::stop(session, Subject { job: stub.id, namespace: stub.namespace }, evaluation).await
}
