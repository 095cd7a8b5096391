//! Twenty seeds of the simulated cluster, each run twice: no invariant broken, and both runs equal byte for byte.
//!
//! `SEED=42 make sim` plays one seed and prints its trace; with `SCHED_LOG=debug` also what the processes log.

use tests::{machine, sim};

/// Seeds of an ordinary run.
const SEEDS: std::ops::Range<u64> = 0..20;

fn seeds() -> Vec<u64> {
    match std::env::var("SEED") {
        Ok(seed) if !seed.is_empty() => vec![seed.parse().expect("SEED is a number")],
        Ok(_) | Err(_) => SEEDS.collect(),
    }
}

#[test]
fn a_seed_loses_a_leader_and_a_node_heals_and_is_played_the_same_twice() {
    let _machine = machine::alone();
    let only = std::env::var("SEED").is_ok_and(|seed| !seed.is_empty());
    if let Ok(filter) = std::env::var("SCHED_LOG") {
        let filter = tracing_subscriber::EnvFilter::new(filter);
        // A second test in this process has set it already; both want the same.
        let _ =
            tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().try_init();
    }
    let mut failed = Vec::new();
    for seed in seeds() {
        let run = sim::run(seed);
        if only {
            println!("{}", run.trace);
        }
        for done in ["is killed", "agent"] {
            assert!(run.trace.contains(done), "seed {seed}: the trace shows no `{done}`");
        }
        if !run.violations.is_empty() {
            eprintln!("seed {seed}: {:#?}", run.violations);
            failed.push(seed);
        }
        let again = sim::run(seed);
        if again != run {
            let differs = run.trace.lines().zip(again.trace.lines()).find(|(one, other)| one != other);
            panic!("seed {seed} is not played the same twice; first difference: {differs:?}");
        }
    }
    assert!(failed.is_empty(), "replay with: make sim SEED={}", failed.first().copied().unwrap_or_default());
}

#[test]
fn a_rebalance_goes_on_under_the_next_leader_and_comes_to_an_end() {
    let _machine = machine::alone();
    // They last longer than those above, and differ less.
    for seed in seeds().into_iter().take(5) {
        let run = sim::run_rebalance(seed);
        assert!(run.violations.is_empty(), "seed {seed}: {:#?}\n{}", run.violations, run.trace);
    }
}

#[test]
fn without_the_capacity_check_of_apply_every_seed_fails() {
    let _machine = machine::alone();
    for seed in SEEDS {
        let run = sim::run_without_capacity_check(seed);
        let capacity = run.violations.iter().filter(|violation| violation.invariant == "capacity").count();
        assert!(capacity > 0, "seed {seed} does not notice that nodes are overfull");
    }
}
