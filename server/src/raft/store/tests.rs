//! The log store as consensus drives it.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use model::ClusterId;
use openraft::StorageError;
use openraft::testing::log::{StoreBuilder, Suite};
use seams::testing::MemoryDisk;
use seams::{Blocking, Disk, RealDisk};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::raft::log::{LogConfig, recover, size};
use crate::raft::machine::{FrozenState, Machine};
use crate::raft::snapshots::Snapshots;
use crate::raft::state_machine::{StateMachine, Told};
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

/// Where new stores are made.
enum FreshStores {
    InMemory,
    /// In folders of their own below this one.
    OnDisk(PathBuf, AtomicUsize),
}

/// Removes a store's folder.
struct Remains(Option<PathBuf>);

impl Drop for Remains {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

impl StoreBuilder<TypeConfig, Store, StateMachine, Remains> for FreshStores {
    async fn build(&self) -> Result<(Remains, Store, StateMachine), StorageError<TypeConfig>> {
        let (disk, folder, remains): (Arc<dyn Disk>, _, _) = match self {
            Self::InMemory => (Arc::new(MemoryDisk::new()), PathBuf::from("/"), Remains(None)),
            Self::OnDisk(folder, made) => {
                let folder = folder.join(made.fetch_add(1, Ordering::Relaxed).to_string());
                (Arc::new(RealDisk), folder.clone(), Remains(Some(folder)))
            }
        };
        let cluster = ClusterId::derive(&[b"suite"]);
        let config = LogConfig { folder: folder.join("log"), segment_bytes: 4096, cluster, server: 0 };
        let (contents, segments) = recover(disk.clone(), config).unwrap();
        let snapshots = Snapshots::open(disk, folder.join("snapshots"), cluster).unwrap();
        let told = Told::default();
        let stops = CancellationToken::new();
        let machine = StateMachine::restore(Box::new(Nothing), snapshots, Blocking::Inline, told, stops).unwrap();
        Ok((remains, Store::new(contents, Writer::start(segments, Blocking::Inline)), machine))
    }
}

#[tokio::test]
async fn what_is_read_for_a_follower_is_as_large_as_the_limit_and_at_least_one_entry() {
    let (_, mut store, _) = FreshStores::InMemory.build().await.unwrap();
    let overhead = size(&Entry { log_id: log_id(1, 0), payload: Payload::Blank });
    let half = APPEND_BYTES_MAX / 2 - overhead;
    for (second, read) in [(half, 2), (half + 1, 1), (2 * APPEND_BYTES_MAX, 1)] {
        for (index, bytes) in [(0, half), (1, second)] {
            let payload = Payload::Normal(Command(Bytes::from(vec![0; bytes])));
            store.write().insert(Entry { log_id: log_id(1, index), payload });
        }
        assert_eq!(store.limited_get_log_entries(0, 2).await.unwrap().len(), read, "{second}");
        assert_eq!(store.limited_get_log_entries(1, 2).await.unwrap().len(), 1, "{second}");
    }
}

#[tokio::test]
async fn the_store_passes_the_suite_of_the_library() {
    Runtime::scope(1, Suite::test_all(FreshStores::InMemory)).await.unwrap();
    println!("R10: the library's storage suite passes on a disk in memory");
}

#[tokio::test]
async fn the_store_passes_the_suite_of_the_library_on_a_real_disk() {
    let folder = std::env::temp_dir().join(format!("sched-suite-{}", std::process::id()));
    let _remains = Remains(Some(folder.clone()));
    Runtime::scope(1, Suite::test_all(FreshStores::OnDisk(folder, AtomicUsize::new(0)))).await.unwrap();
    println!("R10: the library's storage suite passes on a real disk");
}
