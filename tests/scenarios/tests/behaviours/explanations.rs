//! What `why` and a dry run say.

use scenarios::{check_dry_run, check_why};

#[test]
fn why_names_every_node_and_what_would_help() {
    check_why(
        "node n1 cpu=1000 mem=2048
         node n2 cpu=1000 mem=1736
         node n3 cpu=1000 mem=1024 rack=r2
         job web count=1 cpu=100 mem=2500",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         3 nodes: 0 filtered, 3 exhausted, 0 fit
         n1: memory short 452 MiB of 2500
         n2: memory short 764 MiB of 2500
         n3: memory short 1476 MiB of 2500
         hint: lower memory to 2048 MiB: fits 1 node
         hint: add one node of at least 100 MHz and 2500 MiB",
    );
}

#[test]
fn why_says_which_constraint_to_drop() {
    check_why(
        "node n1 rack=r1
         node n2 rack=r1
         job web constraint=\"${meta.rack} = r9\"",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         2 nodes: 2 filtered, 0 exhausted, 0 fit
         n1: constraint ${meta.rack} = r9 (is r1)
         n2: constraint ${meta.rack} = r9 (is r1)
         hint: remove constraint `${meta.rack} = r9`: fits 2 nodes
         hint: add one node of at least 100 MHz and 64 MiB, with ${meta.rack} = r9",
    );
}

#[test]
fn why_answers_for_a_job_that_runs_in_full() {
    check_why(
        "node n1 cpu=1000
         node n2 cpu=150
         job web cpu=200
         alloc web[0] on n1 running healthy",
        "web",
        "web: 1 of 1 run, 0 unplaced, not blocked
         2 nodes: 0 filtered, 1 exhausted, 1 fit
         n1: fits
         n2: cpu short 50 MHz of 200",
    );
}

#[test]
fn why_says_what_is_in_the_way_of_the_rest_of_a_job_that_is_placed_all_at_once() {
    check_why(
        "node n1 cpu=1000
         job web cpu=400 all_at_once
         group api count=2 cpu=400",
        "web",
        "web: 0 of 1 run, 0 unplaced, not blocked
         waits: all at once, api without room
         1 nodes: 0 filtered, 1 exhausted, 0 fit
         n1: cpu short 200 MHz of 400
         web.api: 0 of 2 run, 2 unplaced, blocked
         waits: all at once, api without room
         1 nodes: 0 filtered, 1 exhausted, 0 fit
         n1: cpu short 200 MHz of 400
         hint: lower cpu to 200 MHz: fits 1 node
         hint: add one node of at least 400 MHz and 64 MiB",
    );
}

#[test]
fn why_says_which_closed_node_would_do_and_which_datacenter_or_pool() {
    check_why(
        "node n1 draining
         node n2 dc=dc2
         node n3 pool=gpu
         job web dc=dc1",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         3 nodes: 3 filtered, 0 exhausted, 0 fit
         n1: node is draining
         n2: datacenter dc2 is not among the job's
         n3: node pool gpu is not the job's
         hint: allow all datacenters: fits 1 node
         hint: allow all node pools: fits 1 node
         hint: bring back node n1, which would fit: node is draining
         hint: add one node of at least 100 MHz and 64 MiB, with datacenter dc1, node pool default",
    );
}

#[test]
fn why_says_that_a_static_port_is_in_the_way() {
    check_why(
        "node n1
         job web count=3 port=8080",
        "web",
        "web: 0 of 3 run, 2 unplaced, blocked
         1 nodes: 0 filtered, 1 exhausted, 0 fit
         n1: port 8080 is taken
         hint: use dynamic ports instead of static ones: fits 1 node
         hint: add 2 nodes of at least 100 MHz and 64 MiB each",
    );
}

#[test]
fn why_counts_the_nodes_that_a_system_job_wants() {
    check_why(
        "node n1 mem=1000
         node n2 mem=100
         node n3 mem=100 rack=r1
         job agent type=system mem=200 constraint=\"${meta.rack} is_not_set\"",
        "agent",
        "agent: 0 of 2 run, 1 unplaced, blocked
         3 nodes: 1 filtered, 1 exhausted, 1 fit
         n1: fits
         n2: memory short 100 MiB of 200
         n3: constraint ${meta.rack} is_not_set (is r1); memory short 100 MiB of 200
         hint: lower memory to 100 MiB: fits 2 nodes
         hint: add one node of at least 100 MHz and 200 MiB, with ${meta.rack} is_not_set",
    );
}

