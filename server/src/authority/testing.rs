//! What the tests of this room share.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use model::{ClusterId, Timestamp};
use seams::{Clock, SystemClock};

use super::Authority;

/// A folder that is removed with the value. It does not exist at first.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sched-authority-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Certificates are verified against the real clock, so they have to be made by it.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

pub(super) fn authority() -> Authority {
    Authority::create(ClusterId::derive(&[b"c"]), now()).unwrap()
}
