//! Autopilot: which servers do well, and which dead one is taken out of the cluster next.
//!
//! The leader's loop says how long each server has been silent, this says what follows from it. One server at a time is
//! removed, never so that fewer voters are left than were asked for, and only while those that are well can commit the
//! change and every later one: a majority before, and a majority after.

use std::time::Duration;

use model::{Index, ServerId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::limits::{
    DEAD_SERVER_AFTER, DEAD_SERVER_AFTER_MIN, LAST_CONTACT_THRESHOLD, SERVER_STABILIZATION_TIME, TRAILING_LOGS_MAX,
    VOTERS_KEPT, VOTERS_KEPT_MAX,
};

/// How servers are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutopilotConfiguration {
    /// Whether dead servers are removed.
    pub cleanup_dead_servers: bool,
    /// How long a server is silent before it counts as dead.
    pub dead_server_after: Duration,
    /// Voters that are left at least.
    pub min_quorum: u32,
    /// Silence beyond which a server counts as unhealthy.
    pub last_contact_threshold: Duration,
    /// Entries that a healthy server may be behind.
    pub max_trailing_logs: u64,
    /// How long a server must have been well to count as stable.
    pub server_stabilization_time: Duration,
}

impl Default for AutopilotConfiguration {
    fn default() -> Self {
        Self {
            cleanup_dead_servers: true,
            dead_server_after: DEAD_SERVER_AFTER,
            min_quorum: VOTERS_KEPT,
            last_contact_threshold: LAST_CONTACT_THRESHOLD,
            max_trailing_logs: TRAILING_LOGS_MAX,
            server_stabilization_time: SERVER_STABILIZATION_TIME,
        }
    }
}

impl AutopilotConfiguration {
    /// What is wrong with it, in words that name the field; none if it can be used.
    pub fn fault(&self) -> Option<String> {
        if self.dead_server_after < DEAD_SERVER_AFTER_MIN {
            return Some(format!("DeadServerAfter must be at least {DEAD_SERVER_AFTER_MIN:?}"));
        }
        if self.min_quorum < VOTERS_KEPT || self.min_quorum > VOTERS_KEPT_MAX {
            return Some(format!("MinQuorum must be {VOTERS_KEPT} to {VOTERS_KEPT_MAX}, got {}", self.min_quorum));
        }
        None
    }
}

/// A server as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerSeen {
    /// Its id.
    pub id: ServerId,
    /// Whether its vote counts.
    pub is_voter: bool,
    /// Whether it is the leader itself.
    pub is_leader: bool,
    /// How long it has not answered.
    pub silent: Duration,
    /// Up to where its log is known to match.
    pub matching: Index,
    /// Since when it has been well without a break; none while it is not.
    pub well_since: Option<Timestamp>,
}

impl ServerSeen {
    /// Whether it answers and keeps up with the leader's log, which ends at `last_log`.
    pub fn is_well(&self, configuration: &AutopilotConfiguration, last_log: Index) -> bool {
        self.is_leader
            || (self.silent <= configuration.last_contact_threshold
                && self.matching + configuration.max_trailing_logs >= last_log)
    }

    fn is_dead(&self, configuration: &AutopilotConfiguration) -> bool {
        !self.is_leader && self.silent >= configuration.dead_server_after
    }
}

/// How many voters may fail, of those that are well now, before nothing can be committed any more.
pub fn failure_tolerance(seen: &[ServerSeen], configuration: &AutopilotConfiguration, last_log: Index) -> usize {
    let voters = seen.iter().filter(|server| server.is_voter).count();
    let well = seen.iter().filter(|server| server.is_voter && server.is_well(configuration, last_log)).count();
    well.saturating_sub(voters / 2 + 1)
}

/// The dead server to remove next; none if there is none, or none may be removed now.
pub fn next_removal(seen: &[ServerSeen], configuration: &AutopilotConfiguration) -> Option<ServerId> {
    if !configuration.cleanup_dead_servers {
        return None;
    }
    let dead = |server: &&ServerSeen| server.is_dead(configuration);
    // A learner has no vote that could be missed: it was joining and never arrived.
    if let Some(learner) = seen.iter().filter(|server| !server.is_voter).find(dead) {
        return Some(learner.id);
    }
    let voters: Vec<&ServerSeen> = seen.iter().filter(|server| server.is_voter).collect();
    let answering = voters.iter().filter(|server| {
        server.is_leader || server.silent <= configuration.last_contact_threshold.max(SILENCE_OF_LIVING)
    });
    let answering = answering.count();
    let left = voters.len().saturating_sub(1);
    let may = left >= configuration.min_quorum as usize && answering > voters.len() / 2 && answering > left / 2;
    // The one that has been silent longest goes first; of equals the oldest.
    let longest = voters.into_iter().filter(|server| server.is_dead(configuration));
    let longest = longest.max_by_key(|server| (server.silent, std::cmp::Reverse(server.id)));
    longest.filter(|_| may).map(|server| server.id)
}

