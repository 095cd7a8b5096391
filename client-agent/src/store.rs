//! What an agent keeps over its own restart: small documents by name.
//!
//! Losing any of them is harmless: containers bear enough labels to be adopted without. So writing never holds up the
//! agent; a writer of its own brings the newest version of each document to the disk. Where the disk is full, it tries
//! again until there is room, and meanwhile the agent starts nothing; what runs goes on.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;
use tokio::sync::{mpsc, watch};
use tokio::time::{Duration, timeout};
use tracing::{info, warn};

/// Keeps documents by name, such as `allocations/<id>.json`.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// All documents, by name.
    async fn load(&self) -> io::Result<BTreeMap<String, Vec<u8>>>;
    /// Keeps a document durably, replacing an older one whole.
    async fn save(&self, name: &str, document: &[u8]) -> io::Result<()>;
    /// Forgets a document. One that is not there is no error.
    async fn remove(&self, name: &str) -> io::Result<()>;
}

/// Documents as files of a folder.
pub struct FolderStore {
    folder: PathBuf,
}

impl FolderStore {
    /// Keeps documents in `folder`, which is made if need be.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<FolderStore> {
        let folder = folder.into();
        for part in ["allocations", "jobs", "volumes"] {
            std::fs::create_dir_all(folder.join(part))?;
        }
        Ok(FolderStore { folder })
    }
}

#[async_trait]
impl Store for FolderStore {
    async fn load(&self) -> io::Result<BTreeMap<String, Vec<u8>>> {
        let mut documents = BTreeMap::new();
        for part in ["", "allocations", "jobs", "volumes"] {
            let mut entries = tokio::fs::read_dir(self.folder.join(part)).await?;
            while let Some(entry) = entries.next_entry().await? {
                let name = entry.file_name().to_string_lossy().into_owned();
                // A file that was being written when the agent ended was never renamed to its name.
                if entry.file_type().await?.is_file() && !name.ends_with(".tmp") {
                    let name = if part.is_empty() { name } else { format!("{part}/{name}") };
                    documents.insert(name, tokio::fs::read(entry.path()).await?);
                }
            }
        }
        Ok(documents)
    }

