//! Bar R7: what clients are told of registers is linearizable under every nemesis. `CHAOS_NEMESES` names the nemeses
//! (`kill,pause`, or `all`), `CHAOS_SECONDS` says how long each goes on.

use std::process::Command;
use std::time::Duration;

use tests::chaos::client::{CLIENTS, Clients};
use tests::chaos::cluster::Cluster;
use tests::chaos::linear::{self, Verdict};
use tests::chaos::nemesis::{ALL, Nemesis};
use tests::e2e::{checkout, command};
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
/// How many times as long a run may take until it has seen that.
const LONGER_MAX: u32 = 4;

/// Ends the clients also where the test fails: their threads are waited for.
struct Ends<'a>(&'a Clients);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.end();
    }
}

#[test]
fn what_clients_are_told_is_linearizable() {
    let _machine = machine::alone();
    for nemesis in nemeses() {
        suffer(nemesis, Duration::from_secs(bar::size("CHAOS_SECONDS", QUICK_SECONDS)));
    }
}

fn suffer(nemesis: Nemesis, during: Duration) {
    let mut cluster = Cluster::start(&nemesis.to_string(), SERVERS);
    let clients = Clients::new(cluster.all_http());
    let seed = bar::size("SEED", u64::from(commit()));
    let first_terms = cluster.terms().len();
    let changes = |cluster: &Cluster| cluster.terms().len() - first_terms;
    let began = Instant::now();
    let strikes = std::thread::scope(|scope| {
        let _ends = Ends(&clients);
        for client in 0..CLIENTS {
            let clients = &clients;
            scope.spawn(move || clients.run(client, seed));
        }
        nemesis.run(&mut cluster, seed, began + during, |cluster| {
            let enough = clients.history.completed() >= COMPLETED_MIN && changes(cluster) >= LEADER_CHANGES_MIN;
            !enough && began.elapsed() < during * LONGER_MAX
        })
    });
    let took = began.elapsed();
    for (term, leaders) in cluster.terms() {
        assert_eq!(leaders.len(), 1, "{leaders:?} led in term {term}");
    }
    let changes = changes(&cluster);
    let (completed, unknown, registers) = judge(clients);
    bar::report(
        "R7",
        &format!(
            "{nemesis} for {} s on {SERVERS} servers: {strikes} strikes, {changes} leader changes, {completed} operations \
             completed and {unknown} unknown on {registers} registers: linearizable",
            took.as_secs()
        ),
    );
    assert!(completed >= COMPLETED_MIN, "{completed} operations were completed, {COMPLETED_MIN} are wanted");
    assert!(changes >= LEADER_CHANGES_MIN, "{changes} leaders changed, {LEADER_CHANGES_MIN} are wanted");
}

/// Judges each register. Gives the numbers of completed and of unknown operations, and of registers.
fn judge(clients: Clients) -> (usize, usize, usize) {
    let (registers, conflicts) = clients.history.end();
    assert_eq!(conflicts, [""; 0], "an index stands for one value");
    for (key, operations) in &registers {
        let verdict = linear::check(operations);
        assert_eq!(verdict, Verdict::Valid, "{key}: {verdict}");
    }
    let all = || registers.values().flatten();
    let completed = all().filter(|operation| operation.is_completed()).count();
    (completed, all().count() - completed, registers.len())
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
