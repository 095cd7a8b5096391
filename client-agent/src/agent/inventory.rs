//! What drivers see: lists compared with what is known, containers adopted, and those that belong to nobody ended.
//!
//! A list says something only of containers that were up when it was asked for; what starts meanwhile is not missing.
//! A driver that does not answer says nothing at all: nothing is dead because of it.

use std::collections::BTreeSet;
use std::time::Duration;

use client_agent_core::{AllocationEvent, Event, Found, NETWORK_TASK, Phase};
use model::AllocationId;
use model::old_bugs::{OldBug, is_on};
use tracing::{info, warn};

use super::{Agent, Input};
use crate::drivers::{Container, DriverError};

/// Time that a container without a job is given to end.
const ORPHAN_KILL_TIMEOUT: Duration = Duration::from_secs(5);

impl Agent {
    pub(super) fn list_all(&mut self) {
        for driver in self.drivers.keys().cloned().collect::<Vec<_>>() {
            self.list(&driver);
        }
    }

    /// Asks a driver for its containers.
    pub(super) fn list(&mut self, name: &str) {
        let Some(driver) = self.drivers.get(name).cloned() else { return };
        if !self.listing.insert(name.into()) {
            return;
        }
        let mut asked = BTreeSet::new();
        for local in self.locals.values() {
            for (task, of, handle) in local.containers() {
                let up = matches!(local.state.tasks[task].phase, Phase::Running | Phase::Stopping { .. });
                if of == name && up {
                    asked.insert(handle.to_string());
                }
            }
        }
        let (inputs, driver_name) = (self.inputs.clone(), name.to_string());
        self.work.spawn(async move {
            let containers = driver.list().await;
            let _ = inputs.send(Input::Listed { driver: driver_name, asked, containers });
        });
    }

    pub(super) fn listed(
        &mut self,
        driver: &str,
        asked: &BTreeSet<String>,
        containers: Result<Vec<Container>, DriverError>,
    ) {
        self.listing.remove(driver);
        let containers = match containers {
            Ok(containers) => containers,
            Err(_) if is_on(OldBug::RuntimeTakenForEmpty) => Vec::new(),
            Err(error) => {
                warn!(driver, %error, "containers can't be listed; nothing is concluded from that");
                return;
            }
        };
        self.listed.insert(driver.into());
        let mut absent = Vec::new();
        for (id, local) in &self.locals {
            for (name, task) in &local.state.tasks {
                if local.task(name).is_none_or(|task| task.driver != driver) {
                    continue;
                }
                let seen = containers.iter().any(|it| it.allocation == *id && it.task == *name);
                let expected = match task.phase {
                    Phase::Unknown { .. } => true,
                    Phase::Running | Phase::Stopping { .. } => {
                        task.handle.as_ref().is_some_and(|handle| asked.contains(handle))
                    }
                    Phase::Pending | Phase::Starting { .. } | Phase::Backoff { .. } | Phase::Dead => false,
                };
                if expected && !seen {
                    absent.push((*id, name.clone()));
                }
            }
        }
        self.orphans.retain(|_, tasks| {
            tasks.retain(|_, (of, _)| of != driver);
            !tasks.is_empty()
        });
        for container in containers {
            match self.locals.contains_key(&container.allocation) {
                true => self.observe(container),
                false => self.enter_orphan(driver, container),
            }
        }
        for (id, task) in absent {
            self.step(id, AllocationEvent::Task(task, Event::Observed(Found::Absent)));
        }
        self.compare();
        self.release_successors();
    }

    /// A driver saw a container change.
    pub(super) fn changed(&mut self, driver: &str, container: Container) {
        match self.locals.contains_key(&container.allocation) {
            true => self.observe(container),
            false => self.list(driver),
        }
    }

    /// Gives what was seen of a container to its task.
    pub(super) fn observe(&mut self, container: Container) {
        let Container { allocation, task, found, address, .. } = container;
        if task == NETWORK_TASK
            && let Some(address) = address
        {
            self.step(allocation, AllocationEvent::Address(address));
        }
        self.step(allocation, AllocationEvent::Task(task, Event::Observed(found)));
    }

    fn enter_orphan(&mut self, driver: &str, container: Container) {
        if self.bodies.contains_key(&container.allocation) || !self.orphans.contains_key(&container.allocation) {
            info!(allocation = %container.allocation, task = container.task, "container without a record found");
        }
        let tasks = self.orphans.entry(container.allocation).or_default();
        tasks.insert(container.task.clone(), (driver.into(), container));
    }

    /// Ends and removes the containers of an allocation that is neither known nor wanted.
    pub(super) fn end_orphan(&mut self, id: AllocationId) {
        let Some(tasks) = self.orphans.get(&id) else { return };
        let mut work = Vec::new();
        for (driver, container) in tasks.values() {
            if let Some(driver) = self.drivers.get(driver).cloned() {
                work.push((driver, container.clone()));
            }
        }
        self.orphans.remove(&id);
        info!(allocation = %id, containers = work.len(), "containers that nobody wants are ended");
        self.work.spawn(async move {
            // The holder of a shared network goes last: others hang on it.
            work.sort_by_key(|(_, container)| container.task == NETWORK_TASK);
            for (driver, container) in work {
                if matches!(container.found, Found::Running { .. }) {
                    let _ = driver.stop(&container.handle, "", ORPHAN_KILL_TIMEOUT).await;
                }
                if let Err(error) = driver.remove(&container.handle).await {
                    // The next list finds it again, and with it this comes back.
                    warn!(handle = container.handle, %error, "container could not be removed");
                }
            }
        });
    }
}
