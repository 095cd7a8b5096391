//! What runs have met: which fault in which situation, and things that must happen sometimes, or nothing is tested.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::faults::Fault;

/// What was going on when a fault struck. Several may be at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Situation {
    /// None of the others.
    Steady,
    /// No server leads.
    NoLeader,
    /// A server does not run.
    ServerAway,
    /// A node is silent or down.
    NodeAway,
    /// A rollout is under way.
    Rollout,
    /// A node drains.
    Drain,
    /// Work waits for room or for its time.
    Waiting,
}

impl Situation {
    /// All of them.
    pub const ALL: [Situation; 7] = [
        Situation::Steady,
        Situation::NoLeader,
        Situation::ServerAway,
        Situation::NodeAway,
        Situation::Rollout,
        Situation::Drain,
        Situation::Waiting,
    ];
}

/// Something that must happen sometimes in a sweep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sometimes {
    /// A second leader, or a later one, was elected.
    AnotherLeaderLed,
    /// A server that was behind installed a snapshot.
    SnapshotWasInstalled,
    /// A server ended by itself, as it must when its disk fails.
    ServerEndedByItself,
    /// A server refused its damaged disk.
    ServerRefusedItsDisk,
    /// A server could not start, because its disk could not be read; it tries again.
    ServerCouldNotRead,
    /// A server was replaced by one with a new id.
    ServerWasReplaced,
    /// A retry of a request that had been applied came into the log.
    RetryWasAppliedOnce,
    /// A command of an older term was rejected.
    OldTermWasRejected,
    /// A plan no longer fitted in part.
    PlanWasRejectedInPart,
    /// A node was given up.
    NodeWasGivenUp,
    /// A node that had been given up came back.
    NodeCameBack,
    /// An instance was stopped because its node's return made it one too many.
    ReconnectedInstanceWasStopped,
    /// Work made way for work of a higher priority.
    WorkWasPreempted,
    /// A rollout succeeded.
    RolloutSucceeded,
    /// A rollout failed.
    RolloutFailed,
    /// A rollout was over in another term than that in which it began.
    RolloutOutlivedItsLeader,
    /// Canaries were promoted.
    CanariesWerePromoted,
    /// A failed rollout went back to an older version.
    JobWasReverted,
    /// A drain came to its end.
    DrainEnded,
    /// A drain came to its end in another term than that in which it began.
    DrainOutlivedItsLeader,
    /// Work waited for room.
    WorkWaitedForRoom,
    /// An instance failed and waited for its next placement.
    WorkWaitedForItsTime,
    /// A rebalance began.
    RebalanceBegan,
    /// A client did not learn what became of its request.
    OutcomeWasUnknown,
    /// An agent stopped a container that no server counted on any more: its node had been purged.
    OrphanWasEnded,
    /// An agent took up a container that it had no record of.
    ContainerWasAdopted,
    /// A runtime did what it was asked, and the answer was lost.
    RuntimeReplyWasLost,
    /// The brake on mass replacement acted: nodes were given up one at a time.
    MassLossWasBraked,
    /// A container was seen to run that shall stop, on a host that was looked after.
    UnwantedContainerWasSeen,
    /// A node was silent while somebody led and nothing else was wrong.
    SilenceWasTimed,
    /// Who claimed to be a node was turned away.
    ClaimWasTurnedAway,
    /// An agent with a copy of a data folder stood in for the other, which was silent.
    CopyStoodIn,
}

impl Sometimes {
    /// All of them.
    pub const ALL: [Sometimes; 32] = [
        Sometimes::AnotherLeaderLed,
        Sometimes::SnapshotWasInstalled,
        Sometimes::ServerEndedByItself,
        Sometimes::ServerRefusedItsDisk,
        Sometimes::ServerCouldNotRead,
        Sometimes::ServerWasReplaced,
        Sometimes::RetryWasAppliedOnce,
        Sometimes::OldTermWasRejected,
        Sometimes::PlanWasRejectedInPart,
        Sometimes::NodeWasGivenUp,
        Sometimes::NodeCameBack,
        Sometimes::ReconnectedInstanceWasStopped,
        Sometimes::WorkWasPreempted,
        Sometimes::RolloutSucceeded,
        Sometimes::RolloutFailed,
        Sometimes::RolloutOutlivedItsLeader,
        Sometimes::CanariesWerePromoted,
        Sometimes::JobWasReverted,
        Sometimes::DrainEnded,
        Sometimes::DrainOutlivedItsLeader,
        Sometimes::WorkWaitedForRoom,
        Sometimes::WorkWaitedForItsTime,
        Sometimes::RebalanceBegan,
        Sometimes::OutcomeWasUnknown,
        Sometimes::OrphanWasEnded,
        Sometimes::ContainerWasAdopted,
        Sometimes::RuntimeReplyWasLost,
        Sometimes::MassLossWasBraked,
        Sometimes::UnwantedContainerWasSeen,
        Sometimes::SilenceWasTimed,
        Sometimes::ClaimWasTurnedAway,
        Sometimes::CopyStoodIn,
    ];
}

/// How often each was met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    pairs: BTreeMap<(Fault, Situation), u64>,
    points: BTreeMap<Sometimes, u64>,
}

impl Coverage {
    /// A fault struck in these situations.
    pub fn struck(&mut self, fault: Fault, situations: &BTreeSet<Situation>) {
        for situation in situations {
            *self.pairs.entry((fault, *situation)).or_default() += 1;
        }
    }

    /// It happened.
    pub fn note(&mut self, point: Sometimes) {
        *self.points.entry(point).or_default() += 1;
    }

    /// Adds what another run met.
    pub fn add(&mut self, other: &Coverage) {
        for (pair, count) in &other.pairs {
            *self.pairs.entry(*pair).or_default() += count;
        }
        for (point, count) in &other.points {
            *self.points.entry(*point).or_default() += count;
        }
    }

    /// Pairs of fault and situation that were met.
    pub fn pairs_met(&self) -> usize {
        self.pairs.len()
    }

    /// All pairs of fault and situation.
    pub fn pairs_in_all() -> usize {
        Fault::ALL.len() * Situation::ALL.len()
    }

    /// Pairs that were not met.
    pub fn pairs_missed(&self) -> Vec<(Fault, Situation)> {
        let all = Fault::ALL.into_iter().flat_map(|fault| Situation::ALL.map(|situation| (fault, situation)));
        all.filter(|pair| !self.pairs.contains_key(pair)).collect()
    }

    /// Points that were not met.
    pub fn points_missed(&self) -> Vec<Sometimes> {
        Sometimes::ALL.into_iter().filter(|point| !self.points.contains_key(point)).collect()
    }
}

impl fmt::Display for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<24}", "fault")?;
        for situation in Situation::ALL {
            write!(f, "{:>12}", format!("{situation:?}"))?;
        }
        writeln!(f)?;
        for fault in Fault::ALL {
            write!(f, "{:<24}", format!("{fault:?}"))?;
            for situation in Situation::ALL {
                write!(f, "{:>12}", self.pairs.get(&(fault, situation)).copied().unwrap_or(0))?;
            }
            writeln!(f)?;
        }
        for point in Sometimes::ALL {
            writeln!(f, "{:<36}{:>8}", format!("{point:?}"), self.points.get(&point).copied().unwrap_or(0))?;
        }
        write!(f, "pairs met: {} of {}", self.pairs_met(), Self::pairs_in_all())
    }
}
