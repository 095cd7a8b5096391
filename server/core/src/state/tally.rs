//! How many live instances each version of a job has, how many of them stay, and how many failed: so that the rollout of a
//! large job does not look at all of them whenever one gets healthy.

use model::{Allocation, ClientStatus, JobKey};

use super::State;
use crate::deployment::has_failed;

/// Instances of one version of a job.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
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

impl State {
    /// Whether the job has live instances of other versions than `version`, or some of it that will not stay.
    pub(crate) fn has_leaving(&self, job: &JobKey, version: u64) -> bool {
        self.tallies_of(job).any(|(of, tally)| tally.live > if of == version { tally.stay } else { 0 })
    }

    /// Whether an instance of the job failed and has none in its place.
    pub(crate) fn has_failed(&self, job: &JobKey) -> bool {
        self.tallies_of(job).any(|(_, tally)| tally.failed > 0)
    }

    /// What is counted for each version of the job.
    fn tallies_of<'a>(&'a self, job: &'a JobKey) -> impl Iterator<Item = (u64, &'a Tally)> {
        let of_job = self.tallies.range((job.clone(), 0)..).take_while(move |((of, _), _)| of == job);
        of_job.map(|((_, version), tally)| (*version, tally))
    }

    /// Counts allocations that came to their job's index.
    pub(super) fn tally<'a>(&mut self, allocations: impl IntoIterator<Item = &'a Allocation>) {
        // Those that come together are nearly always of one version.
        let mut sum: Option<(&Allocation, Tally)> = None;
        for allocation in allocations {
            let one = Tally::of(allocation);
            sum = match sum {
                Some((of, known)) if (of.job_version, &of.job) == (allocation.job_version, &allocation.job) => {
                    Some((of, known.and(one)))
                }
                other => {
                    self.add_tally(other);
                    Some((allocation, one))
                }
            };
        }
        self.add_tally(sum);
    }

    fn add_tally(&mut self, sum: Option<(&Allocation, Tally)>) {
        if let Some((of, more)) = sum {
            self.change_tally(of, more, Tally::default());
        }
    }

    /// Counts one that changed from `old`.
    pub(super) fn retally(&mut self, old: &Allocation, new: &Allocation) {
        let (before, after) = (Tally::of(old), Tally::of(new));
        if (old.job_version, before) != (new.job_version, after) {
            self.change_tally(old, Tally::default(), before);
            self.change_tally(new, after, Tally::default());
        }
    }

    /// Counts one no more.
    pub(super) fn untally(&mut self, gone: &Allocation) {
        self.change_tally(gone, Tally::default(), Tally::of(gone));
    }

    fn change_tally(&mut self, of: &Allocation, more: Tally, less: Tally) {
        if more == less {
            return;
        }
        let key = (of.job.clone(), of.job_version);
        let known = self.tallies.get(&key).copied().unwrap_or_default();
        let tally = known.and(more).without(less);
        if tally == Tally::default() {
            self.tallies.remove(&key);
        } else {
            self.tallies.insert(key, tally);
        }
    }
}
