//! Tasks as Docker containers, through the engine's API.
//!
//! Several agents may share one engine: a driver acts on containers that bear its own pair of cluster and node, and on
//! no other (design 12). What a task may ask for is a list of our own (`settings`); the body of a create call is built
//! from it field by field, so nothing of a jobspec reaches the engine unread. Each call has a deadline. Whatever stream
//! breaks is opened again, and everything is listed anew.

mod create;
mod images;
mod labels;
mod logs;
mod observe;
mod settings;
mod watch;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::{
    CreateContainerOptionsBuilder, InspectContainerOptions, KillContainerOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions, StatsOptionsBuilder, StopContainerOptionsBuilder,
};
use bytes::Bytes;
use client_agent_core::Found;
use futures::StreamExt;
use model::{ClusterId, NodeId, Timestamp};
use tokio::sync::mpsc;

use super::{Container, Driver, DriverError, LogQuery, News, Progress, Started, TaskSpec, TaskUsage};
use images::Images;
use labels::Owner;
use settings::Settings;

/// Time for an ordinary answer of the engine.
const CALL_DEADLINE: Duration = Duration::from_secs(30);
/// Time to create or start a container; a busy engine takes long.
const START_DEADLINE: Duration = Duration::from_secs(120);
/// Time beyond a task's `kill_timeout` in which the engine must have ended it.
const STOP_GRACE: Duration = Duration::from_secs(20);
/// Time after which the client itself gives up; above every deadline of ours.
const CLIENT_TIMEOUT_SECONDS: u64 = 3600;
/// The engine's socket.
pub const SOCKET_DEFAULT: &str = "/var/run/docker.sock";

/// Whose containers a Docker driver acts on.
#[derive(Clone, Debug)]
pub struct DockerConfig {
    /// The engine's socket.
    pub socket: String,
    /// The cluster.
    pub cluster: ClusterId,
    /// The cluster's name for people; empty for none.
    pub cluster_name: String,
    /// The node.
    pub node: NodeId,
    /// The node's name.
    pub node_name: String,
}

/// The Docker driver.
pub struct DockerDriver {
    socket: String,
    /// The client, made when the engine's socket is first seen.
    client: OnceLock<Docker>,
    owner: Owner,
    images: Images,
}

impl DockerDriver {
    /// A driver for the engine behind `config.socket`, which need not be there yet.
    pub fn new(config: DockerConfig) -> Arc<DockerDriver> {
        let owner = Owner {
            cluster: config.cluster,
            cluster_name: config.cluster_name,
            node: config.node,
            node_name: config.node_name,
        };
        let (client, images) = (OnceLock::new(), Images::default());
        Arc::new(DockerDriver { socket: config.socket, client, owner, images })
    }

    fn docker(&self) -> Result<&Docker, DriverError> {
        if let Some(docker) = self.client.get() {
            return Ok(docker);
        }
        let docker = Docker::connect_with_socket(&self.socket, CLIENT_TIMEOUT_SECONDS, bollard::API_DEFAULT_VERSION)
            .map_err(|error| {
                DriverError::Unreachable(format!("docker at {} is not reachable: {error}", self.socket))
            })?;
        Ok(self.client.get_or_init(|| docker))
    }

    async fn inspect(&self, handle: &str) -> Result<Option<Container>, DriverError> {
        let inspected =
            within(CALL_DEADLINE, self.docker()?.inspect_container(handle, None::<InspectContainerOptions>)).await?;
        Ok(observe::container(&inspected, &self.owner))
    }

    /// The container of the task under the name that it always has, if there is one.
    async fn existing(&self, name: &str) -> Result<Option<Container>, DriverError> {
        match self.inspect(name).await {
            Err(DriverError::NotFound(_)) => Ok(None),
            Ok(Some(container)) => Ok(Some(container)),
            Ok(None) => Err(DriverError::Invalid(format!("the name {name} is taken by a container of others"))),
            Err(error) => Err(error),
        }
    }

    async fn force_remove(&self, handle: &str) -> Result<(), DriverError> {
        let options = RemoveContainerOptionsBuilder::default().force(true).v(true).build();
        match within(CALL_DEADLINE, self.docker()?.remove_container(handle, Some(options))).await {
            Err(DriverError::NotFound(_)) => Ok(()),
            done => done,
        }
    }

    async fn started(&self, handle: &str) -> Result<Started, DriverError> {
        let container = self.inspect(handle).await?.ok_or_else(|| DriverError::NotFound(handle.into()))?;
        let started_at = match container.found {
            Found::Running { started_at, .. } | Found::Exited { started_at, .. } => started_at,
            Found::Absent => Timestamp::default(),
        };
        Ok(Started { handle: container.handle, started_at, address: container.address })
    }
}

