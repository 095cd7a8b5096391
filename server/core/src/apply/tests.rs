//! What an entry may leave behind is bounded: versions, events, remembered requests.

use model::testing::{job, node, observation};
use model::{Algorithm, DeploymentId, Eligibility, Job, NodeStatus};

use super::*;
use crate::command::{Holder, NodeSession, SchedulerConfiguration, ServerRecord};
use crate::limits::{JOB_VERSIONS_KEPT, NODE_EVENTS_KEPT};
use crate::schedule::schedule;

fn answer(state: &mut State, request: Option<[u8; 16]>, command: Command) -> Answer {
    let entry = Entry { at: Timestamp::default(), request, caller: String::new(), command };
    let index = state.index() + 1;
    apply(state, index, 1, &entry).answer
}

#[track_caller]
fn carry_out(state: &mut State, command: Command) -> Accepted {
    match answer(state, None, command) {
        Answer::Accepted(accepted) => accepted,
        Answer::Rejected(rejection) => panic!("{rejection}"),
    }
}

/// Registers the `number`th document of one job.
fn register(state: &mut State, number: u64) {
    let job = Job { priority: 1 + number as u32, ..job("web") };
    carry_out(state, Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None });
}

/// The versions that are kept, oldest first.
fn versions(state: &State) -> Vec<u64> {
    let record = state.job(&JobKey::new("default", "web")).expect("it is registered");
    record.versions.iter().rev().map(|known| known.version).collect()
}

fn register_node(state: &mut State) -> NodeId {
    let node = model::Node { status: NodeStatus::Initializing, ..node("n1") };
    let id = node.id;
    carry_out(state, Command::RegisterNode { node: Arc::new(node), session: None });
    id
}

#[test]
fn as_many_versions_of_a_job_are_kept_as_the_limit() {
    let mut state = State::default();
    let most = JOB_VERSIONS_KEPT as u64;
    (0..most).for_each(|number| register(&mut state, number));
    assert_eq!(versions(&state), (0..most).collect::<Vec<_>>());
    register(&mut state, most);
    assert_eq!(versions(&state), (1..=most).collect::<Vec<_>>());
}

#[test]
fn versions_that_run_or_are_stable_are_kept_beyond_the_limit() {
    let mut state = State::default();
    register_node(&mut state);
    register(&mut state, 0);
    let pending = state.open_evaluations(EvaluationStatus::Pending).next().cloned().expect("it was just registered");
    let plan = schedule(&state, &pending, Timestamp::default()).plan;
    carry_out(&mut state, Command::Plan(Box::new(crate::plan::Plan { term: 1, ..plan })));
    register(&mut state, 1);
    carry_out(&mut state, Command::SetJobStability { job: JobKey::new("default", "web"), version: 1, stable: true });
    let newest = 2 + JOB_VERSIONS_KEPT as u64;
    (2..=newest).for_each(|number| register(&mut state, number));
    assert_eq!(versions(&state), [vec![0, 1], (3..=newest).collect()].concat());
}

#[test]
fn as_many_events_of_a_node_are_kept_as_the_limit() {
    let mut state = State::default();
    let id = register_node(&mut state);
    let toggle = |state: &mut State| {
        let eligibility = match state.node(id).expect("it is registered").eligibility {
            Eligibility::Eligible => Eligibility::Ineligible,
            Eligibility::Ineligible => Eligibility::Eligible,
        };
        carry_out(state, Command::SetNodeEligibility { node: id, eligibility });
    };
    let events = |state: &State| -> Vec<Index> {
        state.node(id).expect("it is registered").events.iter().map(|event| event.index).collect()
    };
    let most = NODE_EVENTS_KEPT as Index;
    (1..most).for_each(|_| toggle(&mut state));
    assert_eq!(events(&state), (1..=most).collect::<Vec<_>>());
    toggle(&mut state);
    assert_eq!(events(&state), (2..=most + 1).collect::<Vec<_>>());
}

