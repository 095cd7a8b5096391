//! The catalog.

use serde::Deserialize;

/// The services of one namespace.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ServicesOfNamespace {
    pub namespace: String,
    pub services: Vec<ServiceStub>,
}

/// A service and the tags that its instances have.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ServiceStub {
    pub service_name: String,
    pub tags: Vec<String>,
}

/// A passing instance of a service.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct ServiceInstance {
    #[serde(rename = "NodeID")]
    pub node_id: String,
    #[serde(rename = "JobID")]
    pub job_id: String,
    #[serde(rename = "AllocID")]
    pub alloc_id: String,
    pub tags: Vec<String>,
    pub address: String,
    pub port: u32,
}
