//! The servers of a simulated cluster, and their disks.
//!
//! A server that ends by itself, as one must whose disk fails, is started again as an operator's supervisor would. One
//! that refuses its disk is replaced by a server with a new id, as an operator would, if the simulation damaged that disk;
//! otherwise that it refuses is a violation.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use invariants::Position;
use model::ServerId;
use proto::net::{Caller, Peer};
use seams::testing::{Fault as DiskFault, MemoryDisk};
use seams::{Blocking, Random, Slowness, Workers};
use server::cluster::Cluster;
use server::raft::Role;
use server::server::{Server, ServerConfig, ServerSeams, StartServer};
use server_core::apply::Answer;
use server_core::command::Command;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::SimCluster;
use crate::sim::clock::SimClock;
use crate::sim::coverage::Sometimes;
use crate::sim::fleet::position;
use crate::sim::net::{Process, address};
use crate::sim::seed::SeededRandom;

/// How long a supervisor waits before it starts a server again that ended by itself.
const RESTART_PAUSE: Duration = Duration::from_secs(1);
/// How long a server that is asked to stop waits for its successor.
const HAND_OVER_WITHIN: Duration = Duration::from_secs(1);

/// A server and its disk.
pub struct SimServer {
    /// Its clock.
    pub clock: Arc<SimClock>,
    /// Its disk: another one in each life.
    pub disk: MemoryDisk,
    /// How slow that is.
    pub slowness: Slowness,
    /// Whether somebody damaged what the disk holds.
    pub is_damaged: bool,
    /// Whether a server with a new id is about to take its place.
    is_being_replaced: bool,
    /// Whether it takes the place of another and does not vote yet: it may lack what is acknowledged.
    is_joining: bool,
    /// The life that begins just now: it has the disk, and does not run yet.
    starting: Option<Life>,
    /// Its life.
    pub running: Option<Running>,
    /// When it took the place of another.
    came_at: Option<Instant>,
    /// Which life it is in: whoever starts or ends it looks whether it still is the one that he means.
    life: u64,
}

/// One life of a server's process.
#[derive(Clone)]
struct Life {
    number: u64,
    plug: CancellationToken,
    alive: Arc<AtomicBool>,
}

impl Life {
    /// What it says from now on reaches nobody.
    fn end(&self) {
        self.alive.store(false, Ordering::Relaxed);
        self.plug.cancel();
    }
}

/// A server's process that has started.
pub struct Running {
    /// The server.
    pub server: Server,
    life: Life,
}

impl Running {
    fn end(self) {
        self.life.end();
        // What its tasks do from here on reaches nobody, so nobody need wait for them.
        tokio::spawn(async move { self.server.kill().await });
    }
}

impl SimCluster {
    /// Adds a server with an empty disk; it does not run yet.
    pub(super) fn add_server(&self, id: ServerId) {
        let server = SimServer {
            clock: Arc::new(self.clock.beside()),
            disk: MemoryDisk::default(),
            // A few bytes for each server of each run.
            slowness: Slowness(Box::leak(Box::new(AtomicU64::new(0)))),
            is_damaged: false,
            is_being_replaced: false,
            is_joining: false,
            came_at: None,
            starting: None,
            running: None,
            life: 0,
        };
        self.servers().insert(id, server);
    }

    /// Starts a server from what its disk holds, unless it runs or is on its way.
    pub async fn start_server(self: &Arc<Self>, id: ServerId) {
        let Some(life) = self.begin_life(id) else { return };
        // A task of its own: whoever asked for it may be gone before it is done.
        let live: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(self.clone().live(id, life));
        drop(tokio::spawn(live).await);
    }

    /// As [`SimCluster::start_server`], without waiting for it.
    fn start_again(self: &Arc<Self>, id: ServerId) {
        if let Some(life) = self.begin_life(id) {
            let cluster = self.clone();
            // Boxed, because to start may lead here again.
            let live: std::pin::Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(cluster.live(id, life));
            tokio::spawn(live);
        }
    }

    fn begin_life(&self, id: ServerId) -> Option<Life> {
        let mut servers = self.servers();
        // Two processes never have one disk.
        let is_free = |server: &SimServer| server.running.is_none() && server.starting.is_none();
        let server = servers.get_mut(&id).filter(|server| is_free(server) && !server.is_being_replaced)?;
        server.life += 1;
        let life = Life { number: server.life, plug: CancellationToken::new(), alive: Arc::new(AtomicBool::new(true)) };
        server.starting = Some(life.clone());
        Some(life)
    }

