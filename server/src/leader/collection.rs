//! Forgets what is over and old, a batch at a time.

use std::time::Duration;

use model::Term;
use server_core::collection;
use tokio::time::{MissedTickBehavior, interval};

use super::propose;
use crate::server::Server;

/// How often something to forget is looked for.
const COLLECT_INTERVAL: Duration = Duration::from_secs(60);

pub(super) async fn run(server: Server, term: Term) {
    let mut tick = interval(COLLECT_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let now = server.now();
        while let Some(command) = collection::next(&server.state(), now, term) {
            let before = server.state().index();
            propose(&server, command).await;
            if server.state().index() == before {
                break;
            }
        }
    }
}
