//! The whole agent in one process: a scripted server over the network seam, the fake driver, a paused clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use model::testing::job;
use model::{
    AllocationId, Assignment, Check, ClientStatus, ClusterId, Desired, DocumentId, Index, Job, Network, NetworkMode,
    NodeId, Observation, Service, StopReason, TaskPhase, Timestamp,
};
use proto::convert::{
    allocation_from_bytes, allocation_to_bytes, assignment_to_wire, document_from_wire, document_to_wire,
    observation_from_wire,
};
use proto::net::{CHANNEL_FRAMES_MAX, Channel, Dialer, NetError, Peer};
use proto::wire::{self, AgentDown, Frame, Request, Response, agent_down, agent_up, frame, hello, order};
use seams::{Clock, Random};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::run;
use crate::config::{AgentConfig, AgentSeams};
use crate::drivers::Driver;
use crate::drivers::fake::FakeDriver;
use crate::host::{FixedHost, HostFacts};
use crate::rpc::{BEAT_INTERVAL_FIRST, SILENCE_GRACE};
use crate::store::{MemoryStore, Store};

/// Virtual time within which everything expected must have happened.
const PATIENCE: Duration = Duration::from_secs(120);

struct TestClock(Instant);

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1000) + self.0.elapsed()
    }
}

struct TestRandom(AtomicU64);

impl Random for TestRandom {
    fn next_u64(&self) -> u64 {
        self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed).rotate_left(17)
    }
}

/// Hands the server's end of each conversation to the test.
struct TestDialer {
    opened: mpsc::UnboundedSender<(Peer, Channel)>,
    away: Mutex<BTreeSet<String>>,
}

#[async_trait]
impl Dialer for TestDialer {
    async fn call(&self, peer: &Peer, _: Request, _: Duration) -> Result<Response, NetError> {
        Err(NetError::Unreachable { address: peer.address.clone(), reason: "agents do not call".into() })
    }

    async fn open(&self, peer: &Peer, _: Duration) -> Result<Channel, NetError> {
        if self.away.lock().unwrap().contains(&peer.address) {
            return Err(NetError::Unreachable { address: peer.address.clone(), reason: "refused".into() });
        }
        let (to_server, from_agent) = mpsc::channel(CHANNEL_FRAMES_MAX);
        let (to_agent, from_server) = mpsc::channel(CHANNEL_FRAMES_MAX);
        self.opened.send((peer.clone(), Channel { sender: to_agent, receiver: from_agent.into() })).unwrap();
        Ok(Channel { sender: to_server, receiver: from_server.into() })
    }
}

/// A server, a node, and what the two know of each other.
struct Bench {
    clock: Arc<TestClock>,
    fake: Arc<FakeDriver>,
    store: MemoryStore,
    dialer: Arc<TestDialer>,
    opened: mpsc::UnboundedReceiver<(Peer, Channel)>,
    agent: Option<JoinHandle<()>>,
    shutdown: CancellationToken,
    stream: Option<(Peer, Channel)>,
    deaf: bool,
    /// Beats that were heard.
    beats: u32,
    cluster: ClusterId,
    jobs: BTreeMap<DocumentId, Job>,
    /// Index of the first registration of the jobs that are wanted from now on.
    registered_at: Index,
    wanted: BTreeMap<AllocationId, Assignment>,
    index: u64,
    observed: BTreeMap<AllocationId, Observation>,
    hellos: Vec<wire::AgentHello>,
    leases: Vec<u64>,
    registered: Option<wire::NodeDescription>,
    fetched: usize,
    /// Where the agent makes volumes and finds secrets.
    folder: Option<PathBuf>,
}

impl Bench {
    async fn new() -> Bench {
        Self::in_folder(None).await
    }

