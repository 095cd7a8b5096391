//! Names in a document that nothing in the cluster has, and that are spelt nearly as one that something has.

use std::collections::BTreeSet;
use std::fmt;

use model::{Group, Job, Misfit, Node, nearest};

use super::search::constraints;
use crate::schedule::{Finding, NODE_TARGETS, resolve};

/// A name that no node has, and one that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// What it names.
    pub of: Named,
    /// As it is written.
    pub from: String,
    /// As it may be meant.
    pub to: String,
}

/// What a name of a document is looked up among.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// The left side of a constraint: `${meta.rack}`.
    Attribute,
    /// A datacenter, without wildcards.
    Datacenter,
    /// A node pool.
    Pool,
    /// A volume of the host.
    HostVolume,
}

/// The names that may be slips, in the order of the document.
pub(super) fn slips(job: &Job, group: &Group, findings: &[Finding]) -> Vec<Slip> {
    let nodes = || findings.iter().map(|finding| &*finding.node);
    let datacenters = job.datacenters.iter().filter(|name| !name.contains(['*', '?', '[']));
    let datacenters = datacenters.filter_map(|name| {
        let known = || nodes().map(|node| node.datacenter.as_str());
        Slip::of(Named::Datacenter, name, known)
    });
    let pool = Some(&job.node_pool).filter(|pool| *pool != model::ALL_NODE_POOLS);
    let pool = pool.and_then(|pool| Slip::of(Named::Pool, pool, || nodes().map(|node| node.pool.as_str())));
    let attributes = constraints(job, group).into_iter().filter_map(|known| of_attribute(&known.attribute, nodes));
    let volumes = group.host_volumes().filter(|volume| !volume.per_alloc).filter_map(|volume| {
        let known = || nodes().flat_map(|node| node.host_volumes.keys().map(String::as_str));
        Slip::of(Named::HostVolume, &volume.source, known)
    });
    datacenters.chain(pool).chain(attributes).chain(volumes).collect()
}

impl Slip {
    fn of<'n, I: Iterator<Item = &'n str>>(of: Named, from: &str, known: impl Fn() -> I) -> Option<Self> {
        if known().any(|known| known == from) {
            return None;
        }
        let known: BTreeSet<_> = known().collect();
        let to = nearest::nearest(from, known)?.to_string();
        Some(Self { of, from: from.to_string(), to })
    }

    /// Whether nothing but the name is why `node` does not fit for that reason.
    pub(super) fn explains(&self, misfit: &Misfit, node: &Node) -> bool {
        match (misfit, self.of) {
            (Misfit::Datacenter { .. }, Named::Datacenter) => node.datacenter == self.to,
            (Misfit::Pool { .. }, Named::Pool) => node.pool == self.to,
            (Misfit::HostVolume { name }, Named::HostVolume) => {
                *name == self.from && node.host_volumes.contains_key(&self.to)
            }
            _ => false,
        }
    }
}

fn of_attribute<'n, I: Iterator<Item = &'n Node>>(target: &str, nodes: impl Fn() -> I) -> Option<Slip> {
    let name = target.strip_prefix("${")?.strip_suffix('}')?;
    if nodes().any(|node| resolve(target, node).is_some()) {
        return None;
    }
    let (space, key) = name.split_once('.')?;
    let of_node = |node: &'n Node| -> Vec<&'n str> {
        match space {
            "attr" => node.attributes.keys().map(String::as_str).collect(),
            "meta" => node.meta.keys().map(String::as_str).collect(),
            "node" => NODE_TARGETS.to_vec(),
            _ => Vec::new(),
        }
    };
    let known = || nodes().flat_map(of_node);
    let slip = Slip::of(Named::Attribute, key, known)?;
    let written = |key: &str| format!("${{{space}.{key}}}");
    Some(Slip { from: target.to_string(), to: written(&slip.to), ..slip })
}

impl fmt::Display for Slip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { of, from, to } = self;
        match of {
            Named::Attribute => write!(f, "use `{to}` in place of `{from}`"),
            Named::Datacenter => write!(f, "use datacenter {to} in place of {from}"),
            Named::Pool => write!(f, "use node pool {to} in place of {from}"),
            Named::HostVolume => write!(f, "use host volume {to} in place of {from}"),
        }
    }
}