#[test]
fn why_does_not_count_nodes_without_the_driver_of_a_system_job() {
    check_why(
        "node n1
         node n2 driver=docker
         job agent type=system",
        "agent",
        "agent: 0 of 1 run, 0 unplaced, not blocked
         2 nodes: 1 filtered, 0 exhausted, 1 fit
         n1: fits
         n2: driver fake is missing or unhealthy",
    );
}

/// Two canaries beside two healthy instances.
const CANARIES: &str = "node n1
     job web count=2 max_parallel=1 canary=2
     alloc web[0] on n1 running healthy
     alloc web[1] on n1 running healthy
     job web change=env
     run";

#[test]
fn why_says_that_healthy_canaries_wait_for_a_person_and_others_for_their_health() {
    check_why(
        CANARIES,
        "web",
        "web: 2 of 2 run, 0 unplaced, not blocked
         waits: 0 of 2 canaries healthy
         1 nodes: 0 filtered, 0 exhausted, 1 fit
         n1: fits",
    );
    check_why(
        &format!("{CANARIES}\nhealthy web"),
        "web",
        "web: 4 of 2 run, 0 unplaced, not blocked
         waits: promotion
         1 nodes: 0 filtered, 0 exhausted, 1 fit
         n1: fits",
    );
}

#[test]
fn why_says_when_a_failed_instance_is_tried_again() {
    check_why(
        "node n1
         job web reschedule=30s
         alloc web[0] on n1 failed at=-10s",
        "web",
        "web: 0 of 1 run, 0 unplaced, not blocked
         waits: web[0] failed, next in 20s
         1 nodes: 0 filtered, 0 exhausted, 1 fit
         n1: fits",
    );
}

#[test]
fn why_says_when_the_next_one_comes_after_an_instance_of_a_service_that_ended() {
    check_why(
        "node n1
         job web
         run
         gone web[0] on n1",
        "web",
        "web: 0 of 1 run, 0 unplaced, not blocked
         waits: web[0] ended, next in 30s
         1 nodes: 0 filtered, 0 exhausted, 1 fit
         n1: fits",
    );
}

#[test]
fn why_says_that_the_attempts_of_a_failed_instance_are_used_up() {
    check_why(
        "node n1
         job web count=2 reschedule=never
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 failed at=-10s",
        "web",
        "web: 1 of 2 run, 0 unplaced, not blocked
         waits: web[1] failed for good
         1 nodes: 0 filtered, 0 exhausted, 1 fit
         n1: fits",
    );
}

#[test]
fn why_keeps_silent_about_a_failure_whose_successor_runs_or_waits_for_room() {
    check_why(
        "node n1
         job web reschedule=30s
         alloc web[0] on n1 failed at=-60s",
        "web",
        "web: 0 of 1 run, 0 unplaced, not blocked
         1 nodes: 0 filtered, 0 exhausted, 1 fit
         n1: fits",
    );
    check_why(
        "node n1
         job web reschedule=30s cpu=500
         alloc web[0] on n1 failed at=-60s
         node n1 cpu=400",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         1 nodes: 0 filtered, 1 exhausted, 0 fit
         n1: cpu short 100 MHz of 500
         hint: lower cpu to 400 MHz: fits 1 node
         hint: add one node of at least 500 MHz and 64 MiB",
    );
}

#[test]
fn a_dry_run_of_a_new_job_says_where_it_would_go() {
    check_dry_run(
        "node n1 cpu=500
         node n2 cpu=400",
        "job web count=3 cpu=400 max_parallel=1",
        "version 0
         deployment begins
         place web[0] on n1
         place web[1] on n2
         blocked web 1: cpu 2
         web: place 3",
    );
}

#[test]
fn a_dry_run_of_a_new_version_says_what_would_change() {
    check_dry_run(
        "node n1
         job web count=3 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running healthy",
        "job web count=2 change=env",
        "version 1
         deployment begins
         stop web[0] on n1
         stop web[2] on n1
         place web[0] on n1
         web: ignore 1, stop 1, destructive 1",
    );
}

#[test]
fn a_dry_run_of_the_same_document_changes_nothing() {
    check_dry_run(
        "node n1
         job web
         alloc web[0] on n1 running healthy",
        "job web",
        "version 0
         web: ignore 1",
    );
}
