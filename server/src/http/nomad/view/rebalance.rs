//! What a rebalance would do, and how far one is: our own views, followed by the CLI and the UI.

use model::{Index, JobKey};
use serde::Serialize;
use server_core::rebalance::{Ask, Goal, Held, Measure, Move, Proposal, Rebalance};
use server_core::state::State;

/// What a rebalance would do.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct ProposalView<'a> {
    #[serde(flatten)]
    ask: AskView<'a>,
    /// To be sent with the request that carries it out.
    check_index: Index,
    moves: Vec<MoveView<'a>>,
    before: MeasureView,
    after: MeasureView,
    disruptions: Vec<Disruption<'a>>,
    kept_back: Vec<KeptBack<'a>>,
    looked_at: u32,
    /// Whether a limit ended the search: there may be more.
    cut_short: bool,
}

/// A rebalance that was begun.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http) struct RebalanceView<'a> {
    /// `none`, or where it stands.
    status: &'static str,
    #[serde(flatten)]
    begun: Option<Begun<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Begun<'a> {
    /// Its name: the index of the entry that began it.
    rebalance: Index,
    #[serde(flatten)]
    ask: AskView<'a>,
    description: &'a str,
    total: usize,
    over: usize,
    moves: Vec<MoveView<'a>>,
    /// Nanoseconds since 1970.
    started_at: i64,
    /// Nanoseconds since 1970.
    modified_at: i64,
    modify_index: Index,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct AskView<'a> {
    goal: &'static str,
    #[serde(rename = "NodeID", skip_serializing_if = "Option::is_none")]
    node_id: Option<String>,
    #[serde(rename = "JobID", skip_serializing_if = "Option::is_none")]
    job_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    node_pool: Option<&'a str>,
    singletons: bool,
    max_moves: u32,
    max_at_once: u32,
    max_per_job: u32,
    /// Nanoseconds.
    cool_down: u64,
}

impl<'a> AskView<'a> {
    fn of(ask: &'a Ask) -> Self {
        let scope = &ask.scope;
        let of_job = scope.job.as_ref().map(|job| &*job.namespace);
        Self {
            goal: ask.goal.as_str(),
            node_id: match ask.goal {
                Goal::Empty(node) => Some(node.to_string()),
                Goal::Spread | Goal::Pack => None,
            },
            job_id: scope.job.as_ref().map(|job| &*job.id),
            namespace: of_job.or(scope.namespace.as_deref()),
            node_pool: scope.pool.as_deref(),
            singletons: scope.singletons,
            max_moves: ask.limits.moves,
            max_at_once: ask.limits.at_once,
            max_per_job: ask.limits.per_job_at_once,
            cool_down: u64::try_from(ask.limits.cool_down.as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MoveView<'a> {
    #[serde(rename = "AllocID")]
    alloc_id: String,
    name: &'a str,
    #[serde(rename = "JobID")]
    job_id: &'a str,
    namespace: &'a str,
    #[serde(rename = "FromID")]
    from_id: String,
    from: &'a str,
    #[serde(rename = "ToID")]
    to_id: String,
    to: &'a str,
    /// Moves of one set pay only together.
    set: u32,
    /// In a few words.
    gain: String,
    /// `waiting`, `moving`, `done`, `skipped` or `failed`.
    state: &'static str,
    detail: &'a str,
}

impl<'a> MoveView<'a> {
    fn of(goal: Goal, known: &'a Move) -> Self {
        Self {
            alloc_id: known.allocation.to_string(),
            name: &known.name,
            job_id: &known.job.id,
            namespace: &known.job.namespace,
            from_id: known.from.to_string(),
            from: &known.from_name,
            to_id: known.to.to_string(),
            to: &known.to_name,
            set: known.set,
            gain: known.gain.words(goal, &known.from_name),
            state: known.stage.as_str(),
            detail: &known.detail,
        }
    }
}

/// How well balanced a cluster is.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct MeasureView {
    /// Instances that would have to move for every spread to be met.
    out_of_place: f64,
    /// Pairs of instances of a service's group that share a node.
    crowded: u64,
    nodes_used: u32,
    fullest_percent: f64,
    emptiest_percent: f64,
    /// Instances on the node that shall be emptied.
    #[serde(skip_serializing_if = "Option::is_none")]
    left: Option<u32>,
}

impl MeasureView {
    fn of(measure: &Measure) -> Self {
        Self {
            out_of_place: measure.skew.out_of_place as f64 / 100.0,
            crowded: measure.skew.crowded,
            nodes_used: measure.nodes_used,
            fullest_percent: f64::from(measure.fullest_permille) / 10.0,
            emptiest_percent: f64::from(measure.emptiest_permille) / 10.0,
            left: measure.left,
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Disruption<'a> {
    #[serde(rename = "JobID")]
    job_id: &'a str,
    namespace: &'a str,
    moves: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct KeptBack<'a> {
    #[serde(rename = "JobID")]
    job_id: &'a str,
    namespace: &'a str,
    count: u32,
    reason: &'static str,
}

impl<'a> ProposalView<'a> {
    /// A proposal, as far as it is about jobs that `sees` lets through.
    pub(in crate::http) fn of(proposal: &'a Proposal, sees: impl Fn(&JobKey) -> bool) -> Self {
        let kept_back = |held: &'a Held| KeptBack {
            job_id: &held.job.id,
            namespace: &held.job.namespace,
            count: held.count,
            reason: held.reason.as_str(),
        };
        let disruptions = proposal.disruptions.iter().filter(|(job, _)| sees(job));
        Self {
            ask: AskView::of(&proposal.ask),
            check_index: proposal.check_index,
            moves: moves(proposal.ask.goal, &proposal.moves, &sees),
            before: MeasureView::of(&proposal.before),
            after: MeasureView::of(&proposal.after),
            disruptions: disruptions
                .map(|(job, moves)| Disruption { job_id: &job.id, namespace: &job.namespace, moves: *moves })
                .collect(),
            kept_back: proposal.held.iter().filter(|held| sees(&held.job)).map(kept_back).collect(),
            looked_at: proposal.looked_at,
            cut_short: proposal.is_cut_short,
        }
    }
}

impl<'a> RebalanceView<'a> {
    /// The rebalance that runs, or the last one, as far as it is about jobs that `sees` lets through.
    pub(in crate::http) fn of(state: &'a State, sees: impl Fn(&JobKey) -> bool) -> Self {
        let known = state.rebalance();
        Self {
            status: known.map_or("none", |known| known.status.as_str()),
            begun: known.map(|known| Begun::of(known, &sees)),
        }
    }
}

impl<'a> Begun<'a> {
    fn of(known: &'a Rebalance, sees: &impl Fn(&JobKey) -> bool) -> Self {
        Self {
            rebalance: known.index,
            ask: AskView::of(&known.ask),
            description: &known.description,
            total: known.moves.len(),
            over: known.moves.iter().filter(|one| one.stage.is_over()).count(),
            moves: moves(known.ask.goal, &known.moves, sees),
            started_at: known.started_at.nanoseconds(),
            modified_at: known.modified_at.nanoseconds(),
            modify_index: known.modify_index,
        }
    }
}

fn moves<'a>(goal: Goal, all: &'a [Move], sees: &impl Fn(&JobKey) -> bool) -> Vec<MoveView<'a>> {
    all.iter().filter(|known| sees(&known.job)).map(|known| MoveView::of(goal, known)).collect()
}

/// Index at which the rebalance that is shown last changed.
pub(in crate::http) fn index(state: &State) -> Index {
    state.rebalance().map_or(0, |known| known.modify_index)
}
