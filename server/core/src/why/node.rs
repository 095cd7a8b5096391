//! One node looked at for one job: every check, and what the node is worth beside the one that is better. Or the node
//! alone: what is free, why it takes nothing new, and who waits for room and lacks what there.

use std::sync::Arc;

use model::{Allocation, EvaluationStatus, Group, Index, JobKey, Misfit, Node, NodeId, Resources};

use super::check::{Check, checks};
use super::{ranks, trial};
use crate::limits::BLOCKED_ON_NODE_MAX;
use crate::schedule::{Score, Standings, Survey, Surveyor, readiness};
use crate::state::{JobRecord, State};

/// One node for one job.
#[derive(Clone, Debug, PartialEq)]
pub struct JobOnNode {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub node_name: String,
    /// The job.
    pub job: JobKey,
    /// Its current version.
    pub job_version: u64,
    /// Index of the state that was looked at.
    pub index: Index,
    /// Its groups, in the document's order.
    pub groups: Vec<GroupOnNode>,
}

/// One node for the next instance of one group.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupOnNode {
    /// The group.
    pub group: String,
    /// Names of its instances that are there, `web.web[0]`.
    pub instances: Vec<String>,
    /// Everything that is asked of the node.
    pub checks: Vec<Check>,
    /// What the node is worth; none where it does not fit, and for system jobs.
    pub score: Option<Score>,
    /// Its place among the nodes that fit, from 1; equals share one.
    pub rank: Option<u32>,
    /// Nodes that fit.
    pub nodes_fit: u32,
    /// The node that the instance would be given.
    pub best: Option<Best>,
}

/// The node that an instance would be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Best {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// What it is worth.
    pub score: Score,
}

/// One node alone.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeAlone {
    /// The node.
    pub node: Arc<Node>,
    /// Index of the state that was looked at.
    pub index: Index,
    /// What closes it to new work; empty while it is open.
    pub closed: Vec<Misfit>,
    /// What allocations may hold in all.
    pub capacity: Resources,
    /// What they hold.
    pub held: Resources,
    /// What is free.
    pub free: Resources,
    /// What stands there, by name.
    pub allocations: Vec<Arc<Allocation>>,
    /// Groups that wait for room, in the order in which they would be tried, and what they lack there: not more than
    /// [`BLOCKED_ON_NODE_MAX`].
    pub blocked: Vec<BlockedThere>,
    /// How many groups wait in all.
    pub blocked_total: u32,
}

/// A group that waits for room.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockedThere {
    /// The job.
    pub job: JobKey,
    /// The group.
    pub group: String,
    /// Instances that wait.
    pub unplaced: u32,
    /// What stands against one on the node; empty where it would fit by now.
    pub misfits: Vec<Misfit>,
}

/// Looks at a node for a job; none if there is no such job or node.
pub fn on_node(state: &State, node: NodeId, job: &JobKey) -> Option<JobOnNode> {
    let (record, node) = (state.job(job)?, state.node(node)?);
    let trial = trial::of(state, record);
    let seen = trial.as_ref().unwrap_or(state);
    let mut surveyor = Surveyor::of(seen);
    let groups = &record.current().job.groups;
    let on_node = |group: &Group| group_on_node(state, seen, &mut surveyor, record, &group.name, node);
    Some(JobOnNode {
        node: node.id,
        node_name: node.name.clone(),
        job: job.clone(),
        job_version: record.current().version,
        index: state.index(),
        groups: groups.iter().map(on_node).collect(),
    })
}

/// What is so in `state`, and what the next instance meets, which is looked for in `seen`.
fn group_on_node(
    state: &State,
    seen: &State,
    surveyor: &mut Surveyor<'_>,
    record: &JobRecord,
    name: &str,
    node: &Node,
) -> GroupOnNode {
    let survey = Survey::of(seen, record.current(), name, seen.time());
    let standings = surveyor.standings(&survey);
    let is_here = |known: &&Arc<Allocation>| known.job == record.key && known.group == name && known.holds();
    let mut instances: Vec<_> = state.allocations_of_node(node.id).filter(is_here).map(|known| known.name()).collect();
    instances.sort();
    let found = standings.findings.iter().find(|finding| finding.node.id == node.id);
    let misfits = found.map(|finding| finding.misfits.clone()).unwrap_or_default();
    let checks = survey.group().map(|group| checks(seen, survey.job(), group, node, misfits));
    GroupOnNode {
        group: name.into(),
        instances,
        checks: checks.unwrap_or_default(),
        score: standings.scores.get(&node.id).copied(),
        rank: ranks(&standings).get(&node.id).copied(),
        nodes_fit: standings.findings.iter().filter(|finding| finding.misfits.is_empty()).count() as u32,
        best: best(&standings),
    }
}

fn best(standings: &Standings) -> Option<Best> {
    let node = standings.best?;
    let name = standings.findings.iter().find(|finding| finding.node.id == node)?.node.name.clone();
    Some(Best { node, name, score: *standings.scores.get(&node)? })
}

/// Looks at a node alone; none if there is no such node.
pub fn node_alone(state: &State, node: NodeId) -> Option<NodeAlone> {
    let node = state.node(node)?;
    let held = state.node_use(node.id).held;
    let mut allocations: Vec<_> = state.allocations_of_node(node.id).filter(|known| known.holds()).cloned().collect();
    allocations.sort_by_key(|known| (known.name(), known.id));
    let waiting = waiting(state);
    let mut surveyor = Surveyor::of(state);
    let lacks = |(record, group, unplaced): &(&JobRecord, String, u32)| {
        let trial = trial::of(state, record);
        let seen = trial.as_ref().unwrap_or(state);
        let survey = Survey::of(seen, record.current(), group, seen.time());
        let finding = match &trial {
            Some(trial) => Surveyor::of(trial).finding(&survey, node.id),
            None => surveyor.finding(&survey, node.id),
        };
        let misfits = finding?.misfits;
        Some(BlockedThere { job: record.key.clone(), group: group.clone(), unplaced: *unplaced, misfits })
    };
    Some(NodeAlone {
        node: node.clone(),
        index: state.index(),
        closed: readiness(node),
        capacity: node.capacity(),
        held,
        free: node.capacity() - held,
        allocations,
        blocked: waiting.iter().take(BLOCKED_ON_NODE_MAX).filter_map(lacks).collect(),
        blocked_total: waiting.len() as u32,
    })
}

/// The groups that wait for room, in the order in which they would be tried.
fn waiting(state: &State) -> Vec<(&JobRecord, String, u32)> {
    let mut blocked: Vec<_> = state.open_evaluations(EvaluationStatus::Blocked).collect();
    blocked.sort_by_key(|known| (std::cmp::Reverse(known.priority), known.create_index, known.id));
    let of_group = |known: &Arc<model::Evaluation>| {
        let record = state.job(&known.job);
        let groups: Vec<_> = known.unplaced.iter().map(|(group, unplaced)| (group.clone(), unplaced.count)).collect();
        let with_job = move |(group, count): (String, u32)| Some((&**record?, group, count));
        groups.into_iter().filter_map(with_job).collect::<Vec<_>>()
    };
    blocked.into_iter().flat_map(of_group).collect()
}
