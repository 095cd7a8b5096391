//! Keeps the log small in bytes: entries are held in memory, and a few large plans weigh as much as many small commands.

use std::time::Duration;

use openraft::async_runtime::WatchReceiver as _;
use tokio::time::sleep;

use super::Core;
use super::store::Store;

/// Pause between two looks at the log.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// Whenever the log holds more than `bytes_max`, takes a snapshot and drops the oldest entries that it holds, until half
/// of that is left. Ends with consensus.
pub async fn keep_small(core: Core, store: Store, bytes_max: u64) {
    let metrics = core.metrics();
    while metrics.borrow_watched().running_state.is_ok() {
        if store.bytes() > bytes_max {
            let drop_to = store.index_before_last(bytes_max / 2);
            let snapshot = metrics.borrow_watched().snapshot.map_or(0, |snapshot| snapshot.index());
            // Both are only asked for, and asked for again while the log stays large; an error says that it ended.
            let _ = match snapshot >= drop_to {
                true => core.trigger().purge_log(drop_to).await,
                false => core.trigger().snapshot().await,
            };
        }
        sleep(LOOK_INTERVAL).await;
    }
}
