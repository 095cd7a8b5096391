//! The configuration files of a test cluster. Each agent tells of a small part of the machine, so that tests can fill
//! it, and has a host volume, a device and a folder of secrets. Agent `n1` is in rack a1, the others are not; it alone may
//! give away a core.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

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

/// What every agent offers as the host volume `data`.
pub fn volume(folder: &Path) -> PathBuf {
    folder.join("volume")
}

/// Where every agent has the secrets of the provider `file`.
pub fn secrets(folder: &Path) -> PathBuf {
    folder.join("secrets")
}

/// Makes the folder of a cluster, with those that its agents offer.
///
/// # Panics
/// If it can't be written.
pub fn make(folder: &Path) {
    for folder in [volume(folder), secrets(folder)] {
        std::fs::create_dir_all(folder).expect("the target folder can be written to");
    }
}

/// The text of the file of one process.
pub fn file(net: u8, name: &str, folder: &Path) -> String {
    let role = if name.starts_with('s') { server(&folder.display()) } else { agent(net, name, folder) };
    let folder = folder.display();
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

fn agent(net: u8, name: &str, folder: &Path) -> String {
    let servers = ["s1", "s2", "s3"].map(|server| format!("\"{}\"", rpc(net, server))).join(", ");
    let rack = if name == "n1" { "a1" } else { "b2" };
    let cores = if name == "n1" { r#"reservable_cores  = "0""# } else { "" };
    format!(
        r#"
client {{
  enabled           = true
  cluster_dir       = "{}/cluster"
  servers           = [{servers}]
  cpu_total_compute = {AGENT_CPU_MHZ}
  memory_total_mb   = {AGENT_MEMORY_MB}
  {cores}

  meta {{
    rack = "{rack}"
  }}

  host_volume "data" {{
    path = "{}"
  }}

  secrets {{
    dir = "{}"
  }}

  device "acme" "widget" "w1" {{
    instance "a" {{
      path = "/dev/full"
    }}
  }}

  docker {{
    enabled = true
  }}

  fake {{
    enabled = true
  }}
}}
"#,
        folder.display(),
        volume(folder).display(),
        secrets(folder).display()
    )
}
