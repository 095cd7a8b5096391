//! The cluster that the scenarios run on.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use model::{ClusterId, Index, ServerId, Term};
use seams::recording::{Counter, Recording};
use seams::testing::MemoryDisk;
use seams::{Blocking, Disk, Slowness};
use tokio::sync::mpsc;
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::raft::log::Contents;
use crate::raft::*;

pub const SECOND: Duration = Duration::from_secs(1);
pub const COMMAND_BYTES_MAX: usize = 100_000;
/// Twenty commands of a tenth of the largest fit, and the overhead of no more than these.
pub const LOG_BYTES_MAX: u64 = 205_000;
const LATENCY: Duration = Duration::from_millis(1);

/// Some servers, their disks, and the network between them.
pub struct Cluster {
    pub id: ClusterId,
    seed: u64,
    net: Net,
    disks: BTreeMap<ServerId, MemoryDisk>,
    /// Where every call of the disks is recorded, if it is.
    recorded: Option<Recorded>,
    /// The disks that can be slow, from the next start of their servers on.
    slowness: BTreeMap<ServerId, Slowness>,
    ledgers: BTreeMap<ServerId, Arc<Mutex<Ledger>>>,
    trace: Trace,
}

type Trace = Arc<Mutex<Vec<String>>>;

/// What a start reads of a server's disk: its log, and the commands that its snapshot holds.
#[derive(Debug)]
pub struct Opened {
    pub contents: Contents,
    pub commands: Vec<String>,
}

fn cluster_id() -> ClusterId {
    ClusterId::derive(&[b"cluster"])
}

fn config(id: ServerId, cluster: ClusterId) -> Config {
    let mut config = Config::new(id, cluster, Path::new("/data"));
    config.blocking = Blocking::Inline;
    config.sizes = Sizes {
        segment_bytes: 4096,
        snapshot_after_entries: 50,
        trailing_entries: 10,
        log_bytes_max: LOG_BYTES_MAX,
        chunk_bytes: 256,
        command_bytes_max: COMMAND_BYTES_MAX,
    };
    config
}

/// The recordings of all disks, counted together.
#[derive(Default)]
pub struct Recorded {
    pub counter: Counter,
    pub disks: BTreeMap<ServerId, Recording>,
}

impl Cluster {
    fn of_none(seed: u64) -> Self {
        Self {
            id: cluster_id(),
            seed,
            net: Net::default(),
            disks: BTreeMap::new(),
            recorded: None,
            slowness: BTreeMap::new(),
            ledgers: BTreeMap::new(),
            trace: Trace::default(),
        }
    }

    /// Server 1, which is all of it.
    pub async fn of_one(seed: u64) -> Self {
        Self::of_none(seed).begin().await
    }

    async fn begin(mut self) -> Self {
        self.start(1).await;
        self.raft(1).initialize("server-1").await.unwrap();
        self
    }

    /// Servers 1 to 3, joined.
    pub async fn of_three(seed: u64) -> Self {
        Self::of_one(seed).await.join().await
    }

    /// The same, on disks that record their calls.
    pub async fn of_three_recorded(seed: u64) -> Self {
        let mut cluster = Self::of_none(seed);
        cluster.recorded = Some(Recorded::default());
        cluster.begin().await.join().await
    }

    /// Servers that are started on what an earlier cluster left.
    pub async fn of_disks(seed: u64, disks: BTreeMap<ServerId, MemoryDisk>) -> Result<Self, StartError> {
        let ids: Vec<ServerId> = disks.keys().copied().collect();
        let mut cluster = Self { disks, ..Self::of_none(seed) };
        for id in ids {
            let raft = cluster.start_as(id, id).await?;
            cluster.net.servers.lock().unwrap().insert(id, raft);
        }
        Ok(cluster)
    }

    /// The recordings of all disks.
    pub fn recorded(&self) -> &Recorded {
        self.recorded.as_ref().unwrap()
    }

