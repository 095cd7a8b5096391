//! `sched server init`: makes the CA and certificates of a new cluster in a folder, and says how to go on.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use proto::identity::write_private;
use seams::{Clock, SystemClock, SystemRandom};
use serde_json::json;
use server::authority::{Initialized, ServerDescription, init, parse_servers};

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
    check_name(&args.name)?;
    let at = |failure: Failure| failure.at(args.dir.display().to_string());
    let servers = parse_servers(&args.servers).map_err(|error| Failure::new(error.to_string()).at("--servers"))?;
    let made = init(&args.dir, &servers, &SystemRandom, SystemClock.now())
        .map_err(|error| at(Failure::new(error.to_string())))?;
    write_for_people(&args.dir, &args.name, &made).map_err(at)?;
    if session.json {
        let folders: Vec<_> = made.servers.iter().map(|(folder, _)| folder.display().to_string()).collect();
        show::json(
            &json!({ "Cluster": made.cluster.to_string(), "Name": args.name, "Folder": args.dir, "Servers": folders }),
        )?;
        return Ok(Exit::Done);
    }
    show::line(format_args!(
        "cluster {} ({}) is ready in {}",
        text::escape(&args.name),
        made.cluster,
        text::escape(&args.dir.display().to_string())
    ));
    say_what_next(&args.dir, &made);
    Ok(Exit::Done)
}

/// Refuses what is no name of a cluster.
pub fn check_name(name: &str) -> Result<(), Failure> {
    if name.is_empty() || !name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-') {
        return Err(Failure::new(format!("`{name}` is not a cluster's name")).hint("use letters, digits and dashes"));
    }
    Ok(())
}

/// Writes the cluster's name and the texts of its first join tokens into its folder.
pub fn write_for_people(folder: &Path, name: &str, made: &Initialized) -> Result<(), Failure> {
    let texts = [
        (NAME_FILE, name),
        (AGENT_TOKEN_FILE, made.agent_token.expose().as_str()),
        (SERVER_TOKEN_FILE, made.server_token.expose().as_str()),
    ];
    for (file, text) in texts {
        write_private(&folder.join(file), text.as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
    }
    Ok(())
}

/// The configuration of a server, whose state has a folder of its own also where several servers share a host.
fn configuration(server: &ServerDescription, cluster_dir: &Path) -> String {
    let (host, port) = server.address.rsplit_once(':').unwrap_or((&server.address, "4647"));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let data_dir = quoted(&format!("/var/lib/sched/{}", server.name));
    let cluster_dir = quoted(&cluster_dir.display().to_string());
    let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    // HTTP has no TLS and no tokens, so it is not offered beyond the host.
    let http = if is_loopback { "" } else { "addresses {\n  http = \"127.0.0.1\"\n}\n" };
    format!(
        "data_dir = {data_dir}\nbind     = {}\n{http}ports {{\n  rpc = {port}\n}}\nserver {{\n  enabled     = true\n  \
         cluster_dir = {cluster_dir}\n}}",
        quoted(host)
    )
}

/// The text as a string of HCL.
fn quoted(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{}\"", text.replace("${", "$${").replace("%{", "%%{"))
}

/// Says how servers are started from their folders, and how others join them.
pub fn say_what_next(dir: &Path, made: &Initialized) {
    let folder = text::escape(&dir.display().to_string());
    show::hint("give each server its folder, which holds keys; start it from a configuration with");
    // A configuration outlives the folder in which it was written.
    let cluster_dir = std::path::absolute(dir).unwrap_or_else(|_| dir.to_path_buf());
    for (own_folder, server) in &made.servers {
        show::note(format_args!("\n# {} (from {})", server.name, text::escape(&own_folder.display().to_string())));
        show::note(text::escape_lines(&configuration(server, &cluster_dir)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn the_configuration_that_is_printed_is_one_that_a_server_takes() {
        for (address, bind, http) in [
            ("127.0.0.2:5647", "127.0.0.2", None),
            ("10.0.0.1:5647", "10.0.0.1", Some("127.0.0.1")),
            ("[fd00::1]:5647", "fd00::1", Some("127.0.0.1")),
        ] {
            let server = ServerDescription { id: 1, name: "s1".into(), address: address.into() };
            let text = configuration(&server, Path::new("/etc/a \"${b}\""));
            let file = std::env::temp_dir().join(format!("sched-init-{}-{bind}.hcl", std::process::id()));
            std::fs::write(&file, &text).unwrap();
            let read = config::read(std::slice::from_ref(&file));
            std::fs::remove_file(&file).unwrap();
            let read = read.unwrap_or_else(|failure| panic!("{failure}\n{text}"));
            read.check().unwrap();
            assert_eq!((read.bind.as_str(), read.addresses.http.as_deref(), read.ports.rpc), (bind, http, 5647));
            assert_eq!(read.data_dir.as_deref(), Some(Path::new("/var/lib/sched/s1")));
            assert_eq!(read.server.cluster_dir.as_deref(), Some(Path::new("/etc/a \"${b}\"")));
            assert!(read.server.enabled);
        }
    }
}
