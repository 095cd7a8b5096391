//! Running the core's effects: each is a spawned future whose answer is an input.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use client_agent_core::{AllocationEvent, Effect, Event, Found, NETWORK_TASK, Scope, environment, interpolate};
use model::{AllocationId, AssignedPort, Group, NetworkMode, Node, Secret, Task};
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use super::local::Local;
use super::{Agent, Input};
use crate::config::AgentConfig;
use crate::drivers::{Container, Driver, DriverError, Progress, Started, TaskNetwork, TaskSpec, VolumeMounted};
use crate::secrets::Secrets;

/// When a runtime that does not answer is asked again.
const UNREACHABLE_RETRY_DELAY: Duration = Duration::from_secs(2);
/// How long a start waits until the agent's state can be written, before it fails and another node may be asked.
const STORE_WITHIN: Duration = Duration::from_secs(10);

impl Agent {
    pub(super) fn run_effect(&mut self, id: AllocationId, task: &str, effect: Effect) {
        let Some(local) = self.locals.get(&id) else { return };
        let driver = local.task(task).map(|task| task.driver.clone()).unwrap_or_default();
        let Some(driver) = self.drivers.get(&driver).cloned() else {
            let reason = format!("driver {driver:?} is not enabled on node {}", self.node.name);
            self.answer(id, task, Event::StartFailed { reason, retry: false });
            return;
        };
        let name = task.to_string();
        let inputs = self.inputs.clone();
        match effect {
            Effect::Start => {
                let spec = task_spec(local, task, &self.node, &self.config);
                let wanted = local.task(task).map(|task| task.secrets.clone()).unwrap_or_default();
                let wanted = if task == NETWORK_TASK { Vec::new() } else { wanted };
                let secrets = self.config.secrets.clone();
                let trouble = self.store_trouble.clone();
                self.work.spawn(async move { start(driver, spec, (secrets, wanted), trouble, id, inputs).await });
            }
            Effect::Stop => {
                let Some(handle) = local.handle(task).map(str::to_string) else { return };
                let (signal, timeout) = local
                    .task(task)
                    .filter(|_| task != NETWORK_TASK)
                    .map(|task| (task.kill_signal.clone(), task.kill_timeout.min(self.config.kill_timeout_max)))
                    .unwrap_or_default();
                self.work.spawn(async move {
                    let event = match driver.stop(&handle, &signal, timeout).await {
                        Ok(Found::Running { .. }) => Event::StopFailed { reason: "it still runs".into() },
                        Ok(found) => Event::Observed(found),
                        Err(DriverError::NotFound(_)) => Event::Observed(Found::Absent),
                        Err(error) => Event::StopFailed { reason: error.to_string() },
                    };
                    let _ = inputs.send(Input::Allocation(id, AllocationEvent::Task(name, event)));
                });
            }
            Effect::Look => {
                let driver = driver.name().to_string();
                self.list(&driver);
            }
        }
    }

    fn answer(&self, id: AllocationId, task: &str, event: Event) {
        let _ = self.inputs.send(Input::Allocation(id, AllocationEvent::Task(task.into(), event)));
    }
}

/// Starts a task. A runtime that does not answer is asked until it does: its absence is no failure of the task.
/// Its secrets are fetched first, anew at each start.
async fn start(
    driver: Arc<dyn Driver>,
    mut spec: TaskSpec,
    (secrets, wanted): (Secrets, Vec<Secret>),
    trouble: watch::Receiver<Option<String>>,
    id: AllocationId,
    inputs: mpsc::UnboundedSender<Input>,
) {
    let task = spec.task.clone();
    let tell = |event| {
        let _ = inputs.send(Input::Allocation(id, AllocationEvent::Task(task.clone(), event)));
    };
    if let Err(reason) = writable_store(trouble, &tell).await {
        return tell(Event::StartFailed { reason, retry: true });
    }
    if let Err(error) = secrets.fill(&mut spec, &wanted).await {
        return tell(Event::StartFailed { reason: error.to_string(), retry: true });
    }
    let (progress, mut told) = mpsc::unbounded_channel();
    let pass_on = async {
        while let Some((kind, message)) = told.recv().await {
            tell(Event::Progress { kind, message });
        }
    };
    // The progress sender ends with the attempt, and with it the passing on.
    let (outcome, ()) = tokio::join!(attempt(driver.as_ref(), &spec, progress), pass_on);
    match outcome {
        Ok(Started { handle, started_at, address }) => {
            if let Some(address) = address.filter(|_| spec.holds_network) {
                let _ = inputs.send(Input::Allocation(id, AllocationEvent::Address(address)));
            }
            tell(Event::Started { handle, started_at });
        }
        Err(error) => {
            let retry = !matches!(error, DriverError::Invalid(_));
            tell(Event::StartFailed { reason: error.to_string(), retry });
        }
    }
}

