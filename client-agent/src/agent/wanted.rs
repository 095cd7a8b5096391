//! What servers want of the node: the set, the bodies that are lacking, and what follows from the difference.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use client_agent_core::{Allocation, AllocationEvent, Changes, Known, assign, held_by};
use model::old_bugs::{OldBug, is_on};
use model::{AllocationId, ClusterId, Desired, DocumentId, Job};
use proto::convert::{
    allocation_from_bytes, allocation_to_bytes, assignment_from_wire, document_from_wire, document_to_wire,
};
use proto::wire::{self, agent_up};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::Agent;
use super::local::{Local, spec_of};

/// When bodies that did not come are asked for again.
pub(super) const FETCH_RETRY_DELAY: Duration = Duration::from_secs(2);

impl Agent {
    /// A server took the stream. False if it must not be obeyed.
    pub(super) fn welcomed(&mut self, welcome: &wire::Welcome) -> bool {
        let cluster = <[u8; 16]>::try_from(&welcome.cluster[..]).map(ClusterId::from_hash);
        if cluster.as_ref().is_ok_and(|cluster| *cluster != self.config.cluster) {
            warn!(?cluster, own = %self.config.cluster, "server is of another cluster; its wishes are not heard");
            return false;
        }
        self.heard_at = Instant::now();
        if welcome.beat_interval_ms > 0 {
            self.beat_interval = Duration::from_millis(welcome.beat_interval_ms);
        }
        // What was asked on a stream that is gone may never be answered.
        self.fetch_at = None;
        self.report.repeat(Instant::now());
        self.compare();
        true
    }

    /// Takes the newest wanted set; one that is older than what is known is ignored.
    pub(super) fn take_wanted(&mut self, wanted: wire::Wanted) {
        let known = self.wanted.as_ref().map_or((self.epoch, 0), |(epoch, index, _)| (*epoch, *index));
        if (wanted.epoch, wanted.index) < known && !is_on(OldBug::OldWantedObeyed) {
            debug!(index = wanted.index, known = known.1, "an older wanted set is ignored");
            return;
        }
        let mut items = BTreeMap::new();
        for item in &wanted.items {
            match allocation_from_bytes("wanted.allocation", &item.allocation) {
                Ok(id) => {
                    items.insert(id, item.generation);
                }
                Err(error) => {
                    warn!(%error, "a wanted set that can't be read is ignored as a whole");
                    return;
                }
            }
        }
        if wanted.epoch > self.epoch {
            self.epoch = wanted.epoch;
            self.persist_epoch();
            self.tell_hello();
        }
        self.wanted = Some((wanted.epoch, wanted.index, items));
        self.bodies.retain(|id, _| self.wanted.as_ref().is_some_and(|(_, _, items)| items.contains_key(id)));
        self.learn(&wanted.news.unwrap_or_default());
        self.compare();
    }

    /// Takes fetched bodies.
    pub(super) fn take_bodies(&mut self, bodies: &wire::Bodies) {
        self.learn(bodies);
        self.fetch_at = None;
        self.compare();
    }

    fn learn(&mut self, bodies: &wire::Bodies) {
        for body in &bodies.jobs {
            let Some(version) = &body.version else { continue };
            let document = document_from_wire(version);
            match serde_json::from_slice::<Job>(&body.document) {
                Ok(job) => {
                    self.persist_job(&document, &job);
                    self.jobs.insert(document, Arc::new(job));
                }
                Err(error) => warn!(%document, %error, "a job that can't be read is ignored"),
            }
        }
        for assignment in &bodies.assignments {
            match assignment_from_wire(assignment) {
                Ok(assignment) => {
                    self.bodies.insert(assignment.allocation, assignment);
                }
                Err(error) => warn!(%error, "an assignment that can't be read is ignored"),
            }
        }
    }

    /// Brings what is known in line with what is wanted.
    pub(super) fn compare(&mut self) {
        let Some((_, _, wanted)) = &self.wanted else { return };
        let known = self.known();
        let Changes { mut lacking, begin, change, end, forget: _ } = assign(wanted, &self.bodies, &known);
        let mut jobs = BTreeSet::new();
        for id in begin {
            match self.job_of(id) {
                Ok(job) => self.begin(id, job),
                Err(document) => drop(jobs.insert(document)),
            }
        }
        for id in change {
            match self.job_of(id) {
                Ok(job) => self.change(id, job),
                Err(document) => drop(jobs.insert(document)),
            }
        }
        for id in end {
            self.step(id, AllocationEvent::Stop("the server does not want it any more".into()));
            self.end_orphan(id);
        }
        lacking.sort();
        self.fetch(&lacking, &jobs);
        self.release_successors();
    }

    fn known(&self) -> BTreeMap<AllocationId, Known> {
        let orphans = self.orphans.keys().map(|id| (*id, Known { generation: None, gone: false }));
        let locals = self.locals.iter().map(|(id, local)| {
            (*id, Known { generation: Some(local.assignment.generation), gone: local.state.is_gone() })
        });
        orphans.chain(locals).collect()
    }

