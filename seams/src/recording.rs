//! A disk in memory that remembers every call, and can tell what a power cut at any of them may have left.
//!
//! A [`Recording`] works as [`MemoryDisk`] does. Afterwards its [`Replay`] goes through the calls one by one and makes, at
//! each, disks as the cut may have left them: what was synced is there, and of the rest nothing, all, a beginning, or any
//! sectors in any of their versions. Names follow their folder's journal: of the changes since its last sync any
//! beginning may have been kept. Several recordings may share one [`Counter`], so that all lose power at once.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::testing::MemoryDisk;
use crate::{Disk, DiskFile};

/// Bytes that a disk writes as a whole or not at all.
const SECTOR: usize = 512;

/// Counts the calls of one or several recordings. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Counter {
    calls: Arc<AtomicUsize>,
}

impl Counter {
    /// How many calls were made.
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    fn next(&self) -> usize {
        self.calls.fetch_add(1, Ordering::SeqCst)
    }
}

/// A disk that remembers its calls. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    disk: MemoryDisk,
    counter: Counter,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What was there at the beginning.
    begin: BTreeMap<PathBuf, Vec<u8>>,
    folders: Vec<PathBuf>,
    calls: Vec<(usize, Call)>,
    files: u64,
    fails: Option<(usize, io::ErrorKind)>,
}

/// One call that changes something.
#[derive(Clone, Debug)]
enum Call {
    Open { path: PathBuf, file: u64 },
    Write { file: u64, offset: usize, bytes: Vec<u8> },
    SetLen { file: u64, length: usize },
    Sync { file: u64 },
    FailedSync { file: u64 },
    CreateFolder { path: PathBuf },
    Rename { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    SyncFolder { path: PathBuf },
}

impl Recording {
    /// An empty disk, whose calls `counter` counts.
    pub fn new(counter: &Counter) -> Self {
        Self { counter: counter.clone(), ..Self::default() }
    }

    /// Records what happens to a disk from now on. It has these folders, and everything on it is durable.
    pub fn of(disk: &MemoryDisk, folders: &[&Path], counter: &Counter) -> Self {
        let recording = Self { disk: disk.clone(), counter: counter.clone(), ..Self::default() };
        for folder in folders {
            let paths = disk.list(folder).unwrap_or_default();
            let files = paths.into_iter().filter_map(|path| Some((path.clone(), disk.read(&path)?)));
            let mut inner = recording.inner();
            inner.begin.extend(files);
            inner.folders.push(folder.to_path_buf());
        }
        recording
    }

    /// Makes the call of this number, counted from 0, fail with this error. A sync that fails makes nothing durable, and
    /// no later one does: only what is written again can be synced.
    pub fn fail_at(&self, call: usize, error: io::ErrorKind) {
        self.inner().fails = Some((call, error));
    }

    /// How many calls were made that change something.
    pub fn calls(&self) -> usize {
        self.counter.calls()
    }

    /// Goes through the calls from the first on.
    pub fn replay(&self) -> Replay {
        let inner = self.inner();
        let mut replay = Replay { calls: inner.calls.clone(), folders: inner.folders.clone(), ..Replay::default() };
        for (number, (path, bytes)) in (1..).zip(&inner.begin) {
            // Handles count from 1 upwards.
            let number = u64::MAX - number;
            replay.files.insert(number, File { durable: bytes.clone(), pending: Vec::new() });
            replay.names.insert(path.clone(), number);
            replay.durable.insert(path.clone(), number);
        }
        replay
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of this lock panics")
    }