/// Waits until the agent's state can be written: what was started now, on a full disk say, the next agent would not know,
/// and it would soon fail itself. The reason, if that takes too long.
async fn writable_store(mut trouble: watch::Receiver<Option<String>>, tell: &impl Fn(Event)) -> Result<(), String> {
    let Some(reason) = trouble.borrow_and_update().clone() else { return Ok(()) };
    tell(Event::Progress { kind: "Agent".into(), message: format!("nothing is started now: {reason}") });
    match tokio::time::timeout(STORE_WITHIN, trouble.wait_for(Option::is_none)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(format!("nothing can be started on this node: {reason}")),
    }
}

/// Tries until the runtime answers. Where an answer was lost, the task may run whatever a later one says: it is ended then,
/// since what failed to start does not run.
async fn attempt(driver: &dyn Driver, spec: &TaskSpec, progress: Progress) -> Result<Started, DriverError> {
    let mut may_run = false;
    loop {
        match driver.start(spec, &progress).await {
            Err(DriverError::Unreachable(reason)) => {
                if !may_run {
                    let _ = progress.send(("Driver".into(), format!("waits for the runtime: {reason}")));
                    may_run = true;
                }
                tokio::time::sleep(UNREACHABLE_RETRY_DELAY).await;
            }
            Err(error) if may_run => {
                while !is_gone(driver, spec).await {
                    tokio::time::sleep(UNREACHABLE_RETRY_DELAY).await;
                }
                return Err(error);
            }
            outcome => return outcome,
        }
    }
}

/// Ends what runs of a task. True if nothing does.
async fn is_gone(driver: &dyn Driver, spec: &TaskSpec) -> bool {
    let Ok(containers) = driver.list().await else { return false };
    let of_task = |known: &&Container| known.allocation == spec.allocation && known.task == spec.task;
    let runs = |known: &&Container| matches!(known.found, Found::Running { .. });
    for known in containers.iter().filter(of_task).filter(runs) {
        match driver.stop(&known.handle, "SIGKILL", Duration::ZERO).await {
            Ok(Found::Exited { .. } | Found::Absent) | Err(DriverError::NotFound(_)) => {}
            Ok(Found::Running { .. }) | Err(_) => return false,
        }
    }
    true
}