    async fn live(self: Arc<Self>, id: ServerId, life: Life) {
        let peers = self.server_ids().into_iter().map(|id| Peer::server(id, address(id))).collect();
        let (config, seams) = {
            let servers = self.servers();
            let Some(server) = servers.get(&id) else { return };
            let config = ServerConfig {
                id,
                cluster: self.id,
                name: format!("s{id}"),
                address: address(id),
                http_address: String::new(),
                folder: PathBuf::from("/data"),
                begins_cluster: id == 1,
                peers,
                authority: None,
                join_tokens: Vec::new(),
                timings: self.settings.timings,
                sizes: self.settings.sizes,
            };
            let caller = Caller::Server { cluster: self.id, id };
            let seams = ServerSeams {
                dialer: self.net.dialer(Process::Server(id), caller, life.plug.clone()),
                disk: Arc::new(server.disk.clone()),
                clock: server.clock.clone(),
                random: Arc::new(SeededRandom::new(self.random.next_u64())),
                blocking: Blocking::Slow(server.slowness),
                consensus: Workers::shared(),
                witness: Some(self.oracle.witness(id, life.alive.clone())),
            };
            (config, seams)
        };
        self.trace.say(format_args!("-- s{id} starts"));
        match Server::start(config, seams, CancellationToken::new()).await {
            Ok(server) => self.started(id, Running { server, life }),
            Err(error) => self.refuses(id, &life, error).await,
        }
    }

    fn started(self: &Arc<Self>, id: ServerId, running: Running) {
        let mut servers = self.servers();
        let life = running.life.number;
        let Some(known) = servers.get_mut(&id).filter(|known| known.life == life) else {
            running.end();
            return;
        };
        let (server, plug) = (running.server.clone(), running.life.plug.clone());
        self.net.listen(&address(id), Arc::new(server.clone()), plug.clone());
        known.starting = None;
        known.running = Some(running);
        drop(servers);
        let (oracle, watched) = (self.oracle.clone(), server.clone());
        let leads = async move {
            let mut leadership = watched.raft().leader();
            loop {
                let now = leadership.borrow_and_update().clone();
                if now.is_leader {
                    oracle.leads(now.term, id);
                }
                if leadership.changed().await.is_err() {
                    std::future::pending::<()>().await;
                }
            }
        };
        let cluster = self.clone();
        tokio::spawn(async move {
            let reason = tokio::select! {
                biased;
                () = plug.cancelled() => return,
                reason = server.stopped() => reason,
                () = leads => return,
            };
            cluster.trace.say(format_args!("-- s{id} ends by itself: {reason}"));
            cluster.oracle.note(Sometimes::ServerEndedByItself);
            if cluster.end_life(id, Some(life), |_| {}) {
                sleep(RESTART_PAUSE).await;
                cluster.start_again(id);
            }
        });
    }

    /// It does not start from what its disk holds.
    async fn refuses(self: &Arc<Self>, id: ServerId, life: &Life, error: StartServer) {
        let (is_damaged, fault) = {
            let mut servers = self.servers();
            let Some(server) = servers.get_mut(&id).filter(|server| server.life == life.number) else { return };
            server.starting = None;
            (server.is_damaged, server.disk.fault())
        };
        let mut source = std::error::Error::source(&error);
        let mut text = error.to_string();
        while let Some(deeper) = source {
            text = format!("{text}: {deeper}");
            source = deeper.source();
        }
        self.trace.say(format_args!("-- s{id} does not start: {text}"));
        if let Some(fault) = fault {
            if fault == DiskFault::Read {
                self.oracle.note(Sometimes::ServerCouldNotRead);
            }
            let cluster = self.clone();
            tokio::spawn(async move {
                sleep(RESTART_PAUSE).await;
                cluster.start_again(id);
            });
        } else if is_damaged {
            self.oracle.note(Sometimes::ServerRefusedItsDisk);
            self.with_server(id, |server| server.is_being_replaced = true);
            let cluster = self.clone();
            tokio::spawn(async move { cluster.replace_server(id).await });
        } else {
            self.oracle.violate("a sound disk is not refused", format!("server {id}: {text}"));
        }
    }

    /// Ends a life of a server, if it is in it; what the disk had not synced is lost, after `tear`.
    fn end_life(&self, id: ServerId, life: Option<u64>, tear: impl FnOnce(&MemoryDisk)) -> bool {
        let mut servers = self.servers();
        let Some(server) = servers.get_mut(&id).filter(|server| life.is_none_or(|life| life == server.life)) else {
            return false;
        };
        server.life += 1;
        let (starting, running) = (server.starting.take(), server.running.take());
        if starting.is_none() && running.is_none() {
            return false;
        }
        // Its tasks go on for a while with the disk that they know; its next life has another.
        let disk = server.disk.copy();
        tear(&disk);
        disk.crash();
        // Its failing outlives the process.
        if let Some(fault) = server.disk.fault() {
            disk.fail(fault);
        }
        server.disk = disk;
        drop(servers);
        starting.iter().for_each(Life::end);
        running.into_iter().for_each(Running::end);
        true
    }

    /// Kills a server, if it runs or starts: what it had not synced is lost.
    pub fn kill_server(&self, id: ServerId) {
        if self.end_life(id, None, |_| {}) {
            self.trace.say(format_args!("-- s{id} is killed"));
        }
    }

