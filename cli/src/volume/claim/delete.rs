//! `sched volume claim delete`: lets an instance go elsewhere than to the volume that it had.

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `volume claim delete`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The claim's id, or the beginning of it
    claim: String,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let claim = find::volume_claim(session, &args.claim).await?;
    let answer = session.client.call(Call::delete(path(&["v1", "volumes", "claim", &claim.id]))).await?.value;
    if !session.print_json(&answer)? {
        let (job, volume) = (text::escape(&claim.job_id), text::escape(&claim.volume_name));
        show::line(format_args!("{job}[{}] need not come back to its volume {volume}", claim.index));
    }
    Ok(Exit::Done)
}
