//! The folder of a server that does not run: what it holds, and a new one that goes on from a state.
//!
//! A new folder is a snapshot whose only member is its server, an empty log behind it, and a vote in the state's last
//! term, so that the first election is in a later one. All calls block.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use model::{ClusterId, Index, ServerId, Term};
use openraft::BasicNode;
use seams::Disk;

use super::config::Sizes;
use super::log::{self, LogConfig, OpenLogError, Record};
use super::machine::Machine;
use super::members::{Member, members_of};
use super::snapshots::Snapshots;
use super::types::{LogId, Membership, Payload, Snapshot, SnapshotMeta, StoredMembership, Vote, log_id};
use super::{StartError, identity};

/// What a stopped server's folder holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The highest term that it has voted in.
    pub vote_term: Term,
    /// The last entry of its log, or of its snapshot if that is all there is.
    pub last_log: Index,
    /// The term of that entry.
    pub last_term: Term,
    /// The last entry that it knew to be committed; later ones may have been, too.
    pub committed: Index,
    /// The last entry that its snapshot holds; 0 if there is none.
    pub snapshot: Index,
    /// All servers, as it last heard of them.
    pub members: Vec<Member>,
}

/// Reads the folder of server `server` and applies all that it holds to an empty `machine`, also what was not known to be
/// committed. What a crash left torn at the log's end is cut off, so a folder that is to stay as it is must be copied
/// first. A damaged log or snapshot is an error.
pub fn inspect(
    disk: Arc<dyn Disk>,
    folder: &Path,
    cluster: ClusterId,
    server: ServerId,
    machine: &mut dyn Machine,
) -> Result<Inspection, StartError> {
    identity::claim(&*disk, folder, cluster, server)?;
    let (contents, _) = log::recover(disk.clone(), log_config(folder, cluster, server))?;
    let snapshots = Snapshots::open(disk, folder.join("snapshots"), cluster).map_err(StartError::Snapshot)?;
    let mut membership = StoredMembership::default();
    let mut last: Option<LogId> = None;
    if let Some(snapshot) = snapshots.load().map_err(StartError::Snapshot)? {
        machine.restore(&snapshot.snapshot).map_err(StartError::Snapshot)?;
        (last, membership) = (snapshot.meta.last_log_id, snapshot.meta.last_membership);
    }
    let index_of = |log_id: Option<LogId>| log_id.map_or(0, |log_id| log_id.index());
    let snapshot = index_of(last);
    if index_of(contents.purged) > snapshot {
        let reason = format!("entries up to {} are in no snapshot", index_of(contents.purged));
        return Err(StartError::Core(reason));
    }
    for (index, entry) in contents.entries.range(snapshot + 1..) {
        if *index != index_of(last) + 1 && last.is_some() {
            return Err(StartError::Core(format!("entry {} is missing", index_of(last) + 1)));
        }
        match &entry.payload {
            Payload::Blank => {}
            Payload::Normal(command) => {
                machine.apply(*index, entry.log_id.committed_leader_id().term, &command.0);
            }
            Payload::Membership(members) => {
                membership = StoredMembership::new(Some(entry.log_id), members.clone());
            }
        }
        last = Some(entry.log_id);
    }
    if last.is_some() {
        machine.advanced(index_of(last));
    }
    Ok(Inspection {
        vote_term: contents.vote.map_or(0, |vote| vote.leader_id.term),
        last_log: index_of(last),
        last_term: last.map_or(0, |last| last.committed_leader_id().term),
        committed: index_of(contents.committed).max(snapshot),
        snapshot,
        members: members_of(&membership),
    })
}

/// A folder to be made.
pub struct NewFolder<'a> {
    /// The cluster.
    pub cluster: ClusterId,
    /// The server, whose id was never used before.
    pub server: ServerId,
    /// Where others reach it.
    pub address: &'a str,
    /// The index at which the state stands.
    pub index: Index,
    /// A term that no leader of the state's past exceeded.
    pub term: Term,
    /// The state, as [`Machine::restore`] takes it.
    pub state: Bytes,
}

/// Makes the empty or missing `folder` that of a server which is a cluster of its own and goes on from a state.
pub fn prepare(disk: Arc<dyn Disk>, folder: &Path, new: &NewFolder<'_>) -> Result<(), StartError> {
    let NewFolder { cluster, server, address, index, term, state } = new;
    disk.create_folder(folder).map_err(StartError::Snapshot)?;
    let last = log_id(*term, *index);
    let members = BTreeMap::from([(*server, BasicNode::new(*address))]);
    let membership = Membership::new(vec![BTreeSet::from([*server])], members)
        .map_err(|error| StartError::Config(error.to_string()))?;
    let meta = SnapshotMeta { last_log_id: Some(last), last_membership: StoredMembership::new(Some(last), membership) };
    let snapshots = Snapshots::open(disk.clone(), folder.join("snapshots"), *cluster).map_err(StartError::Snapshot)?;
    snapshots.save(&Snapshot { meta, snapshot: state.clone() }).map_err(StartError::Snapshot)?;
    let config = log_config(folder, *cluster, *server);
    let log_folder = config.folder.clone();
    let (_, mut segments) = log::recover(disk.clone(), config)?;
    let voted = segments.write(&[Record::Vote(Vote::new(*term, *server))]);
    voted.map_err(|source| OpenLogError::Io { folder: log_folder, source })?;
    // What has an identity is whole.
    Ok(identity::claim(&*disk, folder, *cluster, *server)?)
}

/// Whether `folder` is that of a server which has begun.
pub fn has_begun(disk: &dyn Disk, folder: &Path) -> std::io::Result<bool> {
    identity::is_claimed(disk, folder)
}

fn log_config(folder: &Path, cluster: ClusterId, server: ServerId) -> LogConfig {
    LogConfig { folder: folder.join("log"), segment_bytes: Sizes::default().segment_bytes, cluster, server }
}
