//! Bars R7 and R8: what clients are told of registers is linearizable under every nemesis, and watchers of the event
//! stream are told of everything, once and in order. `CHAOS_NEMESES` names the nemeses
//! (`kill,pause`, or `all`), `CHAOS_SECONDS` says how long each goes on.

use std::process::Command;
use std::time::Duration;

use tests::chaos::auditor::Auditor;
use tests::chaos::client::{CLIENTS, Clients, Reads};
use tests::chaos::cluster::Cluster;
use tests::chaos::history::Ended;
use tests::chaos::linear::{self, Verdict};
use tests::chaos::nemesis::{ALL, Nemesis};
use tests::chaos::watcher::{self, Told, WATCHERS, Watchers};
use tests::e2e::{checkout, command, wait};
use tests::{bar, machine};
use tokio::time::Instant;

const SERVERS: usize = 5;
/// How long each nemesis goes on, in seconds, in an ordinary run.
const QUICK_SECONDS: u64 = 30;
/// How many nemeses an ordinary run has; others at another commit.
const QUICK_NEMESES: usize = 2;
/// What a run must at least have seen, or it proves nothing.
const COMPLETED_MIN: usize = 2_000;
const LEADER_CHANGES_MIN: usize = 3;
/// How long a few hundred operations may take.
const ENOUGH_WITHIN: Duration = Duration::from_secs(60);
/// How many times as long a run may take until it has seen that.
const LONGER_MAX: u32 = 4;

/// Ends all of them also where the test fails: their threads are waited for.
struct Ends<'a>(&'a Clients, &'a Watchers, &'a Auditor);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.end();
        self.1.end(self.0.history.last_index());
        self.2.end();
    }
}

#[test]
fn what_clients_are_told_is_linearizable_and_watchers_miss_nothing() {
    let _machine = machine::alone();
    for nemesis in nemeses() {
        suffer(nemesis, Duration::from_secs(bar::size("CHAOS_SECONDS", QUICK_SECONDS)));
    }
}

/// The judge itself is put to the test: reads of whatever a server has are not linearizable where one is cut off.
#[test]
fn stale_reads_are_found_out() {
    let _machine = machine::alone();
    let cluster = Cluster::start("stale", 3);
    let clients = Clients::new(cluster.all_http(), Reads::Stale);
    let leader = cluster.await_leader();
    let follower = cluster.servers().iter().find(|server| **server != leader).expect("two follow");
    std::thread::scope(|scope| {
        let _ends = EndsClients(&clients);
        for client in 0..CLIENTS {
            let clients = &clients;
            scope.spawn(move || clients.run(client, 1));
        }
        let completed = |more: usize| {
            let wanted = clients.history.completed() + more;
            wait::until("operations", ENOUGH_WITHIN, || {
                let completed = clients.history.completed();
                wait::check(completed >= wanted, || format!("{completed} of {wanted} are completed"))
            });
        };
        completed(100);
        let others: Vec<&str> = cluster.servers().iter().copied().filter(|server| server != follower).collect();
        cluster.deafen(follower, &others);
        completed(300);
        cluster.connect_all();
    });
    let ended = clients.history.end();
    let is_refused = |operations: &Vec<_>| matches!(linear::check(operations), Verdict::Invalid(_));
    let refused = ended.registers.values().filter(|operations| is_refused(operations)).count();
    assert!(refused > 0, "{} registers, all read stale, and nothing was found", ended.registers.len());
}

/// Ends the clients also where the test fails.
struct EndsClients<'a>(&'a Clients);

