//! A cluster in memory, for the tests of this listener: one state, to which commands are applied at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use model::testing::{job, node};
use model::{
    AllocationId, Check, CheckState, CheckStatus, ClientStatus, EphemeralDisk, Index, Job, JobKey, Network, NodeId,
    Observation, Port, ServerId, Service, TaskPhase, TaskState, Timestamp, Usage,
};
use proto::net::Channel;
use proto::wire::{Frame, order};
use seams::{Blocking, Clock, Random};
use server_core::apply::{Accepted, Answer, apply};
use server_core::autopilot::ServerSeen;
use server_core::command::{Command, Entry};
use server_core::limits::BEAT_INTERVAL_MIN;
use server_core::plan::{DeploymentChange, GroupGoal, Outcome, Placement, Plan, Progress};
use server_core::state::State;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use super::limits::EVENT_BATCH_MAX;
use super::{HttpConfig, router};
use crate::alarms::Raised;
use crate::cluster::{
    Cluster, ClusterError, Consistency, Happening, Leadership, LogNumbers, Member, ServersSeen, View,
};

/// Happenings that the twin keeps.
pub(super) const HAPPENINGS_KEPT: usize = 2 * EVENT_BATCH_MAX;

/// A cluster of one state.
pub(crate) struct Twin {
    states: watch::Sender<Arc<State>>,
    happenings: Mutex<VecDeque<Happening>>,
    /// Whether somebody leads.
    pub(super) leads: AtomicBool,
    /// What agents answer to the next order.
    pub(super) answers: Mutex<Vec<Frame>>,
    /// Whether an agent goes on with its answer after that.
    pub(super) goes_on: AtomicBool,
    /// Orders that came.
    pub(super) orders: Mutex<Vec<order::Body>>,
    /// Whether what is proposed is accepted without effect.
    pub(super) is_stuck: AtomicBool,
    /// Commands that were proposed.
    pub(super) proposed: AtomicUsize,
    /// What agents measured.
    pub(super) used: Mutex<BTreeMap<NodeId, Usage>>,
    /// Ends streams and waits.
    pub(super) shutdown: CancellationToken,
}

impl Twin {
    /// A cluster with two nodes and nothing else.
    pub(crate) fn new() -> Arc<Self> {
        let twin = Arc::new(Self {
            states: watch::channel(Arc::new(State::default())).0,
            happenings: Mutex::default(),
            leads: AtomicBool::new(true),
            answers: Mutex::default(),
            goes_on: AtomicBool::new(false),
            orders: Mutex::default(),
            is_stuck: AtomicBool::new(false),
            proposed: AtomicUsize::new(0),
            used: Mutex::default(),
            shutdown: CancellationToken::new(),
        });
        twin.apply(Command::InitializeCluster { cluster: model::ClusterId::derive(&[b"test"]) });
        twin.apply(Command::RegisterNode { node: Arc::new(node("n1")), session: None });
        twin.apply(Command::RegisterNode { node: Arc::new(node("n2")), session: None });
        twin
    }

    /// A cluster that runs two healthy instances of [`web`], one on each node.
    pub(super) fn with_web() -> Arc<Self> {
        let twin = Self::new();
        twin.register(web());
        twin.place("web", "n1", 1);
        twin.place("web", "n2", 1);
        let ids: Vec<_> = twin.allocations("web");
        for id in ids {
            twin.observe(id, ClientStatus::Running);
        }
        twin
    }

    /// The newest state.
    pub(crate) fn state(&self) -> Arc<State> {
        self.states.borrow().clone()
    }

    /// Applies a command that must be accepted.
    pub(crate) fn apply(&self, command: Command) -> Accepted {
        match self.answer(None, command) {
            Answer::Accepted(accepted) => accepted,
            Answer::Rejected(rejection) => panic!("{rejection}"),
        }
    }

    fn answer(&self, request: Option<[u8; 16]>, command: Command) -> Answer {
        let mut state = State::clone(&self.state());
        let index = state.index() + 1;
        let at = Timestamp::from_seconds(1_700_000_000 + index as i64);
        let applied = apply(&mut state, index, 1, &Entry { at, request, caller: "test".into(), command });
        let state = Arc::new(state);
        let mut happenings = self.happenings.lock().unwrap();
        happenings.push_back(Happening { index, changes: Arc::new(applied.changes), state: state.clone() });
        if happenings.len() > HAPPENINGS_KEPT {
            happenings.pop_front();
        }
        drop(happenings);
        self.states.send_replace(state);
        applied.answer
    }

