//! What the clocks find, and when.

use std::sync::Arc;

use model::testing::node;
use proptest::prelude::*;

use super::*;
use crate::apply::{Answer, apply};
use crate::command::{Command, Entry};
use crate::limits::{BEAT_INTERVAL_MIN, BEAT_STRETCH_MAX, BEAT_STRETCH_NODES_MIN, DOWN_AFTER, SUSPECT_AFTER_BEATS};

const INSTANT: Duration = Duration::from_nanos(1);

fn cluster(nodes: usize) -> State {
    let nodes = (0..nodes).map(|number| node(&format!("n{number}")));
    State { nodes: nodes.map(|node| (node.id, Arc::new(node))).collect(), ..State::default() }
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds)
}

#[test]
fn a_silent_node_is_suspect_after_three_beats_and_down_after_six_seconds() {
    let state = cluster(1);
    let id = node("n0").id;
    let mut clocks = NodeClocks::default();
    clocks.heard(id, seconds(10));
    let suspect_after = BEAT_INTERVAL_MIN * SUSPECT_AFTER_BEATS;
    assert_eq!(clocks.look(&state, seconds(10) + (suspect_after - INSTANT)).changes, []);
    assert_eq!(clocks.look(&state, seconds(10) + suspect_after).changes, [(id, NodeStatus::Suspect)]);
    assert_eq!(clocks.look(&state, seconds(10) + (DOWN_AFTER - INSTANT)).changes, [(id, NodeStatus::Suspect)]);
    assert_eq!(clocks.look(&state, seconds(10) + DOWN_AFTER).changes, [(id, NodeStatus::Down)]);
}

#[test]
fn after_a_restore_a_node_that_was_never_heard_is_awaited_and_one_that_was_is_not() {
    let mut state = cluster(2);
    state.await_nodes();
    let (came, awaited) = (node("n0").id, node("n1").id);
    let until = seconds(100);
    let mut clocks = NodeClocks::awaiting(until);
    assert_eq!(clocks.look(&state, seconds(10)).changes, []);
    clocks.heard(came, seconds(10));
    assert_eq!(clocks.look(&state, seconds(10)).changes, [(came, NodeStatus::Ready)]);
    let found = clocks.look(&state, seconds(10) + DOWN_AFTER).changes;
    assert!(found.contains(&(came, NodeStatus::Down)) && found.contains(&(awaited, NodeStatus::Suspect)), "{found:?}");
    let last = Timestamp(until.nanoseconds() - 1);
    assert!(!clocks.look(&state, last).changes.contains(&(awaited, NodeStatus::Down)));
    assert!(clocks.look(&state, until).changes.contains(&(awaited, NodeStatus::Down)));
}

#[test]
fn a_leader_that_follows_awaits_only_nodes_that_no_leader_has_heard_since_the_restore() {
    let mut state = cluster(2);
    state.await_nodes();
    let (came, awaited) = (node("n0").id, node("n1").id);
    let changes = vec![(came, NodeStatus::Ready)];
    let command = Command::SetNodeStatus { changes, seen: None, term: 0 };
    let entry = Entry { at: seconds(1), request: None, caller: String::new(), command };
    assert!(matches!(apply(&mut state, 1, 0, &entry).answer, Answer::Accepted(_)));
    assert!(!state.is_awaited(came) && state.is_awaited(awaited));
    let mut clocks = NodeClocks::awaiting(seconds(100));
    clocks.look(&state, seconds(10));
    let found = clocks.look(&state, seconds(10) + DOWN_AFTER).changes;
    assert_eq!(found, [(awaited, NodeStatus::Suspect), (came, NodeStatus::Down)]);
}

#[test]
fn each_beat_gives_a_node_its_full_time() {
    let state = cluster(1);
    let id = node("n0").id;
    let mut clocks = NodeClocks::default();
    for second in 0..60 {
        clocks.heard(id, seconds(second));
        assert_eq!(clocks.look(&state, seconds(second) + (BEAT_INTERVAL_MIN - INSTANT)).changes, []);
    }
}

#[test]
fn a_node_that_is_forgotten_has_no_clock_any_more() {
    let mut clocks = NodeClocks::default();
    clocks.heard(node("n0").id, seconds(0));
    assert_eq!(clocks.look(&cluster(0), seconds(50)), Found::default());
    assert_eq!(clocks.look(&cluster(1), seconds(100)).changes, [], "one of the same id begins anew");
}

#[test]
fn a_new_leader_gives_every_node_its_full_time() {
    let state = cluster(1);
    let mut clocks = NodeClocks::default();
    assert_eq!(clocks.look(&state, seconds(100)).changes, []);
    assert_eq!(clocks.look(&state, seconds(102)).changes, []);
    assert_eq!(clocks.look(&state, seconds(106)).changes, [(node("n0").id, NodeStatus::Down)]);
}

