//! Keeps what is derived in line with its source: indexes by job and node, use of nodes, the catalog.

use std::cmp::Reverse;
use std::sync::Arc;

use model::old_bugs::{OldBug, is_on};
use model::{
    Allocation, AllocationId, Deployment, DeploymentId, Evaluation, EvaluationId, EvaluationStatus, Instance, JobKey,
    Node, NodeId,
};

use super::mix::Mix;
use super::{Change, NodeUse, Occupancy, OpenKey, ServiceKey, State};
use crate::catalog;
use crate::rows::Place;

impl State {
    /// Stores an allocation that is new; where. `provides`: it has services. It is found by its id, and its job learns of it,
    /// by [`add_to_job`](Self::add_to_job), for many at once.
    pub(crate) fn add_allocation(&mut self, allocation: Allocation, provides: bool) -> Place {
        let allocation = Arc::new(allocation);
        let place = self.allocations.append(allocation.clone());
        // Changed where it stands: an entry that places many instances on a node copies what is there once.
        let occupancy = Arc::make_mut(self.occupancies.entry(&allocation.node));
        occupancy.allocations.insert(allocation.id, place);
        if allocation.ties().after.is_empty() && occupancy.held.is_plain() {
            occupancy.held.add(&allocation);
        } else {
            self.recount(allocation.node);
        }
        self.mix.come(&allocation);
        if provides {
            self.put_instances(allocation.id, catalog::instances(self, &allocation));
        }
        place
    }

    /// Makes new allocations of a job known by their ids, and to the job.
    pub(crate) fn add_to_job(&mut self, job: &JobKey, mut placed: Vec<(AllocationId, Place)>) {
        if placed.is_empty() {
            return;
        }
        // In order, each page is found in the cache.
        placed.sort_unstable_by_key(|(id, _)| *id);
        self.allocations.learn(&placed);
        self.put_allocations_of_job(job, &placed);
    }

    /// Stores an allocation that has changed, and what follows from it.
    pub(crate) fn put_allocation(&mut self, allocation: Allocation) {
        let allocation = Arc::new(allocation);
        let old = match self.place_on(allocation.node, allocation.id) {
            Some(place) => self.allocations.replace(place, allocation.clone()),
            None => self.allocations.insert(allocation.id, allocation.clone()),
        };
        let held_before = old.as_deref().is_some_and(Allocation::holds);
        if is_on(OldBug::FreedTooEarly) {
            self.recount(allocation.node);
        } else if held_before != allocation.holds() {
            self.account(&allocation);
        }
        if held_before != allocation.holds() {
            if held_before { self.mix.go(&allocation) } else { self.mix.come(&allocation) }
        }
        if let Some(old) = old {
            self.recount_of_job(&old, &allocation);
        }
        self.put_instances(allocation.id, catalog::instances(self, &allocation));
    }

    /// Forgets an allocation.
    pub(crate) fn remove_allocation(&mut self, id: AllocationId) {
        let Some(old) = self.allocations.remove(&id) else { return };
        self.remove_allocation_of_job(&old);
        let occupancy = Arc::make_mut(self.occupancies.entry(&old.node));
        occupancy.allocations.remove(&id);
        if occupancy.allocations.is_empty() {
            self.occupancies.remove(&old.node);
        } else if old.holds() {
            self.recount(old.node);
        }
        if old.holds() {
            self.mix.go(&old);
        }
        self.derive_instances(id);
    }

    /// Brings the use of a node in line with an allocation there that began or ceased to hold something.
    fn account(&mut self, allocation: &Allocation) {
        let occupancy = Arc::make_mut(self.occupancies.entry(&allocation.node));
        if !allocation.ties().after.is_empty() || !occupancy.held.is_plain() {
            self.recount(allocation.node);
        } else if allocation.holds() {
            occupancy.held.add(allocation);
        } else {
            occupancy.held.subtract(allocation);
        }
    }

    /// Computes the use of a node anew.
    fn recount(&mut self, node: NodeId) {
        let held = NodeUse::of(self.allocations_of_node(node).map(|allocation| &**allocation));
        Arc::make_mut(self.occupancies.entry(&node)).held = held;
    }

    /// Notes that a node gained room for new work, at the index of the entry at work.
    pub(crate) fn put_gain(&mut self, node: NodeId) {
        self.remove_gain(node);
        self.gains.insert(node, self.index);
        self.nodes_by_gain.insert((self.index, node), ());
    }

