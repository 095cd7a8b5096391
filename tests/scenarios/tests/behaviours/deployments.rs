//! How rollouts end: by the watch over them, by a newer version, by a stop.

use scenarios::{check, check_watch};

/// Two healthy instances of a version that did well, and a newer one whose rollout began.
const BEGUN: &str = "node n1
     node n2
     job web count=2 max_parallel=1 auto_revert
     run
     healthy web
     watch
     run
     job web change=env
     run
     sweep";

#[test]
fn a_rollout_succeeds_when_all_are_healthy() {
    check_watch(&format!("{BEGUN}\nhealthy web\nrun\nsweep"), "");
    check_watch(
        &format!("{BEGUN}\nhealthy web\nrun\nsweep\nhealthy web"),
        "web is successful: Deployment completed successfully",
    );
}

#[test]
fn a_rollout_without_progress_fails_and_goes_back() {
    let failed = format!("{BEGUN}\nfails web[0]\nrun\nwait 10m");
    check_watch(&failed, "web is failed: Failed due to progress deadline - rolling back to job version 0");
    check(
        &format!("{failed}\nwatch"),
        "deployment begins
         in-place web[1]
         place web[0] on n1",
    );
}

#[test]
fn an_instance_that_failed_later_is_not_counted_beside_its_replacement() {
    check_watch(&format!("{BEGUN}\nhealthy web\nfails web[0]\nrun\nwait 30s\nrun\nhealthy web"), "");
}

#[test]
fn a_newer_version_is_not_taken_back_by_the_rollout_of_an_older_one() {
    check(
        &format!("{BEGUN}\nwait 10m\njob web cpu=200\nwatch"),
        "deployment begins
         stop web[0] on n1: updated
         place web[0] on n1 after web[0]
         held back web 1",
    );
}

#[test]
fn a_count_of_zero_in_a_rollout_ends_it() {
    check(
        &format!("{BEGUN}\njob web count=0"),
        "deployment cancelled
         stop web[0] on n1: not needed
         stop web[1] on n2: not needed",
    );
}

#[test]
fn a_stop_in_a_rollout_ends_it() {
    check(
        &format!("{BEGUN}\nstop web"),
        "stop web[0] on n1: job stopped
         stop web[1] on n2: job stopped",
    );
    check_watch(&format!("{BEGUN}\nstop web\nwait 1h"), "");
}

#[test]
fn healthy_canaries_promote_themselves_where_they_may() {
    let setup = "node n1
         node n2
         job web count=2 max_parallel=1 canary=1 auto_promote
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env constraint=\"${node.unique.name} = n2\"
         run
         healthy web";
    check_watch(setup, "web is promoted");
    check_watch(&format!("{setup}\ndown n2"), "");
    check_watch(&format!("{setup}\nfails web[0] on n2"), "");
}

#[test]
fn a_canary_that_was_healthy_and_failed_for_good_fails_the_rollout() {
    check_watch(
        "node n1
         job web count=1 max_parallel=1 canary=1 reschedule=never
         alloc web[0] on n1 running healthy
         job web change=env
         run
         healthy web
         fails web[0]",
        "web is failed: Failed due to unhealthy allocations",
    );
}
