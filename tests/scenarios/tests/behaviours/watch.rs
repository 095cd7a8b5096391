//! The watch over rollouts and what people say of them: deadlines, pauses, promotions, health.

use scenarios::{check, check_evaluations, check_refused, check_watch};

/// Two healthy instances of a version that did well, and one of the next in the place of the first.
const BEGUN: &str = "node n1
     job web count=2 max_parallel=1
     run
     healthy web
     watch
     run
     job web change=env
     run
     sweep";

/// A healthy instance of a version that did well, and a canary of the next.
const CANARY: &str = "node n1
     job web count=2 max_parallel=1 canary=1
     run
     healthy web
     watch
     run
     job web change=env
     run";

#[test]
fn progress_moves_the_deadline() {
    check_watch(&format!("{BEGUN}\nwait 9m\nhealthy web\nrun\nsweep\nwait 9m"), "");
    check_watch(
        &format!("{BEGUN}\nwait 9m\nhealthy web\nrun\nsweep\nwait 10m"),
        "web is failed: Failed due to progress deadline",
    );
}

#[test]
fn an_instance_in_place_of_one_that_was_healthy_is_no_progress() {
    let lived = "fails web[0] on n1\nrun\nwait 30s\nrun\nhealthy web";
    let setup = format!("{BEGUN}\nhealthy web\n{lived}\n");
    check_watch(&format!("{setup}\nwait 569s"), "");
    check_watch(&format!("{setup}\nwait 570s"), "web is failed: Failed due to progress deadline");
    // One that was never healthy before is.
    let late = format!("{BEGUN}\n{lived}");
    check_watch(&format!("{late}\nwait 599s"), "");
    check_watch(&format!("{late}\nwait 600s"), "web is failed: Failed due to progress deadline");
}

#[test]
fn a_deadline_of_its_own_is_kept() {
    let setup = BEGUN.replace("max_parallel=1", "max_parallel=1 progress_deadline=1m");
    check_watch(&format!("{setup}\nwait 59s"), "");
    check_watch(&format!("{setup}\nwait 1m"), "web is failed: Failed due to progress deadline");
}

#[test]
fn without_a_deadline_it_waits_for_ever_and_fails_at_the_first_unhealthy_instance() {
    let setup = BEGUN.replace("max_parallel=1", "max_parallel=1 progress_deadline=0s");
    check_watch(&format!("{setup}\nwait 24h"), "");
    check_watch(&format!("{setup}\njudge web[0] unhealthy"), "web is failed: Failed due to unhealthy allocations");
}

#[test]
fn a_failure_that_is_tried_again_has_until_the_deadline() {
    let setup = BEGUN.replace("max_parallel=1", "max_parallel=1 reschedule=30s attempts=1");
    check_watch(&format!("{setup}\nfails web[0] on n1"), "");
    check_watch(&format!("{setup}\nfails web[0] on n1\nrun\nwait 30s\nrun"), "");
    check_watch(
        &format!("{setup}\nfails web[0] on n1\nrun\nwait 30s\nrun\nfails web[0] on n1"),
        "web is failed: Failed due to unhealthy allocations",
    );
}

#[test]
fn a_failure_whose_replacement_is_healthy_does_not_keep_the_rollout_from_its_end() {
    check_watch(
        &format!("{BEGUN}\nfails web[0] on n1\nrun\nwait 30s\nrun\nhealthy web\nrun\nsweep\nhealthy web"),
        "web is successful: Deployment completed successfully",
    );
}

#[test]
fn healthy_canaries_have_no_deadline_until_they_are_promoted() {
    let setup = format!("{CANARY}\nhealthy web\nwait 24h");
    check_watch(&setup, "");
    check_watch(&format!("{setup}\npromote web"), "");
}

#[test]
fn unhealthy_canaries_have_one() {
    check_watch(&format!("{CANARY}\nwait 10m"), "web is failed: Failed due to progress deadline");
}

#[test]
fn a_rollout_that_was_promoted_late_has_its_full_time_then() {
    let setup = format!("{CANARY}\nhealthy web\nwait 24h\npromote web\nrun\nsweep");
    check_watch(&setup, "");
    check_watch(&format!("{setup}\nwait 9m"), "");
    check_watch(&format!("{setup}\nwait 10m"), "web is failed: Failed due to progress deadline");
    check_watch(&format!("{setup}\nhealthy web"), "web is successful: Deployment completed successfully");
}

#[test]
fn the_rest_follows_promoted_canaries_one_after_the_other() {
    let setup = CANARY.replace("count=2", "count=3");
    let setup = format!("{setup}\nhealthy web\npromote web\nrun\nsweep");
    check(&setup, "held back web 1");
    check(
        &format!("{setup}\nhealthy web"),
        "stop web[2] on n1: updated
         place web[2] on n1 after web[2]",
    );
}

