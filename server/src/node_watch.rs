//! Wakes the sessions of agents whose nodes have something new to do, and nobody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use model::NodeId;
use tokio::sync::Notify;

/// The wake-up calls of the sessions that are served here, by node. A node may have several for a while: its agent opens
/// another stream when one falls silent, and which of them lives is not known here. Each hears every call.
#[derive(Default)]
pub struct NodeWatch {
    nodes: Mutex<BTreeMap<NodeId, Vec<Weak<Notify>>>>,
}

impl NodeWatch {
    /// The wake-up call of a session that begins, for as long as that holds it; calls that come while it does not wait
    /// are not lost.
    pub fn begin_session(&self, node: NodeId) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        let mut nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        let sessions = nodes.entry(node).or_default();
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(&notify));
        notify
    }

    /// Wakes the sessions of a node, if it is served here.
    pub fn notify(&self, node: NodeId) {
        let nodes = self.nodes.lock().unwrap_or_else(PoisonError::into_inner);
        nodes.get(&node).into_iter().flatten().for_each(wake);
    }

    /// Wakes the sessions of all nodes.
    pub fn notify_all(&self) {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).values().flatten().for_each(wake);
    }
}

fn wake(session: &Weak<Notify>) {
    if let Some(session) = session.upgrade() {
        session.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn whichever_of_a_nodes_sessions_lives_is_woken() {
        let (watch, node) = (NodeWatch::default(), NodeId::derive(&[b"n1"]));
        for dies_first in [true, false] {
            let [one, other] = [watch.begin_session(node), watch.begin_session(node)];
            let [lives, dies] = if dies_first { [other, one] } else { [one, other] };
            drop(dies);
            watch.notify(node);
            let woken = timeout(Duration::from_secs(1), lives.notified()).await;
            assert!(woken.is_ok(), "the older one dies: {dies_first}");
        }
        assert!(watch.nodes.lock().unwrap()[&node].len() <= 2, "what is over is forgotten");
    }
}
