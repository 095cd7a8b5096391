//! What agents observed: gathered from all agents that this server serves, committed as one entry, acknowledged then.

use std::collections::{BTreeMap, BTreeSet};
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
/// Observations in one entry. Many thousands, which come at once when large jobs start, would be more than an entry of the
/// log may hold.
const ENTRY_OBSERVATIONS_MAX: usize = 1_000;
/// Bytes of the observations in one entry, about, unless one alone has more: far below what an entry may hold, since names
/// of fields are not counted one by one.
const ENTRY_BYTES_MAX: usize = 1 << 20;
/// What an observation takes beside its texts and tasks, and a check of it.
const OBSERVATION_BYTES: usize = 200;
const CHECK_BYTES: usize = 50;

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

/// Observations of one entry, with their nodes.
type Part = Vec<(NodeId, Vec<Observation<TaskStates>>)>;

/// Commits observations for as long as the server runs, one batch after the other: what an agent says next can't come before
/// what it said first. What could not be committed is not acknowledged: the agent sends it again.
pub(crate) async fn pass_on(server: Server) {
    loop {
        server.inner.observations.arrived.notified().await;
        sleep(GATHER).await;
        let (mut said, mut observed) = (BTreeMap::new(), Vec::new());
        for (node, waiting) in server.inner.observations.drain() {
            observed.extend(waiting.newest.into_values().map(|observation| (node, observation)));
            said.insert(node, waiting.said);
        }
        let lost = join_all(parts(observed).into_iter().map(|part| commit(&server, part, &said))).await;
        let lost: BTreeSet<NodeId> = lost.into_iter().flatten().collect();
        let state = server.state();
        for (node, said) in said.into_iter().filter(|(node, _)| !lost.contains(node)) {
            match state.is_past_session(node, said.session) {
                // It was passed over, and the session must end.
                true => server.inner.nodes.notify(node),
                false => drop(said.to.try_send(down(agent_down::Body::ObservationsKept(said.sequence)))),
            }
        }
    }
}

/// A batch, in order of the nodes, in parts that an entry may hold.
fn parts(batch: Vec<(NodeId, Observation<TaskStates>)>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut room, mut bytes_left) = (0, 0);
    for (node, observation) in batch {
        let bytes = bytes_of(&observation);
        if room == 0 || bytes > bytes_left {
            parts.push(Vec::new());
            (room, bytes_left) = (ENTRY_OBSERVATIONS_MAX, ENTRY_BYTES_MAX);
        }
        room -= 1;
        bytes_left = bytes_left.saturating_sub(bytes);
        let Some(part) = parts.last_mut() else { continue };
        match part.last_mut().filter(|(last, _)| *last == node) {
            Some((_, of_node)) => of_node.push(observation),
            None => part.push((node, vec![observation])),
        }
    }
    parts
}

/// How much an observation takes in an entry, about.
fn bytes_of(observation: &Observation<TaskStates>) -> usize {
    let checks = observation.checks.iter().map(|(name, check)| name.len() + check.output.len() + CHECK_BYTES);
    OBSERVATION_BYTES + observation.client_description.len() + observation.tasks.bytes() + checks.sum::<usize>()
}

/// Commits a part of a batch; the nodes of which it was not, if it was not.
async fn commit(server: &Server, part: Part, said: &BTreeMap<NodeId, Said>) -> Vec<NodeId> {
    let nodes: Vec<_> = part.iter().map(|(node, _)| *node).collect();
    let of_part: Vec<_> = nodes.iter().filter_map(|node| Some((*node, said.get(node)?))).collect();
    let sessions = of_part.iter().map(|(node, said)| (*node, said.session)).collect();
    let proposed = tokio::select! {
        biased;
        proposed = server.propose_until_known(Command::Observe { nodes: part, sessions }) => proposed,
        () = all_gone(of_part.iter().map(|(_, said)| &said.to)) => {
            tracing::debug!("observations are given up: their agents say them to another server");
            return nodes;
        }
    };
    match proposed {
        Ok(Answer::Accepted(_)) => return Vec::new(),
        Ok(Answer::Rejected(rejection)) => tracing::warn!(%rejection, "observations were rejected"),
        Err(error) => tracing::warn!(%error, "observations were not committed"),
    }
    nodes
}

/// Waits until all agents have left that said something of a part, and had time to be heard elsewhere: an agent that ends
/// says the last on its way, and nobody hears it again.
async fn all_gone(agents: impl Iterator<Item = &mpsc::Sender<Frame>>) {
    join_all(agents.map(mpsc::Sender::closed)).await;
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
        model::testing::observation(allocation, ClientStatus::Running)
    }

    /// So many observations of each of some nodes, in parts: how many of how many nodes each has.
    fn divided(of_nodes: &[usize], description: &str) -> Vec<(usize, usize)> {
        let numbers =
            of_nodes.iter().enumerate().flat_map(|(node, count)| (0..*count).map(move |number| (node, number)));
        let observed = |(node, number): (usize, usize)| {
            let id = AllocationId::derive(&[&node.to_le_bytes(), &number.to_le_bytes()]);
            let observation = Observation { client_description: description.into(), ..observation(id) };
            (NodeId::from_hash([u8::try_from(node).unwrap(); 16]), observation.packed())
        };
        let size = |part: &Part| (part.iter().map(|(_, of_node)| of_node.len()).sum(), part.len());
        parts(numbers.map(observed).collect()).iter().map(size).collect()
    }

    #[test]
    fn an_entry_holds_a_limited_number() {
        let most = ENTRY_OBSERVATIONS_MAX;
        assert_eq!(divided(&[], ""), []);
        assert_eq!(divided(&[4, most - 4], ""), [(most, 2)]);
        assert_eq!(divided(&[4, most - 3], ""), [(most, 2), (1, 1)]);
    }

    #[test]
    fn an_entry_holds_a_limited_number_of_bytes_unless_one_observation_has_more() {
        let bare = bytes_of(&observation(AllocationId::derive(&[b"a"])).packed());
        let half = "x".repeat(ENTRY_BYTES_MAX / 2 - bare);
        assert_eq!(divided(&[1, 1, 1], &half), [(2, 2), (1, 1)]);
        assert_eq!(divided(&[3], &format!("{half}x")), [(1, 1), (1, 1), (1, 1)]);
        assert_eq!(divided(&[2], &"x".repeat(2 * ENTRY_BYTES_MAX)), [(1, 1), (1, 1)]);
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
        let agents = [one.0, other.0];
        drop(one.1);
        assert!(timeout(LEFT_FOR * 2, all_gone(agents.iter())).await.is_err(), "one is here");
        drop(other.1);
        let left_at = Instant::now();
        all_gone(agents.iter()).await;
        assert_eq!(left_at.elapsed(), LEFT_FOR);
    }
}
