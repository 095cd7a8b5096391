//! Instances that failed, and nodes that are lost.

use scenarios::{check, check_late};
use server_core::limits::RESCHEDULES_KEPT;

#[test]
fn a_failed_instance_is_placed_anew_after_its_delay() {
    check(
        "node n1
         job web reschedule=30s
         alloc web[0] on n1 failed at=-10s",
        "follow-up in 20s for web[0]",
    );
}

#[test]
fn a_failed_instance_whose_delay_is_over_is_placed_anew_elsewhere() {
    check(
        "node n1
         node n2
         job web reschedule=30s
         alloc web[0] on n1 failed at=-30s",
        "place web[0] on n2",
    );
}

#[test]
fn where_there_is_no_other_node_it_goes_where_it_failed() {
    check(
        "node n1
         job web reschedule=30s
         alloc web[0] on n1 failed at=-60s",
        "place web[0] on n1",
    );
}

#[test]
fn the_delay_comes_again_and_the_instance_follows() {
    check(
        "node n1
         job web reschedule=30s
         alloc web[0] on n1 failed at=-10s
         run
         wait 20s",
        "place web[0] on n1",
    );
}

#[test]
fn the_second_delay_is_twice_the_first() {
    check(
        "node n1
         job web reschedule=30s
         alloc web[0] on n1 failed at=-30s
         run
         fails web[0] on n1",
        "follow-up in 60s for web[0]",
    );
}

#[test]
fn the_delay_is_constant_doubles_or_grows_by_the_fibonacci_numbers_up_to_its_limit() {
    let waits = |rules: &str, failures: usize| {
        let begin = format!(
            "node n1
             job web reschedule=10s {rules}
             alloc web[0] on n1 failed at=-1h"
        );
        // Each fails as soon as it is placed.
        begin + &"\nrun\nfails web[0] on n1\nrun\nwait 1h".repeat(failures - 1) + "\nrun\nfails web[0] on n1"
    };
    let delays = [
        ("delay=constant", [10, 10, 10, 10, 10]),
        ("delay=exponential", [20, 40, 80, 160, 320]),
        ("delay=fibonacci", [10, 20, 30, 50, 80]),
        ("delay=exponential max_delay=1m", [20, 40, 60, 60, 60]),
        ("delay=fibonacci max_delay=25s", [10, 20, 25, 25, 25]),
    ];
    for (rules, seconds) in delays {
        for (number, seconds) in (1..).zip(seconds) {
            check(&waits(rules, number), &format!("follow-up in {seconds}s for web[0]"));
        }
    }
}

#[test]
fn the_delay_begins_anew_once_an_instance_has_run_for_longer() {
    for function in ["exponential", "fibonacci"] {
        let setup = format!(
            "node n1
             job web reschedule=10s delay={function}
             alloc web[0] on n1 failed at=-1h
             run
             fails web[0] on n1
             run
             wait 1m
             run
             wait 1h
             fails web[0] on n1"
        );
        check(&setup, "follow-up in 10s for web[0]");
    }
}

#[test]
fn attempts_are_counted_in_their_interval_only() {
    let setup = "node n1
         job web reschedule=10s attempts=1 interval=1h
         alloc web[0] on n1 failed at=-1m
         run";
    check(&format!("{setup}\nwait 59m\nfails web[0] on n1\nwait 10s"), "");
    check(&format!("{setup}\nwait 60m\nfails web[0] on n1\nwait 10s"), "place web[0] on n1");
}

#[test]
fn attempts_that_are_used_up_end_it() {
    check(
        "node n1
         job web reschedule=5s attempts=1
         alloc web[0] on n1 failed at=-30s
         run
         fails web[0] on n1
         wait 1h",
        "",
    );
}

#[test]
fn more_attempts_than_placements_are_remembered_otherwise_end_it_too() {
    let attempts = RESCHEDULES_KEPT + 2;
    let after = |failures: usize| {
        let begin = format!(
            "node n1
             job web reschedule=5s attempts={attempts}
             alloc web[0] on n1 failed at=-30s\n"
        );
        begin + &"run\nfails web[0] on n1\nwait 2h\n".repeat(failures)
    };
    check(&after(attempts - 1), "place web[0] on n1");
    check(&after(attempts), "");
}

