//! What happens at the same time: a change of the count with an update, a loss, a drain, a rollout, canaries.

use scenarios::{check, check_dry_run, check_evaluations, check_wanted};

/// Three healthy instances of a version that did well.
const THREE: &str = "node n1
     node n2
     job web count=3
     alloc web[0] on n1 running healthy
     alloc web[1] on n1 running healthy
     alloc web[2] on n2 running healthy
     run";

/// The same with a rollout step by step.
fn rolling(rules: &str) -> String {
    THREE.replace("count=3", &format!("count=3 {rules}")) + "\nstable web"
}

#[test]
fn a_larger_count_and_an_update_change_all_and_place_more() {
    check(
        &format!("{THREE}\njob web count=4 change=env constraint=\"${{node.unique.name}} = n1\""),
        "stop web[0] on n1: updated
         stop web[1] on n1: updated
         stop web[2] on n2: updated
         place web[0] on n1 after web[0]
         place web[1] on n1 after web[1]
         place web[2] on n1
         place web[3] on n1",
    );
}

#[test]
fn what_is_placed_beside_an_update_takes_no_name_of_it() {
    check_wanted(
        "node n1 cpu=1077 cores=1-4 core_mhz=200
         node n2 cpu=1386 cores=1-4 core_mhz=200
         job web count=3 cpu=743 spread=rack
         run
         job web cores=1",
        "web",
        "web[0] on n2
         web[1] on n1
         web[2] on n1",
    );
}

#[test]
fn a_smaller_count_and_an_update_end_what_is_too_much_and_change_the_rest() {
    check(
        &format!("{THREE}\njob web count=1 change=env"),
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0]
         stop web[1] on n1: not needed
         stop web[2] on n2: not needed",
    );
}

#[test]
fn a_smaller_count_takes_what_is_lost_first() {
    check(
        &format!("{THREE}\ndown n1\njob web count=1"),
        "stop web[0] on n1: not needed
         stop web[1] on n1: not needed
         in-place web[2]",
    );
}

#[test]
fn a_larger_count_and_a_loss_place_both() {
    check(
        &format!("{THREE}\ndown n1\njob web count=4"),
        "place web[0] on n2
         place web[1] on n2
         place web[3] on n2
         in-place web[2]",
    );
}

#[test]
fn a_larger_count_and_a_drain_place_both() {
    check(
        &format!("{THREE}\ndrain n2\njob web count=4"),
        "place web[2] on n1
         place web[3] on n1
         in-place web[0]
         in-place web[1]",
    );
}

#[test]
fn a_drain_of_a_node_that_is_down_is_a_loss() {
    check(&format!("{THREE}\ndrain n2\ndown n2"), "place web[2] on n1");
}

#[test]
fn a_larger_count_in_a_rollout_waits_for_no_one_and_is_placed_once() {
    let setup = format!("{}\njob web count=5 change=env", rolling("max_parallel=1"));
    let wanted = "web[0] on n1
         web[1] of version 0 on n1
         web[2] of version 0 on n2
         web[3] on n2
         web[4] on n1";
    check_wanted(&format!("{setup}\nrun\nsweep\nask web"), "web", wanted);
}

#[test]
fn a_count_of_zero_of_a_new_job_places_nothing() {
    check("node n1\njob web count=0", "");
    check_dry_run("node n1", "job web count=0 max_parallel=1", "version 0\nweb: ");
}

#[test]
fn only_the_group_that_has_a_pace_rolls_and_the_other_changes_at_once() {
    check(
        "node n1
         job web count=2 max_parallel=1
         group api count=2
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web.api[0] on n1 running healthy
         alloc web.api[1] on n1 running healthy
         run
         job web change=env
         group api change=env",
        "deployment begins
         stop web[0] on n1: updated
         place web[0] on n1 after web[0]
         held back web 1
         stop web.api[0] on n1: updated
         stop web.api[1] on n1: updated
         place web.api[0] on n1 after web.api[0]
         place web.api[1] on n1 after web.api[1]",
    );
}