    fn note(&self, call: Call) -> io::Result<()> {
        let number = self.counter.next();
        let mut inner = self.inner();
        if let Some((_, error)) = inner.fails.take_if(|(call, _)| *call == number) {
            // The system gives up what it could not write, and shows it as if it had been written.
            if let Call::Sync { file } = call {
                inner.calls.push((number, Call::FailedSync { file }));
            }
            return Err(error.into());
        }
        inner.calls.push((number, call));
        Ok(())
    }
}

impl Disk for Recording {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = {
            let mut inner = self.inner();
            inner.files += 1;
            inner.files
        };
        self.note(Call::Open { path: path.to_path_buf(), file: number })?;
        Ok(Box::new(RecordedFile { file: self.disk.open(path)?, number, recording: self.clone() }))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.note(Call::CreateFolder { path: path.to_path_buf() })?;
        self.disk.create_folder(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        self.disk.list(folder)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.note(Call::Rename { from: from.to_path_buf(), to: to.to_path_buf() })?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.note(Call::Remove { path: path.to_path_buf() })?;
        self.disk.remove(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.note(Call::SyncFolder { path: folder.to_path_buf() })?;
        self.disk.sync_folder(folder)
    }
}

struct RecordedFile {
    file: Box<dyn DiskFile>,
    number: u64,
    recording: Recording,
}

impl DiskFile for RecordedFile {
    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_at(buffer, offset)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        self.recording.note(Call::Write { file: self.number, offset: start, bytes: bytes.to_vec() })?;
        self.file.write_at(bytes, offset)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        let bytes = usize::try_from(length).map_err(io::Error::other)?;
        self.recording.note(Call::SetLen { file: self.number, length: bytes })?;
        self.file.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.recording.note(Call::Sync { file: self.number })?;
        self.file.sync()
    }
}

/// What survives a power cut of all that was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Nothing.
    Nothing,
    /// Everything: only the process died.
    All,
    /// Everything but the last call, of which a beginning survives: the process died in it.
    Beginning(u64),
    /// Any sectors, drawn from this number.
    Sectors(u64),
}

/// The calls of a recording, gone through one by one.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    calls: Vec<(usize, Call)>,
    next: usize,
    files: BTreeMap<u64, File>,
    /// Which file each handle was opened for: that of the first handle that its name had.
    opened: BTreeMap<u64, u64>,
    names: BTreeMap<PathBuf, u64>,
    durable: BTreeMap<PathBuf, u64>,
    journal: Vec<Renaming>,
    folders: Vec<PathBuf>,
}

#[derive(Clone, Debug, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone, Debug)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    SetLen(usize),
}

#[derive(Clone, Debug)]
enum Renaming {
    Create(PathBuf, u64),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
}

impl Replay {
    /// Makes all calls before the one of this number.
    pub fn advance_to(&mut self, number: usize) {
        while let Some((_, call)) = self.calls.get(self.next).filter(|(at, _)| *at < number) {
            let call = call.clone();
            self.next += 1;
            self.make(call);
        }
    }

    /// A disk as a power cut at this point may have left it.
    pub fn cut(&self, kept: Kept) -> MemoryDisk {
        let mut draw = Draw::new(kept);
        let disk = MemoryDisk::new();
        for folder in &self.folders {
            disk.create_folder(folder).expect("a disk in memory takes folders");
        }
        let mut names = self.durable.clone();
        let journaled = draw.journaled(self.journal.len());
        for renaming in &self.journal[..journaled] {
            renaming.apply(&mut names);
        }
        let last = self.last_written();
        for (path, number) in names {
            let file = &self.files[&number];
            let is_last = last == Some(number);
            disk.overwrite(&path, file.cut(kept, is_last, &mut draw));
        }
        disk
    }

    fn last_written(&self) -> Option<u64> {
        match self.next.checked_sub(1).and_then(|last| self.calls.get(last)) {
            Some((_, Call::Write { file, .. })) => Some(self.opened(*file)),
            _ => None,
        }
    }

