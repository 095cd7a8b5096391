//! Why a job does not run everywhere it should: what its next instance meets on each node, and what would help.
//!
//! Computed on a snapshot by the scheduler's own checks, so it can't disagree with it. Nothing is kept and nothing is
//! written: HTTP, CLI and UI show what comes out.

mod check;
mod hint;
mod node;
mod trial;
mod wait;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    Allocation, ClientStatus, Evaluation, EvaluationId, EvaluationStatus, Group, Index, JobKey, Misfit, NodeId,
    ReasonCount, Resources, Timestamp, Trigger, WaitBegan,
};

use crate::schedule::{Finding, Score, Standings, Survey, Surveyor, sum};
use crate::state::{JobRecord, State};

pub use check::{Check, Holder};
pub use hint::{Asks, Change, Dimension, Hint, Named, NewNode, NodeLimit, Slip};
pub use node::{Best, BlockedThere, GroupOnNode, JobOnNode, NodeAlone, node_alone, on_node};
pub use wait::{Attempt, Wait};

/// Why a job does not run everywhere it should, group by group.
#[derive(Clone, Debug, PartialEq)]
pub struct Why {
    /// The job.
    pub job: JobKey,
    /// Its current version.
    pub job_version: u64,
    /// Index of the state that was looked at.
    pub index: Index,
    /// Its groups, in the document's order.
    pub groups: Vec<GroupWhy>,
}

/// What the next instance of one group meets; of a job that is placed all at once and waits, the next one were those placed
/// that find room. `nodes_filtered + nodes_exhausted + nodes_fit` is `nodes_total`.
#[derive(Clone, Debug, PartialEq)]
pub struct GroupWhy {
    /// The group.
    pub group: String,
    /// Instances wanted; of a system job, nodes that are open to it. 0 for a stopped job.
    pub desired: u32,
    /// Instances that run.
    pub running: u32,
    /// Instances that found no room when last tried.
    pub unplaced: u32,
    /// The evaluation that waits for room for them.
    pub blocked: Option<Blocked>,
    /// What else it waits for, apart from room.
    pub waits: Vec<Wait>,
    /// What one instance asks for.
    pub ask: Resources,
    /// Cores that it asks for alone.
    pub cores: u32,
    /// Devices that it asks for, by the names that are written, with how many.
    pub devices: BTreeMap<String, u64>,
    /// Nodes that exist.
    pub nodes_total: u32,
    /// Nodes that could never take it as it is, each counted once.
    pub nodes_filtered: u32,
    /// Nodes that could but are too full, each counted once.
    pub nodes_exhausted: u32,
    /// Nodes that could take it now.
    pub nodes_fit: u32,
    /// How often each reason was met. A node counts under each of its reasons.
    pub reasons: BTreeMap<String, ReasonCount>,
    /// Every node with all that stands against it there, by name.
    pub nodes: Vec<NodeWhy>,
    /// What would let it in; empty where a node fits already.
    pub hints: Vec<Hint>,
}

/// An evaluation that waits for room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Its id.
    pub evaluation: EvaluationId,
    /// Since when it waits.
    pub since: Timestamp,
    /// What caused the evaluation that found no room first.
    pub cause: Trigger,
    /// When it was last tried again; none if nothing has happened since that could help.
    pub tried_at: Option<Timestamp>,
    /// Name of the node that had gained room before that, if it has not gained more since.
    pub tried_after: Option<String>,
}

/// One node and everything that stands against an instance there.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeWhy {
    /// The node.
    pub id: NodeId,
    /// Its name.
    pub name: String,
    /// Empty where it fits.
    pub misfits: Vec<Misfit>,
    /// What it is worth; none where it does not fit, and for system jobs, whose instances have a node each.
    pub score: Option<Score>,
    /// Its place among the nodes that fit, from 1; equals share one.
    pub rank: Option<u32>,
}

/// Explains a job; none if there is no such job.
pub fn why(state: &State, job: &JobKey) -> Option<Why> {
    let record = state.job(job)?;
    let version = record.current();
    let trial = trial::of(state, record);
    let mut surveyor = Surveyor::of(trial.as_ref().unwrap_or(state));
    let explain = |group| explain(state, trial.as_ref(), &mut surveyor, record, group);
    let groups = version.job.groups.iter().map(explain).collect();
    Some(Why { job: job.clone(), job_version: version.version, index: state.index(), groups })
}