    /// Forgets what a node gained.
    pub(crate) fn remove_gain(&mut self, node: NodeId) {
        if let Some(before) = self.gains.remove(&node) {
            self.nodes_by_gain.remove(&(before, node));
        }
    }

    /// Stores a node.
    pub(crate) fn put_node(&mut self, node: Node) {
        let (id, name) = (node.id, node.name.clone());
        let old = self.nodes.insert(id, Arc::new(node));
        if let Some(old) = old.filter(|old| old.name != name) {
            self.nodes_by_name.remove(&(old.name.clone(), id));
        }
        self.nodes_by_name.insert((name, id), ());
    }

    /// Forgets a node.
    pub(crate) fn remove_node(&mut self, id: NodeId) {
        if let Some(old) = self.nodes.remove(&id) {
            self.nodes_by_name.remove(&(old.name.clone(), id));
            self.awaited.remove(&id);
            self.sessions.remove(&id);
            self.holders.remove(&id);
        }
    }

    /// Stores an evaluation.
    pub(crate) fn put_evaluation(&mut self, evaluation: Evaluation) {
        let id = evaluation.id;
        if let Some(old) = self.evaluations.get(&id).cloned() {
            self.open_evaluations.remove(&open_key(&old));
            if let Some(at) = old.wait_until {
                self.waiting_evaluations.remove(&(at, id));
            }
        } else {
            self.put_evaluation_of_job(&evaluation.job, id);
        }
        self.index_open(&evaluation);
        self.evaluations.insert(id, Arc::new(evaluation));
    }

    fn index_open(&mut self, evaluation: &Evaluation) {
        match (evaluation.status, evaluation.wait_until) {
            (EvaluationStatus::Pending, Some(at)) => {
                self.waiting_evaluations.insert((at, evaluation.id), ());
            }
            (EvaluationStatus::Pending, None) | (EvaluationStatus::Blocked, _) => {
                self.open_evaluations.insert(open_key(evaluation), ());
            }
            (EvaluationStatus::Complete | EvaluationStatus::Failed | EvaluationStatus::Canceled, _) => {}
        }
    }

    /// Forgets an evaluation.
    pub(crate) fn remove_evaluation(&mut self, id: EvaluationId) {
        let Some(old) = self.evaluations.remove(&id) else { return };
        self.open_evaluations.remove(&open_key(&old));
        if let Some(at) = old.wait_until {
            self.waiting_evaluations.remove(&(at, id));
        }
        self.remove_evaluation_of_job(&old.job, id);
    }

    /// Stores a deployment.
    pub(crate) fn put_deployment(&mut self, deployment: Deployment) {
        let (id, deployment) = (deployment.id, Arc::new(deployment));
        if self.deployments.insert(id, deployment.clone()).is_none() {
            self.put_deployment_of_job(&deployment.job, (deployment.create_index, id));
        }
    }

    /// Forgets a deployment.
    pub(crate) fn remove_deployment(&mut self, id: DeploymentId) {
        if let Some(gone) = self.deployments.remove(&id) {
            self.remove_deployment_of_job(&gone.job, id);
        }
    }

    /// Computes the instances that an allocation provides, and the rows of its services.
    pub(crate) fn derive_instances(&mut self, id: AllocationId) {
        let new = self.allocations.get(&id).map(|allocation| catalog::instances(self, allocation)).unwrap_or_default();
        self.put_instances(id, new);
    }

    fn put_instances(&mut self, id: AllocationId, new: Vec<Instance>) {
        let old = self.instances.get(&id).cloned().unwrap_or_default();
        if *old == new {
            return;
        }
        for gone in old.iter().filter(|old| !new.iter().any(|new| new.id == old.id && new.service == old.service)) {
            self.change_row(gone, None);
        }
        for instance in &new {
            if !old.contains(instance) {
                self.change_row(instance, Some(instance.clone()));
            }
        }
        if new.is_empty() {
            self.instances.remove(&id);
        } else {
            self.instances.insert(id, Arc::new(new));
        }
    }

