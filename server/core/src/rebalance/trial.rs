//! Plays moves on a copy of the state, from the wish to the end of the original, with the scheduler and `apply`
//! themselves: what is promised is what will happen on an unchanged state.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    Allocation, AllocationId, ClientStatus, Desired, Evaluation, EvaluationStatus, JobKey, NodeId, Observation,
    Timestamp,
};

use super::record::{Ask, Move, Rebalance, Stage, Status};
use crate::apply::{Answer, apply};
use crate::command::{Command, Entry};
use crate::drain;
use crate::plan::Plan;
use crate::schedule::Scheduler;
use crate::state::State;

/// Plans that a job may need after each step of a move.
const ROUNDS_MAX: usize = 10;

/// Why a move can't be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stuck {
    /// Its node does not take it: the reasons in words.
    NoRoom(String),
    /// Something else came of it.
    Otherwise,
}

/// A copy of the state, in which moves are over as soon as they are asked for.
#[derive(Clone)]
pub(super) struct Trial<'a> {
    /// The copy.
    pub state: State,
    ask: &'a Ask,
    now: Timestamp,
}

impl<'a> Trial<'a> {
    /// A copy of `state`.
    pub fn of(state: &State, ask: &'a Ask, now: Timestamp) -> Self {
        Self { state: state.clone(), ask, now }
    }

    /// Plays a move, which may have begun, to its end. Where it gets stuck the copy is left as it was.
    pub fn play(&mut self, scheduler: &mut Scheduler, planned: &Move) -> Result<(), Stuck> {
        let before = self.state.clone();
        let played = self.try_play(scheduler, planned);
        match played {
            Ok(()) => self.state.rebalance = before.rebalance,
            Err(_) => self.state = before,
        }
        played
    }

    fn try_play(&mut self, scheduler: &mut Scheduler, planned: &Move) -> Result<(), Stuck> {
        self.state.rebalance = Some(Arc::new(self.only(planned)));
        let id = planned.allocation;
        let is_live = |known: &&Arc<Allocation>| known.is_live();
        let original = self.state.allocation(id).filter(is_live).ok_or(Stuck::Otherwise)?;
        if !original.migrate {
            let term = self.state.term();
            self.carry_out(Command::Migrate { allocations: vec![id], stops: Vec::new(), term })?;
        }
        self.decide(scheduler, &planned.job)?;
        let replacement = self.replacement_of(id).filter(|next| next.node == planned.to);
        let Some(replacement) = replacement.map(|next| next.id) else {
            let original = self.state.allocation(id).ok_or(Stuck::Otherwise)?;
            let unplaced = drain::unplaced(&self.state, original).ok_or(Stuck::Otherwise)?;
            return Err(Stuck::NoRoom(drain::reasons(unplaced)));
        };
        self.observe(replacement, planned.to, ClientStatus::Running, Some(true))?;
        self.decide(scheduler, &planned.job)?;
        let is_told = |known: &Arc<Allocation>| known.desired != Desired::Run;
        if !self.state.allocation(id).is_some_and(is_told) {
            return Err(Stuck::Otherwise);
        }
        self.observe(id, planned.from, ClientStatus::Complete, None)?;
        self.decide(scheduler, &planned.job)
    }

    /// A rebalance of that one move.
    fn only(&self, planned: &Move) -> Rebalance {
        Rebalance {
            index: self.state.index(),
            ask: self.ask.clone(),
            moves: vec![Move { stage: Stage::Moving, ..planned.clone() }],
            status: Status::Running,
            description: String::new(),
            started_at: self.now,
            modified_at: self.now,
            modify_index: self.state.index(),
        }
    }

    fn replacement_of(&self, id: AllocationId) -> Option<&Arc<Allocation>> {
        self.state.allocation(self.state.allocation(id)?.ties().next?).filter(|next| next.is_live())
    }

    /// Decides everything that is pending of a job.
    fn decide(&mut self, scheduler: &mut Scheduler, job: &JobKey) -> Result<(), Stuck> {
        for _ in 0..ROUNDS_MAX {
            let is_next =
                |known: &&Arc<Evaluation>| known.status == EvaluationStatus::Pending && known.wait_until.is_none();
            let Some(evaluation) = self.state.evaluations_of_job(job).find(is_next).cloned() else { return Ok(()) };
            let plan = scheduler.decide(&self.state, &evaluation, self.now).plan;
            let term = self.state.term();
            self.carry_out(Command::Plan(Box::new(Plan { term, ..plan })))?;
        }
        Err(Stuck::Otherwise)
    }

    fn observe(
        &mut self,
        allocation: AllocationId,
        node: NodeId,
        client_status: ClientStatus,
        healthy: Option<bool>,
    ) -> Result<(), Stuck> {
        let observation = Observation {
            allocation,
            client_status,
            client_description: String::new(),
            tasks: BTreeMap::new(),
            healthy,
            healthy_at: healthy.map(|_| self.now),
            checks: BTreeMap::new(),
            network_address: None,
        };
        self.carry_out(Command::Observe {
            nodes: vec![(node, vec![observation.packed()])],
            sessions: Default::default(),
        })
    }

    fn carry_out(&mut self, command: Command) -> Result<(), Stuck> {
        let (index, term) = (self.state.index() + 1, self.state.term());
        let entry = Entry { at: self.now, request: None, caller: "rebalance trial".into(), command };
        match apply(&mut self.state, index, term, &entry).answer {
            Answer::Accepted(_) => Ok(()),
            Answer::Rejected(_) => Err(Stuck::Otherwise),
        }
    }
}
