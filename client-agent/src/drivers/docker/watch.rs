//! Following the engine's events. They only say where to look: what counts is the inspection that follows.

use std::time::Duration;

use bollard::query_parameters::EventsOptionsBuilder;
use client_agent_core::Found;
use futures::StreamExt;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use super::DockerDriver;
use crate::drivers::{Container, News};

/// Wait before the events are followed again.
const RECONNECT_DELAY: Duration = Duration::from_secs(1);

/// Tells changes until nobody listens. After every break all must be listed anew, since events were missed.
pub(super) async fn watch(driver: &DockerDriver, news: mpsc::Sender<News>) {
    let mut filters = driver.owner.filter();
    filters.insert("type".into(), vec!["container".into()]);
    filters.insert("event".into(), ["die", "destroy", "oom"].map(str::to_string).to_vec());
    // The time of the last event, by the engine's clock, so that none is missed between two streams.
    let mut since: Option<String> = None;
    let mut broken = false;
    loop {
        let mut options = EventsOptionsBuilder::default().filters(&filters);
        if let Some(since) = &since {
            options = options.since(since);
        }
        let Ok(docker) = driver.docker() else {
            broken = true;
            tokio::time::sleep(RECONNECT_DELAY).await;
            continue;
        };
        let mut events = docker.events(Some(options.build()));
        if broken && news.send(News::Missed).await.is_err() {
            return;
        }
        while let Some(event) = events.next().await {
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    if !broken {
                        warn!(%error, "docker's events broke off; they are followed again");
                    }
                    break;
                }
            };
            broken = false;
            if let Some(at) = event.time_nano {
                since = Some(format!("{}.{:09}", at / 1_000_000_000, at % 1_000_000_000));
            }
            let Some(id) = event.actor.and_then(|actor| actor.id) else { continue };
            debug!(container = id, action = event.action, "docker event");
            let told = match driver.inspect(&id).await {
                // An event of an earlier container may be replayed; one that runs has nothing new to tell.
                Ok(Some(Container { found: Found::Running { .. }, .. }) | None) => continue,
                Ok(Some(container)) => News::Changed(container),
                Err(_) => News::Missed,
            };
            if news.send(told).await.is_err() {
                return;
            }
        }
        if news.is_closed() {
            return;
        }
        broken = true;
        tokio::time::sleep(RECONNECT_DELAY).await;
    }
}
