//! A cluster with many instances is backed up while it works, lost, and restored into new servers: its agents find them, no
//! container is restarted, and no index is used twice.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use client_agent::drivers::Driver as _;
use client_agent_core::Found;
use model::testing::job;
use model::{AllocationId, ClientStatus, ClusterId, Desired, Job, JobKey, NodeStatus, ServerId, Timestamp};
use proto::net::Peer;
use server::authority::{NewServer, ServerDescription};
use server::backup::{Backup, Header, going_on, pieces, prepare_first, read};
use server::cluster::{Cluster as _, Consistency};
use server::raft::Sizes;
use server::server::Server;
use server_core::apply::Answer;
use server_core::command::Command;
use server_core::state::State;
use tokio::time::{sleep, timeout};

use super::fleet::{FOLDER, Fleet, in_virtual_time};

/// How long anything that is waited for may take, in virtual time.
const WITHIN: Duration = Duration::from_secs(600);
/// How long the restored cluster is watched once all agents are back.
const WATCHED: Duration = Duration::from_secs(60);
/// Instances on each agent.
const PER_AGENT: u32 = 200;
/// Instances of the job that begins after the backup.
const AFTER: u32 = 5;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Instances that ran at the backup.
    pub allocations: usize,
    /// Bytes of the backup.
    pub backup_bytes: usize,
    /// Virtual time from the start of the new servers until every agent was back.
    pub attached_after: Duration,
    /// Containers that are not the ones that ran before.
    pub restarts: usize,
    /// Indexes of the lost cluster that the restored one used again.
    pub reused: u64,
    /// Whether the restored state is the one that was saved.
    pub same_hash: bool,
    /// What else was wrong.
    pub broken: Vec<String>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} allocations, backup of {} KiB, hash {}, agents back after {:.1} s, {} container restarts, {} indexes \
             reused, {} violations",
            self.allocations,
            self.backup_bytes / 1024,
            if self.same_hash { "equal" } else { "DIFFERENT" },
            self.attached_after.as_secs_f64(),
            self.restarts,
            self.reused,
            self.broken.len()
        )
    }
}

/// Plays it with so many instances.
pub fn play(seed: u64, instances: u32) -> Report {
    in_virtual_time(seed, async move {
        let mut report = Report::default();
        if let Err(why) = try_play(seed, instances, &mut report).await {
            report.broken.push(format!("seed {seed}: {why}"));
        }
        report
    })
}

/// A container that runs: which task it is of, and since when.
type Containers = BTreeMap<String, (AllocationId, Timestamp)>;

async fn try_play(seed: u64, instances: u32, report: &mut Report) -> Result<(), String> {
    let mut fleet = begin(seed, instances.div_ceil(PER_AGENT)).await?;
    let key = register(&fleet, document("many", instances)).await?;
    until(&fleet, "all instances run", |state| running(state, &key) == instances as usize).await?;

    let (load, ends) = load(fleet.running());
    sleep(Duration::from_secs(2)).await;
    let (bytes, saved) = save(&fleet).await?;
    sleep(Duration::from_secs(2)).await;
    let after = register(&fleet, document("after", AFTER)).await?;
    until(&fleet, "what comes after the backup runs", |state| running(state, &after) == AFTER as usize).await?;
    ends.send_replace(true);
    load.await.map_err(|error| error.to_string())?;
    report.allocations = running(&saved, &key);
    report.backup_bytes = bytes.len();
    let before = containers(&fleet, Some(&saved)).await?;
    let last = fleet.leader().await.state().index();
    for id in 1..=3 {
        fleet.kill_server(id).await;
    }
    sleep(Duration::from_secs(30)).await;

    let began = tokio::time::Instant::now();
    report.broken.extend(fleet.rules.broken());
    // Terms are counted anew from the backup's.
    fleet.rules = Arc::default();
    report.same_hash = restore(&mut fleet, &bytes).await? == saved.contents_hash();
    let all_ready = |state: &State| state.nodes().all(|node| node.status == NodeStatus::Ready) && state.epoch() == 1;
    sleep(Duration::from_secs(5)).await;
    until(&fleet, "every agent is back", all_ready).await?;
    report.attached_after = began.elapsed();
    sleep(WATCHED).await;

    let state = fleet.leader().await.state();
    if running(&state, &key) != instances as usize {
        report.broken.push(format!("{} of {instances} run afterwards", running(&state, &key)));
    }
    let now = containers(&fleet, None).await?;
    report.restarts = before.iter().filter(|(handle, container)| now.get(*handle) != Some(container)).count();
    if now.len() != before.len() {
        report.broken.push(format!("{} containers run where {} are wanted", now.len(), before.len()));
    }
    let next = register(&fleet, document("next", 1)).await?;
    let index = fleet.leader().await.state().job(&next).map_or(0, |known| known.create_index);
    report.reused = (last + 1).saturating_sub(index);
    until(&fleet, "new work runs", |state| running(state, &next) == 1).await?;
    report.broken.extend(fleet.rules.broken());
    Ok(())
}

