//! `sched snapshot verify`: checks every byte of a backup and that its state decodes, and with a passphrase, that its key
//! opens. Speaks to no server.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::json;

use super::contents::{authority, open};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `snapshot verify`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The backup
    file: PathBuf,
    /// A file with the passphrase of the CA's key, to see that it opens
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let (backup, _) = open(&args.file)?;
    let opened = args.passphrase_file.is_some();
    if opened {
        authority(&backup, args.passphrase_file.as_deref(), None)?;
    }
    if session.print_json(&json!({ "Whole": true, "Index": backup.header.index, "KeyOpened": opened }))? {
        return Ok(Exit::Done);
    }
    let file = text::escape(&args.file.display().to_string());
    show::line(format_args!("{file} is whole: the cluster at index {}", backup.header.index));
    match (opened, backup.sealed.is_some()) {
        (true, _) => show::line("the passphrase opens the CA's key; nothing else is needed to restore it"),
        (false, true) => show::hint("give -passphrase-file to see that the CA's key in it can be opened"),
        (false, false) => {
            show::hint("it does not carry the CA's key: to restore it, ca.pem and ca.key are needed, too")
        }
    }
    Ok(Exit::Done)
}
