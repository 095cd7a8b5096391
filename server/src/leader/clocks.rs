//! Looks at the clocks over nodes, and commits what they show.

use model::{NodeStatus, Term};
use server_core::command::Command;
use server_core::limits::clocks_interval;
use tokio::time::sleep;

use super::propose;
use crate::server::Server;

pub(super) async fn run(server: Server, term: Term) {
    let mut was_braked = false;
    loop {
        sleep(clocks_interval(server.state().node_count())).await;
        let state = server.state();
        let now = server.monotonic();
        let Some(found) = server.with_leading(|leading| leading.clocks.look(&state, now)) else { return };
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
            propose(&server, Command::SetNodeStatus { changes: found.changes, term }).await;
        }
    }
}
