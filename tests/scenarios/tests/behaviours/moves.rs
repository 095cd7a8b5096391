//! Draining nodes: the replacement first, then the stop; the stop first only where no other node has room.

use scenarios::{check, check_drain, check_wanted};

/// Two instances of 500 MiB, which nobody else has room for.
const FULL: &str = "node n1 mem=1000
     node n2 mem=100
     job web count=2 mem=500
     alloc web[0] on n1 running healthy
     alloc web[1] on n1 running healthy
     run
     drain n1
     run";

/// A drain of which the first replacement failed.
const FAILED: &str = "node n1
     node n2
     job web reschedule=30s
     alloc web[0] on n1 running healthy
     drain n1
     run
     fails web[0] on n2";

#[test]
fn a_draining_node_gets_a_replacement_elsewhere_first() {
    check(
        "node n1 draining
         node n2
         job web
         alloc web[0] on n1 running healthy",
        "place web[0] on n2",
    );
}

#[test]
fn the_original_stops_when_its_replacement_is_healthy() {
    check(
        "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         drain n1
         run
         healthy web",
        "stop web[0] on n1: migrated",
    );
}

#[test]
fn what_the_original_stood_in_for_ends_with_it() {
    check(
        "node n1
         node n2 cpu=4000 mem=4000
         node n3 cpu=1000 mem=1000
         job web
         alloc web[0] on n1 running healthy
         run
         down n1
         run
         drain n2
         run
         healthy web",
        "stop web[0] on n1: migrated
         stop web[0] on n2: migrated",
    );
}

#[test]
fn where_the_replacement_is_lost_before_it_is_healthy_the_original_stops_when_the_next_one_is() {
    let setup = "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         drain n1
         run
         down n2
         node n3
         run
         runs web[0] on n3";
    check(setup, "");
    check(&format!("{setup}\nhealthy web[0] on n3"), "stop web[0] on n1: migrated");
}

#[test]
fn the_original_stays_while_its_replacement_is_not_healthy() {
    check(
        "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         drain n1
         alloc web[0] on n2 running replacing=n1",
        "",
    );
}

#[test]
fn the_original_stays_while_nobody_hears_of_its_healthy_replacement() {
    let setup = "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         drain n1
         run
         healthy web
         node n3
         down n2";
    check(setup, "place web[0] on n3");
    check(&format!("{setup}\nrun\nrun"), "");
    // Another that is well will do.
    check(&format!("{setup}\nrun\nhealthy web"), "stop web[0] on n1: migrated");
}

#[test]
fn at_most_max_parallel_of_a_group_move_at_a_time() {
    check(
        "node n1 draining
         node n2
         job web count=2
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy",
        "place web[?] on n2",
    );
}

#[test]
fn the_next_one_moves_when_the_one_before_is_gone() {
    let setup = "node n1
         node n2
         job web count=2
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         drain n1
         run
         healthy web
         run
         watch";
    check(setup, "");
    check(&format!("{setup}\nsweep\nwatch"), "place web[?] on n2");
}

#[test]
fn a_move_waits_where_no_other_node_has_room() {
    check(
        "node n1 mem=1000 draining
         node n2 mem=100
         job web mem=500
         alloc web[0] on n1 running healthy",
        "blocked web 1: memory 1, node draining 1",
    );
}

#[test]
fn what_no_other_node_takes_stops_first_and_says_so() {
    let first = "stops first, because no other node takes it (memory, node draining)";
    let waits = "web[?] waiting: others of its group move first (max_parallel)";
    let expected = format!("web[?] stopping: {first}; waits until its containers are gone\n{waits}");
    check_drain(&format!("{FULL}\nwatch"), "n1", &expected);
    // It is blocked, and begins where room appears.
    check(&format!("{FULL}\nwatch\nsweep\nrun\nnode n3 mem=500"), "place web[?] on n3");
    // When that is healthy, the other one has its turn.
    let then = "watch\nsweep\nrun\nnode n3 mem=500\nrun\nhealthy web\nwatch\nrun\nwatch";
    let expected = format!(
        "web[?] gone: replacement healthy on n3\nweb[?] stopping: {first}; waits until its containers are gone"
    );
    check_drain(&format!("{FULL}\n{then}"), "n1", &expected);
}