#[test]
fn a_node_that_registers_late_or_again_has_its_full_time() {
    let late = node("n1").id;
    let mut state = cluster(1);
    let mut clocks = NodeClocks::default();
    clocks.heard(node("n0").id, seconds(0));
    state.nodes = cluster(2).nodes;
    clocks.heard(node("n0").id, seconds(1000));
    assert_eq!(clocks.look(&state, seconds(1000)).changes, [], "it has just been seen for the first time");

    let mut down = node("n1");
    down.status = NodeStatus::Down;
    state.nodes.insert(late, Arc::new(down));
    clocks.heard(node("n0").id, seconds(2000));
    assert_eq!(clocks.look(&state, seconds(2000)).changes, []);
    state.nodes = cluster(2).nodes;
    assert_eq!(clocks.look(&state, seconds(2002)).changes, [], "it came back since, and has not beaten yet");
}

#[test]
fn a_node_whose_agent_begins_a_session_has_its_full_time_though_its_beats_are_late() {
    let mut state = cluster(2);
    let id = node("n0").id;
    let mut clocks = NodeClocks::default();
    state.sessions.insert(id, 7);
    assert_eq!(clocks.look(&state, seconds(0)).changes, []);
    state.sessions.insert(id, 9);
    let almost = seconds(0) + (DOWN_AFTER - INSTANT);
    assert!(!clocks.look(&state, almost).changes.iter().any(|(one, _)| *one == id));
    let later = almost + (DOWN_AFTER - INSTANT);
    assert!(!clocks.look(&state, later).changes.contains(&(id, NodeStatus::Down)));
    assert!(clocks.look(&state, almost + DOWN_AFTER).changes.contains(&(id, NodeStatus::Down)));
}

#[test]
fn a_lease_holds_the_verdict_back_and_is_capped() {
    let state = cluster(1);
    let mut clocks = NodeClocks::default();
    clocks.heard(node("n0").id, seconds(0));
    clocks.lease(node("n0").id, LEASE_MAX + INSTANT, seconds(0));
    assert_eq!(clocks.look(&state, seconds(0) + (LEASE_MAX - INSTANT)).changes, []);
    assert_eq!(clocks.look(&state, seconds(0) + LEASE_MAX).changes, [(node("n0").id, NodeStatus::Down)]);
}

#[test]
fn time_in_which_the_leader_stood_still_counts_for_no_node() {
    let state = cluster(2);
    let mut clocks = NodeClocks::default();
    clocks.heard(node("n0").id, seconds(0));
    clocks.lease(node("n1").id, DOWN_AFTER, seconds(0));
    clocks.stood_still(Duration::from_secs(60), seconds(60));
    assert_eq!(clocks.look(&state, seconds(60)).changes, []);
    assert_eq!(clocks.look(&state, seconds(60) + DOWN_AFTER).changes, [(node("n0").id, NodeStatus::Down)]);
}

#[test]
fn when_most_of_ten_nodes_fall_silent_one_is_replaced_at_a_time() {
    let state = cluster(MASS_LOSS_NODES_MIN);
    let mut clocks = NodeClocks::default();
    clocks.look(&state, seconds(0));
    for number in 0..4 {
        clocks.heard(node(&format!("n{number}")).id, seconds(10));
    }
    let found = clocks.look(&state, seconds(10));
    assert!(found.braked);
    assert_eq!(found.changes.len(), 1);
    assert_eq!(clocks.look(&state, seconds(11)).changes, []);
}

#[test]
fn the_brake_acts_beyond_its_share_and_lets_one_go_at_each_interval() {
    let silent_of_a_hundred = |silent: usize| {
        let state = cluster(100);
        let mut clocks = NodeClocks::default();
        clocks.look(&state, seconds(0));
        for number in silent..100 {
            clocks.heard(node(&format!("n{number}")).id, seconds(10));
        }
        let found = clocks.look(&state, seconds(10));
        (state, clocks, found)
    };
    let downs = |found: &Found| found.changes.iter().filter(|(_, status)| *status == NodeStatus::Down).count();
    let (_, _, found) = silent_of_a_hundred(BRAKE_PERCENT);
    assert_eq!((found.braked, downs(&found)), (false, BRAKE_PERCENT));
    let (state, mut clocks, found) = silent_of_a_hundred(BRAKE_PERCENT + 1);
    assert_eq!((found.braked, downs(&found)), (true, 1));
    for number in BRAKE_PERCENT + 1..100 {
        clocks.heard(node(&format!("n{number}")).id, seconds(10) + BRAKED_DOWN_INTERVAL);
    }
    let mut later = clocks.clone();
    assert_eq!(downs(&clocks.look(&state, seconds(10) + (BRAKED_DOWN_INTERVAL - INSTANT))), 0);
    assert_eq!(downs(&clocks.look(&state, seconds(10) + BRAKED_DOWN_INTERVAL)), 1);
    // What was found is in the log only a moment later.
    later.carried_out(&found.changes, seconds(10) + INSTANT);
    assert_eq!(downs(&later.look(&state, seconds(10) + BRAKED_DOWN_INTERVAL)), 0);
    assert_eq!(downs(&later.look(&state, seconds(10) + BRAKED_DOWN_INTERVAL + INSTANT)), 1);
}

