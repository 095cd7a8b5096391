//! Canaries that fail, move or are lost.

use tests::scenarios::check;

/// Two healthy instances on one node and two canaries on the other.
const SETUP: &str = "node n1
     node n2 cpu=200
     job web count=2 max_parallel=1 canary=2 reschedule=30s
     alloc web[0] on n1 running healthy
     alloc web[1] on n1 running healthy
     job web change=env constraint=\"${node.unique.name} != n1\"
     run
     node n3";

#[test]
fn a_failed_canary_waits_as_any_failed_instance_does() {
    check(
        &format!("{SETUP}\nfails web[1] on n2"),
        "follow-up in 30s for web[1]
         held back web 2",
    );
    check(
        &format!("{SETUP}\nfails web[1] on n2\nrun\nwait 30s"),
        "canary web[1] on n3
         held back web 2",
    );
}

#[test]
fn a_failed_canary_without_further_attempts_stays() {
    check(&format!("{}\nfails web[1] on n2", SETUP.replace("reschedule=30s", "reschedule=never")), "held back web 2");
}

#[test]
fn a_canary_that_a_person_stops_is_placed_anew_under_its_name() {
    check(
        &format!("{SETUP}\nstop web[1] on n2"),
        "canary web[1] on n3
         held back web 2",
    );
}

#[test]
fn a_canary_of_a_lost_node_is_replaced() {
    check(
        &format!("{SETUP}\ndown n2"),
        "canary web[0] on n3
         canary web[1] on n3
         held back web 2",
    );
}

#[test]
fn a_canary_moves_off_a_draining_node() {
    check(
        &format!("{SETUP}\ndrain n2"),
        "canary web[?] on n3
         held back web 2",
    );
}

#[test]
fn canaries_are_as_many_as_there_are_old_instances() {
    check(
        "node n1
         job web count=3 max_parallel=1 canary=2 reschedule=never
         alloc web[0] on n1 running healthy
         job web change=env
         run
         healthy web
         deployment web promoted",
        "stop web[0] on n1: updated",
    );
}
