//! Nodes: registered, silent, heard again, drained, forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::old_bugs::{OldBug, is_on};
use model::{
    Allocation, ClientStatus, Desired, DrainOutcome, DrainStrategy, Eligibility, Index, JobKey, LastDrain, Node,
    NodeEvent, NodeId, NodeStatus, StopReason, Timestamp, Trigger,
};

use super::{Accepted, AtWork, Rejection, Wish};
use crate::command::{DrainSpec, Holder, NodeSession};
use crate::limits::NODE_EVENTS_KEPT;
use crate::rebalance::Stage;
use crate::reconnect;
use crate::state::{Change, NodeChange, State};

/// Stores what an agent says of its node: a new one, or one that returned or changed. What it says in a session after which
/// it has begun another is passed over.
pub(super) fn register(
    state: &mut State,
    work: &mut AtWork,
    described: &Node,
    session: Option<NodeSession>,
) -> Result<Accepted, Rejection> {
    if let Some(NodeSession::Within(session)) = session
        && state.is_past_session(described.id, session)
    {
        return Ok(Accepted::default());
    }
    let is_twin = |known: &&Arc<Node>| known.id != described.id && known.status != NodeStatus::Down;
    let twin = state.nodes_named(&described.name).find(is_twin).map(|twin| twin.id);
    if let Some(node) = twin {
        return Err(Rejection::NodeNameTaken { name: described.name.clone(), node });
    }
    if let Some(NodeSession::BegunBy(holder)) = session {
        check_holder(state, described.id, &holder)?;
    }
    let mut node = described.clone();
    let known = state.nodes.get(&described.id).cloned();
    let was_down = known.as_ref().is_some_and(|known| known.status == NodeStatus::Down);
    match &known {
        Some(known) => {
            node.eligibility = known.eligibility;
            node.drain = known.drain.clone();
            node.last_drain = known.last_drain.clone();
            node.events = known.events.clone();
            node.create_index = known.create_index;
            node.status = known.status;
            node.status_at = known.status_at;
            node.generation = known.generation;
            node.modify_index = known.modify_index;
        }
        None => {
            node.create_index = work.index;
            node.generation = work.index;
        }
    }
    super::volume::keep_known(state, &mut node);
    state.awaited.remove(&node.id);
    match session {
        Some(NodeSession::BegunBy(holder)) => {
            state.sessions.insert(node.id, work.index);
            state.holders.insert(node.id, holder);
        }
        Some(NodeSession::Begins) => {
            state.sessions.insert(node.id, work.index);
        }
        Some(NodeSession::Within(_)) | None => {}
    }
    if known.as_ref().is_some_and(|known| **known == node) && node.status == NodeStatus::Ready {
        return Ok(Accepted::default());
    }
    if node.status != NodeStatus::Ready {
        node.status = NodeStatus::Ready;
        node.status_at = work.at;
        let message = if known.is_some() { "Node is heard again" } else { "Node registered" };
        note(&mut node, work, "Cluster", message);
    }
    // What placement depends on may have changed in any way: plans made with the old description are out of date.
    node.generation = work.index;
    let id = node.id;
    save(state, work, node, NodeChange::Registered);
    if was_down {
        let silent_since = known.map_or(work.at, |known| known.status_at);
        settle_returned(state, work, id, silent_since);
    }
    node_differs(state, work, id);
    Ok(Accepted::default())
}

/// Whether that agent may be the node's: who has its key, and if it is on another host than before, once that one is silent.
pub fn check_holder(state: &State, node: NodeId, holder: &Holder) -> Result<(), Rejection> {
    let Some(known) = state.holder(node) else { return Ok(()) };
    if known.key != holder.key {
        return Err(Rejection::NodeOfAnother { node });
    }
    let is_heard = state.node(node).is_some_and(|node| node.status == NodeStatus::Ready);
    let is_elsewhere = known.host.is_some_and(|known| holder.host.is_some_and(|host| host != known));
    if is_heard && is_elsewhere { Err(Rejection::NodeIsElsewhere { node }) } else { Ok(()) }
}

