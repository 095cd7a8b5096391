//! `sched job history`: the versions of a job, newest first, and with -p what each changed.

use clap::Args as ClapArgs;

use crate::api::{Versions, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, Pairs};

/// Arguments of `job history`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The job's name or its beginning
    job: String,
    /// Show what each version changed
    #[arg(short = 'p')]
    differences: bool,
    /// Show this version only
    #[arg(long, value_name = "NUMBER")]
    version: Option<u64>,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let stub = find::job(session, &args.job).await?;
    let mut call = Call::get(path(&["v1", "job", &stub.id, "versions"])).query("namespace", &stub.namespace);
    if args.differences {
        call = call.query("diffs", true);
    }
    let answer = session.client.call(call).await?.value;
    if session.print_json(&answer)? {
        return Ok(Exit::Done);
    }
    let history: Versions = decode(&answer)?;
    let mut shown = 0;
    // A difference leads from the version below to the one at its position.
    for (position, version) in history.versions.iter().enumerate() {
        if args.version.is_some_and(|wanted| wanted != version.version) {
            continue;
        }
        if shown > 0 {
            show::line("");
        }
        shown += 1;
        let mut pairs = Pairs::new();
        pairs.add("Version", version.version);
        pairs.add("Stable", version.stable);
        pairs.add("Submit Date", session.time(version.submit_time));
        pairs.print();
        if let Some(diff) = history.diffs.get(position).filter(|_| args.differences) {
            super::diff::print(diff, false);
        }
    }
    match (shown, args.version) {
        (0, Some(version)) => Err(no_such_version(&stub.id, version)),
        _ => Ok(Exit::Done),
    }
}

/// The failure of all commands that take a version.
pub fn no_such_version(job: &str, version: u64) -> Failure {
    Failure::new(format!("job `{job}` has no version {version}"))
        .hint(format!("`sched job history {job}` lists those that are kept"))
}
