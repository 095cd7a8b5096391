//! What runs use: measured at an interval, a few containers at a time, and carried by the next beat.
//!
//! A node's use is its host's. Where the configuration makes the node a share of its host, what others use of the host
//! is not the node's: then its use is that of its allocations.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt, stream};
use model::AllocationId;
use tokio::time::Instant;

use super::{Agent, Input};
use crate::drivers::{Driver, TaskUsage};

/// The least time between two measurements.
pub(super) const INTERVAL_MIN: Duration = Duration::from_secs(2);
/// Containers that are measured in a second, on average.
const MEASURED_PER_SECOND_MAX: u32 = 20;
/// Containers that are measured at the same time.
const MEASURED_AT_ONCE_MAX: usize = 4;
/// Time for one answer.
const DEADLINE: Duration = Duration::from_secs(2);

impl Agent {
    /// Begins to measure; how many containers.
    pub(super) fn measure(&mut self) -> usize {
        if !self.config.is_share_of_host() {
            let host = self.seams.host.usage();
            self.usage.cpu_mhz = host.cpu_mhz;
            self.usage.memory_mb = host.memory_mb;
            self.tell_usage();
        }
        let mut asked = Vec::new();
        for (id, local) in &self.locals {
            for (task, driver, handle) in local.containers() {
                if local.state.tasks[task].is_running()
                    && let Some(driver) = self.drivers.get(driver)
                {
                    asked.push(one(*id, driver.clone(), handle.to_string()).boxed());
                }
            }
        }
        let (inputs, count) = (self.inputs.clone(), asked.len());
        self.work.spawn(async move {
            let measured = a_few_at_a_time(asked).await;
            let _ = inputs.send(Input::Usage(measured.into_iter().flatten().collect()));
        });
        count
    }

    pub(super) fn measured(&mut self, measured: Vec<(AllocationId, String, TaskUsage)>) {
        let now = Instant::now();
        let mut allocations: BTreeMap<AllocationId, (u64, u64)> = BTreeMap::new();
        let mut latest = BTreeMap::new();
        for (id, handle, usage) in measured {
            let cpu_mhz = self.measured.get(&handle).map_or(0, |(at, before_ns)| {
                let elapsed_ns = (now.duration_since(*at).as_nanos() as u64).max(1);
                let used_ns = usage.cpu_ns.saturating_sub(*before_ns);
                (u128::from(used_ns) * u128::from(self.core_mhz) / u128::from(elapsed_ns)) as u64
            });
            let sum = allocations.entry(id).or_default();
            sum.0 += cpu_mhz;
            sum.1 += usage.memory_bytes >> 20;
            latest.insert(handle, (now, usage.cpu_ns));
        }
        self.measured = latest;
        if self.config.is_share_of_host() {
            self.usage.cpu_mhz = allocations.values().map(|(cpu_mhz, _)| cpu_mhz).sum();
            self.usage.memory_mb = allocations.values().map(|(_, memory_mb)| memory_mb).sum();
        }
        self.usage.allocations = allocations;
        self.tell_usage();
    }
}

/// How often use is measured where beats are told to come at `beat_interval` and so many containers run: what no beat
/// carries is measured in vain, and the runtime shall have other things to do.
pub(super) fn interval(beat_interval: Duration, containers: usize) -> Duration {
    let spread = Duration::from_secs(1) * u32::try_from(containers).unwrap_or(u32::MAX) / MEASURED_PER_SECOND_MAX;
    beat_interval.max(INTERVAL_MIN).max(spread)
}

/// Waits for all of `asked`, for [`MEASURED_AT_ONCE_MAX`] at a time.
async fn a_few_at_a_time<T>(asked: Vec<impl Future<Output = T>>) -> Vec<T> {
    stream::iter(asked).buffered(MEASURED_AT_ONCE_MAX).collect().await
}

/// Measures one container; one that does not answer in time is left out.
async fn one(id: AllocationId, driver: Arc<dyn Driver>, handle: String) -> Option<(AllocationId, String, TaskUsage)> {
    let usage = tokio::time::timeout(DEADLINE, driver.usage(&handle)).await.ok()?.ok()?;
    Some((id, handle, usage))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn use_is_measured_with_each_beat_but_not_more_often_than_the_limit() {
        let beyond = INTERVAL_MIN + Duration::from_nanos(1);
        assert_eq!(interval(beyond, 0), beyond);
        assert_eq!(interval(INTERVAL_MIN, 0), INTERVAL_MIN);
        assert_eq!(interval(INTERVAL_MIN - Duration::from_nanos(1), 0), INTERVAL_MIN);
    }

    #[test]
    fn use_of_many_containers_is_measured_less_often() {
        let of_interval = MEASURED_PER_SECOND_MAX as usize * INTERVAL_MIN.as_secs() as usize;
        assert_eq!(interval(INTERVAL_MIN, of_interval), INTERVAL_MIN);
        assert!(interval(INTERVAL_MIN, of_interval + 1) > INTERVAL_MIN);
        assert_eq!(interval(INTERVAL_MIN, 2 * of_interval), 2 * INTERVAL_MIN);
    }

    #[tokio::test]
    async fn as_many_containers_are_measured_at_once_as_the_limit() {
        let (begun, most) = (Cell::new(0), Cell::new(0));
        let one = async |number: usize| {
            begun.set(begun.get() + 1);
            most.set(most.get().max(begun.get()));
            tokio::task::yield_now().await;
            begun.set(begun.get() - 1);
            number
        };
        let numbers = 0..3 * MEASURED_AT_ONCE_MAX;
        assert_eq!(a_few_at_a_time(numbers.clone().map(&one).collect()).await, numbers.collect::<Vec<_>>());
        assert_eq!(most.get(), MEASURED_AT_ONCE_MAX);
    }
}
