//! What a group asks of a node whatever else runs in the cluster: datacenter, pool, drivers, constraints.

use model::{ALL_NODE_POOLS, Constraint, Group, Job, Misfit, Node};

use super::super::constraint::{Condition, resolve};

/// What a group asks of a node. Groups with the same key ask the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct DemandKey {
    datacenters: Vec<String>,
    pool: String,
    drivers: Vec<String>,
    constraints: Vec<Constraint>,
}

/// What a group asks of a node, ready to be asked of many.
pub(in super::super) struct Demand {
    key: DemandKey,
    conditions: Vec<Condition>,
}

impl Demand {
    /// What `group` of `job` asks: the constraints of job, group and tasks all hold.
    pub fn of_group(job: &Job, group: &Group) -> Self {
        let of_tasks = group.tasks.iter().flat_map(|task| &task.constraints);
        let mut drivers: Vec<_> = group.tasks.iter().map(|task| task.driver.clone()).collect();
        drivers.sort();
        drivers.dedup();
        Self::of(DemandKey {
            datacenters: job.datacenters.clone(),
            pool: job.node_pool.clone(),
            drivers,
            constraints: job.constraints.iter().chain(&group.constraints).chain(of_tasks).cloned().collect(),
        })
    }

    /// What is asked under that key.
    pub fn of(key: DemandKey) -> Self {
        let conditions = key.constraints.iter().cloned().map(Condition::of).collect();
        Self { key, conditions }
    }

    /// Names it.
    pub fn key(&self) -> &DemandKey {
        &self.key
    }

    /// The constraints.
    pub fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    pub fn takes_datacenter(&self, name: &str) -> bool {
        self.key.datacenters.iter().any(|glob| glob_matches(glob, name))
    }

    pub fn takes_pool(&self, name: &str) -> bool {
        self.key.pool == ALL_NODE_POOLS || self.key.pool == name
    }

    /// The drivers that `node` lacks, or that do badly there.
    pub fn missing_drivers<'s>(&'s self, node: &'s Node) -> impl Iterator<Item = &'s str> {
        let works = |driver: &&str| node.drivers.get(*driver).is_some_and(|known| known.detected && known.healthy);
        self.key.drivers.iter().map(String::as_str).filter(move |driver| !works(driver))
    }

    /// Whether `node` meets all of it.
    pub fn is_met(&self, node: &Node) -> bool {
        self.takes_datacenter(&node.datacenter)
            && self.takes_pool(&node.pool)
            && self.missing_drivers(node).next().is_none()
            && self.conditions.iter().all(|condition| condition.holds(node))
    }

    /// What `node` does not meet, other than drivers.
    pub fn misfits(&self, node: &Node) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        if !self.takes_datacenter(&node.datacenter) {
            misfits.push(Misfit::Datacenter { has: node.datacenter.clone() });
        }
        if !self.takes_pool(&node.pool) {
            misfits.push(Misfit::Pool { has: node.pool.clone() });
        }
        for condition in self.conditions.iter().filter(|condition| !condition.holds(node)) {
            let constraint = condition.constraint();
            let has = resolve(&constraint.attribute, node).filter(|_| constraint.attribute.starts_with("${"));
            misfits.push(Misfit::Constraint { text: constraint.to_string(), has: has.map(|has| has.into_owned()) });
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
