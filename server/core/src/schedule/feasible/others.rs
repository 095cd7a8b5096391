//! What a group's place depends on other instances of its job for: `distinct_hosts` and `distinct_property`.

use std::collections::BTreeMap;

use model::{Allocation, AllocationId, Group, Job, Misfit, Node, NodeId, Operator};

use super::super::constraint::resolve;
use crate::state::State;

/// Constraints on where other instances of the job run.
#[derive(Default)]
pub(super) struct Others<'a> {
    /// Whose instances close a host: the job's, or only the group's; none without the constraint.
    distinct_hosts: Option<Scope>,
    hosts: BTreeMap<NodeId, Taken>,
    properties: Vec<Property<'a>>,
}

/// How many instances may share a value of a property, and which do.
struct Property<'a> {
    attribute: &'a str,
    limit: usize,
    scope: Scope,
    values: BTreeMap<String, Taken>,
}

/// Who has taken a place.
#[derive(Default)]
struct Taken {
    /// Allocations of the state.
    known: Vec<AllocationId>,
    /// Instances of the plan at work.
    placed: usize,
}

/// Whose instances a constraint on others counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Job,
    Group,
}

impl Scope {
    fn counts(self, is_of_group: bool) -> bool {
        is_of_group || self == Scope::Job
    }
}

impl Taken {
    fn by(&self, instead_of: Option<&Allocation>) -> usize {
        let leaves = |id: &&AllocationId| instead_of.is_some_and(|known| known.id == **id);
        self.placed + self.known.iter().filter(|id| !leaves(id)).count()
    }
}

impl<'a> Others<'a> {
    /// The constraints of `job` and `group`, and the live instances that they count.
    pub fn of(state: &State, job: &'a Job, group: &'a Group) -> Self {
        let mut others = Self::default();
        for (constraints, scope) in [(&group.constraints, Scope::Group), (&job.constraints, Scope::Job)] {
            for constraint in constraints {
                match constraint.operator {
                    Operator::DistinctHosts if constraint.value != "false" => others.distinct_hosts = Some(scope),
                    Operator::DistinctProperty => others.properties.push(Property {
                        attribute: &constraint.attribute,
                        limit: constraint.value.parse().unwrap_or(1),
                        scope,
                        values: BTreeMap::new(),
                    }),
                    _ => {}
                }
            }
        }
        if !others.is_empty() {
            for known in state.allocations_of_job(&job.key()).filter(|known| known.is_live()) {
                if let Some(node) = state.node(known.node) {
                    others.take(node, known.group == group.name, |taken| taken.known.push(known.id));
                }
            }
        }
        others
    }

    /// Whether there is no such constraint.
    pub fn is_empty(&self) -> bool {
        self.distinct_hosts.is_none() && self.properties.is_empty()
    }

    /// Takes in an instance of the job that the plan places on `node`: one of this group, or of another.
    pub fn place(&mut self, node: &Node, is_of_group: bool) {
        self.take(node, is_of_group, |taken| taken.placed += 1);
    }

    fn take(&mut self, node: &Node, is_of_group: bool, take: impl Fn(&mut Taken)) {
        if self.distinct_hosts.is_some_and(|scope| scope.counts(is_of_group)) {
            take(self.hosts.entry(node.id).or_default());
        }
        for property in self.properties.iter_mut().filter(|property| property.scope.counts(is_of_group)) {
            if let Some(value) = resolve(property.attribute, node) {
                take(property.values.entry(value.into_owned()).or_default());
            }
        }
    }

    /// Takes out an instance that the plan ends.
    pub fn leave(&mut self, id: AllocationId) {
        let of_properties = self.properties.iter_mut().flat_map(|property| property.values.values_mut());
        for taken in self.hosts.values_mut().chain(of_properties) {
            taken.known.retain(|known| *known != id);
        }
    }

    /// Whether `node` has a value of every property.
    pub fn know(&self, node: &Node) -> bool {
        self.properties.iter().all(|property| resolve(property.attribute, node).is_some())
    }

    /// What closes `node`, when `instead_of` has left.
    pub fn misfits(&self, node: &Node, instead_of: Option<&Allocation>) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        if self.hosts.get(&node.id).is_some_and(|taken| taken.by(instead_of) > 0) {
            misfits.push(Misfit::DistinctHosts);
        }
        for property in &self.properties {
            let Some(value) = resolve(property.attribute, node) else {
                let text = format!("distinct_property {}", property.attribute);
                misfits.push(Misfit::Constraint { text, has: None });
                continue;
            };
            if property.values.get(&*value).is_some_and(|taken| taken.by(instead_of) >= property.limit) {
                let property = property.attribute.to_string();
                misfits.push(Misfit::DistinctProperty { property, value: value.into_owned() });
            }
        }
        misfits
    }
}