#[test]
fn canaries_are_promoted_only_when_all_are_healthy() {
    check_refused(CANARY, "promote web", "group web has 0 of 1 healthy canaries");
    check_refused(&format!("{CANARY}\njudge web[0] unhealthy"), "promote web", "group web has 0 of 1 healthy canaries");
    check_refused(BEGUN, "promote web", "no canaries to promote");
}

#[test]
fn one_group_may_be_promoted_before_another() {
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
         healthy web";
    check(
        &format!("{setup}\npromote web api"),
        "stop web.api[0] on n1: updated
         held back web 1",
    );
}

#[test]
fn a_paused_rollout_has_no_deadline_and_goes_on_with_its_full_time() {
    let paused = format!("{BEGUN}\nhealthy web\npause web");
    check(&paused, "held back web 1");
    check_watch(&format!("{paused}\nwait 24h"), "");
    check(&format!("{paused}\npause web"), "held back web 1");
    let resumed = format!("{paused}\nwait 24h\nresume web");
    check(
        &resumed,
        "stop web[1] on n1: updated
         place web[1] on n1 after web[1]",
    );
    check_watch(&format!("{resumed}\nwait 9m"), "");
    check_watch(&format!("{resumed}\nrun\nresume web\nwait 10m"), "web is failed: Failed due to progress deadline");
}

#[test]
fn a_person_may_give_a_rollout_up_and_it_stands_or_goes_back() {
    check(&format!("{BEGUN}\nfail web"), "held back web 1");
    check(
        &format!("{}\nfail web", BEGUN.replace("max_parallel=1", "max_parallel=1 auto_revert")),
        "deployment begins
         stop web[0] on n1: updated
         in-place web[1]
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn what_a_person_says_of_health_moves_the_rollout_on_or_ends_it() {
    check(
        &format!("{BEGUN}\njudge web[0] healthy"),
        "stop web[1] on n1: updated
         place web[1] on n1 after web[1]",
    );
    check(&format!("{BEGUN}\njudge web[0] unhealthy"), "held back web 1");
    let at_once = BEGUN.replace("max_parallel=1", "max_parallel=1 progress_deadline=0s");
    check_watch(&format!("{at_once}\njudge web[0] unhealthy"), "web is failed: Failed due to unhealthy allocations");
    let reverts = at_once.replace("max_parallel=1", "max_parallel=1 auto_revert");
    check_watch(
        &format!("{reverts}\njudge web[0] unhealthy"),
        "web is failed: Failed due to unhealthy allocations - rolling back to job version 0",
    );
}

#[test]
fn what_is_none_of_a_rollout_is_not_judged_with_it() {
    check_refused(BEGUN, "judge web[1] healthy", "allocation not found");
}

#[test]
fn a_rollout_without_a_version_to_go_back_to_says_so() {
    check_watch(
        "node n1
         job web max_parallel=1 auto_revert
         run
         wait 10m",
        "web is failed: Failed due to progress deadline - no stable job version to auto revert to",
    );
}

#[test]
fn a_rollout_that_went_back_and_fails_again_stays() {
    check_watch(
        &format!(
            "{}\nwait 10m\nwatch\nrun\nwait 10m",
            BEGUN
                .replace("max_parallel=1", "max_parallel=1 auto_revert")
                .replace("job web change=env", "job web count=1 cpu=9000")
        ),
        "web is failed: Failed due to progress deadline - no stable job version to auto revert to",
    );
}

#[test]
fn what_is_over_or_never_was_can_not_be_changed() {
    let over = format!("{BEGUN}\nhealthy web\nrun\nsweep\nhealthy web\nwatch");
    check_refused(&over, "pause web", "can't change a deployment that is successful");
    check_refused(&over, "promote web", "can't change a deployment that is successful");
    check_refused("node n1\njob web", "pause web", "deployment not found");
}

#[test]
fn a_rollout_whose_job_is_forgotten_is_over() {
    check_watch(&format!("{BEGUN}\npurge web\nrun\nsweep\nwait 1h"), "");
    check_refused(&format!("{BEGUN}\npurge web\nrun\nsweep"), "pause web", "deployment not found");
}

#[test]
fn what_many_instances_report_at_once_is_decided_once() {
    check_evaluations(
        "node n1
         job web count=6 max_parallel=3
         run
         healthy web
         watch
         job web count=6 max_parallel=3 change=env
         run
         healthy web",
        "web",
        "job-register complete
         deployment-watcher complete, 3 of web queued
         job-register canceled
         deployment-watcher complete
         deployment-watcher canceled
         deployment-watcher canceled",
    );
}

#[test]
fn every_rollout_that_goes_on_is_watched() {
    check_watch(
        "node n1
         job web max_parallel=1
         job api max_parallel=1
         run
         healthy api
         wait 10m",
        "web is failed: Failed due to progress deadline
         api is successful: Deployment completed successfully",
    );
}
