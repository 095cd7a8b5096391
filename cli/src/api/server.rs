//! Servers of a cluster.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The members of the cluster.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Members {
    pub server_region: String,
    #[serde(rename = "ServerDC")]
    pub server_datacenter: String,
    pub members: Vec<Member>,
}

/// A server.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Member {
    pub name: String,
    pub addr: String,
    pub port: u32,
    pub status: String,
    pub tags: BTreeMap<String, String>,
}

impl Member {
    /// A tag, empty where it has none of that name.
    pub fn tag(&self, name: &str) -> &str {
        self.tags.get(name).map_or("", String::as_str)
    }
}

/// The servers as Raft knows them.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RaftServers {
    pub servers: Vec<RaftServer>,
}

/// A server as Raft knows it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct RaftServer {
    #[serde(rename = "ID")]
    pub id: String,
    pub node: String,
    pub address: String,
    pub leader: bool,
    pub voter: bool,
}
