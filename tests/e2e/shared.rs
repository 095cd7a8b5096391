//! The cluster that most tests share, because starting one is what costs. One test has it at a time; each finds it as
//! if it were new: all processes up, all nodes eligible, no job, no container.

use std::ops::{Deref, DerefMut};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::cluster::Cluster;
use crate::machine;

static SHARED: Mutex<Option<Cluster>> = Mutex::new(None);

/// The cluster, and the machine, for one test.
#[derive(Debug)]
pub struct Shared {
    cluster: MutexGuard<'static, Option<Cluster>>,
    _machine: MutexGuard<'static, ()>,
}

/// Waits for its turn, then gives the cluster in its first state.
#[track_caller]
pub fn cluster() -> Shared {
    let machine = machine::alone();
    let mut cluster = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    match cluster.take() {
        // A cluster that cannot be brought back is dropped here, so that its fault fails one test and not all.
        Some(mut used) => {
            used.reset();
            *cluster = Some(used);
        }
        None => *cluster = Some(Cluster::start("shared")),
    }
    Shared { cluster, _machine: machine }
}

impl Deref for Shared {
    type Target = Cluster;

    fn deref(&self) -> &Cluster {
        self.cluster.as_ref().expect("`cluster` has put one there")
    }
}

impl DerefMut for Shared {
    fn deref_mut(&mut self) -> &mut Cluster {
        self.cluster.as_mut().expect("`cluster` has put one there")
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.show_logs();
            return;
        }
        let found = self.findings();
        assert_eq!(found.violations, [], "what the auditor found, in {} looks", found.looks);
    }
}
