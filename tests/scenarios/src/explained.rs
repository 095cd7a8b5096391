//! What explaining says, as lines: a node looked at for a job or alone, what would fit if something were different, and
//! whether hints keep what they promise.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::{
    Allocation, DeviceGroup, DeviceInstance, DeviceName, Driver, HostVolume, Job, Misfit, Node, NodeStatus, Timestamp,
};
use server_core::capacity::{self, Ask, Foreseen, Moved, NewNodes, Placed, Room, Share, WhatIf};
use server_core::command::Command;
use server_core::schedule::{SCORE_ONE, Score};
use server_core::why::{Change, GroupOnNode, Hint, JobOnNode, NewNode, NodeAlone, NodeLimit, node_alone, on_node, why};

use super::cluster::Cluster;
use super::decision::{label, short_name};
use super::words::{Words, job_key};

/// Plays `setup`, lets the scheduler decide, and asserts what is said of `node` for `job`: every check, and the score.
#[track_caller]
pub fn check_on_node(setup: &str, node: &str, job: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let node = cluster.node_named(node).id;
    let said = on_node(&cluster.state, node, &job_key(job)).expect("the scenario has that job");
    let why = why(&cluster.state, &job_key(job)).expect("the scenario has that job");
    for (group, all) in said.groups.iter().zip(&why.groups) {
        let of_node = all.nodes.iter().find(|known| known.id == node).expect("every node is explained");
        let mut shown: Vec<&Misfit> = group.checks.iter().filter_map(|check| check.misfit.as_ref()).collect();
        let mut found: Vec<&Misfit> = of_node.misfits.iter().collect();
        shown.sort();
        found.sort();
        assert_eq!(shown, found, "each reason stands at exactly one check");
        assert_eq!((group.score, group.rank), (of_node.score, of_node.rank));
    }
    compare(of_job_on_node(&said), expected);
}

/// Plays `setup`, lets the scheduler decide, and asserts what is said of `node` alone.
#[track_caller]
pub fn check_node_alone(setup: &str, node: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let node = cluster.node_named(node).id;
    compare(of_node_alone(&node_alone(&cluster.state, node).expect("the node is there")), expected);
}

/// Plays `setup`, lets the scheduler decide, and asserts what there is and what is free.
#[track_caller]
pub fn check_overview(setup: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    compare(capacity::overview(&cluster.state).iter().map(of_share).collect(), expected);
}

/// Plays `setup`, lets the scheduler decide, and asserts what would come of `changes`: lines `ask cpu=500 mem=100 count=2`,
/// `add cpu=1000 mem=1000 count=2 like=n1`, `remove n1`, or a `job` line.
#[track_caller]
pub fn check_capacity(setup: &str, changes: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let before = cluster.state.clone();
    let foreseen = capacity::foresee(&cluster.state, &what_if(&cluster, changes), cluster.now);
    assert_eq!(cluster.state, before, "what is foreseen changes nothing");
    compare(foreseen.map_or_else(|cannot| vec![cannot.to_string()], |foreseen| of_foreseen(&foreseen)), expected);
}

/// Plays `setup`, lets the scheduler decide, and asserts since when `job` waits for room and what was tried since.
#[track_caller]
pub fn check_blocked(setup: &str, job: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let why = why(&cluster.state, &job_key(job)).expect("the scenario has that job");
    let blocked = why.groups[0].blocked.as_ref().expect("it waits for room");
    let ago = |at: Timestamp| format!("-{}s", cluster.now.since(at).as_secs());
    let tried = blocked.tried_at.map_or("not tried again".into(), |at| {
        let after = blocked.tried_after.as_ref().map_or(String::new(), |node| format!(" after {node}"));
        format!("tried again {}{after}", ago(at))
    });
    assert_eq!(format!("since {} by {}, {tried}", ago(blocked.since), blocked.cause.as_str()), expected);
}

/// The hints that `why` gives of the first group of `job` when `setup` is played.
pub fn hints(setup: &str, job: &str) -> Vec<String> {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let why = why(&cluster.state, &job_key(job)).expect("the scenario has that job");
    why.groups[0].hints.iter().map(Hint::to_string).collect()
}

/// What jobs other than the one that is explained want.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// What they have.
    Content,
    /// What they lack, too.
    Waiting,
}

