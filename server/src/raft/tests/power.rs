//! Power cuts: at every call that log and snapshots make, with any part of what was not synced kept. What was
//! acknowledged is there afterwards, and the server starts without help.
//!
//! `POWER_SEEDS` sets how many workloads are cut at every call, `POWER_CLUSTERS` how often a whole cluster is.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use model::{ClusterId, Index};
use seams::Disk;
use seams::recording::{Counter, Kept, Recording};
use seams::testing::MemoryDisk;

use super::cluster::Cluster;
use super::run;
use crate::raft::log::{Contents, LogConfig, Record, Segments, WriteRecords, recover};
use crate::raft::snapshots::Snapshots;
use crate::raft::types::{Command, Entry, LogId, Payload, Snapshot, SnapshotMeta, Vote, log_id};

/// Deeds of one workload.
const DEEDS: u64 = 60;

/// A number that is set from outside, or what suits every run of the tests.
pub fn how_many(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().map_or(otherwise, |text| text.parse().expect("a number"))
}

/// Numbers that follow from a seed.
pub struct Draw(u64);

impl Draw {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bf0_3635)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

fn config() -> LogConfig {
    let cluster = ClusterId::derive(&[b"power"]);
    LogConfig { folder: PathBuf::from("/data/log"), segment_bytes: 2048, cluster, server: 1 }
}

fn open_snapshots(disk: Arc<dyn Disk>) -> io::Result<Snapshots> {
    Snapshots::open(disk, PathBuf::from("/data/snapshots"), config().cluster)
}

/// What a server finds when it starts: its log, and the index that its newest snapshot holds.
#[derive(Clone, Debug, Default, PartialEq)]
struct Found {
    contents: Contents,
    snapshot: Option<Index>,
}

fn start(disk: &Arc<dyn Disk>) -> io::Result<(Found, Segments)> {
    let (contents, segments) = recover(disk.clone(), config()).map_err(io::Error::other)?;
    let newest = open_snapshots(disk.clone())?.load()?;
    let snapshot = newest.and_then(|newest| newest.meta.last_log_id).map(|last| last.index());
    Ok((Found { contents, snapshot }, segments))
}

/// What a server was doing, and what may be found if it was stopped before it had ended.
struct Deed {
    /// The number of calls at which it was acknowledged.
    acknowledged: usize,
    /// What may be found of it before: what was there, any part of it that can be, or all.
    before: Vec<Found>,
    after: Found,
}

/// How a workload ended.
enum End {
    Done,
    /// A call failed, and the process with it.
    Failed,
}

/// A server's log and snapshots under a workload that follows from a seed.
struct Workload {
    recording: Recording,
    counter: Counter,
    draw: Draw,
    term: u64,
    known: Found,
    deeds: Vec<Deed>,
}

impl Workload {
    fn new(seed: u64) -> Self {
        let counter = Counter::default();
        let recording = Recording::new(&counter);
        let (draw, known) = (Draw::new(seed), Found::default());
        Self { recording, counter, draw, term: 1, known, deeds: Vec::new() }
    }

    fn disk(&self) -> Arc<dyn Disk> {
        Arc::new(self.recording.clone())
    }

    fn run(&mut self) -> End {
        let Ok((_, mut segments)) = start(&self.disk()) else { return End::Failed };
        for _ in 0..DEEDS {
            if self.deed(&mut segments).is_err() {
                return End::Failed;
            }
        }
        End::Done
    }

    /// One deed that follows from the draw. Errors if a call failed.
    fn deed(&mut self, segments: &mut Segments) -> io::Result<()> {
        match self.draw.below(12) {
            0 => {
                self.term += 1;
                let server = self.draw.below(3) + 1;
                self.write(segments, &[Record::Vote(Vote::new(self.term, server))])
            }
            1 => {
                let committed = self.known.contents.last();
                self.write(segments, &[Record::Committed(committed)])
            }
            2 => self.truncate(segments),
            3 => self.snapshot(segments, 0),
            // One that another server sent, which reaches further than the log.
            4 => self.snapshot(segments, 3),
            5 => {
                drop(std::mem::replace(segments, start(&self.disk())?.1));
                Ok(())
            }
            _ => self.append(segments),
        }?;
        if segments.wants_spare() {
            segments.prepare()?;
        }
        Ok(())
    }

    fn append(&mut self, segments: &mut Segments) -> io::Result<()> {
        let first = self.known.contents.last().map_or(0, |last| last.index() + 1);
        let count = self.draw.below(5) + 1;
        let records: Vec<Record> = (first..first + count).map(|index| self.entry(index)).collect();
        self.write(segments, &records)
    }

    fn entry(&mut self, index: Index) -> Record {
        let bound = if self.draw.below(20) == 0 { 3000 } else { 200 };
        let length = self.draw.below(bound);
        let payload = Payload::Normal(Command(Bytes::from(vec![index as u8; length as usize])));
        Record::Entry(Entry { log_id: log_id(self.term, index), payload })
    }

