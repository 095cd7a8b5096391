//! Starts a client agent: its identity, its drivers, and its stream to the servers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use client_agent::drivers::Driver;
use client_agent::drivers::docker::{DockerConfig, DockerDriver};
use client_agent::drivers::fake::FakeDriver;
use client_agent::{AgentConfig, AgentSeams, Devices, FolderStore, RealHost, Secrets, host_mark, node_id};
use model::{DeviceName, HostNetwork, HostVolume, NodeId, Resources};
use proto::Secret;
use proto::grpc::GrpcDialer;
use proto::identity::{CERTIFICATE_FILE, Identity, KEY_FILE, Role};
use proto::net::Peer;
use seams::{Clock, Random};
use server::authority::{Authority, Joiner};
use tokio_util::sync::CancellationToken;

use super::server::{chain, join_until_admitted, rpc_address};
use super::{RunningClient, World, cluster_folder, role_folder};
use crate::config::{self, Config};
use crate::failure::Failure;

/// Starts the agent; it runs until `shutdown`.
pub async fn start(
    config: &Config,
    folder: &Path,
    world: &World,
    shutdown: CancellationToken,
) -> Result<RunningClient, Failure> {
    let home = role_folder(folder, "client");
    let store =
        FolderStore::open(&home).map_err(|error| Failure::new(error.to_string()).at(home.display().to_string()))?;
    let store = Arc::new(store);
    let node = node_id(&*store, &*world.random)
        .await
        .map_err(|error| Failure::new(error.to_string()).at(home.display().to_string()))?;
    let servers = servers(config)?;
    let identity = find_identity(config, folder, &home, node, &servers, world).await?;
    let dialer = Arc::new(GrpcDialer::new(&identity).map_err(|error| Failure::new(error.to_string()))?);
    let mut agent = agent_config(config, &identity, node, &servers, &home)?;
    agent.host_mark = host_mark(&home);
    let clock: Arc<dyn Clock> = world.clock.clone();
    let drivers = drivers(config, folder, &agent, clock.clone(), world.random.next_u64());
    let forgets = if config.ephemeral { drivers.clone() } else { Vec::new() };
    let seams =
        AgentSeams { dialer, drivers, clock, random: world.random.clone(), store, host: Arc::new(RealHost::default()) };
    world.node.get_or_init(|| node);
    tracing::info!(%node, name = config.name, "client agent is up");
    Ok(tokio::spawn(async move {
        let ended = client_agent::run(agent, seams, shutdown).await;
        for driver in forgets {
            remove_all(&*driver).await;
        }
        ended
    }))
}

/// Removes every container of this node, whether it runs or not: the end of `-ephemeral`.
async fn remove_all(driver: &dyn Driver) {
    let containers = match driver.list().await {
        Ok(containers) => containers,
        Err(error) => {
            tracing::warn!(driver = driver.name(), %error, "containers can't be listed; they stay");
            return;
        }
    };
    let removals = containers.iter().map(|container| async {
        if let Err(error) = driver.remove(&container.handle).await {
            tracing::warn!(container = container.handle, %error, "a container stays");
        }
    });
    futures::future::join_all(removals).await;
}

/// The servers to begin with: those that are named, or this process itself.
fn servers(config: &Config) -> Result<Vec<String>, Failure> {
    if config.client.servers.is_empty() && config.server.enabled {
        return Ok(vec![rpc_address(config)?.to_string()]);
    }
    Ok(config.client.servers.clone())
}

/// The agent's identity: kept from before, signed by the authority of `-dev`, or by joining with a token.
async fn find_identity(
    config: &Config,
    folder: &Path,
    home: &Path,
    node: NodeId,
    servers: &[String],
    world: &World,
) -> Result<Identity, Failure> {
    let keys = home.join("identity");
    if keys.join(CERTIFICATE_FILE).exists() {
        let identity = Identity::load(&keys).map_err(|error| Failure::new(chain(&error)))?;
        if identity.role() == Role::Agent(node) {
            return Ok(identity);
        }
        tracing::warn!(%node, "the certificate is another node's; the agent joins anew");
    }
    let identity = if config.dev {
        let cluster = cluster_folder::of(config, folder).unwrap_or_else(|| folder.to_path_buf());
        let authority = Authority::load(&cluster).map_err(|error| Failure::new(chain(&error)))?;
        authority.issue(Role::Agent(node), world.clock.now()).map_err(|error| Failure::new(chain(&error)))?
    } else {
        let token = join_token(config, folder)?;
        // The node belongs to whoever has the key with which it was registered.
        let key = kept_key(&keys.join(KEY_FILE))?;
        let joiner = Joiner::Agent { node, name: config.name.clone(), key };
        join_until_admitted(servers, &token, &joiner).await?.identity
    };
    identity.save(&keys).map_err(|error| Failure::new(chain(&error)))?;
    Ok(identity)
}

