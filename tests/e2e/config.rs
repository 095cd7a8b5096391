//! The configuration files of a test cluster. Each agent tells of a small part of the machine, so that tests can fill
//! it; agent `n1` is in rack a1 and the others are not.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

/// The HTTP port of every process.
pub const HTTP_PORT: u16 = 5646;
/// The RPC port of every process.
pub const RPC_PORT: u16 = 5647;
/// The DNS port of every process.
pub const DNS_PORT: u16 = 5653;
/// CPU of each agent, in MHz.
pub const AGENT_CPU_MHZ: u32 = 600;
/// Memory of each agent, in MiB.
pub const AGENT_MEMORY_MB: u32 = 1024;

/// `s2` of network 7 is 127.0.7.2, `n2` is 127.0.7.12.
#[track_caller]
pub fn address(net: u8, name: &str) -> Ipv4Addr {
    let (kind, number) = name.split_at(1);
    let number: u8 = number.parse().expect("names are s1 to s3 and n1 to n3");
    Ipv4Addr::new(127, 0, net, if kind == "s" { number } else { 10 + number })
}

/// Where a server answers HTTP.
pub fn http(net: u8, server: &str) -> SocketAddr {
    (address(net, server), HTTP_PORT).into()
}

/// Where a server takes requests of other servers and of agents.
pub fn rpc(net: u8, server: &str) -> SocketAddr {
    (address(net, server), RPC_PORT).into()
}

/// The text of the file of one process.
pub fn file(net: u8, name: &str, folder: &Path) -> String {
    let folder = folder.display();
    let role = if name.starts_with('s') { server(&folder) } else { agent(net, name, &folder) };
    format!(
        r#"name      = "{name}"
data_dir  = "{folder}/{name}"
bind      = "{}"
log_level = "info"

ports {{
  http = {HTTP_PORT}
  rpc  = {RPC_PORT}
  dns  = {DNS_PORT}
}}
{role}"#,
        address(net, name)
    )
}

fn server(folder: &impl std::fmt::Display) -> String {
    format!(
        r#"
server {{
  enabled     = true
  cluster_dir = "{folder}/cluster"
}}
"#
    )
}

fn agent(net: u8, name: &str, folder: &impl std::fmt::Display) -> String {
    let servers = ["s1", "s2", "s3"].map(|server| format!("\"{}\"", rpc(net, server))).join(", ");
    let rack = if name == "n1" { "a1" } else { "b2" };
    format!(
        r#"
client {{
  enabled           = true
  cluster_dir       = "{folder}/cluster"
  servers           = [{servers}]
  cpu_total_compute = {AGENT_CPU_MHZ}
  memory_total_mb   = {AGENT_MEMORY_MB}

  meta {{
    rack = "{rack}"
  }}

  docker {{
    enabled = true
  }}

  fake {{
    enabled = true
  }}
}}
"#
    )
}
