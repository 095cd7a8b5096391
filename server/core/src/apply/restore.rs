//! Taking a running cluster back to a backup of its own: what was since is gone, the servers stay.
//!
//! The backup comes in parts, because an entry of the log is small; the last part replaces the state. Indexes go on from
//! where they are, so none is used twice, and the epoch rises, so agents tell what they are told now from what they were
//! told before.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::NodeId;

use super::{Accepted, AtWork, Rejection};
use crate::limits::RESTORE_PART_BYTES_MAX;
use crate::state::{Change, NodeChange, Restoring, State, TableIndexes};

pub(super) fn restore(
    state: &mut State,
    work: &AtWork,
    part: u32,
    parts: u32,
    hash: [u8; 32],
    bytes: &[u8],
) -> Result<Accepted, Rejection> {
    if bytes.len() > RESTORE_PART_BYTES_MAX {
        let reason = format!("a part has {} bytes, at most {RESTORE_PART_BYTES_MAX} are allowed", bytes.len());
        return Err(Rejection::BadBackup { reason });
    }
    let before = state.restoring.take().filter(|known| part > 1 && known.hash == hash);
    let mut restoring = before.map(Arc::unwrap_or_clone).unwrap_or(Restoring { hash, parts: 0, bytes: Vec::new() });
    let wanted = restoring.parts + 1;
    if part != wanted || part > parts {
        return Err(Rejection::WrongPart { part, wanted });
    }
    restoring.parts = part;
    restoring.bytes.extend_from_slice(bytes);
    if part < parts {
        state.restoring = Some(Arc::new(restoring));
        return Ok(Accepted::default());
    }
    if *blake3::hash(&restoring.bytes).as_bytes() != hash {
        return Err(Rejection::BadBackup { reason: "its parts are not those that were announced".into() });
    }
    let backup = State::decode(&restoring.bytes).map_err(|error| Rejection::BadBackup { reason: error.to_string() })?;
    if backup.cluster != state.cluster {
        return Err(Rejection::BadBackup { reason: format!("it is of cluster {}", backup.cluster) });
    }
    *state = taken_back(state, backup, work);
    Ok(Accepted::default())
}

/// `backup` as it goes on in the place of `state`.
fn taken_back(state: &State, backup: State, work: &AtWork) -> State {
    let index = state.index;
    let nodes: BTreeSet<NodeId> = state.nodes.iter().chain(backup.nodes.iter()).map(|(id, _)| *id).collect();
    let mut removed = state.removed_servers.clone();
    for (id, ()) in backup.removed_servers.iter() {
        removed.insert(*id, ());
    }
    let mut next = State {
        index,
        // What this log's leaders decide goes on in their terms, however far those of another log had come.
        term: state.term,
        time: state.time.max(backup.time),
        cluster_version: state.cluster_version.max(backup.cluster_version),
        epoch: state.epoch.max(backup.epoch) + 1,
        restored_at: work.at,
        last_server_id: state.last_server_id.max(backup.last_server_id),
        servers: state.servers.clone(),
        removed_servers: removed,
        join_tokens: state.join_tokens.clone(),
        restoring: None,
        // Whoever waits for news of any table has some.
        indexes: TableIndexes {
            jobs: index,
            nodes: index,
            allocations: index,
            evaluations: index,
            deployments: index,
            services: index,
            servers: index,
            volumes: index,
        },
        ..backup
    };
    let services: Vec<_> = next.services.iter().map(|(key, row)| (key.clone(), row.clone())).collect();
    for (key, mut row) in services {
        Arc::make_mut(&mut row).modify_index = index;
        next.services.insert(key, row);
    }
    next.await_nodes();
    next.changes = nodes.into_iter().map(|id| Change::Node { id, kind: NodeChange::Registered }).collect();
    next
}

#[cfg(test)]
mod tests {
    use model::testing::node;
    use model::{ClusterId, Timestamp};

    use super::*;
    use crate::apply::{Answer, apply};
    use crate::command::{Command, Entry};