/// Takes over what the leader's clocks found. Nodes that are gone or have that status already are passed over.
pub(super) fn set_status(
    state: &mut State,
    work: &mut AtWork,
    changes: &[(NodeId, NodeStatus)],
    seen: Option<Index>,
) -> Result<Accepted, Rejection> {
    for (id, status) in changes {
        let Some(node) = state.nodes.get(id) else { continue };
        // Whoever registered after the clocks were looked at is there: this entry may have waited for long.
        if seen.is_some_and(|seen| state.session(*id).is_some_and(|session| session > seen)) {
            continue;
        }
        if *status != NodeStatus::Suspect {
            state.awaited.remove(id);
        }
        // Out of `down` leads only a new registration, because what the node runs must be settled then.
        if node.status == *status || node.status == NodeStatus::Down {
            continue;
        }
        let mut node = Node::clone(node);
        node.status = *status;
        node.status_at = work.at;
        let message = match status {
            NodeStatus::Ready => "Node is heard again",
            NodeStatus::Suspect => "Node missed its beats",
            NodeStatus::Down => "Node is down: its beats stayed away",
            NodeStatus::Initializing => "Node is initializing",
        };
        note(&mut node, work, "Heartbeat", message);
        save(state, work, node, NodeChange::Status);
        match status {
            NodeStatus::Down => {
                lose_contact(state, work, *id);
                node_is_closed(state, work, *id, Trigger::NodeUpdate);
            }
            NodeStatus::Ready => node_is_open(state, work, *id),
            NodeStatus::Suspect | NodeStatus::Initializing => {}
        }
    }
    Ok(Accepted::default())
}

pub(super) fn set_eligibility(
    state: &mut State,
    work: &mut AtWork,
    id: NodeId,
    eligibility: Eligibility,
) -> Result<Accepted, Rejection> {
    let mut node = Node::clone(state.nodes.get(&id).ok_or(Rejection::NoSuchNode)?);
    if node.eligibility != eligibility {
        node.eligibility = eligibility;
        note(&mut node, work, "Cluster", &format!("Node marked as {}", eligibility.as_str()));
        save(state, work, node, NodeChange::Eligibility);
        match eligibility {
            Eligibility::Eligible => node_is_open(state, work, id),
            Eligibility::Ineligible => node_is_closed(state, work, id, Trigger::NodeUpdate),
        }
    }
    Ok(Accepted::default())
}

/// Begins, changes or ends a drain. A node that drains is closed for new work, and stays so when the drain is over.
pub(super) fn drain(
    state: &mut State,
    work: &mut AtWork,
    id: NodeId,
    spec: Option<&DrainSpec>,
    mark_eligible: bool,
    meta: &BTreeMap<String, String>,
) -> Result<Accepted, Rejection> {
    let mut node = Node::clone(state.nodes.get(&id).ok_or(Rejection::NoSuchNode)?);
    match spec {
        Some(spec) => {
            node.drain = Some(DrainStrategy {
                started_at: work.at,
                deadline: spec.deadline,
                ignore_system_jobs: spec.ignore_system_jobs,
            });
            node.eligibility = Eligibility::Ineligible;
            node.last_drain = Some(LastDrain {
                started_at: work.at,
                updated_at: work.at,
                outcome: DrainOutcome::Draining,
                meta: meta.clone(),
            });
            note(&mut node, work, "Drain", "Node drain strategy set");
        }
        None => {
            if node.drain.take().is_some() {
                close_drain(&mut node, work, DrainOutcome::Canceled);
                note(&mut node, work, "Drain", "Node drain canceled");
            }
            if mark_eligible {
                node.eligibility = Eligibility::Eligible;
            }
        }
    }
    let drains = node.drain.is_some();
    save(state, work, node, NodeChange::Drain);
    if drains {
        node_is_closed(state, work, id, Trigger::NodeDrain);
        // What a rebalance moves goes wherever there is room from now on.
        let is_promised = |known: &&Arc<Allocation>| {
            let planned = state.rebalance().and_then(|rebalance| rebalance.move_of(known.id));
            known.is_live() && planned.is_some_and(|planned| planned.stage == Stage::Moving)
        };
        let jobs = state.allocations_of_node(id).filter(is_promised).map(|known| known.job.clone()).collect();
        evaluate_jobs(state, work, jobs, Trigger::NodeDrain, id);
    } else {
        // Nothing has to move any more, save what is being replaced already and does not do badly.
        let moves = |allocation: &&Arc<Allocation>| allocation.migrate && allocation.is_live();
        let is_replaced = |allocation: &Allocation| {
            reconnect::stand_in(state, allocation).is_some_and(|stand_in| stand_in.healthy != Some(false))
        };
        let moving = state.allocations_of_node(id).filter(moves);
        let stay: Vec<_> = moving.filter(|allocation| !is_replaced(allocation)).cloned().collect();
        let jobs = stay.iter().map(|allocation| allocation.job.clone()).collect();
        for allocation in stay {
            match reconnect::stand_in(state, &allocation).is_some() {
                true => super::allocation::stay(state, work, &allocation),
                // What failed in its place stays known as its replacement, so that it is not placed anew.
                false => {
                    super::allocation::save(state, work, Allocation { migrate: false, ..(*allocation).clone() }, false);
                }
            }
        }
        evaluate_jobs(state, work, jobs, Trigger::NodeDrain, id);
        node_is_open(state, work, id);
    }
    Ok(Accepted::default())
}

