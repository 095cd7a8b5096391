//! Batch jobs: what has run is done, what failed is tried again, and a new run is one of all.

use scenarios::{check, check_wanted};

#[test]
fn a_batch_job_that_was_stopped_and_is_run_again_runs_all_of_it_anew() {
    check(
        "node n1
         job count type=batch count=2
         alloc count[0] on n1 complete
         alloc count[1] on n1 failed
         stop count
         run
         job count",
        "place count[0] on n1
         place count[1] on n1",
    );
}

#[test]
fn a_finished_instance_is_not_run_again_whatever_is_looked_at() {
    let setup = "node n1
         node n2
         job count type=batch
         alloc count[0] on n1 complete";
    check(&format!("{setup}\nask count"), "");
    check(&format!("{setup}\nask count force"), "");
    check(&format!("{setup}\nrun\njob count"), "");
    check(&format!("{setup}\nrun\nwait 2h\ncollect\njob count"), "");
}

#[test]
fn a_finished_instance_on_a_node_that_drains_or_is_lost_is_done() {
    let setup = "node n1
         node n2
         job count type=batch
         alloc count[0] on n1 complete
         run";
    check(&format!("{setup}\ndrain n1\nask count"), "");
    check(&format!("{setup}\ndown n1\nask count"), "");
}

#[test]
fn a_new_version_runs_once_and_is_done_when_it_has() {
    check(
        "node n1
         job count type=batch
         alloc count[0] on n1 complete
         job count change=env
         run
         gone count[0] on n1
         ask count",
        "",
    );
}

#[test]
fn an_old_version_that_runs_on_a_draining_node_is_replaced_by_the_new_one() {
    check(
        "node n1
         node n2
         job count type=batch
         alloc count[0] on n1 running
         run
         drain n1
         job count change=env",
        "stop count[0] on n1: updated
         place count[0] on n2",
    );
}

#[test]
fn work_that_runs_on_a_draining_node_goes_on_until_the_deadline_and_then_elsewhere() {
    let setup = "node n1
         node n2
         job count type=batch
         alloc count[0] on n1 running
         run
         drain n1 deadline=10m
         watch";
    check(setup, "");
    check(&format!("{setup}\nwait 10m\nwatch"), "place count[0] on n2");
    // One that is still ending is not placed twice.
    check(&format!("{setup}\nwait 10m\nwatch\nrun\nask count"), "");
    check(&format!("{setup}\ngone count[0] on n1\nwait 10m\nwatch"), "");
}

#[test]
fn work_that_failed_on_a_draining_node_is_tried_again_elsewhere() {
    check(
        "node n1
         node n2
         job count type=batch
         alloc count[0] on n1 running
         run
         drain n1
         fails count[0] on n1
         run
         wait 5s",
        "place count[0] on n2",
    );
}

#[test]
fn a_failed_instance_waits_for_the_delay_of_its_type() {
    check(
        "node n1
         job count type=batch
         alloc count[0] on n1 failed at=-1s",
        "follow-up in 4s for count[0]",
    );
}

#[test]
fn several_failed_instances_wait_together() {
    check(
        "node n1
         job count type=batch count=3 reschedule=30s
         alloc count[0] on n1 failed at=-10s
         alloc count[1] on n1 failed at=-10s
         alloc count[2] on n1 failed at=-1s",
        "follow-up in 20s for count[0], count[1]
         follow-up in 29s for count[2]",
    );
}

#[test]
fn attempts_of_a_batch_instance_that_are_used_up_end_it() {
    let setup = "node n1
         job count type=batch
         alloc count[0] on n1 failed at=-10s
         run
         fails count[0] on n1
         wait 1h";
    check(setup, "");
    check(&format!("{setup}\nask count force"), "place count[0] on n1");
}

#[test]
fn a_failed_instance_that_finds_no_room_waits_for_it() {
    let setup = "node n1 cpu=100
         node n2
         job count type=batch cpu=400
         alloc count[0] on n2 failed at=-10s
         node n2 cpu=100";
    check(setup, "blocked count 1: cpu 2");
    check(&format!("{setup}\nrun\nnode n1 cpu=1000"), "place count[0] on n1");
}

#[test]
fn a_smaller_count_ends_only_what_runs_beyond_it() {
    check(
        "node n1
         job count type=batch count=3
         alloc count[0] on n1 running
         alloc count[1] on n1 running
         alloc count[2] on n1 running
         run
         job count count=1",
        "in-place count[0]
         stop count[1] on n1: not needed
         stop count[2] on n1: not needed",
    );
}

#[test]
fn two_instances_of_one_name_are_one_too_many() {
    check_wanted(
        "node n1
         job count type=batch count=1
         alloc count[0] on n1 running
         alloc count[0] on n1 running
         run",
        "count",
        "count[0] on n1",
    );
}

#[test]
fn a_smaller_count_does_not_end_what_runs_for_what_is_over() {
    check(
        "node n1
         job count type=batch count=3
         alloc count[0] on n1 complete
         alloc count[1] on n1 failed at=-1s
         alloc count[2] on n1 running
         run
         job count count=1",
        "in-place count[2]",
    );
}

#[test]
fn what_ended_while_the_job_was_a_service_has_finished_no_batch_work() {
    check(
        "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         run
         down n1
         run
         back n1
         gone web[0] on n2
         runs web[0] on n1
         job web type=batch",
        "in-place web[0]",
    );
}