impl Drop for EndsClients<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn suffer(nemesis: Nemesis, during: Duration) {
    let mut cluster = Cluster::start(&nemesis.to_string(), SERVERS);
    let clients = Clients::new(cluster.all_http(), Reads::Newest);
    let auditor = Auditor::begin(&cluster);
    let begin = cluster.index();
    let watchers = Watchers::new(cluster.all_http(), begin);
    let seed = bar::size("SEED", u64::from(commit()));
    let first_terms = cluster.terms().len();
    let changes = |cluster: &Cluster| cluster.terms().len() - first_terms;
    let began = Instant::now();
    let (strikes, told, findings) = std::thread::scope(|scope| {
        let ends = Ends(&clients, &watchers, &auditor);
        let writing: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let clients = &clients;
                scope.spawn(move || clients.run(client, seed))
            })
            .collect();
        let watching: Vec<_> = (0..WATCHERS)
            .map(|watcher| {
                let watchers = &watchers;
                scope.spawn(move || watchers.run(watcher, seed))
            })
            .collect();
        let auditing = scope.spawn(|| auditor.run(seed));
        let strikes = nemesis.run(&mut cluster, seed, began + during, |cluster| {
            let enough = clients.history.completed() >= COMPLETED_MIN && changes(cluster) >= LEADER_CHANGES_MIN;
            !enough && began.elapsed() < during * LONGER_MAX
        });
        clients.end();
        writing.into_iter().for_each(|client| client.join().expect("no client panics"));
        drop(ends);
        let told: Vec<_> = watching.into_iter().map(|watcher| watcher.join().expect("no watcher panics")).collect();
        (strikes, told, auditing.join().expect("the auditor does not panic"))
    });
    let took = began.elapsed().as_secs();
    for (term, leaders) in cluster.terms() {
        assert_eq!(leaders.len(), 1, "{leaders:?} led in term {term}");
    }
    let changes = changes(&cluster);
    let audited = cluster.audit();
    let suffered = format!("{nemesis} for {took} s on {SERVERS} servers: {strikes} strikes, {changes} leader changes");
    let ended = clients.history.end();
    assert_eq!(ended.conflicts, [""; 0], "an index stands for one value");
    let (completed, unknown) = judge_registers(&ended);
    bar::report(
        "R7",
        &format!(
            "{suffered}, {completed} operations completed and {unknown} unknown on {} registers: linearizable; {} ms \
             without a write at most; {} answers audited, and {} entries of {} servers' logs",
            ended.registers.len(),
            ended.longest_without_swap().as_millis(),
            findings.answers,
            audited.entries,
            audited.servers
        ),
    );
    judge_watchers(&suffered, begin, &told, &ended);
    assert!(audited.violations.is_empty(), "in the servers' logs: {:#?}", audited.violations);
    assert!(audited.servers >= SERVERS && audited.entries > 0, "{} logs are empty", audited.servers);
    assert!(findings.wrong.is_empty(), "{} findings:\n{}", findings.wrong.len(), findings.wrong.join("\n"));
    assert!(completed >= COMPLETED_MIN, "{completed} operations were completed, {COMPLETED_MIN} are wanted");
    assert!(changes >= LEADER_CHANGES_MIN, "{changes} leaders changed, {LEADER_CHANGES_MIN} are wanted");
}

/// Judges each register. Gives the numbers of completed and of unknown operations.
fn judge_registers(ended: &Ended) -> (usize, usize) {
    for (key, operations) in &ended.registers {
        let verdict = linear::check(operations);
        assert_eq!(verdict, Verdict::Valid, "{key}: {verdict}");
    }
    let all = || ended.registers.values().flatten();
    let completed = all().filter(|operation| operation.is_completed()).count();
    (completed, all().count() - completed)
}

/// Bar R8.
fn judge_watchers(suffered: &str, begin: u64, told: &[Told], ended: &Ended) {
    let wrong = watcher::judge(begin, told, &ended.written);
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
    let sum = |number: fn(&Told) -> usize| told.iter().map(number).sum::<usize>();
    bar::report(
        "R8",
        &format!(
            "{suffered}, {WATCHERS} watchers told of {} indexes over {} connections: ordered, unique and without a gap, \
             {} times told that an index is too old",
            sum(|told| told.events.len()),
            sum(|told| told.connections),
            sum(|told| told.refused.len())
        ),
    );
}

/// The nemeses that were asked for; in an ordinary run two, which depend on the commit.
fn nemeses() -> Vec<Nemesis> {
    match std::env::var("CHAOS_NEMESES") {
        Err(_) => (0..QUICK_NEMESES).map(|number| ALL[(commit() as usize + number) % ALL.len()]).collect(),
        Ok(names) if names == "all" => ALL.to_vec(),
        Ok(names) => {
            let named = |name: &str| ALL.into_iter().find(|nemesis| nemesis.to_string() == name);
            names.split(',').map(|name| named(name).unwrap_or_else(|| panic!("{name} is none of {ALL:?}"))).collect()
        }
    }
}

/// A number that follows from the commit.
fn commit() -> u16 {
    let mut git = Command::new("git");
    let hash = command::run(git.current_dir(checkout()).args(["rev-parse", "HEAD"])).stdout;
    u16::from_str_radix(hash.get(..4).unwrap_or("0"), 16).unwrap_or(0)
}
