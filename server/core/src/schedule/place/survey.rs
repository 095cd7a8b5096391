//! What the next instance of a group would meet on each node, asked without planning anything.
//!
//! The next instance is the first that the reconciler misses, with what it replaces; where nothing is missing, one more.
//! Its document can be bent to ask what would help.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::{Allocation, EvaluationId, Group, Job, Timestamp};

use super::super::fleet::Fleet;
use super::super::reconcile::{Want, reconcile};
use super::choose::Chooser;
use super::explain::Finding;
use crate::state::{JobVersion, State};

/// The next instance of a group, and the nodes that it may go to.
pub(crate) struct Survey<'a> {
    state: &'a State,
    want: Want,
}

impl<'a> Survey<'a> {
    /// The next instance of the group of that name.
    pub fn of(state: &'a State, version: &Arc<JobVersion>, group: &str, now: Timestamp) -> Self {
        let wanted = reconcile(state, &version.job.key(), None, now).wants;
        let want = wanted.into_iter().find(|want| want.group == group).unwrap_or_else(|| Want::fresh(group, version));
        Self { state, want }
    }

    /// The same with another document.
    pub fn with(&self, bend: impl FnOnce(&mut Job)) -> Self {
        let mut job = Job::clone(&self.want.version.job);
        bend(&mut job);
        let version = Arc::new(JobVersion { job: Arc::new(job), ..JobVersion::clone(&self.want.version) });
        Self { state: self.state, want: Want { version, ..self.want.clone() } }
    }

    /// The document.
    pub fn job(&self) -> &Job {
        &self.want.version.job
    }

    /// The group.
    pub fn group(&self) -> Option<&Group> {
        self.job().group(&self.want.group)
    }

    /// What it meets on each node, by node id. A system job's instance takes the place of the one that runs there.
    pub fn findings(&self) -> Vec<Finding> {
        let Some(group) = self.group() else { return Vec::new() };
        let mut fleet = Fleet::of(self.state);
        let (places, nobody) = (fleet.places().collect::<Vec<_>>(), EvaluationId::default());
        let node_of = |fleet: &Fleet, at| fleet.row(at).node.id;
        let nodes: Vec<_> = places.iter().map(|at| node_of(&fleet, *at)).collect();
        let chooser = Chooser::new(self.state, &mut fleet, nobody, &self.want, group, &BTreeSet::new(), &[]);
        let look = |(at, node)| {
            let (leaving, succeeded) = if self.job().kind.is_per_node() {
                let here = self.running_on(node);
                (here, here)
            } else {
                (chooser.leaving(&self.want), chooser.succeeded(&self.want))
            };
            chooser.finding(at, &self.want, leaving, succeeded)
        };
        places.into_iter().zip(nodes).map(look).collect()
    }

    fn running_on(&self, node: model::NodeId) -> Option<&Allocation> {
        let of_job = self.state.allocations_of_job(&self.job().key()).map(|known| &**known);
        of_job.into_iter().find(|known| known.node == node && known.group == self.want.group && known.is_live())
    }
}
