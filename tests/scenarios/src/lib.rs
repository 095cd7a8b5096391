//! The scheduler's behaviour as text: a cluster, what happens in it, and what is decided.
//!
//! [`check`] plays the lines of a scenario through `apply`, lets the scheduler decide everything that is pending, and
//! compares. Whatever is decided must also be accepted by `apply` as a whole, keep every invariant, and leave nothing to
//! decide when asked again at once; so every scenario is a test of these too.
//!
//! ```text
//! node n1 cpu=1000 mem=512 rack=r1        its size, dc=, pool=, class=, ports=20000-20009, driver=, attr.NAME=, or meta
//! node n1 driver=docker:sick reserved=100:256                             or absent; CPU and memory that nobody gets
//! node n1 cores=0-3 core_mhz=1000 device="nvidia/gpu/1080ti:2;memory=11 GiB" volume=certs:ro network=lan:10.0.0.1:22
//! node n1 cores=0-7 numa=0-3;4-7 device="nvidia/gpu/1080ti:2;numa=0,1"       its NUMA nodes, and on which the devices are
//!                                         what it has beyond amounts; device count `3-1`: three, the first one sick
//! node n1 max_allocs=2 modes=host,none     how many allocations it holds at most; how it attaches to the network
//! node n2 down since=-60s                 or suspect, draining, ineligible: once everything before it is in place
//! job web count=2 cpu=400 mem=100         registers it; a second line changes it, and so makes a new version
//! job web max_parallel=1 canary=1         its rules: also auto_revert, auto_promote, progress_deadline=, reschedule=30s or
//!                                         never, attempts=, interval=, delay=fibonacci, max_delay=, migrate=2, max_run=,
//!                                         kill_timeout=, sticky; lost_after=, keep, stop_on_client_after=, reconcile=keep_original
//! job web change=env                      or tags, meta: something new
//! job web cores=2 device="gpu:1;share=500;constraint=${device.attr.memory} >= 8 GiB;affinity=50 ${device.model} = x"
//!         numa=require:gpu                 or prefer: cores of one NUMA node, with these devices near them
//!         mode=bridge secret=vault         how it is attached to the network; where a secret comes from
//!         volume=data:ro port=8080@lan dynamic_ports=2@lan ignore_collision        what it asks beyond amounts;
//!                                         `no_devices` takes back what an earlier line asked
//! group api count=1                       one more group of the job above
//! alloc web[0] on n1 running healthy      there before; pending, failed, complete, canary, at=-60s, replacing=n2
//! deployment web promoted                 a rollout of the current version: running, failed, paused, promoted, successful
//! volume data on n1 modes=writer,single-writer namespace=other        somebody makes a volume there while the cluster runs,
//!                                         for these uses; `job web volume=data;sticky;single-writer` asks for it
//! close data on n1 · delete data on n1 · unclaim web[0]    the volume is closed, or gone; the instance need not come back to it
//! run · healthy web · fails web[0] on n1 at=-5m · gone web[0] on n1 · sweep (what was told to stop is gone)
//! runs web[0] on n1 · healthy (or unhealthy) web[0] on n1 · reports n1     the agent says so of one instance,
//!                                         or of all that is wanted on its node
//! stop web[0] on n1 · stop web · drain n1 deadline=1h ignore_system · undrain n1 · down n1 · back n1 · wait 30s
//! ineligible n1 · eligible n1             somebody closes the node to new work, or opens it
//! purge web · forget n1                   the job or the node is forgotten
//! ask web · ask web force                 somebody asks to evaluate it; what failed is placed anew at once
//! revert web 0 · stable web               an older version again; the current one did well
//! promote web · promote web api · pause web · resume web · fail web · judge web[0] healthy
//! panic web                               the planner panics on its evaluation, which must be the next
//! crash web                               every instance of the current version fails
//! watch                                   the watches over deployments, drains and rebalances do what is due
//! rebalance spread moves=3 at_once=1      what is proposed for that goal begins; or pack, empty n3; per_job=, cool_down=,
//!                                         job=, pool=, singletons, if_any. `job web never_rebalance` keeps its instances out
//! cancel                                  somebody ends the rebalance
//! collect                                 what is over and old is forgotten
//! scheduler spread                        instead of bin-packing; preempt: jobs of all types take room, not system alone
//! ```
//!
//! Decisions read `place web[0] on n2 after web[0]`, `place web[0] of version 0 on n2` where that is not the job's current
//! one, `place web[0] on n1 with cores 0,1 and 500 of 1080ti[0] and port 80 at 10.0.0.1` for what it gets beyond amounts,
//! `canary web[0] on n1`, `stop web[1] on n1: updated`, `preempt low[0] on n1`, `in-place web[0]`, `follow-up in 30s for web[0]`, `no
//! follow-up in 60s`, `deployment begins`, `held back web 2`, `blocked web 1: memory 3`. Their order means nothing. `[?]`
//! stands for any index, where equal instances may change places.

