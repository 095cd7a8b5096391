//! Removing what is left of allocations that are over, when nobody is likely to ask for their logs any more.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use client_agent_core::NETWORK_TASK;
use model::{AllocationId, JobKey, Timestamp};
use tracing::warn;

use super::{Agent, Input};

/// Allocations of one group that are over and not wanted any more, whose containers stay for their logs. Counted per
/// group, so that a busy batch job does not drive out what a service left when it failed.
pub const REMAINS_OF_GROUP_MAX: usize = 10;
/// The same of all groups together.
pub const REMAINS_MAX: usize = 200;
/// How long they stay at most.
pub const REMAINS_AGE_MAX: Duration = Duration::from_secs(3600);

/// An allocation that is over.
#[derive(Clone, Debug)]
struct Ended {
    at: Timestamp,
    id: AllocationId,
    group: (JobKey, String),
}

impl Agent {
    pub(super) fn collect(&mut self) {
        let Some((_, _, wanted)) = &self.wanted else { return };
        let over = self.locals.iter().filter(|(id, local)| local.state.is_gone() && !wanted.contains_key(id));
        let ends = over.map(|(id, local)| Ended {
            at: local.ended_at.unwrap_or_default(),
            id: *id,
            group: (local.job.key(), local.assignment.group.clone()),
        });
        let ends: Vec<_> = ends.collect();
        for id in overdue(ends, self.seams.clock.now()) {
            self.remove_remains(id);
        }
    }

    fn remove_remains(&mut self, id: AllocationId) {
        let Some(local) = self.locals.get_mut(&id) else { return };
        if std::mem::replace(&mut local.collecting, true) {
            return;
        }
        let mut containers = Vec::new();
        for (task, driver, handle) in local.containers() {
            if let Some(driver) = self.drivers.get(driver) {
                containers.push((task == NETWORK_TASK, driver.clone(), handle.to_string()));
            }
        }
        containers.sort_by_key(|(network, ..)| *network);
        let inputs = self.inputs.clone();
        self.work.spawn(async move {
            for (_, driver, handle) in containers {
                if let Err(error) = driver.remove(&handle).await {
                    warn!(handle, %error, "container could not be removed");
                }
            }
            let _ = inputs.send(Input::Collected(id));
        });
    }

    pub(super) fn collected(&mut self, id: AllocationId) {
        self.locals.remove(&id);
        self.report.forget(id);
        self.unpersist(id);
    }
}

/// Of those that ended, the ones that are too many or too old.
fn overdue(mut ends: Vec<Ended>, now: Timestamp) -> Vec<AllocationId> {
    ends.sort_by_key(|ended| Reverse((ended.at, ended.id)));
    let mut of_group: BTreeMap<_, usize> = BTreeMap::new();
    let mut kept = 0;
    let mut overdue = Vec::new();
    for Ended { at, id, group } in ends {
        let newer = of_group.entry(group).or_default();
        if *newer >= REMAINS_OF_GROUP_MAX || kept >= REMAINS_MAX || at + REMAINS_AGE_MAX <= now {
            overdue.push(id);
        } else {
            *newer += 1;
            kept += 1;
        }
    }
    overdue
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(job: &str, seconds: impl IntoIterator<Item = i64>) -> Vec<Ended> {
        let one = |second: i64| Ended {
            at: Timestamp::from_seconds(second),
            id: AllocationId::derive(&[job.as_bytes(), &second.to_le_bytes()]),
            group: (JobKey::new("default", job), "main".into()),
        };
        seconds.into_iter().map(one).collect()
    }

    #[test]
    fn the_newest_of_a_group_stay_up_to_the_limit() {
        let now = Timestamp::from_seconds(100);
        assert_eq!(overdue(ended("web", 0..REMAINS_OF_GROUP_MAX as i64), now), []);
        let one_more = ended("web", 0..=REMAINS_OF_GROUP_MAX as i64);
        assert_eq!(overdue(one_more.clone(), now), [one_more[0].id]);
    }

    #[test]
    fn a_busy_job_does_not_drive_out_what_another_left() {
        let now = Timestamp::from_seconds(100);
        let mut ends = ended("service", [1]);
        let busy = ended("batch", 2..=2 + REMAINS_OF_GROUP_MAX as i64);
        ends.extend(busy.clone());
        assert_eq!(overdue(ends, now), [busy[0].id]);
    }

    #[test]
    fn all_groups_together_have_a_limit() {
        let now = Timestamp::from_seconds(100);
        let of_groups = |count: usize| (0..count).flat_map(|n| ended(&format!("job-{n:03}"), [n as i64 % 50]));
        assert_eq!(overdue(of_groups(REMAINS_MAX).collect(), now), []);
        assert_eq!(overdue(of_groups(REMAINS_MAX + 1).collect(), now).len(), 1);
    }

    #[test]
    fn none_stays_longer_than_the_limit() {
        let ends = ended("web", [10]);
        let age = REMAINS_AGE_MAX.as_secs() as i64;
        assert_eq!(overdue(ends.clone(), Timestamp::from_seconds(10 + age - 1)), []);
        assert_eq!(overdue(ends.clone(), Timestamp::from_seconds(10 + age)), [ends[0].id]);
    }
}
