//! Files of every layout that was ever written, kept byte for byte: today's are written so, and all are read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use model::ClusterId;
use openraft::BasicNode;
use seams::Disk;
use seams::testing::MemoryDisk;

use crate::raft::log::{Contents, LogConfig, Record, recover};
use crate::raft::snapshots::Snapshots;
use crate::raft::types::{Command, Entry, Membership, Payload, Snapshot, SnapshotMeta, StoredMembership, Vote, log_id};

/// As it was before the next batch was begun at once with a mark, and before segments said how large they are.
const LOG_UNMARKED: &[u8] = include_bytes!("golden/1.log");
const LOG: &[u8] = include_bytes!("golden/1-marked.log");
const SNAPSHOT: &[u8] = include_bytes!("golden/1.snapshot");

const SEGMENT: &str = "/log/00000000000000000001.log";
const SNAPSHOT_FILE: &str = "/snapshots/00000000000000000009-3.snapshot";

fn cluster() -> ClusterId {
    ClusterId::from_hash([7; 16])
}

fn config() -> LogConfig {
    LogConfig { folder: PathBuf::from("/log"), segment_bytes: 1024, cluster: cluster(), server: 1 }
}

fn membership() -> Membership {
    let servers: BTreeMap<u64, BasicNode> = (1..=3).map(|id| (id, BasicNode::new(format!("host-{id}:4647")))).collect();
    Membership::new(vec![BTreeSet::from([1, 2, 3])], servers).unwrap()
}

fn batches() -> Vec<Vec<Record>> {
    let command = |text: &'static str| Payload::Normal(Command(Bytes::from_static(text.as_bytes())));
    let payloads = [Payload::Blank, command("one"), command("two"), Payload::Membership(membership()), command("void")];
    let entries =
        (0..).zip(payloads).map(|(index, payload)| Record::Entry(Entry { log_id: log_id(3, index), payload }));
    vec![
        vec![Record::Vote(Vote::new_committed(3, 2))],
        entries.collect(),
        vec![Record::Truncate(Some(log_id(3, 3))), Record::Committed(Some(log_id(3, 2))), Record::Purge(log_id(3, 0))],
    ]
}

fn snapshot() -> Snapshot {
    let last_membership = StoredMembership::new(Some(log_id(3, 3)), membership());
    let meta = SnapshotMeta { last_log_id: Some(log_id(3, 9)), last_membership };
    Snapshot { meta, snapshot: Bytes::from_static(b"the state") }
}

#[test]
fn logs_of_every_layout_are_read() {
    let mut expected = Contents::default();
    batches().into_iter().flatten().for_each(|record| expected.apply(record));
    assert_eq!(expected.entries.len(), 3);
    for golden in [LOG_UNMARKED, LOG] {
        let disk = MemoryDisk::new();
        disk.create_folder(Path::new("/log")).unwrap();
        disk.overwrite(Path::new(SEGMENT), golden.to_vec());
        let (found, mut segments) = recover(Arc::new(disk.clone()), config()).unwrap();
        assert_eq!(found, expected);
        // And gone on with.
        segments.write(&[Record::Vote(Vote::new(4, 1))]).unwrap();
        let again = recover(Arc::new(disk), config()).unwrap().0;
        assert_eq!(again, Contents { vote: Some(Vote::new(4, 1)), ..expected.clone() });
    }
}

#[test]
fn a_log_is_written_as_it_was() {
    let disk = MemoryDisk::new();
    let (_, mut segments) = recover(Arc::new(disk.clone()), config()).unwrap();
    for batch in batches() {
        segments.write(&batch).unwrap();
    }
    assert_eq!(disk.read(Path::new(SEGMENT)).unwrap(), LOG);
}

#[test]
fn snapshots_of_every_layout_are_read_and_written_as_they_were() {
    let disk = MemoryDisk::new();
    disk.create_folder(Path::new("/snapshots")).unwrap();
    disk.overwrite(Path::new(SNAPSHOT_FILE), SNAPSHOT.to_vec());
    let open = || Snapshots::open(Arc::new(disk.clone()), PathBuf::from("/snapshots"), cluster()).unwrap();
    let found = open().load().unwrap().unwrap();
    assert_eq!((found.meta, found.snapshot), (snapshot().meta, snapshot().snapshot));
    disk.remove(Path::new(SNAPSHOT_FILE)).unwrap();
    open().save(&snapshot()).unwrap();
    assert_eq!(disk.read(Path::new(SNAPSHOT_FILE)).unwrap(), SNAPSHOT);
}
