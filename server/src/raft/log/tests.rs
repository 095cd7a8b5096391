//! The log over crashes, torn writes and purges.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use model::ClusterId;
use seams::recording::{Counter, Kept, Recording};
use seams::testing::{Fault, MemoryDisk};
use seams::{Blocking, Disk};
use tokio::time::{Duration, timeout};

use super::record::{FRAME_OVERHEAD, end_batch, push_frame};
use super::segments::Segments;
use super::*;
use crate::raft::types::{Command, Entry, Payload, Vote, log_id};

fn config() -> LogConfig {
    LogConfig {
        folder: PathBuf::from("/data/log"),
        segment_bytes: 512,
        cluster: ClusterId::derive(&[b"test"]),
        server: 1,
    }
}

fn recover_on(disk: &MemoryDisk) -> Result<(Contents, Segments), OpenLogError> {
    recover(Arc::new(disk.clone()), config())
}

fn entry(index: u64) -> Record {
    let payload = Payload::Normal(Command(Bytes::from(format!("command {index}"))));
    Record::Entry(Entry { log_id: log_id(1, index), payload })
}

/// A log of `count` entries, each a batch of its own.
fn written(count: u64) -> (MemoryDisk, Segments) {
    let disk = MemoryDisk::new();
    let (_, mut segments) = recover_on(&disk).unwrap();
    for index in 0..count {
        segments.write(&[entry(index)]).unwrap();
    }
    (disk, segments)
}

fn files(disk: &MemoryDisk) -> Vec<PathBuf> {
    disk.list(Path::new("/data/log")).unwrap()
}

fn indexes(contents: &Contents) -> Vec<u64> {
    contents.entries.keys().copied().collect()
}

/// Where the frames of a segment begin, and where the last ends.
fn frame_bounds(bytes: &[u8]) -> Vec<usize> {
    let mut bounds = vec![0];
    let mut at = 0;
    while let Some(frame) = super::record::read_frame(&bytes[at..]) {
        at += frame.length;
        bounds.push(at);
    }
    bounds
}

#[test]
fn what_was_written_is_read_back_after_a_crash() {
    let (disk, mut segments) = written(3);
    segments.write(&[Record::Vote(Vote::new(2, 3)), entry(3), Record::Truncate(Some(log_id(1, 1)))]).unwrap();
    segments.write(&[entry(2), Record::Committed(Some(log_id(1, 0))), Record::Purge(log_id(1, 0))]).unwrap();
    disk.crash();

    let (contents, _) = recover_on(&disk).unwrap();
    assert_eq!(indexes(&contents), [1, 2]);
    assert_eq!(contents.vote, Some(Vote::new(2, 3)));
    assert_eq!(contents.committed, Some(log_id(1, 0)));
    assert_eq!(contents.purged, Some(log_id(1, 0)));
}

#[test]
fn a_log_goes_on_over_many_segments_and_restarts() {
    let disk = MemoryDisk::new();
    for round in 0..20 {
        let (contents, mut segments) = recover_on(&disk).unwrap();
        assert_eq!(indexes(&contents), (0..round * 5).collect::<Vec<_>>());
        for index in round * 5..round * 5 + 5 {
            segments.write(&[Record::Vote(Vote::new(index, 1)), entry(index)]).unwrap();
            if segments.wants_spare() {
                segments.prepare().unwrap();
            }
        }
        disk.crash();
    }
    assert!(files(&disk).len() > 5, "the test needs several segments");
    assert_eq!(recover_on(&disk).unwrap().0.vote, Some(Vote::new(99, 1)));
}

#[test]
fn a_record_larger_than_a_segment_gets_a_segment_that_holds_it() {
    let (disk, mut segments) = written(1);
    let payload = Payload::Normal(Command(Bytes::from(vec![7; 5000])));
    segments.write(&[Record::Entry(Entry { log_id: log_id(1, 1), payload }), entry(2)]).unwrap();
    disk.crash();
    assert_eq!(indexes(&recover_on(&disk).unwrap().0), [0, 1, 2]);
}

