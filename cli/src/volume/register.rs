//! `sched volume register`: takes a folder of a node up as a volume.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Arguments of `volume register`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The file that describes the volume, with `node_id` and `host_path`
    file: PathBuf,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    super::put(&args.file, "/v1/volume/host/register", "was registered", session).await
}
