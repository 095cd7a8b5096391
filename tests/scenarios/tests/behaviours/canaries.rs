//! Canaries that fail, move or are lost.

use scenarios::{check, check_wanted};

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

/// A healthy canary on a node of its own.
const HEALTHY: &str = "node n1
     node n2
     job web count=2 max_parallel=1 canary=1
     alloc web[0] on n1 running healthy
     alloc web[1] on n1 running healthy
     job web change=env constraint=\"${node.unique.name} = n2\"
     run
     healthy web";

#[test]
fn a_promoted_canary_takes_the_place_of_an_instance_that_stood_in_for_another_too() {
    check(
        &format!(
            "{}\ndown n1\nrun\nhealthy web\ndeployment web promoted",
            HEALTHY.replace("node n2", "node n2\nnode n3")
        ),
        "stop web[0] on n1: updated
         stop web[0] on n3: updated
         stop web[1] on n1: updated
         stop web[1] on n3: updated
         place web[1] on n2",
    );
}

#[test]
fn a_canary_that_is_lost_when_it_is_promoted_takes_no_place() {
    check(
        &format!("{HEALTHY}\ndeployment web promoted\ndown n2\njob web"),
        "stop web[0] on n2: not needed
         blocked web 1: ${node.unique.name} = n2 1, node down 1
         held back web 1",
    );
}

#[test]
fn what_is_too_many_needs_no_canary_before_it_ends() {
    check_wanted(
        "node n1 cpu=1500 rack=r1
         job web count=3 cpu=500 constraint=\"${meta.rack} = r1\"
         run
         node n2 cpu=1000 rack=r1
         job web change=env max_parallel=1 canary=1
         run
         healthy web
         promote web
         run
         node n2 cpu=1000 rack=r2
         node n3 cpu=1000 rack=r1
         job web count=1",
        "web",
        "web[0] on n3",
    );
}

#[test]
fn a_canary_is_beside_the_lowest_index_also_of_what_comes_back_at_the_same_time() {
    check(
        "node n1 volume=data[0]
         job web count=2 reschedule=30s
         alloc web[0] on n1 failed at=-1h
         alloc web[1] on n1 healthy
         job web change=env volume=data;per_alloc max_parallel=1 canary=1",
        "deployment begins
         place web[0] of version 0 on n1
         canary web[0] on n1
         held back web 1",
    );
}
