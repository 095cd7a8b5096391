//! A cluster that has lost its majority for good goes on from the folder of one server that is left.
//!
//! Works on a stopped server's folder, never on a running one's: the caller holds its lock. The server goes on as the only
//! one, under a new id and in a new epoch, so whatever the lost ones still say, when they come back, is meant for
//! somebody else. Everything that the folder holds is taken over, also what was not known to be committed: more than
//! was acknowledged, never less than this server had.

use std::path::Path;
use std::sync::Arc;

use model::Timestamp;
use seams::RealDisk;
use server_core::state::State;
use thiserror::Error;
use tokio::sync::watch;

use crate::authority::{Authority, AuthorityError, NewServer, SERVER_FILE, ServerDescription, ServerDocument};
use crate::backup::{RAFT_FOLDER, going_on, prepare_first};
use crate::machine::StateMachine;
use crate::raft::{Inspection, StartError, inspect};
use proto::identity::{IdentityError, Role, write_private};

/// What a stopped server's folder holds.
pub struct Found {
    /// Where its consensus stands.
    pub inspection: Inspection,
    /// Its state, with every entry of its log.
    pub state: Arc<State>,
}

/// Why a cluster can't go on from here.
#[derive(Debug, Error)]
pub enum RecoverError {
    /// Log or snapshot can't be used.
    #[error(transparent)]
    Folder(#[from] StartError),
    /// The authority can't be read, or can't sign.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// A file can't be written.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// Reads the folder of the server that `document` names, which may be changed by it: give a copy. Blocks.
pub fn look(home: &Path, document: &ServerDocument) -> Result<Found, RecoverError> {
    let (publish, states) = watch::channel(Arc::new(State::default()));
    let mut machine = StateMachine::new(publish, Arc::default(), Arc::default(), None);
    let folder = home.join(RAFT_FOLDER);
    let inspection = inspect(Arc::new(RealDisk), &folder, document.cluster, document.id, &mut machine)?;
    let state = states.borrow().clone();
    Ok(Found { inspection, state })
}

/// Makes `home` the folder of a server that is all of the cluster and goes on from `state`. It is reached where
/// `server` says. Blocks.
pub fn rebuild(
    home: &Path,
    state: &State,
    server: &NewServer,
    authority: &Authority,
    now: Timestamp,
) -> Result<ServerDescription, RecoverError> {
    let (state, ids) = going_on(state, std::slice::from_ref(server), now);
    let description = ServerDescription { id: ids[0], name: server.name.clone(), address: server.address.clone() };
    authority.save(home)?;
    authority.issue(Role::Server(description.id), now)?.save(home)?;
    prepare_first(Arc::new(RealDisk), &home.join(RAFT_FOLDER), &state, &description)?;
    let document = ServerDocument {
        cluster: state.cluster(),
        id: description.id,
        name: server.name.clone(),
        servers: vec![description.clone()],
        restored: true,
    };
    let text = serde_json::to_string_pretty(&document).expect("strings, numbers and lists are JSON");
    // What names the server comes last: a folder without it is nobody's.
    write_private(&home.join(SERVER_FILE), text.as_bytes())?;
    Ok(description)
}