#[test]
fn in_a_small_cluster_nothing_is_braked() {
    let state = cluster(MASS_LOSS_NODES_MIN - 1);
    let mut clocks = NodeClocks::default();
    clocks.look(&state, seconds(0));
    let found = clocks.look(&state, seconds(6));
    assert!(!found.braked);
    assert_eq!(found.changes.len(), MASS_LOSS_NODES_MIN - 1);
}

/// Something that may happen to one of three nodes between two looks.
#[derive(Clone, Debug)]
enum Event {
    Heard,
    Lease(u64),
    GoneBy(u64),
    Session,
    Status(NodeStatus),
    Gone,
    StoodStill,
    Nothing,
}

fn event() -> impl Strategy<Value = Event> {
    const STATUSES: [NodeStatus; 4] =
        [NodeStatus::Ready, NodeStatus::Suspect, NodeStatus::Down, NodeStatus::Initializing];
    prop_oneof![
        12 => Just(Event::Heard),
        1 => (0..9u64).prop_map(Event::Lease),
        1 => (0..4u64).prop_map(Event::GoneBy),
        1 => Just(Event::Session),
        2 => proptest::sample::select(&STATUSES[..]).prop_map(Event::Status),
        1 => Just(Event::Gone),
        1 => Just(Event::StoodStill),
        3 => Just(Event::Nothing),
    ]
}

proptest! {
    #[test]
    fn a_look_that_is_spared_would_have_found_nothing(
        events in prop::collection::vec((0..3usize, event(), 0..1500u64), 1..120),
        is_restored: bool,
    ) {
        let mut state = cluster(3);
        let mut now = seconds(100);
        let mut clocks = NodeClocks::default();
        if is_restored {
            state.await_nodes();
            clocks = NodeClocks::awaiting(now + Duration::from_secs(3));
        }
        // It looks at all clocks each time.
        let mut tireless = clocks.clone();
        for (index, (of, event, pause)) in events.into_iter().enumerate() {
            let mut node = node(&format!("n{of}"));
            let id = node.id;
            for each in [&mut clocks, &mut tireless] {
                match event {
                    Event::Heard => each.heard(id, now),
                    Event::Lease(seconds) => each.lease(id, Duration::from_secs(seconds), now),
                    Event::GoneBy(seconds) => each.gone_by(Duration::from_secs(seconds), now),
                    Event::StoodStill => each.stood_still(Duration::from_secs(2), now),
                    Event::Session | Event::Status(_) | Event::Gone | Event::Nothing => {}
                }
            }
            match event {
                Event::Session => drop(state.sessions.insert(id, index as Index)),
                Event::Gone => drop(state.nodes.remove(&id)),
                Event::Status(status) => {
                    node.status = status;
                    state.nodes.insert(id, Arc::new(node));
                }
                Event::Heard | Event::Lease(_) | Event::GoneBy(_) | Event::StoodStill | Event::Nothing => {}
            }
            tireless.calm = None;
            prop_assert_eq!(clocks.look(&state, now), tireless.look(&state, now));
            now = now + Duration::from_millis(pause);
        }
    }
}

#[test]
fn where_the_beats_of_many_nodes_come_late_they_are_borne_with_for_longer_and_in_a_small_cluster_not() {
    let lost_after_six_seconds = |nodes: usize| {
        let state = cluster(nodes);
        let ids: Vec<NodeId> = state.nodes().map(|node| node.id).collect();
        let mut clocks = NodeClocks::default();
        let late = BEAT_INTERVAL_MIN + Duration::from_millis(301);
        let mut at = seconds(100);
        for _ in 0..4 {
            at = at + late;
            ids.iter().for_each(|id| clocks.heard(*id, at));
            assert_eq!(clocks.look(&state, at).changes, []);
        }
        let found = clocks.look(&state, at + DOWN_AFTER).changes;
        let lost = found.iter().filter(|(_, status)| *status == NodeStatus::Down).count();
        (clocks.beat_interval(nodes), lost)
    };
    assert_eq!(lost_after_six_seconds(MASS_LOSS_NODES_MIN - 1), (BEAT_INTERVAL_MIN, MASS_LOSS_NODES_MIN - 1));
    assert_eq!(lost_after_six_seconds(BEAT_STRETCH_NODES_MIN), (2 * BEAT_INTERVAL_MIN, 0));
}

#[test]
fn a_new_leader_bears_with_agents_that_go_by_what_the_one_before_asked() {
    let state = cluster(BEAT_STRETCH_NODES_MIN);
    let long = BEAT_INTERVAL_MIN * BEAT_STRETCH_MAX;
    let silent_for_a_beat = |told: bool| {
        let mut clocks = NodeClocks::default();
        clocks.look(&state, seconds(100));
        if told {
            clocks.gone_by(long, seconds(100));
        }
        clocks.look(&state, seconds(100) + long).changes.len()
    };
    assert_eq!(silent_for_a_beat(true), 0);
    assert_eq!(silent_for_a_beat(false), BEAT_STRETCH_NODES_MIN, "suspect, if no server says it");
}
