//! A group: the tasks that run together on one node, and how many times.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    Affinity, Constraint, Consul, Disconnect, LifecycleHook, Migrate, Network, Reschedule, Restart, Scaling, Service,
    Spread, Task, Update, Volume,
};
use crate::{Node, Resources};

/// Tasks that are placed together; the unit of scheduling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Group {
    /// Unique in the job.
    pub name: String,
    /// Instances wanted; ignored for system jobs.
    pub count: u32,
    /// Conditions on the node, beside the job's.
    #[serde(with = "crate::null")]
    pub constraints: Vec<Constraint>,
    /// Preferences, beside the job's.
    #[serde(with = "crate::null")]
    pub affinities: Vec<Affinity>,
    /// Spreads, beside the job's.
    #[serde(with = "crate::null")]
    pub spreads: Vec<Spread>,
    /// The network of the group; at most one.
    #[serde(with = "crate::null")]
    pub networks: Vec<Network>,
    /// Services that the group as a whole provides.
    #[serde(with = "crate::null")]
    pub services: Vec<Service>,
    /// The tasks.
    #[serde(with = "crate::null")]
    pub tasks: Vec<Task>,
    /// Restarts on the same node. None until admission fills it in by the job's type.
    #[serde(rename = "RestartPolicy")]
    pub restart: Option<Restart>,
    /// New placements after a failure. None until admission, and for system jobs.
    #[serde(rename = "ReschedulePolicy")]
    pub reschedule: Option<Reschedule>,
    /// How a new version rolls out. None for batch jobs.
    pub update: Option<Update>,
    /// The pace of a drain. None for jobs that are not services.
    pub migrate: Option<Migrate>,
    /// What happens while the node is out of contact.
    pub disconnect: Option<Disconnect>,
    /// Disk that every instance gets.
    pub ephemeral_disk: EphemeralDisk,
    /// Time between leaving the catalog and the stop signal.
    #[serde(with = "crate::nanoseconds::option")]
    pub shutdown_delay: Option<Duration>,
    /// Time after which a batch instance is ended as failed.
    #[serde(with = "crate::nanoseconds::option")]
    pub max_run_duration: Option<Duration>,
    /// Deprecated in favour of `disconnect`: its `stop_on_client_after`.
    #[serde(with = "crate::nanoseconds::option")]
    pub stop_after_client_disconnect: Option<Duration>,
    /// Deprecated in favour of `disconnect`: its `lost_after`.
    #[serde(with = "crate::nanoseconds::option")]
    pub max_client_disconnect: Option<Duration>,
    /// Deprecated in favour of `disconnect`: that nothing is replaced.
    pub prevent_reschedule_on_lost: bool,
    /// Volumes that its instances use, by name.
    #[serde(with = "crate::null")]
    pub volumes: BTreeMap<String, Volume>,
    /// Bounds within which an autoscaler may change the count.
    pub scaling: Option<Scaling>,
    /// Which Consul its services and tasks use.
    pub consul: Option<Consul>,
    /// Free key-value pairs, handed to tasks.
    #[serde(with = "crate::null")]
    pub meta: BTreeMap<String, String>,
}

impl Group {
    /// The volumes of hosts that it names.
    pub fn host_volumes(&self) -> impl Iterator<Item = &super::Volume> {
        self.volumes.values().filter(|volume| volume.is_of_host())
    }

    /// Those of them that an instance comes back to.
    pub fn sticky_volumes(&self) -> impl Iterator<Item = &super::Volume> {
        self.host_volumes().filter(|volume| volume.sticky)
    }

    /// Whether each instance has volumes of its own, so that one may go where others may not.
    pub fn has_volumes_per_instance(&self) -> bool {
        self.host_volumes().any(|volume| volume.per_alloc)
    }

