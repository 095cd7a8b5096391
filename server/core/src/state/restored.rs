//! A state that goes on in another cluster of servers, from a backup or from what one server still has.

use std::sync::Arc;

use model::{NodeId, NodeStatus, ServerId, Timestamp};

use super::State;
use crate::command::ServerRecord;
use crate::limits::RESTORE_INDEX_GAP;

/// A server that a restored cluster begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirstServer {
    /// What people call it.
    pub name: String,
    /// Where servers and agents reach it, `host:port`.
    pub address: String,
}

impl State {
    /// The state as it goes on with `servers` alone, under ids that were never given out, in the next epoch and at an
    /// index that was never reached. What runs, and what is wanted, is left as it is.
    pub fn restored(&self, servers: &[FirstServer], now: Timestamp) -> Self {
        let mut state = self.clone();
        state.index += RESTORE_INDEX_GAP;
        state.epoch += 1;
        state.restored_at = now;
        state.await_nodes();
        for (id, ()) in state.servers.iter().map(|(id, _)| (*id, ())).collect::<Vec<_>>() {
            state.removed_servers.insert(id, ());
            state.servers.remove(&id);
        }
        for server in servers {
            state.last_server_id += 1;
            let id = state.last_server_id;
            let record = ServerRecord {
                id,
                name: server.name.clone(),
                address: server.address.clone(),
                http_address: String::new(),
                version: 0,
                build: String::new(),
            };
            state.servers.insert(id, Arc::new(record));
        }
        state.indexes.servers = state.index;
        state
    }

    /// From here on no node was heard that should be up.
    pub(crate) fn await_nodes(&mut self) {
        let up = self.nodes.values().filter(|node| node.status != NodeStatus::Down);
        self.awaited = up.map(|node| (node.id, ())).collect();
    }

    /// Whether a node was not heard since the state was restored from a backup, by this leader or an earlier one.
    pub fn is_awaited(&self, node: NodeId) -> bool {
        self.awaited.get(&node).is_some()
    }

    /// Ids of the servers that a restored state begins with, in the order in which they were given.
    pub fn first_servers(&self) -> Vec<ServerId> {
        self.servers.iter().map(|(id, _)| *id).collect()
    }

    /// BLAKE3 of everything that a restore must not change: all but the index, the term, the time, the epoch, and which servers
    /// there are.
    pub fn contents_hash(&self) -> [u8; 32] {
        let mut contents = self.clone();
        contents.index = 0;
        contents.term = 0;
        contents.time = Timestamp::default();
        contents.epoch = 0;
        contents.restored_at = Timestamp::default();
        contents.last_server_id = 0;
        contents.indexes.servers = 0;
        contents.servers = Default::default();
        contents.awaited = Default::default();
        contents.removed_servers = Default::default();
        *blake3::hash(&contents.encode()).as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use model::testing::node;

    use super::*;
    use crate::apply::{Answer, apply};
    use crate::command::{Command, Entry};

    fn state() -> State {
        let mut state = State::default();
        let commands = [
            Command::InitializeCluster { cluster: model::ClusterId::derive(&[b"c"]) },
            Command::AllocateServer { name: "a".into(), address: "a:1".into(), http_address: String::new() },
            Command::AllocateServer { name: "b".into(), address: "b:1".into(), http_address: String::new() },
            Command::RegisterNode { node: Arc::new(node("n1")), session: None },
        ];
        for (index, command) in (1..).zip(commands) {
            let entry = Entry { at: Timestamp::from_seconds(1), request: None, caller: String::new(), command };
            assert!(matches!(apply(&mut state, index, 3, &entry).answer, Answer::Accepted(_)));
        }
        state
    }

    #[test]
    fn a_restored_state_goes_on_with_new_servers_in_a_new_epoch_beyond_every_index() {
        let before = state();
        let server = |name: &str| FirstServer { name: name.into(), address: format!("{name}:1") };
        let after = before.restored(&[server("x"), server("y")], Timestamp::from_seconds(9));
        assert_eq!(after.first_servers(), [3, 4], "ids 1 and 2 were given out");
        assert!(after.is_removed_server(1) && after.is_removed_server(2) && !after.is_removed_server(3));
        assert_eq!((after.epoch(), after.index()), (1, before.index() + RESTORE_INDEX_GAP));
        assert_eq!(after.restored_at(), Some(Timestamp::from_seconds(9)));
        assert_eq!(before.restored_at(), None);
        let node = node("n1").id;
        assert!(after.is_awaited(node) && !before.is_awaited(node));
        assert_eq!(after.contents_hash(), before.contents_hash());
        let again = State::decode(&after.encode()).unwrap();
        assert_eq!((again.contents_hash(), again.is_removed_server(2)), (before.contents_hash(), true));
        assert!(again.is_awaited(node));
    }

    #[test]
    fn what_a_restore_must_keep_changes_the_hash() {
        let before = state();
        let mut after = before.clone();
        let entry = Entry {
            at: Timestamp::from_seconds(1),
            request: None,
            caller: String::new(),
            command: Command::RegisterNode { node: Arc::new(node("n2")), session: None },
        };
        apply(&mut after, 5, 3, &entry);
        assert_ne!(after.contents_hash(), before.contents_hash());
    }

    #[test]
    fn a_server_that_left_is_never_announced_again() {
        let mut state = state();
        let mut at = |index, command| {
            let entry = Entry { at: Timestamp::from_seconds(1), request: None, caller: String::new(), command };
            apply(&mut state, index, 3, &entry).answer
        };
        assert!(matches!(at(5, Command::ForgetServer { id: 1, term: None }), Answer::Accepted(_)));
        assert!(matches!(at(6, Command::ForgetServer { id: 1, term: None }), Answer::Rejected(_)));
        assert!(
            matches!(at(7, Command::ForgetServer { id: 9, term: None }), Answer::Rejected(_)),
            "9 was never given out"
        );
        let server = ServerRecord {
            id: 1,
            name: "a".into(),
            address: "a:1".into(),
            http_address: String::new(),
            version: 1,
            build: String::new(),
        };
        let Answer::Rejected(rejection) = at(8, Command::AnnounceServer { server }) else { panic!("it is taken in") };
        assert!(rejection.to_string().contains("never used again"), "{rejection}");
    }
}
