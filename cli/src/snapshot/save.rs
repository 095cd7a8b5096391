//! `sched snapshot save`: takes a backup of the cluster into a file, and checks what it has written.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use http_body_util::BodyExt;
use seams::SystemRandom;
use server::authority::SealKey;

use super::contents::{json_of, open, passphrase, print};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::session::Session;
use crate::show;

/// Arguments of `snapshot save`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// Where to write the backup; it must not exist
    file: PathBuf,
    /// A file with a passphrase, under which the backup carries the CA's key
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// What the answering server has, even if there is no leader
    #[arg(long)]
    stale: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let at = |failure: Failure| failure.at(args.file.display().to_string());
    if args.file.exists() {
        return Err(at(Failure::new("the file exists; a backup is never overwritten").hint("choose another name")));
    }
    let mut call = Call::get("/v1/operator/snapshot");
    if args.stale {
        call = call.query("stale", true);
    }
    if let Some(file) = &args.passphrase_file {
        let key = SealKey::derive(&passphrase(file)?, &SystemRandom)
            .map_err(|error| Failure::new(error.to_string()).at(file.display().to_string()))?;
        call = call.secret("x-sched-seal-key", key.to_text());
    }
    let mut unfinished = args.file.clone().into_os_string();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    let written = write(call, session, &unfinished).await;
    // It counts only under its own name, and only once it has been read back.
    let checked = written.and_then(|()| open(&unfinished));
    let (backup, state) = checked.inspect_err(|_| drop(std::fs::remove_file(&unfinished)))?;
    std::fs::rename(&unfinished, &args.file).map_err(|error| at(Failure::new(error.to_string())))?;
    if session.print_json(&json_of(&backup, &state))? {
        return Ok(Exit::Done);
    }
    print(&args.file, &backup, &state);
    if backup.sealed.is_none() {
        show::hint(
            "to restore it in a new cluster, the CA's key is needed, too: keep ca.key and ca.pem, or say -passphrase-file",
        );
    }
    Ok(Exit::Done)
}

async fn write(call: Call, session: &Session, path: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(error.to_string()).at(path.display().to_string());
    let mut body = session.client.stream(call).await?;
    let mut file = private(path).map_err(failed)?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Failure::new(format!("the backup broke off: {error}")))?;
        if let Some(bytes) = frame.data_ref() {
            file.write_all(bytes).map_err(failed)?;
        }
    }
    file.sync_all().map_err(failed)
}

/// A new file that only its owner reads: the state tells much about a cluster.
fn private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}