    fn make(&mut self, call: Call) {
        match call {
            Call::Open { path, file } => match self.names.get(&path) {
                Some(known) => {
                    self.opened.insert(file, *known);
                }
                None => {
                    self.files.insert(file, File::default());
                    self.rename(Renaming::Create(path, file));
                }
            },
            Call::Write { file, offset, bytes } => self.change(file, Change::Write { offset, bytes }),
            Call::SetLen { file, length } => self.change(file, Change::SetLen(length)),
            Call::Sync { file } => {
                let number = self.opened(file);
                self.files.entry(number).or_default().sync();
            }
            Call::FailedSync { file } => {
                let number = self.opened(file);
                self.files.entry(number).or_default().pending.clear();
            }
            Call::CreateFolder { path } => self.folders.push(path),
            Call::Rename { from, to } => self.rename(Renaming::Rename(from, to)),
            Call::Remove { path } => self.rename(Renaming::Remove(path)),
            Call::SyncFolder { path } => self.sync_folder(&path),
        }
    }

    /// The file that this handle was opened for.
    fn opened(&self, handle: u64) -> u64 {
        self.opened.get(&handle).copied().unwrap_or(handle)
    }

    fn change(&mut self, handle: u64, change: Change) {
        let number = self.opened(handle);
        self.files.entry(number).or_default().pending.push(change);
    }

    fn rename(&mut self, renaming: Renaming) {
        renaming.apply(&mut self.names);
        self.journal.push(renaming);
    }

    fn sync_folder(&mut self, folder: &Path) {
        for renaming in std::mem::take(&mut self.journal) {
            if renaming.folder() == Some(folder) {
                renaming.apply(&mut self.durable);
            } else {
                self.journal.push(renaming);
            }
        }
    }
}

impl Renaming {
    fn apply(&self, names: &mut BTreeMap<PathBuf, u64>) {
        match self {
            Self::Create(path, number) => {
                names.insert(path.clone(), *number);
            }
            Self::Rename(from, to) => {
                if let Some(number) = names.remove(from) {
                    names.insert(to.clone(), number);
                }
            }
            Self::Remove(path) => {
                names.remove(path);
            }
        }
    }

    fn folder(&self) -> Option<&Path> {
        match self {
            Self::Create(path, _) | Self::Rename(path, _) | Self::Remove(path) => path.parent(),
        }
    }
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::SetLen(length) => bytes.resize(*length, 0),
            Self::Write { offset, bytes: written } => {
                let end = offset + written.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(written);
            }
        }
    }

    /// The pieces of it that fall into one sector each.
    fn sectors(&self) -> Vec<Change> {
        let Self::Write { offset, bytes } = self else { return vec![self.clone()] };
        let mut pieces = Vec::new();
        let (mut at, mut left) = (*offset, bytes.as_slice());
        while !left.is_empty() {
            let (piece, rest) = left.split_at(left.len().min(SECTOR - at % SECTOR));
            pieces.push(Self::Write { offset: at, bytes: piece.to_vec() });
            at += piece.len();
            left = rest;
        }
        pieces
    }
}

impl File {
    fn sync(&mut self) {
        for change in std::mem::take(&mut self.pending) {
            change.apply(&mut self.durable);
        }
    }

    fn cut(&self, kept: Kept, has_last: bool, draw: &mut Draw) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        match kept {
            Kept::Nothing => {}
            Kept::All => self.pending.iter().for_each(|change| change.apply(&mut bytes)),
            Kept::Beginning(_) => {
                let whole = self.pending.len() - usize::from(has_last && !self.pending.is_empty());
                self.pending[..whole].iter().for_each(|change| change.apply(&mut bytes));
                if let Some(Change::Write { offset, bytes: written }) = self.pending.get(whole) {
                    let length = draw.below(written.len() + 1);
                    Change::Write { offset: *offset, bytes: written[..length].to_vec() }.apply(&mut bytes);
                }
            }
            // A later version of a sector replaces an earlier one; any of them may be what was kept.
            Kept::Sectors(_) => {
                let pieces = self.pending.iter().flat_map(Change::sectors);
                pieces.filter(|_| draw.below(2) == 0).for_each(|piece| piece.apply(&mut bytes));
            }
        }
        bytes
    }
}

