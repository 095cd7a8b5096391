//! What a server does whose disk is full: it takes no commands, which its log sees to, and lets another lead.
//!
//! Reads go on. Each shortage costs at most one change of leaders here, also where the others' disks are full too.

use std::time::Duration;

use tokio::time::timeout;

use crate::server::Server;

/// Pause before the others are asked again, where none could lead or somebody made this server the leader.
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// Hands leadership over whenever this server has no room for commands. Ends with the server.
pub(crate) async fn step_aside(server: Server) {
    let mut shortage = server.inner.raft.shortage();
    loop {
        if shortage.wait_for(Option::is_some).await.is_err() {
            return;
        }
        while !hand_over(&server).await {
            if timeout(RETRY_PAUSE, shortage.wait_for(Option::is_none)).await.is_ok() {
                break;
            }
        }
        if shortage.wait_for(Option::is_none).await.is_err() {
            return;
        }
    }
}

/// Whether this server led, and leads no more.
async fn hand_over(server: &Server) -> bool {
    let leadership = server.inner.raft.leader();
    if !leadership.borrow().is_leader {
        return false;
    }
    server.hand_over().await;
    let leads = leadership.borrow().is_leader;
    if !leads {
        tracing::warn!("the disk is full, another server leads");
    }
    !leads
}
