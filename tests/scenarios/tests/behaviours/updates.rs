//! New versions: in place, all at once, step by step, with canaries.

use scenarios::check;

#[test]
fn a_change_that_the_instance_need_not_see_is_taken_in_place() {
    check(
        "node n1
         job web
         alloc web[0] on n1 running healthy
         job web change=tags",
        "in-place web[0]",
    );
}

#[test]
fn a_change_of_its_environment_needs_a_new_instance() {
    check(
        "node n1
         job web
         alloc web[0] on n1 running healthy
         job web change=env",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn without_an_update_block_all_change_at_once() {
    check(
        "node n1
         job web count=2
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env",
        "stop web[0] on n1: updated
         stop web[1] on n1: updated
         place web[0] on n1 after web[0]
         place web[1] on n1 after web[1]",
    );
}

#[test]
fn a_new_constraint_that_the_node_does_not_meet_moves_the_instance() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job web
         alloc web[0] on n1 running healthy
         job web constraint=\"${meta.rack} = r2\"",
        "stop web[0] on n1: updated
         place web[0] on n2",
    );
}

#[test]
fn a_first_rollout_begins_a_deployment() {
    check(
        "node n1
         job web count=2 max_parallel=1",
        "deployment begins
         place web[0] on n1
         place web[1] on n1",
    );
}

#[test]
fn a_rolling_update_replaces_max_parallel_and_holds_the_rest_back() {
    check(
        "node n1
         job web count=3 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running healthy
         job web change=env",
        "deployment begins
         stop web[0] on n1: updated
         place web[0] on n1 after web[0]
         held back web 2",
    );
}

#[test]
fn a_rolling_update_goes_on_when_the_new_instance_is_healthy() {
    let setup = "node n1
         job web count=2 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env
         run
         gone web[0] on n1";
    check(&format!("{setup}\nrun"), "");
    check(
        &format!("{setup}\nhealthy web"),
        "stop web[1] on n1: updated
         place web[1] on n1 after web[1]",
    );
}

#[test]
fn what_is_unhealthy_is_updated_first() {
    check(
        "node n1
         job web count=2 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running unhealthy
         job web change=env",
        "deployment begins
         stop web[1] on n1: updated
         place web[1] on n1 after web[1]
         held back web 1",
    );
}

#[test]
fn a_rolling_update_works_on_a_full_node() {
    check(
        "node n1 cpu=800 mem=800
         job web count=2 cpu=400 mem=400 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env",
        "deployment begins
         stop web[0] on n1: updated
         place web[0] on n1 after web[0]
         held back web 1",
    );
}

