//! `sched server init`: makes the CA and certificates of a new cluster in a folder, and says how to go on.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use serde_json::json;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::show::{self, text};

/// Arguments of `server init`.
#[derive(ClapArgs, Debug)]
pub struct Args {
    /// The cluster's name
    #[arg(long, default_value = "sched", value_name = "NAME")]
    name: String,
    /// The folder to write to; it must not hold a cluster already
    #[arg(long, value_name = "FOLDER")]
    dir: PathBuf,
    /// IP addresses of the first servers, comma separated
    #[arg(long, required = true, value_delimiter = ',', value_name = "ADDRESSES")]
    servers: Vec<IpAddr>,
}

/// What to make.
#[derive(Debug)]
pub struct Plan {
    /// The cluster's name.
    pub name: String,
    /// The folder, which exists and holds no cluster.
    pub dir: PathBuf,
    /// The first servers, each of which gets a certificate, without duplicates.
    pub servers: Vec<IpAddr>,
}

/// What was made.
#[derive(Debug)]
pub struct Made {
    /// The files, relative to the folder.
    pub files: Vec<String>,
}

/// Runs it.
pub fn run(args: &Args, session: &Session) -> Result<Exit, Failure> {
    let plan = plan(args)?;
    let made = make(&plan)?;
    if session.json {
        show::json(&json!({ "Cluster": plan.name, "Folder": plan.dir, "Files": made.files }))?;
        return Ok(Exit::Done);
    }
    let folder = text::escape(&plan.dir.display().to_string());
    show::line(format_args!("cluster {} is ready in {folder}: {}", text::escape(&plan.name), made.files.join(", ")));
    let initial: Vec<String> = plan.servers.iter().map(|server| format!("\"{server}\"")).collect();
    show::hint("copy the folder to each server, keep ca.key secret, and start each with this configuration:");
    show::note(format_args!(
        "  server {{\n    enabled     = true\n    cluster_dir = \"{folder}\"\n    initial     = [{}]\n  }}",
        initial.join(", ")
    ));
    Ok(Exit::Done)
}

fn plan(args: &Args) -> Result<Plan, Failure> {
    if args.name.is_empty() || !args.name.chars().all(|one| one.is_ascii_alphanumeric() || one == '-') {
        return Err(
            Failure::new(format!("`{}` is not a cluster's name", args.name)).hint("use letters, digits and dashes")
        );
    }
    if args.dir.join("ca.pem").exists() {
        return Err(Failure::new("the folder holds a cluster already")
            .at(args.dir.display().to_string())
            .hint("choose another folder, or move this one away: its servers can't be reached without it"));
    }
    std::fs::create_dir_all(&args.dir)
        .map_err(|error| Failure::new(format!("cannot make the folder: {error}")).at(args.dir.display().to_string()))?;
    let mut servers = Vec::new();
    for server in &args.servers {
        if !servers.contains(server) {
            servers.push(*server);
        }
    }
    Ok(Plan { name: args.name.clone(), dir: args.dir.clone(), servers })
}

/// Makes the CA, a certificate for each server and one that agents join with.
fn make(plan: &Plan) -> Result<Made, Failure> {
    Err(Failure::new("this build cannot make certificates").at(plan.dir.display().to_string()))
}
