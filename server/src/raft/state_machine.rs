//! The machine as openraft wants it: applies entries in order, answers proposers, takes and installs snapshots.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::{Stream, StreamExt};
use model::{Index, ServerId};
use openraft::storage::{EntryResponder, RaftStateMachine};
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder};
use seams::Blocking;
use tokio::sync::watch;
use tokio::time::{Duration, sleep};
use tokio_util::sync::CancellationToken;

use super::log::is_full;
use super::machine::{FrozenState, Machine};
use super::members::voters_of;
use super::snapshots::Snapshots;
use super::types::{Answer, LogId, Snapshot, SnapshotMeta, StoredMembership, TypeConfig};

/// Most entries between two calls of [`Machine::advanced`], so that in a long replay the first proposers and readers
/// don't wait for the last.
const ADVANCE_AFTER_MAX: usize = 256;

/// Pause before a snapshot that found no room is written again.
const ROOM_PAUSE: Duration = Duration::from_secs(3);

/// The machine, what it has applied, and its snapshots.
pub struct StateMachine {
    // Only ever reached through `&mut self`; the lock exists because openraft asks for `Sync` and a machine need not be.
    machine: Mutex<Box<dyn Machine>>,
    last: Option<LogId>,
    membership: StoredMembership,
    snapshots: Snapshots,
    blocking: Blocking,
    told: Told,
    stops: CancellationToken,
}

/// Where others see how far the machine is.
#[derive(Default)]
pub struct Told {
    /// The last entry that is applied.
    pub applied: watch::Sender<Index>,
    /// Who votes, as far as is committed.
    pub voters: watch::Sender<BTreeSet<ServerId>>,
}

impl StateMachine {
    /// The machine as the newest snapshot leaves it. Blocks. What waits for room on a full disk ends with `stops`.
    pub fn restore(
        mut machine: Box<dyn Machine>,
        snapshots: Snapshots,
        blocking: Blocking,
        told: Told,
        stops: CancellationToken,
    ) -> io::Result<Self> {
        let mut meta = SnapshotMeta::default();
        if let Some(snapshot) = snapshots.load()? {
            machine.restore(&snapshot.snapshot)?;
            meta = snapshot.meta;
        }
        if let Some(last) = meta.last_log_id {
            machine.advanced(last.index());
            told.applied.send_replace(last.index());
            told.voters.send_replace(voters_of(&meta.last_membership));
        }
        let SnapshotMeta { last_log_id: last, last_membership: membership } = meta;
        Ok(Self { machine: Mutex::new(machine), last, membership, snapshots, blocking, told, stops })
    }

    /// The last entry that is applied.
    pub fn last(&self) -> Option<LogId> {
        self.last
    }

    fn keeper(&self) -> Keeper {
        Keeper { snapshots: self.snapshots.clone(), blocking: self.blocking, stops: self.stops.clone() }
    }

    fn machine(&mut self) -> &mut dyn Machine {
        self.machine.get_mut().unwrap_or_else(PoisonError::into_inner).as_mut()
    }

    fn publish(&mut self) {
        if let Some(last) = self.last {
            self.machine().advanced(last.index());
            self.told.applied.send_replace(last.index());
        }
    }

    fn change_membership(&mut self, membership: StoredMembership) {
        self.told.voters.send_replace(voters_of(&membership));
        self.membership = membership;
    }
}

impl RaftStateMachine<TypeConfig> for StateMachine {
    type SnapshotData = Bytes;
    type SnapshotBuilder = Builder;

    async fn applied_state(&mut self) -> io::Result<(Option<LogId>, StoredMembership)> {
        Ok((self.last, self.membership.clone()))
    }