    /// Registers a job.
    pub(crate) fn register(&self, job: Job) -> Accepted {
        self.apply(Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None })
    }

    /// Places instances of a job's first group, as its pending or a new evaluation.
    pub(crate) fn place(&self, id: &str, node: &str, count: u32) {
        let key = JobKey::new("default", id);
        let pending =
            self.state().evaluations_of_job(&key).find(|known| !known.status.is_terminal()).map(|known| known.id);
        let evaluation = pending
            .or_else(|| self.apply(Command::EvaluateJob { job: key.clone(), force_reschedule: false }).evaluation)
            .expect("a job that is evaluated has an evaluation");
        let state = self.state();
        let record = state.job(&key).expect("the job is registered");
        let group = record.current().job.groups[0].name.clone();
        let node = state.nodes().find(|known| known.name == node).expect("the node is registered");
        let goal = GroupGoal { total: record.current().job.groups[0].count, canaries: 0 };
        let has_one = state.latest_deployment(&key).is_some_and(|known| known.job_version == record.current().version);
        let plan = Plan {
            evaluation,
            attempt: 0,
            term: 1,
            snapshot_index: state.index(),
            job: key.clone(),
            job_version: record.current().version,
            job_modify_index: record.job_modify_index,
            job_plans: Some(record.plans),
            names_evaluations: true,
            supersedes: Vec::new(),
            stops: Vec::new(),
            updates_in_place: Vec::new(),
            placements: vec![Placement {
                group: group.clone(),
                job_version: record.current().version,
                node: node.id,
                node_generation: node.generation,
                count,
                tails: Vec::new(),
            }],
            deployment: match has_one {
                true => DeploymentChange::None,
                false => DeploymentChange::Begin(BTreeMap::from([(group, goal)])),
            },
            outcome: Outcome {
                progress: Progress::Complete,
                unplaced: BTreeMap::new(),
                queued: BTreeMap::new(),
                follow_ups: Vec::new(),
            },
        };
        let accepted = self.apply(Command::Plan(Box::new(plan)));
        assert_eq!(accepted.rejected, vec![], "the test's plan fits");
    }

    /// An agent reports an allocation whose check passes, if it runs.
    pub(super) fn observe(&self, id: AllocationId, status: ClientStatus) {
        let node = self.state().allocation(id).expect("the allocation is there").node;
        let phase = if status == ClientStatus::Running { TaskPhase::Running } else { TaskPhase::Dead };
        let passing = CheckState {
            status: CheckStatus::Passing,
            at: Timestamp::from_seconds(1_700_000_000),
            output: "ok".into(),
        };
        let observation = Observation {
            allocation: id,
            client_status: status,
            client_description: String::new(),
            tasks: BTreeMap::from([("web".to_string(), TaskState { phase, ..TaskState::default() })]),
            healthy: Some(true),
            healthy_at: Some(Timestamp::from_seconds(1_700_000_000)),
            checks: BTreeMap::from([("web/alive".to_string(), passing)]),
            network_address: None,
        };
        self.apply(Command::Observe { nodes: vec![(node, vec![observation.packed()])], sessions: Default::default() });
    }

    /// The ids of a job's allocations.
    pub(super) fn allocations(&self, id: &str) -> Vec<AllocationId> {
        self.state().allocations_of_job(&JobKey::new("default", id)).map(|known| known.id).collect()
    }

    /// The id of a node.
    pub(crate) fn node(&self, name: &str) -> NodeId {
        NodeId::derive(&[b"node", name.as_bytes()])
    }

    /// What the listener is told about itself.
    pub(super) fn config() -> HttpConfig {
        HttpConfig {
            name: "s1".into(),
            region: "global".into(),
            datacenter: "dc1".into(),
            version: "0.1.0".into(),
            host_names: Vec::new(),
            authority: None,
            node: Arc::new(NodeId::derive(&[b"node", b"n1"]).into()),
            clock: Arc::new(Still),
            random: Arc::new(Same),
            blocking: Blocking::default(),
        }
    }

    /// Sends a request without a connection.
    pub(super) async fn send(self: &Arc<Self>, request: Request<Body>) -> Reply {
        let router = router(self.clone(), Self::config(), self.shutdown.clone());
        let response = router.oneshot(request).await.expect("the router does not fail");
        let (head, body) = response.into_parts();
        let bytes = body.collect().await.expect("the body is whole").to_bytes();
        Reply { status: head.status, headers: head.headers, text: String::from_utf8(bytes.to_vec()).expect("is text") }
    }

    /// Sends a GET.
    pub(super) async fn get(self: &Arc<Self>, path: &str) -> Reply {
        self.send(Request::get(path).body(Body::empty()).expect("is a path")).await
    }

    /// Sends a PUT with a body, without a content type.
    pub(super) async fn put(self: &Arc<Self>, path: &str, body: impl Into<Body>) -> Reply {
        self.send(Request::put(path).body(body.into()).expect("is a path")).await
    }

    /// Sends a DELETE.
    pub(super) async fn delete(self: &Arc<Self>, path: &str) -> Reply {
        self.send(Request::delete(path).body(Body::empty()).expect("is a path")).await
    }
}

/// A job of two instances with a dynamic port, a service and a check.
pub(super) fn web() -> Job {
    let mut web = job("web").count(2);
    web.groups[0].ephemeral_disk = EphemeralDisk::default();
    let port = Port { label: "http".into(), ..Port::default() };
    web.groups[0].networks = vec![Network { dynamic_ports: vec![port], ..Network::default() }];
    web.groups[0].services = vec![Service {
        name: "web".into(),
        port_label: "http".into(),
        tags: vec!["traefik.enable=true".into()],
        checks: vec![Check {
            name: "alive".into(),
            path: "/health".into(),
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            ..Check::default()
        }],
        ..Service::default()
    }];
    web
}

