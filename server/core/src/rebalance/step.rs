//! What a rebalance that was begun needs next: which moves are over, and which one may begin.
//!
//! Level-triggered, as drains are: asked again after every change and at [`Step::wake_at`]. A move begins only while it is
//! within every limit, its node has room, and it still pays; its original stops only when the replacement is healthy.

use std::sync::Arc;

use model::{Allocation, AllocationId, ClientStatus, Desired, NodeId, NodeStatus, Timestamp};

use super::may_stay;
use super::measure::holding;
use super::movable::kept_back;
use super::record::{Goal, Move, Rebalance, Stage, Status};
use super::search::pays;
use super::trial::{Stuck, Trial};
use crate::drain;
use crate::limits::REBALANCE_PATIENCE;
use crate::schedule::{Prospect, Scheduler};
use crate::state::State;

/// What a rebalance needs next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// The instance whose move begins.
    pub start: Option<AllocationId>,
    /// Moves that are over.
    pub ends: Vec<End>,
    /// Why no more shall move, if a move failed.
    pub abort: Option<String>,
    /// When to ask again at the latest.
    pub wake_at: Option<Timestamp>,
}

/// The end of a move.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct End {
    /// The allocation that was to move.
    pub allocation: AllocationId,
    /// How it ended.
    pub stage: Stage,
    /// Why, in words.
    pub detail: String,
}

impl Step {
    /// Whether there is nothing to do now.
    pub fn is_empty(&self) -> bool {
        self.start.is_none() && self.ends.is_empty() && self.abort.is_none()
    }
}

/// What the rebalance that is not over needs next.
pub fn next(state: &State, now: Timestamp) -> Step {
    let Some(rebalance) = state.rebalance().filter(|known| !known.status.is_over()) else { return Step::default() };
    let mut step = Step::default();
    for known in rebalance.moving() {
        if let Some((stage, detail)) = outcome(state, known) {
            step.ends.push(End { allocation: known.allocation, stage, detail });
        }
    }
    if rebalance.status != Status::Running {
        return step;
    }
    let failed = step.ends.iter().find(|end| end.stage == Stage::Failed);
    let name = |end: &End| rebalance.move_of(end.allocation).map(|known| known.name.clone()).unwrap_or_default();
    step.abort = failed.map(|end| format!("{}: {}", name(end), end.detail));
    step.abort = step.abort.or_else(|| rebalance.moves.iter().find_map(|known| relapse(state, known)));
    if step.is_empty() {
        begin_one(state, rebalance, now, &mut step);
    }
    step
}

/// How a move that began has ended; none while it goes on.
fn outcome(state: &State, known: &Move) -> Option<(Stage, String)> {
    let Some(original) = state.allocation(known.allocation) else {
        return Some((Stage::Skipped, "it is gone".into()));
    };
    let replacement = original.ties().next.and_then(|next| state.allocation(next));
    if let Some(replacement) = replacement {
        if let Some(how) = ails(replacement) {
            return Some((
                Stage::Failed,
                format!("its replacement {} on {} {how}", id(replacement), replacement.node_name),
            ));
        }
        let is_told = original.desired != Desired::Run;
        if is_told && replacement.is_well() {
            return Some((Stage::Done, format!("replacement {} is healthy", id(replacement))));
        }
        if !replacement.is_live() {
            let why = match replacement.desired {
                Desired::Stop(model::StopReason::Preempted) => "its replacement made way for other work",
                _ => "its replacement was not needed any more",
            };
            return Some((Stage::Skipped, why.into()));
        }
        if is_told && original.desired != Desired::Stop(model::StopReason::Migrated) {
            return Some((Stage::Skipped, "something else replaced it".into()));
        }
        return None;
    }
    if !original.is_live() {
        return Some((Stage::Skipped, "it ended by itself".into()));
    }
    if !original.migrate {
        return Some((Stage::Skipped, "it shall not move any more".into()));
    }
    if !may_stay(state, original) {
        return Some((Stage::Skipped, "its node drains or is out of contact".into()));
    }
    if status_of(state, known.to) == Some(NodeStatus::Suspect) {
        // It is heard again soon, or down.
        return None;
    }
    let unplaced = drain::unplaced(state, original)?;
    Some((Stage::Skipped, no_room(known, &drain::reasons(unplaced))))
}

fn status_of(state: &State, node: NodeId) -> Option<NodeStatus> {
    state.node(node).map(|node| node.status)
}

fn id(allocation: &Allocation) -> String {
    allocation.id.short().to_string()
}

fn no_room(known: &Move, reasons: &str) -> String {
    format!("{} does not take it any more ({reasons})", known.to_name)
}

/// What is wrong with a replacement that shall run; none if nothing is, as far as is known.
fn ails(replacement: &Allocation) -> Option<&'static str> {
    if replacement.desired != Desired::Run {
        return None;
    }
    match replacement.client_status {
        ClientStatus::Failed => Some("failed"),
        ClientStatus::Complete => Some("ended"),
        ClientStatus::Lost => Some("is lost"),
        ClientStatus::Unknown => Some("is out of contact"),
        ClientStatus::Pending | ClientStatus::Running => (replacement.healthy == Some(false)).then_some("is unhealthy"),
    }
}