    fn truncate(&mut self, segments: &mut Segments) -> io::Result<()> {
        // What a snapshot holds is committed, and stays.
        let entries = &self.known.contents.entries;
        let held = entries.keys().filter(|index| Some(**index) <= self.known.snapshot).count();
        let kept = entries.len().saturating_sub(self.draw.below(4) as usize).max(held);
        let last = match kept {
            0 => self.known.contents.purged,
            kept => self.known.contents.entries.values().nth(kept - 1).map(|entry| entry.log_id),
        };
        // The leader that makes a server drop entries has another term.
        self.term += 1;
        self.write(segments, &[Record::Truncate(last)])
    }

    /// Saves a snapshot and then purges what it holds.
    fn snapshot(&mut self, segments: &mut Segments, ahead: u64) -> io::Result<()> {
        let Some(last) = self.known.contents.last() else { return Ok(()) };
        let last = log_id(last.committed_leader_id().term.max(self.term), last.index() + ahead);
        self.save(last)?;
        let purged = if self.draw.below(2) == 0 || ahead > 0 { Some(last) } else { self.earlier() };
        match purged.filter(|purged| Some(*purged) > self.known.contents.purged) {
            Some(purged) => self.write(segments, &[Record::Purge(purged)]),
            None => Ok(()),
        }
    }

    fn earlier(&mut self) -> Option<LogId> {
        let entries = &self.known.contents.entries;
        let kept = self.draw.below(entries.len().max(1) as u64) as usize;
        entries.values().nth(kept).map(|entry| entry.log_id)
    }

    fn save(&mut self, last: LogId) -> io::Result<()> {
        let meta = SnapshotMeta { last_log_id: Some(last), ..SnapshotMeta::default() };
        let data = Bytes::from(vec![last.index() as u8; self.draw.below(5000) as usize]);
        let before = vec![self.known.clone()];
        self.known.snapshot = Some(last.index());
        let snapshot = Snapshot { meta, snapshot: data };
        let saved = open_snapshots(self.disk()).and_then(|snapshots| snapshots.save(&snapshot));
        self.end_deed(before, saved)
    }

    fn write(&mut self, segments: &mut Segments, records: &[Record]) -> io::Result<()> {
        // Several segments are several batches: any beginning of the records may be found.
        let mut before = vec![self.known.clone()];
        for record in records {
            self.known.contents.apply(record.clone());
            before.push(self.known.clone());
        }
        let written = match segments.append(records) {
            Err(WriteRecords::NoRoom { written, .. }) => segments.write(&records[written..]),
            Err(WriteRecords::Failed(error)) => Err(error),
            Ok(()) => Ok(()),
        };
        self.end_deed(before, written)
    }

    fn end_deed(&mut self, mut before: Vec<Found>, result: io::Result<()>) -> io::Result<()> {
        let acknowledged = if result.is_ok() { self.counter.calls() } else { usize::MAX };
        before.push(self.known.clone());
        self.deeds.push(Deed { acknowledged, before, after: self.known.clone() });
        result
    }

