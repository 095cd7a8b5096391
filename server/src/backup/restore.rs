//! The folders of a cluster that goes on from a state: from a backup, or from what one server still has.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use model::{Index, ServerId, Timestamp};
use seams::{Disk, Random, RealDisk};
use server_core::state::{DecodeImage, FirstServer, State};
use thiserror::Error;

use crate::authority::{Authority, InitError, Initialized, NewServer, ServerDescription, check_new, lay_out};
use crate::raft::{NewFolder, StartError, prepare};

/// Folder of consensus within a server's.
pub const RAFT_FOLDER: &str = "raft";

/// What was made.
pub struct Restored {
    /// The folders and join tokens, as a new cluster gets them.
    pub made: Initialized,
    /// The epoch in which the cluster goes on.
    pub epoch: u64,
    /// The index at which it goes on.
    pub index: Index,
}

/// Why nothing was restored.
#[derive(Debug, Error)]
pub enum RestoreError {
    /// The state can't be read by this release.
    #[error(transparent)]
    State(#[from] DecodeImage),
    /// The authority is another cluster's.
    #[error("the state is of cluster {state}, the authority's key of cluster {authority}")]
    OtherCluster {
        /// The state's.
        state: model::ClusterId,
        /// The authority's.
        authority: model::ClusterId,
    },
    /// The cluster's folders can't be made.
    #[error(transparent)]
    Init(#[from] InitError),
    /// The first server's log can't be made.
    #[error("the first server's folder can't be made")]
    Folder(#[from] StartError),
}

/// Makes the folders of a cluster of `servers` that goes on from `state`, in the empty or missing `folder`. The first
/// server begins with the state, the others join it. Blocks.
pub fn restore(
    folder: &Path,
    servers: &[NewServer],
    state: &State,
    authority: &Authority,
    random: &impl Random,
    now: Timestamp,
) -> Result<Restored, RestoreError> {
    if state.cluster() != authority.cluster() {
        return Err(RestoreError::OtherCluster { state: state.cluster(), authority: authority.cluster() });
    }
    check_new(folder, servers)?;
    let (state, ids) = going_on(state, servers, now);
    let described: Vec<ServerDescription> = ids
        .iter()
        .zip(servers)
        .map(|(id, server)| ServerDescription { id: *id, name: server.name.clone(), address: server.address.clone() })
        .collect();
    prepare_first(Arc::new(RealDisk), &folder.join("server-1").join(RAFT_FOLDER), &state, &described[0])?;
    let made = lay_out(folder, authority, &described, true, random, now)?;
    Ok(Restored { made, epoch: state.epoch(), index: state.index() })
}

/// The state as it goes on with these servers, and their ids.
pub fn going_on(state: &State, servers: &[NewServer], now: Timestamp) -> (State, Vec<ServerId>) {
    let first = servers.iter().map(|server| FirstServer { name: server.name.clone(), address: server.address.clone() });
    let state = state.restored(&first.collect::<Vec<_>>(), now);
    let ids = state.first_servers();
    (state, ids)
}

/// Makes the folder of consensus from which the first server goes on.
pub fn prepare_first(
    disk: Arc<dyn Disk>,
    folder: &Path,
    state: &State,
    server: &ServerDescription,
) -> Result<(), StartError> {
    let new = NewFolder {
        cluster: state.cluster(),
        server: server.id,
        address: &server.address,
        index: state.index(),
        // A state that no entry of a leader's has reached yet is of no term.
        term: state.term().max(1),
        state: Bytes::from(state.encode()),
    };
    prepare(disk, folder, &new)
}

#[cfg(test)]
mod tests {
    use model::ClusterId;
    use seams::testing::MemoryDisk;
    use server_core::apply::apply;
    use server_core::command::{Command, Entry};
    use tokio::sync::watch;

    use super::*;
    use crate::machine::StateMachine;
    use crate::raft::{Machine as _, Role, inspect};

    fn state() -> State {
        let mut state = State::default();
        let commands = [
            Command::InitializeCluster { cluster: ClusterId::derive(&[b"c"]) },
            Command::AllocateServer { name: "a".into(), address: "a:1".into(), http_address: String::new() },
        ];
        for (index, command) in (1..).zip(commands) {
            let entry = Entry { at: Timestamp::from_seconds(1), request: None, caller: String::new(), command };
            apply(&mut state, index, 4, &entry);
        }
        state
    }

    #[test]
    fn a_prepared_folder_holds_the_state_and_one_voter_with_a_new_id() {
        let before = state();
        let server = NewServer { name: "x".into(), address: "x:1".into() };
        let (going_on, ids) = going_on(&before, std::slice::from_ref(&server), Timestamp::from_seconds(2));
        assert_eq!(ids, [2]);
        let disk = Arc::new(MemoryDisk::new());
        let folder = Path::new("/raft");
        let description = ServerDescription { id: 2, name: server.name, address: server.address };
        prepare_first(disk.clone(), folder, &going_on, &description).unwrap();
        disk.crash();

        let (publish, states) = watch::channel(Arc::new(State::default()));
        let mut machine = StateMachine::new(publish, Arc::default(), Arc::default(), None);
        let found = inspect(disk.clone(), folder, before.cluster(), 2, &mut machine).unwrap();
        assert_eq!((found.last_log, found.last_term, found.vote_term), (going_on.index(), 4, 4));
        assert_eq!(found.members.len(), 1);
        assert_eq!((found.members[0].id, found.members[0].role), (2, Role::Voter));
        assert_eq!(states.borrow().contents_hash(), before.contents_hash());
        machine.advanced(found.last_log);
        let other = inspect(disk, folder, before.cluster(), 1, &mut machine).unwrap_err().to_string();
        assert!(other.contains("belongs to server 2"), "{other}");
    }
}
