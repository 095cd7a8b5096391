//! Starts a server: its identity, consensus, and the listeners for servers and agents, people and DNS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proto::grpc::GrpcDialer;
use proto::identity::{Identity, Role};
use proto::net::Peer;
use seams::{Blocking, RealDisk};
use server::authority::{
    AUTHORITY_KEY_FILE, Authority, JoinToken, Joiner, SERVER_FILE, ServerDocument, TOKENS_FILE, join,
};
use server::backup::RAFT_FOLDER;
use server::cluster::Cluster;
use server::dns::{Answers, DnsServer, Zone};
use server::http::{HttpConfig, check_bind, serve};
use server::raft::{Sizes, Timings};
use server::server::{Server, ServerConfig, ServerSeams};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::cluster_folder::{self, socket_address};
use super::{World, role_folder};
use crate::config::Config;
use crate::failure::Failure;

/// How long a server may take to be admitted.
const JOIN_WITHIN: Duration = Duration::from_secs(10);
/// Pause before all servers are asked again.
const JOIN_PAUSE: Duration = Duration::from_millis(500);
/// How long clients may keep a DNS answer: not at all, instances come and go.
const DNS_TTL: Duration = Duration::ZERO;

/// Where this process is reached by servers and agents.
pub fn rpc_address(config: &Config) -> Result<SocketAddr, Failure> {
    socket_address(config.addresses.rpc.as_ref().unwrap_or(&config.bind), config.ports.rpc)
}

/// Where this process is reached by people.
pub fn http_address(config: &Config) -> Result<SocketAddr, Failure> {
    socket_address(config.addresses.http.as_ref().unwrap_or(&config.bind), config.ports.http)
}

/// Starts the server and its listeners; they run until `shutdown`.
pub async fn start(
    config: &Config,
    folder: &Path,
    world: &World,
    shutdown: CancellationToken,
) -> Result<Server, Failure> {
    let home = role_folder(folder, "server");
    let rpc = rpc_address(config)?;
    let http = http_address(config)?;
    check_bind(http).map_err(|error| Failure::new(error.to_string()))?;
    let document = find_identity(config, folder, &home, rpc).await?;
    let identity = Identity::load(&home).map_err(|error| Failure::new(error.to_string()))?;
    let authority = match home.join(AUTHORITY_KEY_FILE).exists() {
        true => Some(Arc::new(Authority::load(&home).map_err(|error| Failure::new(error.to_string()))?)),
        false => None,
    };
    // Listeners first: an address that is taken must be known before anything is begun.
    let rpc_listener = listen(rpc, "ports.rpc").await?;
    let http_listener = listen(http, "ports.http").await?;

    let dialer = Arc::new(GrpcDialer::new(&identity).map_err(|error| Failure::new(error.to_string()))?);
    let seams = ServerSeams {
        dialer,
        disk: Arc::new(RealDisk),
        clock: world.clock.clone(),
        random: world.random.clone(),
        blocking: Blocking::Threads,
        consensus: world.consensus.clone(),
        witness: None,
    };
    let first = document.servers.first().map(|server| server.id);
    let server_config = ServerConfig {
        id: document.id,
        cluster: document.cluster,
        name: config.name.clone(),
        address: rpc.to_string(),
        http_address: http.to_string(),
        folder: home.join(RAFT_FOLDER),
        begins_cluster: first == Some(document.id) && !document.restored,
        peers: peers(config, &document),
        authority: authority.clone(),
        join_tokens: read_tokens(&home)?,
        timings: Timings::default(),
        sizes: Sizes::default(),
    };
    let server = Server::start(server_config, seams, shutdown.clone())
        .await
        .map_err(|error| Failure::new(chain(&error)).at(home.display().to_string()))?;

    let (service, ends, of_servers) = (Arc::new(server.clone()), shutdown.clone(), world.consensus.clone());
    tokio::spawn(async move {
        let ends = ends.cancelled_owned();
        if let Err(error) = proto::grpc::serve(rpc_listener, &identity, service, of_servers, ends).await {
            tracing::error!(%error, "cannot serve servers and agents");
        }
    });
    let http_config = HttpConfig {
        name: config.name.clone(),
        region: config.region.clone(),
        datacenter: config.datacenter.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        host_names: vec![http.ip().to_string()],
        authority,
        node: world.node.clone(),
        clock: world.clock.clone(),
        blocking: Blocking::Threads,
        random: world.random.clone(),
    };
    let cluster: Arc<dyn Cluster> = Arc::new(server.clone());
    tokio::spawn(serve(http_listener, cluster, http_config, shutdown.clone()));
    if config.dns.enabled {
        start_dns(config, world, &server, shutdown).await?;
    }
    tracing::info!(server = document.id, rpc = %rpc, http = %http, "server is up");
    Ok(server)
}

