//! Wakes the sessions of agents whose nodes have something new to do, and nobody else.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use model::NodeId;
use tokio::sync::Notify;

/// One wake-up call per node that is served here.
#[derive(Default)]
pub struct NodeWatch {
    nodes: Mutex<BTreeMap<NodeId, Arc<Notify>>>,
}

impl NodeWatch {
    /// The wake-up call of a node; calls that came while nobody waited are not lost.
    pub fn of(&self, node: NodeId) -> Arc<Notify> {
        self.nodes.lock().unwrap_or_else(PoisonError::into_inner).entry(node).or_default().clone()
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