/// A sequence of numbers that follows from the seed of a cut.
struct Draw {
    kept: Kept,
    state: u64,
}

impl Draw {
    fn new(kept: Kept) -> Self {
        let state = match kept {
            Kept::Nothing | Kept::All => 0,
            Kept::Beginning(seed) | Kept::Sectors(seed) => seed,
        };
        Self { kept, state }
    }

    /// How many changes of names were kept, of so many.
    fn journaled(&mut self, changes: usize) -> usize {
        match self.kept {
            Kept::Nothing => 0,
            Kept::All | Kept::Beginning(_) => changes,
            Kept::Sectors(_) => self.below(changes + 1),
        }
    }

    /// A number below `bound`, by SplitMix64.
    fn below(&mut self, bound: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_keeps_what_was_synced_and_of_the_rest_what_it_is_told_to() {
        let recording = Recording::new(&Counter::default());
        let (folder, path) = (Path::new("/data"), Path::new("/data/a"));
        recording.create_folder(folder).unwrap();
        let file = recording.open(path).unwrap();
        file.write_at(&[1; 4 * SECTOR], 0).unwrap();
        file.sync().unwrap();
        recording.sync_folder(folder).unwrap();
        file.write_at(&[2; 4 * SECTOR], 0).unwrap();

        let mut replay = recording.replay();
        replay.advance_to(recording.calls());
        let left = |kept| replay.cut(kept).read(path).unwrap();
        assert_eq!(left(Kept::Nothing), [1; 4 * SECTOR]);
        assert_eq!(left(Kept::All), [2; 4 * SECTOR]);
        let mut mixed = 0;
        for seed in 0..50 {
            let torn = left(Kept::Beginning(seed));
            let new = torn.iter().take_while(|byte| **byte == 2).count();
            assert!(torn[new..].iter().all(|byte| *byte == 1), "the beginning is new, the rest old");
            let sectors = left(Kept::Sectors(seed));
            for sector in sectors.chunks(SECTOR) {
                assert!(sector.iter().all(|byte| *byte == sector[0]), "a sector is old or new");
            }
            mixed += usize::from(sectors[0] == 1 && sectors[SECTOR] == 2);
        }
        assert!(mixed > 0, "a later sector may be kept and an earlier one not");
    }

    #[test]
    fn names_are_kept_up_to_any_change_since_the_last_sync_of_their_folder() {
        let recording = Recording::new(&Counter::default());
        let folder = Path::new("/data");
        recording.create_folder(folder).unwrap();
        recording.open(&folder.join("a")).unwrap();
        recording.sync_folder(folder).unwrap();
        recording.rename(&folder.join("a"), &folder.join("b")).unwrap();
        recording.remove(&folder.join("b")).unwrap();

        let mut replay = recording.replay();
        replay.advance_to(recording.calls());
        let names = |kept| replay.cut(kept).list(folder).unwrap();
        assert_eq!(names(Kept::Nothing), [folder.join("a")]);
        assert_eq!(names(Kept::All), [] as [PathBuf; 0]);
        let drawn: std::collections::BTreeSet<_> = (0..50).map(|seed| names(Kept::Sectors(seed))).collect();
        assert_eq!(drawn.len(), 3, "{drawn:?}");
    }

    #[test]
    fn a_call_that_is_to_fail_does_and_leaves_nothing() {
        let recording = Recording::new(&Counter::default());
        recording.create_folder(Path::new("/")).unwrap();
        recording.fail_at(2, io::ErrorKind::StorageFull);
        let file = recording.open(Path::new("/a")).unwrap();
        assert_eq!(file.write_at(b"x", 0).unwrap_err().kind(), io::ErrorKind::StorageFull);
        file.write_at(b"y", 0).unwrap();
        assert_eq!(file.read_all().unwrap(), b"y");
        let mut replay = recording.replay();
        replay.advance_to(3);
        assert_eq!(replay.cut(Kept::All).read(Path::new("/a")), Some(Vec::new()));
    }
}
