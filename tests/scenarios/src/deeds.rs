//! What people do and agents observe in a scenario, each a line that begins with its verb.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::{
    Algorithm, Allocation, AllocationId, ClientStatus, DeploymentId, Eligibility, NodeStatus, Observation, TaskState,
    Timestamp,
};
use server_core::command::{Command, DrainSpec, Preemption, SchedulerConfiguration};
use server_core::{collection, deployment};

use super::cluster::{Closing, Cluster};
use super::words::{Name, Words, duration, job_key, seconds};

impl Cluster {
    /// Does what a line says that is none about nodes, jobs or what was there before.
    pub(super) fn deed(&mut self, verb: &str, mut words: Words) {
        match verb {
            "healthy" if words.0.first().is_some_and(|name| !name.contains('[')) => self.healthy(&words.name()),
            "healthy" => self.observe_named(words, ClientStatus::Running, Some(true)),
            "sweep" => self.sweep(),
            "unhealthy" => self.observe_named(words, ClientStatus::Running, Some(false)),
            "gone" => self.observe_named(words, ClientStatus::Complete, None),
            "runs" => self.observe_named(words, ClientStatus::Running, None),
            "reports" => self.report(&words.name()),
            "fails" if words.0.first().is_some_and(|name| !name.contains('[')) => self.fail_one(&words.name()),
            "fails" => self.observe_named(words, ClientStatus::Failed, None),
            "stop" => self.stop(words),
            "drain" => self.drain(words),
            "ask" => {
                let job = job_key(&words.name());
                // One that was stopped long ago may be forgotten.
                if self.state.job(&job).is_some() {
                    self.command(Command::EvaluateJob { job, force_reschedule: words.flag("force") });
                }
            }
            "purge" => {
                self.command(Command::DeregisterJob { job: job_key(&words.name()), purge: true });
            }
            "forget" => {
                let node = self.node_named(&words.name()).id;
                self.command(Command::PurgeNode { node });
            }
            "revert" => {
                let (job, version) = (job_key(&words.name()), words.name());
                let version = version.parse().expect("a version is a number");
                self.command(Command::RevertJob { job, version, check_version: None });
            }
            "stable" => {
                let job = job_key(&words.name());
                let version = self.state.job(&job).expect("the job comes first").current().version;
                self.command(Command::SetJobStability { job, version, stable: true });
            }
            "promote" => {
                let deployment = self.latest_deployment(&words.name());
                let groups = (!words.0.is_empty()).then(|| words.0.clone());
                self.command(Command::PromoteDeployment { deployment, groups, term: None });
            }
            "pause" | "resume" => {
                let deployment = self.latest_deployment(&words.name());
                self.command(Command::PauseDeployment { deployment, pause: verb == "pause" });
            }
            "fail" => self.give_up(&words.name()),
            "judge" => self.judge(words),
            "undrain" => {
                let node = self.node_named(&words.name()).id;
                let meta = BTreeMap::new();
                self.command(Command::DrainNode { node, drain: None, mark_eligible: true, meta });
            }
            "down" => self.close(&words.name(), Closing::Status(NodeStatus::Down)),
            "back" => {
                let node = self.node_named(&words.name());
                self.command(Command::RegisterNode { node, session: None });
            }
            "wait" => self.now = self.now + Duration::from_secs(seconds(&words.name()).unsigned_abs()),
            "collect" => {
                while let Some(command) = collection::next(&self.state, self.now, self.state.term()) {
                    self.command(command);
                }
            }
            "crash" => self.crash(&words.name()),
            "volume" => self.make_volume(words),
            "close" | "delete" => self.end_volume(verb, words),
            "unclaim" => self.unclaim(&words.name()),
            "watch" => drop(self.watch()),
            "rebalance" => self.rebalance(words),
            "cancel" => {
                self.command(Command::CancelRebalance);
            }
            "panic" => self.panic(&words.name()),
            "ineligible" => self.close(&words.name(), Closing::Ineligible),
            "eligible" => {
                let node = self.node_named(&words.name()).id;
                self.command(Command::SetNodeEligibility { node, eligibility: Eligibility::Eligible });
            }
            "scheduler" => {
                let algorithm = if words.flag("spread") { Algorithm::Spread } else { Algorithm::Binpack };
                let all = words.flag("preempt");
                let preemption = if all {
                    Preemption { service: true, batch: true, system: true, sysbatch: true }
                } else {
                    Preemption::default()
                };
                let of_pool = words.value("spread_pool").map(|pool| BTreeMap::from([(pool, Algorithm::Spread)]));
                let configuration = SchedulerConfiguration { algorithm, pools: of_pool, preemption };
                self.command(Command::SetSchedulerConfiguration { configuration, check_index: None });
            }
            other => panic!("nobody knows how to {other}"),
        }
    }

    /// Every live instance fails that is none of `spared`.
    pub fn crash_all_but(&mut self, spared: &BTreeSet<AllocationId>) {
        let live = self.state.allocations().filter(|known| known.is_live() && !spared.contains(&known.id));
        for id in live.map(|known| known.id).collect::<Vec<_>>() {
            self.observe(id, ClientStatus::Failed, Some(false));
        }
    }

    fn healthy(&mut self, id: &str) {
        let live = self.state.allocations_of_job(&job_key(id)).filter(|known| known.is_live());
        for id in live.map(|known| known.id).collect::<Vec<_>>() {
            self.observe(id, ClientStatus::Running, Some(true));
        }
    }