    async fn in_folder(folder: Option<PathBuf>) -> Bench {
        let clock = Arc::new(TestClock(Instant::now()));
        let (sender, opened) = mpsc::unbounded_channel();
        let mut bench = Bench {
            fake: FakeDriver::new(clock.clone(), 1),
            clock,
            store: MemoryStore::default(),
            dialer: Arc::new(TestDialer { opened: sender, away: Mutex::default() }),
            opened,
            agent: None,
            shutdown: CancellationToken::new(),
            stream: None,
            deaf: false,
            beats: 0,
            cluster: ClusterId::derive(&[b"cluster"]),
            jobs: BTreeMap::new(),
            registered_at: 1,
            wanted: BTreeMap::new(),
            index: 0,
            observed: BTreeMap::new(),
            hellos: Vec::new(),
            leases: Vec::new(),
            registered: None,
            fetched: 0,
            folder,
        };
        bench.start_agent();
        bench
    }

    fn start_agent(&mut self) {
        let cluster = ClusterId::derive(&[b"cluster"]);
        let mut config = AgentConfig::new(cluster, NodeId::derive(&[b"n1"]), "n1");
        config.servers = vec![Peer::any("s1:1"), Peer::any("s2:1")];
        config.volumes_folder = self.folder.as_ref().map(|folder| folder.join("volumes"));
        config.secrets.folder = self.folder.as_ref().map(|folder| folder.join("secrets"));
        config.named_networks.insert("cni/lan".into(), "lan0".into());
        let facts = HostFacts { cores: 4, core_mhz: 1000, memory_bytes: 8 << 30, ..HostFacts::default() };
        let seams = AgentSeams {
            dialer: self.dialer.clone(),
            clock: self.clock.clone(),
            random: Arc::new(TestRandom(AtomicU64::new(7))),
            drivers: vec![self.fake.clone() as Arc<dyn Driver>],
            store: Arc::new(self.store.clone()),
            host: Arc::new(FixedHost { facts, ..FixedHost::default() }),
        };
        let shutdown = self.shutdown.clone();
        self.agent = Some(tokio::spawn(async move { run(config, seams, shutdown).await.unwrap() }));
    }

    /// Ends the agent as `kill -9` does, and starts another.
    fn restart_agent(&mut self) {
        self.agent.take().unwrap().abort();
        self.start_agent();
    }

    /// Wants an instance of `job` to run, with these successions.
    fn want(&mut self, name: &str, job: &Job, after: &[&str]) -> AllocationId {
        let id = allocation(name);
        let document = DocumentId { job: job.key(), create_index: self.registered_at, version: 0 };
        self.jobs.entry(document.clone()).or_insert_with(|| job.clone());
        self.index += 1;
        let assignment = Assignment {
            allocation: id,
            document,
            group: job.groups[0].name.clone(),
            index: 0,
            ports: Vec::new(),
            cores: Vec::new(),
            devices: Vec::new(),
            after: after.iter().map(|name| allocation(name)).collect(),
            deployment: None,
            desired: Desired::Run,
            generation: self.index,
        };
        self.wanted.insert(id, assignment);
        id
    }

    fn want_stop(&mut self, id: AllocationId) {
        self.index += 1;
        let assignment = self.wanted.get_mut(&id).unwrap();
        assignment.desired = Desired::Stop(StopReason::JobStopped);
        assignment.generation = self.index;
    }

    fn wanted_set(&self) -> wire::Wanted {
        let item = |it: &Assignment| wire::WantedItem {
            allocation: allocation_to_bytes(it.allocation),
            generation: it.generation,
        };
        wire::Wanted { epoch: 1, index: self.index, items: self.wanted.values().map(item).collect(), news: None }
    }

    async fn tell_wanted(&self) {
        self.tell(agent_down::Body::Wanted(self.wanted_set())).await;
    }

    async fn tell(&self, body: agent_down::Body) {
        if let Some((_, stream)) = &self.stream {
            let down = frame::Body::Down(AgentDown { body: Some(body) });
            let _ = stream.sender.send(Frame { body: Some(down) }).await;
        }
    }

