//! Everything that a group asks of one node, met or not, with what is wanted beside what the node has.
//!
//! Whether something is met is not decided here: the scheduler's own findings are laid beside what is asked, and what it
//! found that nobody asked for by name is listed as well. So nothing that stands against the node is ever missing.

use model::{Allocation, Constraint, Eligibility, Group, Job, JobKey, Misfit, Node, Operator, WHOLE_DEVICE};

use crate::schedule::grant::{address_of, network_of};
use crate::schedule::resolve;
use crate::state::State;

/// One thing that is asked of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is asked about: `memory`, `port 8080`, or a constraint as it is written.
    pub name: String,
    /// What is wanted, in words.
    pub wanted: String,
    /// What the node has, in words.
    pub has: String,
    /// Who has it, where that is one allocation.
    pub holder: Option<Holder>,
    /// What the scheduler found wrong with it; none where it is met.
    pub misfit: Option<Misfit>,
}

/// An allocation that has what is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its job.
    pub job: JobKey,
    /// Its name, `web.web[0]`.
    pub name: String,
}

/// Everything that `group` of `job` asks of `node`, where `misfits` is all that stands against it.
pub(super) fn checks(state: &State, job: &Job, group: &Group, node: &Node, misfits: Vec<Misfit>) -> Vec<Check> {
    let mut page = Page { misfits, checks: Vec::new() };
    page.readiness(node);
    page.place(job, node);
    page.drivers(group, node);
    page.constraints(state, job, group, node);
    page.equipment(group, node);
    page.amounts(state, group, node);
    page.ports(state, group, node);
    page.grants(group, node);
    for misfit in std::mem::take(&mut page.misfits) {
        let (name, has) = (misfit.dimension().into_owned(), misfit.to_string());
        page.checks.push(Check { name, wanted: String::new(), has, holder: None, misfit: Some(misfit) });
    }
    page.checks
}

struct Page {
    /// Those that no check has taken yet.
    misfits: Vec<Misfit>,
    checks: Vec<Check>,
}

impl Page {
    /// Adds a check, which is not met if there is a misfit that it is `about`.
    fn add(
        &mut self,
        name: impl Into<String>,
        wanted: impl Into<String>,
        has: impl Into<String>,
        about: impl Fn(&Misfit) -> bool,
    ) {
        let misfit = self.misfits.iter().position(about).map(|at| self.misfits.remove(at));
        self.checks.push(Check { name: name.into(), wanted: wanted.into(), has: has.into(), holder: None, misfit });
    }

    fn readiness(&mut self, node: &Node) {
        self.add("status", "ready", node.status.as_str(), |misfit| matches!(misfit, Misfit::NotReady { .. }));
        let has = match (&node.drain, node.eligibility) {
            (Some(_), _) => "draining",
            (None, Eligibility::Ineligible) => "ineligible",
            (None, Eligibility::Eligible) => "eligible",
        };
        self.add("eligibility", "eligible", has, |misfit| matches!(misfit, Misfit::Ineligible { .. }));
    }

    fn place(&mut self, job: &Job, node: &Node) {
        let is = |misfit: &Misfit| matches!(misfit, Misfit::Datacenter { .. });
        self.add("datacenter", job.datacenters.join(", "), &node.datacenter, is);
        let wanted = if job.node_pool == model::ALL_NODE_POOLS { "any" } else { &job.node_pool };
        self.add("node pool", wanted, &node.pool, |misfit| matches!(misfit, Misfit::Pool { .. }));
    }

    fn drivers(&mut self, group: &Group, node: &Node) {
        let mut drivers: Vec<_> = group.tasks.iter().map(|task| &task.driver).collect();
        drivers.sort();
        drivers.dedup();
        for driver in drivers {
            let has = match node.drivers.get(driver) {
                Some(known) if known.detected && known.healthy => "healthy".into(),
                Some(known) if known.detected && known.description.is_empty() => "unhealthy".into(),
                Some(known) if known.detected => format!("unhealthy: {}", known.description),
                Some(_) | None => "missing".into(),
            };
            let is = |misfit: &Misfit| matches!(misfit, Misfit::Driver { name } if name == driver);
            self.add(format!("driver {driver}"), "healthy", has, is);
        }
    }