/// Silence that a living server may show in any case: a slow disk is no death.
const SILENCE_OF_LIVING: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    /// Servers as `id:silent seconds`, with `*` for the leader and `+` for a learner.
    fn seen(text: &str) -> Vec<ServerSeen> {
        let server = |part: &str| {
            let (id, silent) = part.trim_end_matches(['*', '+']).split_once(':').unwrap();
            ServerSeen {
                id: id.parse().unwrap(),
                is_voter: !part.ends_with('+'),
                is_leader: part.ends_with('*'),
                silent: Duration::from_secs(silent.parse().unwrap()),
                matching: 100,
                well_since: None,
            }
        };
        text.split(' ').map(server).collect()
    }

    #[track_caller]
    fn check(servers: &str, wanted: Option<ServerId>) {
        let configuration =
            AutopilotConfiguration { dead_server_after: Duration::from_secs(60), ..AutopilotConfiguration::default() };
        assert_eq!(next_removal(&seen(servers), &configuration), wanted, "{servers}");
    }

    #[test]
    fn a_server_is_dead_after_the_configured_silence_and_not_before() {
        check("1:0* 2:0 3:0 4:59", None);
        check("1:0* 2:0 3:0 4:60", Some(4));
    }

    #[test]
    fn what_is_configured_unless_somebody_does_holds_at_its_limits() {
        let configuration = AutopilotConfiguration::default();
        let removed = |silent| {
            let mut servers = seen("1:0* 2:0 3:0 4:0");
            servers[3].silent = silent;
            next_removal(&servers, &configuration)
        };
        assert_eq!(removed(DEAD_SERVER_AFTER), Some(4));
        assert_eq!(removed(DEAD_SERVER_AFTER - Duration::from_millis(1)), None);
        let is_well = |silent| ServerSeen { silent, ..seen("2:0").remove(0) }.is_well(&configuration, 100);
        assert!(is_well(LAST_CONTACT_THRESHOLD));
        assert!(!is_well(LAST_CONTACT_THRESHOLD + Duration::from_millis(1)));
    }

    #[test]
    fn never_fewer_than_three_voters_are_left() {
        check("1:0* 2:0 3:900", None);
        check("1:0* 2:0 3:900 4:0", Some(3));
    }

    #[test]
    fn one_at_a_time_goes_and_the_longest_silent_first() {
        check("1:0* 2:70 3:0 4:80 5:0", Some(4));
        check("1:0* 2:70 3:0 5:0", Some(2));
        check("1:0* 2:70 3:0 4:70 5:0", Some(2));
    }

    #[test]
    fn nothing_goes_without_a_healthy_majority() {
        // Two of five answer: nothing could be committed, and the three may come back.
        check("1:0* 2:0 3:90 4:90 5:90", None);
        check("1:0* 2:0 3:0 4:90 5:90", Some(4));
        // Silent for a while, but not dead, is not healthy either.
        check("1:0* 2:0 3:30 4:30 5:90", None);
    }

    #[test]
    fn a_voter_answers_for_as_long_as_a_living_server_may_be_silent() {
        let configuration =
            AutopilotConfiguration { dead_server_after: Duration::from_secs(60), ..AutopilotConfiguration::default() };
        assert!(configuration.last_contact_threshold < SILENCE_OF_LIVING, "the longer of the two counts");
        let mut servers = seen("1:0* 2:0 3:0 4:0 5:90");
        // With both of these silent no three would answer.
        servers[1].silent = SILENCE_OF_LIVING + Duration::from_millis(1);
        servers[2].silent = SILENCE_OF_LIVING;
        assert_eq!(next_removal(&servers, &configuration), Some(5));
        servers[2].silent += Duration::from_millis(1);
        assert_eq!(next_removal(&servers, &configuration), None);
    }

    #[test]
    fn a_learner_that_never_arrived_goes_whatever_the_voters_do() {
        check("1:0* 2:0 3:70 4:60+", Some(4));
        check("1:0* 2:0 3:0 4:59+", None);
    }

    #[test]
    fn who_does_not_want_it_keeps_the_dead() {
        let configuration = AutopilotConfiguration { cleanup_dead_servers: false, ..AutopilotConfiguration::default() };
        assert_eq!(next_removal(&seen("1:0* 2:0 3:0 4:9999"), &configuration), None);
    }

    #[test]
    fn how_many_may_fail_counts_those_that_are_well() {
        let configuration = AutopilotConfiguration::default();
        assert_eq!(failure_tolerance(&seen("1:0* 2:0 3:0"), &configuration, 100), 1);
        assert_eq!(failure_tolerance(&seen("1:0* 2:0 3:9"), &configuration, 100), 0);
        assert_eq!(failure_tolerance(&seen("1:0* 2:0 3:0 4:0 5:0"), &configuration, 100), 2);
        // All but the leader are too far behind.
        assert_eq!(failure_tolerance(&seen("1:0* 2:0 3:0"), &configuration, 100 + TRAILING_LOGS_MAX), 1);
        assert_eq!(failure_tolerance(&seen("1:0* 2:0 3:0"), &configuration, 101 + TRAILING_LOGS_MAX), 0);
    }

    #[test]
    fn limits_of_the_configuration_are_said() {
        let with = |dead_server_after, min_quorum| AutopilotConfiguration {
            dead_server_after,
            min_quorum,
            ..AutopilotConfiguration::default()
        };
        assert_eq!(with(DEAD_SERVER_AFTER_MIN, VOTERS_KEPT).fault(), None);
        assert_eq!(with(DEAD_SERVER_AFTER_MIN, VOTERS_KEPT_MAX).fault(), None);
        let short = with(DEAD_SERVER_AFTER_MIN - Duration::from_millis(1), VOTERS_KEPT).fault();
        assert!(short.unwrap().contains("DeadServerAfter"));
        assert!(with(DEAD_SERVER_AFTER_MIN, VOTERS_KEPT - 1).fault().unwrap().contains("MinQuorum"));
        assert!(with(DEAD_SERVER_AFTER_MIN, VOTERS_KEPT_MAX + 1).fault().unwrap().contains("MinQuorum"));
    }
}
