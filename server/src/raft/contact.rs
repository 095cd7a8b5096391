//! When the rest of the cluster was last in touch: on a leader a majority, on a follower its leader.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use openraft::async_runtime::WatchReceiver as _;
use openraft::{Instant as _, RaftMetrics, ServerState};
use tokio::time::{Duration, Instant};

use super::Core;
use super::types::TypeConfig;

/// When a leader was last heard here. Clones are the same.
#[derive(Clone)]
pub struct Contact {
    origin: Instant,
    heard_ms: Arc<AtomicU64>,
}

impl Contact {
    /// As if a leader had just been heard.
    pub fn new() -> Self {
        Self { origin: Instant::now(), heard_ms: Arc::default() }
    }

    /// A leader was heard.
    pub fn note(&self) {
        self.heard_ms.store(self.origin.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// How long this server has been on its own. A leader that is the only voter never is.
    pub fn silence(&self, core: &Core) -> Duration {
        let metrics = core.metrics();
        let metrics = metrics.borrow_watched();
        let heard = Duration::from_millis(self.heard_ms.load(Ordering::Relaxed));
        let silence = self.origin.elapsed().saturating_sub(heard);
        match metrics.state {
            ServerState::Leader if is_only_voter(&metrics) => Duration::ZERO,
            ServerState::Leader => {
                let answered = metrics.last_quorum_acked.map(|answered| answered.into_inner().elapsed());
                answered.map_or(silence, |answered| answered.min(silence))
            }
            _ => silence,
        }
    }
}

fn is_only_voter(metrics: &RaftMetrics<TypeConfig>) -> bool {
    metrics.membership_config.voter_ids().all(|id| id == metrics.id)
}
