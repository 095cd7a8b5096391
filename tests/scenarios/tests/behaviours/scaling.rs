//! More instances, fewer, none.

use scenarios::check;

#[test]
fn missing_instances_take_the_lowest_free_indexes() {
    check(
        "node n1
         job web count=3
         alloc web[1] on n1 running",
        "place web[0] on n1
         place web[2] on n1",
    );
}

#[test]
fn nothing_is_done_where_all_is_well() {
    check(
        "node n1
         job web count=1
         alloc web[0] on n1 running healthy",
        "",
    );
}

#[test]
fn a_larger_count_places_more() {
    check(
        "node n1
         job web count=1
         alloc web[0] on n1 running
         job web count=2",
        "in-place web[0]
         place web[1] on n1",
    );
}

#[test]
fn a_smaller_count_stops_the_highest_indexes() {
    check(
        "node n1
         job web count=3
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running healthy
         job web count=1",
        "in-place web[0]
         stop web[1] on n1: not needed
         stop web[2] on n1: not needed",
    );
}

#[test]
fn a_smaller_count_stops_what_does_not_run_well_first() {
    check(
        "node n1
         job web count=3
         alloc web[0] on n1 pending
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running unhealthy
         job web count=1",
        "in-place web[1]
         stop web[0] on n1: not needed
         stop web[2] on n1: not needed",
    );
}

#[test]
fn a_count_of_zero_stops_all() {
    check(
        "node n1
         job web count=1
         alloc web[0] on n1 running
         job web count=0",
        "stop web[0] on n1: not needed",
    );
}

#[test]
fn a_stopped_job_loses_all_instances() {
    check(
        "node n1
         job web count=2
         alloc web[0] on n1 running
         alloc web[1] on n1 pending
         stop web",
        "stop web[0] on n1: job stopped
         stop web[1] on n1: job stopped",
    );
}

#[test]
fn a_stopped_job_is_not_blocked_any_more() {
    check(
        "node n1 mem=100
         job web mem=500
         run
         stop web",
        "",
    );
}

#[test]
fn a_group_that_is_gone_loses_its_instances() {
    check(
        "node n1
         job web count=1
         group api count=1
         alloc web[0] on n1 running
         alloc web.api[0] on n1 running
         job web without=api",
        "in-place web[0]
         stop web.api[0] on n1: not needed",
    );
}

#[test]
fn groups_are_counted_each_for_itself() {
    check(
        "node n1 cpu=4000
         job web count=1
         group api count=2
         alloc web.api[0] on n1 running",
        "place web[0] on n1
         place web.api[1] on n1",
    );
}

#[test]
fn an_instance_that_a_person_stopped_is_replaced() {
    check(
        "node n1
         job web count=1
         alloc web[0] on n1 running
         stop web[0] on n1",
        "place web[0] on n1",
    );
}

#[test]
fn a_service_that_ended_by_itself_is_replaced() {
    check(
        "node n1
         job web count=1
         alloc web[0] on n1 complete",
        "place web[0] on n1",
    );
}

#[test]
fn a_finished_batch_instance_is_done() {
    check(
        "node n1
         job count type=batch count=2
         alloc count[0] on n1 complete
         alloc count[1] on n1 running",
        "",
    );
}

#[test]
fn a_batch_instance_that_is_missing_is_placed_beside_the_finished() {
    check(
        "node n1
         job count type=batch count=2
         alloc count[0] on n1 complete",
        "place count[1] on n1",
    );
}

#[test]
fn a_new_version_of_a_batch_job_runs_anew() {
    check(
        "node n1
         job count type=batch count=1
         alloc count[0] on n1 complete
         job count change=env",
        "place count[0] on n1",
    );
}