    fn offer(state: &mut State, command: Command) -> Result<(), Rejection> {
        let index = state.index + 1;
        let entry = Entry { at: Timestamp::from_seconds(7), request: None, caller: String::new(), command };
        match apply(state, index, 2, &entry).answer {
            Answer::Accepted(_) => Ok(()),
            Answer::Rejected(rejection) => Err(rejection),
        }
    }

    fn cluster(name: &[u8], nodes: &[&str]) -> State {
        let mut state = State::default();
        offer(&mut state, Command::InitializeCluster { cluster: ClusterId::derive(&[name]) }).unwrap();
        for name in nodes {
            offer(&mut state, Command::RegisterNode { node: Arc::new(node(name)), session: None }).unwrap();
        }
        state
    }

    fn part(bytes: &[u8], part: u32, cut: usize) -> Command {
        let (from, to) = if part == 1 { (0, cut) } else { (cut, bytes.len()) };
        let hash = *blake3::hash(bytes).as_bytes();
        Command::RestoreState { part, parts: 2, hash, bytes: bytes[from..to].to_vec() }
    }

    #[test]
    fn the_last_part_takes_the_state_back_and_index_and_epoch_go_on() {
        let mut state = cluster(b"c", &["n1"]);
        let backup = state.encode();
        offer(&mut state, Command::RegisterNode { node: Arc::new(node("n2")), session: None }).unwrap();
        offer(&mut state, part(&backup, 1, 100)).unwrap();
        let mut state = State::decode(&state.encode()).unwrap();
        assert_eq!(state.node_count(), 2, "nothing changes before the last part");
        let index = state.index;
        offer(&mut state, part(&backup, 2, 100)).unwrap();
        assert_eq!((state.node_count(), state.index, state.epoch()), (1, index + 1, 1));
        assert_eq!(state.restored_at(), Some(Timestamp::from_seconds(7)));
        let mut again = State::decode(&state.encode()).unwrap();
        offer(&mut again, part(&backup, 1, 7)).unwrap();
        offer(&mut again, part(&backup, 2, 7)).unwrap();
        assert_eq!(again.epoch(), 2);
    }

    #[test]
    fn parts_out_of_order_or_of_another_backup_change_nothing() {
        let mut state = cluster(b"c", &["n1"]);
        let (backup, other) = (state.encode(), cluster(b"other", &["n1"]).encode());
        assert_eq!(offer(&mut state, part(&backup, 2, 9)), Err(Rejection::WrongPart { part: 2, wanted: 1 }));
        offer(&mut state, part(&backup, 1, 9)).unwrap();
        let mixed = Command::RestoreState { part: 2, parts: 2, hash: [0; 32], bytes: vec![1] };
        assert_eq!(offer(&mut state, mixed), Err(Rejection::WrongPart { part: 2, wanted: 1 }));
        let Command::RestoreState { part: two, parts, hash, mut bytes } = part(&backup, 2, 9) else { unreachable!() };
        bytes[0] ^= 1;
        let wrong = offer(&mut state, Command::RestoreState { part: two, parts, hash, bytes });
        assert!(matches!(wrong, Err(Rejection::BadBackup { .. })), "{wrong:?}");
        offer(&mut state, part(&other, 1, 9)).unwrap();
        let wrong = offer(&mut state, part(&other, 2, 9));
        assert!(matches!(wrong, Err(Rejection::BadBackup { .. })), "{wrong:?}");
        assert_eq!(state.epoch(), 0);
    }

    #[test]
    fn a_part_has_the_most_bytes_or_fewer() {
        let mut state = cluster(b"c", &[]);
        let of = |bytes: usize| Command::RestoreState { part: 1, parts: 2, hash: [1; 32], bytes: vec![0; bytes] };
        assert!(matches!(offer(&mut state, of(RESTORE_PART_BYTES_MAX + 1)), Err(Rejection::BadBackup { .. })));
        offer(&mut state, of(RESTORE_PART_BYTES_MAX)).unwrap();
    }
}
