//! `sched volume delete`.

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::find;
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `volume delete`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The volume's name or id, or the beginning of the id
    volume: String,
    /// Forget it also where its node can't be reached; what is in it stays there then
    #[arg(long)]
    force: bool,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let volume = find::volume(session, &args.volume).await?;
    let name = text::escape(&volume.name).to_string();
    let what = if volume.plugin_id.is_empty() { "" } else { " with all that is in it" };
    let question = format!("Delete volume {name} ({}){what}?", session.id(&volume.id));
    if !args.yes && !session.confirm(&question)? {
        return Ok(Exit::Done);
    }
    let call = Call::delete(path(&["v1", "volume", "host", &volume.id])).query("force", args.force);
    let answer = session.client.call(call).await?.value;
    if !session.print_json(&answer)? {
        show::line(format_args!("volume {name} ({}) is deleted", session.id(&volume.id)));
    }
    Ok(Exit::Done)
}
