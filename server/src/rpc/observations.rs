//! What agents observed: gathered from all agents that this server serves, committed as one entry, acknowledged then.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use model::{AllocationId, Index, NodeId, Observation, TaskStates};
use proto::wire::{Frame, agent_down};
use server_core::apply::Answer;
use server_core::command::Command;
use tokio::sync::{Notify, mpsc};
use tokio::time::sleep;

use super::beats::down;
use crate::server::Server;

/// Observations are gathered for so long.
const GATHER: Duration = Duration::from_millis(50);
/// How long observations of agents that have left are tried on.
const LEFT_FOR: Duration = Duration::from_secs(2);
/// Observations in one entry; those of a node stay together. Many thousands, which come at once when large jobs start,
/// would be more than an entry of the log may hold.
const ENTRY_OBSERVATIONS_MAX: usize = 1_000;

/// Observations that wait to be committed, the newest of each allocation.
#[derive(Default)]
pub(crate) struct Observations {
    waiting: Mutex<BTreeMap<NodeId, Waiting>>,
    arrived: Notify,
}

struct Waiting {
    said: Said,
    newest: BTreeMap<AllocationId, Observation<TaskStates>>,
}

/// How an agent said something.
pub(crate) struct Said {
    /// The session, by the index at which it began.
    pub session: Index,
    /// The message's number in the session.
    pub sequence: u64,
    /// Where it hears that this was kept.
    pub to: mpsc::Sender<Frame>,
}

impl Observations {
    /// Takes what a node's agent observed.
    pub fn take(&self, node: NodeId, said: Said, observed: Vec<Observation>) {
        // Packed before the lock is taken, and once for all servers.
        let observed: Vec<_> = observed.into_iter().map(Observation::packed).collect();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let observed = observed.into_iter().map(|observation| (observation.allocation, observation));
        match waiting.get_mut(&node) {
            Some(before) if before.said.session > said.session => return,
            Some(before) if before.said.session == said.session => {
                before.said = said;
                before.newest.extend(observed);
            }
            // What was not kept is said again in the new session.
            Some(_) | None => drop(waiting.insert(node, Waiting { said, newest: observed.collect() })),
        }
        self.arrived.notify_one();
    }

