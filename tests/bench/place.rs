//! P1: how fast many large jobs are placed, from the first submission to the commit of the last plan.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use model::testing::job;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::browse::Client;
use super::cluster::Cluster;
use super::cpu::{Cpu, resident_mb, seconds};
use super::fleet::{Fleet, Trouble};
use super::size::Size;
use core_bench::numbers::rates_by_decile;

/// What a task asks for, as in C1M.
pub const CPU_MHZ: u64 = 20;
/// What a task asks for, as in C1M.
pub const MEMORY_MB: u64 = 15;
/// What a task asks for: the default.
const DISK_MB: u64 = 300;
/// Clients that submit at the same time, spread over the servers.
const CLIENTS: usize = 6;
/// How long all instances may take to run once their plans are committed, beside a while for each.
const RUN_WITHIN: Duration = Duration::from_secs(60);
const RUN_WITHIN_EACH: Duration = Duration::from_millis(2);
/// How long deployments may take to end once all instances run.
const CALM_WITHIN: Duration = Duration::from_secs(120);

/// What came out.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Instances.
    pub placements: u64,
    /// From the first submission to the commit of the last plan.
    pub until_committed: Duration,
    /// From the first submission to the last answer to one.
    pub until_submitted: Duration,
    /// From the first submission to the last start on a node.
    pub until_started: Duration,
    /// From the first submission to when the servers knew that all run.
    pub until_running: Duration,
    /// Placements per second in each tenth of the jobs, in the order of their commits.
    pub deciles: Vec<f64>,
    /// CPU time until the last plan was committed.
    pub cpu_committed: Cpu,
    /// CPU time until all run.
    pub cpu_running: Cpu,
    /// Memory of the three servers at the end.
    pub servers_mb: u64,
    /// What servers and agents missed of each other meanwhile.
    pub trouble: Trouble,
}

impl Placed {
    /// Placements per second.
    pub fn rate(&self) -> f64 {
        self.placements as f64 / self.until_committed.as_secs_f64()
    }
}

impl fmt::Display for Placed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deciles: Vec<_> = self.deciles.iter().map(|rate| format!("{rate:.0}")).collect();
        write!(
            f,
            "{} placements committed in {} ({:.0}/s; by decile {}), submitted in {}, started in {}, known to run in {}; \
             CPU to commit: {:.1} s servers, {:.1} s load, {:.1} s others; {} MiB in the servers; {}",
            self.placements,
            seconds(self.until_committed),
            self.rate(),
            deciles.join(" "),
            seconds(self.until_submitted),
            seconds(self.until_started),
            seconds(self.until_running),
            self.cpu_committed.servers,
            self.cpu_committed.load,
            self.cpu_committed.others,
            self.servers_mb,
            self.trouble,
        )
    }
}

/// Submits all jobs and waits until every instance runs.
pub async fn measure(size: Size, cluster: &Cluster, fleet: &Fleet) -> Result<Placed, String> {
    let trouble = fleet.trouble(cluster);
    let cpu = cluster.cpu();
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for number in 0..CLIENTS {
        let server = cluster.http()[number % 3];
        clients.spawn(async move { submit(size, server, (number..size.jobs).step_by(CLIENTS)).await });
    }
    let mut watchers = JoinSet::new();
    let mut until_submitted = Duration::ZERO;
    while let Some(submitted) = clients.join_next().await {
        let (at, submitted) = submitted.map_err(|error| error.to_string())??;
        until_submitted = until_submitted.max(at.duration_since(began));
        submitted.into_iter().for_each(|watcher| drop(watchers.spawn(watcher)));
    }
    let mut committed = Vec::new();
    while let Some(decided) = watchers.join_next().await {
        let at = decided.map_err(|error| error.to_string())?.map_err(|error| error.to_string())??;
        committed.push(at.duration_since(began));
    }
    committed.sort();
    let cpu_committed = cluster.cpu().since(cpu);
    let placements = size.placements();
    let deadline = Instant::now() + RUN_WITHIN + RUN_WITHIN_EACH * placements as u32;
    let wanted = on_streams(size, cluster).await?;
    while fleet.starts.count() < wanted {
        if Instant::now() > deadline {
            return Err(format!("{} of {wanted} instances started", fleet.starts.count()));
        }
        sleep(Duration::from_millis(10)).await;
    }
    let until_started = fleet.starts.newest().unwrap_or(began).duration_since(began);
    await_running(size, wanted, cluster, deadline).await?;
    let until_running = began.elapsed();
    let cpu_running = cluster.cpu().since(cpu);
    let trouble = fleet.trouble(cluster).since(trouble)?;
    Ok(Placed {
        placements,
        until_committed: committed.last().copied().unwrap_or_default(),
        until_submitted,
        until_started,
        until_running,
        deciles: rates_by_decile(Duration::ZERO, &committed, f64::from(size.instances)),
        cpu_committed,
        cpu_running,
        servers_mb: resident_mb(&cluster.ids()),
        trouble,
    })
}

type Watcher = tokio::task::JoinHandle<Result<Instant, String>>;

