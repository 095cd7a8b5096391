//! Instances of which each has volumes of its own, `source[index]`.

use scenarios::{check, check_refused, check_wanted, check_why, id_of_allocation};

const HOME: &str = "node n1 volume=data[1]
     node n2 volume=data[0]
     node n3
     job web count=2 volume=data;per_alloc";

#[test]
fn an_instance_that_was_replaced_counts_once_for_the_next_of_its_group() {
    // On n4 is the new one of `web[0]`, so that `web[1]` stays where it is.
    check(
        "scheduler spread
         node n2 cpu=4000 mem=1000
         node n4 cpu=2000 mem=1000 volume=data[0] volume=data[1]
         job other cpu=2000 mem=500
         alloc other[0] on n2 running
         job web cpu=400 mem=50 volume=data:ro;per_alloc
         run
         volume data[1] on n2
         job web count=2
         run
         job web change=env volume=data;per_alloc",
        "stop web[0] on n4: updated
         stop web[1] on n2: updated
         place web[0] on n4 after web[0]
         place web[1] on n2 after web[1]",
    );
}

#[test]
fn each_goes_where_its_own_is() {
    check(HOME, "place web[0] on n2\nplace web[1] on n1");
    check(
        "node n1 volume=data[0] volume=data[1]
         node n2
         job web count=2 volume=data;per_alloc;single-writer",
        "place web[0] on n1\nplace web[1] on n1",
    );
}

#[test]
fn what_is_not_of_an_index_is_shared() {
    check(
        "node n1 volume=data[0] volume=certs
         node n2 volume=data[1]
         job web count=2 volume=data;per_alloc volume=certs:ro",
        "place web[0] on n1\nblocked web 1: missing host volume certs 1, missing host volume data[1] 1",
    );
}

#[test]
fn each_that_has_no_volume_says_which() {
    check(
        "node n1 volume=data
         node n2 volume=data[1]
         job web count=3 volume=data;per_alloc",
        "place web[1] on n2\nblocked web 2: missing host volume data[0] 2, missing host volume data[2] 2",
    );
}

#[test]
fn it_comes_back_to_its_own() {
    let running = format!("{HOME}\nalloc web[0] on n2 healthy\nalloc web[1] on n1 healthy");
    check_wanted(&format!("{running}\njob web change=env\nrun\nsweep"), "web", "web[0] on n2\nweb[1] on n1");
    check_wanted(&format!("{running}\nstop web[0] on n2\nrun\nsweep"), "web", "web[0] on n2\nweb[1] on n1");
    check(&format!("{running}\ndown n2"), "blocked web 1: missing host volume data[0] 2, node down 1");
}

#[test]
fn it_stays_in_place_where_its_own_still_is() {
    check(
        &format!("{HOME}\nalloc web[0] on n2 healthy\nalloc web[1] on n1 healthy\njob web change=tags"),
        "in-place web[0]\nin-place web[1]",
    );
}

#[test]
fn more_are_placed_as_soon_as_there_are_volumes_for_them() {
    let waiting = format!("{HOME}\nalloc web[0] on n2\nalloc web[1] on n1\njob web count=3");
    check(&waiting, "in-place web[0]\nin-place web[1]\nblocked web 1: missing host volume data[2] 3");
    check(&format!("{waiting}\nrun\nvolume data[2] on n3"), "place web[2] on n3");
    check(&format!("{waiting}\nrun\nvolume data[3] on n3"), "");
}

#[test]
fn every_instance_of_a_system_job_has_the_first_index() {
    check(
        "node n1 volume=data[0]
         node n2 volume=data[1]
         node n3 volume=data[0]
         job agent type=system volume=data;per_alloc",
        "place agent[0] on n1\nplace agent[0] on n3",
    );
}

#[test]
fn why_names_the_volume_of_the_instance() {
    check_why(
        &format!("{HOME}\nalloc web[1] on n1\ndown n2"),
        "web",
        "web: 1 of 2 run, 1 unplaced, blocked
         3 nodes: 3 filtered, 0 exhausted, 0 fit
         n1: host volume data[0] is missing
         n2: node is down
         n3: host volume data[0] is missing
         hint: bring back node n2, which would fit: node is down
         hint: add one node of at least 100 MHz and 64 MiB, with host volume data[0]",
    );
}

#[test]
fn where_two_lack_their_volumes_each_node_counts_once_for_a_reason_of_both() {
    check(
        "node n1
         node n2 volume=data[0]
         node n3 cpu=50 volume=data[1]
         job web count=3 volume=data;per_alloc
         alloc web[0] on n2",
        "blocked web 2: cpu 1, missing host volume data[1] 2, missing host volume data[2] 3",
    );
}

#[test]
fn its_volume_is_not_deleted_while_it_runs_and_that_of_another_index_is() {
    let running = "node n1
         volume data[0] on n1
         volume data[1] on n1
         job web volume=data;per_alloc
         alloc web[0] on n1";
    let user = id_of_allocation(running, "web[0]");
    check_refused(running, "close data[0] on n1", &format!("volume is in use by allocation {user}"));
    check(&format!("{running}\nclose data[1] on n1\ndelete data[1] on n1"), "");
}
