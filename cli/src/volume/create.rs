//! `sched volume create`: has a node make a volume.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Arguments of `volume create`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The file that describes the volume
    file: PathBuf,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    super::put(&args.file, "/v1/volume/host/create", "was made", session).await
}