#[test]
fn a_write_torn_at_any_byte_of_the_last_record_loses_that_record_and_nothing_else() {
    let (disk, _) = written(4);
    let path = files(&disk).pop().unwrap();
    let whole = disk.read(&path).unwrap();
    let bounds = frame_bounds(&whole);
    // The last frame is the mark, which was written when the record was durable.
    let (start, end) = (bounds[bounds.len() - 3], bounds[bounds.len() - 2]);
    for cut in start..end {
        let torn = disk.copy();
        let mut bytes = whole.clone();
        bytes[cut..].fill(0);
        torn.overwrite(&path, bytes);

        let (contents, mut segments) = recover_on(&torn).unwrap();
        assert_eq!(indexes(&contents), [0, 1, 2], "cut at {cut}");
        segments.write(&[entry(3), entry(4)]).unwrap();
        torn.crash();
        assert_eq!(indexes(&recover_on(&torn).unwrap().0), [0, 1, 2, 3, 4], "cut at {cut}");
    }
}

#[test]
fn a_file_that_was_cut_is_refused_and_where_it_ends_is_said() {
    let (disk, _) = written(30);
    for path in files(&disk) {
        let whole = disk.read(&path).unwrap();
        let header = frame_bounds(&whole)[1];
        for length in [0, 1, header - 1, header, header + 1, whole.len() / 2, whole.len() - 1] {
            let cut = disk.copy();
            cut.overwrite(&path, whole[..length].to_vec());
            let expected = if length < header { 0 } else { length as u64 };
            match recover_on(&cut) {
                Err(OpenLogError::Damaged { file, offset, .. }) => assert_eq!((&file, offset), (&path, expected)),
                other => panic!("{length} bytes: {:?}", other.map(|(contents, _)| indexes(&contents))),
            }
        }
    }
}

#[test]
fn a_batch_whose_first_record_is_torn_and_second_whole_was_never_promised() {
    let (disk, mut segments) = written(2);
    let path = files(&disk).pop().unwrap();
    let before = *frame_bounds(&disk.read(&path).unwrap()).last().unwrap();
    segments.write(&[entry(2), entry(3), entry(4)]).unwrap();
    let mut bytes = disk.read(&path).unwrap();
    let bounds = frame_bounds(&bytes);
    bytes[bounds[bounds.len() - 2]..].fill(0);
    bytes[before..before + 5].fill(0);
    disk.overwrite(&path, bytes);

    let (contents, mut segments) = recover_on(&disk).unwrap();
    assert_eq!(indexes(&contents), [0, 1]);
    segments.write(&[entry(2)]).unwrap();
    assert_eq!(indexes(&recover_on(&disk).unwrap().0), [0, 1, 2], "nothing of the torn batch comes back");
}

#[test]
fn of_a_batch_that_was_torn_nothing_is_kept_and_the_next_that_is_torn_is_still_only_torn() {
    let (disk, mut segments) = written(1);
    let path = files(&disk).pop().unwrap();
    segments.write(&[entry(1), entry(2)]).unwrap();
    let mut bytes = disk.read(&path).unwrap();
    let bounds = frame_bounds(&bytes);
    bytes[bounds[bounds.len() - 3]..].fill(0);
    disk.overwrite(&path, bytes);

    let (contents, mut segments) = recover_on(&disk).unwrap();
    assert_eq!(indexes(&contents), [0]);
    segments.write(&[entry(1), entry(2)]).unwrap();
    let mut bytes = disk.read(&path).unwrap();
    let bounds = frame_bounds(&bytes);
    bytes[bounds[bounds.len() - 4]] ^= 1;
    bytes[bounds[bounds.len() - 2]..].fill(0);
    disk.overwrite(&path, bytes);
    assert_eq!(indexes(&recover_on(&disk).unwrap().0), [0]);
}

#[test]
fn a_flipped_bit_in_any_record_is_refused_with_file_and_offset() {
    let (disk, _) = written(30);
    let paths = files(&disk);
    assert!(paths.len() >= 2, "the test needs more than one segment");
    for path in &paths {
        let whole = disk.read(path).unwrap();
        let bounds = frame_bounds(&whole);
        // The last frame is the mark, which says nothing.
        let mark = bounds[bounds.len() - 2];
        for at in 0..bounds[bounds.len() - 1] {
            let flipped = disk.copy();
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            flipped.overwrite(path, bytes);
            let frame = *bounds.iter().rfind(|start| **start <= at).unwrap() as u64;
            match recover_on(&flipped) {
                Err(OpenLogError::Damaged { file, offset, .. }) => assert_eq!((&file, offset), (path, frame)),
                Ok((contents, _)) if at >= mark => assert_eq!(indexes(&contents), (0..30).collect::<Vec<_>>()),
                other => panic!("byte {at} of {}: {:?}", path.display(), other.map(|(contents, _)| indexes(&contents))),
            }
        }
    }
}

