//! The disk's twin, held in memory, for tests and the simulation.
//!
//! It keeps two views of every file: what was written, and what a crash leaves. [`MemoryDisk::crash`] throws the first
//! away, as a power cut does; [`MemoryDisk::tear`] lets some of it come through first. The names of files follow the
//! same rule: a new, renamed or removed file is durable only after its folder was synced.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use crate::{Disk, DiskFile};

/// A disk writes so much at once or not at all.
pub const SECTOR_BYTES: usize = 512;

/// A disk in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    tree: Arc<Mutex<Tree>>,
}

#[derive(Debug, Default)]
struct Tree {
    contents: BTreeMap<u64, Contents>,
    next: u64,
    names: BTreeMap<PathBuf, u64>,
    durable_names: BTreeMap<PathBuf, u64>,
    folders: BTreeSet<PathBuf>,
    syncs: u64,
    fault: Option<Fault>,
}

#[derive(Clone, Debug, Default)]
struct Contents {
    pending: Vec<u8>,
    durable: Vec<u8>,
    /// The bytes that may differ between the two.
    dirty: Range<usize>,
}

impl Contents {
    fn same(bytes: Vec<u8>) -> Self {
        Self { pending: bytes.clone(), durable: bytes, dirty: 0..0 }
    }

    fn touch(&mut self, range: Range<usize>) {
        self.dirty = if self.dirty.is_empty() {
            range
        } else {
            self.dirty.start.min(range.start)..self.dirty.end.max(range.end)
        };
    }

    /// Has a piece of what was not synced come through, for each sector that `survives`.
    fn tear(&mut self, survives: &mut dyn FnMut() -> bool) {
        if self.dirty.is_empty() {
            return;
        }
        self.durable.resize(self.pending.len(), 0);
        let end = self.dirty.end.min(self.pending.len());
        let mut at = self.dirty.start.min(end);
        while at < end {
            let next = ((at / SECTOR_BYTES + 1) * SECTOR_BYTES).min(end);
            if survives() {
                self.durable[at..next].copy_from_slice(&self.pending[at..next]);
            }
            at = next;
        }
    }

    fn sync(&mut self) {
        self.durable.resize(self.pending.len(), 0);
        let dirty = self.dirty.start.min(self.pending.len())..self.dirty.end.min(self.pending.len());
        self.durable[dirty.clone()].copy_from_slice(&self.pending[dirty]);
        self.dirty = 0..0;
    }
}

/// What goes wrong with a disk, from now until [`MemoryDisk::heal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every sync fails, and what it should have made durable is not.
    Sync,
    /// There is no space: a write fails that would make its file longer.
    Full,
    /// Every write fails.
    Write,
    /// Every read fails.
    Read,
}