    /// Serves the agent until `done` holds of what is known.
    async fn until(&mut self, what: &str, done: impl Fn(&Bench) -> bool) {
        let serve = async {
            while !done(self) {
                self.serve_once().await;
            }
        };
        timeout(PATIENCE, serve).await.unwrap_or_else(|_| panic!("in vain waited for: {what}"));
    }

    /// Serves the agent for so long.
    async fn serve(&mut self, duration: Duration) {
        let forever = async {
            loop {
                self.serve_once().await;
            }
        };
        let _ = timeout(duration, forever).await;
    }

    async fn serve_once(&mut self) {
        let frame = {
            let stream = &mut self.stream;
            let next = async {
                match stream {
                    Some((_, channel)) => channel.receiver.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                opened = self.opened.recv() => {
                    let (peer, mut channel) = opened.unwrap();
                    let first = channel.receiver.recv().await;
                    let Some(Frame { body: Some(frame::Body::Hello(wire::Hello { body: Some(hello) })) }) = first else {
                        return;
                    };
                    let hello::Body::Agent(hello) = hello else { panic!("not an agent's hello: {hello:?}") };
                    self.hellos.push(hello);
                    self.stream = Some((peer, channel));
                    let welcome = wire::Welcome {
                        cluster: bytes::Bytes::copy_from_slice(self.cluster.as_bytes()),
                        beat_interval_ms: 1000,
                        servers: Vec::new(),
                    };
                    self.tell(agent_down::Body::Welcome(welcome)).await;
                    self.tell_wanted().await;
                    return;
                }
                frame = next => frame,
            }
        };
        match frame.map(|frame| frame.body) {
            Some(Some(frame::Body::Up(up))) => self.take(up.body.unwrap()).await,
            Some(other) => panic!("unexpected frame {other:?}"),
            None => self.stream = None,
        }
    }

    async fn take(&mut self, up: agent_up::Body) {
        match up {
            agent_up::Body::Beat(_) if self.deaf => {}
            agent_up::Body::Beat(beat) => {
                self.beats += 1;
                self.tell(agent_down::Body::BeatHeard(beat.sequence)).await;
            }
            agent_up::Body::Observations(observations) => {
                for item in &observations.items {
                    let observation = observation_from_wire(item).unwrap();
                    self.observed.insert(observation.allocation, observation);
                }
                self.tell(agent_down::Body::ObservationsKept(observations.sequence)).await;
            }
            agent_up::Body::Fetch(fetch) => {
                self.fetched += 1;
                let ids = fetch.allocations.iter().map(|id| allocation_from_bytes("id", id).unwrap());
                let assignments = ids.filter_map(|id| self.wanted.get(&id)).map(assignment_to_wire).collect();
                let body = |version: &wire::JobVersion| wire::JobBody {
                    version: Some(version.clone()),
                    document: serde_json::to_vec(&self.jobs[&document_from_wire(version)]).unwrap().into(),
                };
                let jobs = fetch.jobs.iter().map(body).collect();
                self.tell(agent_down::Body::Bodies(wire::Bodies { assignments, jobs })).await;
            }
            agent_up::Body::Lease(lease) => self.leases.push(lease.milliseconds),
            agent_up::Body::Register(node) => self.registered = Some(node),
        }
    }

    async fn until_status(&mut self, id: AllocationId, status: ClientStatus) {
        self.until(status.as_str(), |bench| bench.status(id) == Some(status)).await;
    }

    fn status(&self, id: AllocationId) -> Option<ClientStatus> {
        self.observed.get(&id).map(|observation| observation.client_status)
    }

    /// Gives an order and answers its data and end.
    async fn order(&mut self, body: order::Body) -> (String, wire::End) {
        self.tell(agent_down::Body::Order(wire::Order { id: 9, body: Some(body) })).await;
        let (peer, mut answer) = self.opened.recv().await.unwrap();
        assert_eq!(Some(&peer), self.stream.as_ref().map(|(peer, _)| peer), "the server that asked is answered");
        let mut text = Vec::new();
        loop {
            match answer.receiver.recv().await.and_then(|frame| frame.body) {
                Some(frame::Body::Hello(hello)) => {
                    assert_eq!(hello.body, Some(hello::Body::Answer(wire::OrderAnswer { order: 9 })));
                }
                Some(frame::Body::Data(data)) => text.extend_from_slice(&data),
                Some(frame::Body::End(end)) => return (String::from_utf8(text).unwrap(), end),
                other => panic!("unexpected frame {other:?}"),
            }
        }
    }
}

fn allocation(name: &str) -> AllocationId {
    AllocationId::derive(&[name.as_bytes()])
}

/// A job whose task plays these settings.
fn playing(id: &str, settings: &[(&str, Value)]) -> Job {
    let mut job = job(id);
    job.groups[0].tasks[0].config = settings.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
    job
}

#[tokio::test(start_paused = true)]
async fn it_introduces_itself_runs_what_is_wanted_and_ends_what_is_not() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    let node = bench.hellos[0].node.clone().unwrap();
    assert_eq!((node.name.as_str(), node.total.unwrap().cpu_mhz, node.total.unwrap().memory_mb), ("n1", 4000, 8192));
    assert_eq!(node.total.unwrap().memory_max_mb, 12_288);
    assert!(node.drivers["fake"].healthy);
    assert_eq!(bench.fake.running(), [(id, "web".to_string())]);
    assert_eq!(bench.fetched, 2, "a body, then its job");