#[test]
fn the_pace_counts_what_is_not_healthy_yet() {
    let setup = "node n1
         job web count=5 max_parallel=3
         run
         healthy web
         watch
         run
         job web change=env
         run
         sweep";
    check(
        &format!("{setup}\njudge web[0] healthy"),
        "stop web[3] on n1: updated
         place web[3] on n1 after web[3]
         held back web 1",
    );
    check(
        &format!("{setup}\nhealthy web"),
        "stop web[3] on n1: updated
         stop web[4] on n1: updated
         place web[3] on n1 after web[3]
         place web[4] on n1 after web[4]",
    );
    check(
        &format!("{setup}\njudge web[0] unhealthy\njudge web[1] unhealthy\njudge web[2] unhealthy"),
        "held back web 2",
    );
}

#[test]
fn what_is_lost_or_moves_in_a_rollout_comes_back_and_the_rollout_goes_on_at_its_pace() {
    let setup = "node n1
         node n2
         node n3 cpu=1000
         job web count=3 max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n2 running healthy
         alloc web[2] on n3 running healthy
         run
         stable web
         job web change=env
         run
         sweep";
    let wanted = "web[0] on n1
         web[1] of version 0 on n2
         web[1] on n3
         web[2] of version 0 on n3";
    for what in ["down n2", "drain n2"] {
        check_wanted(&format!("{setup}\n{what}"), "web", wanted);
    }
}

#[test]
fn canaries_take_the_names_of_those_that_they_shall_replace() {
    check(
        "node n1
         job web count=2 max_parallel=1 canary=2
         alloc web[1] on n1 running healthy
         alloc web[3] on n1 running healthy
         job web change=env",
        "deployment begins
         canary web[1] on n1
         canary web[3] on n1
         held back web 2",
    );
}

#[test]
fn canaries_of_each_group_are_its_own() {
    check(
        "node n1
         job web count=1 max_parallel=1 canary=1
         group api count=2 max_parallel=1 canary=1
         alloc web[0] on n1 running healthy
         alloc web.api[0] on n1 running healthy
         alloc web.api[1] on n1 running healthy
         run
         job web change=env
         group api change=env",
        "deployment begins
         canary web[0] on n1
         canary web.api[0] on n1
         held back web 1
         held back web.api 2",
    );
}

#[test]
fn a_larger_count_beside_canaries_is_filled_as_it_was() {
    let setup = rolling("max_parallel=1 canary=1");
    check(
        &format!("{setup}\njob web count=4 change=env"),
        "deployment begins
         canary web[0] on n1
         place web[3] of version 0 on n2
         held back web 3",
    );
}

#[test]
fn a_smaller_count_beside_canaries_ends_the_old() {
    let setup = rolling("max_parallel=1 canary=1");
    check(
        &format!("{setup}\njob web count=2 change=env"),
        "deployment begins
         canary web[0] on n2
         stop web[2] on n2: not needed
         held back web 2",
    );
}

#[test]
fn as_many_canaries_as_instances_take_the_place_of_all_when_they_are_promoted() {
    let setup = rolling("max_parallel=1 canary=3");
    check(
        &format!("{setup}\njob web change=env\nrun\nhealthy web\npromote web"),
        "stop web[0] on n1: updated
         stop web[1] on n1: updated
         stop web[2] on n2: updated",
    );
}

#[test]
fn canaries_of_a_rollout_that_is_paused_or_failed_are_not_placed() {
    for status in ["paused", "failed"] {
        let setup = rolling("max_parallel=1 canary=1");
        check(&format!("{setup}\njob web change=env\ndeployment web {status}"), "held back web 3");
    }
}

