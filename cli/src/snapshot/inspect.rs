//! `sched snapshot inspect`: what a backup is of and what it holds. Speaks to no server.

use std::path::PathBuf;

use clap::Args as ClapArgs;

use super::contents::{json_of, open, print};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;

/// Arguments of `snapshot inspect`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The backup
    file: PathBuf,
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let (backup, state) = open(&args.file)?;
    if !session.print_json(&json_of(&backup, &state))? {
        print(&args.file, &backup, &state);
    }
    Ok(Exit::Done)
}