    /// Everything that was told to stop is gone.
    fn sweep(&mut self) {
        let stopping = self.state.allocations().filter(|known| known.holds() && !known.is_live());
        for id in stopping.map(|known| known.id).collect::<Vec<_>>() {
            self.observe(id, ClientStatus::Complete, None);
        }
    }

    /// Some instance of the job fails, if one runs.
    fn fail_one(&mut self, id: &str) {
        let live = self.state.allocations_of_job(&job_key(id)).find(|known| known.is_live());
        if let Some(id) = live.map(|known| known.id) {
            self.observe(id, ClientStatus::Failed, None);
        }
    }

    /// Every instance of the job's current version fails.
    fn crash(&mut self, id: &str) {
        let key = job_key(id);
        let current = self.state.job(&key).map(|record| record.current().version);
        let is_older = |known: &&Arc<Allocation>| known.job != key || Some(known.job_version) != current;
        let spared = self.state.allocations().filter(is_older).map(|known| known.id).collect();
        self.crash_all_but(&spared);
    }

    fn observe_named(&mut self, mut words: Words, status: ClientStatus, healthy: Option<bool>) {
        let name = Name::of(&words.name());
        let node = words.flag("on").then(|| words.name());
        // What was told to stop goes before what succeeds it.
        let named = self.instances(&name, node.as_deref());
        let known = named.iter().find(|known| known.holds() && !known.is_live()).or(named.last());
        let id = known.unwrap_or_else(|| panic!("there is no {name:?}")).id;
        let ended_at = words.value("at").map_or(self.now, |at| self.at(&at));
        words.end();
        self.observe_ended(id, status, healthy, ended_at);
    }

    /// The agent of an instance says how it is, now.
    pub(super) fn observe(&mut self, allocation: AllocationId, status: ClientStatus, healthy: Option<bool>) {
        self.observe_ended(allocation, status, healthy, self.now);
    }

    /// The same of one that ended then, if it did.
    fn observe_ended(
        &mut self,
        allocation: AllocationId,
        status: ClientStatus,
        healthy: Option<bool>,
        ended_at: Timestamp,
    ) {
        let known = self.state.allocation(allocation).expect("it was found").clone();
        let finished_at = status.is_terminal().then_some(ended_at);
        let task = TaskState { finished_at, started_at: Some(known.created_at), ..TaskState::default() };
        let observation = Observation {
            allocation,
            client_status: status,
            client_description: String::new(),
            tasks: BTreeMap::from([(known.group.clone(), task)]),
            healthy,
            healthy_at: healthy.map(|_| self.now),
            checks: BTreeMap::new(),
            network_address: None,
        };
        self.command(Command::Observe {
            nodes: vec![(known.node, vec![observation.packed()])],
            sessions: Default::default(),
        });
    }

    fn stop(&mut self, mut words: Words) {
        let name = words.name();
        if !name.contains('[') {
            // One that was stopped long ago may be forgotten.
            if self.state.job(&job_key(&name)).is_some() {
                self.command(Command::DeregisterJob { job: job_key(&name), purge: false });
            }
            return;
        }
        let node = words.flag("on").then(|| words.name());
        let allocation = self.instance(&Name::of(&name), node.as_deref()).id;
        self.command(Command::StopAllocation { allocation });
    }

    /// The agent of a node says of everything that is wanted there that it runs.
    fn report(&mut self, node: &str) {
        let node = self.node_named(node).id;
        let live = self.state.allocations_of_node(node).filter(|known| known.is_live());
        for id in live.map(|known| known.id).collect::<Vec<_>>() {
            self.observe(id, ClientStatus::Running, None);
        }
    }

    /// A node drains, until the deadline if there is one.
    fn drain(&mut self, mut words: Words) {
        let node = self.node_named(&words.name()).id;
        let deadline = words.value("deadline").map(|deadline| duration(&deadline));
        let spec = DrainSpec { deadline, ignore_system_jobs: words.flag("ignore_system") };
        let meta = BTreeMap::new();
        self.command(Command::DrainNode { node, drain: Some(spec), mark_eligible: false, meta });
        self.move_on();
    }

    /// A person gives a rollout up.
    fn give_up(&mut self, job: &str) {
        let id = self.latest_deployment(job);
        let known = self.state.deployment(id).expect("it was found").clone();
        let command = deployment::fail(&self.state, &known, "Deployment marked as failed", None);
        self.command(command);
    }

    /// A person says of an instance how it does.
    fn judge(&mut self, mut words: Words) {
        let name = words.name();
        let allocation = self.instance(&Name::of(&name), None).id;
        let deployment = self.latest_deployment(&Name::of(&name).job);
        let (healthy, unhealthy) =
            if words.flag("healthy") { (vec![allocation], vec![]) } else { (vec![], vec![allocation]) };
        self.command(Command::SetAllocationHealth { deployment, healthy, unhealthy, term: None });
    }

    /// The newest rollout of a job; one that never was has an id too, and is refused.
    fn latest_deployment(&self, job: &str) -> DeploymentId {
        let known = self.state.latest_deployment(&job_key(job));
        known.map_or(DeploymentId::derive(&[b"nobody"]), |known| known.id)
    }
}
