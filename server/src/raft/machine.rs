//! What the log's entries mean: the replicated state, implemented by the server's shell over the pure core.

use std::io;

use bytes::Bytes;
use model::{Index, Term};

/// The state that all servers derive from the same entries. Called on one task, in the order of the log.
pub trait Machine: Send + 'static {
    /// Applies a committed command and answers whoever proposed it. Total: a committed command can't fail, it can only
    /// be answered with a refusal. `term` is that of the leader that wrote the entry.
    fn apply(&mut self, index: Index, term: Term, entry: &[u8]) -> Bytes;

    /// Entries up to `index` are applied, those included that carry no command: publish the snapshot of the state.
    /// Proposers hear the answers only after this.
    fn advanced(&mut self, index: Index);

    /// A handle to the state as it is now. Cheap: the machine waits for it.
    fn freeze(&self) -> Box<dyn FrozenState>;

    /// Replaces the whole state by one that [`FrozenState::encode`] gave, here or on another server.
    fn restore(&mut self, snapshot: &[u8]) -> io::Result<()>;
}

/// The state at one moment, to be encoded while the machine goes on.
pub trait FrozenState: Send {
    /// All of it. Called where blocking is allowed.
    fn encode(&self) -> Vec<u8>;
}
