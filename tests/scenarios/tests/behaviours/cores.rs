//! Cores that a task has alone.

use scenarios::{check, check_late};

#[test]
fn each_task_gets_cores_of_its_own() {
    check(
        "node n1 cores=0-3
         job web count=2 cores=2",
        "place web[0] on n1 with cores 0,1
         place web[1] on n1 with cores 2,3",
    );
}

#[test]
fn cores_run_out() {
    check(
        "node n1 cores=0-3 cpu=8000
         job web count=3 cores=2
         node n2",
        "place web[0] on n1 with cores 0,1
         place web[1] on n1 with cores 2,3
         blocked web 1: cores 2",
    );
}

#[test]
fn cores_count_as_their_mhz_of_cpu() {
    check(
        "node n1 cores=0-3 core_mhz=1000 cpu=4000
         job db cores=3
         alloc db[0] on n1
         job small cpu=1000
         job large cpu=1001",
        "place small[0] on n1
         blocked large 1: cpu 1",
    );
    check(
        "node n1 cores=0-3 core_mhz=1000 cpu=4000
         job small cpu=1001
         alloc small[0] on n1
         job db cores=3",
        "blocked db 1: cpu 1",
    );
}

#[test]
fn the_smallest_row_of_neighbours_that_is_large_enough_is_taken() {
    check(
        "node n1 cores=0-3,6-7
         job web cores=2",
        "place web[0] on n1 with cores 6,7",
    );
    check(
        "node n1 cores=0-3,6-7 cpu=8000
         job web cores=3
         group db cores=3",
        "place web[0] on n1 with cores 0,1,2
         place web.db[0] on n1 with cores 3,6,7",
    );
}

#[test]
fn cores_come_back_when_what_had_them_is_gone_and_not_sooner() {
    let full = "node n1 cores=0-1
        job old cores=2
        alloc old[0] on n1 running
        job new cores=2
        run
        stop old";
    check(full, "stop old[0] on n1: job stopped");
    check(&format!("{full}\nrun\ngone old[0] on n1"), "place new[0] on n1 with cores 0,1");
}

#[test]
fn a_new_version_takes_over_the_cores_of_the_old_one() {
    check(
        "node n1 cores=0-1
         job web cores=2
         alloc web[0] on n1 running
         job web cores=2 change=env",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0] with cores 0,1",
    );
}

#[test]
fn what_a_successor_takes_over_is_nobody_elses_until_both_are_gone() {
    check(
        "node n1 cores=0-1
         job web cores=2
         alloc web[0] on n1 running
         job web cores=1 change=env
         run
         job api cores=1",
        "blocked api 1: cores 1",
    );
    check(
        "node n1 cores=0-1 cpu=2000
         job web cores=2
         alloc web[0] on n1 running
         job web cores=1 change=env
         run
         job api cores=1
         run
         sweep",
        "place api[0] on n1 with cores 1",
    );
}

#[test]
fn cores_that_others_took_meanwhile_are_not_given_twice() {
    check_late(
        "node n1 cores=0-1 cpu=8000
         job web cores=2",
        "job api cores=1
         alloc api[0] on n1",
        "blocked web 1: cores 1",
    );
}

#[test]
fn a_node_whose_reservable_cores_shrank_keeps_what_it_gave_and_gives_no_more() {
    check(
        "node n1 cores=0-3
         job web count=1 cores=2
         alloc web[0] on n1 running
         node n1 cores=0-1
         job api cores=1",
        "blocked api 1: cores 1",
    );
}

#[test]
fn names_that_are_picked_are_none_of_those_that_successors_keep() {
    check(
        "node n0 cores=0-5 core_mhz=100
         node n1 cores=0-2 core_mhz=300 ineligible
         job w count=3 cores=1
         alloc w[0] on n0 running
         alloc w[1] on n0 running
         alloc w[2] on n1 failed
         job w change=env",
        "stop w[0] on n0: updated
         stop w[1] on n0: updated
         place w[0] on n0 after w[0] with cores 0
         place w[1] on n0 after w[1] with cores 1
         place w[2] on n0 with cores 2",
    );
}
