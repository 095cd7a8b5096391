//! The folder that `sched server init` makes: the cluster's name, its authority, the first servers, join tokens.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use server::authority::{AUTHORITY_KEY_FILE, NewServer, SERVER_FILE, ServerDocument, init};

use super::World;
use crate::config::Config;
use crate::failure::Failure;

/// The cluster's name among people.
pub const NAME_FILE: &str = "name";
/// The text of a token with which agents join.
pub const AGENT_TOKEN_FILE: &str = "agent.token";
/// Where `-dev` keeps its cluster, below the data folder.
const DEV_FOLDER: &str = "cluster";

/// The folder that this configuration names, or that of `-dev`.
pub fn of(config: &Config, folder: &Path) -> Option<PathBuf> {
    if config.dev {
        return Some(folder.join(DEV_FOLDER));
    }
    config.server.cluster_dir.clone().or_else(|| config.client.cluster_dir.clone())
}

/// The cluster's name among people; empty if nobody gave one.
pub fn name(config: &Config, folder: &Path) -> String {
    let file = of(config, folder).map(|folder| folder.join(NAME_FILE));
    file.and_then(|file| std::fs::read_to_string(file).ok()).map(|name| name.trim().to_owned()).unwrap_or_default()
}

/// The folder of the server that is reached at `address`, among those that `init` made, with what it says.
pub fn server_at(cluster: &Path, address: &str) -> Result<(PathBuf, ServerDocument), Failure> {
    let mut known = Vec::new();
    for number in 1.. {
        let home = cluster.join(format!("server-{number}"));
        let Ok(text) = std::fs::read_to_string(home.join(SERVER_FILE)) else { break };
        let document: ServerDocument = serde_json::from_str(&text)
            .map_err(|error| Failure::new(format!("not a server's file: {error}")).at(home.display().to_string()))?;
        let own = document.servers.iter().find(|server| server.id == document.id).map(|server| server.address.clone());
        if own.as_deref() == Some(address) {
            return Ok((home, document));
        }
        known.extend(own);
    }
    Err(Failure::new(format!("no server of this cluster is reached at {address}"))
        .at(cluster.display().to_string())
        .hint(format!("its servers are at {}; `bind` and `ports.rpc` must give one of these", known.join(", "))))
}

/// Makes the cluster of `-dev`, if there is none yet: one server, on loopback.
pub fn prepare_dev(config: &Config, folder: &Path, world: &World) -> Result<(), Failure> {
    let cluster = folder.join(DEV_FOLDER);
    if cluster.join(AUTHORITY_KEY_FILE).exists() {
        return Ok(());
    }
    let server = NewServer { name: config.name.clone(), address: super::server::rpc_address(config)?.to_string() };
    init(&cluster, &[server], &*world.random, seams::Clock::now(&*world.clock))
        .map_err(|error| Failure::new(format!("cannot make the cluster: {error}")).at(cluster.display().to_string()))?;
    std::fs::write(cluster.join(NAME_FILE), "dev\n")
        .map_err(|error| Failure::new(error.to_string()).at(cluster.display().to_string()))
}

/// `address`, which may lack a port, as a socket's address.
pub fn socket_address(address: &str, port: u16) -> Result<SocketAddr, Failure> {
    let ip =
        address.parse::<std::net::IpAddr>().map_err(|_| Failure::new(format!("`{address}` is not an IP address")))?;
    Ok(SocketAddr::new(ip, port))
}