    /// The group as the instance of that name index has it: with its own volumes, as if no other had any.
    pub fn of_instance(&self, index: u32) -> Cow<'_, Self> {
        if !self.has_volumes_per_instance() {
            return Cow::Borrowed(self);
        }
        let mut own = self.clone();
        for volume in own.volumes.values_mut().filter(|volume| volume.is_of_host()) {
            volume.source = volume.source_of(index).into_owned();
            volume.per_alloc = false;
        }
        Cow::Owned(own)
    }

    /// Cores that its tasks have alone.
    pub fn cores(&self) -> u32 {
        self.tasks.iter().map(|task| task.resources.cores).sum()
    }

    /// Devices that one instance asks for: each name as it is written, with how many.
    pub fn devices(&self) -> BTreeMap<&str, u64> {
        let mut devices = BTreeMap::new();
        for device in self.tasks.iter().flat_map(|task| &task.resources.devices) {
            *devices.entry(&*device.name).or_default() += device.count;
        }
        devices
    }

    /// What one instance asks of any node: the most that tasks of it hold at the same time, and its disk. Those that run
    /// to their end before the main tasks, and those that run after them, hold nothing beside them. Cores that a task
    /// wants alone count for something on a certain node only, see [`Group::ask_on`].
    pub fn ask(&self) -> Resources {
        self.ask_of_cores(0)
    }

    /// What one instance asks of `node`.
    pub fn ask_on(&self, node: &Node) -> Resources {
        self.ask_of_cores(node.cores.core_mhz)
    }

    fn ask_of_cores(&self, core_mhz: u64) -> Resources {
        let (mut before, mut beside, mut after) = (Resources::default(), Resources::default(), Resources::default());
        let mut sidecars = Resources::default();
        // Cores are handed out for as long as the instance is there, whatever its tasks do.
        let mut always = Resources { disk_mb: self.ephemeral_disk.size_mb, ..Resources::default() };
        for task in &self.tasks {
            let phase = match task.lifecycle.as_ref().map(|lifecycle| (lifecycle.hook, lifecycle.sidecar)) {
                Some((LifecycleHook::Prestart, false)) => &mut before,
                Some((LifecycleHook::Prestart, true)) => &mut sidecars,
                None | Some((LifecycleHook::Poststart, _)) => &mut beside,
                Some((LifecycleHook::Poststop, _)) => &mut after,
            };
            *phase += task.resources.ask(0);
            always += task.resources.ask(core_mhz) - task.resources.ask(0);
        }
        (before + sidecars).max(beside + sidecars).max(after) + always
    }

    /// What happens while the node is out of contact: the `disconnect` block, or else what the fields before it say.
    pub fn disconnect_rules(&self) -> Option<Disconnect> {
        let is_old = self.max_client_disconnect.is_some()
            || self.stop_after_client_disconnect.is_some()
            || self.prevent_reschedule_on_lost;
        let old = || Disconnect {
            lost_after: self.max_client_disconnect.unwrap_or_default(),
            stop_on_client_after: self.stop_after_client_disconnect,
            replace: !self.prevent_reschedule_on_lost,
            ..Disconnect::default()
        };
        self.disconnect.clone().or_else(|| is_old.then(old))
    }

    /// How long it takes at most to stop an instance, from leaving the catalog to the last signal.
    pub fn time_to_stop(&self) -> Duration {
        let of_task = self.tasks.iter().map(|task| task.shutdown_delay + task.kill_timeout).max();
        self.shutdown_delay.unwrap_or_default() + of_task.unwrap_or_default()
    }

    /// The services of the group and of its tasks, each with the task that owns it.
    pub fn all_services(&self) -> impl Iterator<Item = (Option<&Task>, &Service)> {
        let of_group = self.services.iter().map(|service| (None, service));
        of_group
            .chain(self.tasks.iter().flat_map(|task| task.services.iter().map(move |service| (Some(task), service))))
    }
}

impl Default for Group {
    fn default() -> Self {
        Self {
            name: String::new(),
            count: 1,
            constraints: Vec::new(),
            affinities: Vec::new(),
            spreads: Vec::new(),
            networks: Vec::new(),
            services: Vec::new(),
            tasks: Vec::new(),
            restart: None,
            reschedule: None,
            update: None,
            migrate: None,
            disconnect: None,
            ephemeral_disk: EphemeralDisk::default(),
            shutdown_delay: None,
            max_run_duration: None,
            stop_after_client_disconnect: None,
            max_client_disconnect: None,
            prevent_reschedule_on_lost: false,
            volumes: BTreeMap::new(),
            scaling: None,
            consul: None,
            meta: BTreeMap::new(),
        }
    }
}

/// Disk of an instance, gone with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EphemeralDisk {
    /// MiB, counted against the node.
    #[serde(rename = "SizeMB")]
    pub size_mb: u64,
    /// Whether a successor tries the same node, and takes its data over.
    #[serde(rename = "Sticky")]
    pub sticky: bool,
    /// Whether the data moves to a successor on another node.
    #[serde(rename = "Migrate")]
    pub migrate: bool,
}

impl Default for EphemeralDisk {
    fn default() -> Self {
        Self { size_mb: 300, sticky: false, migrate: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Lifecycle;

    fn task(cpu: u64, memory: u64, lifecycle: Option<(LifecycleHook, bool)>) -> Task {
        let resources = crate::TaskResources { cpu, memory, ..crate::TaskResources::default() };
        let lifecycle = lifecycle.map(|(hook, sidecar)| Lifecycle { hook, sidecar });
        Task { resources, lifecycle, ..Task::default() }
    }

    #[test]
    fn the_fields_before_the_disconnect_block_mean_what_it_says_now() {
        let hour = Duration::from_secs(3600);
        assert_eq!(Group::default().disconnect_rules(), None);
        let old = Group { max_client_disconnect: Some(hour), prevent_reschedule_on_lost: true, ..Group::default() };
        let new = Disconnect { lost_after: hour, replace: false, ..Disconnect::default() };
        assert_eq!(old.disconnect_rules(), Some(new.clone()));
        let stops = Group { stop_after_client_disconnect: Some(hour), ..Group::default() };
        let rules = Disconnect { stop_on_client_after: Some(hour), ..Disconnect::default() };
        assert_eq!(stops.disconnect_rules(), Some(rules));
        let both =
            Group { disconnect: Some(new.clone()), stop_after_client_disconnect: Some(hour), ..Group::default() };
        assert_eq!(both.disconnect_rules(), Some(new), "the block goes before them");
    }

    #[test]
    fn what_runs_one_after_the_other_asks_for_the_most_of_it() {
        let tasks = vec![
            task(1000, 50, Some((LifecycleHook::Prestart, false))),
            task(10, 10, Some((LifecycleHook::Prestart, true))),
            task(500, 256, None),
            task(100, 0, Some((LifecycleHook::Poststart, false))),
            task(0, 400, Some((LifecycleHook::Poststop, false))),
        ];
        let ask =
            Group { tasks, ephemeral_disk: EphemeralDisk { size_mb: 7, ..Default::default() }, ..Group::default() }
                .ask();
        assert_eq!((ask.cpu_mhz, ask.memory_mb, ask.disk_mb), (1010, 400, 7));
    }
}
