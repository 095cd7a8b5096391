//! A cluster that a scenario plays in: its state, changed by commands only.

mod leader;

use std::collections::BTreeMap;
use std::sync::Arc;

use invariants::{Step, Violation};
use model::{
    Allocation, ClientStatus, Driver, Eligibility, Evaluation, EvaluationStatus, Job, JobKey, Node, NodeId, NodeStatus,
    Timestamp,
};
use server_core::apply::{Accepted, Answer, apply};
use server_core::command::{Command, DrainSpec, Entry};
use server_core::evaluations::{self, BlockedWatch};
use server_core::plan::{DeploymentChange, GroupGoal, Outcome, Placement, Plan, Progress, Tail};
use server_core::schedule::grant::{Placed, Taken, grant};
use server_core::schedule::{Scheduler, schedule};
use server_core::state::{JobRecord, State};

use super::story::Decided;
use super::words::{Name, Words, job_key, seconds};
use super::{decision, equipment, job};

/// When a scenario plays.
const START: Timestamp = Timestamp::from_seconds(1_000_000);
/// Plans of one evaluation before it is said to have no end.
const ROUNDS_MAX: usize = 200;

/// A cluster that a scenario plays in.
pub struct Cluster {
    /// Its state.
    pub state: State,
    /// The time.
    pub now: Timestamp,
    /// What becomes of nodes when everything before is in place.
    closings: Vec<(NodeId, Closing, Timestamp)>,
    /// Who waits for room.
    blocked: BlockedWatch,
    /// The document that lines are still being added to.
    draft: Option<Job>,
    /// Whether the next command may be refused, and with which words it was.
    refusal: Option<Option<String>>,
    scheduler: Scheduler,
    /// What is wrong with how commands changed the state.
    missteps: Vec<Violation>,
    /// Looks at the state before and after every command.
    pub(super) watch: Option<Watch>,
}