async fn start_dns(
    config: &Config,
    world: &World,
    server: &Server,
    shutdown: CancellationToken,
) -> Result<(), Failure> {
    let zones = config.dns.domains.iter().map(|domain| Zone::new(domain));
    let zones =
        zones.collect::<Result<Vec<_>, _>>().map_err(|error| Failure::new(error.to_string()).at("dns.domains"))?;
    let named =
        if config.dns.addresses.is_empty() { std::slice::from_ref(&config.bind) } else { &config.dns.addresses };
    let addresses =
        named.iter().map(|address| socket_address(address, config.ports.dns)).collect::<Result<Vec<_>, _>>()?;
    let answers = Answers::new(zones, DNS_TTL, Arc::new(server.clone()), world.random.clone());
    let dns =
        DnsServer::bind(&addresses, answers).await.map_err(|error| Failure::new(chain(&error)).at("ports.dns"))?;
    tokio::spawn(async move {
        if let Err(error) = dns.run(shutdown.cancelled_owned()).await {
            tracing::error!(%error, "dns ended");
        }
    });
    Ok(())
}

async fn listen(address: SocketAddr, key: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(format!("cannot listen on {address}: {error}"))
            .at(key)
            .hint("`ss -ltnp` names the process that has the port")
    })
}

/// Makes sure that the server's folder holds its identity: kept from before, made by `server init`, or by joining.
async fn find_identity(
    config: &Config,
    folder: &Path,
    home: &Path,
    rpc: SocketAddr,
) -> Result<ServerDocument, Failure> {
    if home.join(SERVER_FILE).exists() {
        return read_document(home);
    }
    std::fs::create_dir_all(home).map_err(|error| Failure::new(error.to_string()).at(home.display().to_string()))?;
    if let Some(cluster) = cluster_folder::of(config, folder) {
        let (made, _) = cluster_folder::server_at(&cluster, &rpc.to_string())?;
        take_over(&made, home)?;
        return read_document(home);
    }
    let token = config.join_token.as_deref().ok_or_else(|| {
        Failure::new("this server belongs to no cluster yet")
            .hint("give `server.cluster_dir`, made by `sched server init`, or `join_token` and `server.join`")
    })?;
    let joiner = Joiner::Server { name: config.name.clone(), address: rpc.to_string() };
    let joined = join_until_admitted(&config.server.join, token, &joiner).await?;
    let Role::Server(id) = joined.identity.role() else {
        return Err(Failure::new("the cluster admitted this process as something else than a server"));
    };
    joined.identity.save(home).map_err(|error| Failure::new(error.to_string()))?;
    let document = ServerDocument {
        cluster: joined.identity.cluster(),
        id,
        name: config.name.clone(),
        servers: Vec::new(),
        restored: false,
    };
    let text = serde_json::to_string_pretty(&document).map_err(|error| Failure::new(error.to_string()))?;
    proto::identity::write_private(&home.join(SERVER_FILE), text.as_bytes())
        .map_err(|error| Failure::new(error.to_string()))?;
    Ok(document)
}

