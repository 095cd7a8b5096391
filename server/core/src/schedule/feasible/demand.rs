//! What a group asks of a node whatever else runs in the cluster: datacenter, pool, drivers, network mode, providers of
//! secrets, constraints.

use std::collections::BTreeSet;

use model::{ALL_NODE_POOLS, Constraint, Group, Job, Misfit, NetworkMode, Node, secrets_provider_attribute};

use super::super::constraint::{Condition, misfit};

/// What a group asks of a node. Groups with the same key ask the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct DemandKey {
    datacenters: Vec<String>,
    pool: String,
    drivers: Vec<String>,
    network_modes: Vec<String>,
    /// The attributes that say of nodes that they can fetch from the providers, each with the provider.
    secrets_providers: Vec<(String, String)>,
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
        let drivers = sorted(group.tasks.iter().map(|task| task.driver.clone()));
        let modes = group.networks.iter().filter(|network| network.mode != NetworkMode::Unset);
        let providers = group.tasks.iter().flat_map(|task| &task.secrets).map(|secret| &secret.provider);
        Self::of(DemandKey {
            datacenters: job.datacenters.clone(),
            pool: job.node_pool.clone(),
            drivers,
            network_modes: sorted(modes.map(|network| network.mode.clone().into())),
            secrets_providers: sorted(providers.map(|name| (secrets_provider_attribute(name), name.clone()))),
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

    /// What `node` can't do that the group needs of its agent: attach it to the network, fetch its secrets.
    fn missing_means<'s>(&'s self, node: &'s Node) -> impl Iterator<Item = Misfit> + 's {
        let modes = self.key.network_modes.iter().filter(|mode| !node.network_modes.contains(*mode));
        let providers = self.key.secrets_providers.iter();
        let providers = providers.filter(|(attribute, _)| !node.attributes.contains_key(attribute));
        modes
            .map(|mode| Misfit::NetworkMode { mode: mode.clone() })
            .chain(providers.map(|(_, name)| Misfit::SecretsProvider { name: name.clone() }))
    }

    /// Whether `node` has the drivers, and can do what the group needs of its agent.
    pub fn is_served(&self, node: &Node) -> bool {
        self.missing_drivers(node).next().is_none() && self.missing_means(node).next().is_none()
    }

    /// Whether `node` meets all of it.
    pub fn is_met(&self, node: &Node) -> bool {
        self.takes_datacenter(&node.datacenter)
            && self.takes_pool(&node.pool)
            && self.is_served(node)
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
            misfits.push(misfit(condition.constraint(), node));
        }
        misfits.extend(self.missing_means(node));
        misfits
    }
}

/// Each once, in order.
fn sorted<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    values.collect::<BTreeSet<_>>().into_iter().collect()
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
