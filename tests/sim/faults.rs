//! What goes wrong. Each fault begins, lasts a while and ends by itself; several may be at once.

mod claims;
mod disks;
mod links;
mod processes;
mod runtimes;

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{EvaluationStatus, NodeStatus};

use super::cluster::SimCluster;
use super::coverage::Situation;
use super::seed::SeededRandom;
use super::settings::Settings;

/// A class of faults, which takes part in a run as a whole or not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Who can't reach whom.
    Partition,
    /// What is slow, lost or doubled.
    Weather,
    /// Servers that end.
    Process,
    /// Agents that end, and nodes.
    Node,
    /// Disks of servers.
    Disk,
    /// Container runtimes.
    Runtime,
    /// Wall clocks.
    Clock,
}

impl Class {
    /// All of them.
    pub const ALL: [Class; 7] =
        [Class::Partition, Class::Weather, Class::Process, Class::Node, Class::Disk, Class::Runtime, Class::Clock];
}

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The leader reaches nobody and nobody it.
    CutLeader,
    /// Another server is cut off.
    CutFollower,
    /// The servers fall into two halves, the agents with them.
    Split,
    /// One server reaches another no more, but is reached.
    OneWay,
    /// Two halves of the servers reach each other over one server only.
    Bridge,
    /// A link between two servers comes and goes.
    Flap,
    /// An agent reaches no server.
    CutAgent,
    /// An agent reaches some servers only.
    CutAgentInPart,
    /// Most agents reach no server.
    CutMostAgents,
    /// Messages take much longer.
    Jitter,
    /// Packets are lost.
    Loss,
    /// Answers are lost.
    LostReplies,
    /// Questions arrive twice, the second time late.
    Duplicates,
    /// A server does not get to run.
    PauseServer,
    /// An agent does not get to run.
    PauseAgent,
    /// The leader is killed.
    KillLeader,
    /// Another server is killed.
    KillFollower,
    /// Too many servers are killed for the others to go on.
    KillMajority,
    /// All servers lose their power at once.
    KillAllServers,
    /// The leader and an agent with its node are killed at once.
    KillLeaderAndNode,
    /// A server is asked to stop.
    StopServer,
    /// A server is away until the others have dropped what it lacks.
    LongOutage,
    /// An agent is killed; what it started runs on.
    KillAgent,
    /// A node is lost with all that runs on it.
    LoseNode,
    /// An agent is restarted on purpose.
    RestartAgent,
    /// An agent is killed and what it kept is damaged.
    DamageStore,
    /// Somebody claims to be a node.
    Claim,
    /// A server loses its power in the middle of a write.
    TornWrite,
    /// A server's log rots.
    RottenLog,
    /// A server's snapshot rots.
    RottenSnapshot,
    /// A server's disk is full.
    DiskFull,
    /// A server's disk can't make writes durable.
    SyncFails,
    /// A server's disk refuses writes.
    WriteFails,
    /// A server's disk refuses reads, and the server may have to start meanwhile.
    ReadFails,
    /// A server's disk is slow.
    SlowDisk,
    /// A runtime does not answer.
    RuntimeHangs,
    /// A runtime is not there.
    RuntimeAway,
    /// A runtime is restarted, and what it ran is gone.
    RuntimeLosesAll,
    /// A runtime is slow.
    RuntimeSlow,
    /// A runtime's answers are lost after the deed.
    RuntimeLosesReplies,
    /// A runtime tells nothing unasked.
    RuntimeDeaf,
    /// Images can't be pulled.
    PullsFail,
    /// A process is ended for want of memory.
    OutOfMemory,
    /// A process ends by itself.
    Exit,
    /// Somebody removes a container.
    Vanish,
    /// A clock is put forward or back by an hour.
    ClockStep,
    /// A clock goes too fast or too slow.
    ClockDrift,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 47] = [
        Fault::CutLeader,
        Fault::CutFollower,
        Fault::Split,
        Fault::OneWay,
        Fault::Bridge,
        Fault::Flap,
        Fault::CutAgent,
        Fault::CutAgentInPart,
        Fault::CutMostAgents,
        Fault::Jitter,
        Fault::Loss,
        Fault::LostReplies,
        Fault::Duplicates,
        Fault::PauseServer,
        Fault::PauseAgent,
        Fault::KillLeader,
        Fault::KillFollower,
        Fault::KillMajority,
        Fault::KillAllServers,
        Fault::KillLeaderAndNode,
        Fault::StopServer,
        Fault::LongOutage,
        Fault::KillAgent,
        Fault::LoseNode,
        Fault::RestartAgent,
        Fault::DamageStore,
        Fault::Claim,
        Fault::TornWrite,
        Fault::RottenLog,
        Fault::RottenSnapshot,
        Fault::DiskFull,
        Fault::SyncFails,
        Fault::WriteFails,
        Fault::ReadFails,
        Fault::SlowDisk,
        Fault::RuntimeHangs,
        Fault::RuntimeAway,
        Fault::RuntimeLosesAll,
        Fault::RuntimeSlow,
        Fault::RuntimeLosesReplies,
        Fault::RuntimeDeaf,
        Fault::PullsFail,
        Fault::OutOfMemory,
        Fault::Exit,
        Fault::Vanish,
        Fault::ClockStep,
        Fault::ClockDrift,
    ];

    /// Its class.
    pub fn class(self) -> Class {
        match self {
            Fault::CutLeader
            | Fault::CutFollower
            | Fault::Split
            | Fault::OneWay
            | Fault::Bridge
            | Fault::Flap
            | Fault::CutAgent
            | Fault::CutAgentInPart
            | Fault::CutMostAgents => Class::Partition,
            Fault::Jitter | Fault::Loss | Fault::LostReplies | Fault::Duplicates => Class::Weather,
            Fault::PauseServer
            | Fault::KillLeader
            | Fault::KillFollower
            | Fault::KillMajority
            | Fault::KillAllServers
            | Fault::KillLeaderAndNode
            | Fault::StopServer
            | Fault::LongOutage => Class::Process,
            Fault::PauseAgent
            | Fault::KillAgent
            | Fault::LoseNode
            | Fault::RestartAgent
            | Fault::DamageStore
            | Fault::Claim => Class::Node,
            Fault::TornWrite
            | Fault::RottenLog
            | Fault::RottenSnapshot
            | Fault::DiskFull
            | Fault::SyncFails
            | Fault::WriteFails
            | Fault::ReadFails
            | Fault::SlowDisk => Class::Disk,
            Fault::RuntimeHangs
            | Fault::RuntimeAway
            | Fault::RuntimeLosesAll
            | Fault::RuntimeSlow
            | Fault::RuntimeLosesReplies
            | Fault::RuntimeDeaf
            | Fault::PullsFail
            | Fault::OutOfMemory
            | Fault::Exit
            | Fault::Vanish => Class::Runtime,
            Fault::ClockStep | Fault::ClockDrift => Class::Clock,
        }
    }

    /// Whether a cluster of that size can have it.
    pub fn is_possible(self, settings: &Settings) -> bool {
        match self {
            Fault::CutFollower | Fault::Split | Fault::OneWay | Fault::Flap | Fault::KillFollower => {
                settings.servers > 1
            }
            // What only one server holds is lost with it.
            Fault::RottenLog | Fault::RottenSnapshot => settings.servers > 1,
            Fault::Bridge => settings.servers >= 3,
            _ => true,
        }
    }

    /// Strikes, lasts and ends.
    pub async fn play(self, cluster: &Arc<SimCluster>, random: &SeededRandom) {
        cluster.oracle.struck(self, &situations(cluster));
        if self == Fault::Claim {
            return claims::play(cluster, random).await;
        }
        match self.class() {
            Class::Partition | Class::Weather => links::play(self, cluster, random).await,
            Class::Process | Class::Node => processes::play(self, cluster, random).await,
            Class::Disk => disks::play(self, cluster, random).await,
            Class::Runtime | Class::Clock => runtimes::play(self, cluster, random).await,
        }
    }
}

/// What is going on.
fn situations(cluster: &SimCluster) -> BTreeSet<Situation> {
    let state = cluster.oracle.newest();
    let mut found = BTreeSet::new();
    let mut add = |is_so: bool, situation| {
        if is_so {
            found.insert(situation);
        }
    };
    add(cluster.leader_now().is_none(), Situation::NoLeader);
    add(cluster.running().len() < cluster.server_ids().len(), Situation::ServerAway);
    add(state.nodes().any(|node| node.status != NodeStatus::Ready), Situation::NodeAway);
    add(state.deployments().any(|known| known.status.is_active()), Situation::Rollout);
    add(state.nodes().any(|node| node.drain.is_some()), Situation::Drain);
    let is_blocked = state.open_evaluations(EvaluationStatus::Blocked).next().is_some();
    add(is_blocked || state.waiting_evaluations().next().is_some(), Situation::Waiting);
    if found.is_empty() {
        found.insert(Situation::Steady);
    }
    found
}