    async fn save(&self, name: &str, document: &[u8]) -> io::Result<()> {
        let path = self.folder.join(name);
        let temporary = self.folder.join(format!("{name}.tmp"));
        let written = write(&temporary, document).await;
        if written.is_err() {
            // What there is of it would take the room that a full disk lacks. A second error says nothing new.
            let _ = tokio::fs::remove_file(&temporary).await;
        }
        written?;
        tokio::fs::rename(&temporary, &path).await
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        match tokio::fs::remove_file(self.folder.join(name)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

async fn write(path: &Path, document: &[u8]) -> io::Result<()> {
    let mut file = tokio::fs::File::create(path).await?;
    file.write_all(document).await?;
    // The write goes on behind `write_all`. Only this tells of its error, `sync_all` swallows it.
    file.flush().await?;
    file.sync_all().await
}

/// Documents in memory: the twin for tests and the simulation. Clones share them.
#[derive(Clone, Default)]
pub struct MemoryStore {
    documents: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl MemoryStore {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Vec<u8>>) -> T) -> T {
        act(&mut self.documents.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn load(&self) -> io::Result<BTreeMap<String, Vec<u8>>> {
        Ok(self.with(|documents| documents.clone()))
    }

    async fn save(&self, name: &str, document: &[u8]) -> io::Result<()> {
        self.with(|documents| documents.insert(name.into(), document.into()));
        Ok(())
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        self.with(|documents| documents.remove(name));
        Ok(())
    }
}

/// A document to be kept, or none for one to be forgotten.
pub(crate) type Write = (String, Option<Vec<u8>>);

/// Pause before documents that could not be written are written again.
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// Brings writes to `store` until the sender is dropped; of several for one document only the newest is written. While
/// some can't be written, `trouble` says why.
pub(crate) async fn keep_writing(
    store: Arc<dyn Store>,
    mut writes: mpsc::UnboundedReceiver<Write>,
    trouble: watch::Sender<Option<String>>,
) {
    let mut newest = BTreeMap::new();
    loop {
        let next = match newest.is_empty() {
            true => writes.recv().await,
            false => match timeout(RETRY_PAUSE, writes.recv()).await {
                Ok(None) => None,
                Ok(write) => write,
                Err(_) => {
                    write_all(&*store, &mut newest, &trouble).await;
                    continue;
                }
            },
        };
        let Some((name, document)) = next else { return };
        newest.insert(name, document);
        while let Ok((name, document)) = writes.try_recv() {
            newest.insert(name, document);
        }
        write_all(&*store, &mut newest, &trouble).await;
    }
}

/// Writes what there is; what can't be written is left.
async fn write_all(
    store: &dyn Store,
    newest: &mut BTreeMap<String, Option<Vec<u8>>>,
    trouble: &watch::Sender<Option<String>>,
) {
    let mut reason = None;
    for (name, document) in std::mem::take(newest) {
        let done = match &document {
            Some(document) => store.save(&name, document).await,
            None => store.remove(&name).await,
        };
        if let Err(error) = done {
            reason = Some(format!("the agent's state can't be written: {error}"));
            newest.insert(name, document);
        }
    }
    trouble.send_if_modified(|known| {
        match (&*known, &reason) {
            (None, Some(reason)) => warn!(reason, "nothing is started until it can; what runs goes on"),
            (Some(_), None) => info!("the agent's state can be written again"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        let changes = *known != reason;
        *known = reason;
        changes
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn documents_come_back_and_half_written_ones_do_not() {
        let folder = std::env::temp_dir().join(format!("sched-store-{}", std::process::id()));
        let store = FolderStore::open(&folder).unwrap();
        store.save("node", b"n").await.unwrap();
        store.save("allocations/a.json", b"1").await.unwrap();
        store.save("allocations/a.json", b"2").await.unwrap();
        store.save("jobs/j.json", b"3").await.unwrap();
        store.remove("jobs/j.json").await.unwrap();
        store.remove("jobs/j.json").await.unwrap();
        std::fs::write(folder.join("allocations/b.json.tmp"), b"half").unwrap();
        let documents = FolderStore::open(&folder).unwrap().load().await.unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
        let expected = [("allocations/a.json", "2"), ("node", "n")];
        let expected = expected.map(|(name, text)| (name.to_string(), text.as_bytes().to_vec()));
        assert_eq!(documents, BTreeMap::from(expected));
    }

    #[tokio::test]
    async fn the_newest_of_several_writes_is_kept() {
        let store = MemoryStore::default();
        let (sender, writes) = mpsc::unbounded_channel();
        for document in ["1", "2", "3"] {
            sender.send(("a".into(), Some(document.into()))).unwrap();
        }
        sender.send(("b".into(), Some("4".into()))).unwrap();
        sender.send(("b".into(), None)).unwrap();
        drop(sender);
        keep_writing(Arc::new(store.clone()), writes, watch::Sender::new(None)).await;
        assert_eq!(store.load().await.unwrap(), BTreeMap::from([("a".to_string(), b"3".to_vec())]));
    }

    #[tokio::test]
    async fn a_write_that_found_no_room_fails() {
        let error = write(Path::new("/dev/full"), b"document").await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    /// A store whose disk is full while the switch is on.
    #[derive(Clone, Default)]
    struct FullStore {
        kept: MemoryStore,
        is_full: Arc<std::sync::atomic::AtomicBool>,
    }

    #[async_trait]
    impl Store for FullStore {
        async fn load(&self) -> io::Result<BTreeMap<String, Vec<u8>>> {
            self.kept.load().await
        }

        async fn save(&self, name: &str, document: &[u8]) -> io::Result<()> {
            match self.is_full.load(std::sync::atomic::Ordering::Relaxed) {
                true => Err(io::ErrorKind::StorageFull.into()),
                false => self.kept.save(name, document).await,
            }
        }

        async fn remove(&self, name: &str) -> io::Result<()> {
            self.kept.remove(name).await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_could_not_be_written_is_written_once_there_is_room_and_until_then_there_is_trouble() {
        let store = FullStore::default();
        store.is_full.store(true, std::sync::atomic::Ordering::Relaxed);
        let (sender, writes) = mpsc::unbounded_channel();
        let trouble = watch::Sender::new(None);
        let mut troubled = trouble.subscribe();
        let writer = tokio::spawn(keep_writing(Arc::new(store.clone()), writes, trouble));
        sender.send(("a".into(), Some("1".into()))).unwrap();
        let reason = troubled.wait_for(Option::is_some).await.unwrap().clone().unwrap();
        assert!(reason.starts_with("the agent's state can't be written"), "{reason}");
        sender.send(("a".into(), Some("2".into()))).unwrap();
        sender.send(("b".into(), Some("3".into()))).unwrap();
        tokio::time::sleep(5 * RETRY_PAUSE).await;
        store.is_full.store(false, std::sync::atomic::Ordering::Relaxed);
        let soon = timeout(2 * RETRY_PAUSE, troubled.wait_for(Option::is_none)).await;
        soon.expect("room is soon noticed").unwrap();
        let expected = [("a".to_string(), b"2".to_vec()), ("b".to_string(), b"3".to_vec())];
        assert_eq!(store.load().await.unwrap(), BTreeMap::from(expected));
        drop(sender);
        writer.await.unwrap();
    }
}