async fn begin(seed: u64, agents: u32) -> Result<Fleet, String> {
    let mut fleet = Fleet::new(seed, ClusterId::derive(&[b"backup"]), Sizes::default());
    for id in 1..=3 {
        let peers = (1..=3).map(|id| Peer::server(id, address(id))).collect();
        fleet.start_server(id, &address(id), id == 1, peers).await.map_err(|error| error.to_string())?;
    }
    let servers: Vec<String> = (1..=3).map(address).collect();
    for number in 1..=agents {
        fleet.start_agent(number.into(), &servers, |config| {
            config.cpu_total_compute_mhz = Some(10_000);
            config.memory_total_mb = Some(10_000);
            config.disk_total_mb = Some(10_000);
        });
    }
    until(&fleet, "all nodes are there", |state| state.node_count() == agents as usize).await?;
    Ok(fleet)
}

fn address(id: ServerId) -> String {
    format!("s{id}:4647")
}

fn document(id: &str, count: u32) -> Job {
    let mut document = job(id).count(count);
    let group = &mut document.groups[0];
    group.update = None;
    group.ephemeral_disk.size_mb = 1;
    group.tasks[0].resources.cpu = 10;
    group.tasks[0].resources.memory = 10;
    document
}

async fn register(fleet: &Fleet, document: Job) -> Result<JobKey, String> {
    let key = document.key();
    let command = Command::RegisterJob { job: Arc::new(document), check_index: None, submission: None };
    match fleet.leader().await.propose("backup", None, command).await {
        Ok(Answer::Accepted(_)) => Ok(key),
        other => Err(format!("{key} was answered {other:?}")),
    }
}

fn running(state: &State, key: &JobKey) -> usize {
    let runs =
        |known: &&Arc<model::Allocation>| known.desired == Desired::Run && known.client_status == ClientStatus::Running;
    state.allocations_of_job(key).filter(runs).count()
}

/// Has something changed all the time, until it is told to end.
fn load(servers: Vec<Server>) -> (tokio::task::JoinHandle<()>, tokio::sync::watch::Sender<bool>) {
    let (ends, ended) = tokio::sync::watch::channel(false);
    let work = async move {
        for number in 0usize.. {
            if *ended.borrow() {
                return;
            }
            let mut document = document("load", 0);
            document.priority = 1 + (number % 90) as u32;
            let command = Command::RegisterJob { job: Arc::new(document), check_index: None, submission: None };
            // Whether it is taken is not the point.
            let _ = servers[number % servers.len()].propose("load", None, command).await;
            sleep(Duration::from_millis(50)).await;
        }
    };
    (tokio::spawn(work), ends)
}

/// A backup as a server takes it, and the state that it holds.
async fn save(fleet: &Fleet) -> Result<(Vec<u8>, State), String> {
    let view = fleet.leader().await.view(Consistency::Linearizable).await.map_err(|error| error.to_string())?;
    let state = view.state;
    let header = Header {
        cluster: state.cluster(),
        epoch: state.epoch(),
        index: state.index(),
        term: state.term(),
        cluster_version: state.cluster_version(),
        taken_at: Timestamp::default(),
        server: 1,
        release: String::new(),
        contents: String::new(),
    };
    let backup = Backup { header, state: state.encode(), certificate_pem: String::new(), sealed: None };
    Ok((pieces(&backup).concat(), State::clone(&state)))
}

/// New servers under new ids at the old addresses: the first begins with the backup, the others join it. Gives the hash
/// of what the first began with.
async fn restore(fleet: &mut Fleet, bytes: &[u8]) -> Result<[u8; 32], String> {
    let backup = read(bytes).map_err(|error| error.to_string())?;
    let state = State::decode(&backup.state).map_err(|error| error.to_string())?;
    let new: Vec<NewServer> =
        (1..=3).map(|place| NewServer { name: format!("new-{place}"), address: address(place) }).collect();
    let now = seams::Clock::now(&*fleet.clock);
    let (state, ids) = going_on(&state, &new, now);
    let first = ServerDescription { id: ids[0], name: new[0].name.clone(), address: new[0].address.clone() };
    let disk = Arc::new(fleet.disk(ids[0]));
    prepare_first(disk, FOLDER.as_ref(), &state, &first).map_err(|error| error.to_string())?;
    let peers: Vec<Peer> = ids.iter().zip(&new).map(|(id, server)| Peer::server(*id, server.address.clone())).collect();
    let mut hash = None;
    for (id, server) in ids.iter().zip(&new) {
        let server = fleet.start_server(*id, &server.address, false, peers.clone()).await;
        let server = server.map_err(|error| error.to_string())?;
        hash.get_or_insert_with(|| server.state().contents_hash());
    }
    hash.ok_or_else(|| "no server was started".into())
}

/// What runs on all nodes; with `of`, only what belongs to an allocation that it knows.
async fn containers(fleet: &Fleet, of: Option<&State>) -> Result<Containers, String> {
    let mut all = Containers::new();
    for driver in fleet.drivers() {
        for container in driver.list().await.map_err(|error| error.to_string())? {
            let Found::Running { handle, started_at } = container.found else { continue };
            if of.is_none_or(|state| state.allocation(container.allocation).is_some()) {
                all.insert(handle, (container.allocation, started_at));
            }
        }
    }
    Ok(all)
}

/// Waits until the leader's state is so.
async fn until(fleet: &Fleet, what: &str, is_so: impl Fn(&State) -> bool) -> Result<(), String> {
    let look = async {
        while !is_so(&fleet.leader().await.state()) {
            sleep(Duration::from_millis(500)).await;
        }
    };
    timeout(WITHIN, look).await.map_err(|_| format!("it never comes that {what}"))
}
