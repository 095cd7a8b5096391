//! From the configuration to a running server and/or client agent, until the process is told to stop.

mod client;
mod cluster_folder;
mod lock;
mod server;

pub use cluster_folder::{AGENT_TOKEN_FILE, NAME_FILE};
pub use lock::FolderLock;
pub use server::chain;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use model::NodeId;
use seams::{SystemClock, SystemRandom, Workers};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

use crate::config::Config;
use crate::exit::Exit;
use crate::failure::Failure;

/// How long everything may take to end once it was told to.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// Threads of consensus: one decides while the other applies.
const CONSENSUS_THREADS: usize = 2;
/// The same after consensus has ended by itself, as it does when a write to the log fails: the process must be gone
/// within a second, and whatever can't end by then is hung on the disk.
const ABORT_WITHIN: Duration = Duration::from_millis(400);

/// Runs the server and/or the client agent until the process is told to stop.
pub fn run(config: Config) -> Result<Exit, Failure> {
    log_to_stderr(&config)?;
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .map_err(|_| Failure::new("another crypto provider is installed"))?;
    let folder = config.data_dir.clone().ok_or_else(|| Failure::new("there is no data_dir"))?;
    let cannot_start = |error| Failure::new(format!("cannot start the runtime: {error}"));
    let runtime = tokio::runtime::Runtime::new().map_err(cannot_start)?;
    let mut consensus = tokio::runtime::Builder::new_multi_thread();
    let consensus = consensus.worker_threads(CONSENSUS_THREADS).thread_name("consensus").enable_all().build();
    let consensus = consensus.map_err(cannot_start)?;
    let world = World {
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        consensus: Workers::own(consensus.handle().clone()),
        node: Arc::default(),
    };
    let exit = runtime.block_on(run_until_told(&config, &folder, &world));
    if config.ephemeral {
        // What can't be removed is left; the folder is one of its own under the system's temporary one.
        let _ = std::fs::remove_dir_all(&folder);
    }
    // Whatever still blocks (a hanging container engine, say) must not keep the process.
    runtime.shutdown_timeout(if exit.is_ok() { Duration::from_secs(1) } else { ABORT_WITHIN });
    // What of it still waits has hung on the disk; consensus itself was shut down.
    consensus.shutdown_background();
    exit
}

async fn run_until_told(config: &Config, folder: &Path, world: &World) -> Result<Exit, Failure> {
    let shutdown = CancellationToken::new();
    if config.dev {
        cluster_folder::prepare_dev(config, folder, world)?;
    }
    // Held until the process ends: nobody else may write where a server does.
    let _lock = config.server.enabled.then(|| FolderLock::take(&role_folder(folder, "server"))).transpose()?;
    let server = match config.server.enabled {
        true => Some(server::start(config, folder, world, shutdown.clone()).await?),
        false => None,
    };
    let mut client = match config.client.enabled {
        true => Some(client::start(config, folder, world, shutdown.clone()).await?),
        false => None,
    };
    let (ended, within) = tokio::select! {
        biased;
        () = told_to_stop() => (Ok(Exit::Done), STOP_WITHIN),
        reason = consensus_ended(server.as_ref()) => {
            (Err(Failure::new(format!("consensus ended: {reason}"))), ABORT_WITHIN)
        }
        ended = client_ended(client.as_mut()) => (ended, STOP_WITHIN),
    };
    tracing::info!("stops");
    let stop = async {
        if let Some(server) = &server {
            server.stop().await;
        }
        shutdown.cancel();
        if let Some(client) = &mut client {
            let _ = client.await;
        }
    };
    if tokio::time::timeout(within, stop).await.is_err() {
        tracing::warn!("not everything ended in time");
    }
    ended
}

/// Where the process touches the world, beside network and disk.
struct World {
    clock: Arc<SystemClock>,
    random: Arc<SystemRandom>,
    /// Threads of consensus.
    consensus: Workers,
    /// The node of the client agent, once it runs.
    node: Arc<OnceLock<NodeId>>,
}

type RunningClient = tokio::task::JoinHandle<Result<(), client_agent::AgentError>>;

async fn consensus_ended(server: Option<&::server::server::Server>) -> String {
    match server {
        Some(server) => server.stopped().await,
        None => std::future::pending().await,
    }
}

async fn client_ended(client: Option<&mut RunningClient>) -> Result<Exit, Failure> {
    let Some(client) = client else { return std::future::pending().await };
    match client.await {
        Ok(Ok(())) => Err(Failure::new("the client agent ended by itself")),
        Ok(Err(error)) => Err(Failure::new(format!("the client agent ended: {error}"))),
        Err(error) => Err(Failure::new(format!("the client agent broke: {error}"))),
    }
}

async fn told_to_stop() {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

fn log_to_stderr(config: &Config) -> Result<(), Failure> {
    // Libraries speak only when something is wrong; openraft logs every election at length.
    let default =
        format!("{},openraft=error,hickory_server=warn,hyper=warn,h2=warn,tonic=warn,audit=warn", config.log_level);
    let filter = std::env::var("SCHED_LOG").unwrap_or(default);
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| Failure::new(format!("log_level: {error}")).hint("use trace, debug, info, warn or error"))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if config.log_json { log.json().try_init() } else { log.with_ansi(false).try_init() };
    started.map_err(|error| Failure::new(format!("cannot log: {error}")))
}

/// The folder of one role below the data folder.
fn role_folder(folder: &Path, role: &str) -> PathBuf {
    folder.join(role)
}
