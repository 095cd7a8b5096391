//! `sched deployment status`.

use clap::Args as ClapArgs;

use crate::api::{Deployment, decode};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::follow::{self, Subject};
use crate::http::{Call, path};
use crate::session::Session;

/// Arguments of `deployment status`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The deployment's id or its beginning, or a job's name for its newest; all deployments unless given
    deployment: Option<String>,
    /// Follow it until it ends; exit code 1 if it fails
    #[arg(long)]
    monitor: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let Some(given) = &args.deployment else {
        return super::list::run(&super::list::Args {}, session).await;
    };
    let stub = find::deployment(session, given).await?;
    let call = Call::get(path(&["v1", "deployment", &stub.id])).query("namespace", &stub.namespace);
    let answer = session.client.call(call).await?.value;
    if !session.print_json(&answer)? {
        let deployment: Deployment = decode(&answer)?;
        super::print_pairs(&deployment, session, true);
        super::print_groups(&deployment, session);
    }
    if !args.monitor {
        return Ok(Exit::Done);
    }
    follow::deployment(session, Subject { job: stub.job_id, namespace: stub.namespace }, &stub.id).await
}