    async fn apply<S>(&mut self, mut entries: S) -> io::Result<()>
    where
        S: Stream<Item = io::Result<EntryResponder<TypeConfig>>> + Unpin + OptionalSend,
    {
        let mut answers = Vec::new();
        let mut unpublished = 0;
        while let Some(next) = entries.next().await {
            let (entry, responder) = next?;
            self.last = Some(entry.log_id);
            let answer = match entry.payload {
                EntryPayload::Blank => Bytes::new(),
                EntryPayload::Normal(command) => {
                    let (index, term) = (entry.log_id.index(), entry.log_id.committed_leader_id().term);
                    self.machine().apply(index, term, &command.0)
                }
                EntryPayload::Membership(membership) => {
                    self.change_membership(StoredMembership::new(Some(entry.log_id), membership));
                    Bytes::new()
                }
            };
            answers.extend(responder.map(|responder| (responder, answer)));
            unpublished += 1;
            if unpublished == ADVANCE_AFTER_MAX {
                self.publish();
                answers.drain(..).for_each(|(responder, answer)| responder.send(Answer(answer)));
                unpublished = 0;
            }
        }
        self.publish();
        answers.into_iter().for_each(|(responder, answer)| responder.send(Answer(answer)));
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Builder {
        let meta = SnapshotMeta { last_log_id: self.last, last_membership: self.membership.clone() };
        let state = Mutex::new(Some(self.machine().freeze()));
        Builder { meta, state, keeper: self.keeper() }
    }

    async fn install_snapshot(&mut self, meta: &SnapshotMeta, data: Bytes) -> io::Result<()> {
        let snapshot = Snapshot { meta: meta.clone(), snapshot: data };
        // The file comes first: a server that dies in between restores from it.
        let snapshot = self.keeper().save(snapshot).await?;
        self.machine().restore(&snapshot.snapshot)?;
        self.last = meta.last_log_id;
        self.change_membership(meta.last_membership.clone());
        self.publish();
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> io::Result<Option<Snapshot>> {
        let snapshots = self.snapshots.clone();
        self.blocking.run(move || snapshots.load()).await?
    }
}

/// Encodes and writes a frozen state while the machine goes on.
pub struct Builder {
    meta: SnapshotMeta,
    state: Mutex<Option<Box<dyn FrozenState>>>,
    keeper: Keeper,
}

impl RaftSnapshotBuilder<TypeConfig> for Builder {
    type SnapshotData = Bytes;

    async fn build_snapshot(&mut self) -> io::Result<Snapshot> {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let state = state.ok_or_else(|| io::Error::other("a builder builds one snapshot"))?;
        let meta = self.meta.clone();
        let encode = move || Snapshot { meta, snapshot: Bytes::from(state.encode()) };
        let snapshot = self.keeper.blocking.run(encode).await?;
        self.keeper.save(snapshot).await
    }
}

/// Writes snapshots; on a full disk it waits for room, since nothing is lost that way: the log holds everything.
struct Keeper {
    snapshots: Snapshots,
    blocking: Blocking,
    stops: CancellationToken,
}

impl Keeper {
    async fn save(&self, mut snapshot: Snapshot) -> io::Result<Snapshot> {
        loop {
            let snapshots = self.snapshots.clone();
            let write = move || (snapshots.save(&snapshot), snapshot);
            let (saved, back) = self.blocking.run(write).await?;
            match saved {
                Ok(()) => return Ok(back),
                Err(error) if is_full(&error) => tracing::warn!(%error, "the disk is full: no room for a snapshot"),
                Err(error) => return Err(error),
            }
            snapshot = back;
            tokio::select! {
                biased;
                () = self.stops.cancelled() => return Err(io::ErrorKind::StorageFull.into()),
                () = sleep(ROOM_PAUSE) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use futures::stream;
    use model::ClusterId;
    use seams::testing::MemoryDisk;

    use super::*;
    use crate::raft::types::{Entry, log_id};

    /// Remembers what was published.
    struct Published(Arc<Mutex<Vec<Index>>>);

    impl Machine for Published {
        fn apply(&mut self, _: Index, _: u64, _: &[u8]) -> Bytes {
            Bytes::new()
        }

        fn advanced(&mut self, index: Index) {
            self.0.lock().unwrap().push(index);
        }

        fn freeze(&self) -> Box<dyn FrozenState> {
            unreachable!("nobody takes a snapshot")
        }

        fn restore(&mut self, _: &[u8]) -> io::Result<()> {
            unreachable!("there is no snapshot")
        }
    }

    #[tokio::test]
    async fn in_a_long_replay_progress_is_published_after_as_many_entries_as_the_limit() {
        let published = Arc::new(Mutex::new(Vec::new()));
        let disk = Arc::new(MemoryDisk::new());
        let snapshots = Snapshots::open(disk, PathBuf::from("/snapshots"), ClusterId::derive(&[b"test"])).unwrap();
        let machine = Box::new(Published(published.clone()));
        let told = Told::default();
        let mut machine =
            StateMachine::restore(machine, snapshots, Blocking::Inline, told, CancellationToken::new()).unwrap();
        let most = ADVANCE_AFTER_MAX as Index;
        for (entries, wanted) in [(1..most, vec![most - 1]), (most..2 * most + 1, vec![2 * most - 1, 2 * most])] {
            let entry = |index| Ok((Entry { log_id: log_id(1, index), payload: EntryPayload::Blank }, None));
            machine.apply(stream::iter(entries.map(entry))).await.unwrap();
            assert_eq!(std::mem::take(&mut *published.lock().unwrap()), wanted);
        }
    }
}