impl MemoryDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Drops everything that was not synced. Files that are still open belong to the world before the crash: what is
    /// written through them later is lost.
    pub fn crash(&self) {
        let mut tree = self.tree();
        let names = tree.durable_names.clone();
        let mut contents = BTreeMap::new();
        let mut renumbered = BTreeMap::new();
        for (path, number) in names {
            let durable = tree.contents.get(&number).map(|file| file.durable.clone()).unwrap_or_default();
            let fresh = tree.next;
            tree.next += 1;
            contents.insert(fresh, Contents::same(durable));
            renumbered.insert(path, fresh);
        }
        tree.contents = contents;
        tree.names = renumbered.clone();
        tree.durable_names = renumbered;
        tree.fault = None;
    }

    /// Lets each sector that was written but not synced come through or not, in any order, as a disk does that loses its
    /// power while it writes. What the disk holds afterwards is what a [`MemoryDisk::crash`] leaves.
    pub fn tear(&self, mut survives: impl FnMut() -> bool) {
        self.tree().contents.values_mut().for_each(|file| file.tear(&mut survives));
    }

    /// All files, by path.
    pub fn files(&self) -> Vec<PathBuf> {
        self.tree().names.keys().cloned().collect()
    }

    /// From now on the disk fails in this way.
    pub fn fail(&self, fault: Fault) {
        self.tree().fault = Some(fault);
    }

    /// How the disk fails now, if it does.
    pub fn fault(&self) -> Option<Fault> {
        self.tree().fault
    }

    /// The disk works again.
    pub fn heal(&self) {
        self.tree().fault = None;
    }

    /// How many syncs of files have succeeded.
    pub fn syncs(&self) -> u64 {
        self.tree().syncs
    }

    /// The bytes of a file as a reader sees them, if it exists.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let tree = self.tree();
        tree.names.get(path).and_then(|number| tree.contents.get(number)).map(|file| file.pending.clone())
    }

    /// Replaces a file's bytes, durably: the hand of fate that flips bits and tears writes.
    pub fn overwrite(&self, path: &Path, bytes: Vec<u8>) {
        let mut tree = self.tree();
        let number = tree.create(path);
        tree.durable_names.insert(path.to_path_buf(), number);
        tree.contents.insert(number, Contents::same(bytes));
    }

    /// An independent copy of the disk as it is.
    pub fn copy(&self) -> Self {
        let tree = self.tree();
        Self {
            tree: Arc::new(Mutex::new(Tree {
                contents: tree.contents.clone(),
                next: tree.next,
                names: tree.names.clone(),
                durable_names: tree.durable_names.clone(),
                folders: tree.folders.clone(),
                syncs: 0,
                fault: None,
            })),
        }
    }

    fn tree(&self) -> MutexGuard<'_, Tree> {
        self.tree.lock().expect("no holder of this lock panics")
    }
}

impl Tree {
    fn create(&mut self, path: &Path) -> u64 {
        if let Some(number) = self.names.get(path) {
            return *number;
        }
        let number = self.next;
        self.next += 1;
        self.names.insert(path.to_path_buf(), number);
        self.contents.insert(number, Contents::default());
        number
    }

    fn refuse(&self, fault: Fault) -> io::Result<()> {
        match (self.fault == Some(fault), fault) {
            (false, _) => Ok(()),
            (true, Fault::Sync) => Err(io::Error::other("the disk failed to sync")),
            (true, Fault::Full) => Err(io::Error::from(io::ErrorKind::StorageFull)),
            (true, Fault::Write | Fault::Read) => Err(io::Error::other("the disk failed")),
        }
    }
}

impl Disk for MemoryDisk {
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let number = self.tree().create(path);
        Ok(Box::new(MemoryFile { disk: self.clone(), number }))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut tree = self.tree();
        for folder in path.ancestors() {
            tree.folders.insert(folder.to_path_buf());
        }
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let tree = self.tree();
        if !tree.folders.contains(folder) {
            return Err(io::Error::from(io::ErrorKind::NotFound));
        }
        Ok(tree.names.keys().filter(|path| path.parent() == Some(folder)).cloned().collect())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut tree = self.tree();
        let number = tree.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        tree.names.insert(to.to_path_buf(), number);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.tree().names.remove(path).map(|_| ()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut tree = self.tree();
        tree.refuse(Fault::Sync)?;
        tree.durable_names.retain(|path, _| path.parent() != Some(folder));
        let here: Vec<_> = tree.names.iter().filter(|(path, _)| path.parent() == Some(folder)).collect();
        let here: Vec<_> = here.into_iter().map(|(path, number)| (path.clone(), *number)).collect();
        tree.durable_names.extend(here);
        let named: BTreeSet<u64> = tree.names.values().chain(tree.durable_names.values()).copied().collect();
        tree.contents.retain(|number, _| named.contains(number));
        Ok(())
    }
}

struct MemoryFile {
    disk: MemoryDisk,
    number: u64,
}

impl MemoryFile {
    fn with<T>(&self, act: impl FnOnce(&mut Contents) -> io::Result<T>) -> io::Result<T> {
        let mut tree = self.disk.tree();
        // A file that was removed, or that belongs to the world before a crash, takes writes and keeps nothing.
        match tree.contents.get_mut(&self.number) {
            Some(contents) => act(contents),
            None => act(&mut Contents::default()),
        }
    }
}

