//! Which nodes could take an instance of a group, and every reason of those that could not.

mod demand;
mod others;

use model::{Allocation, AllocationId, Group, Misfit, Node, NodeStatus};

use super::grant;
use crate::state::{JobVersion, State};
use others::Others;

pub(super) use demand::{Demand, DemandKey};

/// What a group asks of a node, other than room.
pub(crate) struct Feasibility<'a> {
    group: &'a Group,
    namespace: &'a str,
    demand: Demand,
    others: Others<'a>,
}

impl<'a> Feasibility<'a> {
    /// What `group` of `version` asks, beside the allocations of its job in `state`.
    pub fn new(state: &State, version: &'a JobVersion, group: &'a Group) -> Self {
        Self { others: Others::of(state, &version.job, group), ..Self::alone(version, group) }
    }

    /// What `group` of `version` asks, whatever other allocations there are: enough for [`Feasibility::conditions`], and
    /// no walk through those.
    pub fn alone(version: &'a JobVersion, group: &'a Group) -> Self {
        let demand = Demand::of_group(&version.job, group);
        Self { group, namespace: &version.job.namespace, demand, others: Others::default() }
    }

    /// The part of it that other allocations don't change.
    pub(super) fn demand(&self) -> &Demand {
        &self.demand
    }

    /// Whether places depend on where the plan's other instances go.
    pub fn is_relative(&self) -> bool {
        !self.others.is_empty()
    }

    /// Takes in an instance of the job that the plan places on `node`: one of this group, or of another.
    pub fn place(&mut self, node: &Node, is_of_group: bool) {
        self.others.place(node, is_of_group);
    }

    /// Takes out an instance that the plan ends.
    pub fn leave(&mut self, id: AllocationId) {
        self.others.leave(id);
    }

    /// Whether other instances of the job leave `node` open, when `instead_of` has left.
    pub fn is_left_open(&self, node: &Node, instead_of: Option<&Allocation>) -> bool {
        self.others.is_empty() || self.others.misfits(node, instead_of).is_empty()
    }

    /// What of the lasting conditions `node` does not meet: datacenter, pool, constraints, network modes, providers of
    /// secrets, host volumes and networks.
    pub fn conditions(&self, node: &Node) -> Vec<Misfit> {
        let mut misfits = self.demand.misfits(node);
        misfits.extend(grant::lacks(node, self.namespace, self.group));
        misfits
    }

    /// The drivers that `node` lacks, or that do badly there.
    pub fn missing_drivers<'s>(&'s self, node: &'s Node) -> impl Iterator<Item = &'s str> {
        self.demand.missing_drivers(node)
    }

    /// What closes `node` to a job that wants one instance on every node that can take one, other than that it is not
    /// open now: such a node is none of the job's.
    pub fn excludes(&self, node: &Node) -> bool {
        !self.demand.is_met(node)
            || !self.others.know(node)
            || !grant::lacks(node, self.namespace, self.group).is_empty()
            || grant::is_without_devices(node, self.group)
    }

    /// Everything that closes `node` to a new instance, whatever room it has; `instead_of` is about to leave.
    pub fn misfits(&self, node: &Node, instead_of: Option<&Allocation>) -> Vec<Misfit> {
        self.misfits_beside(self.conditions(node), node, instead_of)
    }

    /// The same, where it is known which of the lasting `conditions` the node does not meet.
    pub fn misfits_beside(&self, conditions: Vec<Misfit>, node: &Node, instead_of: Option<&Allocation>) -> Vec<Misfit> {
        let mut misfits = readiness(node);
        misfits.extend(conditions);
        misfits.extend(self.missing_drivers(node).map(|name| Misfit::Driver { name: name.to_string() }));
        if !self.others.is_empty() {
            misfits.extend(self.others.misfits(node, instead_of));
        }
        misfits
    }
}

/// That a node takes no new work, whatever that is.
pub(crate) fn readiness(node: &Node) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    if node.status != NodeStatus::Ready {
        misfits.push(Misfit::NotReady { status: node.status.as_str().into() });
    }
    if node.drain.is_some() || node.eligibility == model::Eligibility::Ineligible {
        misfits.push(Misfit::Ineligible { draining: node.drain.is_some() });
    }
    misfits
}