    fn drain(&self) -> BTreeMap<NodeId, Waiting> {
        std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Commits observations for as long as the server runs, one batch after the other: what an agent says next can't come before
/// what it said first. What could not be committed is not acknowledged: the agent sends it again.
pub(crate) async fn pass_on(server: Server) {
    loop {
        server.inner.observations.arrived.notified().await;
        sleep(GATHER).await;
        let entries = entries(server.inner.observations.drain());
        join_all(entries.into_iter().map(|entry| commit(&server, entry))).await;
    }
}

/// Parts of a batch with at most [`ENTRY_OBSERVATIONS_MAX`] each, unless one node has more.
fn entries(batch: BTreeMap<NodeId, Waiting>) -> Vec<BTreeMap<NodeId, Waiting>> {
    let mut entries: Vec<BTreeMap<NodeId, Waiting>> = Vec::new();
    let mut room = 0;
    for (node, waiting) in batch {
        let count = waiting.newest.len();
        match entries.last_mut().filter(|_| count <= room) {
            Some(entry) => drop(entry.insert(node, waiting)),
            None => {
                entries.push(BTreeMap::from([(node, waiting)]));
                room = ENTRY_OBSERVATIONS_MAX;
            }
        }
        room = room.saturating_sub(count);
    }
    entries
}

async fn commit(server: &Server, entry: BTreeMap<NodeId, Waiting>) {
    let nodes = entry.iter().map(|(node, waiting)| (*node, waiting.newest.values().cloned().collect())).collect();
    let sessions = entry.iter().map(|(node, waiting)| (*node, waiting.said.session)).collect();
    let proposed = tokio::select! {
        biased;
        proposed = server.propose_until_known(Command::Observe { nodes, sessions }) => proposed,
        () = all_gone(&entry) => {
            tracing::debug!("observations are given up: their agents say them to another server");
            return;
        }
    };
    match proposed {
        Ok(Answer::Accepted(_)) => {
            let state = server.state();
            for (node, Waiting { said, .. }) in entry {
                match state.is_past_session(node, said.session) {
                    // It was passed over, and the session must end.
                    true => server.inner.nodes.notify(node),
                    false => drop(said.to.try_send(down(agent_down::Body::ObservationsKept(said.sequence)))),
                }
            }
        }
        Ok(Answer::Rejected(rejection)) => tracing::warn!(%rejection, "observations were rejected"),
        Err(error) => tracing::warn!(%error, "observations were not committed"),
    }
}

/// Waits until all agents have left that said something of this, and had time to be heard elsewhere: an agent that ends says
/// the last on its way, and nobody hears it again.
async fn all_gone(entry: &BTreeMap<NodeId, Waiting>) {
    join_all(entry.values().map(|waiting| waiting.said.to.closed())).await;
    sleep(LEFT_FOR).await;
}

#[cfg(test)]
mod tests {
    use model::ClientStatus;
    use tokio::time::{Instant, timeout};

    use super::*;

    fn said(session: Index, to: mpsc::Sender<Frame>) -> Said {
        Said { session, sequence: 1, to }
    }

    fn observation(allocation: AllocationId) -> Observation {
        Observation {
            allocation,
            client_status: ClientStatus::Running,
            client_description: String::new(),
            tasks: BTreeMap::new(),
            healthy: None,
            healthy_at: None,
            checks: BTreeMap::new(),
            network_address: None,
        }
    }

    fn waiting(observations: usize) -> Waiting {
        let newest = (0..observations)
            .map(|number| AllocationId::derive(&[&number.to_le_bytes()]))
            .map(|allocation| (allocation, observation(allocation).packed()))
            .collect();
        Waiting { said: said(1, mpsc::channel(1).0), newest }
    }

    #[track_caller]
    fn check(of_nodes: &[usize], wanted: &[usize]) {
        let node = |number: usize| NodeId::from_hash([u8::try_from(number).unwrap(); 16]);
        let batch = of_nodes.iter().enumerate().map(|(number, count)| (node(number), waiting(*count))).collect();
        let size = |entry: &BTreeMap<NodeId, Waiting>| entry.values().map(|known| known.newest.len()).sum::<usize>();
        assert_eq!(entries(batch).iter().map(size).collect::<Vec<_>>(), wanted);
    }

    #[test]
    fn an_entry_holds_a_limited_number_and_a_node_is_not_divided() {
        check(&[], &[]);
        let most = ENTRY_OBSERVATIONS_MAX;
        check(&[4, most - 4], &[most]);
        check(&[4, most - 3], &[4, most - 3]);
        check(&[2 * most, 1, most - 1, 1], &[2 * most, most, 1]);
    }

    #[tokio::test]
    async fn only_what_was_said_in_the_newest_session_waits() {
        let node = NodeId::derive(&[b"n1"]);
        let observations = Observations::default();
        let take = |session, sequence, name: &str| {
            let observation = observation(AllocationId::derive(&[name.as_bytes()]));
            observations.take(node, Said { sequence, ..said(session, mpsc::channel(1).0) }, vec![observation]);
        };
        take(5, 1, "a");
        take(5, 2, "b");
        take(4, 9, "c");
        let waits = |waiting: &Waiting| (waiting.said.session, waiting.said.sequence, waiting.newest.len());
        assert_eq!(observations.drain().values().map(waits).collect::<Vec<_>>(), [(5, 2, 2)]);
        take(5, 3, "a");
        take(6, 1, "b");
        assert_eq!(observations.drain().values().map(waits).collect::<Vec<_>>(), [(6, 1, 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn observations_are_given_up_a_while_after_the_last_of_their_agents_has_left() {
        let (one, other) = (mpsc::channel(1), mpsc::channel(1));
        let nodes = [(1u8, one.0), (2, other.0)];
        let of = |(number, session)| (NodeId::derive(&[&[number]]), Waiting { said: said(1, session), ..waiting(1) });
        let entry: BTreeMap<_, _> = nodes.into_iter().map(of).collect();
        drop(one.1);
        assert!(timeout(LEFT_FOR * 2, all_gone(&entry)).await.is_err(), "one is here");
        drop(other.1);
        let left_at = Instant::now();
        all_gone(&entry).await;
        assert_eq!(left_at.elapsed(), LEFT_FOR);
    }
}