impl DiskFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        self.with(|file| Ok(file.pending.len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.disk.tree().refuse(Fault::Read)?;
        self.with(|file| {
            let start = usize::try_from(offset).map_err(io::Error::other)?;
            let bytes = file.pending.get(start..start + buffer.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
            buffer.copy_from_slice(bytes);
            Ok(())
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let end = start + bytes.len();
        self.disk.tree().refuse(Fault::Write)?;
        if end as u64 > self.len()? {
            self.disk.tree().refuse(Fault::Full)?;
        }
        self.with(|file| {
            if file.pending.len() < end {
                file.pending.resize(end, 0);
            }
            file.pending[start..end].copy_from_slice(bytes);
            file.touch(start..end);
            Ok(())
        })
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        if length > self.len()? {
            self.disk.tree().refuse(Fault::Full)?;
        }
        self.with(|file| {
            let length = usize::try_from(length).map_err(io::Error::other)?;
            let touched = length.min(file.pending.len())..length.max(file.pending.len());
            file.pending.resize(length, 0);
            file.touch(touched);
            Ok(())
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.disk.tree().refuse(Fault::Sync)?;
        self.with(|file| {
            file.sync();
            Ok(())
        })?;
        self.disk.tree().syncs += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_drops_what_was_not_synced_and_names_that_their_folder_does_not_know() {
        let disk = MemoryDisk::new();
        let folder = Path::new("/data");
        disk.create_folder(folder).unwrap();
        let known = disk.open(&folder.join("known")).unwrap();
        known.write_at(b"kept", 0).unwrap();
        known.sync().unwrap();
        disk.sync_folder(folder).unwrap();
        known.write_at(b"lost", 4).unwrap();
        disk.open(&folder.join("unknown")).unwrap().sync().unwrap();

        disk.crash();

        assert_eq!(disk.read(&folder.join("known")), Some(b"kept".to_vec()));
        assert_eq!(disk.read(&folder.join("unknown")), None);
        known.write_at(b"from before", 0).unwrap();
        assert_eq!(disk.read(&folder.join("known")), Some(b"kept".to_vec()));
    }

    #[test]
    fn of_what_was_not_synced_whole_sectors_come_through_or_do_not() {
        let disk = MemoryDisk::new();
        disk.create_folder(Path::new("/")).unwrap();
        let file = disk.open(Path::new("/a")).unwrap();
        file.write_at(&[1; SECTOR_BYTES], 0).unwrap();
        file.sync().unwrap();
        disk.sync_folder(Path::new("/")).unwrap();
        file.write_at(&[2; 3 * SECTOR_BYTES], 0).unwrap();
        let mut sectors = 0;
        disk.tear(|| {
            sectors += 1;
            sectors != 2
        });
        disk.crash();
        let bytes = disk.read(Path::new("/a")).unwrap();
        let firsts: Vec<u8> = bytes.chunks(SECTOR_BYTES).map(|sector| sector[0]).collect();
        assert_eq!(firsts, [2, 0, 2]);
    }

    #[test]
    fn reads_and_writes_fail_until_the_disk_is_healed() {
        let disk = MemoryDisk::new();
        let file = disk.open(Path::new("/a")).unwrap();
        file.write_at(b"x", 0).unwrap();
        disk.fail(Fault::Read);
        assert!(file.read_all().is_err());
        disk.fail(Fault::Write);
        assert!(file.write_at(b"y", 0).is_err());
        disk.heal();
        assert_eq!(file.read_all().unwrap(), b"x");
    }

    #[test]
    fn a_failing_sync_makes_nothing_durable() {
        let disk = MemoryDisk::new();
        disk.create_folder(Path::new("/")).unwrap();
        let file = disk.open(Path::new("/a")).unwrap();
        disk.sync_folder(Path::new("/")).unwrap();
        file.write_at(b"x", 0).unwrap();
        disk.fail(Fault::Sync);
        assert!(file.sync().is_err());
        disk.crash();
        assert_eq!(disk.read(Path::new("/a")), Some(Vec::new()));
    }
}