#[test]
fn as_many_requests_are_remembered_as_the_limit() {
    let mut state = State::default();
    let mut asked = |number: usize| {
        let configuration = SchedulerConfiguration { algorithm: Algorithm::Spread, ..Default::default() };
        let command = Command::SetSchedulerConfiguration { configuration, check_index: None };
        let Answer::Accepted(accepted) = answer(&mut state, Some((number as u128).to_be_bytes()), command) else {
            panic!("whoever asks is accepted");
        };
        accepted.index
    };
    let first: Vec<_> = (0..REQUESTS_REMEMBERED).map(&mut asked).collect();
    assert_eq!(asked(0), first[0], "all are remembered, the oldest too");
    asked(REQUESTS_REMEMBERED);
    assert_eq!(asked(1), first[1], "one more pushes out one only");
    assert!(asked(0) > first[0], "the oldest is forgotten and applied anew");
}

/// What stands in the log and in images from before nodes had cores, devices, volumes and networks.
#[test]
fn nodes_and_tails_of_an_older_release_are_read() {
    let mut state = State::default();
    register_node(&mut state);
    let without = |value: serde_json::Value, names: &[&str]| {
        let mut value = value;
        let object = value.as_object_mut().expect("it is written with names");
        for name in names {
            assert!(object.remove(*name).is_some(), "{name} is written");
        }
        value
    };
    let node = state.nodes().next().expect("it is registered");
    let old = without(serde_json::to_value(node).unwrap(), &["cores", "devices", "host_volumes", "host_networks"]);
    assert_eq!(serde_json::from_value::<model::Node>(old).unwrap(), **node);
    let tail = crate::plan::Tail::default();
    let old = without(serde_json::to_value(&tail).unwrap(), &["cores", "devices"]);
    assert_eq!(serde_json::from_value::<crate::plan::Tail>(old).unwrap(), tail);
}

#[test]
fn an_entry_out_of_order_changes_nothing_and_raises_an_alarm() {
    let mut state = State::default();
    register(&mut state, 0);
    let known = state.clone();
    let command = Command::DeregisterJob { job: JobKey::new("default", "web"), purge: true };
    let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
    for index in [state.index(), state.index() - 1] {
        let applied = apply(&mut state, index, 1, &entry);
        assert_eq!(applied.answer, Answer::Rejected(Rejection::OutOfOrder { index, last: known.index() }));
        assert_eq!(applied.alarms.len(), 1);
        assert_eq!(state, known);
    }
    let applied = apply(&mut state, known.index() + 1, 1, &entry);
    assert!(applied.alarms.is_empty() && !applied.changes.is_empty());
}

/// The planner did not know what became of the first plan, and made another without it, for another evaluation.
#[test]
fn a_plan_that_was_made_without_the_one_before_it_is_rejected() {
    let mut state = State::default();
    register_node(&mut state);
    register(&mut state, 0);
    let key = JobKey::new("default", "web");
    carry_out(&mut state, Command::EvaluateJob { job: key.clone(), force_reschedule: false });
    let pending: Vec<_> = state.open_evaluations(EvaluationStatus::Pending).cloned().collect();
    let plans: Vec<_> = pending
        .iter()
        .map(|pending| schedule(&state, pending, Timestamp::default()).plan)
        .map(|plan| crate::plan::Plan { term: 1, supersedes: Vec::new(), ..plan })
        .collect();
    assert_eq!(plans.len(), 2);
    assert!(plans.iter().all(|plan| plan.instances() == 1), "each would place all that the job wants");
    let [first, second] = [0, 1].map(|at| Command::Plan(Box::new(plans[at].clone())));
    carry_out(&mut state, first);
    let rejection = Rejection::PlannedMeanwhile { made_after: 0, plans: 1 };
    assert_eq!(answer(&mut state, None, second), Answer::Rejected(rejection));
    let state = State::decode(&state.encode()).expect("it was just written");
    assert_eq!(state.job(&key).expect("it is registered").plans, 1, "a snapshot knows it");
    let anew = schedule(&state, &pending[1], Timestamp::default()).plan;
    assert_eq!((anew.instances(), anew.job_plans), (0, Some(1)));
}

