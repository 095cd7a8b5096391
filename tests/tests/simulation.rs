//! Seeds of the simulated cluster: no invariant broken, every cluster healed, every fault met, every run the same in
//! another process.
//!
//! `make sim SEED=42` plays one seed and prints its timeline; with `SCHED_LOG=debug` also what the processes log. `make sim
//! SEEDS=1..500` sweeps.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::process::Command;

use tests::sim::coverage::Coverage;
use tests::sim::{self, parse_without, sweep};
use tests::{bar, machine};

/// Seeds of an ordinary run.
const SEEDS: RangeInclusive<u64> = 1..=150;
/// Seeds that are run in another process too.
const SEEDS_TWICE: RangeInclusive<u64> = 1..=20;
/// Faults that strike in every seed, unless something is wrong before.
const FAULTS_LEAST: u32 = 10;
/// Of the pairs of a fault and what the cluster was doing when it struck, so many in a hundred are met.
const PAIRS_MET_PERCENT: usize = 95;
/// The variable by which the other process is told what to run.
const HASHES: &str = "SIM_HASHES";

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// `1..500`, both included.
fn range(text: &str) -> RangeInclusive<u64> {
    let (first, last) = text.split_once("..").expect("SEEDS is a range, as 1..500");
    let number = |text: &str| text.trim_matches('=').parse().expect("SEEDS is a range of numbers, as 1..500");
    number(first)..=number(last)
}

fn threads() -> usize {
    let known = variable("THREADS").map(|threads| threads.parse().expect("THREADS is a number"));
    known.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
}

#[test]
fn every_seed_keeps_its_promises_and_heals() {
    let _machine = machine::alone();
    if let Ok(filter) = std::env::var("SCHED_LOG") {
        let filter = tracing_subscriber::EnvFilter::new(filter);
        // A second test in this process has set it already; both want the same.
        let _ =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().try_init();
    }
    let without = variable("WITHOUT")
        .map_or_else(BTreeSet::new, |text| parse_without(&text).expect("WITHOUT is a list of numbers, as 3,7,9"));
    if let Some(seeds) = variable(HASHES) {
        for seed in range(&seeds) {
            println!("hash {seed} {}", sim::run(seed, &BTreeSet::new()).hash);
        }
    } else if let Some(seed) = variable("SEED") {
        let run = sim::run(seed.parse().expect("SEED is a number"), &without);
        println!("{}", run.timeline);
        println!("hash: {}", run.hash);
        assert!(run.violations.is_empty(), "{}", sweep::told(&run, &without));
    } else if let Some(seeds) = variable("SEEDS") {
        check(range(&seeds));
    } else {
        let hashes = check(SEEDS);
        for (seed, hash) in hashes_of_another_process(SEEDS_TWICE) {
            assert_eq!(Some(&hash), hashes.get(&seed), "seed {seed} is not played the same in another process");
        }
        bar::report("R1", &format!("{0} seeds in two processes each: {0} timelines the same", SEEDS_TWICE.count()));
    }
}

/// Sweeps, and gives the hash of each seed.
fn check(seeds: RangeInclusive<u64>) -> std::collections::BTreeMap<u64, String> {
    let is_ordinary = seeds == SEEDS;
    let mut sweep = sweep::sweep(seeds, threads());
    println!("{}", sweep.report());
    if let Some(failure) = sweep.smallest_failure() {
        panic!("{} of {} seeds failed; the smallest failure found:\n{failure}", sweep.failed.len(), sweep.seeds);
    }
    let (seeds, faults, (most, nearly_all)) = (sweep.seeds, sweep.faults(), sweep.healed_within());
    bar::report("R2", &format!("{seeds} seeds, {faults} faults: 0 violations"));
    bar::report("R3", &format!("{seeds} seeds: all healed, 99 % within {nearly_all:?}, the last within {most:?}"));
    let (met, all) = (sweep.coverage.pairs_met(), Coverage::pairs_in_all());
    let (missed, never) = (sweep.coverage.pairs_missed(), sweep.coverage.points_missed());
    let figure =
        format!("{seeds} seeds: {met} of {all} pairs of fault and situation met; missed {missed:?}, never {never:?}");
    bar::report("R5", &figure);
    if is_ordinary {
        assert!(met * 100 >= all * PAIRS_MET_PERCENT, "{figure}");
        assert!(sweep.faults_least() >= FAULTS_LEAST, "a seed had {} faults only", sweep.faults_least());
    }
    sweep.hashes
}

fn hashes_of_another_process(seeds: RangeInclusive<u64>) -> Vec<(u64, String)> {
    let this = std::env::current_exe().expect("a process knows its program");
    let output = Command::new(this)
        .args(["simulation::every_seed_keeps_its_promises_and_heals", "--exact", "--nocapture"])
        .env(HASHES, format!("{}..{}", seeds.start(), seeds.end()))
        .output()
        .expect("this program can be started again");
    let text = String::from_utf8_lossy(&output.stdout);
    let hashes: Vec<_> = text.lines().filter_map(|line| line.split_once("hash ")?.1.split_once(' ')).collect();
    assert_eq!(hashes.len() as u64, seeds.end() - seeds.start() + 1, "the other process said:\n{text}");
    hashes.into_iter().map(|(seed, hash)| (seed.parse().expect("a seed is a number"), hash.to_string())).collect()
}

#[test]
fn a_rebalance_goes_on_under_the_next_leader_and_comes_to_an_end() {
    let _machine = machine::alone();
    for seed in 0..5 {
        let run = sim::run_rebalance(seed);
        assert!(run.violations.is_empty(), "seed {seed}: {:#?}\n{}", run.violations, run.timeline);
    }
}

#[test]
fn while_the_leaders_disk_is_slow_a_node_whose_agent_turns_to_another_server_is_not_given_up() {
    let _machine = machine::alone();
    for seed in 0..5 {
        let run = sim::run_slow_disk(seed);
        assert!(run.violations.is_empty(), "seed {seed}: {:#?}\n{}", run.violations, run.timeline);
    }
}

#[test]
fn a_plan_that_overfills_a_node_is_refused() {
    let _machine = machine::alone();
    for seed in 0..5 {
        let run = sim::run_overfill(seed);
        assert!(run.violations.is_empty(), "seed {seed}: {:#?}\n{}", run.violations, run.timeline);
    }
}

#[test]
fn without_the_capacity_check_of_apply_every_seed_fails() {
    let _machine = machine::alone();
    for seed in 0..5 {
        let run = sim::run_without_capacity_check(seed);
        let capacity = run.violations.iter().filter(|violation| violation.invariant == "capacity").count();
        assert!(capacity > 0, "seed {seed} does not notice that nodes are overfull");
    }
}