#[test]
fn a_missing_segment_is_refused() {
    let (disk, _) = written(60);
    let paths = files(&disk);
    assert!(paths.len() >= 3, "the test needs three segments");
    for missing in [0, 1] {
        let damaged = disk.copy();
        damaged.remove(&paths[missing]).unwrap();
        assert!(matches!(recover_on(&damaged), Err(OpenLogError::Damaged { .. })), "without segment {missing}");
    }
}

#[test]
fn a_segment_that_has_lost_its_end_is_refused_when_another_follows() {
    let (disk, _) = written(30);
    let path = files(&disk).swap_remove(0);
    let mut bytes = disk.read(&path).unwrap();
    let bounds = frame_bounds(&bytes);
    bytes[bounds[bounds.len() - 3]..].fill(0);
    disk.overwrite(&path, bytes);
    let error = recover_on(&disk).err().unwrap().to_string();
    assert!(error.contains("segment 1 had"), "{error}");
}

#[test]
fn the_log_of_another_server_is_refused() {
    let (disk, _) = written(1);
    let other = LogConfig { server: 2, ..config() };
    let error = recover(Arc::new(disk), other).err().unwrap().to_string();
    assert!(error.contains("server 1 of another log"), "{error}");
}

#[test]
fn a_frame_of_a_newer_format_is_refused() {
    let disk = MemoryDisk::new();
    let (_, segments) = recover_on(&disk).unwrap();
    drop(segments);
    let path = files(&disk).pop().unwrap();
    let mut bytes = Vec::new();
    let header = super::record::HeaderMessage {
        format: FORMAT + 1,
        cluster: config().cluster.as_bytes().to_vec(),
        server: 1,
        sequence: 1,
        ..Default::default()
    };
    push_frame(&mut bytes, &Record::Header(header), 1);
    end_batch(&mut bytes);
    disk.overwrite(&path, bytes);
    let error = recover_on(&disk).err().unwrap().to_string();
    assert!(error.contains("format 2 is newer"), "{error}");
}

#[test]
fn purging_deletes_the_segments_that_hold_nothing_else() {
    let (disk, mut segments) = written(60);
    let before = files(&disk).len();
    segments.write(&[Record::Purge(log_id(1, 40))]).unwrap();
    let after = files(&disk).len();
    assert!(after < before && after > 1, "{after} of {before} segments are left");
    disk.crash();
    let (contents, _) = recover_on(&disk).unwrap();
    assert_eq!(indexes(&contents), (41..60).collect::<Vec<_>>());
    assert_eq!(contents.purged, Some(log_id(1, 40)));
}

#[test]
fn a_vote_outlives_the_segment_it_was_written_to() {
    let disk = MemoryDisk::new();
    let (_, mut segments) = recover_on(&disk).unwrap();
    segments.write(&[Record::Vote(Vote::new_committed(7, 2))]).unwrap();
    for index in 0..60 {
        segments.write(&[entry(index)]).unwrap();
    }
    segments.write(&[Record::Purge(log_id(1, 58))]).unwrap();
    disk.crash();
    let (contents, _) = recover_on(&disk).unwrap();
    assert_eq!(contents.vote, Some(Vote::new_committed(7, 2)));
}

