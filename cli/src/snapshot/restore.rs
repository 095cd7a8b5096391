//! `sched snapshot restore`: a cluster goes on from a backup. With a folder, a new one with the same id and CA is made
//! there, as `sched server init` makes one; without, the cluster that runs is taken back.

use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use seams::{Clock, SystemClock, SystemRandom};
use serde_json::json;
use server::authority::parse_servers;
use server::backup;

use super::contents::{authority, open};
use crate::agent::chain;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::http::Call;
use crate::server::init::{check_name, say_what_next, write_for_people};
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `snapshot restore`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The backup
    file: PathBuf,
    /// Make a new cluster in this folder, which must not hold one already
    #[arg(long, value_name = "FOLDER", requires = "servers")]
    dir: Option<PathBuf>,
    /// The new cluster's servers: host, host:port or name=host:port, comma separated
    #[arg(long, value_name = "ADDRESSES", requires = "dir")]
    servers: Option<String>,
    /// The new cluster's name
    #[arg(long, default_value = "sched", value_name = "NAME")]
    name: String,
    /// A file with the passphrase of the CA's key in the backup
    #[arg(long, value_name = "FILE", requires = "dir")]
    passphrase_file: Option<PathBuf>,
    /// A folder with the CA's certificate and key, where the backup lacks the key
    #[arg(long, value_name = "FOLDER", requires = "dir")]
    ca_dir: Option<PathBuf>,
    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,
}

/// Runs it.
pub async fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    match (&args.dir, &args.servers) {
        (Some(dir), Some(servers)) => make_cluster(args, dir, servers, session),
        _ => take_back(args, session).await,
    }
}

fn make_cluster(args: &Args, dir: &Path, servers: &str, session: &Session) -> Result<Exit, Failure> {
    check_name(&args.name)?;
    let servers = parse_servers(servers).map_err(|error| Failure::new(error.to_string()).at("--servers"))?;
    let (backup, state) = open(&args.file)?;
    let authority = authority(&backup, args.passphrase_file.as_deref(), args.ca_dir.as_deref())?;
    let at = |failure: Failure| failure.at(dir.display().to_string());
    let restored = backup::restore(dir, &servers, &state, &authority, &SystemRandom, SystemClock.now())
        .map_err(|error| at(Failure::new(chain(&error))))?;
    write_for_people(dir, &args.name, &restored.made).map_err(at)?;
    if session.json {
        let folders: Vec<_> = restored.made.servers.iter().map(|(folder, _)| folder.display().to_string()).collect();
        show::json(&json!({
            "Cluster": restored.made.cluster.to_string(), "Folder": dir, "Servers": folders, "Epoch": restored.epoch,
            "Index": restored.index,
        }))?;
        return Ok(Exit::Done);
    }
    show::line(format_args!(
        "cluster {} is ready in {} to go on from index {}, in epoch {}",
        restored.made.cluster,
        text::escape(&dir.display().to_string()),
        backup.header.index,
        restored.epoch
    ));
    say_what_next(dir, &restored.made);
    show::hint(
        "agents of the old cluster come by themselves if the addresses are the same, else give them `client.servers`",
    );
    show::hint("what runs goes on; what was begun after the backup is stopped, for the cluster does not know it");
    show::warning("the servers of the old cluster must never be started again");
    Ok(Exit::Done)
}

async fn take_back(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let (backup, _) = open(&args.file)?;
    let question = format!(
        "Take the running cluster back to index {} of {}? What was changed since is gone.",
        backup.header.index,
        show::time::date(backup.header.taken_at.nanoseconds())
    );
    if !args.yes && !session.confirm(&question)? {
        return Err(
            Failure::new("nothing was changed").hint("to make a new cluster of the backup, say -dir and -servers")
        );
    }
    let bytes = std::fs::read(&args.file).map_err(|error| Failure::new(error.to_string()))?;
    let answer = session.client.call(Call::put_bytes("/v1/operator/snapshot", bytes)).await?.value;
    if !session.print_json(&answer)? {
        show::line(format_args!(
            "the cluster is as it was at index {}, and goes on at {}",
            backup.header.index, answer["Index"]
        ));
    }
    Ok(Exit::Done)
}