#[test]
fn what_waits_says_that_others_move_first_only_while_they_do() {
    let setup = "node n1
         job web count=2
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         node n2
         drain n1
         run
         healthy web";
    let waits = "web[?] waiting: others of its group move first (max_parallel)";
    let until = "waits until its containers are gone";
    check_drain(&format!("{setup}\nrun"), "n1", &format!("web[?] stopping: {until}\n{waits}"));
    // The next decision of the drains is due.
    let gone = "web[?] gone: replacement healthy on n2";
    check_drain(&format!("{setup}\nrun\nsweep"), "n1", &format!("{gone}\nweb[?] waiting: its move begins"));
}

#[test]
fn the_drain_of_a_node_that_is_down_says_so() {
    check_drain(
        "node n1
         job web
         alloc web[0] on n1 running healthy
         node n2
         drain n1
         run
         healthy web
         run
         down n1",
        "n1",
        "web[0] stopping: the node is out of contact; waits until its containers are gone",
    );
}

#[test]
fn no_more_stop_first_than_may_be_missing() {
    let reasons = "(memory, node draining)";
    let gone = format!("web[?] gone: stopped first, because no other node takes it {reasons}");
    let lacks = format!("no other node takes it {reasons}, and its group lacks an instance already");
    let expected = format!("{gone}\nweb[?] waiting: {lacks}: it stays until one does");
    check_drain(&format!("{FULL}\nwatch\nsweep\nrun\nwatch\nrun\nwatch"), "n1", &expected);
}

#[test]
fn a_move_of_an_instance_on_distinct_hosts_needs_another_node() {
    check(
        "node n1 draining
         node n2
         node n3
         job web count=2 distinct_hosts
         alloc web[0] on n1 running healthy
         alloc web[1] on n2 running healthy",
        "place web[0] on n3",
    );
}

#[test]
fn an_instance_whose_only_rack_is_its_own_may_move_within_it() {
    check(
        "node n1 rack=r1 draining
         node n2 rack=r1
         job web distinct_property=rack
         alloc web[0] on n1 running healthy",
        "place web[0] on n2",
    );
}

#[test]
fn a_disk_that_an_instance_would_come_back_to_holds_it_on_no_draining_node() {
    check(
        "node n1
         node n2
         job web sticky
         alloc web[0] on n1 running healthy
         drain n1",
        "place web[0] on n2",
    );
}

#[test]
fn batch_work_is_left_to_finish() {
    check(
        "node n1 draining
         node n2
         job count type=batch
         alloc count[0] on n1 running",
        "",
    );
}

#[test]
fn an_ineligible_node_keeps_what_it_has() {
    check(
        "node n1 ineligible
         node n2
         job web
         alloc web[0] on n1 running healthy",
        "",
    );
}

#[test]
fn a_smaller_count_takes_what_moves_first() {
    check(
        "node n1 draining
         node n2
         job web count=2
         alloc web[0] on n1 running healthy
         alloc web[1] on n2 running healthy
         job web count=1",
        "stop web[0] on n1: not needed
         in-place web[1]",
    );
}

#[test]
fn a_replacement_that_failed_is_tried_again_as_the_policy_of_its_group_says() {
    check(FAILED, "follow-up in 30s for web[0]");
    check(&format!("{FAILED}\nrun\nwait 30s"), "place web[0] on n2");
    check(&format!("{FAILED}\nrun\nwait 30s\nrun\nfails web[0] on n2"), "follow-up in 60s for web[0]");
    check(&format!("{FAILED}\nrun\nwait 30s\nrun\nhealthy web"), "stop web[0] on n1: migrated");
}

