//! Old bugs, put back one at a time to see that the simulation finds them. Each was a bug of this project or of another of its
//! kind, and is silent: nothing panics, something is merely wrong.
//!
//! Without the feature `old-bugs`, which no release has, [`is_on`] is `false` to the compiler, and nothing of them is left.

/// An old bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum OldBug {
    /// A leader goes on with its work when it leads no more, and what it decides is carried out.
    OldTermObeyed = 1,
    /// A server says what is wanted before it knows what the agent has heard elsewhere, and the agent obeys what is older.
    OldWantedObeyed,
    /// The catalog does not follow what becomes of nodes.
    CatalogForgetsNodes,
    /// A dynamic port is picked without a look at who holds it.
    PortsGivenTwice,
    /// What an allocation holds is given away when it is told to stop, not when it is gone.
    FreedTooEarly,
    /// Name indexes are picked without a look at who bears them.
    NamesGivenTwice,
    /// A snapshot restores everything but the requests that were answered.
    RequestsNotRestored,
    /// Room that comes free wakes nobody.
    RoomUnnoticed,
    /// A runtime that does not answer is taken for one that runs nothing.
    RuntimeTakenForEmpty,
    /// A request that comes twice is carried out twice.
    RequestsNotRemembered,
    /// What agents say of an allocation that is over is believed.
    EndsRevoked,
    /// A plan is carried out on nodes that have closed or changed meanwhile.
    ClosedNodesUsed,
    /// The log is acknowledged before it is on the disk.
    AcknowledgedTooEarly,
    /// What a lost node ran is not looked at again.
    LossUnnoticed,
    /// A new leader starts the clocks of nodes when its process started.
    ClocksNotStarted,
    /// A drain moves all of a group at once.
    DrainsAtOnce,
    /// A plan that was made while a node was silent replaces what runs there though it is back.
    ReturnsIgnored,
    /// A rollout does not count what is under way.
    RolloutsAtOnce,
    /// A drain ends an original as soon as its replacement is placed.
    MovedTooEarly,
    /// What failed is placed anew without a pause.
    NoPause,
    /// What an entry leaves depends on what else its process did before.
    EntriesDiffer,
    /// What an agent said before it turned to another server is taken after what it said there.
    LateReportsTaken,
}

impl OldBug {
    /// All of them.
    pub const ALL: [OldBug; 22] = [
        OldBug::OldTermObeyed,
        OldBug::OldWantedObeyed,
        OldBug::CatalogForgetsNodes,
        OldBug::PortsGivenTwice,
        OldBug::FreedTooEarly,
        OldBug::NamesGivenTwice,
        OldBug::RequestsNotRestored,
        OldBug::RoomUnnoticed,
        OldBug::RuntimeTakenForEmpty,
        OldBug::RequestsNotRemembered,
        OldBug::EndsRevoked,
        OldBug::ClosedNodesUsed,
        OldBug::AcknowledgedTooEarly,
        OldBug::LossUnnoticed,
        OldBug::ClocksNotStarted,
        OldBug::DrainsAtOnce,
        OldBug::ReturnsIgnored,
        OldBug::RolloutsAtOnce,
        OldBug::MovedTooEarly,
        OldBug::NoPause,
        OldBug::EntriesDiffer,
        OldBug::LateReportsTaken,
    ];

    /// Its number, by which it is chosen.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The bug of that number.
    pub fn of(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|bug| bug.number() == number)
    }

    /// Where it comes from: a number of the reference on reliability, or the commit here that ended it.
    pub fn origin(self) -> &'static str {
        match self {
            OldBug::OldTermObeyed => "N1: two leaders at work",
            OldBug::OldWantedObeyed => "N6: a stale read stops what should run",
            OldBug::CatalogForgetsNodes => "N8: services are lost when a node recovers",
            OldBug::PortsGivenTwice => "N13: ports given twice",
            OldBug::FreedTooEarly => "N13: what is held is counted wrong",
            OldBug::NamesGivenTwice => "N13: duplicate allocation indexes",
            OldBug::RequestsNotRestored => "N9: a restore leaves something out",
            OldBug::RoomUnnoticed => "N14: blocked work is not released; here 2f2008f",
            OldBug::RuntimeTakenForEmpty => "N3: dead while containers run; here 3fb7bf3",
            OldBug::RequestsNotRemembered => "a retry that is carried out twice",
            OldBug::EndsRevoked => "I11: a terminal allocation runs again",
            OldBug::ClosedNodesUsed => "a plan is not checked against the state of now",
            OldBug::AcknowledgedTooEarly => "NATS JetStream: acknowledged before fsync",
            OldBug::LossUnnoticed => "N2: lost nodes are not acted upon",
            OldBug::ClocksNotStarted => "N1: stale timers mark nodes down; here 71cf923",
            OldBug::DrainsAtOnce => "a drain that does not count what moves",
            OldBug::ReturnsIgnored => "N5: an extra copy after a reconnect; here 1b57ca0",
            OldBug::RolloutsAtOnce => "a rollout beyond max_parallel; here a9fe854",
            OldBug::MovedTooEarly => "a drain below what is healthy",
            OldBug::NoPause => "an instance that fails again and again without a pause",
            OldBug::EntriesDiffer => "N10: the state of one server drifts from the others'",
            OldBug::LateReportsTaken => "a server that was cut off tells what was",
        }
    }
}

#[cfg(feature = "old-bugs")]
thread_local! {
    // Of the thread, because a simulation has one to itself and others run beside it.
    static ON: std::cell::Cell<Option<OldBug>> = const { std::cell::Cell::new(None) };
    static DRIFT: std::cell::Cell<u16> = const { std::cell::Cell::new(0) };
}

/// Whether `bug` is put back on this thread.
#[cfg(feature = "old-bugs")]
pub fn is_on(bug: OldBug) -> bool {
    ON.get() == Some(bug)
}

/// Whether `bug` is put back: never, without the feature.
#[cfg(not(feature = "old-bugs"))]
#[inline(always)]
pub fn is_on(_: OldBug) -> bool {
    false
}

/// A number that is another each time, as a clock or a random source would give, while `bug` is put back; 0 without it.
pub fn drift(bug: OldBug) -> u16 {
    #[cfg(feature = "old-bugs")]
    if is_on(bug) {
        return DRIFT.replace(DRIFT.get().wrapping_add(1)) % 97;
    }
    let _ = bug;
    0
}

/// Runs `run` with `bug` put back on this thread.
#[cfg(feature = "old-bugs")]
pub fn with<T>(bug: OldBug, run: impl FnOnce() -> T) -> T {
    ON.set(Some(bug));
    let result = run();
    ON.set(None);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_number_of_its_own_and_says_where_it_comes_from() {
        for (at, bug) in OldBug::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(bug.number()), at + 1);
            assert_eq!(OldBug::of(bug.number()), Some(bug));
            assert!(!bug.origin().is_empty());
        }
        assert_eq!(OldBug::of(0), None);
    }

    #[cfg(not(feature = "old-bugs"))]
    #[test]
    fn none_is_there() {
        assert!(!OldBug::ALL.into_iter().any(is_on));
    }

    #[cfg(feature = "old-bugs")]
    #[test]
    fn one_is_there_while_it_is_asked_for() {
        assert!(!OldBug::ALL.into_iter().any(is_on));
        with(OldBug::NoPause, || assert!(is_on(OldBug::NoPause) && !is_on(OldBug::OldTermObeyed)));
        assert!(!OldBug::ALL.into_iter().any(is_on));
    }
}