    /// Kills a server as a power cut does: of what it had not synced some comes through.
    pub fn tear_server(&self, id: ServerId, random: &SeededRandom) {
        if self.end_life(id, None, |disk| disk.tear(|| random.chance(50))) {
            self.trace.say(format_args!("-- s{id} loses its power"));
        }
    }

    /// Asks a server to stop; it hands its leadership over before.
    pub async fn stop_server(&self, id: ServerId) {
        let running = self.servers().get(&id).and_then(|server| server.running.as_ref().map(|it| it.server.clone()));
        if let Some(server) = running {
            self.trace.say(format_args!("-- s{id} is asked to stop"));
            let voters = server.raft().members();
            let to = voters.into_iter().find(|member| member.id != id && member.role == Role::Voter);
            if let Some(to) = to.filter(|_| server.leadership().is_self) {
                drop(server.raft().transfer_leadership(to.id, HAND_OVER_WITHIN).await);
            }
            self.end_life(id, None, |disk| disk.tear(|| true));
        }
    }

    /// All servers that run, each with what tells that its process is gone: what it says from then on, nobody hears.
    pub fn reachable(&self) -> Vec<(Server, CancellationToken)> {
        let servers = self.servers();
        let running = servers.values().filter_map(|server| server.running.as_ref());
        running.map(|running| (running.server.clone(), running.life.plug.clone())).collect()
    }

    /// Whether all servers run, with a disk and a network as they should be, and one leads.
    pub fn is_fine(&self) -> bool {
        let is_well = |server: &SimServer| {
            let is_sound = server.slowness.0.load(Ordering::Relaxed) == 0 && server.disk.fault().is_none();
            server.running.is_some() && is_sound && !server.is_damaged && !server.is_joining
        };
        self.servers().values().all(is_well) && self.net.is_clear() && self.leader_now().is_some()
    }

    /// Where all servers that run stand in the log just now.
    pub fn positions(&self) -> BTreeMap<ServerId, Position> {
        let of = |(id, server): (&ServerId, &SimServer)| {
            let at = server.running.as_ref()?.server.raft().metrics();
            // Who has not read his disk yet, because it is slow, stands nowhere.
            (!at.members.is_empty()).then(|| (*id, position(server.life, &at)))
        };
        self.servers().iter().filter_map(of).collect()
    }

    /// A server's disk, to be made to fail or to be damaged.
    pub fn with_server<T>(&self, id: ServerId, act: impl FnOnce(&mut SimServer) -> T) -> Option<T> {
        self.servers().get_mut(&id).map(act)
    }

    /// How many servers may be lost at most with the cluster still whole, less those that are damaged already, and those
    /// that come in their place. None while an agent has not heard of the last one that came: whoever knows no server any
    /// more finds none.
    pub fn damage_left(&self) -> usize {
        let came_at = self.servers().values().filter_map(|server| server.came_at).max();
        let knows = |number: &u64| !self.agent_runs(*number) || self.oracle.heard_at(*number) > came_at;
        if came_at.is_some() && !self.agent_numbers().iter().all(knows) {
            return 0;
        }
        let servers = self.servers();
        let damaged = servers.values().filter(|server| server.is_damaged || server.is_joining).count();
        ((servers.len().saturating_sub(1)) / 2).saturating_sub(damaged)
    }

    /// Puts a server with a new id in the place of one that refuses its disk.
    async fn replace_server(self: Arc<Self>, old: ServerId) {
        self.trace.say(format_args!("-- s{old} is being replaced"));
        loop {
            let leader = self.leader().await;
            if leader.remove_server(old).await.is_ok() {
                break;
            }
            sleep(RESTART_PAUSE).await;
        }
        let request = Some(self.random.next_id());
        let new = loop {
            let leader = self.leader().await;
            let allocate =
                Command::AllocateServer { name: String::new(), address: String::new(), http_address: String::new() };
            if let Ok(Answer::Accepted(accepted)) = leader.propose("operator", request, allocate).await
                && let Some(new) = accepted.server
            {
                break new;
            }
            sleep(RESTART_PAUSE).await;
        };
        self.servers().remove(&old);
        self.add_server(new);
        self.with_server(new, |server| (server.is_joining, server.came_at) = (true, Some(Instant::now())));
        self.trace.say(format_args!("-- s{new} takes the place of s{old}"));
        self.oracle.note(Sometimes::ServerWasReplaced);
        self.start_again(new);
        // Whoever is replaced in its turn is gone.
        while self.with_server(new, |server| server.is_joining).is_some() {
            let members = self.leader().await.raft().metrics().members;
            if members.iter().any(|member| member.id == new && member.role == Role::Voter) {
                self.with_server(new, |server| server.is_joining = false);
                return;
            }
            sleep(RESTART_PAUSE).await;
        }
    }
}