/// Why a move that was done is none of the good ones any more.
fn relapse(state: &State, known: &Move) -> Option<String> {
    let original = Some(known).filter(|known| known.stage == Stage::Done);
    let replacement = state.allocation(state.allocation(original?.allocation)?.ties().next?)?;
    let how = ails(replacement)?;
    Some(format!("{}: its replacement {} on {} {how}", known.name, id(replacement), replacement.node_name))
}

/// What becomes of a move that waits.
enum Verdict {
    Starts,
    Waits,
    Skips(String),
}

/// Lets the first move begin that may, or skips the first that has become pointless.
fn begin_one(state: &State, rebalance: &Arc<Rebalance>, now: Timestamp, step: &mut Step) {
    let limits = rebalance.ask.limits;
    let moving = rebalance.moving().count();
    let patience_ends = rebalance.modified_at + REBALANCE_PATIENCE;
    let is_patient = moving > 0 || now < patience_ends;
    if moving == 0 {
        step.wake_at = Some(patience_ends);
    }
    if moving >= limits.at_once as usize {
        return;
    }
    // It remembers of the nodes what need not be read anew for each move.
    let mut scheduler = Scheduler::default();
    for known in rebalance.moves.iter().filter(|known| known.stage == Stage::Waiting) {
        let of_job = rebalance.moving().filter(|other| other.job == known.job).count();
        if of_job >= limits.per_job_at_once as usize {
            continue;
        }
        match judge(state, rebalance, known, &mut scheduler, now) {
            Verdict::Starts => {
                step.start = Some(known.allocation);
                return;
            }
            Verdict::Skips(detail) => {
                step.ends.push(End { allocation: known.allocation, stage: Stage::Skipped, detail });
                return;
            }
            Verdict::Waits if is_patient => {}
            Verdict::Waits => {
                let detail = "what it waited for took too long".into();
                step.ends.push(End { allocation: known.allocation, stage: Stage::Skipped, detail });
                return;
            }
        }
    }
}

/// Whether a move may begin now.
fn judge(state: &State, rebalance: &Rebalance, known: &Move, scheduler: &mut Scheduler, now: Timestamp) -> Verdict {
    let original = state.allocation(known.allocation).filter(|original| original.is_live());
    let Some(original) = original.filter(|original| original.node == known.from) else {
        return Verdict::Skips("it does not run there any more".into());
    };
    match kept_back(state, &rebalance.ask, original, now) {
        Some(reason) if reason.passes() => return Verdict::Waits,
        Some(reason) => return Verdict::Skips(reason.as_str().into()),
        None => {}
    }
    if drain::moving(state, original) >= drain::max_parallel(state, original) as usize {
        return Verdict::Waits;
    }
    let mut trial = Trial::of(state, &rebalance.ask, now);
    match trial.play(scheduler, known) {
        Ok(()) => {}
        // Nodes fall silent for a moment, not least when a server goes that served their agents.
        Err(_) if status_of(state, known.to).is_some_and(|status| status != NodeStatus::Ready) => {
            return Verdict::Waits;
        }
        // What moves now may make room.
        Err(_) if rebalance.moving().next().is_some() => return Verdict::Waits,
        Err(Stuck::NoRoom(reasons)) => return Verdict::Skips(no_room(known, &reasons)),
        Err(Stuck::Otherwise) => return Verdict::Skips("the cluster has changed".into()),
    }
    if still_pays(state, rebalance, known, scheduler, now) {
        Verdict::Starts
    } else {
        Verdict::Skips(match rebalance.ask.goal {
            Goal::Pack => format!("{} can't be freed any more", known.from_name),
            Goal::Spread | Goal::Empty(_) => "it no longer pays".into(),
        })
    }
}

/// Whether `known` brings the goal nearer once what moves now has moved.
fn still_pays(state: &State, rebalance: &Rebalance, known: &Move, scheduler: &mut Scheduler, now: Timestamp) -> bool {
    let mut trial = Trial::of(state, &rebalance.ask, now);
    // One that gets stuck is skipped some day; the others are judged as if it stayed.
    rebalance.moving().for_each(|moving| drop(trial.play(scheduler, moving)));
    let before = trial.state.clone();
    match rebalance.ask.goal {
        Goal::Empty(node) => known.from == node,
        Goal::Spread => {
            trial.play(scheduler, known).is_ok() && pays(&mut Prospect::default(), &before, &trial.state, known)
        }
        Goal::Pack => {
            let of_set = rebalance.moves.iter().filter(|other| other.set == known.set && other.stage == Stage::Waiting);
            let all = of_set.map(|other| trial.play(scheduler, other)).all(|played| played.is_ok());
            all && holding(&trial.state, known.from) == 0
        }
    }
}
