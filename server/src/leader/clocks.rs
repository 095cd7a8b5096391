//! Looks at the clocks over nodes, and commits what they show.

use std::time::Duration;

use model::{NodeStatus, Term};
use server_core::command::Command;
use server_core::limits::{beat_interval, clocks_interval};
use tokio::time::{Instant, sleep_until};

use super::propose;
use crate::server::{Leading, Server};

/// A look at the clocks that comes so late shows that this process stood still: beats that came meanwhile wait to be heard.
const STANDSTILL_MIN: Duration = Duration::from_millis(500);

pub(super) async fn run(server: Server, term: Term) {
    let mut was_braked = false;
    let mut was_rarer = false;
    loop {
        let due = Instant::now() + clocks_interval(server.state().node_count());
        sleep_until(due).await;
        let late = due.elapsed();
        let state = server.state();
        let now = server.monotonic();
        let look = |leading: &mut Leading| {
            if late >= STANDSTILL_MIN {
                leading.clocks.stood_still(late, now);
            }
            (leading.clocks.look(&state, now), leading.clocks.beat_interval(state.node_count()))
        };
        let Some((found, asked)) = server.with_leading(look) else { return };
        let usual = beat_interval(state.node_count());
        if std::mem::replace(&mut was_rarer, asked > usual) != (asked > usual) {
            let what =
                if asked > usual { "many beats come late: agents beat less often" } else { "beats come in time again" };
            tracing::info!(interval = ?asked, ?usual, "{what}");
        }
        if late >= STANDSTILL_MIN {
            tracing::warn!(?late, "this server stood still: it was stopped, or its machine has too much to do");
        }
        if found.braked && !was_braked {
            tracing::error!("most nodes are silent at once: replacement is braked, look at the network");
        }
        was_braked = found.braked;
        if !found.changes.is_empty() {
            for (node, status) in &found.changes {
                let name = state.node(*node).map_or("", |node| &node.name);
                match status {
                    NodeStatus::Down => tracing::warn!(%node, name, "node is down"),
                    status => tracing::info!(%node, name, ?status, "node changes its status"),
                }
            }
            let (changes, seen) = (found.changes.clone(), Some(state.index()));
            propose(&server, Command::SetNodeStatus { changes, seen, term }).await;
            let now = server.monotonic();
            server.with_leading(|leading| leading.clocks.carried_out(&found.changes, now));
        }
    }
}
