//! Looks at the whole cluster all the while, beside the faults, and holds it against the invariants that speak of time: of
//! where servers stand in the log, of containers on hosts, of nodes that are heard and nodes that are not, and, while it is calm, of what must settle.
//!
//! Whoever watches must know what is wrong with the world just then. Where that is not sure, it looks away, and what it had
//! seen begin begins anew: so what it finds is there, and it does not find everything.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use client_agent::drivers::Driver as _;
use client_agent_core::Found;
use invariants::{
    Consensus, Container, Ends, GoneUnlisted, Leftovers, Orphans, Silent, Survivors, Violation, WellListed,
};
use model::{AllocationId, Desired, InstanceState, ServerId, Term, Timestamp};
use seams::Clock;
use server::cluster::Cluster;
use server::raft::Role;
use server::server::Server;
use server_core::state::State;
use tokio::time::sleep;

use super::cluster::SimCluster;
use super::coverage::Sometimes;
use super::net::node_id;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(250);
/// An agent is well in control of its host if its last beat was heard so short a time ago.
const HEARD_WITHIN: Duration = Duration::from_secs(2);
/// How long after the beginning of the calm servers may still answer as before.
const CATCHES_UP_WITHIN: Duration = Duration::from_secs(10);

/// Watches until it is dropped.
pub async fn run(cluster: Arc<SimCluster>) {
    let mut watch = Watch::default();
    loop {
        sleep(LOOK).await;
        for violation in watch.look(&cluster).await {
            cluster.trace.violate(violation);
        }
    }
}

/// What was seen so far.
#[derive(Default)]
struct Watch {
    consensus: Consensus,
    ends: Ends,
    leftovers: Leftovers,
    orphans: Orphans,
    silent: Silent,
    survivors: Survivors,
    gone: GoneUnlisted,
    well: WellListed,
    led_by: Option<(ServerId, Term)>,
    calm_since: Option<Timestamp>,
}

impl Watch {
    async fn look(&mut self, cluster: &SimCluster) -> Vec<Violation> {
        let now = cluster.clock.now();
        let newest = cluster.oracle.newest();
        let mut violations = Vec::new();
        violations.extend(self.consensus.sees(cluster.positions()));
        self.ends.sees(now, &newest);
        let is_fine = cluster.is_fine();
        let leader = cluster.leader_now().map(|leader| (leader.server_id(), leader.leadership().term));
        for number in cluster.agent_numbers() {
            violations.extend(self.host(cluster, number, now, &newest).await);
            self.node(cluster, number, now, is_fine);
        }
        if !is_fine || leader != self.led_by {
            self.silent.unled();
            self.led_by = None;
        }
        if is_fine && leader.is_some() && self.led_by.is_none() {
            self.silent.led(now);
            self.led_by = leader;
        }
        violations.extend(self.silent.sees(now, &newest));
        if cluster.is_calm() {
            let since = *self.calm_since.get_or_insert(now);
            violations.extend(self.survivors.sees(now, &newest));
            self.gone.sees(now, &newest);
            self.well.sees(now, &newest);
            if now.since(since) > CATCHES_UP_WITHIN {
                violations.extend(cluster.running().iter().flat_map(|server| self.catalog(server, now)));
            }
        }
        violations
    }

    /// What runs on a host.
    async fn host(&mut self, cluster: &SimCluster, number: u64, now: Timestamp, newest: &State) -> Vec<Violation> {
        let node = node_id(number);
        let Some((fake, trouble)) = cluster.runtime(number) else { return Vec::new() };
        let Ok(listed) = fake.list().await else {
            self.leftovers.unreachable(node);
            self.orphans.unattended(node);
            return Vec::new();
        };
        let containers: Vec<_> = listed.into_iter().filter_map(running).collect();
        let mut violations = self.ends.found(&containers);
        let is_heard = cluster.oracle.heard_at(number).is_some_and(|at| at.elapsed() < HEARD_WITHIN);
        if is_heard && !trouble.is_there() && cluster.agent_runs(number) {
            violations.extend(self.leftovers.found(now, node, &containers, newest));
            let known: BTreeSet<AllocationId> = newest.allocations_of_node(node).map(|known| known.id).collect();
            violations.extend(self.orphans.found(now, node, &containers, &known));
            let shall_stop = |id: &AllocationId| newest.allocation(*id).is_some_and(|it| it.desired != Desired::Run);
            if containers.iter().filter_map(|container| container.allocation).any(|id| shall_stop(&id)) {
                cluster.oracle.note(Sometimes::UnwantedContainerWasSeen);
            }
        } else {
            self.leftovers.unreachable(node);
            self.orphans.unattended(node);
        }
        violations
    }

    /// Whether an agent can be heard.
    fn node(&mut self, cluster: &SimCluster, number: u64, now: Timestamp, is_fine: bool) {
        let node = node_id(number);
        if cluster.is_claimed(number) {
            cluster.oracle.can_be_heard(node, None);
            self.silent.back(node);
            return;
        }
        let runs = cluster.agent_runs(number);
        cluster.oracle.can_be_heard(node, (runs && is_fine).then_some(now));
        if let Some(killed_at) = cluster.killed_at(number) {
            self.silent.away(node, killed_at);
            if self.led_by.is_some() {
                cluster.oracle.note(Sometimes::SilenceWasTimed);
            }
        } else {
            self.silent.back(node);
        }
    }

    /// What a server says of services.
    fn catalog(&self, server: &Server, now: Timestamp) -> Vec<Violation> {
        let members = server.raft().metrics().members;
        if !members.iter().any(|member| member.id == server.server_id() && member.role == Role::Voter) {
            return Vec::new();
        }
        let state = server.state();
        let mut violations = Vec::new();
        for ((namespace, service), row) in state.services() {
            let passing = row.instances.values().filter(|known| known.state == InstanceState::Passing);
            let listed: Vec<AllocationId> = passing.map(|known| known.allocation).collect();
            violations.extend(self.gone.answered(now, Duration::ZERO, &listed));
            violations.extend(self.well.answered(now, Duration::ZERO, namespace, service, &listed));
        }
        violations
    }
}

/// A container that runs.
fn running(listed: client_agent::drivers::Container) -> Option<Container> {
    match listed.found {
        Found::Running { handle, started_at } => {
            Some(Container { id: handle, allocation: Some(listed.allocation), task: listed.task, pid: 0, started_at })
        }
        Found::Exited { .. } | Found::Absent => None,
    }
}
