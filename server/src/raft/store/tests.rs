//! The log store as consensus drives it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use model::ClusterId;
use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use seams::Blocking;
use seams::testing::MemoryDisk;
use tokio::sync::watch;

use super::*;
use crate::raft::log::{LogConfig, recover, size};
use crate::raft::machine::{FrozenState, Machine};
use crate::raft::snapshots::Snapshots;
use crate::raft::state_machine::StateMachine;
use crate::raft::types::{Command, Payload, Runtime, log_id};

/// A state of nothing.
struct Nothing;

impl Machine for Nothing {
    fn apply(&mut self, _index: u64, _term: u64, _entry: &[u8]) -> Bytes {
        Bytes::new()
    }

    fn advanced(&mut self, _index: u64) {}

    fn freeze(&self) -> Box<dyn FrozenState> {
        Box::new(Self)
    }

    fn restore(&mut self, _snapshot: &[u8]) -> io::Result<()> {
        Ok(())
    }
}

impl FrozenState for Nothing {
    fn encode(&self) -> Vec<u8> {
        Vec::new()
    }
}

struct FreshStores;

impl StoreBuilder<TypeConfig, Store, StateMachine, ()> for FreshStores {
    async fn build(&self) -> Result<((), Store, StateMachine), StorageError<TypeConfig>> {
        let disk = Arc::new(MemoryDisk::new());
        let cluster = ClusterId::derive(&[b"suite"]);
        let config = LogConfig { folder: PathBuf::from("/log"), segment_bytes: 4096, cluster, server: 0 };
        let (contents, segments) = recover(disk.clone(), config).unwrap();
        let snapshots = Snapshots::open(disk, PathBuf::from("/snapshots"), cluster).unwrap();
        let machine =
            StateMachine::restore(Box::new(Nothing), snapshots, Blocking::Inline, watch::channel(0).0).unwrap();
        Ok(((), Store::new(contents, Writer::start(segments, Blocking::Inline)), machine))
    }
}

#[tokio::test]
async fn what_is_read_for_a_follower_is_as_large_as_the_limit_and_at_least_one_entry() {
    let ((), mut store, _) = FreshStores.build().await.unwrap();
    let overhead = size(&Entry { log_id: log_id(1, 0), payload: Payload::Blank });
    let half = APPEND_BYTES_MAX / 2 - overhead;
    for (second, read) in [(half, 2), (half + 1, 1), (2 * APPEND_BYTES_MAX, 1)] {
        for (index, bytes) in [(0, half), (1, second)] {
            let payload = Payload::Normal(Command(Bytes::from(vec![0; bytes])));
            store.write().entries.insert(index, Entry { log_id: log_id(1, index), payload });
        }
        assert_eq!(store.limited_get_log_entries(0, 2).await.unwrap().len(), read, "{second}");
        assert_eq!(store.limited_get_log_entries(1, 2).await.unwrap().len(), 1, "{second}");
    }
}

#[tokio::test]
async fn the_store_passes_the_suite_of_the_library() {
    Runtime::scope(1, Suite::test_all(FreshStores)).await.unwrap();
}
