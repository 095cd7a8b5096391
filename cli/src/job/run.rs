//! `sched job run`: reads the file, prints diagnostics, sends the job, follows its evaluation and deployment live.

use clap::Args as ClapArgs;
use serde_json::{Value, json};

use crate::exit::{self, Exit};
use crate::failure::Failure;
use crate::follow::{self, Subject};
use crate::http::{Call, Error};
use crate::jobspec::{self, JobFile};
use crate::session::Session;
use crate::show;

/// Arguments of `job run`.
#[derive(ClapArgs, Debug)]
#[command(after_help = exit::HELP_FOLLOW)]
pub struct Args {
    #[command(flatten)]
    file: JobFile,
    /// Return once the job is accepted, without following it
    #[arg(long)]
    detach: bool,
    /// Send the job only if its modify index is this (0: only if it does not exist)
    #[arg(long, value_name = "INDEX")]
    check_index: Option<u64>,
    /// Print the job as the API carries it, and send nothing
    #[arg(long)]
    output: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let jobspec = jobspec::read(&args.file, session)?;
    let mut request = json!({ "Job": jobspec.job });
    if let Some(index) = args.check_index {
        request["EnforceIndex"] = true.into();
        request["JobModifyIndex"] = index.into();
    }
    if args.output {
        show::json(&request)?;
        return Ok(Exit::Done);
    }
    request["Submission"] = jobspec.submission();
    let call = jobspec.within(Call::put("/v1/jobs", &request));
    let answer = session.client.call(call).await.map_err(|error| refused(error, args, jobspec.id()))?.value;
    let field = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let warnings = jobspec.new_warnings(field("Warnings"));
    if !warnings.is_empty() {
        show::warning(&warnings);
    }
    session.print_json(&answer)?;
    let evaluation = field("EvalID");
    if args.detach || evaluation.is_empty() {
        if !session.json {
            show::line(format_args!("job {} accepted, evaluation {}", jobspec.id(), or_none(session.id(evaluation))));
        }
        return Ok(Exit::Done);
    }
    let subject = Subject { job: jobspec.id().to_owned(), namespace: jobspec.namespace().to_owned() };
    follow::evaluation(session, subject, evaluation).await
}

fn or_none(id: &str) -> &str {
    if id.is_empty() { "none" } else { id }
}

fn refused(error: Error, args: &Args, job: &str) -> Failure {
    let conflict = matches!(&error, Error::Refused { body, .. } if body.contains("job modify index"));
    let failure = Failure::from(error);
    match conflict {
        true => failure.hint(format!(
            "somebody changed the job since: look at `sched job plan {}` again, or at `sched job history {job}`",
            args.file.file
        )),
        false => failure,
    }
}
