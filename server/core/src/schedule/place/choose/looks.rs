//! What nodes are to an instance, without placing it: for who explains, foresees or rebalances.

use model::{Algorithm, Allocation, Node, NodeId};

use super::super::explain::Finding;
use super::Chooser;
use crate::schedule::fleet::Place;
use crate::schedule::grant::is_elsewhere;
use crate::schedule::reconcile::Want;
use crate::schedule::score::Score;

impl Chooser<'_, '_> {
    /// Chooses as that algorithm does, whatever the job has.
    pub(in super::super) fn choose_as(&mut self, algorithm: Algorithm) {
        self.algorithm = algorithm;
    }

    /// The node for one more instance as `want` says, of those that `may_go` takes. Nothing is placed there.
    pub(in super::super) fn best_among(&self, want: &Want, may_go: &dyn Fn(&Node) -> bool) -> Option<NodeId> {
        let node = |at: &Place| &self.fleet.row(*at).node;
        let takes_it =
            |at: &Place| may_go(node(at)) && self.is_open(*at, None) && self.ask.has_room(self.fleet, *at, None);
        let all = self.eligible.iter().copied().filter(takes_it);
        let best = all.max_by_key(|at| (self.score(*at, Some(want)).total(), self.tie(*at), *at));
        best.map(|at| node(&at).id)
    }

    /// What stands against `want` on each node that it may go to, by node id.
    pub(in super::super) fn findings(&self, want: &Want) -> impl Iterator<Item = Finding> {
        let (leaving, succeeded) = (self.leaving(want), self.succeeded(want));
        let only = want.only_node();
        let may_go = move |at: &Place| only.is_none_or(|only| only == self.fleet.row(*at).node.id);
        self.fleet.places().filter(may_go).map(move |at| self.finding(at, want, leaving, succeeded))
    }

    /// What stands against `want` on the node at that place, when `leaving` has left and the room of `succeeded` may be
    /// taken over.
    pub(in super::super) fn finding(
        &self,
        at: Place,
        want: &Want,
        leaving: Option<&Allocation>,
        succeeded: Option<&Allocation>,
    ) -> Finding {
        let row = self.fleet.row(at);
        // What is eligible meets all lasting conditions, and need not be asked them again.
        let is_eligible = self.eligible.binary_search(&at).is_ok();
        let conditions = if is_eligible { Vec::new() } else { self.feasibility.conditions(&row.node) };
        let is_available = row.is_open && conditions.is_empty();
        let mut misfits = self.feasibility.misfits_beside(conditions, &row.node, leaving);
        misfits.extend(want.claims.iter().filter_map(|claim| is_elsewhere(&row.node, claim)));
        misfits.extend(self.ask.misfits(self.fleet, at, succeeded));
        Finding { node: row.node.clone(), misfits, is_available }
    }

    /// What the node at that place is worth to `want`.
    pub(in super::super) fn score_for(&self, at: Place, want: &Want) -> Score {
        self.score(at, Some(want))
    }

    /// The node that `want` would be given now.
    pub(in super::super) fn best_node(&self, want: &Want) -> Option<NodeId> {
        self.best_of_all(want).map(|(at, _)| self.node_id(at))
    }

    /// The id of the node at that place.
    pub(in super::super) fn node_id(&self, at: Place) -> NodeId {
        self.fleet.row(at).node.id
    }
}