/// The task, ready to be started.
pub(super) fn task_spec(local: &Local, name: &str, node: &Node, config_of_node: &AgentConfig) -> TaskSpec {
    let (task, group) = (local.task(name), local.group());
    let task = task.expect("effects are for tasks of the group");
    let group = group.expect("a group with tasks exists");
    let network = group.networks.first();
    let is_shared = network.is_some_and(|network| network.mode.is_shared());
    let holds_network = name == NETWORK_TASK;
    let address = local.state.network_address();
    let scope = Scope {
        job: &local.job,
        group,
        task,
        assignment: &local.assignment,
        node,
        network_address: address.filter(|_| is_shared),
    };
    let env = environment(&scope);
    let config = task.config.iter().map(|(key, value)| (key.clone(), fill(value, node, &env))).collect();
    let published = |port: &AssignedPort| {
        let host_ip = if port.host_ip.is_empty() { node.address.clone() } else { port.host_ip.clone() };
        AssignedPort { host_ip, ..port.clone() }
    };
    TaskSpec {
        allocation: local.assignment.allocation,
        task: name.into(),
        holds_network,
        job: local.assignment.document.job.clone(),
        job_name: local.job.name.clone(),
        job_version: local.assignment.document.version,
        group: group.name.clone(),
        generation: local.assignment.generation,
        restarts: local.state.tasks.get(name).map_or(0, |task| task.state.restarts),
        config: if holds_network { BTreeMap::new() } else { config },
        env: if holds_network { BTreeMap::new() } else { env },
        cpu_mhz: task.resources.cpu_mhz(node.cores.core_mhz),
        cores: if holds_network { BTreeSet::new() } else { cores(local, name) },
        memory_nodes: if holds_network { BTreeSet::new() } else { memory_nodes(local, name, node) },
        devices: if holds_network { Vec::new() } else { devices(local, name, config_of_node) },
        mounts: if holds_network { Vec::new() } else { mounts(group, task, node, local.assignment.index) },
        resources: task.resources.clone(),
        user: task.user.clone(),
        logs: task.logs.clone(),
        ports: local.assignment.ports.iter().map(published).collect(),
        network: match (network.map(|network| &network.mode), local.handle(NETWORK_TASK)) {
            (Some(mode), Some(handle)) if mode.is_shared() && !holds_network => TaskNetwork::Shared(handle.into()),
            (Some(NetworkMode::Named(mode)), _) if holds_network => joined(mode, config_of_node),
            (Some(NetworkMode::None), _) => TaskNetwork::Isolated,
            _ => TaskNetwork::Own,
        },
        hostname: network.map(|network| network.hostname.clone()).unwrap_or_default(),
        dns: network.and_then(|network| network.dns.clone()),
    }
}

fn cores(local: &Local, task: &str) -> BTreeSet<u16> {
    let grants = local.assignment.cores.iter().filter(|grant| grant.task == task);
    grants.flat_map(|grant| grant.ids.iter().copied()).collect()
}

/// The network of the engine that a mode stands for. Without one the group would be placed elsewhere; if the operator has
/// taken it away meanwhile, the engine says that there is none of that name.
fn joined(mode: &str, config: &AgentConfig) -> TaskNetwork {
    TaskNetwork::Joined(config.named_networks.get(mode).cloned().unwrap_or_else(|| mode.to_string()))
}

/// The NUMA nodes whose memory the task may use: that of its cores, where these are on one and are to be near to it.
fn memory_nodes(local: &Local, task: &str, node: &Node) -> BTreeSet<u16> {
    let numa = local.task(task).and_then(|task| task.resources.numa.as_ref());
    let cores = cores(local, task);
    let is_near = |ids: &BTreeSet<u16>| !cores.is_empty() && cores.is_subset(ids);
    let asked = numa.filter(|numa| numa.is_asked());
    let near = asked.and_then(|_| node.cores.numa_nodes.iter().find(|(_, ids)| is_near(ids)));
    near.map(|(id, _)| *id).into_iter().collect()
}

/// Paths of the devices that the task has, whole or in part.
fn devices(local: &Local, task: &str, config: &AgentConfig) -> Vec<String> {
    let grants = local.assignment.devices.iter().filter(|grant| grant.task == task);
    let path = |grant: &model::DeviceGrant| {
        let known = config.devices.iter().find(|known| known.name == grant.device.name)?;
        known.instances.get(&grant.device.id).filter(|path| !path.is_empty()).cloned()
    };
    let paths: BTreeSet<String> = grants.filter_map(path).collect();
    paths.into_iter().collect()
}

/// The volumes that the task of the instance of that name index mounts. Of two that say that it can't be written, one is
/// enough.
fn mounts(group: &Group, task: &Task, node: &Node, index: u32) -> Vec<VolumeMounted> {
    let mounted = |mount: &model::VolumeMount| {
        let volume = group.volumes.get(&mount.volume);
        let of_host = volume.filter(|volume| volume.is_of_host());
        let known = of_host.and_then(|volume| node.host_volumes.get(&*volume.source_of(index)));
        let is_read_only = volume.is_some_and(|volume| volume.read_only) || known.is_some_and(|known| known.read_only);
        VolumeMounted {
            volume: mount.volume.clone(),
            source: known.map(|known| known.path.clone()),
            destination: mount.destination.clone(),
            read_only: mount.read_only || is_read_only,
            propagation: mount.propagation_mode.clone(),
        }
    };
    task.volume_mounts.iter().map(mounted).collect()
}