mod cluster;
mod decision;
mod deeds;
mod equipment;
mod explained;
mod job;
mod rebalance;
pub mod story;
mod volumes;
mod words;

use std::collections::BTreeSet;

use model::{AllocationId, Desired, StopReason};
use server_core::dry_run::dry_run;
use server_core::why::why;

use cluster::Cluster;
pub use explained::{
    Others, broken_hint, check_blocked, check_capacity, check_node_alone, check_on_node, check_overview, hints,
};
pub use rebalance::{check_held, check_rebalance, check_rebalance_status, first_wrong_rebalance};

/// Plays `setup` and asserts that exactly `expected` is decided.
#[track_caller]
pub fn check(setup: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    let decided = cluster.run();
    assert_eq!(normal(decided.iter().map(String::as_str), expected), normal(expected.lines(), expected));
    assert_eq!(cluster.violations(), Vec::new());
    assert_eq!(cluster.would_still_do(), Vec::<String>::new(), "asked again at once, more is decided");
}

/// Plays `setup` and returns what is decided, in order: where the choice among equal nodes leaves several answers right, or
/// the order is what matters.
pub fn decided(setup: &str) -> Vec<String> {
    let (mut cluster, decided) = decided_so_far(setup);
    assert_eq!(cluster.would_still_do(), Vec::<String>::new(), "asked again at once, more is decided");
    decided
}

/// Asserts what is decided so far, in order, though more would be if somebody asked for it.
#[track_caller]
pub fn check_so_far(setup: &str, expected: &str) {
    assert_eq!(decided_so_far(setup).1, expected.lines().map(str::trim).collect::<Vec<_>>());
}

fn decided_so_far(setup: &str) -> (Cluster, Vec<String>) {
    let mut cluster = Cluster::play(setup);
    let decided = cluster.run();
    assert_eq!(cluster.violations(), Vec::new());
    (cluster, decided)
}

/// Plays `setup`, lets the scheduler decide, and asserts what the watch over deployments does: all of it is accepted, and
/// asked again at once it does no more.
#[track_caller]
pub fn check_watch(setup: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    assert_eq!(cluster.watch(), expected.lines().map(str::trim).collect::<Vec<_>>());
    assert_eq!(cluster.watch(), Vec::<String>::new());
}

/// Plays `setup`, has the scheduler plan, plays `meanwhile`, and only then commits that plan; then goes on as [`check`]
/// does.
#[track_caller]
pub fn check_late(setup: &str, meanwhile: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    let mut decided = cluster.plan_late(meanwhile);
    decided.extend(cluster.run());
    assert_eq!(normal(decided.iter().map(String::as_str), expected), normal(expected.lines(), expected));
    assert_eq!(cluster.violations(), Vec::new());
    assert_eq!(cluster.would_still_do(), Vec::<String>::new(), "asked again at once, more is decided");
}

/// Plays `setup`, lets the scheduler decide, and asserts which instances of `job` are wanted then, and where.
#[track_caller]
pub fn check_wanted(setup: &str, job: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let wanted = decision::of_wanted(&cluster.state, &words::job_key(job));
    assert_eq!(normal(wanted.iter().map(String::as_str), expected), normal(expected.lines(), expected));
    assert_eq!(cluster.would_still_do(), Vec::<String>::new(), "asked again at once, more is decided");
}

/// Plays `setup`, lets the scheduler decide, and asserts what became of every evaluation of `job`, oldest first, with the
/// instances that it left waiting.
#[track_caller]
pub fn check_evaluations(setup: &str, job: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let said = decision::of_evaluations(&cluster.state, &words::job_key(job));
    assert_eq!(said, expected.lines().map(str::trim).collect::<Vec<_>>());
}

/// Plays `setup`, lets the scheduler decide, and asserts that `line` is refused with these words.
#[track_caller]
pub fn check_refused(setup: &str, line: &str, words: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let before = cluster.state.clone();
    assert_eq!(cluster.refused(line).as_deref(), Some(words));
    assert_eq!(cluster.state.deployments().collect::<Vec<_>>(), before.deployments().collect::<Vec<_>>());
}

/// The id of the newest instance of that name when `setup` was played.
pub fn id_of_allocation(setup: &str, name: &str) -> AllocationId {
    Cluster::play(setup).instance(&words::Name::of(name), None).id
}

