//! What belongs to a job, derived from the tables: its allocations, evaluations and deployments, and how many live
//! instances each version of it has, so that the rollout of a large job does not look at all of them whenever one gets
//! healthy.
//!
//! All of it stands under the job's key once: most entries of the log change something of one job, and each table that they
//! change costs the copy of some pages, which with keys of texts are dear.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, AllocationId, ClientStatus, DeploymentId, EvaluationId, Index, JobKey};

use super::State;
use crate::cow::CowMap;
use crate::deployment::has_failed;
use crate::rows::Place;

/// Allocations, each with where it stands.
type Placed = Vec<(AllocationId, Place)>;

/// What belongs to one job, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct OfJob {
    pub allocations: CowMap<AllocationId, Place>,
    pub evaluations: Vec<EvaluationId>,
    /// The oldest first.
    pub deployments: Vec<(Index, DeploymentId)>,
    /// By version of the job; none where nothing is counted.
    tallies: Vec<(u64, Tally)>,
}

/// Instances of one version of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    live: u32,
    /// Those of them that are in reach and that neither move nor have another one in their place.
    stay: u32,
    /// Those that failed and have none in their place.
    failed: u32,
}

impl Tally {
    /// What one instance adds.
    fn of(allocation: &Allocation) -> Self {
        let live = allocation.is_live();
        let stays = live
            && !allocation.migrate
            && allocation.ties().next.is_none()
            && allocation.client_status != ClientStatus::Unknown;
        Self { live: live.into(), stay: stays.into(), failed: has_failed(allocation).into() }
    }

    fn and(self, more: Self) -> Self {
        Self { live: self.live + more.live, stay: self.stay + more.stay, failed: self.failed + more.failed }
    }

    fn without(self, less: Self) -> Self {
        Self { live: self.live - less.live, stay: self.stay - less.stay, failed: self.failed - less.failed }
    }
}

impl OfJob {
    /// Counts one allocation.
    fn count(&mut self, allocation: &Allocation) {
        self.change(allocation.job_version, |tally| tally.and(Tally::of(allocation)));
    }

    /// Counts one allocation no more.
    fn discount(&mut self, allocation: &Allocation) {
        self.change(allocation.job_version, |tally| tally.without(Tally::of(allocation)));
    }

    fn change(&mut self, version: u64, change: impl Fn(Tally) -> Tally) {
        let found = self.tallies.binary_search_by_key(&version, |(version, _)| *version);
        let tally = change(found.map_or_else(|_| Tally::default(), |at| self.tallies[at].1));
        match (found, tally == Tally::default()) {
            (Ok(at), false) => self.tallies[at].1 = tally,
            (Ok(at), true) => drop(self.tallies.remove(at)),
            (Err(at), false) => self.tallies.insert(at, (version, tally)),
            (Err(_), true) => {}
        }
    }

    fn is_empty(&self) -> bool {
        self.allocations.is_empty() && self.evaluations.is_empty() && self.deployments.is_empty()
    }
}

impl State {
    /// What belongs to each job.
    pub(super) fn derive_of_jobs(&self) -> CowMap<JobKey, Arc<OfJob>> {
        let mut of_jobs: BTreeMap<&JobKey, (OfJob, Placed)> = BTreeMap::new();
        for (place, each) in self.allocations.places() {
            let (of_job, allocations) = of_jobs.entry(&each.job).or_default();
            of_job.count(each);
            allocations.push((each.id, place));
        }
        for each in self.evaluations.values() {
            of_jobs.entry(&each.job).or_default().0.evaluations.push(each.id);
        }
        for each in self.deployments.values() {
            of_jobs.entry(&each.job).or_default().0.deployments.push((each.create_index, each.id));
        }
        let whole = |(job, (mut of_job, allocations)): (&JobKey, (OfJob, Placed))| {
            of_job.allocations = allocations.into_iter().collect();
            of_job.deployments.sort_unstable();
            (job.clone(), Arc::new(of_job))
        };
        of_jobs.into_iter().map(whole).collect()
    }

    /// Takes new allocations in, which are in order.
    pub(super) fn put_allocations_of_job(&mut self, job: &JobKey, placed: &[(AllocationId, Place)]) {
        let of_job = Arc::make_mut(self.of_jobs.entry(job));
        of_job.allocations.extend(placed.iter().copied());
        placed.iter().filter_map(|(_, place)| self.allocations.at(*place)).for_each(|known| of_job.count(known));
    }

    /// Counts one that changed from `old`, unless it came with the entry at work: then it is counted when its job learns of
    /// it.
    pub(super) fn recount_of_job(&mut self, old: &Allocation, new: &Allocation) {
        let is_same = (old.job_version, Tally::of(old)) == (new.job_version, Tally::of(new));
        if is_same || self.of_jobs.get(&old.job).is_none_or(|of_job| !of_job.allocations.contains(&old.id)) {
            return;
        }
        self.change_of_job(&old.job, |of_job| {
            of_job.discount(old);
            of_job.count(new);
        });
    }

    /// Forgets an allocation.
    pub(super) fn remove_allocation_of_job(&mut self, gone: &Allocation) {
        self.change_of_job(&gone.job, |of_job| {
            if of_job.allocations.remove(&gone.id).is_some() {
                of_job.discount(gone);
            }
        });
    }

    /// Takes a new evaluation in.
    pub(super) fn put_evaluation_of_job(&mut self, job: &JobKey, id: EvaluationId) {
        let evaluations = &mut Arc::make_mut(self.of_jobs.entry(job)).evaluations;
        if let Err(at) = evaluations.binary_search(&id) {
            evaluations.insert(at, id);
        }
    }

    /// Forgets an evaluation.
    pub(super) fn remove_evaluation_of_job(&mut self, job: &JobKey, id: EvaluationId) {
        self.change_of_job(job, |of_job| of_job.evaluations.retain(|known| *known != id));
    }

    /// Takes a new deployment in.
    pub(super) fn put_deployment_of_job(&mut self, job: &JobKey, begun: (Index, DeploymentId)) {
        let deployments = &mut Arc::make_mut(self.of_jobs.entry(job)).deployments;
        if let Err(at) = deployments.binary_search(&begun) {
            deployments.insert(at, begun);
        }
    }

    /// Forgets a deployment.
    pub(super) fn remove_deployment_of_job(&mut self, job: &JobKey, id: DeploymentId) {
        self.change_of_job(job, |of_job| of_job.deployments.retain(|(_, known)| *known != id));
    }

    /// Changes what is known of a job, if anything is.
    fn change_of_job(&mut self, job: &JobKey, change: impl FnOnce(&mut OfJob)) {
        let Some(of_job) = self.of_jobs.get_mut(job) else { return };
        let of_job = Arc::make_mut(of_job);
        change(of_job);
        if of_job.is_empty() {
            self.of_jobs.remove(job);
        }
    }

    /// Whether the job has live instances of other versions than `version`, or some of it that will not stay.
    pub(crate) fn has_leaving(&self, job: &JobKey, version: u64) -> bool {
        self.tallies_of(job).any(|(of, tally)| tally.live > if of == version { tally.stay } else { 0 })
    }

    /// Whether an instance of the job failed and has none in its place.
    pub(crate) fn has_failed(&self, job: &JobKey) -> bool {
        self.tallies_of(job).any(|(_, tally)| tally.failed > 0)
    }

    fn tallies_of(&self, job: &JobKey) -> impl Iterator<Item = (u64, Tally)> {
        self.of_jobs.get(job).into_iter().flat_map(|of_job| of_job.tallies.iter().copied())
    }
}