#[test]
fn a_rollout_that_fails_after_one_group_was_promoted_ends_the_canaries_of_the_other_only() {
    let setup = "node n1
         job web max_parallel=1 canary=1
         group api count=1 max_parallel=1 canary=1
         run
         healthy web
         watch
         run
         job web change=env
         group api change=env
         run
         healthy web
         promote web api
         run
         sweep
         fail web";
    check_wanted(setup, "web", "web.api[0] on n1\nweb[0] of version 0 on n1");
}

#[test]
fn a_rollout_that_goes_back_ends_its_canaries_and_leaves_the_rest_as_it_runs() {
    let setup = rolling("max_parallel=1 canary=1 auto_revert");
    check_wanted(
        &format!("{setup}\njob web change=env\nrun\nfail web\nrun"),
        "web",
        "web[0] on n1\nweb[1] on n1\nweb[2] on n2",
    );
}

#[test]
fn an_old_instance_that_fails_beside_canaries_comes_back_as_it_was() {
    let setup = rolling("max_parallel=1 canary=1 reschedule=30s");
    check(
        &format!("{setup}\njob web change=env\nrun\nfails web[2] on n2\nrun\nwait 30s"),
        "place web[2] of version 0 on n1
         held back web 2",
    );
}

#[test]
fn an_instance_of_a_finished_rollout_that_fails_is_placed_anew() {
    let setup = "node n1
         job web max_parallel=1 reschedule=30s
         run
         healthy web
         watch
         run
         fails web[0] on n1";
    check(setup, "follow-up in 30s for web[0]");
    check(&format!("{setup}\nrun\nwait 30s"), "place web[0] on n1");
}

#[test]
fn a_failure_that_was_replaced_is_not_replaced_again() {
    let setup = "node n1
         job web reschedule=30s
         alloc web[0] on n1 failed at=-1m
         run
         ask web";
    check(setup, "");
    check(&format!("{setup}\nask web force"), "");
    check(&format!("{setup}\nwait 1h\nask web"), "");
}

#[test]
fn what_was_told_to_stop_is_not_tried_again_when_it_fails() {
    let setup = "node n1
         job web count=1
         alloc web[0] on n1 running healthy
         run
         stop web[0] on n1
         run
         fails web[0] on n1";
    check(setup, "");
    let fewer = "node n1
         job web count=1
         alloc web[0] on n1 running healthy
         run
         job web count=0
         run
         fails web[0] on n1
         wait 1h
         ask web force";
    check(fewer, "");
}

#[test]
fn a_failure_without_further_attempts_is_tried_by_force() {
    let setup = "node n1
         job web reschedule=5s attempts=1
         alloc web[0] on n1 failed at=-1m
         run
         fails web[0] on n1
         wait 1h";
    check(setup, "");
    check(&format!("{setup}\nask web"), "");
    check(&format!("{setup}\nask web force"), "place web[0] on n1");
    let waits = "node n1
         job web reschedule=10m
         alloc web[0] on n1 failed at=-1s
         run";
    check(&format!("{waits}\nask web force"), "place web[0] on n1");
    // The pauses go on as if it had waited.
    check(&format!("{waits}\nask web force\nrun\nfails web[0] on n1"), "follow-up in 1200s for web[0]");
}

#[test]
fn a_failure_that_finds_no_room_is_not_forgotten() {
    let setup = "node n1
         job web reschedule=30s cpu=500
         alloc web[0] on n1 failed at=-1m
         node n1 cpu=400
         run";
    check(&format!("{setup}\nwait 1h\nask web"), "blocked web 1: cpu 1");
    check(&format!("{setup}\nwait 1h\nnode n1 cpu=500"), "place web[0] on n1");
}

#[test]
fn a_smaller_count_gives_up_what_is_over_first() {
    let setup = "node n1
         job web count=4 reschedule=1h
         alloc web[0] on n1 failed at=-1s
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running healthy
         alloc web[3] on n1 complete
         run
         job web count=2";
    check_wanted(setup, "web", "web[1] on n1\nweb[2] on n1");
    let rolls = setup.replace("count=4", "count=4 max_parallel=1");
    check_wanted(&rolls, "web", "web[1] on n1\nweb[2] on n1");
}