/// Plays `setup`, lets the scheduler decide, and asserts where the drain of `node` stands, an allocation a line.
#[track_caller]
pub fn check_drain(setup: &str, node: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let said = decision::of_drain(&cluster.state, &cluster.node_named(node));
    assert_eq!(normal(said.iter().map(String::as_str), expected), normal(expected.lines(), expected));
}

/// Plays `setup`, lets the scheduler decide, and asserts what `why` says of `job`: its numbers, nodes and hints.
#[track_caller]
pub fn check_why(setup: &str, job: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let why = why(&cluster.state, &words::job_key(job)).expect("the scenario has that job");
    for group in &why.groups {
        assert_eq!(group.nodes_total, group.nodes_filtered + group.nodes_exhausted + group.nodes_fit, "sums add up");
        assert_eq!(group.nodes_total as usize, group.nodes.len());
    }
    let said = decision::of_why(&why, cluster.now);
    assert_eq!(said, expected.lines().map(str::trim).collect::<Vec<_>>());
}

/// Plays `setup` and asserts what a dry run of `job`, a line of the language, says; then that the run does just that.
#[track_caller]
pub fn check_dry_run(setup: &str, job: &str, expected: &str) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let document = cluster.drafted(job);
    let before = cluster.state.clone();
    let foreseen = dry_run(&cluster.state, &document, cluster.now);
    assert_eq!(cluster.state, before, "a dry run changes nothing");
    assert!(
        foreseen.placements.is_sorted_by_key(|preview| (&preview.group, preview.index)),
        "the ninth before the tenth"
    );
    let said = decision::of_dry_run(&foreseen);
    assert_eq!(normal(said.iter().map(String::as_str), expected), normal(expected.lines(), expected));
    cluster.register(document);
    let decided = cluster.run();
    let placed = foreseen.placements.iter().all(|preview| {
        let place = format!("{} on {}", decision::short_name(&preview.name), preview.node_name);
        decided.iter().any(|line| line.contains(&place))
    });
    assert!(placed, "foreseen {:?}, done {decided:?}", foreseen.placements);
}

/// Plays `lines` one by one, lets the scheduler decide after each, and returns the first thing that must never be, with all
/// that led to it. What names a node that was forgotten meanwhile is left out.
pub fn first_wrong(lines: &[String]) -> Option<String> {
    let mut cluster = Cluster::play("");
    let mut story = String::new();
    let mut nodes = BTreeSet::new();
    for line in lines {
        nodes.extend(cluster.state.nodes().map(|node| node.name.clone()));
        let is_forgotten = |name: &str| cluster.state.nodes().all(|node| node.name != name);
        let adds_node = line.starts_with("node ");
        if !adds_node && line.split_whitespace().any(|word| nodes.contains(word) && is_forgotten(word)) {
            continue;
        }
        cluster.go_on(line);
        story += &format!("{line}\n");
        story.extend(cluster.run().iter().map(|decided| format!("    {decided}\n")));
        if let Some(violation) = cluster.violations().first() {
            return Some(format!("{story}{violation}"));
        }
        let more = cluster.would_still_do();
        if !more.is_empty() {
            return Some(format!("{story}asked again at once: {more:?}"));
        }
    }
    None
}

/// Plays `setup`, which places healthy instances, and then `steps`, after each of which the scheduler decides and every
/// instance that is none of those fails at once. How many of those were replaced by newer ones, and the story.
pub fn replaced_by_crashing(setup: &str, steps: &[String]) -> (usize, String) {
    let mut cluster = Cluster::play(setup);
    cluster.run();
    let healthy: BTreeSet<_> =
        cluster.state.allocations().filter(|known| known.is_well()).map(|known| known.id).collect();
    let mut story = format!("{setup}\n");
    for step in steps {
        cluster.go_on(step);
        story += &format!("{step}\n");
        // What is placed anew at once fails at once.
        for _ in 0..3 {
            story.extend(cluster.run().iter().map(|decided| format!("    {decided}\n")));
            cluster.crash_all_but(&healthy);
        }
    }
    let was_replaced = |id: &&AllocationId| {
        cluster.state.allocation(**id).is_some_and(|known| known.desired == Desired::Stop(StopReason::Updated))
    };
    (healthy.iter().filter(was_replaced).count(), story)
}

/// Lines in an order that means nothing; indexes are hidden where `expected` hides them.
fn normal<'a>(lines: impl Iterator<Item = &'a str>, expected: &str) -> Vec<String> {
    let hides = expected.contains("[?]");
    let shown = |line: &str| if hides { words::hide_indexes(line) } else { line.to_string() };
    let mut lines: Vec<_> = lines.map(str::trim).filter(|line| !line.is_empty()).map(shown).collect();
    lines.sort();
    lines
}