/// Ends a drain whose node holds nothing any more.
pub(super) fn complete_drain(state: &mut State, work: &mut AtWork, id: NodeId) -> Result<Accepted, Rejection> {
    let mut node = Node::clone(state.nodes.get(&id).ok_or(Rejection::NoSuchNode)?);
    let Some(strategy) = node.drain.take() else { return Ok(Accepted::default()) };
    let counts = |allocation: &Allocation| {
        let stays = strategy.ignore_system_jobs && super::allocation::is_of_system_job(state, allocation);
        allocation.holds() && !stays
    };
    if state.allocations_of_node(id).any(|allocation| counts(allocation)) {
        return Err(Rejection::NotDrained);
    }
    close_drain(&mut node, work, DrainOutcome::Complete);
    note(&mut node, work, "Drain", "Node drain complete");
    save(state, work, node, NodeChange::Drain);
    // Somebody may have opened it meanwhile.
    node_is_open(state, work, id);
    Ok(Accepted::default())
}

/// Forgets a node. What it ran is lost: nobody will ever know.
pub(super) fn purge(state: &mut State, work: &mut AtWork, id: NodeId) -> Result<Accepted, Rejection> {
    state.nodes.get(&id).ok_or(Rejection::NoSuchNode)?;
    let mut jobs = BTreeSet::new();
    let lost: Vec<_> = state.allocations_of_node(id).filter(|allocation| allocation.holds()).cloned().collect();
    for allocation in lost {
        let mut allocation = (*allocation).clone();
        jobs.insert(allocation.job.clone());
        allocation.client_status = ClientStatus::Lost;
        allocation.client_description = Some("the node was purged".into());
        super::allocation::save(state, work, allocation, false);
    }
    super::volume::forget_those_of(state, work, id, &mut jobs);
    state.remove_node(id);
    state.port_cursors.remove(&id);
    state.remove_gain(id);
    state.indexes.nodes = work.index;
    state.changes.push(Change::Node { id, kind: NodeChange::Deregistered });
    evaluate_jobs(state, work, jobs, Trigger::NodeUpdate, id);
    Ok(Accepted::default())
}

/// Gives a node other volumes, so that plans made with the old ones are out of date.
pub(super) fn change_volumes(state: &mut State, work: &mut AtWork, id: NodeId, change: impl FnOnce(&State, &mut Node)) {
    let Some(known) = state.nodes.get(&id).cloned() else { return };
    let mut node = Node::clone(&known);
    change(state, &mut node);
    if node != *known {
        node.generation = work.index;
        save(state, work, node, NodeChange::Registered);
        node_differs(state, work, id);
    }
}

/// Marks what a silent node runs as unknown, and has it replaced.
fn lose_contact(state: &mut State, work: &mut AtWork, id: NodeId) {
    let mut jobs = BTreeSet::new();
    let affected: Vec<_> = state.allocations_of_node(id).filter(|allocation| allocation.holds()).cloned().collect();
    for allocation in affected {
        let mut allocation = (*allocation).clone();
        jobs.insert(allocation.job.clone());
        allocation.client_status = ClientStatus::Unknown;
        allocation.client_description = Some("the node is out of contact".into());
        super::allocation::save(state, work, allocation, false);
    }
    if !is_on(OldBug::LossUnnoticed) {
        evaluate_jobs(state, work, jobs, Trigger::NodeUpdate, id);
    }
}

