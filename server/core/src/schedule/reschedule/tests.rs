//! How much is remembered of earlier placements, and what that decides.

use model::{AllocationId, ClientStatus, Cohort, NodeId};

use super::*;

const HOUR: Duration = Duration::from_secs(3600);

/// An instance that failed at `at`, with this history.
fn failed(at: Timestamp, reschedules: Vec<RescheduleEvent>) -> Allocation {
    let cohort = Cohort { group: "web".into(), create_index: 1, created_at: at, ..Cohort::default() };
    let (id, node) = (AllocationId::derive(&[b"failed"]), NodeId::derive(&[b"n1"]));
    let mut failed = Allocation::placed(id, cohort.into(), node, "n1".into());
    failed.tie(|ties| ties.reschedules = reschedules);
    Allocation { client_status: ClientStatus::Failed, ..failed }
}

/// Fails and is placed anew `times` times, a second apart; what is remembered then, or none where the policy ends it.
fn after_failures(policy: &Reschedule, times: usize) -> Option<Vec<RescheduleEvent>> {
    let mut history = Vec::new();
    for number in 0..times {
        let at = Timestamp::from_seconds(1_000_000 + number as i64);
        match judge(&failed(at, history), Some(policy), at + policy.delay) {
            Verdict::Now(longer) => history = longer,
            Verdict::Later(_) => panic!("the delay is over"),
            Verdict::Never => return None,
        }
    }
    Some(history)
}

fn limited(attempts: u32, interval: Duration) -> Reschedule {
    let (delay, delay_function) = (Duration::ZERO, DelayFunction::Constant);
    Reschedule { attempts, interval, delay, delay_function, unlimited: false, ..Reschedule::default() }
}

#[test]
fn as_many_placements_are_remembered_as_the_limit() {
    let policy = Reschedule { unlimited: true, ..limited(0, HOUR) };
    let all = after_failures(&policy, RESCHEDULES_KEPT).expect("there is no end");
    assert_eq!(all.len(), RESCHEDULES_KEPT);
    let newest = after_failures(&policy, RESCHEDULES_KEPT + 1).expect("there is no end");
    assert_eq!((newest.len(), &newest[0]), (RESCHEDULES_KEPT, &all[1]), "the oldest is forgotten");
}

#[test]
fn more_attempts_than_are_remembered_otherwise_are_counted_and_end() {
    let attempts = RESCHEDULES_KEPT + 2;
    let policy = limited(attempts as u32, HOUR);
    assert_eq!(after_failures(&policy, attempts).map(|history| history.len()), Some(attempts));
    assert_eq!(after_failures(&policy, attempts + 1), None);
}

#[test]
fn attempts_that_are_out_of_the_interval_are_forgotten_beyond_the_limit() {
    // A second apart, only so many are within the interval at a time.
    let policy = limited(RESCHEDULES_KEPT as u32 + 2, Duration::from_secs(2));
    let history = after_failures(&policy, 10 * RESCHEDULES_KEPT).expect("they are never counted together");
    assert_eq!(history.len(), RESCHEDULES_KEPT);
}

#[test]
fn a_nodes_clock_that_is_wrong_neither_takes_the_pause_away_nor_makes_it_longer() {
    let (delay, delay_function) = (Duration::from_secs(30), DelayFunction::Constant);
    let policy = Reschedule { unlimited: true, delay, delay_function, ..Reschedule::default() };
    let placed_at = Timestamp::from_seconds(1_000_000);
    let heard_at = placed_at + Duration::from_secs(10);
    let due = |told: Timestamp| {
        let ended = model::TaskState { finished_at: Some(told), ..model::TaskState::default() };
        let tasks = std::collections::BTreeMap::from([("web".to_owned(), ended)]);
        let failed = Allocation {
            modified_at: heard_at,
            tasks: model::TaskStates::pack(&tasks),
            ..failed(placed_at, Vec::new())
        };
        match judge(&failed, Some(&policy), heard_at) {
            Verdict::Later(due) => due,
            other => panic!("{other:?} at once"),
        }
    };
    let right = placed_at + Duration::from_secs(7);
    assert_eq!(due(right), right + delay);
    assert_eq!(due(Timestamp::from_seconds(1_000_000 - 3_600)), placed_at + delay, "it is behind");
    assert_eq!(due(Timestamp::from_seconds(1_000_000 + 3_600)), heard_at + delay, "it is ahead");
}
