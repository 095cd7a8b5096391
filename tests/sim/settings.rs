//! What a run is like: everything that follows from its seed before anything happens.

use std::collections::BTreeSet;
use std::time::Duration;

use server::raft::{Sizes, Timings};

use super::faults::Class;
use super::seed::SeededRandom;

/// Agents of a cluster, as a rule.
const AGENTS: (u64, u64) = (3, 8);
/// Agents of a cluster that is large enough for the brake on mass replacement.
const AGENTS_OF_LARGE: (u64, u64) = (10, 14);
/// Large clusters, in percent.
const LARGE_PERCENT: u64 = 15;
/// Seeds whose logs keep nothing beside the snapshot, in percent.
const KEEP_NOTHING_PERCENT: u64 = 20;
/// How often a class of faults takes part in a run, in percent.
const CLASS_PERCENT: u64 = 60;

/// What a run is like.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The seed.
    pub seed: u64,
    /// Servers.
    pub servers: u64,
    /// Agents.
    pub agents: u64,
    /// Timings of consensus.
    pub timings: Timings,
    /// Sizes of log and snapshots.
    pub sizes: Sizes,
    /// How long a link may be dead before its conversations break.
    pub breaks_after: Duration,
    /// Classes of faults that take part.
    pub classes: BTreeSet<Class>,
    /// Faults.
    pub faults: u64,
    /// Deeds of people.
    pub deeds: u64,
    /// When the first fault may strike.
    pub warm_up: Duration,
    /// In which all faults strike.
    pub trouble: Duration,
}

impl Settings {
    /// Those of a seed.
    pub fn of(seed: u64) -> Self {
        let random = SeededRandom::part(seed, 0);
        let servers = random.pick(&[1, 3, 3, 3, 3, 5, 5]).expect("there are several");
        let is_large = random.chance(LARGE_PERCENT);
        let agents = if is_large { AGENTS_OF_LARGE } else { AGENTS };
        let agents = random.between(agents.0, agents.1);
        let heartbeat = random.between(50, 150);
        let timings = Timings {
            heartbeat: Duration::from_millis(heartbeat),
            // As in production, three heartbeats and six; never below the time in which a connection is given up.
            election_min: Duration::from_millis(heartbeat * 3 + 10).max(Timings::default().election_min),
            election_max: Duration::from_millis(heartbeat * 6 + 20).max(Timings::default().election_max),
            ..Timings::default()
        };
        let trailing = if random.chance(KEEP_NOTHING_PERCENT) { 0 } else { random.between(1, 80) };
        let sizes = Sizes {
            snapshot_after_entries: random.between(10, 250),
            trailing_entries: trailing,
            segment_bytes: random.pick(&[64 << 10, 256 << 10, 1 << 20]).expect("there are several"),
            ..Sizes::default()
        };
        let mut classes: BTreeSet<Class> = Class::ALL.into_iter().filter(|_| random.chance(CLASS_PERCENT)).collect();
        if classes.is_empty() {
            classes.insert(Class::Process);
        }
        Self {
            seed,
            servers,
            agents,
            timings,
            sizes,
            breaks_after: random.milliseconds(2_000, 6_000),
            classes,
            faults: random.between(12, 20),
            deeds: random.between(10, 22),
            warm_up: random.milliseconds(12_000, 18_000),
            trouble: random.milliseconds(60_000, 75_000),
        }
    }

    /// Three servers and three agents, for scenarios that bring their own faults.
    pub fn small(seed: u64) -> Self {
        let sizes = Sizes { snapshot_after_entries: 200, trailing_entries: 50, ..Sizes::default() };
        Self { servers: 3, agents: 3, timings: Timings::default(), sizes, ..Self::of(seed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ_in_size_and_in_what_goes_wrong() {
        let all: Vec<Settings> = (0..200).map(Settings::of).collect();
        for servers in [1, 3, 5] {
            assert!(all.iter().any(|one| one.servers == servers));
        }
        assert!(all.iter().any(|one| one.sizes.trailing_entries == 0));
        assert!(all.iter().any(|one| one.agents >= AGENTS_OF_LARGE.0));
        for class in Class::ALL {
            assert!(all.iter().any(|one| one.classes.contains(&class)));
            assert!(all.iter().any(|one| !one.classes.contains(&class)));
        }
    }
}
