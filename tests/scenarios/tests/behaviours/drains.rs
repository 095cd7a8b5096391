//! Drains of nodes: their deadlines, what they leave alone, and their end.

use scenarios::{check, check_watch};

/// A node that holds a batch job's instance, which a drain leaves to finish.
const BATCH: &str = "node n1
     job tidy type=batch
     alloc tidy[0] on n1 running
     run";

#[test]
fn what_is_left_at_the_deadline_ends() {
    check_watch(&format!("{BATCH}\ndrain n1 deadline=60s\nwait 59s"), "");
    check_watch(&format!("{BATCH}\ndrain n1 deadline=60s\nwait 60s"), "tidy[0] ends");
}

#[test]
fn without_a_deadline_nothing_is_hurried() {
    check_watch(&format!("{BATCH}\ndrain n1\nwait 10h"), "");
}

#[test]
fn a_forced_drain_ends_everything_at_once() {
    check_watch(
        "node n1
         node n2
         job tidy type=batch
         alloc tidy[0] on n1 running
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         drain n1 deadline=0s
         sweep
         run",
        "n1 is drained",
    );
}

#[test]
fn a_drain_that_is_taken_back_has_no_deadline_any_more() {
    check_watch(&format!("{BATCH}\ndrain n1 deadline=60s\nundrain n1\nwait 2h"), "");
}

#[test]
fn a_new_drain_takes_the_place_of_the_last_with_its_deadline() {
    let setup = format!("{BATCH}\ndrain n1 deadline=60s\nwait 30s\ndrain n1 deadline=60s");
    check_watch(&format!("{setup}\nwait 59s"), "");
    check_watch(&format!("{setup}\nwait 60s"), "tidy[0] ends");
}

#[test]
fn each_node_drains_by_its_own_deadline() {
    check_watch(
        "node n1
         node n2
         job tidy type=batch count=2
         alloc tidy[0] on n1 running
         alloc tidy[1] on n2 running
         run
         drain n1 deadline=60s
         drain n2 deadline=90s
         wait 70s",
        "tidy[0] ends",
    );
}

#[test]
fn what_still_has_time_does_not_end_beside_what_has_none_left() {
    check_watch(
        "node n1
         node n2
         job web count=2
         alloc web[0] on n1 running healthy
         alloc web[1] on n2 running healthy
         run
         drain n1
         drain n2 deadline=60s
         run
         wait 60s",
        "web[1] ends",
    );
}

#[test]
fn a_drain_is_over_when_everything_is_gone_and_not_before() {
    let setup = "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         run
         drain n1
         run
         healthy web
         run";
    check_watch(setup, "");
    check_watch(&format!("{setup}\ngone web[0] on n1"), "n1 is drained");
}

#[test]
fn a_node_that_is_drained_stays_closed() {
    check(
        "node n1
         drain n1
         watch
         job web",
        "blocked web 1: node ineligible 1",
    );
}

#[test]
fn system_jobs_are_left_alone_where_the_drain_says_so() {
    let setup = "node n1
         job agent type=system
         alloc agent[0] on n1 running
         run";
    check_watch(&format!("{setup}\ndrain n1 ignore_system"), "n1 is drained");
    check_watch(&format!("{setup}\ndrain n1"), "");
    check_watch(&format!("{setup}\ndrain n1\nrun\ngone agent[0] on n1"), "n1 is drained");
}

#[test]
fn a_node_without_a_drain_is_left_alone() {
    check_watch(
        "node n1
         node n2 ineligible
         job web count=2
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy",
        "",
    );
}

#[test]
fn a_draining_node_that_is_forgotten_takes_what_it_held_with_it() {
    check(
        "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         run
         drain n1
         forget n1",
        "place web[0] on n2",
    );
}
