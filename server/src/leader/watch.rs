//! Moves drains and deployments on: whenever the state changes, and when one of their deadlines comes.

use std::time::Duration;

use model::{Term, Timestamp};
use server_core::command::Command;
use server_core::{deployment, drain};
use tokio::time::{Instant, sleep};

use super::propose;
use crate::server::Server;

/// Changes that come together are looked at together.
const SETTLE: Duration = Duration::from_millis(20);
/// So many times as long as a look took is waited before the next, so that it takes no more than a fifth of a core however
/// much there is to look at.
const PAUSE_FACTOR: u32 = 4;
/// Looks at the state this often even if nothing seems to change.
const IDLE_MAX: Duration = Duration::from_secs(30);

pub(super) async fn run(server: Server, term: Term) {
    let mut states = server.inner.states.clone();
    loop {
        let state = states.borrow_and_update().clone();
        let now = server.now();
        let began = Instant::now();
        let deployments = deployment::next(&state, now, term);
        let drains = drain::next(&state, now);
        // Before anything is proposed: how long that takes says nothing of how much there is to look at.
        let pause = SETTLE.max(began.elapsed() * PAUSE_FACTOR);
        for command in deployments.commands {
            propose(&server, command).await;
        }
        if !drains.moves.is_empty() || !drains.stops.is_empty() {
            let command = Command::Migrate { allocations: drains.moves, stops: drains.stops, term };
            propose(&server, command).await;
        }
        for node in drains.complete {
            propose(&server, Command::CompleteDrain { node, term }).await;
        }
        let wake_at = deployments.wake_at.into_iter().chain(drains.wake_at).min();
        tokio::select! {
            biased;
            changed = states.changed() => {
                if changed.is_err() {
                    return;
                }
                sleep(pause).await;
            }
            () = sleep(until(wake_at, now)) => {}
        }
    }
}

fn until(wake_at: Option<Timestamp>, now: Timestamp) -> Duration {
    wake_at.map_or(IDLE_MAX, |at| at.since(now)).min(IDLE_MAX)
}