    let second = bench.want("b", &job("web"), &[]);
    bench.tell_wanted().await;
    bench.until_status(second, ClientStatus::Running).await;
    assert_eq!(bench.fetched, 3, "a job's document travels once");

    bench.want_stop(id);
    bench.tell_wanted().await;
    bench.until_status(id, ClientStatus::Complete).await;
    assert_eq!(bench.fake.running(), [(second, "web".to_string())]);

    bench.wanted.clear();
    bench.index += 1;
    bench.tell_wanted().await;
    bench.until("the end of what is not wanted any more", |bench| bench.fake.running().is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn what_comes_with_what_is_wanted_is_not_asked_for() {
    let mut bench = Bench::new().await;
    bench.until("a stream", |bench| bench.hellos.len() == 1).await;
    let id = bench.want("a", &job("web"), &[]);
    let jobs = bench.jobs.iter().map(|(document, job)| wire::JobBody {
        version: Some(document_to_wire(document)),
        document: serde_json::to_vec(job).unwrap().into(),
    });
    let assignments = bench.wanted.values().map(assignment_to_wire).collect();
    let news = wire::Bodies { assignments, jobs: jobs.collect() };
    bench.tell(agent_down::Body::Wanted(wire::Wanted { news: Some(news), ..bench.wanted_set() })).await;
    bench.until_status(id, ClientStatus::Running).await;
    assert_eq!(bench.fetched, 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_was_forgotten_and_is_registered_anew_has_another_document() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    bench.want_stop(id);
    bench.tell_wanted().await;
    bench.until_status(id, ClientStatus::Complete).await;

    // Its versions count from 0 again, and the agent still keeps the first one's document.
    bench.registered_at += 1;
    let mut anew = job("web");
    anew.groups[0].tasks[0].name = "anew".into();
    let second = bench.want("b", &anew, &[]);
    bench.tell_wanted().await;
    bench.until_status(second, ClientStatus::Running).await;
    assert_eq!(bench.fake.running(), [(second, "anew".to_string())]);
}

#[tokio::test(start_paused = true)]
async fn an_older_wanted_set_is_ignored() {
    let mut bench = Bench::new().await;
    bench.index = 10;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    bench.tell(agent_down::Body::Wanted(wire::Wanted { epoch: 1, index: 10, items: Vec::new(), news: None })).await;
    bench.tell(agent_down::Body::Wanted(wire::Wanted { epoch: 0, index: 99, items: Vec::new(), news: None })).await;
    bench.serve(Duration::from_secs(20)).await;
    assert_eq!(bench.status(id), Some(ClientStatus::Running));
    assert_eq!(bench.fake.running().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_was_killed_adopts_what_runs() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    let before = bench.observed[&id].tasks["web"].clone();
    for state_lost in [false, true] {
        if state_lost {
            bench.store = MemoryStore::default();
        }
        bench.observed.clear();
        bench.restart_agent();
        bench.until_status(id, ClientStatus::Running).await;
        bench.serve(Duration::from_secs(30)).await;
        let after = &bench.observed[&id].tasks["web"];
        assert_eq!((after.started_at, after.restarts), (before.started_at, 0), "state lost: {state_lost}");
        assert_eq!(bench.fake.list().await.unwrap().len(), 1, "never a second copy");
    }
}

#[tokio::test(start_paused = true)]
async fn what_ended_while_the_agent_was_away_is_noticed_and_restarted_by_its_policy() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    bench.agent.take().unwrap().abort();
    bench.fake.kill_all();
    bench.start_agent();
    let restarted = |bench: &Bench| {
        bench.observed[&id].tasks["web"].restarts == 1 && bench.status(id) == Some(ClientStatus::Running)
    };
    bench.until("a restart", restarted).await;
    assert_eq!(bench.observed[&id].tasks["web"].exit.as_ref().unwrap().code, 137);
}

#[tokio::test(start_paused = true)]
async fn containers_that_nobody_wants_are_ended_and_removed() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    bench.store = MemoryStore::default();
    bench.wanted.clear();
    bench.index += 1;
    bench.restart_agent();
    bench.serve(Duration::from_secs(5)).await;
    assert_eq!(bench.fake.list().await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn state_that_is_damaged_is_left_out() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    bench.agent.take().unwrap().abort();
    for name in bench.store.load().await.unwrap().keys() {
        bench.store.save(name, b"rubbish").await.unwrap();
    }
    bench.observed.clear();
    bench.start_agent();
    bench.until_status(id, ClientStatus::Running).await;
    assert_eq!(bench.fake.list().await.unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_of_the_leader_leads_to_another_server_and_all_is_said_again() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    let first = bench.stream.as_ref().unwrap().0.clone();
    bench.deaf = true;
    bench.observed.clear();
    let silent_since = Instant::now();
    bench.until("a second stream", |bench| bench.hellos.len() == 2).await;
    let waited = silent_since.elapsed();
    // The last acknowledgement may be as old as one interval; then comes the wait before another server is dialed.
    assert!(waited >= SILENCE_GRACE, "{waited:?}");
    assert!(waited <= BEAT_INTERVAL_FIRST + 2 * SILENCE_GRACE + SILENCE_GRACE / 2, "{waited:?}");
    bench.deaf = false;
    assert_ne!(bench.stream.as_ref().unwrap().0, first);
    bench.until_status(id, ClientStatus::Running).await;
    bench.serve(Duration::from_secs(30)).await;
    assert_eq!(bench.hellos.len(), 2, "a server that answers is kept");
}

#[tokio::test(start_paused = true)]
async fn it_beats_as_often_as_the_servers_ask_and_bears_their_silence_for_as_long() {
    let mut bench = Bench::new().await;
    bench.until("a stream", |bench| bench.hellos.len() == 1).await;
    let long = 10 * BEAT_INTERVAL_FIRST;
    for (asked, least, most) in [(long, 5, 7), (BEAT_INTERVAL_FIRST, 59, 61)] {
        bench.tell(agent_down::Body::BeatIntervalMs(asked.as_millis() as u64)).await;
        bench.tell(agent_down::Body::BeatIntervalMs(0)).await;
        bench.beats = 0;
        bench.serve(60 * BEAT_INTERVAL_FIRST).await;
        assert!((least..=most).contains(&bench.beats), "{} beats, one in {asked:?}", bench.beats);
    }
    assert_eq!(bench.hellos.len(), 1, "the server was never silent for too long");
}

#[tokio::test(start_paused = true)]
async fn where_the_stream_breaks_the_agent_turns_to_servers_that_came_while_it_held() {
    let mut bench = Bench::new().await;
    bench.until("a stream", |bench| bench.hellos.len() == 1).await;
    let server = |id: u64| wire::Server { id, address: format!("s{id}:1"), http_address: String::new() };
    bench.tell(agent_down::Body::Servers(wire::Servers { servers: vec![server(3)] })).await;
    bench.tell(agent_down::Body::Servers(wire::Servers { servers: vec![server(4)] })).await;
    bench.serve(BEAT_INTERVAL_FIRST).await;
    bench.dialer.away.lock().unwrap().extend(["s1:1", "s2:1", "s3:1"].map(String::from));
    bench.stream = None;
    bench.until("a stream to one that was not there at the beginning", |bench| bench.hellos.len() == 2).await;
    assert_eq!(bench.stream.as_ref().unwrap().0, Peer::server(4, "s4:1"));
}

#[tokio::test(start_paused = true)]
async fn tasks_go_on_while_no_server_answers() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    let batch = playing("work", &[("run_for", json!("30s"))]).of_type(model::JobType::Batch);
    let work = bench.want("b", &batch, &[]);
    bench.until_status(id, ClientStatus::Running).await;
    bench.until_status(work, ClientStatus::Running).await;
    bench.dialer.away.lock().unwrap().extend(["s1:1".to_string(), "s2:1".to_string()]);
    bench.stream = None;
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(bench.fake.running(), [(id, "web".to_string())]);
    bench.dialer.away.lock().unwrap().clear();
    bench.until_status(work, ClientStatus::Complete).await;
    assert_eq!(bench.status(id), Some(ClientStatus::Running));
}

#[tokio::test(start_paused = true)]
async fn a_successor_starts_when_its_predecessor_is_gone() {
    let mut bench = Bench::new().await;
    let old = bench.want("old", &playing("web", &[("hang", json!(true))]), &[]);
    bench.until_status(old, ClientStatus::Running).await;
    let new = bench.want("new", &job("next"), &["old"]);
    bench.want_stop(old);
    bench.tell_wanted().await;
    bench.until("the successor's wait", |bench| bench.observed.contains_key(&new)).await;
    let observation = &bench.observed[&new];
    assert_eq!(observation.client_status, ClientStatus::Pending);
    assert!(observation.client_description.contains(&old.short()), "{}", observation.client_description);
    bench.until_status(new, ClientStatus::Running).await;
    let (started, ended) = (&bench.observed[&new].tasks["next"], &bench.observed[&old].tasks["web"]);
    assert!(started.started_at >= ended.finished_at, "{started:?} {ended:?}");
    assert_eq!(ended.exit.as_ref().unwrap().signal, 9, "it hung until it was ended by force");
}

#[tokio::test(start_paused = true)]
async fn failures_restarts_and_the_memory_limit_are_reported() {
    let mut bench = Bench::new().await;
    let leak = bench.want("leak", &playing("leak", &[("oom_after", json!("5s"))]), &[]);
    bench.until_status(leak, ClientStatus::Failed).await;
    let task = &bench.observed[&leak].tasks["leak"];
    assert_eq!((task.phase, task.failed, task.restarts), (TaskPhase::Dead, true, 2));
    assert!(task.exit.as_ref().unwrap().oom_killed);
    assert_eq!(bench.observed[&leak].healthy, Some(false));

    let wrong = bench.want("wrong", &playing("wrong", &[("rnu_for", json!("5s"))]), &[]);
    bench.tell_wanted().await;
    bench.until_status(wrong, ClientStatus::Failed).await;
    let events = &bench.observed[&wrong].tasks["wrong"].events;
    assert!(events.iter().any(|event| event.message.contains("config.rnu_for")), "{events:?}");

    let mut foreign = job("foreign");
    foreign.groups[0].tasks[0].driver = "exec".into();
    let foreign = bench.want("foreign", &foreign, &[]);
    bench.tell_wanted().await;
    bench.until_status(foreign, ClientStatus::Failed).await;
}

#[tokio::test(start_paused = true)]
async fn checks_decide_health_and_their_changes_are_reported() {
    let mut bench = Bench::new().await;
    let mut job = playing("web", &[("checks_pass_after", json!("7s"))]);
    let check = Check { name: "alive".into(), interval: Duration::from_secs(1), ..Check::default() };
    job.groups[0].services =
        vec![Service { name: "web".into(), port_label: "8080".into(), checks: vec![check], ..Service::default() }];
    job.groups[0].migrate.as_mut().unwrap().min_healthy_time = Duration::from_secs(2);
    let id = bench.want("a", &job, &[]);
    let status = |bench: &Bench| bench.observed.get(&id)?.checks.get("web/alive").map(|check| check.status);
    bench.until("failing", |bench| status(bench) == Some(model::CheckStatus::Failing)).await;
    assert_eq!(bench.observed[&id].healthy, None);
    bench.until("healthy", |bench| bench.observed[&id].healthy == Some(true)).await;
    assert_eq!(status(&bench), Some(model::CheckStatus::Passing));
    let observation = &bench.observed[&id];
    assert!(observation.healthy_at.unwrap().since(observation.checks["web/alive"].at) >= Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_group_with_a_shared_network_starts_on_it_and_restarts_with_it() {
    let mut bench = Bench::new().await;
    let mut job = job("web");
    job.groups[0].networks = vec![Network { mode: NetworkMode::Bridge, ..Network::default() }];
    let id = bench.want("a", &job, &[]);
    bench.until_status(id, ClientStatus::Running).await;
    assert_eq!(bench.observed[&id].network_address.as_deref(), Some("192.0.2.1"));
    assert_eq!(bench.fake.running().len(), 2);
    let holder = bench.fake.list().await.unwrap().into_iter().find(|it| it.task == "alloc").unwrap();
    bench.fake.stop(&holder.handle, "", Duration::ZERO).await.unwrap();
    let restarted = |bench: &Bench| {
        bench.observed[&id].tasks["web"].restarts == 1 && bench.status(id) == Some(ClientStatus::Running)
    };
    bench.until("a restart of the group", restarted).await;
    assert_eq!(bench.fake.running().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn orders_are_answered_on_conversations_of_their_own() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &playing("web", &[("stdout", json!("0123456789"))]), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    let logs = |task: &str, from_end, offset| {
        let allocation = allocation_to_bytes(id);
        order::Body::Logs(wire::LogsOrder {
            allocation,
            task: task.into(),
            from_end,
            offset,
            ..wire::LogsOrder::default()
        })
    };
    assert_eq!(bench.order(logs("web", false, 4)).await.0, "456789");
    assert_eq!(bench.order(logs("web", true, 2)).await.0, "89");
    let (_, end) = bench.order(logs("wbe", false, 0)).await;
    assert_eq!((end.status, end.error.as_str()), (404, "task \"wbe\" is not in the allocation; it has: web"));
    let unknown = wire::RestartOrder { allocation: allocation_to_bytes(allocation("x")), ..Default::default() };
    assert_eq!(bench.order(order::Body::Restart(unknown)).await.1.status, 404);

    let restart = wire::RestartOrder { allocation: allocation_to_bytes(id), ..Default::default() };
    let (document, end) = bench.order(order::Body::Restart(restart)).await;
    assert_eq!((document.as_str(), end.status), (r#"{"restarted":["web"]}"#, 200));
    bench.until("the restart", |bench| bench.observed[&id].tasks["web"].restarts == 1).await;
    bench.serve(Duration::from_secs(10)).await;
    let stats = wire::StatsOrder { allocation: allocation_to_bytes(id) };
    assert_eq!(bench.order(order::Body::Stats(stats)).await.0, r#"{"cpu_mhz":10,"memory_mb":16}"#);
}

#[tokio::test(start_paused = true)]
async fn a_planned_end_announces_a_lease_and_leaves_the_tasks() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    bench.shutdown.cancel();
    bench.until("a lease", |bench| bench.leases == [30_000]).await;
    bench.agent.take().unwrap().await.unwrap();
    assert_eq!(bench.fake.running(), [(id, "web".to_string())]);
}

#[tokio::test(start_paused = true)]
async fn containers_of_the_dead_stay_for_their_logs_and_go_after_a_while() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &playing("web", &[("stdout", json!("said"))]), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    bench.want_stop(id);
    bench.tell_wanted().await;
    bench.until_status(id, ClientStatus::Complete).await;
    bench.wanted.clear();
    bench.index += 1;
    bench.tell_wanted().await;
    bench.serve(Duration::from_secs(60)).await;
    let logs = wire::LogsOrder { allocation: allocation_to_bytes(id), task: "web".into(), ..Default::default() };
    assert_eq!(bench.order(order::Body::Logs(logs)).await.0, "said");
    bench.serve(super::collect::REMAINS_AGE_MAX).await;
    assert_eq!(bench.fake.list().await.unwrap(), []);
    let logs = wire::LogsOrder { allocation: allocation_to_bytes(id), task: "web".into(), ..Default::default() };
    let refusal = bench.order(order::Body::Logs(logs)).await.1.error;
    assert!(refusal.contains("keeps those of the last 10 of each group, for 1h at most"), "{refusal}");
    let records = bench.store.load().await.unwrap();
    assert!(!records.keys().any(|name| name.starts_with("allocations/") || name.starts_with("jobs/")), "{records:?}");
}

#[tokio::test(start_paused = true)]
async fn a_runtime_that_is_away_makes_its_driver_unhealthy_and_nothing_dead() {
    let mut bench = Bench::new().await;
    let id = bench.want("a", &job("web"), &[]);
    bench.until_status(id, ClientStatus::Running).await;
    let started_at = bench.observed[&id].tasks["web"].started_at;
    bench.fake.set_away(true);
    let healthy = |bench: &Bench| bench.registered.as_ref().map(|node| node.drivers["fake"].healthy);
    bench.until("an unhealthy driver", |bench| healthy(bench) == Some(false)).await;
    let late = bench.want("late", &job("next"), &[]);
    bench.tell_wanted().await;
    bench.serve(Duration::from_secs(300)).await;
    assert_eq!((bench.status(id), bench.status(late)), (Some(ClientStatus::Running), Some(ClientStatus::Pending)));
    assert_eq!(bench.hellos.len(), 1, "the node went on beating");

    // Also an agent that starts meanwhile concludes nothing.
    bench.restart_agent();
    bench.serve(Duration::from_secs(60)).await;
    assert!(!bench.status(id).unwrap().is_terminal());
    bench.fake.set_away(false);
    bench.until_status(late, ClientStatus::Running).await;
    bench.until_status(id, ClientStatus::Running).await;
    let task = &bench.observed[&id].tasks["web"];
    assert_eq!((task.started_at, task.restarts), (started_at, 0));
    assert_eq!(bench.fake.running().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_another_cluster_is_not_obeyed() {
    let mut bench = Bench::new().await;
    bench.cluster = ClusterId::derive(&[b"another"]);
    bench.want("a", &job("web"), &[]);
    bench.serve(Duration::from_secs(20)).await;
    assert_eq!((bench.fetched, bench.fake.running().len()), (0, 0));
}

mod equipment;
