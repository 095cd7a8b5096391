//! Servers come and go, and a cluster is restored from a backup, both in simulation: bars R16 and R18.
//!
//! `MEMBERSHIP_ROUNDS=20 BACKUP_ALLOCATIONS=10000` plays the long forms; each prints its figure.

use tests::{bar, machine, sim};

fn from_environment(name: &str, ordinary: u32) -> u32 {
    std::env::var(name).map_or(ordinary, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

#[test]
fn three_servers_become_five_and_three_again_and_nothing_is_lost() {
    let _machine = machine::alone();
    let seed = u64::from(from_environment("SEED", 16));
    let report = sim::membership::play(seed, from_environment("MEMBERSHIP_ROUNDS", 2));
    bar::report("R16", &report.to_string());
    assert!(report.broken.is_empty(), "{:#?}", report.broken);
    assert_eq!(report.lost, 0);
    assert!(report.writes > 100 && report.kills >= report.rounds, "{report}");
    assert!(report.longest_step <= sim::membership::STEP_WITHIN);
    assert_eq!(report.turned_away, 2 * report.rounds);
}

#[test]
fn a_restored_cluster_goes_on_where_the_backup_was_and_restarts_no_container() {
    let _machine = machine::alone();
    let seed = u64::from(from_environment("SEED", 18));
    let instances = from_environment("BACKUP_ALLOCATIONS", 1000);
    let report = sim::backup::play(seed, instances);
    bar::report("R18", &report.to_string());
    assert!(report.broken.is_empty(), "{:#?}", report.broken);
    assert_eq!((report.allocations, report.restarts, report.reused), (instances as usize, 0, 0));
    assert!(report.same_hash);
}
