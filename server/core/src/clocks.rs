//! The leader's clocks over nodes: who is silent for how long, and what that means.
//!
//! Leader-local and never logged; a new leader starts all clocks anew. Times are monotonic, counted from any origin.
//! A node's clock starts when it is first seen in the state, and stands while the node is down: whoever registers, for
//! the first time or again, has its full time until the first beat.
//!
//! ```text
//!   Ready --3 beats silent--> Suspect --max(6 s, 6 beats) silent--> Down --registers--> Ready
//!                  \_______heard again______/
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::old_bugs::{OldBug, is_on};
use model::{Index, Node, NodeId, NodeStatus, Timestamp};

use crate::cow::CowMap;
use crate::limits::{LEASE_MAX, MASS_LOSS_NODES_MIN, down_after, suspect_after};
use crate::state::State;

/// Time between two nodes that are declared down while most of the cluster is silent.
const BRAKED_DOWN_INTERVAL: Duration = Duration::from_secs(10);
/// Share of silent nodes, in percent, beyond which the brake acts.
const BRAKE_PERCENT: usize = 55;

/// When each node was last heard.
#[derive(Clone, Debug, Default)]
pub struct NodeClocks {
    heard_at: BTreeMap<NodeId, Timestamp>,
    leases: BTreeMap<NodeId, Timestamp>,
    /// The session of each node's agent, as it was at the last look.
    sessions: BTreeMap<NodeId, Option<Index>>,
    last_down_at: Option<Timestamp>,
    /// Until then a node that was not heard since the restore is not declared down; none where there was none lately.
    awaited_until: Option<Timestamp>,
    /// Nodes that were heard while nodes are awaited.
    attached: BTreeSet<NodeId>,
    /// Nodes that were down at the last look.
    down: BTreeSet<NodeId>,
    /// What the last look found, if that was that nobody is silent.
    calm: Option<Calm>,
}

/// Nobody is silent, and beats can't change that: so no clock need be looked at before one could run out, as long as nodes
/// and their sessions are the same.
#[derive(Clone, Debug)]
struct Calm {
    until: Timestamp,
    nodes: CowMap<NodeId, Arc<Node>>,
    sessions: CowMap<NodeId, Index>,
}

/// What a look at the clocks found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Nodes whose status must change.
    pub changes: Vec<(NodeId, NodeStatus)>,
    /// Whether so many are silent that replacement is braked: a partition, not an outage. An operator should look.
    pub braked: bool,
}

impl NodeClocks {
    /// Clocks over the nodes of a cluster that was restored from a backup: they have to find it first, and until then
    /// their silence means nothing. They are suspect meanwhile.
    pub fn awaiting(until: Timestamp) -> Self {
        Self { awaited_until: Some(until), ..Self::default() }
    }

    /// A node's beat arrived; it ends a lease.
    pub fn heard(&mut self, node: NodeId, now: Timestamp) {
        // Where nobody looks before there is something to find, beats of strangers would be kept until then.
        if self.calm.as_ref().is_some_and(|calm| !calm.nodes.contains(&node)) {
            return;
        }
        self.heard_at.insert(node, now);
        if self.leases.remove(&node).is_some() {
            // Its silence counts again.
            self.calm = None;
        }
        if self.awaited_until.is_some() {
            self.attached.insert(node);
        }
    }

    /// A node's agent restarts on purpose: its silence means nothing for so long.
    pub fn lease(&mut self, node: NodeId, lease: Duration, now: Timestamp) {
        self.leases.insert(node, now + lease.min(LEASE_MAX));
        // It may be shorter than the one before.
        self.calm = None;
    }

    /// The leader itself stood still for so long until now, and heard nobody: that says nothing of nodes, whose clocks stood
    /// still too. Nobody was heard later than now all the same: a beat would set such a clock back.
    pub fn stood_still(&mut self, still: Duration, now: Timestamp) {
        for at in self.heard_at.values_mut() {
            *at = (*at + still).min(now);
        }
        for until in self.leases.values_mut() {
            *until = *until + still;
        }
    }

    /// What a look found is carried out now, which may have taken its time: the brake counts from there on.
    pub fn carried_out(&mut self, changes: &[(NodeId, NodeStatus)], now: Timestamp) {
        if changes.iter().any(|(_, status)| *status == NodeStatus::Down) {
            self.last_down_at = Some(now);
        }
    }

    /// Looks at the clocks: at all of them, unless nothing can have changed since the last look.
    pub fn look(&mut self, state: &State, now: Timestamp) -> Found {
        let is_calm = |calm: &Calm| {
            now < calm.until && calm.nodes.is_same(&state.nodes) && calm.sessions.is_same(&state.sessions)
        };
        if self.calm.as_ref().is_some_and(is_calm) {
            return Found::default();
        }
        let (found, calm_until) = self.look_at_all(state, now);
        self.calm =
            calm_until.map(|until| Calm { until, nodes: state.nodes.clone(), sessions: state.sessions.clone() });
        found
    }