/// Plays the lines, and carries out, each on a cluster of its own, every hint that `why` gives of `job`. The first that
/// does not have one more instance placed, with all that led to it; and how many hints there were. Other jobs are content
/// with what they have; where they are not, as `others` says, only hints about the cluster count that name nobody who
/// comes first.
pub fn broken_hint(lines: &[String], job: &str, others: Others) -> (usize, Option<String>) {
    let setup = lines.join("\n");
    let play = || {
        let mut cluster = Cluster::play(&setup);
        cluster.run();
        if others == Others::Content {
            cluster.content_all_but(job);
        }
        cluster
    };
    let is_of_document = |hint: &&Hint| hint.changes.iter().any(|change| change.bend(&mut Job::default(), ""));
    let counts = |hint: &&Hint| others == Others::Content || hint.behind.is_none() && !is_of_document(hint);
    let cluster = play();
    let Some(why) = why(&cluster.state, &job_key(job)) else { return (0, None) };
    let mut hints = 0;
    // A group that has all it wants is told what one more would need; nobody asks for that one.
    for group in why.groups.iter().filter(|group| group.unplaced > 0) {
        for hint in group.hints.iter().filter(counts) {
            hints += 1;
            let mut tried = play();
            let before = live(&tried, job, &group.group);
            tried.carry_out(hint, job, &group.group);
            let mut decided = tried.run();
            // A changed document replaces what runs, and that must be gone first.
            tried.go_on("sweep");
            decided.extend(tried.run());
            let after = live(&tried, job, &group.group);
            if after <= before {
                return (hints, Some(format!("{setup}\nhint: {hint}\n{decided:?}\n{before} before, {after} then")));
            }
        }
    }
    (hints, None)
}

fn live(cluster: &Cluster, job: &str, group: &str) -> usize {
    let of_job = cluster.state.allocations_of_job(&job_key(job));
    of_job.filter(|known| known.is_live() && known.group == group).count()
}

impl Cluster {
    /// Every other job wants no more than it has.
    fn content_all_but(&mut self, job: &str) {
        let others: Vec<_> = self.state.jobs().filter(|record| record.key != job_key(job)).cloned().collect();
        for record in others {
            let mut document = Job::clone(&record.current().job);
            for group in &mut document.groups {
                group.count = live(self, &record.key.id, &group.name) as u32;
            }
            self.register(Arc::new(document));
        }
        self.run();
    }

    fn carry_out(&mut self, hint: &Hint, job: &str, group: &str) {
        let mut document = Job::clone(&self.state.job(&job_key(job)).expect("it was explained").current().job);
        let mut is_bent = false;
        for change in &hint.changes {
            match change {
                Change::OpenNode { node, name, .. } => {
                    self.go_on(&format!("undrain {name}\neligible {name}"));
                    let status = self.state.node(*node).map(|node| node.status);
                    match status {
                        Some(NodeStatus::Down) => self.go_on(&format!("back {name}")),
                        _ => drop(self.command(Command::SetNodeStatus {
                            changes: vec![(*node, NodeStatus::Ready)],
                            seen: None,
                            term: self.state.term(),
                        })),
                    }
                }
                Change::HealDrivers { node, drivers, .. } => {
                    let mut node = Node::clone(self.state.node(*node).expect("it was explained"));
                    for name in drivers {
                        node.drivers
                            .insert(name.clone(), Driver { detected: true, healthy: true, ..Driver::default() });
                    }
                    self.command(Command::RegisterNode { node: Arc::new(node), session: None });
                }
                Change::RaiseLimits { node, limits, .. } => {
                    let mut node = Node::clone(self.state.node(*node).expect("it was explained"));
                    for limit in limits {
                        match limit {
                            NodeLimit::Allocations => {
                                node.max_allocations = node.max_allocations.map(|most| most + 1);
                            }
                            NodeLimit::DynamicPorts => node.dynamic_ports.1 += 1,
                        }
                    }
                    self.command(Command::RegisterNode { node: Arc::new(node), session: None });
                }
                Change::StopJob(job) => self.go_on(&format!("stop {}\nrun\nsweep", job.id)),
                Change::AddNode(new) => {
                    // One more instance is enough, unless all of the job are placed or none.
                    let nodes = if document.all_at_once { new.instances } else { 1 };
                    for number in 1..=nodes {
                        self.add_node(&format!("added{number}"), new, &document, group);
                    }
                }
                other => is_bent |= other.bend(&mut document, group),
            }
        }
        if is_bent {
            self.register(Arc::new(document));
        }
    }