/// Looks at a command that was applied.
pub(super) type Watch = Box<dyn FnMut(&Step<'_>)>;

#[derive(Clone, Copy)]
pub(super) enum Closing {
    Status(NodeStatus),
    Ineligible,
    Draining,
}

impl Cluster {
    /// Plays the lines of a scenario.
    pub fn play(setup: &str) -> Self {
        let mut cluster = Self {
            state: State::default(),
            now: START,
            closings: Vec::new(),
            blocked: BlockedWatch::default(),
            draft: None,
            refusal: None,
            scheduler: Scheduler::default(),
            missteps: Vec::new(),
            watch: None,
        };
        cluster.go_on(setup);
        cluster
    }

    /// Plays more lines.
    pub fn go_on(&mut self, lines: &str) {
        for (verb, words) in lines.lines().filter_map(Words::of) {
            self.line(&verb, words);
        }
        self.settle();
    }

    fn line(&mut self, verb: &str, mut words: Words) {
        if verb != "group" {
            self.register_draft();
        }
        match verb {
            "node" => self.node(words),
            "job" => {
                let mut draft = self.document(&words.name());
                job::bend(&mut draft, words);
                self.draft = Some(draft);
            }
            "group" => self.group(words),
            "alloc" => self.alloc(words),
            "deployment" => self.deployment(words),
            "run" => {
                self.settle();
                self.run();
            }
            other => self.deed(other, words),
        }
    }

    /// Registers what is drafted, and lets happen what waits for everything else to be in place.
    pub(super) fn settle(&mut self) {
        self.register_draft();
        for (node, closing, at) in std::mem::take(&mut self.closings) {
            let before = std::mem::replace(&mut self.now, at);
            self.close_node(node, closing);
            self.now = before;
        }
    }

    /// Everything that is wrong with the state, or was with how it came about.
    pub fn violations(&self) -> Vec<Violation> {
        self.missteps.iter().cloned().chain(invariants::check(&self.state)).collect()
    }

    /// Decides everything that is pending, and says what was decided.
    pub fn run(&mut self) -> Vec<String> {
        self.run_showing(&mut |_| {})
    }

    /// The same, where each decision is shown to somebody.
    pub fn run_showing(&mut self, show: &mut dyn FnMut(&Decided<'_>)) -> Vec<String> {
        let mut lines = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let Some(evaluation) = self.next() else { return lines };
            let plan = self.decide(&evaluation);
            let before = self.state.clone();
            let accepted = self.command(Command::Plan(Box::new(plan.clone())));
            assert!(accepted.rejected.is_empty(), "apply does not take {:?}", accepted.rejected);
            let (before, after, evaluation, now) = (&before, &self.state, &*evaluation, self.now);
            show(&Decided { before, after, evaluation, plan: &plan, now });
            lines.extend(decision::of_plan(before, after, &plan, now));
        }
        panic!("the evaluations have no end: {lines:?}");
    }

    /// The evaluation to decide next.
    fn next(&mut self) -> Option<Arc<Evaluation>> {
        self.blocked.settle();
        self.blocked.look(&self.state);
        evaluations::next(&self.state, &mut self.blocked, self.now).cloned()
    }

    /// What is decided for `evaluation`: by a scheduler that has seen all before it, and the same by one that has seen
    /// nothing.
    fn decide(&mut self, evaluation: &Evaluation) -> Plan {
        let decision = self.scheduler.decide(&self.state, evaluation, self.now);
        assert_eq!(decision, schedule(&self.state, evaluation, self.now), "what was seen before makes no difference");
        decision.plan
    }

    /// Plans what is pending first, plays more lines, and commits the plan after them; what of it was taken.
    pub fn plan_late(&mut self, meanwhile: &str) -> Vec<String> {
        let evaluation = self.next().expect("something is to be decided");
        let plan = self.decide(&evaluation);
        self.go_on(meanwhile);
        let before = self.state.clone();
        match self.offer(Command::Plan(Box::new(plan.clone()))) {
            (Answer::Accepted(_), _) => decision::of_plan(&before, &self.state, &plan, self.now),
            (Answer::Rejected(rejection), _) => vec![format!("rejected: {rejection}")],
        }
    }

    /// What would be done if every job were looked at once more.
    pub fn would_still_do(&mut self) -> Vec<String> {
        self.would_still_do_showing(&mut |_| {})
    }

    /// The same, where each decision is shown to somebody.
    pub fn would_still_do_showing(&mut self, show: &mut dyn FnMut(&Decided<'_>)) -> Vec<String> {
        // Nodes are chosen one instance after the other. What is placed all at once and waits may find room when others are
        // somewhere else, though nothing came free: then one of its own instances no longer takes what another needs.
        let waits = |record: &JobRecord| {
            let is_blocked = |known: &Arc<Evaluation>| known.status == EvaluationStatus::Blocked;
            record.current().job.all_at_once && self.state.evaluations_of_job(&record.key).any(is_blocked)
        };
        let asked = self.state.jobs().filter(|record| !waits(record));
        let keys: Vec<_> = asked.map(|record| record.key.clone()).collect();
        let mut lines = Vec::new();
        for key in keys {
            let state = self.state.clone();
            let watch = self.watch.take();
            self.command(Command::EvaluateJob { job: key.clone(), force_reschedule: false });
            let evaluation = self.pending(&key);
            let plan = self.decide(&evaluation);
            let before = self.state.clone();
            self.command(Command::Plan(Box::new(plan.clone())));
            let (before, after, evaluation, now) = (&before, &self.state, &*evaluation, self.now);
            show(&Decided { before, after, evaluation, plan: &plan, now });
            let lasts = |line: &String| line.starts_with("blocked") || line.starts_with("held back");
            lines.extend(decision::of_plan(before, after, &plan, now).into_iter().filter(|line| !lasts(line)));
            self.state = state;
            self.watch = watch;
        }
        lines
    }

    /// The document that a `job` line makes.
    pub fn drafted(&self, line: &str) -> Arc<Job> {
        let (_, mut words) = Words::of(line).expect("the line has words");
        let mut draft = self.document(&words.name());
        job::bend(&mut draft, words);
        Arc::new(draft)
    }

    /// Registers a document.
    pub fn register(&mut self, job: Arc<Job>) {
        self.command(Command::RegisterJob { job, check_index: None, submission: None });
    }

    /// Carries out a command, which must be accepted.
    pub fn command(&mut self, command: Command) -> Accepted {
        match self.offer(command) {
            (Answer::Accepted(accepted), _) => accepted,
            (Answer::Rejected(rejection), _) if self.refusal.is_some() => {
                self.refusal = Some(Some(rejection.to_string()));
                Accepted::default()
            }
            (Answer::Rejected(rejection), entry) => panic!("{rejection}: {:?}", entry.command),
        }
    }

    fn offer(&mut self, command: Command) -> (Answer, Entry) {
        let entry = Entry { at: self.now, request: None, caller: String::new(), command };
        let (index, term) = (self.state.index() + 1, self.state.term());
        let before = self.state.clone();
        let applied = apply(&mut self.state, index, term, &entry);
        let step = Step { index, term, entry: &entry, applied: &applied, before: &before, after: &self.state };
        self.missteps.extend(invariants::check_step(&step));
        if let Some(watch) = &mut self.watch {
            watch(&step);
        }
        (applied.answer, entry)
    }

    /// Plays one line that is to be refused, and says with which words it was.
    pub fn refused(&mut self, line: &str) -> Option<String> {
        self.refusal = Some(None);
        self.go_on(line);
        self.refusal.take().flatten()
    }

    fn document(&self, id: &str) -> Job {
        match self.state.job(&job_key(id)) {
            Some(record) => Job::clone(&record.current().job),
            None => {
                let mut job = model::testing::job(id);
                // Without a line on rollouts there is none.
                job.groups[0].update = None;
                job
            }
        }
    }

    fn register_draft(&mut self) {
        if let Some(draft) = self.draft.take() {
            self.register(Arc::new(draft));
        }
    }

    fn group(&mut self, mut words: Words) {
        let name = words.name();
        let draft = self.draft.as_mut().expect("a group follows its job");
        if draft.group(&name).is_none() {
            let mut group = model::testing::job(&name).of_type(draft.kind).groups.remove(0);
            group.update = None;
            draft.groups.push(group);
        }
        let group = draft.groups.iter_mut().find(|group| group.name == name).expect("it was pushed above");
        job::bend_group(group, words);
    }

    fn node(&mut self, mut words: Words) {
        let mut node = model::testing::node(&words.name());
        let capacity = (words.number("cpu"), words.number("mem"));
        node = node.clone().cpu(capacity.0.unwrap_or(node.total.cpu_mhz));
        node = node.clone().memory(capacity.1.unwrap_or(node.total.memory_mb));
        node.total.memory_max_mb = words.number("memory_max").unwrap_or(node.total.memory_max_mb);
        node.total.disk_mb = words.number("disk").unwrap_or(node.total.disk_mb);
        node.datacenter = words.value("dc").unwrap_or(node.datacenter);
        node.pool = words.value("pool").unwrap_or(node.pool);
        node.class = words.value("class").unwrap_or(node.class);
        if let Some((first, last)) = words.value("ports").as_deref().and_then(|range| range.split_once('-')) {
            let port = |text: &str| text.parse().expect("a port is a number");
            node.dynamic_ports = (port(first), port(last));
        }
        equipment::equip(&mut node, &mut words);
        if let Some(text) = words.value("driver") {
            let (name, how) = text.split_once(':').unwrap_or((&text, "well"));
            let driver = Driver { detected: how != "absent", healthy: how == "well", ..Driver::default() };
            node.drivers = BTreeMap::from([(name.to_string(), driver)]);
        }
        if let Some(text) = words.value("reserved") {
            let (cpu, memory) = text.split_once(':').expect("what is reserved is cpu:mem");
            node.reserved.cpu_mhz = cpu.parse().expect("MHz are a number");
            node.reserved.memory_mb = memory.parse().expect("MiB are a number");
        }
        let at = words.value("since").map_or(self.now, |since| self.at(&since));
        let closings = [
            ("down", Closing::Status(NodeStatus::Down)),
            ("suspect", Closing::Status(NodeStatus::Suspect)),
            ("ineligible", Closing::Ineligible),
            ("draining", Closing::Draining),
        ];
        for (word, closing) in closings {
            if words.flag(word) {
                self.closings.push((node.id, closing, at));
            }
        }
        // What an agent was given while the cluster runs it goes on to have.
        let known = self.state.node(node.id).map(|known| known.host_volumes.clone()).unwrap_or_default();
        node.host_volumes.extend(known.into_iter().filter(|(_, volume)| volume.dynamic.is_some()));
        for word in words.0 {
            let (key, value) = word.split_once('=').unwrap_or_else(|| panic!("nobody knows {word}"));
            match key.strip_prefix("attr.") {
                Some(attribute) => drop(node.attributes.insert(attribute.into(), value.into())),
                None => drop(node.meta.insert(key.into(), value.into())),
            }
        }
        self.command(Command::RegisterNode { node: Arc::new(node), session: None });
    }

    pub(super) fn close(&mut self, name: &str, closing: Closing) {
        let node = self.node_named(name).id;
        self.close_node(node, closing);
    }

    fn close_node(&mut self, node: NodeId, closing: Closing) {
        let term = self.state.term();
        match closing {
            Closing::Status(status) => {
                self.command(Command::SetNodeStatus { changes: vec![(node, status)], seen: None, term });
            }
            Closing::Ineligible => {
                self.command(Command::SetNodeEligibility { node, eligibility: Eligibility::Ineligible });
            }
            Closing::Draining => {
                let spec = DrainSpec { deadline: None, ignore_system_jobs: false };
                let meta = BTreeMap::new();
                self.command(Command::DrainNode { node, drain: Some(spec), mark_eligible: false, meta });
                self.move_on();
            }
        }
    }

    /// Places an instance by a plan of its own, which leaves the job's evaluation pending.
    fn alloc(&mut self, mut words: Words) {
        let text = words.name();
        let name = Name::of(&text);
        assert!(words.flag("on"), "an instance stands on a node");
        let node = self.node_named(&words.name());
        let at = words.value("at").unwrap_or_else(|| "-1h".into());
        let at = self.at(&at);
        let key = job_key(&name.job);
        let version = words.number("version");
        let version = version.unwrap_or_else(|| self.state.job(&key).expect("the job comes first").current().version);
        let replaced = words.value("replacing").map(|node| self.instance(&name, Some(&node)).id);
        let job = self.state.job_version(&key, version).expect("that version is there").job.clone();
        let group = job.group(&name.group).expect("the job has that group");
        let held = self.state.node_use(node.id);
        let taken = Taken { held: Some(&held), placed: &Placed::default(), inherited: None, shares: None };
        let grant = grant(&node, &taken, group).unwrap_or_else(|misfits| panic!("{text} does not fit: {misfits:?}"));
        let tail = Tail {
            index: Some(name.index),
            previous: replaced,
            canary: words.flag("canary"),
            cores: grant.cores,
            devices: grant.devices,
            ..Tail::default()
        };
        let placement = Placement {
            group: name.group.clone(),
            job_version: version,
            node: node.id,
            node_generation: node.generation,
            count: 1,
            tails: vec![tail],
        };
        let before = std::mem::replace(&mut self.now, at);
        let accepted = self.plan(&key, vec![placement], DeploymentChange::None);
        assert!(accepted.rejected.is_empty(), "{text} does not fit: {:?}", accepted.rejected);
        let id = self.instance(&name, Some(&node.name)).id;
        let healthy = [("healthy", true), ("unhealthy", false)].into_iter().find(|(word, _)| words.flag(word));
        let statuses = [
            ("pending", ClientStatus::Pending),
            ("running", ClientStatus::Running),
            ("failed", ClientStatus::Failed),
            ("complete", ClientStatus::Complete),
        ];
        let status = statuses.into_iter().find(|(word, _)| words.flag(word));
        let status = status.map_or(ClientStatus::Running, |(_, status)| status);
        if status != ClientStatus::Pending {
            self.observe(id, status, healthy.map(|(_, healthy)| healthy));
        }
        self.now = before;
        words.end();
    }

    /// Begins a rollout of the job's current version, and brings it where the line says.
    fn deployment(&mut self, mut words: Words) {
        let key = job_key(&words.name());
        let job = self.state.job(&key).expect("the job comes first").current().job.clone();
        let goal = |group: &model::Group| {
            let canaries = group.update.as_ref().map_or(0, |update| update.canary);
            (group.name.clone(), GroupGoal { total: group.count, canaries })
        };
        let goals = job.groups.iter().filter(|group| group.update.is_some()).map(goal).collect();
        if self.state.latest_deployment(&key).is_none_or(|known| !known.status.is_active()) || words.flag("new") {
            self.plan(&key, Vec::new(), DeploymentChange::Begin(goals));
        }
        let deployment = self.state.latest_deployment(&key).expect("it was begun above").id;
        let end = |status| Command::EndDeployment {
            deployment,
            status,
            description: String::new(),
            revert_to: None,
            term: None,
        };
        let command = match words.name().as_str() {
            "running" => return,
            "failed" => end(model::DeploymentStatus::Failed),
            "successful" => end(model::DeploymentStatus::Successful),
            "paused" => Command::PauseDeployment { deployment, pause: true },
            "promoted" => Command::PromoteDeployment { deployment, groups: None, term: None },
            other => panic!("a deployment is never {other}"),
        };
        self.command(command);
    }

    fn plan(&mut self, key: &JobKey, placements: Vec<Placement>, deployment: DeploymentChange) -> Accepted {
        let is_pending = self.state.open_evaluations(EvaluationStatus::Pending).any(|known| known.job == *key);
        if !is_pending {
            self.command(Command::EvaluateJob { job: key.clone(), force_reschedule: false });
        }
        let evaluation = self.pending(key);
        let record = self.state.job(key).expect("the job comes first");
        let plan = Plan {
            evaluation: evaluation.id,
            attempt: evaluation.attempts,
            term: self.state.term(),
            snapshot_index: self.state.index(),
            job: key.clone(),
            job_version: record.current().version,
            job_modify_index: record.job_modify_index,
            job_plans: Some(record.plans),
            names_evaluations: true,
            supersedes: Vec::new(),
            stops: Vec::new(),
            updates_in_place: Vec::new(),
            placements,
            deployment,
            outcome: Outcome {
                progress: Progress::Continues,
                unplaced: BTreeMap::new(),
                queued: BTreeMap::new(),
                follow_ups: Vec::new(),
            },
        };
        self.command(Command::Plan(Box::new(plan)))
    }

    fn pending(&self, key: &JobKey) -> Arc<model::Evaluation> {
        let mut open = self.state.open_evaluations(EvaluationStatus::Pending);
        open.find(|known| known.job == *key).expect("the job is to be evaluated").clone()
    }

    /// The newest instance of that name, on that node if one is given.
    pub(super) fn instance(&self, name: &Name, node: Option<&str>) -> Arc<Allocation> {
        self.instances(name, node).pop().unwrap_or_else(|| panic!("there is no {name:?} on {node:?}"))
    }

    /// The instances of that name, oldest first.
    pub(super) fn instances(&self, name: &Name, node: Option<&str>) -> Vec<Arc<Allocation>> {
        let of_job = self.state.allocations_of_job(&job_key(&name.job));
        let named = of_job
            .filter(|known| known.group == name.group && known.index == name.index)
            .filter(|known| node.is_none_or(|node| *known.node_name == *node));
        let mut instances: Vec<_> = named.cloned().collect();
        instances.sort_by_key(|known| (known.create_index, known.id));
        instances
    }

    /// The node of that name, which must be there.
    pub fn node_named(&self, name: &str) -> Arc<Node> {
        let known = self.state.nodes().find(|node| node.name == name);
        known.unwrap_or_else(|| panic!("there is no node {name}")).clone()
    }

    pub(super) fn at(&self, text: &str) -> Timestamp {
        Timestamp(self.now.0 + Timestamp::from_seconds(seconds(text)).0)
    }
}