    /// Looks at all clocks. Where nobody is silent: until when that is so at least.
    fn look_at_all(&mut self, state: &State, now: Timestamp) -> (Found, Option<Timestamp>) {
        self.heard_at.retain(|id, _| state.node(*id).is_some());
        self.sessions.retain(|id, _| state.node(*id).is_some());
        if self.awaited_until.is_some_and(|until| now >= until) {
            self.awaited_until = None;
            self.attached.clear();
        }
        let nodes = state.node_count();
        let (suspect_after, down_after) = (suspect_after(nodes), down_after(nodes));
        let were_down = std::mem::take(&mut self.down);
        let mut found = Found::default();
        let mut silent = 0;
        let mut down = Vec::new();
        let mut calm_until = Timestamp(i64::MAX);
        for node in state.nodes() {
            // Whoever registers is there, though its first beat may still be on its way.
            let session = state.session(node.id);
            if self.sessions.insert(node.id, session).is_some_and(|before| before != session)
                || were_down.contains(&node.id)
            {
                self.heard_at.insert(node.id, now);
            }
            if node.status == NodeStatus::Down {
                self.down.insert(node.id);
                silent += 1;
                continue;
            }
            let was_awaited = self.awaited_until.is_some() && state.is_awaited(node.id);
            let is_awaited = was_awaited && !self.attached.contains(&node.id);
            match self.judge(node, now, suspect_after, down_after, is_awaited) {
                // A clock that just began says nothing of a node that is awaited.
                NodeStatus::Ready if is_awaited => {}
                // Where it was awaited, the next leader must know that it came.
                NodeStatus::Ready if node.status == NodeStatus::Suspect || was_awaited => {
                    found.changes.push((node.id, NodeStatus::Ready));
                }
                NodeStatus::Suspect if node.status == NodeStatus::Ready => {
                    silent += 1;
                    found.changes.push((node.id, NodeStatus::Suspect));
                }
                NodeStatus::Down => {
                    silent += 1;
                    down.push(node.id);
                }
                NodeStatus::Suspect => silent += 1,
                NodeStatus::Ready | NodeStatus::Initializing => {}
            }
            // The clock of one that was never heard begins with the end of its lease.
            let runs_out = self.heard_at.get(&node.id).map(|heard| *heard + suspect_after);
            calm_until = self.leases.get(&node.id).copied().max(runs_out).map_or(calm_until, |at| calm_until.min(at));
        }
        found.braked = nodes >= MASS_LOSS_NODES_MIN && silent * 100 > nodes * BRAKE_PERCENT && !down.is_empty();
        if found.braked {
            let may = self.last_down_at.is_none_or(|last| now.since(last) >= BRAKED_DOWN_INTERVAL);
            down.truncate(usize::from(may));
        }
        if !down.is_empty() {
            self.last_down_at = Some(now);
        }
        let is_calm = silent == self.down.len() && found.changes.is_empty() && self.awaited_until.is_none();
        found.changes.extend(down.into_iter().map(|id| (id, NodeStatus::Down)));
        (found, is_calm.then_some(calm_until))
    }

    fn judge(
        &mut self,
        node: &Node,
        now: Timestamp,
        suspect_after: Duration,
        down_after: Duration,
        is_awaited: bool,
    ) -> NodeStatus {
        if self.leases.get(&node.id).is_some_and(|until| now < *until) {
            return node.status;
        }
        let begins = if is_on(OldBug::ClocksNotStarted) { Timestamp::default() } else { now };
        let heard = self.heard_at.entry(node.id).or_insert(begins);
        match now.since(*heard) {
            silence if silence >= down_after && !is_awaited => NodeStatus::Down,
            silence if silence >= suspect_after => NodeStatus::Suspect,
            _ => NodeStatus::Ready,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::testing::node;
    use proptest::prelude::*;

    use super::*;
    use crate::apply::{Answer, apply};
    use crate::command::{Command, Entry};
    use crate::limits::{BEAT_INTERVAL_MIN, DOWN_AFTER, SUSPECT_AFTER_BEATS};

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
        assert!(
            found.contains(&(came, NodeStatus::Down)) && found.contains(&(awaited, NodeStatus::Suspect)),
            "{found:?}"
        );
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
                    Event::Heard | Event::Lease(_) | Event::StoodStill | Event::Nothing => {}
                }
                tireless.calm = None;
                prop_assert_eq!(clocks.look(&state, now), tireless.look(&state, now));
                now = now + Duration::from_millis(pause);
            }
        }
    }
}