#[test]
fn without_a_reschedule_policy_a_failure_stays() {
    check(
        "node n1
         job web reschedule=never
         alloc web[0] on n1 failed at=-1h",
        "",
    );
}

#[test]
fn a_failure_that_stays_does_so_when_what_is_old_is_forgotten() {
    check(
        "node n1
         job web reschedule=never
         alloc web[0] on n1 failed
         run
         wait 2h
         collect
         job web",
        "",
    );
}

#[test]
fn several_failures_wait_together_where_they_are_due_together() {
    check(
        "node n1
         job web count=2 reschedule=30s
         alloc web[0] on n1 failed at=-10s
         alloc web[1] on n1 failed at=-10s",
        "follow-up in 20s for web[0], web[1]",
    );
}

#[test]
fn what_waits_a_little_longer_for_others_is_not_waited_for_twice() {
    check(
        "node n1
         job web count=3 reschedule=30s
         alloc web[0] on n1 failed at=-10s
         alloc web[1] on n1 failed at=-9s
         alloc web[2] on n1 failed at=-8s",
        "follow-up in 21s for web[0], web[1]
         follow-up in 22s for web[2]",
    );
}

#[test]
fn what_is_due_sooner_than_was_thought_is_waited_for_once() {
    check(
        "node n1
         node n2 down since=-10s
         job web lost_after=10m keep
         alloc web[0] on n2 running
         run
         job web lost_after=1m keep",
        "follow-up in 50s for web[0]
         no follow-up in 590s",
    );
}

#[test]
fn a_failed_batch_instance_is_tried_once_more() {
    check(
        "node n1
         node n2
         job count type=batch
         alloc count[0] on n1 failed at=-5s",
        "place count[0] on n2",
    );
}

#[test]
fn a_failed_instance_of_an_older_version_does_not_wait() {
    check(
        "node n1
         job web reschedule=10m
         alloc web[0] on n1 failed at=-10s
         job web change=env",
        "place web[0] on n1",
    );
}

#[test]
fn what_a_lost_node_ran_is_replaced_at_once() {
    check(
        "node n1 cpu=1000
         node n2 cpu=1000
         node n3 cpu=1000 down
         job web count=2 cpu=400
         alloc web[0] on n3 running healthy
         alloc web[1] on n1 running healthy",
        "place web[0] on n2",
    );
}

#[test]
fn a_lost_node_moves_its_allocations_to_the_fullest_able_node() {
    check(
        "node empty cpu=1000 mem=1000
         node used cpu=1000 mem=1000
         node gone cpu=500 down
         job base cpu=300 mem=300
         alloc base[0] on used running
         job web cpu=400 mem=200
         alloc web[0] on gone",
        "place web[0] on used",
    );
}

#[test]
fn a_lost_node_moves_batch_work_too() {
    check(
        "node n1
         node n2 down
         job count type=batch
         alloc count[0] on n2 running",
        "place count[0] on n1",
    );
}

#[test]
fn a_suspect_node_keeps_everything() {
    check(
        "node n1
         node n2 suspect
         job web
         alloc web[0] on n2 running healthy",
        "",
    );
}

#[test]
fn where_nothing_else_has_room_the_lost_wait() {
    check(
        "node n1 mem=100
         node n2 mem=1000 down
         job web mem=500
         alloc web[0] on n2 running",
        "blocked web 1: memory 1, node down 1",
    );
}

#[test]
fn a_group_may_ask_not_to_be_replaced_for_a_while() {
    check(
        "node n1
         node n2 down since=-10s
         job web lost_after=60s keep
         alloc web[0] on n2 running",
        "follow-up in 50s for web[0]",
    );
}

#[test]
fn when_the_while_is_over_it_is_replaced() {
    check(
        "node n1
         node n2 down since=-60s
         job web lost_after=60s keep
         alloc web[0] on n2 running",
        "stop web[0] on n2: node down
         place web[0] on n1",
    );
}

