//! Gateways of the service mesh: into it, out of it, and between its datacenters.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A service that is a gateway; of the last three fields one is given.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Gateway {
    /// The proxy that does the work.
    pub proxy: Option<GatewayProxy>,
    /// Into the mesh.
    pub ingress: Option<Ingress>,
    /// Out of the mesh.
    pub terminating: Option<Terminating>,
    /// Between datacenters.
    pub mesh: Option<Mesh>,
}

/// The proxy of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GatewayProxy {
    /// When a connection counts as failed.
    #[serde(with = "crate::nanoseconds")]
    pub connect_timeout: Duration,
    /// Whether it listens at the service's tagged addresses.
    pub envoy_gateway_bind_tagged_addresses: bool,
    /// Addresses at which it listens, by service.
    #[serde(with = "crate::null")]
    pub envoy_gateway_bind_addresses: BTreeMap<String, BindAddress>,
    /// Whether it does not listen at its own address.
    pub envoy_gateway_no_default_bind: bool,
    /// How it resolves names.
    #[serde(rename = "EnvoyDNSDiscoveryType")]
    pub envoy_dns_discovery_type: String,
    /// The proxy's own settings.
    #[serde(with = "crate::null")]
    pub config: BTreeMap<String, Value>,
}

impl Default for GatewayProxy {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            envoy_gateway_bind_tagged_addresses: false,
            envoy_gateway_bind_addresses: BTreeMap::new(),
            envoy_gateway_no_default_bind: false,
            envoy_dns_discovery_type: String::new(),
            config: BTreeMap::new(),
        }
    }
}

/// An address at which a gateway listens.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct BindAddress {
    /// The service that it is for.
    pub name: String,
    /// The address.
    pub address: String,
    /// The port.
    pub port: u16,
}

/// A gateway into the mesh.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Ingress {
    /// Encryption towards those outside.
    #[serde(rename = "TLS")]
    pub tls: Option<GatewayTls>,
    /// Where it listens.
    #[serde(with = "crate::null")]
    pub listeners: Vec<IngressListener>,
}

/// Encryption towards those outside.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct GatewayTls {
    /// Whether there is any.
    pub enabled: bool,
    /// The oldest version, such as `TLSv1_2`.
    #[serde(rename = "TLSMinVersion")]
    pub tls_min_version: String,
    /// The newest version.
    #[serde(rename = "TLSMaxVersion")]
    pub tls_max_version: String,
    /// The ciphers.
    #[serde(with = "crate::null")]
    pub cipher_suites: Vec<String>,
}

/// A port at which a gateway listens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct IngressListener {
    /// The port.
    pub port: u16,
    /// `tcp`, `http`, `http2` or `grpc`.
    pub protocol: String,
    /// The services behind it.
    #[serde(with = "crate::null")]
    pub services: Vec<IngressService>,
}

impl Default for IngressListener {
    fn default() -> Self {
        Self { port: 0, protocol: "tcp".into(), services: Vec::new() }
    }
}

/// A service behind a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct IngressService {
    /// The service; `*` for all.
    pub name: String,
    /// Hosts for which requests go there.
    #[serde(with = "crate::null")]
    pub hosts: Vec<String>,
    /// Encryption for these hosts.
    #[serde(rename = "TLS")]
    pub tls: Option<IngressServiceTls>,
    /// Changes of requests' header lines.
    pub request_headers: Option<HeaderChanges>,
    /// Changes of answers' header lines.
    pub response_headers: Option<HeaderChanges>,
    /// The most connections.
    pub max_connections: Option<u32>,
    /// The most requests that wait.
    pub max_pending_requests: Option<u32>,
    /// The most requests at a time.
    pub max_concurrent_requests: Option<u32>,
}

/// Encryption for some hosts.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct IngressServiceTls {
    /// Where the certificate is had.
    #[serde(rename = "SDS")]
    pub sds: Option<Sds>,
}

/// Where a certificate is had.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Sds {
    /// The cluster that hands it out.
    pub cluster_name: String,
    /// Its name there.
    pub cert_resource: String,
}

/// Changes of header lines.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct HeaderChanges {
    /// Lines to add.
    #[serde(with = "crate::null")]
    pub add: BTreeMap<String, String>,
    /// Lines to replace.
    #[serde(with = "crate::null")]
    pub set: BTreeMap<String, String>,
    /// Lines to take out.
    #[serde(with = "crate::null")]
    pub remove: Vec<String>,
}

/// A gateway out of the mesh.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Terminating {
    /// The services that are reached through it.
    #[serde(with = "crate::null")]
    pub services: Vec<TerminatingService>,
}

/// A service outside the mesh.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct TerminatingService {
    /// The service.
    pub name: String,
    /// The file of the authority that is trusted.
    #[serde(rename = "CAFile")]
    pub ca_file: String,
    /// The file of the gateway's certificate.
    pub cert_file: String,
    /// The file of its key.
    pub key_file: String,
    /// The name that is asked for.
    #[serde(rename = "SNI")]
    pub sni: String,
}

/// A gateway between datacenters; there is nothing to say about it.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mesh {}
