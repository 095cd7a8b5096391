//! What a new version of a job means where it changes more than its instances: datacenters, pools, spreads, documents that
//! are forgotten or come back.

use scenarios::{check, check_refused, check_wanted};

#[test]
fn a_datacenter_that_is_none_of_the_job_any_more_loses_its_instances() {
    check(
        "node n1 dc=dc1
         node n2 dc=dc2
         job web dc=dc1
         alloc web[0] on n1 running healthy
         run
         job web dc=dc2",
        "stop web[0] on n1: updated
         place web[0] on n2",
    );
}

#[test]
fn a_glob_that_still_matches_the_datacenter_keeps_the_instance() {
    check(
        "node n1 dc=dc1
         job web dc=dc1
         alloc web[0] on n1 running healthy
         run
         job web dc=dc*",
        "in-place web[0]",
    );
}

#[test]
fn a_pool_that_is_none_of_the_job_any_more_loses_its_instances() {
    let setup = "node n1 pool=a
         node n2 pool=b
         job web pool=a
         alloc web[0] on n1 running healthy
         run";
    check(&format!("{setup}\njob web pool=b"), "stop web[0] on n1: updated\nplace web[0] on n2");
    check(&format!("{setup}\njob web pool=all"), "in-place web[0]");
}

#[test]
fn what_comes_back_as_it_was_goes_where_its_version_may() {
    for (key, before, after) in [("dc", "dc1", "dc2"), ("pool", "a", "b")] {
        check(
            &format!(
                "node n1 {key}={before}
                 node n2 {key}={before}
                 node n3 {key}={after}
                 job web {key}={before} max_parallel=1 canary=1
                 alloc web[0] on n1 running healthy
                 run
                 stable web
                 job web {key}={after} change=env
                 run
                 down n1"
            ),
            "place web[0] of version 0 on n2",
        );
    }
}

#[test]
fn what_comes_back_as_it_was_takes_the_newest_version_that_did_well() {
    check(
        "node n1
         job web max_parallel=1
         stable web
         job web change=env
         stable web
         job web change=env
         deployment web failed",
        "place web[0] of version 1 on n1",
    );
}

#[test]
fn what_comes_back_as_it_was_spreads_as_its_version_does() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         node n3 rack=r2
         job web count=2 max_parallel=1 spread=rack
         alloc web[0] on n1 running healthy
         alloc web[1] on n2 running healthy
         run
         job web change=env
         deployment web failed
         down n2",
        "place web[1] of version 0 on n3
         held back web 1",
    );
}

#[test]
fn a_change_in_place_begins_a_rollout_too() {
    check(
        "node n1
         job web max_parallel=1
         alloc web[0] on n1 running healthy
         run
         healthy web
         watch
         run
         job web change=tags",
        "deployment begins
         in-place web[0]",
    );
}

#[test]
fn nothing_that_changes_begins_no_rollout() {
    let setup = "node n1
         job web max_parallel=1
         run
         healthy web
         watch
         run";
    check(&format!("{setup}\njob web"), "");
    check(&format!("{setup}\nask web"), "");
    check(&format!("{setup}\nwait 2h\ncollect\nask web"), "");
}

#[test]
fn an_instance_keeps_what_it_holds_when_it_is_changed_in_place() {
    check(
        "node n1
         job web port=8080
         alloc web[0] on n1 running healthy
         run
         job web change=tags
         run
         job api port=8080",
        "blocked api 1: port 8080 1",
    );
}

#[test]
fn an_instance_keeps_its_cores_when_it_is_changed_in_place() {
    check(
        "node n1 cores=0-1 core_mhz=1000
         job web cores=2
         run
         job web change=tags
         run
         job api cores=1",
        "blocked api 1: cores 1",
    );
}

#[test]
fn going_back_in_place_leaves_all_as_they_run() {
    let setup = "node n1
         job web count=2 max_parallel=1
         run
         healthy web
         watch
         run
         job web change=tags
         run
         healthy web";
    check(&format!("{setup}\nrevert web 0"), "deployment begins\nin-place web[0]\nin-place web[1]");
}

#[test]
fn going_back_is_refused_where_there_is_nothing_to_go_back_to() {
    let setup = "node n1\njob web\nrun\njob web change=env";
    check_refused(setup, "revert web 7", "job has no version 7");
    check_refused(setup, "revert web 1", "can't revert to current version");
}

#[test]
fn a_limit_on_the_run_time_is_taken_in_place() {
    check(
        "node n1
         job count type=batch
         alloc count[0] on n1 running
         run
         job count max_run=1h",
        "in-place count[0]",
    );
}

#[test]
fn a_job_that_is_forgotten_ends_and_one_of_its_name_begins_anew() {
    let setup = "node n1
         job web max_parallel=1
         run
         healthy web
         watch
         run
         purge web";
    check(setup, "stop web[0] on n1: job stopped");
    check(&format!("{setup}\nrun\nsweep"), "");
    check(
        &format!("{setup}\nrun\nsweep\njob web max_parallel=1"),
        "deployment begins
         place web[0] on n1",
    );
    // It is registered again before it is gone.
    check(&format!("{setup}\nrun\njob web"), "deployment begins\nplace web[0] on n1");
}

#[test]
fn a_stopped_job_of_which_all_is_over_has_nothing_to_end() {
    check(
        "node n1
         job web count=3
         alloc web[0] on n1 failed
         alloc web[1] on n1 complete
         alloc web[2] on n1 running
         run
         stop web
         run
         sweep
         ask web",
        "",
    );
}

#[test]
fn one_that_runs_again_after_a_stop_is_placed_anew() {
    check_wanted(
        "node n1
         job web
         alloc web[0] on n1 running healthy
         run
         stop web
         run
         job web
         run",
        "web",
        "web[0] on n1",
    );
}
