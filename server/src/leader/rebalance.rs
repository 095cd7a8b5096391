//! Moves a rebalance on: whenever the state changes while one runs, and when its patience with a move ends.
//!
//! Before a move begins it is played on a copy of the state, so the core is asked where it may take its time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use model::Term;
use server_core::command::Command;
use server_core::rebalance::{self, Step};
use tokio::time::sleep;

use super::propose;
use crate::server::Server;

/// Changes that come together are looked at together.
const SETTLE: Duration = Duration::from_millis(100);
/// Looks at the state this often even if nothing seems to change.
const IDLE_MAX: Duration = Duration::from_secs(30);

pub(super) async fn run(server: Server, term: Term) {
    let mut states = server.inner.states.clone();
    loop {
        let state = states.borrow_and_update().clone();
        let now = server.now();
        let mut wake_at = None;
        if let Some(running) = state.rebalance().filter(|known| !known.status.is_over()).cloned() {
            let looked_at = state.clone();
            let look = move || catch_unwind(AssertUnwindSafe(|| rebalance::next(&looked_at, now))).map_err(drop);
            let step = match server.inner.seams.blocking.run(look).await {
                Ok(Ok(step)) => step,
                Ok(Err(())) | Err(_) => {
                    tracing::error!(rebalance = running.index, "looking for the next move panicked");
                    Step { abort: Some("looking for the next move panicked".into()), ..Step::default() }
                }
            };
            wake_at = step.wake_at;
            if let Some(why) = &step.abort {
                tracing::warn!(rebalance = running.index, why, "a rebalance is aborted");
            }
            if !step.is_empty() {
                let Step { start, ends, abort, .. } = step;
                propose(&server, Command::StepRebalance { index: running.index, start, ends, abort, term }).await;
            }
        }
        tokio::select! {
            biased;
            changed = states.changed() => {
                if changed.is_err() {
                    return;
                }
                sleep(SETTLE).await;
            }
            () = sleep(wake_at.map_or(IDLE_MAX, |at| at.since(now)).min(IDLE_MAX)) => {}
        }
    }
}
