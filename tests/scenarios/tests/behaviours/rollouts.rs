//! Rollouts in which something goes wrong: what has failed, was lost or ended in the middle of one.

use scenarios::check;

/// Three healthy instances, and a new version of which the first instance has started.
const BEGUN: &str = "node n1
     job web count=3 max_parallel=1 reschedule=10m
     alloc web[0] on n1 running healthy
     alloc web[1] on n1 running healthy
     alloc web[2] on n1 running healthy
     job web change=env
     run
     gone web[0] on n1";

#[test]
fn a_failed_new_instance_holds_the_next_old_one_back() {
    check(
        &format!("{BEGUN}\nfails web[0] on n1"),
        "follow-up in 600s for web[0]
         held back web 2",
    );
}

#[test]
fn a_failed_new_instance_that_is_placed_anew_is_still_under_way() {
    check(
        &format!("{BEGUN}\nfails web[0] on n1\nrun\nwait 10m"),
        "place web[0] on n1
         held back web 2",
    );
}

#[test]
fn a_failed_new_instance_without_further_attempts_holds_the_rollout() {
    check(&format!("{}\nfails web[0] on n1", BEGUN.replace("reschedule=10m", "reschedule=never")), "held back web 2");
}

#[test]
fn a_new_instance_that_ended_by_itself_is_still_under_way() {
    check(
        &format!("{BEGUN}\ngone web[0] on n1"),
        "follow-up in 600s for web[0]
         held back web 2",
    );
    check(
        &format!("{BEGUN}\ngone web[0] on n1\nrun\nwait 10m"),
        "place web[0] on n1
         held back web 2",
    );
}

#[test]
fn a_larger_count_in_a_rollout_does_not_take_another_old_instance() {
    check(
        &format!("{BEGUN}\njob web count=4"),
        "deployment begins
         in-place web[0]
         place web[3] on n1
         held back web 2",
    );
}

#[test]
fn a_next_version_that_may_crash_too_first_fills_the_place_of_what_crashed() {
    check(
        &format!("{BEGUN}\nfails web[0] on n1\nrun\njob web change=env"),
        "deployment begins
         place web[0] on n1
         held back web 2",
    );
}

#[test]
fn what_failed_to_take_the_place_of_an_instance_that_stays_is_not_under_way() {
    let with = |lost: &str, back: &str| {
        format!(
            "node n1 cpu=500
             node n2
             job web max_parallel=1
             alloc web[0] on n1 running healthy
             {lost} n1
             run
             fails web[0] on n2
             run
             {back} n1
             run
             job web change=env"
        )
    };
    for setup in [with("drain", "undrain"), with("down", "back")] {
        check(
            &setup,
            "deployment begins
             stop web[0] on n1: updated
             place web[0] on n1 after web[0]",
        );
    }
}

#[test]
fn a_smaller_count_does_not_wait_for_a_failed_instance_beyond_it() {
    check(
        "node n1
         job web count=3 max_parallel=1 reschedule=never
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env
         alloc web[2] on n1 failed
         job web count=2",
        "deployment begins
         stop web[0] on n1: updated
         place web[0] on n1 after web[0]
         held back web 1",
    );
}

#[test]
fn a_lost_new_instance_is_under_way_until_its_replacement_is_healthy() {
    let setup = "node n1
         node n2
         job web count=2 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env
         deployment web running
         stop web[0] on n1
         alloc web[0] on n2 running
         run
         down n2";
    check(
        setup,
        "place web[0] on n1
         held back web 1",
    );
    check(
        &format!("{setup}\nrun\nhealthy web"),
        "stop web[1] on n1: updated
         place web[1] on n1 after web[1]",
    );
}

#[test]
fn a_failed_rollout_stays_failed_when_what_is_old_is_forgotten() {
    check(
        "node n1
         job web count=2 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env
         run
         gone web[0] on n1
         healthy web
         deployment web failed
         run
         wait 2h
         collect
         job web",
        "held back web 1",
    );
}

#[test]
fn a_finished_rollout_is_not_begun_anew_when_what_is_old_is_forgotten() {
    check(
        "node n1
         job web max_parallel=1
         run
         healthy web
         deployment web successful
         run
         wait 2h
         collect
         stop web[0] on n1",
        "place web[0] on n1",
    );
}