    fn job_of(&self, id: AllocationId) -> Result<Arc<Job>, DocumentId> {
        let document = &self.bodies[&id].document;
        self.jobs.get(document).cloned().ok_or_else(|| document.clone())
    }

    fn begin(&mut self, id: AllocationId, job: Arc<Job>) {
        let Some(assignment) = self.bodies.remove(&id) else { return };
        let spec = spec_of(&assignment, &job, self.config.deregister_grace);
        let orphans = self.orphans.remove(&id).unwrap_or_default();
        // Where a driver could not be asked yet, nobody knows whether the task runs, so it is not started before.
        let unlisted = job
            .group(&assignment.group)
            .into_iter()
            .flat_map(|group| &group.tasks)
            .any(|task| self.drivers.contains_key(&task.driver) && !self.listed.contains(&task.driver));
        let mut containers: BTreeMap<String, u32> = match unlisted {
            true => spec.members.keys().map(|name| (name.clone(), 0)).collect(),
            false => BTreeMap::new(),
        };
        containers.extend(orphans.iter().map(|(task, (_, container))| (task.clone(), container.restarts)));
        let state = Allocation::orphaned(&spec, &containers, self.seams.clock.now());
        info!(allocation = %id, job = %assignment.document.job, group = assignment.group, adopts = orphans.len(), "allocation begins");
        let local = Local::new(assignment, job, state, self.config.deregister_grace);
        self.report.put(local.state.observation(id), Instant::now());
        self.locals.insert(id, local);
        for (_, (_, container)) in orphans {
            self.observe(container);
        }
        if self.locals.get(&id).is_some_and(|local| local.group().is_none()) {
            let local = &self.locals[&id];
            let reason = format!("job {} has no group {}", local.assignment.document.job, local.assignment.group);
            self.step(id, AllocationEvent::Impossible(reason));
        }
        self.hold(id);
        self.follow_desire(id);
        self.step(id, AllocationEvent::Tick);
    }

    fn change(&mut self, id: AllocationId, job: Arc<Job>) {
        let Some(assignment) = self.bodies.remove(&id) else { return };
        let Some(local) = self.locals.get_mut(&id) else { return };
        local.spec = spec_of(&assignment, &job, self.config.deregister_grace);
        if assignment.deployment.is_some() && assignment.deployment != local.assignment.deployment {
            local.state.judge_anew();
        }
        local.assignment = assignment;
        local.job = job;
        self.persist(id);
        self.hold(id);
        self.follow_desire(id);
        self.step(id, AllocationEvent::Tick);
    }

    fn follow_desire(&mut self, id: AllocationId) {
        let Some(local) = self.locals.get(&id) else { return };
        match local.assignment.desired {
            Desired::Run => {}
            Desired::Stop(reason) => self.step(id, AllocationEvent::Stop(reason.as_str().into())),
        }
    }

    /// Tells an allocation for whom it must wait.
    fn hold(&mut self, id: AllocationId) {
        let Some(local) = self.locals.get(&id) else { return };
        if local.assignment.after.is_empty() || local.state.is_gone() {
            return;
        }
        let held = held_by(&local.assignment.after, &self.alive());
        self.step(id, AllocationEvent::WaitsFor(held));
    }

    /// Tells all successors whose wait may be over.
    pub(super) fn release_successors(&mut self) {
        let waits = |local: &Local| !local.assignment.after.is_empty() && !local.state.has_started();
        let waiting: Vec<_> = self.locals.iter().filter(|(_, it)| waits(it)).map(|(id, _)| *id).collect();
        for id in waiting {
            self.hold(id);
        }
    }

    fn alive(&self) -> BTreeSet<AllocationId> {
        let locals = self.locals.iter().filter(|(_, local)| !local.state.is_gone()).map(|(id, _)| *id);
        locals.chain(self.orphans.keys().copied()).collect()
    }

    fn fetch(&mut self, allocations: &[AllocationId], jobs: &BTreeSet<DocumentId>) {
        if allocations.is_empty() && jobs.is_empty() {
            self.fetch_at = None;
            return;
        }
        if self.fetch_at.is_some() {
            return;
        }
        self.fetch_at = Some(Instant::now() + FETCH_RETRY_DELAY);
        self.send(agent_up::Body::Fetch(wire::Fetch {
            allocations: allocations.iter().copied().map(allocation_to_bytes).collect(),
            jobs: jobs.iter().map(document_to_wire).collect(),
        }));
    }

    /// Stops instances whose group does not want to run unseen for so long (`disconnect.stop_on_client_after`).
    pub(super) fn stop_what_is_out_of_contact(&mut self) {
        let silence = self.last_heard().elapsed();
        let limit = |local: &Local| local.group()?.disconnect_rules()?.stop_on_client_after;
        let over = |local: &Local| limit(local).is_some_and(|limit| silence >= limit) && !local.state.is_gone();
        let due: Vec<_> = self.locals.iter().filter(|(_, local)| over(local)).map(|(id, _)| *id).collect();
        for id in due {
            let reason = format!("no server was heard for {} s", silence.as_secs());
            self.step(id, AllocationEvent::Stop(reason));
        }
    }
}