/// Asks one server after the other to admit `joiner`, again and again while none can be asked: whole racks are switched
/// on at once, and in any order. What asking again would not change is an error at once.
pub async fn join_until_admitted(
    servers: &[String],
    token: &str,
    joiner: &Joiner,
) -> Result<server::authority::Joined, Failure> {
    let mut attempts = 0u32;
    loop {
        let mut last = Failure::new("no server to join is named").hint("list them in `servers` or with -join");
        let mut may_help = false;
        for address in servers {
            match join(address, token, joiner, JOIN_WITHIN).await {
                Ok(joined) => return Ok(joined),
                Err(error) => {
                    may_help |= error.is_passing();
                    last = Failure::new(chain(&error)).at(address);
                }
            }
        }
        if !may_help {
            return Err(last);
        }
        attempts += 1;
        if attempts.is_power_of_two() {
            tracing::warn!(
                attempts,
                servers = servers.join(","),
                "no server admits this process yet; it goes on asking"
            );
        }
        tokio::time::sleep(JOIN_PAUSE).await;
    }
}

fn peers(config: &Config, document: &ServerDocument) -> Vec<Peer> {
    let first = document.servers.iter().map(|server| Peer::server(server.id, server.address.clone()));
    // Of servers that are only named by address the id is not known.
    first.chain(config.server.join.iter().map(Peer::any)).collect()
}

fn read_document(home: &Path) -> Result<ServerDocument, Failure> {
    let file = home.join(SERVER_FILE);
    let wrong = |error: String| Failure::new(error).at(file.display().to_string());
    let text = std::fs::read_to_string(&file).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))
}

fn read_tokens(home: &Path) -> Result<Vec<server_core::command::JoinTokenRecord>, Failure> {
    let Ok(text) = std::fs::read_to_string(home.join(TOKENS_FILE)) else { return Ok(Vec::new()) };
    let tokens: Vec<JoinToken> =
        serde_json::from_str(&text).map_err(|error| Failure::new(error.to_string()).at(TOKENS_FILE))?;
    Ok(tokens.iter().map(server::token_record).collect())
}

/// Says in a folder that `sched server init` made that a server was started from it.
const TAKEN_FILE: &str = "taken";

/// Takes over the folder that was made for this server, once: whoever starts from it a second time has lost what the
/// server confirmed, and must not pretend to be it.
fn take_over(made: &Path, home: &Path) -> Result<(), Failure> {
    let taken = made.join(TAKEN_FILE);
    if taken.exists() {
        return Err(Failure::new("a server was started from this folder before, and its data is gone")
            .at(made.display().to_string())
            .hint(
                "an id is never used again: remove the old one with `sched server leave`, and join with a token from \
                 `sched server join`",
            )
            .hint("if no server of the cluster has any data, make a new cluster with `sched server init`"));
    }
    let raft = made.join(RAFT_FOLDER);
    if raft.exists() {
        for folder in ["", "log", "snapshots"] {
            let to = home.join(RAFT_FOLDER).join(folder);
            std::fs::create_dir_all(&to)
                .map_err(|error| Failure::new(error.to_string()).at(to.display().to_string()))?;
            copy_private(&raft.join(folder), &to)?;
        }
    }
    copy_private(made, home)?;
    if let Err(error) = std::fs::write(&taken, "a server was started from this folder\n") {
        tracing::warn!(folder = %made.display(), %error, "it can't be noted that this folder is taken");
    }
    Ok(())
}

/// Copies the files of a folder, readable by the owner alone. What names the server comes last: only then is the copy
/// a server's.
fn copy_private(from: &Path, to: &Path) -> Result<(), Failure> {
    let failed = |error: std::io::Error| Failure::new(error.to_string()).at(from.display().to_string());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_file() {
            files.push(entry.path());
        }
    }
    files.sort_by_key(|path| path.ends_with(SERVER_FILE));
    for path in files {
        let content = std::fs::read(&path).map_err(failed)?;
        let Some(name) = path.file_name() else { continue };
        proto::identity::write_private(&to.join(name), &content).map_err(|error| Failure::new(error.to_string()))?;
    }
    Ok(())
}

/// An error with everything that caused it.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
