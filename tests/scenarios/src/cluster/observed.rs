//! What agents report in a scenario.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, ClientStatus, Observation, TaskState};
use server_core::command::Command;

use super::Cluster;
use crate::words::{Name, Words, job_key};

impl Cluster {
    pub(super) fn healthy(&mut self, id: &str) {
        let live = self.state.allocations_of_job(&job_key(id)).filter(|known| known.is_live());
        for id in live.map(|known| known.id).collect::<Vec<_>>() {
            self.observe(id, ClientStatus::Running, Some(true));
        }
    }

    /// Everything that was told to stop is gone.
    pub(super) fn sweep(&mut self) {
        let stopping = self.state.allocations().filter(|known| known.holds() && !known.is_live());
        for id in stopping.map(|known| known.id).collect::<Vec<_>>() {
            self.observe(id, ClientStatus::Complete, None);
        }
    }

    /// Some instance of the job fails, if one runs.
    pub(super) fn fail_one(&mut self, id: &str) {
        let live = self.state.allocations_of_job(&job_key(id)).find(|known| known.is_live());
        if let Some(id) = live.map(|known| known.id) {
            self.observe(id, ClientStatus::Failed, None);
        }
    }

    /// Every instance of the job's current version fails.
    pub(super) fn crash(&mut self, id: &str) {
        let key = job_key(id);
        let current = self.state.job(&key).map(|record| record.current().version);
        let is_older = |known: &&Arc<Allocation>| known.job != key || Some(known.job_version) != current;
        let spared = self.state.allocations().filter(is_older).map(|known| known.id).collect();
        self.crash_all_but(&spared);
    }

    pub(super) fn observe_named(&mut self, mut words: Words, status: ClientStatus) {
        let name = Name::of(&words.name());
        let node = words.flag("on").then(|| words.name());
        // What was told to stop goes before what succeeds it.
        let named = self.instances(&name, node.as_deref());
        let known = named.iter().find(|known| known.holds() && !known.is_live()).or(named.last());
        let id = known.unwrap_or_else(|| panic!("there is no {name:?}")).id;
        self.observe(id, status, None);
    }

    pub(super) fn observe(&mut self, allocation: model::AllocationId, status: ClientStatus, healthy: Option<bool>) {
        let known = self.state.allocation(allocation).expect("it was found").clone();
        let finished_at = status.is_terminal().then_some(self.now);
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
        self.command(Command::Observe { nodes: vec![(known.node, vec![observation])] });
    }
}