    /// Starts on `disk`, which a cut before call `calls` left. Panics if something is missing.
    fn judge(&self, disk: &MemoryDisk, calls: usize, what: &str) {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let (found, mut segments) = start(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
        let done = self.deeds.iter().take_while(|deed| deed.acknowledged <= calls).count();
        let acknowledged = done.checked_sub(1).map(|last| self.deeds[last].after.clone()).unwrap_or_default();
        let allowed = self.deeds.get(done).map(|deed| deed.before.as_slice()).unwrap_or_default();
        let is_right = |wanted: &Found| {
            // Where a commit position was written is of no promise; all else is.
            let contents = Contents { committed: found.contents.committed, ..wanted.contents.clone() };
            Found { contents, snapshot: wanted.snapshot } == found
        };
        assert!(
            is_right(&acknowledged) || allowed.iter().any(is_right),
            "{what}: found {found:#?}, not {acknowledged:#?}"
        );
        segments.write(&[Record::Vote(Vote::new(1000, 1))]).unwrap();
        drop(segments);
        let (again, _) = start(&disk).unwrap_or_else(|error| panic!("{what}, after another write: {error}"));
        assert_eq!((again.contents.entries, again.snapshot), (found.contents.entries, found.snapshot), "{what}");
        assert_eq!(again.contents.vote, Some(Vote::new(1000, 1)), "{what}");
    }
}

/// What is kept at a cut, in so many ways.
fn ways(draw: &mut Draw) -> [Kept; 6] {
    let mut seed = || draw.below(u64::from(u32::MAX));
    [
        Kept::Nothing,
        Kept::All,
        Kept::Beginning(seed()),
        Kept::Beginning(seed()),
        Kept::Sectors(seed()),
        Kept::Sectors(seed()),
    ]
}

#[test]
fn whatever_call_the_power_is_cut_at_what_was_acknowledged_is_there() {
    let seeds = how_many("POWER_SEEDS", 4);
    let (mut calls, mut disks) = (0, 0);
    for seed in 0..seeds {
        let mut workload = Workload::new(seed);
        assert!(matches!(workload.run(), End::Done));
        let mut replay = workload.recording.replay();
        let mut draw = Draw::new(seed);
        for call in 0..=workload.counter.calls() {
            replay.advance_to(call);
            for kept in ways(&mut draw) {
                workload.judge(&replay.cut(kept), call, &format!("seed {seed}, cut at call {call}, kept {kept:?}"));
                disks += 1;
            }
            calls += 1;
        }
    }
    println!("R10: crashed at each of {calls} I/O calls of {seeds} workloads");
    println!(
        "R12: {disks} power cuts of a log and its snapshots, 0 acknowledged records lost, every start without help"
    );
    assert!(disks >= 5000 || seeds < 4, "{disks} power cuts are too few");
}

#[test]
fn a_power_cut_while_a_server_recovers_from_one_changes_nothing() {
    let mut workload = Workload::new(99);
    assert!(matches!(workload.run(), End::Done));
    let mut replay = workload.recording.replay();
    let mut draw = Draw::new(99);
    let folders = [Path::new("/data"), Path::new("/data/log"), Path::new("/data/snapshots")];
    let mut cuts = 0;
    for call in (0..=workload.counter.calls()).step_by(13) {
        replay.advance_to(call);
        let left = replay.cut(Kept::Sectors(draw.below(1 << 40)));
        let counter = Counter::default();
        let recording = Recording::of(&left, &folders, &counter);
        let disk: Arc<dyn Disk> = Arc::new(recording.clone());
        start(&disk).unwrap();
        let mut recovery = recording.replay();
        for step in 0..=counter.calls() {
            recovery.advance_to(step);
            for kept in ways(&mut draw) {
                let what = format!("cut at call {call}, and at call {step} of the recovery, kept {kept:?}");
                workload.judge(&recovery.cut(kept), call, &what);
                cuts += 1;
            }
        }
    }
    assert!(cuts > 500, "{cuts} cuts are too few");
}

#[test]
fn whatever_call_fails_nothing_is_acknowledged_that_is_not_there() {
    let whole = {
        let mut workload = Workload::new(7);
        workload.run();
        workload.counter.calls()
    };
    let mut ended = 0;
    for call in 0..whole {
        for error in [io::ErrorKind::Other, io::ErrorKind::StorageFull] {
            let mut workload = Workload::new(7);
            workload.recording.fail_at(call, error);
            ended += usize::from(matches!(workload.run(), End::Failed));
            let mut replay = workload.recording.replay();
            let calls = workload.counter.calls();
            replay.advance_to(calls);
            for kept in [Kept::Nothing, Kept::All, Kept::Sectors(call as u64)] {
                workload.judge(&replay.cut(kept), calls, &format!("call {call} failed with {error}, kept {kept:?}"));
            }
        }
    }
    println!(
        "R10: each of {whole} I/O calls failed twice, {ended} failures ended the process, 0 acknowledged records lost"
    );
    assert!(ended > whole / 2, "most failures end the process, not {ended} of {}", 2 * whole);
}

#[test]
fn whenever_all_servers_lose_power_at_once_the_cluster_goes_on_with_all_that_it_acknowledged() {
    let cuts = how_many("POWER_CLUSTERS", 60);
    let writes = 150;
    let (recordings, acknowledged, begin, end) = run(21, async {
        let mut cluster = Cluster::of_three_recorded(21).await;
        let begin = cluster.recorded().counter.calls();
        let mut acknowledged = Vec::new();
        for number in 0..writes {
            let text = format!("{number}");
            cluster.write(&text).await;
            acknowledged.push((cluster.recorded().counter.calls(), text));
            if number % 60 == 59 {
                let leader = cluster.leader().await;
                cluster.stop(leader).await;
                cluster.start(leader).await;
            }
        }
        let recorded = cluster.recorded();
        (recorded.disks.clone(), acknowledged, begin, recorded.counter.calls())
    });
    let mut draw = Draw::new(21);
    let mut kept_max = 0;
    for cut in 0..cuts {
        let call = begin + draw.below((end - begin) as u64 + 1) as usize;
        let mut disks = BTreeMap::new();
        for (id, recording) in &recordings {
            let mut replay = recording.replay();
            replay.advance_to(call);
            let way = draw.below(6) as usize;
            disks.insert(*id, replay.cut(ways(&mut draw)[way]));
        }
        let promised = acknowledged.iter().filter(|(calls, _)| *calls <= call).count();
        run(cut, async {
            let cluster =
                Cluster::of_disks(cut, disks).await.unwrap_or_else(|error| panic!("cut at {call}: {error:?}"));
            cluster.write("after").await;
            cluster.settle().await;
            for id in 1..=3 {
                let found = cluster.commands(id);
                let kept = found.len() - 1;
                assert_eq!(found[kept], "after", "cut at {call}, server {id}");
                assert!(kept >= promised, "cut at {call}, server {id}: {kept} of {promised} acknowledged commands");
                let expected: Vec<&String> = acknowledged.iter().map(|(_, text)| text).take(kept).collect();
                assert_eq!(found[..kept].iter().collect::<Vec<_>>(), expected, "cut at {call}, server {id}");
            }
        });
        kept_max = kept_max.max(promised);
    }
    println!(
        "R12: {cuts} times all three servers lost power at once, 0 of up to {kept_max} acknowledged commands lost"
    );
}