#[test]
fn doubles_of_one_name_end_in_every_way() {
    let setup = "node n1
         node n2
         job web count=2
         alloc web[0] on n1 running healthy
         alloc web[0] on n2 running
         alloc web[1] on n1 running healthy";
    check(setup, "stop web[0] on n2: not needed");
    check(
        &format!("{setup}\njob web change=env count=1"),
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0]
         stop web[0] on n2: not needed
         stop web[1] on n1: not needed",
    );
    check(&format!("{setup}\njob web change=tags"), "in-place web[0]\nin-place web[1]\nstop web[0] on n2: not needed");
    check(
        &format!("{setup}\njob web count=0"),
        "stop web[0] on n1: not needed
         stop web[0] on n2: not needed
         stop web[1] on n1: not needed",
    );
}

#[test]
fn an_evaluation_says_what_it_left_queued() {
    let setup = "node n1 cpu=1000
         job web count=3 cpu=400
         group api count=2 cpu=4000";
    check_evaluations(
        setup,
        "web",
        "job-register complete, 2 of api queued, 1 of web queued
         queued-allocs blocked, 2 of api queued, 1 of web queued",
    );
    check_evaluations(
        &format!("{setup}\nrun\nnode n2 cpu=4400"),
        "web",
        "job-register complete, 2 of api queued, 1 of web queued
         queued-allocs blocked, 1 of api queued",
    );
    check_evaluations(
        &format!("{setup}\nrun\nstop web"),
        "web",
        "job-register complete, 2 of api queued, 1 of web queued
         queued-allocs canceled, 2 of api queued, 1 of web queued
         job-deregister complete",
    );
    let rolls = "node n1
         job web count=3 max_parallel=1
         run
         healthy web
         watch
         run
         job web change=env";
    check_evaluations(
        rolls,
        "web",
        "job-register complete
         deployment-watcher complete
         job-register complete, 2 of web queued",
    );
}

#[test]
fn more_canaries_than_instances_are_as_many_as_those() {
    check(
        "node n1
         job web count=1 max_parallel=1 canary=3
         run
         healthy web
         watch
         run
         job web change=env",
        "deployment begins
         canary web[0] on n1
         held back web 1",
    );
}

#[test]
fn a_new_version_of_what_failed_begins_without_its_history() {
    let setup = "node n1
         job web reschedule=5s attempts=1
         alloc web[0] on n1 failed at=-1m
         run
         fails web[0] on n1
         wait 1h
         job web change=env";
    check(setup, "place web[0] on n1");
    check(&format!("{setup}\nrun\nfails web[0] on n1"), "follow-up in 5s for web[0]");
}

#[test]
fn a_dry_run_lists_the_third_instance_before_the_eleventh() {
    let places: Vec<String> = (0..11).map(|index| format!("place web[{index}] on n1")).collect();
    check_dry_run("node n1", "job web count=11", &format!("version 0\nweb: place 11\n{}", places.join("\n")));
}

#[test]
fn a_dry_run_counts_everything_that_would_be_done() {
    let setup = "node n1
         node n2
         job web count=7 reschedule=30s max_parallel=1
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n2 running healthy
         alloc web[3] on n1 failed at=-1m
         alloc web[4] on n1 failed at=-1s
         deployment web successful
         drain n2";
    check_dry_run(setup, "job web count=7", "version 0\nweb: ignore 6, reschedule later 1");
    check_dry_run(
        setup,
        "job web count=6 change=env",
        "version 1
         deployment begins
         stop web[2] on n1
         stop web[2] on n2
         place web[2] on n1
         web: ignore 5, destructive 1",
    );
    check_dry_run(
        "node n1 cpu=1000 draining
         job web count=2 cpu=400 reschedule=30s
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 failed at=-1m",
        "job web count=2",
        "version 0
         blocked web 2: node draining 1
         web: migrate 1, reschedule now 1",
    );
}