    async fn join(self) -> Self {
        let mut cluster = self;
        for id in 2..=3 {
            cluster.start(id).await;
        }
        for id in 2..=3 {
            cluster.raft(1).add_server(id, &format!("server-{id}"), 10 * SECOND).await.unwrap();
        }
        cluster
    }

    /// Starts a server on its disk, new or old.
    pub async fn start(&mut self, id: ServerId) {
        let raft = self.start_as(id, id).await.unwrap();
        self.net.servers.lock().unwrap().insert(id, raft);
    }

    /// Starts a server that says it is `claimed` on the disk of `id`.
    pub async fn start_as(&mut self, id: ServerId, claimed: ServerId) -> Result<Raft, StartError> {
        let disk: Arc<dyn Disk> = match &mut self.recorded {
            Some(Recorded { counter, disks }) => {
                Arc::new(disks.entry(id).or_insert_with(|| Recording::new(counter)).clone())
            }
            None => Arc::new(self.disks.entry(id).or_default().clone()),
        };
        let ledger = Arc::new(Mutex::new(Ledger { id, ..Ledger::default() }));
        ledger.lock().unwrap().trace = self.trace.clone();
        self.ledgers.insert(id, ledger.clone());
        let mut config = config(claimed, self.id);
        config.blocking = self.slowness.get(&id).map_or(Blocking::Inline, |slowness| Blocking::Slow(*slowness));
        let peers = Arc::new(NetOf { from: id, net: self.net.clone() });
        // Every start draws another number, as every start of a process does.
        let starts = self.trace.lock().unwrap().len() as u64;
        let seed = self.seed.wrapping_mul(1000) + id * 100_000 + starts;
        Raft::start(config, disk, peers, Box::new(Machinery(ledger)), seed).await
    }

    /// Reads what a stopped server left, as its start does.
    pub fn open(disk: &MemoryDisk, id: ServerId) -> Result<Opened, StartError> {
        let ledger = Arc::new(Mutex::new(Ledger { id, ..Ledger::default() }));
        let machine = Box::new(Machinery(ledger.clone()));
        let config = config(id, cluster_id());
        let opened = open(&config, Arc::new(disk.clone()), machine, Told::default(), CancellationToken::new());
        let (contents, _, _) = opened?;
        let commands = ledger.lock().unwrap().commands.clone();
        Ok(Opened { contents, commands })
    }

    /// Starts a server anew, on a disk that takes so long for each call as the answer says then.
    pub async fn restart_slow(&mut self, id: ServerId) -> Slowness {
        let slowness = Slowness(Box::leak(Box::default()));
        self.slowness.insert(id, slowness);
        self.kill(id).await;
        self.start(id).await;
        slowness
    }

    /// Gives a server that does not run this disk.
    pub fn put_disk(&mut self, id: ServerId, disk: MemoryDisk) {
        self.disks.insert(id, disk);
    }

    /// Stops a server as a person does.
    pub async fn stop(&mut self, id: ServerId) {
        let raft = self.net.servers.lock().unwrap().remove(&id);
        if let Some(raft) = raft {
            raft.shutdown().await;
        }
    }

    /// Kills a server; its disk keeps what was synced.
    pub async fn kill(&mut self, id: ServerId) {
        let raft = self.net.servers.lock().unwrap().remove(&id);
        self.note(format!("{id} killed"));
        // The disk loses power first, so that nothing that stopping writes is kept.
        self.disks[&id].crash();
        if let Some(raft) = raft {
            raft.shutdown().await;
        }
    }

    /// Cuts a server off, or connects it again.
    pub fn isolate(&self, id: ServerId, isolated: bool) {
        let mut cut = self.net.isolated.lock().unwrap();
        if isolated {
            cut.insert(id);
        } else {
            cut.remove(&id);
        }
    }

    pub fn raft(&self, id: ServerId) -> Raft {
        self.net.servers.lock().unwrap()[&id].clone()
    }

    pub fn disk(&self, id: ServerId) -> &MemoryDisk {
        &self.disks[&id]
    }