/// The private key in `file`; none if there is no such file.
fn kept_key(file: &Path) -> Result<Option<Secret<String>>, Failure> {
    match std::fs::read_to_string(file) {
        Ok(key) => Ok(Some(Secret::new(key))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(error.to_string()).at(file.display().to_string())),
    }
}

fn join_token(config: &Config, folder: &Path) -> Result<String, Failure> {
    if let Some(token) = &config.join_token {
        return Ok(token.clone());
    }
    let file = cluster_folder::of(config, folder).map(|folder| folder.join(cluster_folder::AGENT_TOKEN_FILE));
    file.and_then(|file| std::fs::read_to_string(file).ok()).map(|token| token.trim().to_owned()).ok_or_else(|| {
        Failure::new("this agent belongs to no cluster yet")
            .hint("`sched server join` on a server prints a join token; give it as `join_token`")
    })
}

fn agent_config(
    config: &Config,
    identity: &Identity,
    node: NodeId,
    servers: &[String],
    home: &Path,
) -> Result<AgentConfig, Failure> {
    let client = &config.client;
    let mut agent = AgentConfig::new(identity.cluster(), node, &config.name);
    agent.datacenter = config.datacenter.clone();
    agent.pool = client.node_pool.clone();
    agent.class = client.node_class.clone();
    agent.address = config.bind.clone();
    agent.servers = servers.iter().map(Peer::any).collect();
    agent.meta = client.meta.clone();
    agent.cpu_total_compute_mhz = client.cpu_total_compute;
    agent.memory_total_mb = client.memory_total_mb;
    agent.disk_total_mb = client.disk_total_mb;
    // The configuration has checked that it is a number of at least 1.
    agent.oversubscription_percent = (client.memory_oversubscription * 100.0).round() as u64;
    agent.reserved = Resources {
        cpu_mhz: client.reserved.cpu,
        memory_mb: client.reserved.memory,
        memory_max_mb: client.reserved.memory,
        disk_mb: client.reserved.disk,
    };
    agent.dynamic_ports = (client.min_dynamic_port, client.max_dynamic_port);
    agent.reserved_ports = client.reserved.ports()?.into_iter().flat_map(|(first, last)| first..=last).collect();
    agent.reservable_cores = client.cores()?;
    for (name, volume) in &client.host_volume {
        let path = volume.path.display().to_string();
        agent.host_volumes.insert(name.clone(), HostVolume { path, read_only: volume.read_only, dynamic: None });
    }
    for (name, network) in &client.host_network {
        let reserved_ports = network.ports(name)?;
        agent.host_networks.insert(name.clone(), HostNetwork { address: network.address.clone(), reserved_ports });
    }
    if let Some(modes) = &client.network_modes {
        agent.network_modes = modes.iter().cloned().collect();
    }
    let networks = client.cni_network.iter();
    agent.named_networks =
        networks.map(|(name, network)| (format!("cni/{name}"), network.docker_network.clone())).collect();
    agent.max_allocations = client.node_max_allocs;
    agent.secrets = Secrets { folder: client.secrets.dir.clone(), programs: client.secrets.plugin_dir.clone() };
    agent.volumes_folder = Some(volumes_folder(home)?);
    agent.devices = client.devices().map(devices).collect();
    Ok(agent)
}

/// Where volumes are made. The engine mounts it, so the path must say where it is from anywhere.
fn volumes_folder(home: &Path) -> Result<PathBuf, Failure> {
    let folder = home.join("volume-folders");
    std::path::absolute(&folder).map_err(|error| Failure::new(error.to_string()).at(folder.display().to_string()))
}

fn devices((vendor, kind, name, device): (&String, &String, &String, &config::Device)) -> Devices {
    Devices {
        name: DeviceName { vendor: vendor.clone(), kind: kind.clone(), name: name.clone() },
        attributes: device.attributes.clone(),
        instances: device.instance.iter().map(|(id, instance)| (id.clone(), instance.path.clone())).collect(),
        bus_ids: device
            .instance
            .iter()
            .filter(|(_, instance)| !instance.bus_id.is_empty())
            .map(|(id, instance)| (id.clone(), instance.bus_id.clone()))
            .collect(),
    }
}

fn drivers(
    config: &Config,
    folder: &Path,
    agent: &AgentConfig,
    clock: Arc<dyn Clock>,
    seed: u64,
) -> Vec<Arc<dyn Driver>> {
    let mut drivers: Vec<Arc<dyn Driver>> = Vec::new();
    if config.client.docker.enabled {
        drivers.push(DockerDriver::new(DockerConfig {
            socket: config.client.docker.socket.display().to_string(),
            cluster: agent.cluster,
            cluster_name: cluster_folder::name(config, folder),
            node: agent.node,
            node_name: agent.name.clone(),
        }));
    }
    if config.client.fake.enabled {
        drivers.push(FakeDriver::new(clock, seed));
    }
    drivers
}
