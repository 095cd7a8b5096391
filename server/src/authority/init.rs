//! `sched server init`: makes a cluster's authority, the folders that its first servers start from, and the first join
//! tokens.
//!
//! In the folder, for three servers:
//!
//! ```text
//! server-1/  cert.pem key.pem   the server's identity
//!            ca.pem ca.key      the authority, with its key: this server can admit members
//!            server.json        cluster, id and name of this server, and all first servers with their addresses
//!            tokens.json        the join tokens, hashed; the first leader takes them into the replicated state
//! server-2/  server-3/          likewise
//! ca.key ca.pem                 a copy of the authority, to be kept in a safe place; ca.pem is written last
//! ```
//!
//! Each `server-<n>` is (the beginning of) a data folder, to be carried to its host over a safe channel.

use std::fs;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use model::{ClusterId, ServerId, Timestamp};
use proto::Secret;
use proto::identity::{IdentityError, Role, write_private};
use seams::Random;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::token::{JOIN_TOKEN_TTL_DEFAULT, JoinRole, mint};
use super::{Authority, AuthorityError};

/// More voters make every write slower and the cluster no safer.
pub const SERVERS_MAX: usize = 7;
/// Which server a data folder is of: a [`ServerDocument`].
pub const SERVER_FILE: &str = "server.json";
/// The first join tokens: a list of [`super::JoinToken`].
pub const TOKENS_FILE: &str = "tokens.json";
/// Where servers listen for servers and agents, where nothing else is said.
pub const RPC_PORT_DEFAULT: u16 = 4647;

/// A server to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewServer {
    /// What people call it.
    pub name: String,
    /// `host:port` where servers and agents reach it.
    pub address: String,
}

/// One of the first servers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerDescription {
    /// Its number.
    pub id: ServerId,
    /// What people call it.
    pub name: String,
    /// `host:port` where servers and agents reach it.
    pub address: String,
}

/// Which server a data folder is of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerDocument {
    /// The cluster.
    pub cluster: ClusterId,
    /// The server's number.
    pub id: ServerId,
    /// What people call it.
    pub name: String,
    /// The first voters, this one among them; empty for a server that joined later.
    pub servers: Vec<ServerDescription>,
    /// Whether the cluster goes on from a backup: then the first server never begins an empty one.
    #[serde(default)]
    pub restored: bool,
}

/// What `init` made.
pub struct Initialized {
    /// The new cluster.
    pub cluster: ClusterId,
    /// The servers, each with the folder to start it from.
    pub servers: Vec<(PathBuf, ServerDescription)>,
    /// Text of a token with which agents can join.
    pub agent_token: Secret<String>,
    /// Text of a token with which further servers can join.
    pub server_token: Secret<String>,
    /// When both tokens expire.
    pub tokens_expire_at: Timestamp,
}

