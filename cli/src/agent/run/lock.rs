//! One process per server's folder: a lock that the system drops with its holder, however that ends.

use std::fs::{File, TryLockError};
use std::path::Path;

use crate::failure::Failure;

const LOCK_FILE: &str = "lock";

/// The folder is this process's for as long as the value lives.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

impl FolderLock {
    /// Takes the folder, which is made if there is none; an error if another process has it.
    pub fn take(folder: &Path) -> Result<Self, Failure> {
        let place = || folder.display().to_string();
        let failed = |error: std::io::Error| Failure::new(format!("cannot lock the folder: {error}")).at(place());
        std::fs::create_dir_all(folder).map_err(failed)?;
        let file = File::create(folder.join(LOCK_FILE)).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Failure::new("a server runs on this folder")
                .at(place())
                .hint("stop it first; `fuser` on the file `lock` in it names the process")),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_holder_at_a_time() {
        let folder = std::env::temp_dir().join(format!("sched-lock-{}", std::process::id()));
        let held = FolderLock::take(&folder).unwrap();
        let refused = FolderLock::take(&folder).unwrap_err().to_string();
        assert!(refused.contains("a server runs on this folder"), "{refused}");
        drop(held);
        FolderLock::take(&folder).unwrap();
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
