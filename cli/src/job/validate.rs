//! `sched job validate`: reads the file and asks a server for its opinion, if one answers.

use clap::Args as ClapArgs;
use serde::Deserialize;
use serde_json::json;

use crate::api::decode;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::{Call, Error};
use crate::jobspec::{self, JobFile};
use crate::session::Session;
use crate::show;

/// Arguments of `job validate`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    #[command(flatten)]
    file: JobFile,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Validation {
    validation_errors: Vec<String>,
    error: String,
    warnings: String,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let jobspec = jobspec::read(&args.file, session)?;
    let answer = match session.client.call(Call::put("/v1/validate/job", &json!({ "Job": jobspec.job }))).await {
        Ok(answer) => answer.value,
        Err(Error::Unreachable { .. } | Error::NoLeader { .. }) => {
            show::line(format_args!("{} is valid as far as can be told without a server", args.file.file));
            return Ok(Exit::Done);
        }
        Err(error) => return Err(error.into()),
    };
    let validation: Validation = decode(&answer)?;
    let faults = !validation.validation_errors.is_empty() || !validation.error.is_empty();
    if session.print_json(&answer)? {
        return Ok(if faults { Exit::Failed } else { Exit::Done });
    }
    let warnings = jobspec.new_warnings(&validation.warnings);
    if !warnings.is_empty() {
        show::warning(&warnings);
    }
    if !faults {
        show::line(format_args!("{} is valid", args.file.file));
        return Ok(Exit::Done);
    }
    let errors =
        if validation.validation_errors.is_empty() { vec![validation.error] } else { validation.validation_errors };
    Err(Failure::new(format!("the job is not valid\n{}", errors.join("\n"))).at(&args.file.file))
}