#[async_trait]
impl Driver for DockerDriver {
    fn name(&self) -> &'static str {
        "docker"
    }

    async fn fingerprint(&self) -> model::Driver {
        let version = async { within(CALL_DEADLINE, self.docker()?.version()).await };
        match version.await {
            Ok(version) => {
                let version = version.version.unwrap_or_default();
                let attributes = BTreeMap::from([
                    ("driver.docker".to_string(), "1".to_string()),
                    ("driver.docker.version".to_string(), version),
                ]);
                model::Driver { detected: true, healthy: true, description: "Healthy".into(), attributes }
            }
            Err(error) => model::Driver {
                detected: false,
                healthy: false,
                description: error.to_string(),
                attributes: BTreeMap::new(),
            },
        }
    }

    async fn start(&self, spec: &TaskSpec, progress: &Progress) -> Result<Started, DriverError> {
        let name = labels::container_name(spec);
        if let Some(container) = self.existing(&name).await? {
            if let Found::Running { .. } = container.found {
                return self.started(&container.handle).await;
            }
            self.force_remove(&container.handle).await?;
        }
        let body = if spec.holds_network {
            let image = self.images.network(self.docker()?).await?;
            create::network_body(spec, image, &self.owner)
        } else {
            let settings = Settings::read(&spec.config)?;
            create::check(spec, &settings)?;
            self.images.ensure(self.docker()?, &settings, progress).await?;
            create::task_body(spec, &settings, &self.owner)
        };
        let options = CreateContainerOptionsBuilder::default().name(&name).build();
        let created = within(START_DEADLINE, self.docker()?.create_container(Some(options), body)).await?;
        match within(START_DEADLINE, self.docker()?.start_container(&created.id, None::<StartContainerOptions>)).await {
            Ok(()) => self.started(&created.id).await,
            Err(error) => {
                // A container that never ran has no log worth keeping, and its name must be free for the next try.
                let _ = self.force_remove(&created.id).await;
                Err(error)
            }
        }
    }

    async fn stop(&self, handle: &str, signal: &str, timeout: Duration) -> Result<Found, DriverError> {
        let signal = if signal.is_empty() { "SIGTERM" } else { signal };
        let seconds = i32::try_from(timeout.as_millis().div_ceil(1000)).unwrap_or(i32::MAX);
        let options = StopContainerOptionsBuilder::default().signal(signal).t(seconds).build();
        let stopped = within(timeout + STOP_GRACE, self.docker()?.stop_container(handle, Some(options))).await;
        if let Err(error @ (DriverError::NotFound(_) | DriverError::Unreachable(_))) = stopped {
            return Err(error);
        }
        if stopped.is_err() {
            // A signal that the engine does not know, or a task that it could not end: force is what is left.
            let kill = KillContainerOptionsBuilder::default().signal("SIGKILL").build();
            let _ = within(CALL_DEADLINE, self.docker()?.kill_container(handle, Some(kill))).await;
        }
        self.inspect(handle).await.map(|container| container.map_or(Found::Absent, |container| container.found))
    }

    async fn list(&self) -> Result<Vec<Container>, DriverError> {
        let options = ListContainersOptionsBuilder::default().all(true).filters(&self.owner.filter()).build();
        let summaries = within(CALL_DEADLINE, self.docker()?.list_containers(Some(options))).await?;
        let mut containers = Vec::new();
        for id in summaries.into_iter().filter_map(|summary| summary.id) {
            match self.inspect(&id).await {
                Ok(container) => containers.extend(container),
                // It went away between the two calls.
                Err(DriverError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        containers.sort_by(|a, b| (a.allocation, &a.task).cmp(&(b.allocation, &b.task)));
        Ok(containers)
    }

    async fn watch(&self, news: mpsc::Sender<News>) {
        watch::watch(self, news).await;
    }

    async fn logs(&self, handle: &str, query: LogQuery, out: mpsc::Sender<Bytes>) -> Result<(), DriverError> {
        logs::send(self.docker()?, handle, query, out).await
    }

    async fn usage(&self, handle: &str) -> Result<TaskUsage, DriverError> {
        let options = StatsOptionsBuilder::default().stream(false).one_shot(true).build();
        let mut stats = self.docker()?.stats(handle, Some(options));
        let first = async { stats.next().await.unwrap_or(Err(Error::RequestTimeoutError)) };
        let stats = within(CALL_DEADLINE, first).await?;
        Ok(observe::usage(&stats))
    }

    async fn remove(&self, handle: &str) -> Result<(), DriverError> {
        match self.inspect(handle).await {
            Err(DriverError::NotFound(_)) => Ok(()),
            Ok(Some(container)) => self.force_remove(&container.handle).await,
            Ok(None) => Err(DriverError::Invalid(format!("{handle} is a container of others"))),
            Err(error) => Err(error),
        }
    }
}

/// Waits for an answer of the engine, at most `deadline`.
async fn within<T>(deadline: Duration, call: impl Future<Output = Result<T, Error>>) -> Result<T, DriverError> {
    match tokio::time::timeout(deadline, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(driver_error(error)),
        Err(_) => Err(DriverError::Unreachable(format!("docker did not answer in {deadline:?}"))),
    }
}

/// What an error of the engine's client means.
fn driver_error(error: Error) -> DriverError {
    match error {
        Error::DockerResponseServerError { status_code: 404, message } => DriverError::NotFound(message),
        Error::DockerResponseServerError { status_code: 400, message } => DriverError::Invalid(message),
        Error::DockerResponseServerError { message, .. } => DriverError::Failed(message),
        Error::DockerStreamError { error } => DriverError::Failed(error),
        other => DriverError::Unreachable(format!("docker is not reachable: {other}")),
    }
}
