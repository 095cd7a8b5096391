//! The id of a node: drawn once, kept as long as its state folder is.

use std::io;

use model::NodeId;
use seams::Random;
use tracing::warn;

use crate::store::Store;

const DOCUMENT: &str = "node-id";

/// The id that `store` keeps, or a new one, which it keeps from now on. One that can't be read is replaced.
pub async fn node_id(store: &dyn Store, random: &dyn Random) -> io::Result<NodeId> {
    if let Some(document) = store.load().await?.get(DOCUMENT) {
        match String::from_utf8_lossy(document).trim().parse() {
            Ok(id) => return Ok(id),
            Err(error) => warn!(%error, "the node's id can't be read; the node gets a new one"),
        }
    }
    let id = NodeId::from_hash(random.next_id());
    store.save(DOCUMENT, format!("{id}\n").as_bytes()).await?;
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn it_stays_and_a_damaged_one_is_replaced() {
        let store = MemoryStore::default();
        let first = node_id(&store, &seams::SystemRandom).await.unwrap();
        assert_eq!(node_id(&store, &seams::SystemRandom).await.unwrap(), first);
        store.save(DOCUMENT, b"rubbish").await.unwrap();
        assert_ne!(node_id(&store, &seams::SystemRandom).await.unwrap(), first);
    }
}
