//! What the core is given to decide: nodes of five classes in racks, and jobs of ten sizes.

use std::fmt;

use model::{Affinity, Constraint, Job, Network, Node, Operator, Port, Spread};

use super::plain;

/// Nodes of one class, and sizes of tasks.
const CLASSES: usize = 5;
const SIZES: usize = 10;
/// What a node has, so that a thousand jobs of a thousand tasks fill five thousand nodes to about two thirds.
const NODE_MHZ: u64 = 28_000;
const NODE_MIB: u64 = 110_000;

/// Nodes and jobs.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub nodes: usize,
    pub racks: usize,
    pub jobs: usize,
    pub tasks: u32,
    pub kind: Kind,
}

/// What the jobs ask beside amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Bare,
    /// A constraint, an affinity and a dynamic port.
    Full,
    /// To be spread evenly over the racks.
    Spread,
    /// As `Full`, and one more group that no node takes, for which every reason is counted and the nearest are named.
    Explained,
    /// The worst cell of Nomad's own benchmark: half of the racks are excluded, and the rest spread over; a node takes two.
    Grid,
}

impl Workload {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self { nodes: 5_000, racks: 50, jobs: 1_000, tasks: 1_000, kind: Kind::Bare },
        Self { nodes: 5_000, racks: 50, jobs: 1_000, tasks: 1_000, kind: Kind::Full },
        Self { nodes: 5_000, racks: 50, jobs: 1_000, tasks: 1_000, kind: Kind::Spread },
        Self { nodes: 5_000, racks: 50, jobs: 1_000, tasks: 1_000, kind: Kind::Explained },
        Self { nodes: 5_000, racks: 50, jobs: 100_000, tasks: 1, kind: Kind::Bare },
        Self { nodes: 50_000, racks: 50, jobs: 100_000, tasks: 1, kind: Kind::Bare },
        Self { nodes: 10_000, racks: 75, jobs: 5, tasks: 1_200, kind: Kind::Grid },
    ];

    /// The same, smaller.
    pub fn divided(self, by: usize) -> Self {
        let less = |number: usize| number.div_ceil(by);
        // A job may not ask more than there is.
        let tasks = if self.tasks > 1 { self.tasks.div_ceil(by as u32) } else { 1 };
        Self { nodes: less(self.nodes).max(self.racks), jobs: less(self.jobs), tasks, ..self }
    }

    /// One of the nodes.
    pub fn node(&self, at: usize) -> Node {
        let (mut node, _) = plain(&format!("n{at}"));
        node = node.cpu(NODE_MHZ).memory(NODE_MIB);
        if self.kind == Kind::Grid {
            node = node.cpu(14_000).memory(32_768);
        }
        node.total.disk_mb = 1_000_000;
        node.meta("rack", &format!("r{}", at % self.racks)).meta("class", &format!("c{}", at % CLASSES))
    }

    /// One of the jobs.
    pub fn job(&self, at: usize) -> Job {
        let (_, mut job) = plain(&format!("j{at}"));
        let size = (at % SIZES) as u64;
        let group = &mut job.groups[0];
        group.count = self.tasks;
        group.tasks[0].resources.cpu = 50 + 10 * size;
        group.tasks[0].resources.memory = 200 + 40 * size;
        match self.kind {
            Kind::Bare => {}
            Kind::Full | Kind::Explained => {
                group.constraints.push(constraint("${meta.class}", Operator::NotEqual, "c4"));
                group.affinities.push(Affinity {
                    attribute: "${meta.class}".into(),
                    value: "c1".into(),
                    ..Affinity::default()
                });
                let port = Port { label: "http".into(), ..Port::default() };
                group.networks = vec![Network { dynamic_ports: vec![port], ..Network::default() }];
            }
            Kind::Spread => group.spreads.push(Spread { attribute: "${meta.rack}".into(), ..Spread::default() }),
            Kind::Grid => {
                group.tasks[0].resources.cpu = 6_000;
                group.tasks[0].resources.memory = 6_000;
                let half: Vec<_> = (0..self.racks / 2).map(|rack| format!("r{rack}")).collect();
                group.constraints.push(constraint("${meta.rack}", Operator::SetContainsAny, &half.join(",")));
                group.spreads.push(Spread { attribute: "${meta.rack}".into(), ..Spread::default() });
            }
        }
        if self.kind == Kind::Explained {
            let mut huge = job.groups[0].clone();
            huge.name = "huge".into();
            huge.count = 1;
            huge.tasks[0].resources.memory = 2 * NODE_MIB;
            job.groups.push(huge);
        }
        job
    }
}

fn constraint(attribute: &str, operator: Operator, value: &str) -> Constraint {
    Constraint { attribute: attribute.into(), operator, value: value.into() }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { nodes, racks, jobs, tasks, kind } = self;
        write!(f, "{jobs} jobs × {tasks} on {nodes} nodes")?;
        match kind {
            Kind::Bare => Ok(()),
            Kind::Full => write!(f, ", each with a constraint, an affinity and a dynamic port"),
            Kind::Spread => write!(f, ", spread over {racks} racks"),
            Kind::Explained => write!(f, ", the same, and a group that fits nowhere explained"),
            Kind::Grid => write!(f, ", P2: constrained to half of {racks} racks and spread over them"),
        }
    }
}