    /// A node that meets the conditions which scenarios know of, with just that much.
    fn add_node(&mut self, name: &str, new: &NewNode, job: &Job, group: &str) {
        let group = job.group(group).expect("it was explained");
        let mut node = model::testing::node(name).cpu(new.cpu_mhz).memory(new.memory_mb);
        node.total.memory_max_mb = node.total.memory_max_mb.max(new.memory_max_mb);
        if new.disk_mb > 0 {
            node.total.disk_mb = new.disk_mb;
        }
        node.datacenter =
            job.datacenters.first().filter(|known| !known.contains('*')).cloned().unwrap_or(node.datacenter);
        if job.node_pool != model::ALL_NODE_POOLS {
            node.pool = job.node_pool.clone();
        }
        let driver = node.drivers.values().next().cloned().unwrap_or_default();
        node.drivers = group.tasks.iter().map(|task| (task.driver.clone(), driver.clone())).collect();
        node.meta.insert("rack".into(), name.into());
        for constraint in job.constraints.iter().chain(&group.constraints) {
            if let Some(key) = constraint.attribute.strip_prefix("${meta.").and_then(|key| key.strip_suffix('}'))
                && constraint.operator.meaning() == model::Operator::Equal
            {
                node.meta.insert(key.into(), constraint.value.clone());
            }
        }
        for volume in group.host_volumes() {
            node.host_volumes.insert(volume.source.clone(), HostVolume::default());
        }
        node.cores.ids = (0..new.cores as u16).collect();
        node.cores.numa_nodes = BTreeMap::from([(0, node.cores.ids.clone())]);
        for (at, (name, count)) in new.devices.iter().enumerate() {
            let mut parts = name.split('/').rev();
            let last = parts.next().unwrap_or_default().to_string();
            let name = match (parts.next(), parts.next()) {
                (Some(kind), Some(vendor)) => DeviceName { vendor: vendor.into(), kind: kind.into(), name: last },
                (Some(vendor), None) => DeviceName { vendor: vendor.into(), kind: last, name: "any".into() },
                _ => DeviceName { vendor: "any".into(), kind: last, name: "any".into() },
            };
            let instance = |number| DeviceInstance { id: format!("{at}-{number}"), healthy: true, numa_node: Some(0) };
            let instances = (0..*count).map(instance).collect();
            node.devices.push(DeviceGroup { name, attributes: BTreeMap::new(), instances });
        }
        self.command(Command::RegisterNode { node: Arc::new(node), session: None });
    }
}

#[track_caller]
fn compare(said: Vec<String>, expected: &str) {
    assert_eq!(said, expected.lines().map(str::trim).collect::<Vec<_>>());
}

fn what_if(cluster: &Cluster, changes: &str) -> WhatIf {
    let mut what_if = WhatIf::default();
    for line in changes.lines() {
        let Some((verb, mut words)) = Words::of(line) else { continue };
        match verb.as_str() {
            "ask" => what_if.ask = Some(ask(words)),
            "add" => what_if.added.push(new_nodes(cluster, words)),
            "remove" => drop(what_if.removed.insert(cluster.node_named(&words.name()).id)),
            "job" => what_if.job = Some(cluster.drafted(line)),
            other => panic!("nobody knows {other}"),
        }
    }
    what_if
}

fn ask(mut words: Words) -> Ask {
    let device = words.value("device").map(|text| {
        let (name, count) = text.split_once(':').unwrap_or((&text, "1"));
        (name.to_string(), count.parse().expect("a count is a number"))
    });
    let ask = Ask {
        cpu_mhz: words.number("cpu").unwrap_or(1),
        memory_mb: words.number("mem").unwrap_or(1),
        memory_max_mb: words.number("memory_max").unwrap_or(0),
        disk_mb: words.number("disk").unwrap_or(0),
        cores: words.number("cores").unwrap_or(0),
        device,
        driver: words.value("driver"),
        datacenter: words.value("dc"),
        pool: words.value("pool"),
        class: words.value("class"),
        count: words.number("count"),
    };
    words.end();
    ask
}

fn new_nodes(cluster: &Cluster, mut words: Words) -> NewNodes {
    let new = NewNodes {
        like: words.value("like").map(|name| cluster.node_named(&name).id),
        cpu_mhz: words.number("cpu"),
        memory_mb: words.number("mem"),
        disk_mb: words.number("disk"),
        datacenter: words.value("dc"),
        pool: words.value("pool"),
        class: words.value("class"),
        count: words.number("count").unwrap_or(1),
    };
    words.end();
    new
}

fn of_job_on_node(said: &JobOnNode) -> Vec<String> {
    said.groups.iter().flat_map(|group| of_group_on_node(&said.job.id, group)).collect()
}

