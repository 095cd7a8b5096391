//! What agents observed: gathered from all agents that this server serves, committed as one entry, acknowledged then.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use model::{AllocationId, NodeId, Observation};
use proto::wire::{Frame, agent_down};
use server_core::apply::Answer;
use server_core::command::Command;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::beats::down;
use crate::server::Server;

/// Observations are gathered for so long.
const GATHER: Duration = Duration::from_millis(50);

/// Observations that wait to be committed, the newest of each allocation.
#[derive(Default)]
pub(crate) struct Observations {
    waiting: Mutex<BTreeMap<NodeId, Waiting>>,
    arrived: Notify,
}

struct Waiting {
    sequence: u64,
    newest: BTreeMap<AllocationId, Observation>,
    session: mpsc::Sender<Frame>,
}

impl Observations {
    /// Takes what a node's agent, which listens on `session`, observed.
    pub fn take(&self, node: NodeId, sequence: u64, observed: Vec<Observation>, session: mpsc::Sender<Frame>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_node = waiting.entry(node).or_insert_with(|| Waiting {
            sequence,
            newest: BTreeMap::new(),
            session: session.clone(),
        });
        of_node.sequence = sequence;
        of_node.session = session;
        of_node.newest.extend(observed.into_iter().map(|observation| (observation.allocation, observation)));
        self.arrived.notify_one();
    }

    fn drain(&self) -> BTreeMap<NodeId, Waiting> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Commits observations for as long as the server runs. What could not be committed is not acknowledged: the agent
/// sends it again.
pub(crate) async fn pass_on(server: Server) {
    loop {
        server.inner.observations.arrived.notified().await;
        sleep(GATHER).await;
        let batch = server.inner.observations.drain();
        if batch.is_empty() {
            continue;
        }
        let nodes = batch.iter().map(|(node, waiting)| (*node, waiting.newest.values().cloned().collect())).collect();
        match server.propose_own(Command::Observe { nodes }).await {
            Ok(Answer::Accepted(_)) => {
                for waiting in batch.into_values() {
                    let _ = waiting.session.try_send(down(agent_down::Body::ObservationsKept(waiting.sequence)));
                }
            }
            Ok(Answer::Rejected(rejection)) => tracing::warn!(%rejection, "observations were rejected"),
            Err(error) => tracing::warn!(%error, "observations were not committed"),
        }
    }
}