    fn change_row(&mut self, of: &Instance, instance: Option<Instance>) {
        let key: ServiceKey = (of.job.namespace.clone(), of.service.as_str().into());
        // Changed where it stands: an entry that changes many instances of a service copies its row once.
        let row = Arc::make_mut(self.services.entry(&key));
        match instance {
            Some(instance) => row.instances.insert(of.id.clone(), instance),
            None => row.instances.remove(&of.id),
        };
        // `apply` sets the index before it changes anything, so this is the index of the entry at work.
        row.modify_index = self.index;
        if row.instances.is_empty() {
            self.services.remove(&key);
        }
        self.indexes.services = self.index;
        self.changes.push(Change::Service(key));
    }

    /// Computes everything that is derived anew, from the tables that are not.
    pub(crate) fn derive_all(&mut self) {
        let allocations: Vec<_> = self.allocations.arrivals().cloned().collect();
        self.of_jobs = self.derive_of_jobs();
        let mut of_node: Vec<_> =
            self.allocations.places().map(|(place, each)| ((each.node, each.id), place)).collect();
        of_node.sort_unstable_by_key(|(key, _)| *key);
        let occupancy = |of_node: &[((NodeId, AllocationId), Place)]| {
            let known = of_node.iter().filter_map(|(_, place)| self.allocations.at(*place));
            let held = NodeUse::of(known.map(|known| &**known));
            let allocations = of_node.iter().map(|((_, id), place)| (*id, *place)).collect();
            (of_node[0].0.0, Arc::new(Occupancy { held, allocations }))
        };
        self.occupancies = of_node.chunk_by(|((one, _), _), ((next, _), _)| one == next).map(occupancy).collect();
        self.nodes_by_name = self.nodes.values().map(|node| ((node.name.clone(), node.id), ())).collect();
        self.open_evaluations = Default::default();
        self.waiting_evaluations = Default::default();
        let evaluations: Vec<_> = self.evaluations.values().cloned().collect();
        for evaluation in &evaluations {
            self.index_open(evaluation);
        }
        self.nodes_by_gain = self.gains.iter().map(|(node, index)| ((*index, *node), ())).collect();
        self.mix = Mix::of(allocations.iter().map(|each| &**each), self.mix.taken().clone());
        self.instances = Default::default();
        self.services = Default::default();
        for allocation in &allocations {
            let instances = catalog::instances(self, allocation);
            if !instances.is_empty() {
                self.put_instances(allocation.id, instances);
            }
        }
        self.changes.clear();
    }

    /// The parts in which another state differs, by the names of their fields. For tests and audits.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        macro_rules! differing {
            ($($field:ident)*) => { [$((stringify!($field), self.$field != other.$field)),*] };
        }
        let all = differing!(index term time cluster cluster_version epoch restored_at scheduler scheduler_index last_server_id autopilot autopilot_index jobs nodes allocations evaluations deployments servers removed_servers awaited sessions holders join_tokens port_cursors gains requests volumes volume_claims purged request_order rebalance indexes restoring chain of_jobs open_evaluations waiting_evaluations nodes_by_gain nodes_by_name occupancies mix instances services changes);
        all.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }

    /// Whether everything that is derived is what would be derived anew. For tests and audits.
    pub fn is_consistent(&self) -> bool {
        let mut anew = self.clone();
        anew.derive_all();
        let same_rows = self.services.len() == anew.services.len()
            && self
                .services
                .iter()
                .zip(anew.services.iter())
                .all(|((key, row), (new_key, new_row))| key == new_key && row.instances == new_row.instances);
        let occupancies = |state: &State| -> Vec<_> {
            let counts = |(node, occupancy): (&NodeId, &Arc<Occupancy>)| {
                let Occupancy { held, allocations } = Occupancy::clone(occupancy);
                (*node, held.held, held.allocations, held.ports.clone(), held.cores, held.devices, allocations)
            };
            state.occupancies.iter().map(counts).collect()
        };
        same_rows
            && occupancies(self) == occupancies(&anew)
            && self.of_jobs == anew.of_jobs
            && self.open_evaluations == anew.open_evaluations
            && self.waiting_evaluations == anew.waiting_evaluations
            && self.nodes_by_gain == anew.nodes_by_gain
            && self.instances == anew.instances
            && self.mix == anew.mix
            && self.nodes_by_name == anew.nodes_by_name
    }
}

fn open_key(evaluation: &Evaluation) -> OpenKey {
    (evaluation.status, Reverse(evaluation.priority), evaluation.create_index, evaluation.id)
}
