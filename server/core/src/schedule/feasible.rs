//! Which nodes could take an instance of a group, and every reason of those that could not.

use std::collections::{BTreeMap, BTreeSet};

use model::{ALL_NODE_POOLS, Allocation, AllocationId, Constraint, Group, Misfit, Node, NodeId, NodeStatus, Operator};

use super::constraint::{holds, resolve};
use super::grant;
use crate::state::{JobVersion, State};

/// What a group asks of a node, other than room.
pub(crate) struct Feasibility<'a> {
    version: &'a JobVersion,
    group: &'a Group,
    drivers: BTreeSet<&'a str>,
    /// Of job, group and tasks; all must hold.
    constraints: Vec<&'a Constraint>,
    /// Nodes that `distinct_hosts` closes, each with the allocations that close it.
    hosts_taken: BTreeMap<NodeId, Vec<AllocationId>>,
    /// Whose instances close a host: the job's, or only the group's; none without the constraint.
    distinct_hosts: Option<Scope>,
    properties: Vec<Property<'a>>,
}

/// How many instances may share a value of a property, and which do.
struct Property<'a> {
    attribute: &'a str,
    limit: usize,
    scope: Scope,
    taken: BTreeMap<String, Vec<AllocationId>>,
}

/// Whose instances a constraint on others counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Scope {
    Job,
    Group,
}

impl<'a> Feasibility<'a> {
    /// What `group` of `version` asks, beside the allocations of its job in `state`.
    pub fn new(state: &State, version: &'a JobVersion, group: &'a Group) -> Self {
        let mut feasibility = Self::alone(version, group);
        feasibility.look_at_others(state, group);
        feasibility
    }

    /// What `group` of `version` asks, whatever other allocations there are: enough for [`Feasibility::conditions`], and
    /// no walk through those.
    pub fn alone(version: &'a JobVersion, group: &'a Group) -> Self {
        let job = &version.job;
        let of_tasks = group.tasks.iter().flat_map(|task| &task.constraints);
        let constraints: Vec<_> = job.constraints.iter().chain(&group.constraints).chain(of_tasks).collect();
        Self {
            version,
            group,
            drivers: group.tasks.iter().map(|task| task.driver.as_str()).collect(),
            constraints,
            hosts_taken: BTreeMap::new(),
            distinct_hosts: None,
            properties: Vec::new(),
        }
    }

    /// Takes in what `distinct_hosts` and `distinct_property` count: live instances of the job, or of the group.
    fn look_at_others(&mut self, state: &State, group: &'a Group) {
        let job = &self.version.job;
        for (constraints, scope) in [(&group.constraints, Scope::Group), (&job.constraints, Scope::Job)] {
            for constraint in constraints {
                match constraint.operator {
                    Operator::DistinctHosts if constraint.value != "false" => self.distinct_hosts = Some(scope),
                    Operator::DistinctProperty => self.properties.push(Property {
                        attribute: &constraint.attribute,
                        limit: constraint.value.parse().unwrap_or(1),
                        scope,
                        taken: BTreeMap::new(),
                    }),
                    _ => continue,
                }
                let is_property = constraint.operator == Operator::DistinctProperty;
                let others = state.allocations_of_job(&job.key()).filter(|known| known.is_live());
                for other in others.filter(|known| scope == Scope::Job || known.group == group.name) {
                    let Some(node) = state.node(other.node) else { continue };
                    if !is_property {
                        self.hosts_taken.entry(other.node).or_default().push(other.id);
                    } else if let (Some(property), Some(value)) =
                        (self.properties.last_mut(), resolve(&constraint.attribute, node))
                    {
                        property.taken.entry(value).or_default().push(other.id);
                    }
                }
            }
        }
    }

    /// Whether places depend on where the plan's other instances go.
    pub fn is_relative(&self) -> bool {
        self.distinct_hosts.is_some() || !self.properties.is_empty()
    }

    /// Takes in an instance of the job that the plan places on `node`: one of this group, or of another.
    pub fn place(&mut self, id: AllocationId, node: &Node, is_of_group: bool) {
        let counts = |scope: Scope| is_of_group || scope == Scope::Job;
        if self.distinct_hosts.is_some_and(counts) {
            self.hosts_taken.entry(node.id).or_default().push(id);
        }
        for property in self.properties.iter_mut().filter(|property| counts(property.scope)) {
            if let Some(value) = resolve(property.attribute, node) {
                property.taken.entry(value).or_default().push(id);
            }
        }
    }

