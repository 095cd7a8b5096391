//! Whose data folder this is: a file that names cluster and server, checked before anything else is read.

use std::io;
use std::path::{Path, PathBuf};

use model::{ClusterId, ServerId};
use seams::Disk;
use thiserror::Error;

const FILE: &str = "identity";

/// The folder can't be this server's.
#[derive(Debug, Error)]
pub enum ClaimFolderError {
    /// It is another's.
    #[error(
        "the data folder {} belongs to {found}, this is {wanted}; give this server a folder of its own",
        folder.display()
    )]
    Taken {
        /// The folder.
        folder: PathBuf,
        /// Whose it is.
        found: String,
        /// Who asked.
        wanted: String,
    },
    /// The disk failed.
    #[error("can't read or write the data folder {}", folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// What the disk said.
        #[source]
        source: io::Error,
    },
}

/// Marks an empty folder as this server's, or checks that it is. Blocks.
pub fn claim(disk: &dyn Disk, folder: &Path, cluster: ClusterId, server: ServerId) -> Result<(), ClaimFolderError> {
    let io = |source| ClaimFolderError::Io { folder: folder.to_path_buf(), source };
    disk.create_folder(folder).map_err(io)?;
    let wanted = format!("server {server} of cluster {cluster}");
    let path = folder.join(FILE);
    if !disk.list(folder).map_err(io)?.contains(&path) {
        return write(disk, folder, &wanted).map_err(io);
    }
    let bytes = disk.open(&path).and_then(|file| file.read_all()).map_err(io)?;
    let found = String::from_utf8_lossy(&bytes).trim().to_string();
    if found == wanted { Ok(()) } else { Err(ClaimFolderError::Taken { folder: folder.to_path_buf(), found, wanted }) }
}

/// Whether somebody has marked the folder. Blocks.
pub fn is_claimed(disk: &dyn Disk, folder: &Path) -> io::Result<bool> {
    disk.create_folder(folder)?;
    Ok(disk.list(folder)?.contains(&folder.join(FILE)))
}

fn write(disk: &dyn Disk, folder: &Path, text: &str) -> io::Result<()> {
    let unfinished = folder.join("identity.unfinished");
    let file = disk.open(&unfinished)?;
    file.set_len(0)?;
    file.write_at(format!("{text}\n").as_bytes(), 0)?;
    file.sync()?;
    disk.rename(&unfinished, &folder.join(FILE))?;
    disk.sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use seams::testing::MemoryDisk;

    use super::*;

    #[test]
    fn a_folder_is_kept_by_its_first_server_and_refused_to_any_other() {
        let (disk, folder) = (MemoryDisk::new(), Path::new("/data"));
        let (ours, theirs) = (ClusterId::derive(&[b"ours"]), ClusterId::derive(&[b"theirs"]));
        claim(&disk, folder, ours, 1).unwrap();
        disk.crash();
        claim(&disk, folder, ours, 1).unwrap();
        let error = claim(&disk, folder, ours, 2).unwrap_err().to_string();
        assert!(error.contains("belongs to server 1 of cluster"), "{error}");
        assert!(claim(&disk, folder, theirs, 1).is_err());
    }
}