    /// The running servers that are not cut off.
    fn reachable(&self) -> Vec<(ServerId, Raft)> {
        let cut = self.net.isolated.lock().unwrap();
        let servers = self.net.servers.lock().unwrap();
        servers.iter().filter(|(id, _)| !cut.contains(id)).map(|(id, raft)| (*id, raft.clone())).collect()
    }

    /// The leader that the reachable servers have in the highest term.
    pub async fn leader(&self) -> ServerId {
        timeout(10 * SECOND, async {
            loop {
                let metrics: Vec<_> = self.reachable().into_iter().map(|(_, raft)| raft.metrics()).collect();
                let leader = metrics.iter().filter(|one| one.is_leader).max_by_key(|one| one.term);
                if let Some(leader) = leader
                    && metrics.iter().all(|one| one.term <= leader.term)
                {
                    return leader.id;
                }
                sleep(Duration::from_millis(5)).await;
            }
        })
        .await
        .expect("a leader is elected")
    }

    pub async fn follower(&self) -> ServerId {
        let leader = self.leader().await;
        self.reachable().into_iter().map(|(id, _)| id).find(|id| *id != leader).unwrap()
    }

    /// Writes as a client does: asks the leader, and another server when that one does not answer. Commands repeat only
    /// if they were certainly not taken.
    pub async fn write(&self, text: &str) -> Committed {
        timeout(30 * SECOND, async {
            loop {
                let leader = self.leader().await;
                match self.raft(leader).propose(Bytes::from(text.to_string()), 5 * SECOND).await {
                    Ok(committed) => {
                        self.note(format!("{text} committed at {} by {leader}", committed.index));
                        return committed;
                    }
                    Err(ProposeError::NotLeader { .. }) => sleep(Duration::from_millis(5)).await,
                    Err(error) => panic!("`{text}` at server {leader}: {error}"),
                }
            }
        })
        .await
        .expect("the write ends")
    }

    /// Waits until all reachable servers have applied the same.
    pub async fn settle(&self) {
        self.wait("all servers have applied the same", |cluster| {
            let metrics: Vec<_> = cluster.reachable().into_iter().map(|(_, raft)| raft.metrics()).collect();
            metrics.iter().all(|one| one.applied == metrics[0].last_log && one.last_log == metrics[0].last_log)
        })
        .await;
    }