    /// Takes out an instance that the plan ends.
    pub fn leave(&mut self, id: AllocationId) {
        let of_properties = self.properties.iter_mut().flat_map(|property| property.taken.values_mut());
        for taken in self.hosts_taken.values_mut().chain(of_properties) {
            taken.retain(|known| *known != id);
        }
    }

    /// What of the lasting conditions `node` does not meet: datacenter, pool, constraints, host volumes and networks.
    pub fn conditions(&self, node: &Node) -> Vec<Misfit> {
        let job = &self.version.job;
        let mut misfits = Vec::new();
        if !job.datacenters.iter().any(|glob| glob_matches(glob, &node.datacenter)) {
            misfits.push(Misfit::Datacenter { has: node.datacenter.clone() });
        }
        if job.node_pool != ALL_NODE_POOLS && job.node_pool != node.pool {
            misfits.push(Misfit::Pool { has: node.pool.clone() });
        }
        for constraint in self.constraints.iter().filter(|constraint| !holds(constraint, node)) {
            misfits.push(Misfit::Constraint {
                text: constraint.to_string(),
                has: resolve(&constraint.attribute, node).filter(|_| constraint.attribute.starts_with("${")),
            });
        }
        misfits.extend(grant::lacks(node, self.group));
        misfits
    }

    /// The drivers that `node` lacks, or that do badly there.
    pub fn missing_drivers(&self, node: &Node) -> impl Iterator<Item = &'a str> {
        let works = |driver: &&str| node.drivers.get(*driver).is_some_and(|known| known.detected && known.healthy);
        self.drivers.iter().copied().filter(move |driver| !works(driver))
    }

    /// What closes `node` to a job that wants one instance on every node that can take one, other than that it is not
    /// open now: such a node is none of the job's.
    pub fn excludes(&self, node: &Node) -> bool {
        let has_value = |property: &Property<'_>| resolve(property.attribute, node).is_some();
        !self.conditions(node).is_empty()
            || self.missing_drivers(node).next().is_some()
            || !self.properties.iter().all(has_value)
            || grant::is_without_devices(node, self.group)
    }

    /// Everything that closes `node` to a new instance, whatever room it has; `instead_of` is about to leave.
    pub fn misfits(&self, node: &Node, instead_of: Option<&Allocation>) -> Vec<Misfit> {
        let mut misfits = self.readiness(node);
        misfits.extend(self.conditions(node));
        misfits.extend(self.missing_drivers(node).map(|name| Misfit::Driver { name: name.to_string() }));
        let others = |taken: &Vec<AllocationId>| {
            taken.iter().filter(|id| instead_of.map(|known| known.id) != Some(**id)).count()
        };
        if self.hosts_taken.get(&node.id).is_some_and(|taken| others(taken) > 0) {
            misfits.push(Misfit::DistinctHosts);
        }
        for property in &self.properties {
            let Some(value) = resolve(property.attribute, node) else {
                misfits
                    .push(Misfit::Constraint { text: format!("distinct_property {}", property.attribute), has: None });
                continue;
            };
            if property.taken.get(&value).is_some_and(|taken| others(taken) >= property.limit) {
                misfits.push(Misfit::DistinctProperty { property: property.attribute.to_string(), value });
            }
        }
        misfits
    }

    fn readiness(&self, node: &Node) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        if node.status != NodeStatus::Ready {
            misfits.push(Misfit::NotReady { status: node.status.as_str().into() });
        }
        if node.drain.is_some() || node.eligibility == model::Eligibility::Ineligible {
            misfits.push(Misfit::Ineligible { draining: node.drain.is_some() });
        }
        misfits
    }
}

/// Whether `text` matches a glob with `*` for anything.
fn glob_matches(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (glob, text, wanted) in [
            ("*", "dc1", true),
            ("dc1", "dc1", true),
            ("dc1", "dc12", false),
            ("eu-*", "eu-west", true),
            ("eu-*-1", "eu-west-1", true),
            ("eu-*-1", "eu-1", false),
            ("*-1", "x-1", true),
            ("a*a", "a", false),
        ] {
            assert_eq!(glob_matches(glob, text), wanted, "{glob} {text}");
        }
    }
}