/// Submits some of the jobs one after the other. Each is watched from its answer on.
async fn submit(
    size: Size,
    server: SocketAddr,
    numbers: impl Iterator<Item = usize>,
) -> Result<(Instant, Vec<Watcher>), String> {
    let mut client = Client::connect(server).await?;
    let mut watchers = Vec::new();
    for number in numbers {
        let evaluation = register(&mut client, &name(number), size.instances, size.min_healthy).await?;
        watchers.push(tokio::spawn(watch(server, evaluation)));
    }
    Ok((Instant::now(), watchers))
}

/// The name of a job.
fn name(number: usize) -> String {
    format!("load-{number}")
}

/// Registers a service job of the fake driver, with a deployment as by default; its evaluation.
pub async fn register(client: &mut Client, name: &str, count: u32, min_healthy: Duration) -> Result<String, String> {
    let mut document = job(name).count(count);
    for group in &mut document.groups {
        // Room for the logs that a task may keep by default.
        group.ephemeral_disk.size_mb = DISK_MB;
        if let Some(update) = &mut group.update {
            update.min_healthy_time = min_healthy;
        }
    }
    for task in document.groups.iter_mut().flat_map(|group| &mut group.tasks) {
        task.resources.cpu = CPU_MHZ;
        task.resources.memory = MEMORY_MB;
    }
    let body = serde_json::to_vec(&json!({ "Job": document })).map_err(|error| error.to_string())?;
    let answer = client.put("/v1/jobs", Bytes::from(body)).await?.json;
    match answer["EvalID"].as_str() {
        Some(id) if !id.is_empty() => Ok(id.to_owned()),
        _ => Err(format!("job {name} got no evaluation: {answer}")),
    }
}

/// Waits by blocking queries until an evaluation is decided; when that was seen. Everything must have found room.
async fn watch(server: SocketAddr, evaluation: String) -> Result<Instant, String> {
    let mut client = Client::connect(server).await?;
    let path = format!("/v1/evaluation/{evaluation}");
    let mut reply = client.get(&path).await?;
    while reply.json["Status"] == "pending" {
        reply = client.get_after(&path, reply.index).await?;
    }
    let at = Instant::now();
    let found_room = reply.json["FailedTGAllocs"].is_null();
    match reply.json["Status"].as_str() {
        Some("complete") if found_room => Ok(at),
        _ => Err(format!("evaluation {evaluation} ended with {}", reply.json)),
    }
}

/// How many instances were placed on nodes that have an agent.
async fn on_streams(size: Size, cluster: &Cluster) -> Result<u64, String> {
    if size.streams == size.nodes {
        return Ok(size.placements());
    }
    let mut client = Client::connect(cluster.http()[0]).await?;
    // The last commit may have been seen on another server. Use is told as this one knows it; before it answers this, it
    // knows of every commit.
    client.get(&format!("/v1/job/{}/summary", name(0))).await?;
    let usage = client.get("/v1/nodes/usage").await?.json;
    let nodes = usage["Nodes"].as_array().ok_or("there is no list of nodes")?;
    let has_stream = |node: &&serde_json::Value| {
        let number = node["Name"].as_str().and_then(|name| name.strip_prefix('n')?.parse().ok());
        number.is_some_and(|number: usize| number < size.streams)
    };
    let memory = |node: &serde_json::Value| node["Reserved"]["MemoryMB"].as_u64().unwrap_or_default();
    let placed = nodes.iter().map(memory).sum::<u64>() / MEMORY_MB;
    if placed != size.placements() {
        return Err(format!("nodes hold {placed} instances"));
    }
    Ok(nodes.iter().filter(has_stream).map(memory).sum::<u64>() / MEMORY_MB)
}

/// Waits until a server knows of so many instances that they run; any, whoever leads.
async fn await_running(size: Size, wanted: u64, cluster: &Cluster, deadline: Instant) -> Result<(), String> {
    let mut client = Client::connect(cluster.http()[0]).await?;
    loop {
        let mut running = 0;
        for number in 0..size.jobs {
            let summary = client.get(&format!("/v1/job/{}/summary?stale", name(number))).await?.json;
            running += summary["Summary"][name(number)]["Running"].as_u64().unwrap_or_default();
        }
        if running == wanted {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{running} of {wanted} instances are known to run"));
        }
        // Looking at all of them takes its time, of which servers and agents shall have most.
        sleep(Duration::from_millis(200)).await;
    }
}

/// Waits until no deployment is under way and nothing waits for a decision.
pub async fn calm(cluster: &Cluster) -> Result<(), String> {
    let mut client = Client::connect(cluster.http()[0]).await?;
    let deadline = Instant::now() + CALM_WITHIN;
    loop {
        let deployments = client.get("/v1/deployments").await?.json;
        let is_under_way = |known: &&serde_json::Value| known["Status"] != "successful";
        let under_way = deployments.as_array().into_iter().flatten().filter(is_under_way).count();
        let pending = client.get("/v1/evaluations?status=pending").await?.json;
        let pending = pending.as_array().map_or(0, Vec::len);
        if under_way == 0 && pending == 0 {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(format!("{under_way} deployments are not successful, {pending} evaluations wait"));
        }
        sleep(Duration::from_millis(500)).await;
    }
}