    fn constraints(&mut self, state: &State, job: &Job, group: &Group, node: &Node) {
        let of_tasks = group.tasks.iter().flat_map(|task| &task.constraints);
        for constraint in job.constraints.iter().chain(&group.constraints).chain(of_tasks) {
            match constraint.operator {
                Operator::DistinctHosts => {
                    if constraint.value != "false" {
                        self.distinct_hosts(state, job, group, constraint, node);
                    }
                }
                Operator::DistinctProperty => self.distinct_property(constraint, node),
                _ => {
                    let has = resolve(&constraint.attribute, node);
                    let has = has.map_or("not set".into(), |has| has.into_owned());
                    let text = constraint.to_string();
                    let is =
                        |misfit: &Misfit| matches!(misfit, Misfit::Constraint { text: known, .. } if *known == text);
                    self.add(text.clone(), wanted_by(constraint, node), has, is);
                }
            }
        }
    }

    fn distinct_hosts(&mut self, state: &State, job: &Job, group: &Group, constraint: &Constraint, node: &Node) {
        let is_of_job = job.constraints.contains(constraint);
        let here = state.allocations_of_node(node.id);
        let counts = |known: &&std::sync::Arc<Allocation>| {
            known.is_live() && known.job == job.key() && (is_of_job || known.group == group.name)
        };
        let names: Vec<_> = here.filter(counts).map(|known| known.name()).collect();
        let wanted = if is_of_job { "no other instance of the job" } else { "no other instance of the group" };
        let has = if names.is_empty() { "none".into() } else { names.join(", ") };
        self.add(constraint.to_string(), wanted, has, |misfit| matches!(misfit, Misfit::DistinctHosts));
    }

    fn distinct_property(&mut self, constraint: &Constraint, node: &Node) {
        let text = constraint.to_string();
        let is = |misfit: &Misfit| match misfit {
            Misfit::DistinctProperty { property, .. } => *property == constraint.attribute,
            Misfit::Constraint { text: known, .. } => *known == text,
            _ => false,
        };
        let most = constraint.value.parse().unwrap_or(1u32);
        let wanted = format!("a value of fewer than {most} instances");
        let has = resolve(&constraint.attribute, node).map_or("not set".into(), |has| has.into_owned());
        self.add(text.clone(), wanted, has, is);
    }

    fn equipment(&mut self, group: &Group, node: &Node) {
        for volume in group.volumes.values().filter(|volume| volume.kind == "host") {
            let wanted = if volume.read_only { "there" } else { "there, to be written" };
            let has = match node.host_volumes.get(&volume.source) {
                None => "missing",
                Some(known) if known.read_only => "read-only",
                Some(_) => "there",
            };
            let is = |misfit: &Misfit| match misfit {
                Misfit::HostVolume { name } | Misfit::HostVolumeReadOnly { name } => *name == volume.source,
                _ => false,
            };
            self.add(format!("host volume {}", volume.source), wanted, has, is);
        }
        let mut networks: Vec<_> = group
            .networks
            .iter()
            .flat_map(|network| network.ports())
            .filter(|port| !["", model::DEFAULT_HOST_NETWORK].contains(&port.host_network.as_str()))
            .map(|port| (network_of(port, node).unwrap_or(port.host_network.as_str().into()).into_owned(), port))
            .collect();
        networks.sort_by(|one, other| one.0.cmp(&other.0));
        networks.dedup_by(|one, other| one.0 == other.0);
        for (name, port) in networks {
            let has = address_of(port, node).unwrap_or("missing");
            let is = |misfit: &Misfit| matches!(misfit, Misfit::HostNetwork { name: known } if *known == name);
            self.add(format!("host network {name}"), "there", has, is);
        }
    }

