//! Cores of one NUMA node, and devices on the same one.

use scenarios::{check, check_why};

#[test]
fn cores_that_must_be_near_come_from_one_numa_node() {
    check(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000
         job db cores=2
         alloc db[0] on n1
         job web cores=3 numa=require",
        "place web[0] on n1 with cores 4,5,6",
    );
}

#[test]
fn cores_that_are_spread_over_numa_nodes_are_no_room_where_they_must_be_near() {
    let setup = "node n1 cores=0-5 numa=0-2;3-5 cpu=8000
         job db cores=2 count=2 numa=require
         run
         job web cores=2 numa";
    check(&format!("{setup}=require"), "blocked web 1: cores of one numa node 1");
    check(&format!("{setup}=prefer"), "place web[0] on n1 with cores 2,5");
    check(&format!("{setup}=none"), "place web[0] on n1 with cores 2,5");
}

#[test]
fn what_is_full_now_may_fit_later() {
    check(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000
         job db cores=2 count=2 numa=require
         alloc db[0] on n1
         job low cores=3 numa=require
         alloc low[0] on n1
         job web cores=3 numa=require
         run
         stop low
         run
         sweep",
        "place web[0] on n1 with cores 4,5,6",
    );
}

#[test]
fn cores_that_had_better_be_near_are_so_where_they_can() {
    check(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000
         job db cores=1
         alloc db[0] on n1
         job web cores=4 numa=prefer",
        "place web[0] on n1 with cores 4,5,6,7",
    );
    check(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000
         job db cores=1
         alloc db[0] on n1
         job web cores=5 numa=prefer",
        "place web[0] on n1 with cores 1,2,3,4,5",
    );
    check(
        "node n1 cores=0-7 cpu=8000
         job web cores=5 numa=prefer",
        "place web[0] on n1 with cores 0,1,2,3,4",
    );
}

#[test]
fn a_node_that_does_not_know_its_numa_nodes_has_none() {
    check(
        "node n1 cores=0-7 cpu=8000
         node n2 cores=0-7 numa=0-7 cpu=8000
         job web cores=2 numa=require",
        "place web[0] on n2 with cores 0,1",
    );
}

#[test]
fn the_numa_node_with_the_fewest_cores_left_over_is_taken() {
    check(
        "node n1 cores=0-7 numa=0-4;5-7 cpu=8000
         job web cores=2 numa=require",
        "place web[0] on n1 with cores 5,6",
    );
}

#[test]
fn a_device_comes_from_the_numa_node_of_the_cores() {
    check(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000 device=\"nvidia/gpu/1080ti:2;numa=0,1\"
         job db cores=2 numa=require
         alloc db[0] on n1
         job web cores=3 device=gpu numa=require:gpu",
        "place web[0] on n1 with cores 4,5,6 and 1080ti[1]",
    );
    // Cores are free on both, the devices of one are taken.
    check(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000 device=\"nvidia/gpu/1080ti:2;numa=0,1\"
         job db device=gpu
         alloc db[0] on n1
         job web cores=1 device=gpu numa=require:gpu",
        "place web[0] on n1 with cores 4 and 1080ti[1]",
    );
}

#[test]
fn a_device_that_is_not_named_may_be_far() {
    check(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000 device=\"nvidia/gpu/1080ti:1;numa=1\" device=\"intel/fpga/f1:1;numa=0\"
         job web cores=4 device=gpu device=fpga numa=require:gpu",
        "place web[0] on n1 with cores 4,5,6,7 and 1080ti[0] and f1[0]",
    );
}

#[test]
fn a_device_whose_numa_node_is_not_known_is_near_to_nothing() {
    check(
        "node n1 cores=0-3 numa=0-3 device=nvidia/gpu/1080ti:1
         job web cores=1 device=gpu numa=require:gpu",
        "blocked web 1: device gpu near the cores 1",
    );
    check(
        "node n1 cores=0-3 numa=0-3 device=nvidia/gpu/1080ti:1
         job web cores=1 device=gpu numa=prefer:gpu",
        "place web[0] on n1 with cores 0 and 1080ti[0]",
    );
}

#[test]
fn devices_that_are_all_on_the_other_numa_node_are_a_reason_of_their_own() {
    check_why(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000 device=\"nvidia/gpu/1080ti:2;numa=0,1\"
         job db cores=3 device=gpu numa=require:gpu
         alloc db[0] on n1
         job web cores=2 device=gpu:2 numa=require:gpu
         node n2 cores=0-7 numa=0-3;4-7 cpu=8000 device=\"nvidia/gpu/1080ti:2;numa=0,1\"",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         2 nodes: 1 filtered, 1 exhausted, 0 fit
         n1: device gpu: 2 wanted, 2 match, 1 free
         n2: device gpu near the cores: 2 wanted, 1 match, 1 free
         hint: ask for 1 of device gpu: fits 2 nodes
         hint: drop the numa affinity: fits 1 node
         hint: add one node of at least 0 MHz, 64 MiB, 2 cores and 2 of device gpu, with 2 of device gpu near the cores",
    );
}

#[test]
fn devices_that_are_near_alone_and_not_together_are_the_reason() {
    check_why(
        "node n1 cores=0-5 numa=0-2;3-5 device=\"nvidia/gpu/k80:2;numa=0,1\"
         job web cores=1 device=gpu device=nvidia/gpu numa=require:gpu,nvidia/gpu",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         1 nodes: 0 filtered, 1 exhausted, 0 fit
         n1: device nvidia/gpu near the cores: 1 wanted, 1 match, 0 free
         hint: drop the numa affinity: fits 1 node
         hint: add one node of at least 0 MHz, 64 MiB, 1 cores, 1 of device gpu and 1 of device nvidia/gpu, \
         with 1 of device gpu near the cores, 1 of device nvidia/gpu near the cores",
    );
}

#[test]
fn a_device_that_a_constraint_rules_out_is_not_near_either() {
    check(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000 device=\"nvidia/gpu/1080ti:2;numa=0,1\"
         job web cores=2 device=\"gpu;constraint=${device.ids} = 1\" numa=require:gpu",
        "place web[0] on n1 with cores 4,5 and 1080ti[1]",
    );
}

#[test]
fn an_update_may_take_over_the_cores_of_the_numa_node_where_it_is() {
    check(
        "node n1 cores=0-7 numa=0-3;4-7 cpu=8000
         job db cores=4 numa=require
         alloc db[0] on n1
         job web cores=4 numa=require
         alloc web[0] on n1 healthy
         job web change=env",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0] with cores 4,5,6,7",
    );
}

#[test]
fn who_must_be_near_may_have_others_make_way() {
    check(
        "node n1 cores=0-3 numa=0-1;2-3 cpu=8000
         scheduler preempt
         job low cores=1 count=2 priority=10
         alloc low[0] on n1
         alloc low[1] on n1
         job mid cores=1 priority=20
         alloc mid[0] on n1
         job web cores=2 priority=90 numa=require",
        "preempt low[0] on n1
         preempt low[1] on n1
         place web[0] on n1 after low[0] after low[1] with cores 0,1
         place low[0] on n1 with cores 3
         blocked low 1: cores 1",
    );
}
