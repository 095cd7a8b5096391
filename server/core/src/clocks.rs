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

mod beats;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::old_bugs::{OldBug, is_on};
use model::{Index, Node, NodeId, NodeStatus, Timestamp};

use self::beats::BeatInterval;
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
    beat_interval: BeatInterval,
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
    /// What agents might go by.
    beat_interval: Duration,
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
        if let Some(before) = self.heard_at.insert(node, now) {
            self.beat_interval.heard(now.since(before), now);
        }
        if self.leases.remove(&node).is_some() {
            // Its silence counts again.
            self.calm = None;
        }
        if self.awaited_until.is_some() {
            self.attached.insert(node);
        }
    }

    /// How often agents of a cluster of so many nodes are asked to beat.
    pub fn beat_interval(&self, nodes: usize) -> Duration {
        self.beat_interval.asked(nodes)
    }

    /// A server's agents go by `interval`, it says.
    pub fn gone_by(&mut self, interval: Duration, now: Timestamp) {
        self.beat_interval.gone_by(interval, now);
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
        self.beat_interval.look(state.node_count(), now);
        let beat_interval = self.beat_interval.longest(now);
        let is_calm = |calm: &Calm| {
            now < calm.until
                && beat_interval == calm.beat_interval
                && calm.nodes.is_same(&state.nodes)
                && calm.sessions.is_same(&state.sessions)
        };
        if self.calm.as_ref().is_some_and(is_calm) {
            return Found::default();
        }
        let (found, calm_until) = self.look_at_all(state, now, beat_interval);
        self.calm = calm_until.map(|until| Calm {
            until,
            beat_interval,
            nodes: state.nodes.clone(),
            sessions: state.sessions.clone(),
        });
        found
    }

    /// Looks at all clocks. Where nobody is silent: until when that is so at least.
    fn look_at_all(&mut self, state: &State, now: Timestamp, beat_interval: Duration) -> (Found, Option<Timestamp>) {
        self.heard_at.retain(|id, _| state.node(*id).is_some());
        self.sessions.retain(|id, _| state.node(*id).is_some());
        if self.awaited_until.is_some_and(|until| now >= until) {
            self.awaited_until = None;
            self.attached.clear();
        }
        let nodes = state.node_count();
        let (suspect_after, down_after) = (suspect_after(beat_interval), down_after(beat_interval));
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