#[test]
fn a_group_with_disconnect_is_replaced_at_once_unless_it_says_otherwise() {
    check(
        "node n1
         node n2 down since=-10s
         job web lost_after=60s
         alloc web[0] on n2 running",
        "place web[0] on n1
         follow-up in 50s for web[0]",
    );
}

#[test]
fn a_node_that_returns_gives_back_what_has_no_healthy_replacement() {
    check(
        "node n1
         node n2
         job web
         alloc web[0] on n2 running healthy
         run
         down n2
         run
         back n2",
        "",
    );
}

#[test]
fn a_node_that_returns_with_an_old_version_is_updated() {
    check(
        "node n1 cpu=500
         job web cpu=400
         alloc web[0] on n1 running healthy
         run
         down n1
         run
         job web change=env
         run
         back n1",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn a_second_loss_replaces_the_replacement() {
    check(
        "node n1
         node n2
         node n3
         job web constraint=\"${node.unique.name} != n1\"
         alloc web[0] on n2 running healthy
         run
         down n2
         run
         healthy web
         down n3",
        "blocked web 1: ${node.unique.name} != n1 1, node down 2",
    );
}

#[test]
fn a_replacement_of_a_lost_instance_that_failed_is_tried_again_as_the_policy_says() {
    let setup = "node n1
         node n2
         job web reschedule=30s
         alloc web[0] on n2 running healthy
         run
         down n2
         run
         fails web[0] on n1";
    check(setup, "follow-up in 30s for web[0]");
    check(&format!("{setup}\nrun\nwait 30s"), "place web[0] on n1");
    check(&setup.replace("reschedule=30s", "reschedule=never"), "");
    check(&format!("{setup}\nrun\nback n2\nwait 30s"), "");
}

#[test]
fn lost_batch_work_that_its_replacement_finished_is_done() {
    check(
        "node n1
         node n2
         job count type=batch
         alloc count[0] on n2 running
         run
         down n2
         run
         gone count[0] on n1",
        "stop count[0] on n2: node down",
    );
}

#[test]
fn what_is_back_before_a_plan_to_replace_it_is_committed_is_not_replaced() {
    let setup = "node n1
         node n2
         node n3
         job web count=2
         alloc web[0] on n1 running healthy
         alloc web[1] on n2 running healthy
         run
         down n1";
    check_late(setup, "back n1", "");
    // What is not back is replaced all the same.
    check_late(&format!("{setup}\ndown n2"), "back n2", "place web[0] on n3");
}

#[test]
fn an_instance_of_a_service_that_ends_comes_again_after_growing_pauses_however_few_failures_are_allowed() {
    for rules in ["", "reschedule=30s attempts=0", "reschedule=30s attempts=1", "reschedule=never"] {
        let ended = format!("node n1\njob web {rules}\nrun\nruns web[0] on n1\ngone web[0] on n1");
        check(&ended, "follow-up in 30s for web[0]");
        check(&format!("{ended}\nrun\nwait 29s\nask web"), "");
        check(&format!("{ended}\nrun\nwait 30s"), "place web[0] on n1");
        check(&format!("{ended}\nrun\nwait 30s\nrun\ngone web[0] on n1"), "follow-up in 60s for web[0]");
    }
    let failed =
        "node n1\njob web reschedule=30s attempts=1\nrun\ngone web[0] on n1\nrun\nwait 30s\nrun\nfails web[0] on n1";
    check(failed, "");
    check("node n1\njob agent type=system\nrun\ngone agent[0] on n1", "follow-up in 30s for agent[0]");
}

#[test]
fn a_person_has_an_instance_that_ended_placed_at_once() {
    check("node n1\njob web\nrun\ngone web[0] on n1\nrun\nask web force", "place web[0] on n1");
}

#[test]
fn an_instance_that_ended_makes_way_for_a_new_version_at_once() {
    check("node n1\njob web\nrun\ngone web[0] on n1\nrun\njob web change=env", "place web[0] on n1");
}