/// The planner goes on from a plan that is not in the log yet, and something else comes into the log before it.
#[test]
fn an_evaluation_of_a_plan_has_the_same_name_wherever_the_plan_comes_in_the_log_and_no_other_has_it() {
    let mut ahead = State::default();
    register(&mut ahead, 0);
    let pending = ahead.open_evaluations(EvaluationStatus::Pending).next().cloned().expect("it was just registered");
    // There is no node: it goes on as a blocked one.
    let plan = crate::plan::Plan { term: 1, ..schedule(&ahead, &pending, Timestamp::default()).plan };
    let mut log = ahead.clone();
    carry_out(&mut ahead, Command::Plan(Box::new(plan.clone())));
    let other = Arc::new(model::testing::job("other"));
    carry_out(&mut log, Command::RegisterJob { job: other, check_index: None, submission: None });
    let of_other = log.evaluations_of_job(&JobKey::new("default", "other")).next().expect("it was registered").id;
    carry_out(&mut log, Command::Plan(Box::new(plan)));
    let blocked = |state: &State| state.open_evaluations(EvaluationStatus::Blocked).next().map(|known| known.id);
    assert_eq!(blocked(&ahead), blocked(&log));
    assert!(blocked(&ahead).is_some_and(|id| id != of_other));
}

/// A node with one allocation, placed.
fn placed(state: &mut State) -> (NodeId, model::AllocationId) {
    let node = register_node(state);
    register(state, 0);
    let pending = state.open_evaluations(EvaluationStatus::Pending).next().cloned().expect("it was just registered");
    let plan = schedule(state, &pending, Timestamp::default()).plan;
    carry_out(state, Command::Plan(Box::new(crate::plan::Plan { term: 1, ..plan })));
    (node, state.allocations().next().expect("it was placed").id)
}

#[test]
fn what_a_leader_decided_is_not_carried_out_once_another_leads() {
    let mut state = State::default();
    let (node, id) = placed(&mut state);
    let server = ServerRecord {
        id: 1,
        name: "a".into(),
        address: String::new(),
        http_address: String::new(),
        version: 1,
        build: String::new(),
    };
    carry_out(&mut state, Command::AnnounceServer { server });
    let forget = |term| Command::ForgetServer { id: 1, term };
    let collect = |term| {
        let (evaluations, allocations, deployments, jobs, nodes) = Default::default();
        Command::Collect { evaluations, allocations, deployments, jobs, nodes, term }
    };
    let (old, deployment) = (Some(1), DeploymentId::default());
    for command in [
        Command::SetNodeStatus { changes: vec![(node, NodeStatus::Down)], seen: None, term: 1 },
        Command::CompleteDrain { node, term: 1 },
        Command::Migrate { allocations: vec![id], stops: Vec::new(), term: 1 },
        Command::PromoteDeployment { deployment, groups: None, term: old },
        Command::SetAllocationHealth { deployment, healthy: vec![id], unhealthy: Vec::new(), term: old },
        collect(old),
        forget(old),
    ] {
        let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
        let index = state.index() + 1;
        let applied = apply(&mut state, index, 2, &entry);
        assert_eq!(applied.answer, Answer::Rejected(Rejection::OldTerm { proposed: 1, current: 2 }), "{entry:?}");
        assert_eq!(applied.changes, []);
    }
    assert!(state.server(1).is_some());
    carry_out(&mut state, collect(None));
    carry_out(&mut state, forget(None));
    assert!(state.is_removed_server(1), "a person has no term");
}

#[test]
fn what_no_agent_may_say_is_passed_over_and_raises_an_alarm() {
    let mut state = State::default();
    let (node, id) = placed(&mut state);
    for (status, alarms) in
        [(model::ClientStatus::Unknown, 1), (model::ClientStatus::Lost, 1), (model::ClientStatus::Running, 0)]
    {
        let command = Command::Observe {
            nodes: vec![(node, vec![observation(id, status).packed()])],
            sessions: Default::default(),
        };
        let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
        let index = state.index() + 1;
        assert_eq!(apply(&mut state, index, 1, &entry).alarms.len(), alarms, "{status:?}");
        let known = state.allocation(id).expect("it was placed").client_status;
        assert_eq!(known == status, alarms == 0, "{status:?}");
    }
}

