//! Probing: a loop for each check of an allocation that runs.

use std::time::Duration;

use client_agent_core::{AllocationEvent, NETWORK_TASK};
use model::{AllocationId, Check, CheckKind, Service};

use super::local::Local;
use super::{Agent, Input};
use crate::probe::{Probe, ProbeKind};

/// The interval of a check that names none.
const INTERVAL_DEFAULT: Duration = Duration::from_secs(10);
/// The least interval.
const INTERVAL_MIN: Duration = Duration::from_millis(200);
/// The time for an answer where a check names none.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(2);

impl Agent {
    /// Begins to probe an allocation that runs, and ends it with it.
    pub(super) fn keep_probing(&mut self, id: AllocationId) {
        let Some(local) = self.locals.get_mut(&id) else { return };
        if !local.state.runs() {
            local.probes.abort_all();
            local.probes.detach_all();
            return;
        }
        if !local.probes.is_empty() {
            return;
        }
        let mut loops = Vec::new();
        for (task, service) in local.group().into_iter().flat_map(|group| group.all_services()) {
            let owner = task.map(|task| task.name.as_str()).or(Some(service.task_name.as_str()));
            let owner = owner.filter(|name| !name.is_empty()).unwrap_or(NETWORK_TASK);
            let Some(driver) = local.task(owner).and_then(|task| self.drivers.get(&task.driver)) else { continue };
            let handle = match owner {
                NETWORK_TASK => local.task(owner).and_then(|task| local.handle(&task.name)),
                name => local.handle(name),
            };
            for check in service.checks.iter().filter(|check| check.is_probed()) {
                let probe = probe_of(local, service, check, &self.node.address);
                let key = format!("{}/{}", service.name, check.name);
                let handle = handle.unwrap_or_default().to_string();
                loops.push((key, probe, interval_of(check), driver.clone(), handle));
            }
        }
        for (key, probe, interval, driver, handle) in loops {
            let inputs = self.inputs.clone();
            local.probes.spawn(async move {
                // The first probe comes after half an interval, so that an instance may get ready.
                tokio::time::sleep(interval / 2).await;
                loop {
                    let probed = driver.probe(&handle, &probe).await;
                    if inputs.send(Input::Allocation(id, AllocationEvent::Probed(key.clone(), probed))).is_err() {
                        return;
                    }
                    tokio::time::sleep(interval).await;
                }
            });
        }
    }
}

/// How often a check is probed.
fn interval_of(check: &Check) -> Duration {
    let interval = if check.interval.is_zero() { INTERVAL_DEFAULT } else { check.interval };
    interval.max(INTERVAL_MIN)
}

/// What a check probes: the published address of its port.
fn probe_of(local: &Local, service: &Service, check: &Check, node_address: &str) -> Probe {
    let label = if check.port_label.is_empty() { &service.port_label } else { &check.port_label };
    let port = local.assignment.ports.iter().find(|port| port.label == *label);
    let address = match (port, label.parse::<u16>()) {
        (Some(port), _) => {
            let host = if port.host_ip.is_empty() { node_address } else { &port.host_ip };
            Some(format!("{host}:{}", port.value))
        }
        (None, Ok(number)) => Some(format!("{node_address}:{number}")),
        (None, Err(_)) => None,
    };
    let kind = match check.kind {
        _ if address.is_none() => ProbeKind::Impossible(format!("the group has no port {label:?}")),
        CheckKind::Tcp => ProbeKind::Tcp,
        CheckKind::Grpc | CheckKind::Script => ProbeKind::Impossible("such checks are not in this release".into()),
        CheckKind::Http => ProbeKind::Http {
            method: if check.method.is_empty() { "GET".into() } else { check.method.to_uppercase() },
            path: if check.path.starts_with('/') { check.path.clone() } else { format!("/{}", check.path) },
            headers: check.header.clone(),
            body: check.body.clone(),
        },
    };
    let timeout = if check.timeout.is_zero() { TIMEOUT_DEFAULT } else { check.timeout };
    Probe { address: address.unwrap_or_default(), timeout, kind }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_probed_as_often_as_it_says_but_not_more_often_than_the_limit() {
        let probed_every = |interval| interval_of(&Check { interval, ..Check::default() });
        let beyond = INTERVAL_MIN + Duration::from_nanos(1);
        assert_eq!(probed_every(beyond), beyond);
        assert_eq!(probed_every(INTERVAL_MIN), INTERVAL_MIN);
        assert_eq!(probed_every(INTERVAL_MIN - Duration::from_nanos(1)), INTERVAL_MIN);
        assert_eq!(probed_every(Duration::ZERO), INTERVAL_DEFAULT);
    }
}