#[test]
fn a_move_goes_on_with_growing_pauses_where_the_policy_allows_no_more() {
    let never = FAILED.replace("reschedule=30s", "reschedule=never");
    check(&never, "follow-up in 30s for web[0]");
    check(&format!("{never}\nrun\nwait 30s\nrun\nfails web[0] on n2"), "follow-up in 60s for web[0]");
    let once = FAILED.replace("reschedule=30s", "reschedule=5s attempts=1");
    check(&format!("{once}\nrun\nwait 5s\nrun\nfails web[0] on n2"), "follow-up in 10s for web[0]");
}

#[test]
fn a_drain_that_is_taken_back_ends_a_move_whose_replacement_failed() {
    check(&format!("{FAILED}\nrun\nundrain n1\nwait 1h\njob web"), "");
}

#[test]
fn a_drain_that_is_taken_back_ends_a_replacement_that_does_badly_before_or_after() {
    let setup = "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         drain n1
         run";
    for end in ["unhealthy web[0] on n2\nundrain n1", "undrain n1\nunhealthy web[0] on n2"] {
        check_wanted(&format!("{setup}\n{end}\nrun"), "web", "web[0] on n1");
    }
    check_wanted(&format!("{setup}\nundrain n1\nrun\nhealthy web[0] on n2\nrun"), "web", "web[0] on n2");
    // As long as the node drains, there is no way back.
    check_wanted(&format!("{setup}\nunhealthy web[0] on n2\nrun"), "web", "web[0] on n1\nweb[0] on n2");
}

#[test]
fn a_drain_that_is_taken_back_on_a_lost_node_leaves_what_it_held_to_the_rules_of_loss() {
    let setup = "node n1 cpu=500
         job web cpu=400 lost_after=30s keep
         alloc web[0] on n1 running
         drain n1
         run
         down n1";
    check(
        setup,
        "follow-up in 30s for web[0]
         blocked web 1: cpu 1, node down 1, node draining 1",
    );
    check(&format!("{setup}\nrun\nundrain n1"), "");
    check(&format!("{setup}\nrun\nundrain n1\nrun\nwait 30s"), "blocked web 1: cpu 1, node down 1");
}

#[test]
fn what_moves_goes_on_while_a_lost_replacement_of_it_is_given_up_for_another() {
    let setup = "node n1 cpu=500
         node n2 cpu=500
         job web cpu=400 lost_after=30s
         alloc web[0] on n1 running
         drain n1
         run
         runs web[0] on n2
         down n2
         run
         wait 30s
         node n3 cpu=500";
    check(setup, "place web[0] on n3\nstop web[0] on n2: node down");
    check_wanted(&format!("{setup}\nrun"), "web", "web[0] on n1\nweb[0] on n3");
    check_wanted(&format!("{setup}\nrun\nhealthy web[0] on n3\nrun"), "web", "web[0] on n3");
}

#[test]
fn what_moves_goes_on_while_the_replacement_of_its_lost_replacement_is_not_healthy() {
    let setup = "node n1
         node n2
         job web lost_after=30s
         alloc web[0] on n1 running healthy
         drain n1
         run
         down n2
         node n3
         run
         runs web[0] on n3
         wait 30s
         run";
    check(setup, "");
    check_wanted(setup, "web", "web[0] on n1\nweb[0] on n2\nweb[0] on n3");
    check(&format!("{setup}\nhealthy web[0] on n3"), "stop web[0] on n1: migrated\nstop web[0] on n2: node down");
}

#[test]
fn what_moves_ends_when_its_replacement_is_heard_of_again() {
    check(
        "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         down n1
         run
         runs web[0] on n2
         healthy web[0] on n2
         run
         down n2
         run
         back n2
         run
         drain n1
         run
         reports n2",
        "stop web[0] on n1: migrated",
    );
}
