//! P3: how long a job of one task takes from its submission until a watcher sees it run, at a fixed rate.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use super::browse::Client;
use super::cluster::Cluster;
use super::cpu::Cpu;
use super::fleet::{Fleet, Trouble};
use super::place::register;
use super::size::Size;
use core_bench::numbers::percentile;

/// A job that does not run within this voids the measurement.
const RUN_WITHIN: Duration = Duration::from_secs(60);

/// What came out.
#[derive(Clone, Debug)]
pub struct Latency {
    /// Jobs per second.
    pub rate: u32,
    /// Jobs.
    pub jobs: usize,
    /// From the moment when a job was due to be sent until its answer: p50 and p99.
    pub answered: [Duration; 2],
    /// From the same moment until a watcher saw it run: p50, p99 and the worst.
    pub running: [Duration; 3],
    /// CPU time meanwhile.
    pub cpu: Cpu,
    /// How long it lasted.
    pub lasted: Duration,
    /// What servers and agents missed of each other meanwhile.
    pub trouble: Trouble,
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |duration: &Duration| format!("{:.0} ms", duration.as_secs_f64() * 1e3);
        let [p50, p99, worst] = &self.running;
        let [answered_p50, answered_p99] = &self.answered;
        write!(
            f,
            "{} jobs at {}/s, submit to running seen: p50 {}, p99 {}, worst {}; submit to answer: p50 {}, p99 {}; \
             CPU in {:.0} s: {:.1} s servers, {:.1} s load, {:.1} s others; {}",
            self.jobs,
            self.rate,
            ms(p50),
            ms(p99),
            ms(worst),
            ms(answered_p50),
            ms(answered_p99),
            self.lasted.as_secs_f64(),
            self.cpu.servers,
            self.cpu.load,
            self.cpu.others,
            self.trouble,
        )
    }
}

/// Submits jobs at the rate, whatever becomes of those before.
pub async fn measure(size: Size, rate: u32, cluster: &Cluster, fleet: &Fleet) -> Result<Latency, String> {
    let trouble = fleet.trouble(cluster);
    let cpu = cluster.cpu();
    let began = Instant::now();
    let connections = Arc::new(Connections::default());
    let mut jobs = JoinSet::new();
    for number in 0..u64::from(rate) * size.during.as_secs() {
        let due = began + Duration::from_secs(1) * number as u32 / rate;
        sleep_until(due).await;
        let server = cluster.http()[number as usize % 3];
        let connections = connections.clone();
        jobs.spawn(async move {
            let name = name(rate, number);
            let job = run_one(&connections, server, &name, due, size.min_healthy);
            match timeout(RUN_WITHIN, job).await {
                Ok(done) => done,
                Err(_) => Err(format!("job {name} does not run within {RUN_WITHIN:?}: {}", look(server, &name).await)),
            }
        });
    }
    let (mut answered, mut running) = (Vec::new(), Vec::new());
    while let Some(done) = jobs.join_next().await {
        let [answer, run] = done.map_err(|error| error.to_string())??;
        answered.push(answer);
        running.push(run);
    }
    let lasted = began.elapsed();
    let cpu = cluster.cpu().since(cpu);
    let trouble = fleet.trouble(cluster).since(trouble)?;
    answered.sort();
    running.sort();
    Ok(Latency {
        rate,
        jobs: running.len(),
        answered: [percentile(&answered, 50), percentile(&answered, 99)],
        running: [percentile(&running, 50), percentile(&running, 99), percentile(&running, 100)],
        cpu,
        lasted,
        trouble,
    })
}

/// Characters that are shown of a job that does not run.
const SHOWN_MAX: usize = 400;

/// How a job stands that does not run.
async fn look(server: SocketAddr, name: &str) -> String {
    let mut said = String::new();
    for what in ["allocations", "evaluations"] {
        let reply = match Client::connect(server).await {
            Ok(mut client) => client.get(&format!("/v1/job/{name}/{what}")).await,
            Err(error) => Err(error),
        };
        said.push_str(&reply.map_or_else(|error| error, |reply| format!("{what} {} ", reply.json)));
    }
    said.chars().take(SHOWN_MAX).collect()
}

/// The name of a job.
fn name(rate: u32, number: u64) -> String {
    format!("arrival-{rate}-{number}")
}

/// Submits one job and watches it until it runs: how long answer and run took since it was `due`.
async fn run_one(
    connections: &Connections,
    server: SocketAddr,
    name: &str,
    due: Instant,
    min_healthy: Duration,
) -> Result<[Duration; 2], String> {
    let mut client = connections.take(server).await?;
    register(&mut client, name, 1, min_healthy).await?;
    let answered = due.elapsed();
    let path = format!("/v1/job/{name}/allocations");
    let mut reply = client.get(&path).await?;
    loop {
        let statuses = reply.json.as_array().into_iter().flatten().map(|known| &known["ClientStatus"]);
        let mut statuses = statuses.filter_map(|status| status.as_str());
        match statuses.next() {
            Some("running") => break,
            Some("pending") | None => {}
            Some(other) => return Err(format!("job {name} is {other}")),
        }
        reply = client.get_after(&path, reply.index).await?;
    }
    let running = due.elapsed();
    connections.give_back(client);
    Ok([answered, running])
}

/// A connection that was idle for longer is not used again: servers close those that say nothing for ten seconds.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// Connections that nobody uses now, each with the time since when.
#[derive(Default)]
struct Connections {
    idle: Mutex<BTreeMap<SocketAddr, Vec<(Instant, Client)>>>,
}

impl Connections {
    async fn take(&self, server: SocketAddr) -> Result<Client, String> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).entry(server).or_default().pop();
        match idle {
            Some((since, client)) if since.elapsed() < IDLE_MAX => Ok(client),
            Some(_) | None => Client::connect(server).await,
        }
    }

    fn give_back(&self, client: Client) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.entry(client.address()).or_default().push((Instant::now(), client));
    }
}
