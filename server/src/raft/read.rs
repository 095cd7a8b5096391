//! Linearizable reads: which index must be applied before a read that begins now may be answered.

use model::Index;
use openraft::ReadPolicy;
use thiserror::Error;
use tokio::sync::watch;
use tokio::time::{Duration, Instant, sleep, timeout, timeout_at};

use super::Core;
use super::leadership::Leadership;
use super::messages::{Answered, Ask, ReadIndexMessage};
use super::network::Network;
use super::propose::RETRY_PAUSE;

/// A read can't be made linearizable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// No leader confirmed its leadership in time.
    #[error("no leader answered in time; a stale read is possible")]
    NoLeader,
    /// The leader was confirmed, but this server did not catch up with it in time.
    #[error("this server is behind: it has applied entry {applied}, the read needs {needed}")]
    Behind {
        /// The last entry applied here.
        applied: Index,
        /// The entry that the read waits for.
        needed: Index,
    },
}

/// The index as this server confirms it: none if it does not lead, or no majority says that it still does.
pub async fn confirmed_index(core: &Core) -> Option<Index> {
    core.get_read_log_id(ReadPolicy::ReadIndex).await.ok().map(|(read, _)| read.index())
}

/// The index as the leader confirms it, wherever that is. Asks until it is known, or `within` is over.
pub async fn read_index(
    core: &Core,
    network: &Network,
    leadership: &watch::Receiver<Leadership>,
    within: Duration,
) -> Result<Index, ReadError> {
    let deadline = Instant::now() + within;
    loop {
        let now = leadership.borrow().clone();
        let attempt = async {
            match now.leader {
                _ if now.is_leader => confirmed_index(core).await,
                Some((id, address)) => {
                    let ask = Ask::ReadIndex(ReadIndexMessage {});
                    match network.ask(id, &address, ask, network.timings.append).await {
                        Ok(Answered::ReadIndex(reply)) => reply.index,
                        Ok(_) | Err(_) => None,
                    }
                }
                None => None,
            }
        };
        match timeout_at(deadline, attempt).await {
            Ok(Some(index)) => return Ok(index),
            Ok(None) if Instant::now() + RETRY_PAUSE < deadline => sleep(RETRY_PAUSE).await,
            Ok(None) | Err(_) => return Err(ReadError::NoLeader),
        }
    }
}

/// Waits until `needed` is applied here.
pub async fn wait_applied(applied: &watch::Receiver<Index>, needed: Index, within: Duration) -> Result<(), ReadError> {
    let mut progress = applied.clone();
    let reached = timeout(within, progress.wait_for(|applied| *applied >= needed)).await;
    match reached {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(ReadError::Behind { applied: *applied.borrow(), needed }),
    }
}
