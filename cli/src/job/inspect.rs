//! `sched job inspect`: prints a job as the servers hold it, in the API's JSON or as a jobspec.

use clap::Args as ClapArgs;
use serde_json::Value;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `job inspect`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The job's name or its beginning
    job: String,
    /// The version; the newest unless given
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
    /// Print it as a jobspec
    #[arg(long)]
    hcl: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let stub = find::job(session, &args.job).await?;
    let job = match args.version {
        None => {
            let call = Call::get(path(&["v1", "job", &stub.id])).query("namespace", &stub.namespace);
            session.client.call(call).await?.value
        }
        Some(version) => {
            let call = Call::get(path(&["v1", "job", &stub.id, "versions"])).query("namespace", &stub.namespace);
            let answer = session.client.call(call).await?.value;
            let versions = answer.get("Versions").and_then(Value::as_array).cloned().unwrap_or_default();
            let wanted = versions.into_iter().find(|job| job.get("Version").and_then(Value::as_u64) == Some(version));
            wanted.ok_or_else(|| super::history::no_such_version(&stub.id, version))?
        }
    };
    if args.hcl {
        let (job, _) = jobspecs::decode_json(job).map_err(|error| Failure::new(error.to_string()))?;
        show::line(text::escape_lines(&jobspecs::write_hcl(&job)));
        return Ok(Exit::Done);
    }
    show::json(&job)?;
    Ok(Exit::Done)
}
