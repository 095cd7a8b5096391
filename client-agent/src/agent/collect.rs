//! Removing what is left of allocations that are over, when nobody is likely to ask for their logs any more.

use std::time::Duration;

use client_agent_core::NETWORK_TASK;
use model::{AllocationId, Timestamp};
use tracing::warn;

use super::{Agent, Input};

/// Allocations that are over and not wanted any more, whose containers stay for their logs.
pub const REMAINS_MAX: usize = 10;
/// How long they stay at most.
pub const REMAINS_AGE_MAX: Duration = Duration::from_secs(3600);

impl Agent {
    pub(super) fn collect(&mut self) {
        let Some((_, _, wanted)) = &self.wanted else { return };
        let over = self.locals.iter().filter(|(id, local)| local.state.is_gone() && !wanted.contains_key(id));
        let ends: Vec<_> = over.map(|(id, local)| (local.ended_at.unwrap_or_default(), *id)).collect();
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

/// Of allocations that ended at those times, those that are too many or too old.
fn overdue(mut ends: Vec<(Timestamp, AllocationId)>, now: Timestamp) -> Vec<AllocationId> {
    ends.sort();
    ends.reverse();
    let late = |(place, (ended_at, _)): &(usize, (Timestamp, AllocationId))| {
        *place >= REMAINS_MAX || *ended_at + REMAINS_AGE_MAX <= now
    };
    ends.into_iter().enumerate().filter(late).map(|(_, (_, id))| id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(seconds: impl IntoIterator<Item = i64>) -> Vec<(Timestamp, AllocationId)> {
        seconds
            .into_iter()
            .map(|second| (Timestamp::from_seconds(second), AllocationId::derive(&[&second.to_le_bytes()])))
            .collect()
    }

    #[test]
    fn the_newest_stay_up_to_the_limit() {
        let now = Timestamp::from_seconds(100);
        let ends = ended(0..REMAINS_MAX as i64);
        assert_eq!(overdue(ends.clone(), now), []);
        let one_more = ended(0..=REMAINS_MAX as i64);
        assert_eq!(overdue(one_more, now), [ends[0].1]);
    }

    #[test]
    fn none_stays_longer_than_the_limit() {
        let ends = ended([10]);
        let age = REMAINS_AGE_MAX.as_secs() as i64;
        assert_eq!(overdue(ends.clone(), Timestamp::from_seconds(10 + age - 1)), []);
        assert_eq!(overdue(ends.clone(), Timestamp::from_seconds(10 + age)), [ends[0].1]);
    }
}
