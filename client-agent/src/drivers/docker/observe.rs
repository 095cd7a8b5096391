//! Reading what the engine says of a container.

use bollard::models::{ContainerInspectResponse, ContainerState, ContainerStateStatusEnum, ContainerStatsResponse};
use client_agent_core::Found;
use model::{Exit, Timestamp};

use super::labels::{Identity, Owner};
use crate::drivers::{Container, TaskUsage};

/// The container as the agent sees it; none if it is not ours.
pub(super) fn container(inspected: &ContainerInspectResponse, owner: &Owner) -> Option<Container> {
    let labels = inspected.config.as_ref()?.labels.as_ref()?;
    let Identity { allocation, task, restarts } = owner.read(labels)?;
    let handle = inspected.id.clone()?;
    let networks = inspected.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    let mut addresses: Vec<String> = networks
        .map(|networks| networks.values().filter_map(|network| network.ip_address.clone()).collect())
        .unwrap_or_default();
    addresses.retain(|address| !address.is_empty());
    addresses.sort();
    let found = inspected.state.as_ref().map_or(Found::Absent, |state| found(&handle, state));
    Some(Container { allocation, task, handle, restarts, found, address: addresses.into_iter().next() })
}

fn found(handle: &str, state: &ContainerState) -> Found {
    let handle = handle.to_string();
    let started_at = time(state.started_at.as_deref());
    if state.running == Some(true) {
        return Found::Running { handle, started_at };
    }
    // A container that was created and never started runs nothing and has nothing to tell.
    if state.status == Some(ContainerStateStatusEnum::CREATED) {
        return Found::Absent;
    }
    let code = state.exit_code.unwrap_or(-1);
    let exit = Exit {
        code,
        signal: signal_of(code),
        oom_killed: state.oom_killed.unwrap_or(false),
        error: state.error.clone().unwrap_or_default(),
    };
    Found::Exited { handle, exit, started_at, finished_at: time(state.finished_at.as_deref()) }
}

/// The signal that an exit code tells of: 128 and the signal's number.
fn signal_of(code: i64) -> i32 {
    match code {
        129..=192 => (code - 128) as i32,
        _ => 0,
    }
}

fn time(text: Option<&str>) -> Timestamp {
    let time = text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
    time.and_then(|time| i64::try_from(time.as_nanosecond()).ok()).map_or(Timestamp::default(), Timestamp)
}

/// What a container uses. Memory that the kernel may take back at any time (inactive file pages) does not count; its
/// name differs between cgroup v1 and v2.
pub(super) fn usage(stats: &ContainerStatsResponse) -> TaskUsage {
    let cpu_ns = stats.cpu_stats.as_ref().and_then(|cpu| cpu.cpu_usage.as_ref()).and_then(|cpu| cpu.total_usage);
    let memory = stats.memory_stats.as_ref();
    let used = memory.and_then(|memory| memory.usage).unwrap_or(0);
    let details = memory.and_then(|memory| memory.stats.as_ref());
    let reclaimable = details.and_then(|it| it.get("total_inactive_file").or_else(|| it.get("inactive_file")).copied());
    TaskUsage { cpu_ns: cpu_ns.unwrap_or(0), memory_bytes: used.saturating_sub(reclaimable.unwrap_or(0)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_signals_are_read() {
        assert_eq!(time(Some("1970-01-01T00:00:01.000000002Z")), Timestamp(1_000_000_002));
        assert_eq!(time(Some("soon")), Timestamp::default());
        assert_eq!((signal_of(137), signal_of(143), signal_of(1), signal_of(255)), (9, 15, 0, 0));
    }
}