#[test]
fn a_rolling_update_takes_over_the_static_port_of_its_predecessor() {
    check(
        "node n1
         job web port=8080 max_parallel=1
         alloc web[0] on n1 running healthy
         job web change=env",
        "deployment begins
         stop web[0] on n1: updated
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn an_update_that_asks_more_than_the_node_has_leaves_the_old_instance() {
    check(
        "node n1 cpu=800
         job web count=2 cpu=400
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web cpu=500",
        "blocked web 2: cpu 1",
    );
}

#[test]
fn an_update_that_asks_more_wakes_when_what_it_lacks_is_free() {
    check(
        "node n1 cpu=800
         job web cpu=400
         alloc web[0] on n1 running healthy
         job other cpu=400
         alloc other[0] on n1 running healthy
         job web cpu=500
         run
         stop other
         run
         gone other[0] on n1",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn what_an_update_ends_gives_its_share_of_a_property_back() {
    check(
        "node n1 rack=r1
         job web count=2 distinct_property=rack:2
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env",
        "stop web[0] on n1: updated
         stop web[1] on n1: updated
         place web[0] on n1 after web[0]
         place web[1] on n1 after web[1]",
    );
}

#[test]
fn what_one_update_gives_back_of_a_property_another_may_take() {
    check(
        "node n1 rack=r0
         node n2 rack=r0
         node n3 rack=r1 cpu=150
         job web count=2 distinct_property=rack:2
         alloc web[0] on n3 running healthy
         alloc web[1] on n1 running healthy
         drain n1
         run
         job web cpu=200",
        "stop web[0] on n3: updated
         stop web[1] on n1: updated
         stop web[1] on n2: updated
         place web[0] on n2
         place web[1] on n2 after web[1]",
    );
}

#[test]
fn a_successor_that_has_not_started_passes_on_what_it_waits_for() {
    check(
        "node n1 cpu=800
         job web cpu=800 port=8080
         alloc web[0] on n1 running healthy
         job web cpu=400
         run
         job web cpu=700",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0] after web[0]",
    );
}

#[test]
fn an_update_takes_the_original_of_a_replacement_with_it() {
    check(
        "node n1
         node n2
         job web
         alloc web[0] on n2 running healthy
         run
         down n2
         run
         job web change=env",
        "stop web[0] on n1: updated
         stop web[0] on n2: updated
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn an_update_that_asks_less_makes_room_only_when_the_old_one_is_gone() {
    check(
        "node n1 cpu=800
         job web count=1 cpu=800
         alloc web[0] on n1 running healthy
         job web cpu=400 count=2",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0]
         blocked web 1: cpu 1",
    );
}

#[test]
fn a_failed_deployment_goes_no_further() {
    check(
        "node n1
         job web count=2 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env
         run
         deployment web failed",
        "held back web 1",
    );
}

#[test]
fn a_failed_deployment_still_fills_the_count() {
    check(
        "node n1
         job web count=3 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env
         deployment web failed",
        "place web[2] on n1
         held back web 2",
    );
}

#[test]
fn a_paused_deployment_waits() {
    check(
        "node n1
         job web count=1 max_parallel=1
         alloc web[0] on n1 running healthy
         job web change=env
         deployment web paused",
        "held back web 1",
    );
}

#[test]
fn a_fixed_version_after_a_failed_one_goes_on() {
    check(
        "node n1
         job web count=1 max_parallel=1
         alloc web[0] on n1 running healthy
         job web change=env
         deployment web failed
         job web change=env",
        "deployment begins
         stop web[0] on n1: updated
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn canaries_stand_beside_what_they_shall_replace() {
    check(
        "node n1
         job web count=3 max_parallel=1 canary=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running healthy
         job web change=env",
        "deployment begins
         canary web[0] on n1
         held back web 3",
    );
}

#[test]
fn a_first_rollout_has_no_canaries() {
    check(
        "node n1
         job web count=2 max_parallel=1 canary=1",
        "deployment begins
         place web[0] on n1
         place web[1] on n1",
    );
}

#[test]
fn healthy_canaries_wait_to_be_promoted() {
    check(
        "node n1
         job web count=2 max_parallel=1 canary=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env
         run
         healthy web",
        "held back web 2",
    );
}

#[test]
fn promoted_canaries_take_the_place_of_the_old_and_the_rest_follows() {
    check(
        "node n1
         job web count=2 max_parallel=1 canary=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         job web change=env
         run
         healthy web
         deployment web promoted",
        "stop web[0] on n1: updated
         stop web[1] on n1: updated
         place web[1] on n1 after web[1]",
    );
}

#[test]
fn canaries_of_a_failed_deployment_end() {
    check(
        "node n1
         job web count=1 max_parallel=1 canary=1
         alloc web[0] on n1 running healthy
         job web change=env
         run
         deployment web failed",
        "stop web[0] on n1: not needed
         held back web 1",
    );
}

#[test]
fn a_newer_version_replaces_the_canaries_of_the_older() {
    check(
        "node n1
         job web count=1 max_parallel=1 canary=1
         alloc web[0] on n1 running healthy
         job web change=env
         run
         job web change=env",
        "deployment begins
         stop web[0] on n1: not needed
         canary web[0] on n1
         held back web 1",
    );
}

#[test]
fn a_changed_batch_job_changes_at_once() {
    check(
        "node n1
         job count type=batch count=2
         alloc count[0] on n1 running
         alloc count[1] on n1 running
         job count change=env",
        "stop count[0] on n1: updated
         stop count[1] on n1: updated
         place count[0] on n1 after count[0]
         place count[1] on n1 after count[1]",
    );
}