fn explain(
    state: &State,
    trial: Option<&State>,
    surveyor: &mut Surveyor<'_>,
    record: &JobRecord,
    group: &Group,
) -> GroupWhy {
    let seen = trial.unwrap_or(state);
    // A wait that is over by the newest thing that happened is over.
    let survey = Survey::of(seen, record.current(), &group.name, seen.time());
    let standings = surveyor.standings(&survey);
    let findings = &standings.findings;
    let per_node = record.current().job.kind.is_per_node();
    let desired = match (record.stop, per_node) {
        (true, _) => 0,
        (false, false) => group.count,
        (false, true) => {
            let is_own = |finding: &&Finding| !finding.misfits.iter().any(Misfit::is_filter);
            findings.iter().filter(is_own).count() as u32
        }
    };
    let blocked_in = |state| blocked(state, &record.key);
    let unplaced_of = |known: Option<&Arc<Evaluation>>| {
        known.and_then(|known| known.unplaced.get(&group.name)).map_or(0, |unplaced| unplaced.count)
    };
    let (unplaced, lacking) = (unplaced_of(blocked_in(state)), unplaced_of(blocked_in(seen)));
    let is_running = |known: &&Arc<Allocation>| {
        known.group == group.name && known.is_live() && known.client_status == ClientStatus::Running
    };
    let nodes_fit = findings.iter().filter(|finding| finding.misfits.is_empty()).count() as u32;
    let is_stuck = lacking > 0 || (nodes_fit == 0 && trial.is_none());
    let waits = wait::waits(state, record, group);
    let mut hints = match is_stuck && !record.stop {
        true => hint::hints(seen, surveyor, &survey, findings, lacking),
        false => Vec::new(),
    };
    if trial.is_some() {
        hints.retain(|hint| trial::lets_all_in(state, record, &group.name, hint));
    }
    for hint in &mut hints {
        hint.behind = trial::comes_first(state, record, &group.name, hint);
    }
    let nodes = by_name(&standings);
    let sums = sum(group.ask(), standings.findings);
    GroupWhy {
        group: group.name.clone(),
        desired,
        running: state.allocations_of_job(&record.key).filter(is_running).count() as u32,
        unplaced,
        blocked: blocked_in(state).filter(|_| unplaced > 0).map(|known| Blocked::of(state, known, &group.name)),
        waits,
        ask: sums.ask,
        cores: group.cores(),
        devices: group.devices().into_iter().map(|(name, count)| (name.to_string(), count)).collect(),
        nodes_total: sums.nodes_total,
        nodes_filtered: sums.nodes_filtered,
        nodes_exhausted: sums.nodes_exhausted,
        nodes_fit,
        reasons: sums.reasons,
        nodes,
        hints,
    }
}

/// The evaluation of a job that waits for room.
fn blocked<'a>(state: &'a State, job: &JobKey) -> Option<&'a Arc<Evaluation>> {
    state.evaluations_of_job(job).find(|known| known.status == EvaluationStatus::Blocked)
}

impl Blocked {
    fn of(state: &State, known: &Evaluation, group: &str) -> Self {
        let began = state.wait_began(known, group);
        let began = began.unwrap_or(WaitBegan { at: known.created_at, by: known.trigger });
        // Its own plans are those that were tried for it again, if it is not the follower of one that waited before.
        let was_tried = known.attempts > 0;
        let tried_at = if was_tried { known.modified_at } else { known.created_at };
        let seen = state.gains_after(known.create_index).take_while(|(index, _)| *index <= known.snapshot_index);
        Self {
            evaluation: known.id,
            since: began.at,
            cause: began.by,
            tried_at: (was_tried || tried_at > began.at).then_some(tried_at),
            tried_after: seen.last().filter(|_| was_tried).and_then(|(_, id)| Some(state.node(id)?.name.clone())),
        }
    }
}

fn by_name(standings: &Standings) -> Vec<NodeWhy> {
    let ranks = ranks(standings);
    let of = |Finding { node, misfits, .. }: &Finding| NodeWhy {
        id: node.id,
        name: node.name.clone(),
        misfits: misfits.clone(),
        score: standings.scores.get(&node.id).copied(),
        rank: ranks.get(&node.id).copied(),
    };
    let mut nodes: Vec<_> = standings.findings.iter().map(of).collect();
    nodes.sort_by(|one, other| (&one.name, one.id).cmp(&(&other.name, other.id)));
    nodes
}

/// The place of each node that fits among those: one more than there are better ones.
fn ranks(standings: &Standings) -> BTreeMap<NodeId, u32> {
    let mut totals: Vec<_> = standings.scores.values().map(|score| score.total()).collect();
    totals.sort_unstable_by(|one, other| other.cmp(one));
    let better = |score: &Score| totals.partition_point(|total| *total > score.total());
    standings.scores.iter().map(|(node, score)| (*node, better(score) as u32 + 1)).collect()
}

#[cfg(test)]
mod tests {
    use model::testing::{job, node};

    use super::*;
    use crate::apply::apply;
    use crate::command::{Command, Entry};

    fn registered(nodes: Vec<model::Node>, job: model::Job) -> Why {
        let mut state = State::default();
        let key = job.key();
        let register = |node| Command::RegisterNode { node: Arc::new(node), session: None };
        let jobs = [Command::RegisterJob { job: Arc::new(job), check_index: None, submission: None }];
        for command in nodes.into_iter().map(register).chain(jobs) {
            let entry = Entry { at: Timestamp::default(), request: None, caller: String::new(), command };
            let index = state.index() + 1;
            apply(&mut state, index, 1, &entry);
        }
        why(&state, &key).expect("it was registered above")
    }

    fn hints(why: &Why) -> Vec<String> {
        why.groups[0].hints.iter().map(Hint::to_string).collect()
    }

    #[test]
    fn lowering_several_tasks_takes_from_the_largest() {
        let mut job = job("web");
        let twin = job.groups[0].tasks[0].clone();
        job.groups[0].tasks.push(twin);
        job.groups[0].tasks[0].resources.memory = 900;
        job.groups[0].tasks[1].resources.memory = 300;
        let why = registered(vec![node("n1").memory(1000)], job);
        assert_eq!(hints(&why)[0], "lower memory to 1000 MiB: fits 1 node");
    }

    #[test]
    fn an_ask_far_beyond_every_node_is_not_to_be_lowered() {
        let mut job = job("web");
        job.groups[0].tasks[0].resources.memory = 50_000;
        let why = registered(vec![node("n1").memory(1000)], job);
        assert_eq!(hints(&why), ["add one node of at least 100 MHz and 50000 MiB"]);
    }

    #[test]
    fn two_short_dimensions_are_lowered_together() {
        let mut job = job("web");
        job.groups[0].tasks[0].resources =
            model::TaskResources { cpu: 500, memory: 600, ..model::TaskResources::default() };
        let why = registered(vec![node("n1").cpu(400).memory(512)], job);
        assert_eq!(hints(&why)[0], "lower cpu to 400 MHz and memory to 512 MiB: fits 1 node");
    }
}