#[test]
fn what_an_agent_said_in_a_session_before_its_newest_is_passed_over() {
    use model::ClientStatus::{Pending, Running};
    let mut state = State::default();
    let (node, id) = placed(&mut state);
    let described = |cpu: u64| {
        let mut described = model::testing::node("n1");
        described.total.cpu_mhz = cpu;
        Arc::new(described)
    };
    let mut begin = |cpu| {
        let command = Command::RegisterNode { node: described(cpu), session: Some(NodeSession::Begins) };
        carry_out(&mut state, command).index
    };
    let (first, second) = (begin(4_000), begin(4_000));
    assert!(first < second, "the same description begins a session too");
    let observe = |state: &mut State, session, status| {
        let nodes = vec![(node, vec![observation(id, status).packed()])];
        carry_out(state, Command::Observe { nodes, sessions: BTreeMap::from([(node, session)]) });
        state.allocation(id).expect("it was placed").client_status
    };
    assert_eq!(observe(&mut state, second, Running), Running);
    assert_eq!(observe(&mut state, first, Pending), Running, "a server that the agent left said this");
    let mut state = State::decode(&state.encode()).expect("it was just written");
    assert_eq!(observe(&mut state, first, Pending), Running, "after a restart too");
    assert_eq!(observe(&mut state, second, Pending), Pending);
    let describe = |state: &mut State, session, cpu| {
        let session = Some(NodeSession::Within(session));
        carry_out(state, Command::RegisterNode { node: described(cpu), session });
        state.node(node).expect("it is registered").total.cpu_mhz
    };
    assert_eq!(describe(&mut state, first, 1_000), 4_000);
    assert_eq!(describe(&mut state, second, 2_000), 2_000);
    assert_eq!(observe(&mut state, second, Running), Running, "a new description begins no session");
}

#[test]
fn a_node_belongs_to_one_key_and_to_one_host_while_that_is_heard() {
    let mut state = State::default();
    let described = Arc::new(model::testing::node("n1"));
    let id = described.id;
    let holder = |key: u8, host: Option<u8>| Holder { key: [key; 32], host: host.map(|host| [host; 32]) };
    let begin = |state: &mut State, holder| {
        let session = Some(NodeSession::BegunBy(holder));
        let command = Command::RegisterNode { node: described.clone(), session };
        let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
        let index = state.index() + 1;
        let refused = match apply(state, index, 1, &entry).answer {
            Answer::Accepted(_) => None,
            Answer::Rejected(rejection) => Some(rejection),
        };
        (refused, state.holder(id), state.session(id))
    };
    let first = holder(1, Some(1));
    assert_eq!(begin(&mut state, first), (None, Some(first), Some(1)));
    let (another_key, another_host) = (Rejection::NodeOfAnother { node: id }, Rejection::NodeIsElsewhere { node: id });
    for (status, copy) in
        [(NodeStatus::Ready, Some(another_host)), (NodeStatus::Suspect, None), (NodeStatus::Down, None)]
    {
        for same in [first, holder(1, None)] {
            let (refused, _, session) = begin(&mut state, same);
            assert_eq!((refused, session), (None, Some(state.index())), "an agent that was restarted, {status:?}");
            begin(&mut state, first);
        }
        let mut state = State::decode(&state.encode()).expect("it was just written");
        let mut silent = model::Node::clone(state.node(id).expect("it is registered"));
        silent.status = status;
        state.put_node(silent);
        let session = state.session(id);
        let stranger = holder(2, Some(1));
        assert_eq!(begin(&mut state, stranger), (Some(another_key.clone()), Some(first), session), "{status:?}");
        let (refused, known, _) = begin(&mut state, holder(1, Some(2)));
        assert_eq!(known == Some(first), refused.is_some());
        assert_eq!(refused, copy, "{status:?}");
    }
    carry_out(&mut state, Command::PurgeNode { node: id });
    assert_eq!(begin(&mut state, holder(2, Some(2))).0, None, "it was given up");
}

#[test]
fn what_the_clocks_said_of_a_node_before_it_registered_is_passed_over() {
    let mut state = State::default();
    let described = Arc::new(model::testing::node("n1"));
    let id = described.id;
    let begin = |state: &mut State| {
        let session = Some(NodeSession::Begins);
        carry_out(state, Command::RegisterNode { node: described.clone(), session });
    };
    begin(&mut state);
    let looked_at = state.index();
    begin(&mut state);
    let say = |state: &mut State, seen| {
        carry_out(state, Command::SetNodeStatus { changes: vec![(id, NodeStatus::Down)], seen: Some(seen), term: 1 });
        state.node(id).expect("it is registered").status
    };
    assert_eq!(say(&mut state, looked_at), NodeStatus::Ready, "it came back meanwhile");
    let looked_at = state.index();
    assert_eq!(say(&mut state, looked_at), NodeStatus::Down);
}
