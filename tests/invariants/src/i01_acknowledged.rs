//! I1: a job whose registration was acknowledged is in the state until its deregistration is. What timed out may be either.

use std::collections::BTreeMap;

use model::{Index, JobKey};
use server_core::state::State;

use super::Violation;

pub(super) const NAME: &str = "acknowledged";

/// What clients were told of their jobs. Fed by whoever makes the requests, in the order of the answers; of one job only one
/// request is under way at a time.
///
/// A job that is over is collected after hours, so a run that is audited must be shorter than that.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged {
    jobs: BTreeMap<JobKey, Fate>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Registered { index: Index },
    Stopped { purged: bool },
    Unknown,
}

impl Acknowledged {
    /// A registration was acknowledged, with the job's modify index.
    pub fn registered(&mut self, job: &JobKey, index: Index) {
        self.jobs.insert(job.clone(), Fate::Registered { index });
    }

    /// A deregistration was acknowledged.
    pub fn deregistered(&mut self, job: &JobKey, purged: bool) {
        self.jobs.insert(job.clone(), Fate::Stopped { purged });
    }

    /// A request timed out: it may have happened, or may still.
    pub fn unknown(&mut self, job: &JobKey) {
        self.jobs.insert(job.clone(), Fate::Unknown);
    }

    /// How many jobs somebody was told something of.
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether nobody was told anything.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }

    /// What of it is not so in the state of a server that is up to date.
    pub fn audit(&self, state: &State) -> Vec<Violation> {
        let wrong = |(key, fate): (&JobKey, &Fate)| {
            let what = match (fate, state.job(key)) {
                (Fate::Unknown, _) => return None,
                (Fate::Registered { index }, None) => format!("{key} was registered at {index} and is gone"),
                (Fate::Registered { index }, Some(record)) if record.job_modify_index < *index => {
                    format!("{key} was registered at {index}; the state knows only of {}", record.job_modify_index)
                }
                (Fate::Registered { index }, Some(record)) if record.stop && record.job_modify_index == *index => {
                    format!("{key} was registered at {index} and is stopped")
                }
                (Fate::Stopped { .. }, Some(record)) if !record.stop => format!("{key} was stopped and is wanted"),
                (Fate::Stopped { purged: false }, None) => format!("{key} was only stopped, and is gone"),
                (Fate::Registered { .. } | Fate::Stopped { .. }, _) => return None,
            };
            Some(Violation::new(NAME, what))
        };
        self.jobs.iter().filter_map(wrong).collect()
    }
}

#[cfg(test)]
mod tests {
    use server_core::command::Command;

    use super::*;
    use crate::fixture::{cluster, play};

    #[test]
    fn it_misses_what_was_acknowledged_and_is_not_there() {
        let mut state = cluster();
        let web = JobKey::new("default", "web");
        let mut told = Acknowledged::default();
        assert!(told.is_empty());
        told.registered(&web, state.job(&web).unwrap().job_modify_index);
        assert_eq!(told.audit(&state), []);
        let gone = JobKey::new("default", "gone");
        told.registered(&gone, 1);
        assert_eq!(told.audit(&state).len(), 1);
        told.unknown(&gone);
        assert_eq!(told.audit(&state), [], "what timed out may be either");
        told.registered(&web, state.index() + 1);
        assert_eq!(told.audit(&state).len(), 1, "a later version was acknowledged");
        told.deregistered(&web, false);
        assert_eq!(told.audit(&state).len(), 1, "it was stopped");
        play(&mut state, Command::DeregisterJob { job: web.clone(), purge: false });
        assert_eq!(told.audit(&state), []);
        server_core::testing::forget_job(&mut state, &web);
        assert_eq!(told.audit(&state).len(), 1, "nobody asked to forget it");
        assert_eq!(told.len(), 2);
    }
}
