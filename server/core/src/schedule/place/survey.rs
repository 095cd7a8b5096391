//! What the next instance of a group would meet on each node, asked without planning anything.
//!
//! The next instance is the first that the reconciler misses, with what it replaces; where nothing is missing, one more.
//! Its document can be bent to ask what would help. A surveyor looks at the nodes of one state, for any number of surveys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::{Allocation, EvaluationId, Group, Job, NodeId, Timestamp};

use super::super::fleet::{Fleet, Place};
use super::super::reconcile::{Want, reconcile};
use super::super::score::Score;
use super::choose::Chooser;
use super::explain::Finding;
use crate::state::{JobVersion, State};

/// The next instance of a group.
pub(crate) struct Survey {
    want: Want,
}

impl Survey {
    /// The next instance of the group of that name.
    pub fn of(state: &State, version: &Arc<JobVersion>, group: &str, now: Timestamp) -> Self {
        let wanted = reconcile(state, &version.job.key(), None, now).wants;
        let one_more = || {
            let count = version.job.group(group).map_or(0, |group| group.count);
            let index = if version.job.kind.is_per_node() { 0 } else { count };
            Want { index: Some(index), ..Want::fresh(group, version) }.by_own_volumes()
        };
        Self { want: wanted.into_iter().find(|want| want.group == group).unwrap_or_else(one_more) }
    }

    /// The same with another document.
    pub fn with(&self, bend: impl FnOnce(&mut Job)) -> Self {
        let mut job = Job::clone(&self.want.version.job);
        bend(&mut job);
        let version = Arc::new(JobVersion { job: Arc::new(job), ..JobVersion::clone(&self.want.version) });
        Self { want: Want { version, ..self.want.clone() } }
    }

    /// The document.
    pub fn job(&self) -> &Job {
        &self.want.version.job
    }

    /// The group.
    pub fn group(&self) -> Option<&Group> {
        self.job().group(&self.want.group)
    }
}

/// What the nodes are worth to an instance.
#[derive(Default)]
pub(crate) struct Standings {
    /// What it meets on each node, by node id.
    pub findings: Vec<Finding>,
    /// The nodes that could take it, each with its score. None for a system job, whose instances have a node each.
    pub scores: BTreeMap<NodeId, Score>,
    /// The node that it would be given.
    pub best: Option<NodeId>,
}

/// Looks at the nodes of one state.
pub(crate) struct Surveyor<'a> {
    state: &'a State,
    fleet: Fleet,
}

impl<'a> Surveyor<'a> {
    /// Looks at the nodes of `state`.
    pub fn of(state: &'a State) -> Self {
        Self { state, fleet: Fleet::of(state) }
    }

    /// What the instance meets on each node, by node id. A system job's takes the place of the one that runs there.
    pub fn findings(&mut self, survey: &Survey) -> Vec<Finding> {
        let places: Vec<_> = self.fleet.places().collect();
        self.look(survey, |look| places.into_iter().map(|at| look.finding(at)).collect())
    }

    /// What it meets on that node; none where there is no such node.
    pub fn finding(&mut self, survey: &Survey, node: NodeId) -> Option<Finding> {
        let at = self.fleet.place_of(node)?;
        self.look(survey, |look| Some(look.finding(at)))
    }

    /// What the nodes are worth to it.
    pub fn standings(&mut self, survey: &Survey) -> Standings {
        let places: Vec<_> = self.fleet.places().collect();
        self.look(survey, |look| {
            let findings: Vec<_> = places.iter().map(|at| look.finding(*at)).collect();
            if survey.job().kind.is_per_node() {
                return Standings { findings, ..Standings::default() };
            }
            let fitting = findings.iter().zip(places).filter(|(finding, _)| finding.misfits.is_empty());
            let scores = fitting.map(|(finding, at)| (finding.node.id, look.chooser.score_for(at, &survey.want)));
            let scores: BTreeMap<_, _> = scores.collect();
            Standings { scores, best: look.chooser.best_node(&survey.want), findings }
        })
    }

    fn look<T: Default>(&mut self, survey: &Survey, look: impl FnOnce(&Look<'_, '_>) -> T) -> T {
        let Some(group) = survey.group() else { return T::default() };
        let (want, nothing) = (&survey.want, BTreeSet::new());
        let nobody = EvaluationId::default();
        let chooser = Chooser::new(self.state, &mut self.fleet, nobody, want, group, &nothing, &[]);
        let of_job = || self.state.allocations_of_job(&survey.job().key());
        let is_here = |known: &&Arc<Allocation>| known.group == group.name && known.is_live();
        let running = match survey.job().kind.is_per_node() {
            true => Some(of_job().filter(is_here).map(|known| (known.node, &**known)).collect()),
            false => None,
        };
        look(&Look { chooser, want, running })
    }
}

/// A look at the nodes for one instance.
struct Look<'a, 'f> {
    chooser: Chooser<'a, 'f>,
    want: &'a Want,
    /// Of a system job, the instance that runs on each node.
    running: Option<BTreeMap<NodeId, &'a Allocation>>,
}

impl Look<'_, '_> {
    fn finding(&self, at: Place) -> Finding {
        let (leaving, succeeded) = match &self.running {
            Some(running) => {
                let here = running.get(&self.chooser.node_id(at)).copied();
                (here, here)
            }
            None => (self.chooser.leaving(self.want), self.chooser.succeeded(self.want)),
        };
        self.chooser.finding(at, self.want, leaving, succeeded)
    }
}