/// Why there is no new cluster.
#[derive(Debug, Error)]
pub enum InitError {
    /// Too few or too many servers.
    #[error("a cluster starts with 1 to {SERVERS_MAX} servers, got {0}")]
    Count(usize),
    /// An address is none.
    #[error("`{0}` is not an address; give host, host:port or name=host:port for each server")]
    Address(String),
    /// Two servers share a name or an address.
    #[error("`{0}` is given twice")]
    Twice(String),
    /// There is something already, which must not be overwritten.
    #[error("{} is not empty; a cluster's authority is never overwritten, choose another folder", .0.display())]
    NotEmpty(PathBuf),
    /// The folder can't be used.
    #[error("{}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Certificates can't be made or written.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

impl From<IdentityError> for InitError {
    fn from(error: IdentityError) -> Self {
        Self::Authority(error.into())
    }
}

/// Reads the servers from `a,b:4747,name=c`: addresses, with or without port, with or without a name.
pub fn parse_servers(text: &str) -> Result<Vec<NewServer>, InitError> {
    let parse = |(position, part): (usize, &str)| {
        let part = part.trim();
        let (name, address) = match part.split_once('=') {
            Some((name, address)) => (name.to_string(), address),
            None => (format!("server-{}", position + 1), part),
        };
        let address = with_port(address).ok_or_else(|| InitError::Address(part.to_string()))?;
        if name.is_empty() { Err(InitError::Address(part.to_string())) } else { Ok(NewServer { name, address }) }
    };
    text.split(',').enumerate().map(parse).collect()
}

fn with_port(address: &str) -> Option<String> {
    if address.parse::<SocketAddr>().is_ok() {
        return Some(address.to_string());
    }
    if address.parse::<Ipv6Addr>().is_ok() {
        return Some(format!("[{address}]:{RPC_PORT_DEFAULT}"));
    }
    let (host, port) = match address.split_once(':') {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (address, RPC_PORT_DEFAULT),
    };
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let host_is_legal = !host.is_empty() && host.bytes().all(legal);
    (host_is_legal && port != 0).then(|| format!("{host}:{port}"))
}

/// Makes a cluster in the empty or missing `folder`. Blocks.
pub fn init(
    folder: &Path,
    servers: &[NewServer],
    random: &impl Random,
    now: Timestamp,
) -> Result<Initialized, InitError> {
    check_new(folder, servers)?;
    let cluster = ClusterId::from_hash(random.next_id());
    let authority = Authority::create(cluster, now)?;
    let described: Vec<_> = (1..)
        .zip(servers)
        .map(|(id, server)| ServerDescription { id, name: server.name.clone(), address: server.address.clone() })
        .collect();
    lay_out(folder, &authority, &described, false, random, now)
}

/// Whether a cluster of `servers` can be made in `folder`. Blocks.
pub(crate) fn check_new(folder: &Path, servers: &[NewServer]) -> Result<(), InitError> {
    check_servers(servers)?;
    check_folder(folder)
}

/// Writes the folders of a cluster's first servers, and new join tokens.
pub(crate) fn lay_out(
    folder: &Path,
    authority: &Authority,
    described: &[ServerDescription],
    restored: bool,
    random: &impl Random,
    now: Timestamp,
) -> Result<Initialized, InitError> {
    let cluster = authority.cluster();
    let mint = |role| mint(authority.hash(), random, now, role, JOIN_TOKEN_TTL_DEFAULT);
    let (agent_token, agent) = mint(JoinRole::Agent);
    let (server_token, server) = mint(JoinRole::Server);
    let tokens_expire_at = agent.expires_at;
    let tokens = [agent, server];
    let mut made = Vec::new();
    for (place, server) in (1..).zip(described) {
        let home = folder.join(format!("server-{place}"));
        authority.save(&home)?;
        authority.issue(Role::Server(server.id), now)?.save(&home)?;
        let servers = described.to_vec();
        let document = ServerDocument { cluster, id: server.id, name: server.name.clone(), servers, restored };
        write_json(&home.join(TOKENS_FILE), &tokens)?;
        write_json(&home.join(SERVER_FILE), &document)?;
        made.push((home, server.clone()));
    }
    authority.save(folder)?;
    Ok(Initialized { cluster, servers: made, agent_token, server_token, tokens_expire_at })
}

fn check_servers(servers: &[NewServer]) -> Result<(), InitError> {
    if servers.is_empty() || servers.len() > SERVERS_MAX {
        return Err(InitError::Count(servers.len()));
    }
    for (position, server) in servers.iter().enumerate() {
        for earlier in &servers[..position] {
            if earlier.name == server.name {
                return Err(InitError::Twice(server.name.clone()));
            }
            if earlier.address == server.address {
                return Err(InitError::Twice(server.address.clone()));
            }
        }
    }
    Ok(())
}

fn check_folder(folder: &Path) -> Result<(), InitError> {
    let failed = |source| InitError::Folder { path: folder.to_path_buf(), source };
    fs::create_dir_all(folder).map_err(failed)?;
    match fs::read_dir(folder).map_err(failed)?.next() {
        None => Ok(()),
        Some(_) => Err(InitError::NotEmpty(folder.to_path_buf())),
    }
}

fn write_json(path: &Path, value: &(impl Serialize + ?Sized)) -> Result<(), InitError> {
    let text = serde_json::to_string_pretty(value).expect("strings, numbers and lists are JSON");
    Ok(write_private(path, text.as_bytes())?)
}

#[cfg(test)]
mod tests;
