//! Nodes that hold no more than so many allocations at once, whatever room is left.

use scenarios::{check, check_late, check_why};

#[test]
fn a_node_takes_as_many_as_it_may_hold_and_no_more() {
    check(
        "node n1 max_allocs=2
         job web count=3",
        "place web[0] on n1
         place web[1] on n1
         blocked web 1: max allocations 1",
    );
}

#[test]
fn what_others_hold_counts_and_another_node_is_taken_instead() {
    check(
        "node n1 max_allocs=1
         job low cpu=3000
         alloc low[0] on n1
         node n2
         job web",
        "place web[0] on n2",
    );
}

#[test]
fn one_that_is_gone_makes_room() {
    let setup = "node n1 max_allocs=1
         job low
         job web
         alloc low[0] on n1
         run
         stop low
         run";
    check(setup, "");
    check(&format!("{setup}\nsweep"), "place web[0] on n1");
}

#[test]
fn an_instance_in_the_place_of_another_is_not_one_more() {
    check(
        "node n1 max_allocs=1
         job web
         alloc web[0] on n1 healthy
         job web change=env",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn one_that_makes_way_leaves_its_place() {
    check(
        "node n1 max_allocs=2
         scheduler preempt
         job low count=2 priority=10
         alloc low[0] on n1
         alloc low[1] on n1
         job web priority=90",
        "preempt low[0] on n1
         place web[0] on n1 after low[0]
         blocked low 1: max allocations 1",
    );
}

#[test]
fn a_place_that_the_plan_has_given_itself_does_not_come_free_by_waiting() {
    check(
        "node n1 max_allocs=2
         scheduler preempt
         job low priority=10
         alloc low[0] on n1
         job web count=2 priority=90",
        "preempt low[0] on n1
         place web[0] on n1
         place web[1] on n1 after low[0]
         blocked low 1: max allocations 1",
    );
}

#[test]
fn a_place_that_was_taken_meanwhile_is_not_given_twice() {
    check_late(
        "node n1 max_allocs=1
         job web",
        "job api
         alloc api[0] on n1",
        "blocked web 1: max allocations 1",
    );
}

#[test]
fn why_says_how_many_the_node_may_hold() {
    check_why(
        "node n1 max_allocs=1
         job web count=2",
        "web",
        "web: 0 of 2 run, 1 unplaced, blocked
         1 nodes: 0 filtered, 1 exhausted, 0 fit
         n1: node has its most allocations, 1
         hint: raise node_max_allocs on node n1, which would fit
         hint: add one node of at least 100 MHz and 64 MiB",
    );
}

#[test]
fn a_limit_that_is_raised_lets_in_who_waits_and_one_that_is_lowered_ends_nobody() {
    let setup = "node n1 max_allocs=1
         job web count=2
         run";
    check(&format!("{setup}\nnode n1 max_allocs=2"), "place web[1] on n1");
    check(
        "node n1
         job web count=2
         run
         node n1 max_allocs=1
         job api",
        "blocked api 1: max allocations 1",
    );
}