/// An answer.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Reply {
    /// The body's JSON.
    #[track_caller]
    pub(super) fn json(&self) -> serde_json::Value {
        assert_eq!(self.status, StatusCode::OK, "{}", self.text);
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// A header.
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("is text"))
    }

    /// X-Nomad-Index.
    pub(super) fn index(&self) -> Index {
        self.header("x-nomad-index").parse().expect("is a number")
    }

    /// The status, and whether the text holds `words`.
    #[track_caller]
    pub(super) fn refuses(&self, status: u16, words: &str) {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert!(self.text.contains(words), "{}", self.text);
        assert_eq!(self.header("content-type"), "text/plain; charset=utf-8");
    }
}

struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000)
    }
}

struct Same;

impl Random for Same {
    fn next_u64(&self) -> u64 {
        7
    }
}

#[async_trait]
impl Cluster for Twin {
    async fn view(&self, consistency: Consistency) -> Result<View, ClusterError> {
        let known_leader = self.leads.load(Ordering::SeqCst);
        if consistency == Consistency::Linearizable && !known_leader {
            return Err(ClusterError::NoLeader);
        }
        Ok(View { state: self.state(), last_contact: Duration::from_millis(25), known_leader })
    }

    fn states(&self) -> watch::Receiver<Arc<State>> {
        self.states.subscribe()
    }

    fn alarms(&self) -> (u64, Vec<Raised>) {
        let at = Timestamp::from_seconds(1_700_000_000);
        (3, vec![Raised { at, index: 17, invariant: "same everywhere".into(), what: "entry 17 comes late".into() }])
    }

    async fn propose(&self, _: &str, request: Option<[u8; 16]>, command: Command) -> Result<Answer, ClusterError> {
        if !self.leads.load(Ordering::SeqCst) {
            return Err(ClusterError::NoLeader);
        }
        self.proposed.fetch_add(1, Ordering::SeqCst);
        if self.is_stuck.load(Ordering::SeqCst) {
            return Ok(Answer::Accepted(Accepted::default()));
        }
        Ok(self.answer(request, command))
    }

    fn happenings_after(&self, index: Index) -> Option<Vec<Happening>> {
        let happenings = self.happenings.lock().unwrap();
        let oldest = happenings.front().map_or(1, |oldest| oldest.index);
        (index + 1 >= oldest).then(|| happenings.iter().filter(|known| known.index > index).cloned().collect())
    }

    fn leadership(&self) -> Leadership {
        let leader = self.leads.load(Ordering::SeqCst).then(|| (1, "127.0.0.1:4647".to_string()));
        Leadership { term: 1, is_self: leader.is_some(), leader, beat_interval: BEAT_INTERVAL_MIN }
    }

    fn members(&self) -> Vec<Member> {
        vec![Member { id: 1, address: "127.0.0.1:4647".into(), is_voter: true }]
    }

    async fn members_alive(&self) -> BTreeSet<ServerId> {
        [1].into()
    }

    fn log_numbers(&self) -> LogNumbers {
        LogNumbers { term: 1, applied: self.state().index(), ..LogNumbers::default() }
    }

    fn server_id(&self) -> ServerId {
        1
    }

    async fn order(&self, _: NodeId, order: order::Body) -> Result<Channel, ClusterError> {
        self.orders.lock().unwrap().push(order);
        let answers = std::mem::take(&mut *self.answers.lock().unwrap());
        let (sender, _) = mpsc::channel(1);
        let (to_client, receiver) = mpsc::channel(answers.len() + 1);
        for answer in answers {
            to_client.try_send(answer).expect("there is room for each");
        }
        if self.goes_on.load(Ordering::SeqCst) {
            let ends = self.shutdown.clone();
            tokio::spawn(async move {
                ends.cancelled().await;
                drop(to_client);
            });
        }
        Ok(Channel { sender, receiver: receiver.into() })
    }

    async fn usage(&self) -> Result<BTreeMap<NodeId, Usage>, ClusterError> {
        Ok(self.used.lock().unwrap().clone())
    }

    async fn servers_seen(&self) -> Result<ServersSeen, ClusterError> {
        if !self.leads.load(Ordering::SeqCst) {
            return Err(ClusterError::NoLeader);
        }
        let seen = ServerSeen {
            id: 1,
            is_voter: true,
            is_leader: true,
            silent: Duration::ZERO,
            matching: 9,
            well_since: Some(Timestamp::from_seconds(1)),
        };
        Ok(ServersSeen { servers: vec![seen], last_log: 9, term: 1 })
    }

    async fn remove_server(&self, _: ServerId) -> Result<(), ClusterError> {
        Ok(())
    }

    async fn transfer_leadership(&self, to: ServerId) -> Result<(), ClusterError> {
        if to == 1 { Ok(()) } else { Err(ClusterError::Refused(format!("server {to} is no voter"))) }
    }
}