    fn amounts(&mut self, state: &State, group: &Group, node: &Node) {
        let (ask, capacity) = (group.ask_on(node), node.capacity());
        let free = state.node_use(node.id).free(node);
        let of = |free: u64, all: u64, unit: &str| format!("{free} {unit} free of {all}");
        self.add("cpu", format!("{} MHz", ask.cpu_mhz), of(free.cpu_mhz, capacity.cpu_mhz, "MHz"), |misfit| {
            matches!(misfit, Misfit::Cpu { .. })
        });
        let has = of(free.memory_mb, capacity.memory_mb, "MiB");
        self.add("memory", format!("{} MiB", ask.memory_mb), has, |misfit| matches!(misfit, Misfit::Memory { .. }));
        // As in `fits`: who asks for no more than he reserves is told of the reservation only, where both are short.
        let is_told = ask.memory_max_mb == ask.memory_mb && ask.memory_mb > free.memory_mb;
        if !is_told || ask.memory_max_mb <= free.memory_max_mb {
            let has = of(free.memory_max_mb, capacity.memory_max_mb, "MiB");
            self.add("memory_max", format!("{} MiB", ask.memory_max_mb), has, |misfit| {
                matches!(misfit, Misfit::MemoryMax { .. })
            });
        }
        let has = of(free.disk_mb, capacity.disk_mb, "MiB");
        self.add("disk", format!("{} MiB", ask.disk_mb), has, |misfit| matches!(misfit, Misfit::Disk { .. }));
    }

    fn ports(&mut self, state: &State, group: &Group, node: &Node) {
        for port in group.networks.iter().flat_map(|network| &network.reserved_ports) {
            let address = address_of(port, node).unwrap_or_default();
            let holds = |known: &&std::sync::Arc<Allocation>| {
                known.holds() && known.ports.iter().any(|held| held.value == port.value && held.host_ip == address)
            };
            let holder = state.allocations_of_node(node.id).find(holds);
            let has = match holder {
                Some(_) => "taken",
                None if node.reserves_port(address, port.value) => "reserved on the node",
                None => "free",
            };
            let is = |misfit: &Misfit| matches!(misfit, Misfit::PortTaken { port: known } if *known == port.value);
            self.add(format!("port {}", port.value), "free", has, is);
            if let (Some(known), Some(check)) = (holder, self.checks.last_mut()) {
                check.holder = Some(Holder { job: known.job.clone(), name: known.name() });
            }
        }
        let dynamic = group.networks.iter().map(|network| network.dynamic_ports.len()).sum::<usize>();
        if dynamic > 0 {
            let (first, last) = node.dynamic_ports;
            let held = state.node_use(node.id).ports_between(node.default_address(), first, last);
            let has = format!("{held} of {first} to {last} taken");
            self.add("dynamic ports", format!("{dynamic} free"), has, |misfit| matches!(misfit, Misfit::NoDynamicPort));
        }
    }

    fn grants(&mut self, group: &Group, node: &Node) {
        let cores: u32 = group.tasks.iter().map(|task| task.resources.cores).sum();
        if cores > 0 {
            let short = self.misfits.iter().find_map(|misfit| match misfit {
                Misfit::Cores { free, .. } => Some(*free),
                _ => None,
            });
            let all = node.cores.ids.len();
            let has = short.map_or(format!("enough of {all}"), |free| format!("{free} free of {all}"));
            self.add("cores", format!("{cores} alone"), has, |misfit| matches!(misfit, Misfit::Cores { .. }));
        }
        for device in group.tasks.iter().flat_map(|task| &task.resources.devices).filter(|device| device.count > 0) {
            let is = |misfit: &Misfit| matches!(misfit, Misfit::Device { name, .. } if *name == device.name);
            let has = self.misfits.iter().find(|misfit| is(misfit)).and_then(|misfit| match misfit {
                Misfit::Device { matching, free, .. } => Some(format!("{matching} match, {free} free")),
                _ => None,
            });
            let share = match device.share {
                share if share < WHOLE_DEVICE => format!("{share}/{WHOLE_DEVICE} of "),
                _ => String::new(),
            };
            let wanted = format!("{share}{}", device.count);
            self.add(format!("device {}", device.name), wanted, has.unwrap_or("enough".into()), is);
        }
    }
}

/// What the right side of a constraint is on `node`, with the way in which it is compared.
fn wanted_by(constraint: &Constraint, node: &Node) -> String {
    match constraint.operator {
        Operator::IsSet => "set".into(),
        Operator::IsNotSet => "not set".into(),
        operator => {
            let right = resolve(&constraint.value, node).map_or("not set".into(), |right| right.into_owned());
            format!("{} {right}", operator.as_str())
        }
    }
}