    pub async fn wait(&self, what: &str, reached: impl Fn(&Self) -> bool) {
        let begin = Instant::now();
        while !reached(self) {
            assert!(begin.elapsed() < 30 * SECOND, "waited too long until {what}");
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// What a server has applied, in order.
    pub fn commands(&self, id: ServerId) -> Vec<String> {
        self.ledgers[&id].lock().unwrap().commands.clone()
    }

    /// How often a server's state was replaced by a snapshot since its last start.
    pub fn restored(&self, id: ServerId) -> usize {
        self.ledgers[&id].lock().unwrap().restored
    }

    pub fn trace(&self) -> Vec<String> {
        self.trace.lock().unwrap().clone()
    }

    fn note(&self, line: String) {
        note(&self.trace, &line);
    }
}

fn note(trace: &Trace, line: &str) {
    // The time since the first line, which is the time since the scenario began.
    thread_local!(static BEGIN: std::cell::Cell<Option<Instant>> = const { std::cell::Cell::new(None) });
    let mut trace = trace.lock().unwrap();
    let now = Instant::now();
    if trace.is_empty() {
        BEGIN.set(Some(now));
    }
    let elapsed = now - BEGIN.get().unwrap_or(now);
    trace.push(format!("{elapsed:?} {line}"));
}

/// The state: all commands in order.
#[derive(Default)]
struct Ledger {
    id: ServerId,
    commands: Vec<String>,
    last: Index,
    restored: usize,
    trace: Trace,
}

struct Machinery(Arc<Mutex<Ledger>>);

struct Frozen(Vec<String>);

impl Machine for Machinery {
    fn apply(&mut self, index: Index, term: Term, entry: &[u8]) -> Bytes {
        let mut ledger = self.0.lock().unwrap();
        assert!(index > ledger.last, "entries come in order");
        let text = String::from_utf8(entry.to_vec()).unwrap();
        note(&ledger.trace, &format!("{} applies {text} at {index} of term {term}", ledger.id));
        let answer = Bytes::from(format!("applied {text}"));
        ledger.last = index;
        ledger.commands.push(text);
        answer
    }

    fn advanced(&mut self, index: Index) {
        let mut ledger = self.0.lock().unwrap();
        assert!(index >= ledger.last, "what is published is never behind what is applied");
        ledger.last = index;
    }

    fn freeze(&self) -> Box<dyn FrozenState> {
        Box::new(Frozen(self.0.lock().unwrap().commands.clone()))
    }

    fn restore(&mut self, snapshot: &[u8]) -> io::Result<()> {
        let text = std::str::from_utf8(snapshot).map_err(io::Error::other)?;
        let mut ledger = self.0.lock().unwrap();
        ledger.commands = text.lines().map(str::to_string).collect();
        ledger.restored += 1;
        Ok(())
    }
}

impl FrozenState for Frozen {
    fn encode(&self) -> Vec<u8> {
        self.0.join("\n").into_bytes()
    }
}

/// The network: who runs, and who is cut off.
#[derive(Clone, Default)]
struct Net {
    servers: Arc<Mutex<BTreeMap<ServerId, Raft>>>,
    isolated: Arc<Mutex<BTreeSet<ServerId>>>,
}

impl Net {
    fn reach(&self, from: ServerId, to: ServerId, address: &str) -> Result<Raft, PeerError> {
        assert_eq!(address, format!("server-{to}"));
        let cut = self.isolated.lock().unwrap();
        if cut.contains(&from) || cut.contains(&to) {
            return Err(PeerError::Unreachable("cut off".to_string()));
        }
        let running = self.servers.lock().unwrap().get(&to).cloned();
        running.ok_or_else(|| PeerError::Unreachable("connection refused".to_string()))
    }
}

/// One server's view of the network.
struct NetOf {
    from: ServerId,
    net: Net,
}

#[async_trait]
impl Peers for NetOf {
    async fn call(&self, to: ServerId, address: &str, message: Bytes, _: Duration) -> Result<Bytes, PeerError> {
        sleep(LATENCY).await;
        let raft = self.net.reach(self.from, to, address)?;
        let reply = raft.handle(self.from, message).await;
        sleep(LATENCY).await;
        self.net.reach(self.from, to, address)?;
        Ok(reply)
    }

    async fn open(
        &self,
        to: ServerId,
        address: &str,
    ) -> Result<(mpsc::Sender<Bytes>, mpsc::Receiver<Bytes>), PeerError> {
        let raft = self.net.reach(self.from, to, address)?;
        let (requests, requests_there) = mpsc::channel(64);
        let (requests_here, incoming) = mpsc::channel(64);
        let (outgoing, replies_there) = mpsc::channel(64);
        let (replies_here, replies) = mpsc::channel(64);
        let (net, from, address) = (self.net.clone(), self.from, address.to_string());
        tokio::spawn(carry(net.clone(), from, to, address.clone(), requests_there, requests_here));
        tokio::spawn(carry(net, from, to, address, replies_there, replies_here));
        tokio::spawn(async move { raft.serve_appends(from, incoming, outgoing).await });
        Ok((requests, replies))
    }
}

/// Carries messages until an end closes, or the connection is cut.
async fn carry(
    net: Net,
    from: ServerId,
    to: ServerId,
    address: String,
    mut source: mpsc::Receiver<Bytes>,
    sink: mpsc::Sender<Bytes>,
) {
    while let Some(message) = source.recv().await {
        sleep(LATENCY).await;
        if net.reach(from, to, &address).is_err() || sink.send(message).await.is_err() {
            return;
        }
    }
}
