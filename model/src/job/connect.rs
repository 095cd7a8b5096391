//! Service mesh: a service that takes part in it by itself, or through a proxy beside the tasks.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Gateway, Logs, TaskResources, VolumeMount};

/// How a service takes part in the mesh.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Connect {
    /// Whether the service speaks the mesh's protocol itself.
    pub native: bool,
    /// The proxy's own service.
    pub sidecar_service: Option<SidecarService>,
    /// What the proxy's task has in place of the defaults.
    pub sidecar_task: Option<SidecarTask>,
    /// The service is a gateway.
    pub gateway: Option<Gateway>,
}

/// The service of a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SidecarService {
    /// Tags in the catalog.
    #[serde(with = "crate::null")]
    pub tags: Vec<String>,
    /// Label of the port; one of its own unless given.
    pub port: String,
    /// Whether the proxy's port is not probed.
    #[serde(rename = "DisableDefaultTCPCheck")]
    pub disable_default_tcp_check: bool,
    /// Free key-value pairs.
    #[serde(with = "crate::null")]
    pub meta: BTreeMap<String, String>,
    /// The proxy.
    pub proxy: Option<SidecarProxy>,
}

/// A proxy beside the tasks.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SidecarProxy {
    /// The address at which the service listens.
    pub local_service_address: String,
    /// The port at which it listens.
    pub local_service_port: u16,
    /// Paths that are reached past the mesh.
    pub expose: Option<Expose>,
    /// Services that are reached through the proxy.
    #[serde(with = "crate::null")]
    pub upstreams: Vec<Upstream>,
    /// All traffic goes through the proxy.
    pub transparent_proxy: Option<TransparentProxy>,
    /// The proxy's own settings.
    #[serde(with = "crate::null")]
    pub config: BTreeMap<String, Value>,
}

/// Paths that are reached past the mesh.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Expose {
    /// The paths.
    #[serde(with = "crate::null")]
    pub paths: Vec<ExposePath>,
}

/// A path that is reached past the mesh.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ExposePath {
    /// The path.
    pub path: String,
    /// `http` or `http2`.
    pub protocol: String,
    /// The port at which the service listens.
    pub local_path_port: u16,
    /// Label of the port at which the proxy listens.
    pub listener_port: String,
}

/// A service that is reached through the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Upstream {
    /// The service.
    pub destination_name: String,
    /// Its namespace.
    pub destination_namespace: String,
    /// Its cluster, if that is a peer.
    pub destination_peer: String,
    /// Its partition.
    pub destination_partition: String,
    /// `service` or `prepared_query`.
    pub destination_type: String,
    /// The port at which the proxy listens for it.
    pub local_bind_port: u16,
    /// The address at which the proxy listens for it.
    pub local_bind_address: String,
    /// The socket at which the proxy listens for it.
    pub local_bind_socket_path: String,
    /// The socket's mode.
    pub local_bind_socket_mode: String,
    /// Its datacenter.
    pub datacenter: String,
    /// The gateway that leads there.
    pub mesh_gateway: Option<MeshGateway>,
    /// The proxy's own settings for it.
    #[serde(with = "crate::null")]
    pub config: BTreeMap<String, Value>,
}

/// The gateway that leads to another datacenter.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct MeshGateway {
    /// `none`, `local` or `remote`.
    pub mode: String,
}

/// What of the traffic goes through the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TransparentProxy {
    /// The proxy's user.
    #[serde(rename = "UID")]
    pub uid: String,
    /// The port at which the proxy takes outbound traffic.
    pub outbound_port: u16,
    /// Ports whose inbound traffic does not.
    #[serde(with = "crate::null")]
    pub exclude_inbound_ports: Vec<String>,
    /// Ports whose outbound traffic does not.
    #[serde(with = "crate::null")]
    pub exclude_outbound_ports: Vec<u16>,
    /// Networks whose outbound traffic does not.
    #[serde(rename = "ExcludeOutboundCIDRs", with = "crate::null")]
    pub exclude_outbound_cidrs: Vec<String>,
    /// Users whose traffic does not.
    #[serde(rename = "ExcludeUIDs", with = "crate::null")]
    pub exclude_uids: Vec<String>,
    /// Whether name resolution does not.
    #[serde(rename = "NoDNS")]
    pub no_dns: bool,
}

/// What the task of a proxy has in place of the defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SidecarTask {
    /// Its name.
    pub name: String,
    /// What runs it.
    pub driver: String,
    /// The user to run as.
    pub user: String,
    /// The driver's own settings.
    #[serde(with = "crate::null")]
    pub config: BTreeMap<String, Value>,
    /// Environment variables.
    #[serde(with = "crate::null")]
    pub env: BTreeMap<String, String>,
    /// What it needs.
    pub resources: Option<TaskResources>,
    /// Free key-value pairs.
    #[serde(with = "crate::null")]
    pub meta: BTreeMap<String, String>,
    /// Time between the stop signal and the end by force.
    #[serde(with = "crate::nanoseconds")]
    pub kill_timeout: Duration,
    /// How its output is kept.
    #[serde(rename = "LogConfig")]
    pub logs: Option<Logs>,
    /// Time between leaving the catalog and the stop signal.
    #[serde(with = "crate::nanoseconds")]
    pub shutdown_delay: Duration,
    /// The stop signal.
    pub kill_signal: String,
    /// Where it sees volumes of the group.
    #[serde(with = "crate::null")]
    pub volume_mounts: Vec<VolumeMount>,
}

impl Default for SidecarTask {
    fn default() -> Self {
        Self {
            name: String::new(),
            driver: String::new(),
            user: String::new(),
            config: BTreeMap::new(),
            env: BTreeMap::new(),
            resources: None,
            meta: BTreeMap::new(),
            kill_timeout: Duration::from_secs(5),
            logs: None,
            shutdown_delay: Duration::ZERO,
            kill_signal: String::new(),
            volume_mounts: Vec::new(),
        }
    }
}
