//! What there is room for, now and if something were different.

use scenarios::{check_capacity, check_overview};

/// Two nodes, one of them half full.
const NODES: &str = "node n1 cpu=1000 mem=1000
     node n2 cpu=1000 mem=1000
     job web mem=500
     alloc web[0] on n1 running healthy";

#[test]
fn what_is_free_is_told_per_datacenter_pool_and_class() {
    check_overview(
        "node n1 cpu=1000 mem=1000
         node n2 cpu=1000 mem=3000 ineligible
         node n3 cpu=1000 mem=2000 dc=dc2 class=large
         job web mem=400
         alloc web[0] on n1 running",
        "dc1 default -: 1 of 2 open, 400 of 4000 MiB held, 600 free, largest 900 MHz and 600 MiB on n1
         dc2 default large: 1 of 1 open, 0 of 2000 MiB held, 2000 free, largest 1000 MHz and 2000 MiB on n3",
    );
}

#[test]
fn as_many_fit_as_there_is_room_for_and_what_ends_first_is_named() {
    check_capacity(NODES, "ask cpu=100 mem=250", "room for 6: 2 on n1, 4 on n2, memory ends first");
    check_capacity(
        NODES,
        "ask cpu=100 mem=250 count=3",
        "what-if 3 of 3 placed: 2 on n1, 1 on n2
         room for 6: 2 on n1, 4 on n2, memory ends first",
    );
    check_capacity(
        NODES,
        "ask cpu=600 mem=250 count=3",
        "what-if 2 of 3 placed: 1 on n1, 1 on n2
         room for 2: 1 on n1, 1 on n2, cpu ends first",
    );
}

#[test]
fn an_ask_that_fits_nowhere_has_no_room() {
    check_capacity(NODES, "ask cpu=100 mem=250 dc=dc9", "room for 0");
}

#[test]
fn nodes_that_are_added_take_who_waits_before_the_ask() {
    check_capacity(
        &format!("{NODES}\njob large mem=1500"),
        "add cpu=2000 mem=2000 count=1
         ask cpu=100 mem=500",
        "added new-1
         large 0 displaced, 1 waited, 0 wait
         room for 4: 1 on n1, 2 on n2, 1 on new-1, memory ends first",
    );
    check_capacity(
        NODES,
        "add like=n1 count=2
         ask cpu=100 mem=1000",
        "added new-1
         added new-2
         room for 3: 1 on n2, 1 on new-1, 1 on new-2, memory ends first",
    );
}

#[test]
fn a_node_that_is_removed_leaves_what_fits_nowhere_else_waiting() {
    check_capacity(NODES, "remove n1", "web 1 displaced, 0 waited, 0 wait");
    check_capacity(
        &format!("{NODES}\njob db mem=900\nalloc db[0] on n2 running"),
        "remove n1
         ask mem=50",
        "web 1 displaced, 0 waited, 1 wait: memory 1
         room for 2: 2 on n2, memory ends first",
    );
}

#[test]
fn a_jobspec_is_placed_as_a_run_would_place_it() {
    check_capacity(NODES, "job api count=3 mem=500", "api 3 of 3 placed: 1 on n1, 2 on n2");
    check_capacity(
        "scheduler preempt
         node n1 cpu=1000 mem=1000
         job low mem=800 priority=10
         alloc low[0] on n1 running",
        "job api mem=500
         ask mem=400",
        "api 1 of 1 placed: 1 on n1
         preempt low[0] on n1
         room for 1: 1 on n1, memory ends first",
    );
}

#[test]
fn more_nodes_and_instances_than_are_foreseen_are_refused() {
    check_capacity(NODES, "add like=n1 count=1001", "1001 nodes would be added, 1000 are allowed");
    check_capacity(NODES, "ask mem=1 count=10001", "10001 instances are asked for, 10000 are allowed");
    check_capacity(NODES, "ask mem=1099511627777", "1099511627777 is too much of memory, 1099511627776 is the most");
    check_capacity(NODES, "add cpu=1099511627777 mem=1", "1099511627777 is too much of cpu, 1099511627776 is the most");
    check_capacity(
        NODES,
        "add cpu=1099511627776 mem=1099511627776 disk=1099511627776
         ask cpu=1099511627776 mem=1099511627776",
        "added new-1
         room for 1: 1 on new-1, memory ends first",
    );
    check_capacity(
        "node n1 cpu=20000 mem=20000",
        "ask cpu=1 mem=1 count=10000",
        "what-if 10000 of 10000 placed: 10000 on n1
         room for 10000 or more: 10000 on n1",
    );
}
