//! What a rebalance would do: its moves in order, what they bring and cost, and what is kept back.

use std::collections::BTreeMap;

use model::{Index, JobKey, Timestamp};

use super::measure::{Measure, measure};
use super::movable::{KeptBack, is_in, kept_back};
use super::record::{Ask, Goal, Move};
use super::search::Search;
use crate::state::State;

/// What a rebalance would do.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// What was asked.
    pub ask: Ask,
    /// Index of the last change of anything that it depends on, to be checked when it is carried out.
    pub check_index: Index,
    /// The moves, in the order in which they are to be made.
    pub moves: Vec<Move>,
    /// How well balanced the cluster is.
    pub before: Measure,
    /// How well balanced it is after all moves.
    pub after: Measure,
    /// Instances of each job that are replaced.
    pub disruptions: BTreeMap<JobKey, u32>,
    /// Instances that are not moved whatever it would bring.
    pub held: Vec<Held>,
    /// Instances that were looked at, some of them more than once.
    pub looked_at: u32,
    /// Whether a limit ended the search: there may be more.
    pub is_cut_short: bool,
}

/// Instances of a job that are kept back for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The job.
    pub job: JobKey,
    /// Why.
    pub reason: KeptBack,
    /// How many.
    pub count: u32,
}

/// Says which moves bring `state` nearer to what is asked.
pub fn propose(state: &State, ask: &Ask, now: Timestamp) -> Proposal {
    let mut search = Search::of(state, ask, now);
    let before = measure(&mut search.prospect, state, ask.goal);
    search.run();
    let after = measure(&mut search.prospect, &search.trial.state, ask.goal);
    let mut disruptions = BTreeMap::new();
    for planned in &search.moves {
        *disruptions.entry(planned.job.clone()).or_default() += 1;
    }
    Proposal {
        ask: ask.clone(),
        check_index: check_index(state),
        is_cut_short: search.is_cut_short(),
        looked_at: search.looked_at,
        moves: search.moves,
        before,
        after,
        disruptions,
        held: held(state, ask, now),
    }
}

/// Index of the last change of anything that a proposal depends on.
pub(crate) fn check_index(state: &State) -> Index {
    let indexes = state.indexes();
    let tables = [indexes.jobs, indexes.nodes, indexes.allocations, indexes.evaluations, indexes.deployments];
    tables.into_iter().fold(state.scheduler().1, Index::max)
}

fn held(state: &State, ask: &Ask, now: Timestamp) -> Vec<Held> {
    let mut counts: BTreeMap<(JobKey, KeptBack), u32> = BTreeMap::new();
    let concerned = state.allocations().filter(|known| match ask.goal {
        Goal::Spread | Goal::Pack => true,
        Goal::Empty(node) => known.node == node,
    });
    for known in concerned.filter(|known| known.is_live() && is_in(&ask.scope, state, known)) {
        if let Some(reason) = kept_back(state, ask, known, now) {
            *counts.entry((known.job.clone(), reason)).or_default() += 1;
        }
    }
    counts.into_iter().map(|((job, reason), count)| Held { job, reason, count }).collect()
}