/// Decides of what a node brings back that was silent since then. What its replacement stays for ends in this entry, so
/// that the agent never starts it. What stays itself keeps its replacement until the agent has said that it runs.
fn settle_returned(state: &mut State, work: &mut AtWork, id: NodeId, silent_since: Timestamp) {
    let returned: Vec<_> = state.allocations_of_node(id).filter(|allocation| allocation.is_live()).cloned().collect();
    let mut jobs = BTreeSet::new();
    for original in returned {
        // Its version may be an older one by now, and what is wanted in its place may still be looked for.
        jobs.insert(original.job.clone());
        let Some(stand_in) = reconnect::stand_in(state, &original).cloned() else { continue };
        let lost_at = reconnect::group_of(state, &original).and_then(|group| reconnect::lost_at(group, silent_since));
        let is_lost = lost_at.is_some_and(|at| at <= work.at);
        if is_lost || reconnect::keeps_replacement(state, &original, &stand_in) {
            let mut original = (*original).clone();
            original.desired = Desired::Stop(StopReason::Reconnected);
            super::allocation::save(state, work, original, true);
        }
    }
    evaluate_jobs(state, work, jobs, Trigger::NodeUpdate, id);
}

/// What was not placed may fit now, and what runs there may have no place there any more.
fn node_differs(state: &mut State, work: &mut AtWork, id: NodeId) {
    if state.nodes.get(&id).is_some_and(|node| node.is_schedulable()) {
        node_is_open(state, work, id);
    } else {
        node_is_closed(state, work, id, Trigger::NodeUpdate);
    }
}

/// Room may have appeared: blocked evaluations try again, and system jobs look at the node.
fn node_is_open(state: &mut State, work: &mut AtWork, id: NodeId) {
    let Some(node) = state.nodes.get(&id).cloned() else { return };
    if !node.is_schedulable() {
        return;
    }
    let system: BTreeSet<JobKey> = state
        .jobs
        .values()
        .filter(|record| !record.stop && record.current().job.kind.is_per_node())
        .map(|record| record.key.clone())
        .collect();
    evaluate_jobs(state, work, system, Trigger::NodeUpdate, id);
    state.put_gain(id);
}

/// What system jobs wanted on the node is waited for no longer, not even what failed there: their rollouts go on without it.
fn node_is_closed(state: &mut State, work: &mut AtWork, id: NodeId, trigger: Trigger) {
    let here = state.allocations_of_node(id).map(|known| &known.job);
    let is_system =
        |key: &&JobKey| state.job(key).is_some_and(|record| !record.stop && record.current().job.kind.is_per_node());
    let jobs = here.filter(is_system).cloned().collect();
    evaluate_jobs(state, work, jobs, trigger, id);
}

pub(super) fn evaluate_jobs(
    state: &mut State,
    work: &mut AtWork,
    jobs: BTreeSet<JobKey>,
    trigger: Trigger,
    node: NodeId,
) {
    for job in jobs {
        let wish = Wish { node: Some(node), ..Wish::of(state, &job, trigger) };
        work.evaluate(state, wish);
    }
}

fn close_drain(node: &mut Node, work: &AtWork, outcome: DrainOutcome) {
    if let Some(last) = &mut node.last_drain {
        last.outcome = outcome;
        last.updated_at = work.at;
    }
}

fn note(node: &mut Node, work: &AtWork, subsystem: &str, message: &str) {
    node.events.push(NodeEvent {
        at: work.at,
        subsystem: subsystem.into(),
        message: message.into(),
        index: work.index,
    });
    let excess = node.events.len().saturating_sub(NODE_EVENTS_KEPT);
    node.events.drain(..excess);
}

fn save(state: &mut State, work: &AtWork, mut node: Node, kind: NodeChange) {
    let id = node.id;
    node.modify_index = work.index;
    state.indexes.nodes = work.index;
    state.changes.push(Change::Node { id, kind });
    state.put_node(node);
    // Whether an instance answers depends on its node.
    let on_it: Vec<_> = state.allocations_of_node(id).map(|allocation| allocation.id).collect();
    for allocation in on_it.into_iter().filter(|_| !is_on(OldBug::CatalogForgetsNodes)) {
        state.derive_instances(allocation);
    }
}
