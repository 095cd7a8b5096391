//! `sched server init`: makes the CA and certificates of a new cluster in a folder, and says how to go on.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use proto::identity::write_private;
use seams::{Clock, SystemClock, SystemRandom};
use serde_json::json;
use server::authority::{Initialized, init, parse_servers};

use crate::agent::{AGENT_TOKEN_FILE, NAME_FILE};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{self, text};

/// The text of a token with which further servers join.
const SERVER_TOKEN_FILE: &str = "server.token";

/// Arguments of `server init`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The cluster's name
    #[arg(long, default_value = "sched", value_name = "NAME")]
    name: String,
    /// The folder to write to; it must not hold a cluster already
    #[arg(long, value_name = "FOLDER")]
    dir: PathBuf,
    /// The first servers: host, host:port or name=host:port, comma separated
    #[arg(long, required = true, value_name = "ADDRESSES")]
    servers: String,
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    if args.name.is_empty() || !args.name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-') {
        return Err(
            Failure::new(format!("`{}` is not a cluster's name", args.name)).hint("use letters, digits and dashes")
        );
    }
    let at = |failure: Failure| failure.at(args.dir.display().to_string());
    let servers = parse_servers(&args.servers).map_err(|error| Failure::new(error.to_string()).at("--servers"))?;
    let made = init(&args.dir, &servers, &SystemRandom, SystemClock.now())
        .map_err(|error| at(Failure::new(error.to_string())))?;
    let write = |name: &str, text: &str| {
        write_private(&args.dir.join(name), text.as_bytes()).map_err(|error| at(Failure::new(error.to_string())))
    };
    write(NAME_FILE, &args.name)?;
    write(AGENT_TOKEN_FILE, made.agent_token.expose())?;
    write(SERVER_TOKEN_FILE, made.server_token.expose())?;
    if session.json {
        let folders: Vec<_> = made.servers.iter().map(|(folder, _)| folder.display().to_string()).collect();
        show::json(
            &json!({ "Cluster": made.cluster.to_string(), "Name": args.name, "Folder": args.dir, "Servers": folders }),
        )?;
        return Ok(Exit::Done);
    }
    say_what_next(args, &made);
    Ok(Exit::Done)
}

fn say_what_next(args: &Args, made: &Initialized) {
    let folder = text::escape(&args.dir.display().to_string());
    show::line(format_args!("cluster {} ({}) is ready in {folder}", text::escape(&args.name), made.cluster));
    show::hint("give each server its folder, which holds keys; start it from a configuration with");
    for (folder, server) in &made.servers {
        let (host, port) = server.address.rsplit_once(':').unwrap_or((&server.address, "4647"));
        show::note(format_args!(
            "  # {} from {}",
            text::escape(&server.name),
            text::escape(&folder.display().to_string())
        ));
        show::note(format_args!(
            "  bind = \"{host}\"   ports {{ rpc = {port} }}   server {{ enabled = true  cluster_dir = \"{}\" }}",
            text::escape(&args.dir.display().to_string())
        ));
    }
    let addresses: Vec<_> = made.servers.iter().map(|(_, server)| server.address.as_str()).collect();
    show::hint("within the next hour agents and further servers join with");
    let join = addresses.join(",");
    show::note(format_args!(
        "  sched agent -client -data-dir FOLDER -join {join} -join-token $(cat {folder}/{AGENT_TOKEN_FILE})"
    ));
    show::note(format_args!(
        "  sched agent -server -data-dir FOLDER -join {join} -join-token $(cat {folder}/{SERVER_TOKEN_FILE})"
    ));
}