fn of_group_on_node(job: &str, group: &GroupOnNode) -> Vec<String> {
    let here: Vec<_> = group.instances.iter().map(|name| short_name(name)).collect();
    let here = if here.is_empty() { "nothing".into() } else { here.join(", ") };
    let mut lines = vec![format!("{}: {here} there", label(job, &group.group))];
    for check in &group.checks {
        let sign = if check.misfit.is_none() { "ok" } else { "no" };
        let by = check.holder.as_ref().map_or(String::new(), |holder| format!(" by {}", short_name(&holder.name)));
        lines.push(format!("{sign} {}: {} wanted, {}{by}", check.name, check.wanted, check.has));
    }
    if let (Some(score), Some(rank)) = (group.score, group.rank) {
        lines.push(format!("rank {rank} of {}: {}", group.nodes_fit, of_score(score)));
    }
    if let Some(best) = &group.best {
        lines.push(format!("best {}: {}", best.name, of_score(best.score)));
    }
    lines
}

/// The parts that say something, in hundredths.
fn of_score(score: Score) -> String {
    let said = score.parts().into_iter().filter(|(_, part)| *part != 0);
    let parts: Vec<_> = said.map(|(name, part)| format!("{name} {}", part * 100 / SCORE_ONE)).collect();
    if parts.is_empty() { "nothing".into() } else { parts.join(", ") }
}

fn of_node_alone(said: &NodeAlone) -> Vec<String> {
    let closed: Vec<_> = said.closed.iter().map(ToString::to_string).collect();
    let closed = if closed.is_empty() { "open".into() } else { closed.join("; ") };
    let (free, all) = (said.free, said.capacity);
    let mut lines = vec![
        closed,
        format!("free {} of {} MHz, {} of {} MiB", free.cpu_mhz, all.cpu_mhz, free.memory_mb, all.memory_mb),
    ];
    let name = |known: &Arc<Allocation>| format!("holds {}", short_name(&known.name()));
    lines.extend(said.allocations.iter().map(name));
    for blocked in &said.blocked {
        let misfits: Vec<_> = blocked.misfits.iter().map(ToString::to_string).collect();
        let misfits = if misfits.is_empty() { "fits".into() } else { misfits.join("; ") };
        lines.push(format!("waits {} {}: {misfits}", label(&blocked.job.id, &blocked.group), blocked.unplaced));
    }
    assert!(said.blocked_total as usize >= said.blocked.len());
    lines
}

fn of_share(share: &Share) -> String {
    let class = if share.class.is_empty() { "-" } else { &share.class };
    let largest = share.largest_memory.as_ref().map_or("nothing".into(), |largest| {
        format!("{} MHz and {} MiB on {}", largest.free.cpu_mhz, largest.free.memory_mb, largest.node_name)
    });
    format!(
        "{} {} {class}: {} of {} open, {} of {} MiB held, {} free, largest {largest}",
        share.datacenter,
        share.pool,
        share.open,
        share.nodes,
        share.held.memory_mb,
        share.total.memory_mb,
        share.free.memory_mb
    )
}

fn of_foreseen(foreseen: &Foreseen) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(foreseen.added.iter().map(|name| format!("added {name}")));
    lines.extend(foreseen.moved.iter().map(of_moved));
    lines.extend(foreseen.job.iter().map(of_placed));
    let preempted = foreseen.preempted.iter();
    lines.extend(preempted.map(|one| format!("preempt {} on {}", short_name(&one.name), one.node_name)));
    lines.extend(foreseen.ask.iter().map(of_placed));
    lines.extend(foreseen.room.iter().map(of_room));
    lines
}

fn of_moved(moved: &Moved) -> String {
    let why = moved.why.as_ref().map_or(String::new(), |why| {
        let reasons: Vec<_> = why.reasons.iter().map(|(reason, count)| format!("{reason} {}", count.nodes)).collect();
        format!(": {}", reasons.join(", "))
    });
    let name = label(&moved.job.id, &moved.group);
    format!("{name} {} displaced, {} waited, {} wait{why}", moved.displaced, moved.unplaced_before, moved.unplaced)
}

fn of_placed(placed: &Placed) -> String {
    format!("{} {} of {} placed{}", placed.group, placed.placed, placed.wanted, of_nodes(&placed.nodes))
}

fn of_room(room: &Room) -> String {
    let more = if room.is_limit { " or more" } else { "" };
    let first = room.ends_first().map_or(String::new(), |reason| format!(", {reason} ends first"));
    format!("room for {}{more}{}{first}", room.instances, of_nodes(&room.nodes))
}

fn of_nodes(nodes: &BTreeMap<String, u32>) -> String {
    let nodes: Vec<_> = nodes.iter().map(|(name, count)| format!("{count} on {name}")).collect();
    if nodes.is_empty() { String::new() } else { format!(": {}", nodes.join(", ")) }
}