/// Replaces `${…}` in every text of a value.
fn fill(value: &Value, node: &Node, env: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(text) => Value::String(interpolate(text, node, env)),
        Value::Array(items) => Value::Array(items.iter().map(|item| fill(item, node, env)).collect()),
        Value::Object(fields) => {
            let filled = fields.iter().map(|(key, value)| (interpolate(key, node, env), fill(value, node, env)));
            Value::Object(filled.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use bytes::Bytes;
    use seams::SystemClock;

    use super::*;
    use crate::drivers::fake::FakeDriver;
    use crate::drivers::{LogQuery, News, TaskUsage};

    /// A runtime whose answer to the first start is lost, and which has no image for a second one.
    struct Forgetful {
        fake: Arc<FakeDriver>,
        starts: std::sync::atomic::AtomicU32,
    }

    #[async_trait]
    impl Driver for Forgetful {
        fn name(&self) -> &'static str {
            "forgetful"
        }

        async fn fingerprint(&self) -> model::Driver {
            self.fake.fingerprint().await
        }

        async fn start(&self, spec: &TaskSpec, progress: &Progress) -> Result<Started, DriverError> {
            match self.starts.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
                0 => {
                    self.fake.start(spec, progress).await?;
                    Err(DriverError::Unreachable("the answer was lost".into()))
                }
                _ => Err(DriverError::Failed("no image".into())),
            }
        }

        async fn stop(&self, handle: &str, signal: &str, timeout: Duration) -> Result<Found, DriverError> {
            self.fake.stop(handle, signal, timeout).await
        }

        async fn list(&self) -> Result<Vec<Container>, DriverError> {
            self.fake.list().await
        }

        async fn watch(&self, news: mpsc::Sender<News>) {
            self.fake.watch(news).await;
        }

        async fn logs(&self, handle: &str, query: LogQuery, out: mpsc::Sender<Bytes>) -> Result<(), DriverError> {
            self.fake.logs(handle, query, out).await
        }

        async fn usage(&self, handle: &str) -> Result<TaskUsage, DriverError> {
            self.fake.usage(handle).await
        }

        async fn remove(&self, handle: &str) -> Result<(), DriverError> {
            self.fake.remove(handle).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_fails_to_start_after_an_answer_was_lost_does_not_run() {
        let fake = FakeDriver::new(Arc::new(SystemClock), 1);
        let driver = Forgetful { fake: fake.clone(), starts: Default::default() };
        let spec = TaskSpec {
            allocation: AllocationId::derive(&[b"a"]),
            task: "web".into(),
            holds_network: false,
            job: model::JobKey::new("default", "web"),
            job_name: "web".into(),
            job_version: 0,
            group: "web".into(),
            generation: 1,
            restarts: 0,
            config: BTreeMap::new(),
            env: BTreeMap::new(),
            resources: model::TaskResources::default(),
            cpu_mhz: 100,
            cores: BTreeSet::new(),
            memory_nodes: BTreeSet::new(),
            devices: Vec::new(),
            mounts: Vec::new(),
            user: String::new(),
            logs: model::Logs::default(),
            ports: Vec::new(),
            network: TaskNetwork::Own,
            hostname: String::new(),
            dns: None,
        };
        let (progress, mut told) = mpsc::unbounded_channel();
        let outcome = attempt(&driver, &spec, progress).await;
        assert_eq!(outcome, Err(DriverError::Failed("no image".into())));
        assert_eq!(told.recv().await, Some(("Driver".into(), "waits for the runtime: the answer was lost".into())));
        assert_eq!(fake.list().await.expect("it is there").len(), 1, "it was started");
        assert_eq!(fake.running(), []);
    }
}
