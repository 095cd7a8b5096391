//! Wakes the sessions of agents whose nodes have something new to do, and nobody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::NodeId;
use tokio::sync::Notify;

/// One wake-up call per node that is served here: that of its newest session.
#[derive(Default)]
pub struct NodeWatch {
    nodes: Mutex<BTreeMap<NodeId, Arc<Notify>>>,
}

impl NodeWatch {
    /// The wake-up call of a session that begins; calls that come while it does not wait are not lost. An older session
    /// of the node hears nothing more: its agent may be gone without a word, and would take the call in vain.
    pub fn begin_session(&self, node: NodeId) -> Arc<Notify> {
        let notify = Arc::new(Notify::new());
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).insert(node, notify.clone());
        notify
    }

    /// Wakes the session of a node, if it is served here.
    pub fn notify(&self, node: NodeId) {
        if let Some(notify) = self.nodes.lock().unwrap_or_else(PoisonError::into_inner).get(&node) {
            notify.notify_one();
        }
    }

    /// Wakes all sessions.
    pub fn notify_all(&self) {
        for notify in self.nodes.lock().unwrap_or_else(PoisonError::into_inner).values() {
            notify.notify_one();
        }
    }
}
