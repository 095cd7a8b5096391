//! What an agent keeps over its own restart: small documents by name.
//!
//! Losing any of them is harmless: containers bear enough labels to be adopted without. So writing never holds up the
//! agent; a writer of its own brings the newest version of each document to the disk.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc;
use tracing::warn;

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
        let mut file = tokio::fs::File::create(&temporary).await?;
        file.write_all(document).await?;
        file.sync_all().await?;
        tokio::fs::rename(&temporary, &path).await
    }

    async fn remove(&self, name: &str) -> io::Result<()> {
        match tokio::fs::remove_file(self.folder.join(name)).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
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

/// Brings writes to `store` until the sender is dropped; of several for one document only the newest is written.
pub(crate) async fn keep_writing(store: Arc<dyn Store>, mut writes: mpsc::UnboundedReceiver<Write>) {
    while let Some((name, document)) = writes.recv().await {
        let mut newest = BTreeMap::from([(name, document)]);
        while let Ok((name, document)) = writes.try_recv() {
            newest.insert(name, document);
        }
        for (name, document) in newest {
            let done = match &document {
                Some(document) => store.save(&name, document).await,
                None => store.remove(&name).await,
            };
            if let Err(error) = done {
                warn!(name, %error, "agent state could not be written; its containers would be adopted by their labels");
            }
        }
    }
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
        keep_writing(Arc::new(store.clone()), writes).await;
        assert_eq!(store.load().await.unwrap(), BTreeMap::from([("a".to_string(), b"3".to_vec())]));
    }
}