/// Two healthy instances on two nodes, and a new version of which nothing runs yet.
const ON_TWO_NODES: &str = "node n1 cpu=2000
     node n2
     job web count=2 max_parallel=1 reschedule=30s
     alloc web[0] on n1 running healthy
     alloc web[1] on n2 running healthy
     job web change=env";

#[test]
fn what_is_lost_in_a_failed_or_paused_rollout_comes_back_as_it_was() {
    for status in ["failed", "paused"] {
        check(
            &format!("{ON_TWO_NODES}\ndeployment web {status}\ndown n2"),
            "place web[1] of version 0 on n1
             held back web 1",
        );
    }
}

#[test]
fn what_moves_in_a_failed_rollout_comes_back_as_it_was() {
    check(
        &format!("{ON_TWO_NODES}\ndeployment web failed\ndrain n2"),
        "place web[1] of version 0 on n1
         held back web 1",
    );
}

#[test]
fn what_fails_in_a_failed_rollout_waits_and_comes_back_as_it_was() {
    let setup = format!("{ON_TWO_NODES}\ndeployment web failed\nfails web[1] on n2");
    check(
        &setup,
        "follow-up in 30s for web[1]
         held back web 1",
    );
    check(
        &format!("{setup}\nrun\nwait 30s"),
        "place web[1] of version 0 on n1
         held back web 1",
    );
}

#[test]
fn what_a_person_stops_in_a_failed_rollout_comes_back_as_it_was() {
    check(
        &format!("{ON_TWO_NODES}\ndeployment web failed\nstop web[1] on n2"),
        "place web[1] of version 0 on n2
         held back web 1",
    );
}

#[test]
fn a_new_instance_that_fails_in_a_failed_rollout_comes_back_as_it_was() {
    check(
        &format!("{BEGUN}\ndeployment web failed\nfails web[0] on n1\nrun\nwait 10m"),
        "place web[0] on n1
         held back web 2",
    );
}

#[test]
fn what_is_lost_before_the_canaries_are_promoted_comes_back_as_it_was() {
    let setup = ON_TWO_NODES.replace("max_parallel=1", "max_parallel=1 canary=1");
    check(
        &format!("{setup}\nrun\ndown n2"),
        "place web[1] of version 0 on n1
         held back web 1",
    );
    check(
        &format!("{setup}\nrun\nhealthy web\ndeployment web promoted\nrun\nhealthy web\ndown n2"),
        "place web[1] on n1",
    );
}

#[test]
fn what_is_lost_in_a_rollout_that_goes_on_comes_back_new() {
    check(&format!("{ON_TWO_NODES}\nrun\ndown n2"), "place web[1] on n1");
}

#[test]
fn a_change_that_an_instance_need_not_see_is_not_kept_from_it() {
    check(
        &format!("{}\ndeployment web failed\ndown n2", ON_TWO_NODES.replace("change=env", "change=tags")),
        "in-place web[0]
         place web[1] on n1",
    );
}

#[test]
fn what_a_failed_rollout_lacks_is_filled_with_the_last_version_that_did_well() {
    check(
        "node n1
         job web count=1 max_parallel=1
         run
         healthy web
         deployment web successful
         run
         job web count=3 change=env
         deployment web failed",
        "place web[1] of version 0 on n1
         place web[2] of version 0 on n1
         held back web 1",
    );
}

#[test]
fn a_smaller_count_in_a_failed_rollout_gives_up_what_had_failed() {
    check(
        "node n1
         job web count=3 max_parallel=1 reschedule=never
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 failed
         job web count=2 change=env
         deployment web failed",
        "held back web 2",
    );
}

#[test]
fn what_comes_back_in_two_versions_stays_on_distinct_hosts() {
    check(
        "node n1
         node n2
         node n3 cpu=1000
         node n4
         job web count=2 max_parallel=1 distinct_hosts
         alloc web[0] on n1 running healthy
         job web change=env
         alloc web[1] on n2 running
         deployment web failed
         down n1
         down n2",
        "place web[0] of version 0 on n4
         place web[1] on n3",
    );
}

#[test]
fn what_is_lost_in_a_rollout_is_replaced_at_once_and_holds_the_next_old_one_back() {
    let setup = "node n1
         node n2
         job web count=3 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n2 running healthy
         job web change=env
         down n2";
    let expected = "deployment begins
         place web[2] on n1
         held back web 2";
    check(setup, expected);
}