#[test]
fn a_crash_at_any_sync_keeps_what_was_acknowledged() {
    // The disk is copied after every write; what a crash leaves of each copy holds all that was written by then.
    let disk = MemoryDisk::new();
    let (_, mut segments) = recover_on(&disk).unwrap();
    let mut expected = BTreeMap::new();
    for index in 0..80 {
        segments.write(&[entry(index)]).unwrap();
        expected.insert(index, ());
        if index % 7 == 0 {
            segments.write(&[Record::Purge(log_id(1, index / 2))]).unwrap();
            expected = expected.split_off(&(index / 2 + 1));
        }
        let copy = disk.copy();
        copy.crash();
        let (contents, _) = recover_on(&copy).unwrap();
        assert_eq!(indexes(&contents), expected.keys().copied().collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn many_writes_that_wait_share_one_sync() {
    let (disk, segments) = written(0);
    let writer = Writer::start(segments, Blocking::Inline);
    let before = disk.syncs();
    for index in 0..5 {
        writer.write(vec![entry(index)], Done::Nobody).unwrap();
    }
    writer.write_and_wait(vec![entry(5)]).await.unwrap();
    assert_eq!(disk.syncs() - before, 1);
    writer.stop().await;
    assert_eq!(indexes(&recover_on(&disk).unwrap().0), (0..=5).collect::<Vec<_>>());
}

#[tokio::test]
async fn who_waits_for_the_log_waits_for_all_that_was_queued_before() {
    let (disk, segments) = written(0);
    let writer = Writer::start(segments, Blocking::Inline);
    writer.write(vec![entry(0)], Done::Nobody).unwrap();
    writer.flushed().await.unwrap();
    let after_a_crash = disk.copy();
    after_a_crash.crash();
    assert_eq!(indexes(&recover_on(&after_a_crash).unwrap().0), [0]);
    disk.fail(Fault::Sync);
    writer.write(vec![entry(1)], Done::Nobody).unwrap();
    writer.flushed().await.expect_err("it never becomes durable");
}

#[tokio::test]
async fn a_record_that_nobody_waits_for_causes_no_sync_and_goes_with_the_next() {
    let (disk, segments) = written(0);
    let writer = Writer::start(segments, Blocking::Inline);
    let before = disk.syncs();
    writer.write_later(Record::Committed(Some(log_id(1, 0)))).unwrap();
    tokio::task::yield_now().await;
    assert_eq!(disk.syncs(), before);
    writer.write_and_wait(vec![entry(0)]).await.unwrap();
    assert_eq!(disk.syncs() - before, 1);
    disk.crash();
    assert_eq!(recover_on(&disk).unwrap().0.committed, Some(log_id(1, 0)));
}

#[tokio::test]
async fn a_failed_sync_poisons_the_log_for_good() {
    let (disk, segments) = written(0);
    let writer = Writer::start(segments, Blocking::Threads);
    writer.write_and_wait(vec![entry(0)]).await.unwrap();
    disk.fail(Fault::Sync);
    assert!(writer.write_and_wait(vec![entry(1)]).await.is_err());
    disk.heal();
    let error = writer.write_and_wait(vec![entry(2)]).await.unwrap_err().to_string();
    assert!(error.contains("what is on the disk is unknown"), "{error}");
    assert_eq!(writer.refusal(), Some(error));
    writer.stop().await;
    disk.crash();
    assert_eq!(indexes(&recover_on(&disk).unwrap().0), [0]);
}

#[tokio::test]
async fn a_full_disk_is_noticed_while_there_is_room_in_the_segment() {
    let (disk, segments) = written(0);
    let writer = Writer::start(segments, Blocking::Inline);
    disk.fail(Fault::Full);
    let mut index = 0;
    while writer.refusal().is_none() {
        writer.write_and_wait(vec![entry(index)]).await.expect("a preallocated segment takes writes on a full disk");
        // The writer looks for room after it has answered.
        tokio::task::yield_now().await;
        index += 1;
    }
    assert!(writer.refusal().unwrap().contains("no room for the next segment"));
    assert_eq!(files(&disk).len(), 1, "the room of the one that could not be preallocated is given back");
    disk.heal();
    writer.write_and_wait(vec![entry(index)]).await.unwrap();
    writer.stop().await;
    assert_eq!(writer.refusal(), None, "a disk that has room again takes commands again");
}

#[tokio::test(start_paused = true)]
async fn records_for_which_there_is_no_room_wait_for_it_and_nothing_is_lost() {
    let (disk, segments) = written(0);
    let writer = Writer::start(segments, Blocking::Inline);
    disk.fail(Fault::Full);
    let patience = Duration::from_secs(20);
    let mut index = 0;
    while timeout(patience, writer.write_and_wait(vec![entry(index)])).await.is_ok() {
        index += 1;
    }
    assert!(index > 5, "the segment that was there took {index} entries");
    let waiting = writer.clone();
    let waits = tokio::spawn(async move { waiting.write_and_wait(vec![entry(index + 1)]).await });
    disk.heal();
    timeout(Duration::from_secs(3), waits).await.expect("room is soon noticed").unwrap().unwrap();
    assert_eq!(writer.refusal(), None);
    writer.stop().await;
    disk.crash();
    assert_eq!(indexes(&recover_on(&disk).unwrap().0), (0..=index + 1).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_waits_for_room_stops_when_it_is_told_to() {
    let (disk, segments) = written(0);
    let writer = Writer::start(segments, Blocking::Inline);
    disk.fail(Fault::Full);
    for index in 0..100 {
        writer.write(vec![entry(index)], Done::Nobody).unwrap();
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    timeout(Duration::from_secs(1), writer.stop()).await.expect("it stops");
}

#[tokio::test(start_paused = true)]
async fn a_full_disk_is_asked_again_though_nobody_writes() {
    let (disk, segments) = written(0);
    let writer = Writer::start(segments, Blocking::Inline);
    disk.fail(Fault::Full);
    let mut index = 0;
    while writer.refusal().is_none() {
        writer.write_and_wait(vec![entry(index)]).await.unwrap();
        tokio::task::yield_now().await;
        index += 1;
    }
    let mut shortage = writer.shortage();
    disk.heal();
    timeout(Duration::from_secs(3), shortage.wait_for(Option::is_none)).await.expect("room is soon noticed").unwrap();
    assert_eq!(writer.refusal(), None);
}

#[tokio::test(start_paused = true)]
async fn after_a_second_of_quiet_damage_to_the_last_batch_is_known_even_after_a_power_cut() {
    let (disk, segments) = written(0);
    let writer = Writer::start(segments, Blocking::Inline);
    writer.write_and_wait(vec![entry(0)]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    disk.crash();
    let path = files(&disk).pop().unwrap();
    let mut bytes = disk.read(&path).unwrap();
    let bounds = frame_bounds(&bytes);
    bytes[bounds[bounds.len() - 3] + FRAME_OVERHEAD] ^= 4;
    disk.overwrite(&path, bytes);
    let error = recover_on(&disk).err().unwrap().to_string();
    assert!(error.contains("records that were written after it are whole"), "{error}");
}

#[tokio::test]
async fn a_segment_that_can_not_be_synced_ends_the_log_before_anything_is_written_to_it() {
    let (disk, mut segments) = written(0);
    let mut index = 0;
    while !segments.wants_spare() {
        segments.write(&[entry(index)]).unwrap();
        index += 1;
    }
    disk.fail(Fault::Sync);
    let error = segments.prepare().unwrap_err();
    assert!(!segment::is_full(&error), "{error}");
    let writer = Writer::start(segments, Blocking::Inline);
    assert!(writer.write_and_wait(vec![entry(index)]).await.is_err());
    assert!(writer.poisoned().await.contains("what is on the disk is unknown"));
    disk.crash();
    assert_eq!(indexes(&recover_on(&disk).unwrap().0), (0..index).collect::<Vec<_>>());
}

#[test]
fn what_a_failed_sync_left_in_memory_is_written_again_before_it_is_relied_upon() {
    let counter = Counter::default();
    let disk = Recording::new(&counter);
    let (_, mut segments) = recover(Arc::new(disk.clone()), config()).unwrap();
    segments.write(&[entry(0)]).unwrap();
    // The next call writes the batch, the one after it syncs.
    disk.fail_at(counter.calls() + 1, std::io::ErrorKind::Other);
    assert!(segments.write(&[entry(1)]).is_err());
    let read = |disk| indexes(&recover(disk, config()).unwrap().0);
    // The process starts anew: the system still shows the pages that it could not write.
    assert_eq!(read(Arc::new(disk.clone())), [0, 1]);
    let mut replay = disk.replay();
    replay.advance_to(counter.calls());
    assert_eq!(read(Arc::new(replay.cut(Kept::Nothing))), [0, 1]);
}
