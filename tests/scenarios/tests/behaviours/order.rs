//! Which evaluation is decided first, and how many there are of one job. Decisions stand in the order in which they fell.

use scenarios::{check, check_so_far, decided};

#[test]
fn the_highest_priority_comes_first_whatever_its_type() {
    let decided = decided(
        "node n1
         job low priority=10
         job tidy type=sysbatch priority=30
         job high priority=90
         job batch type=batch priority=40
         job agent type=system priority=70",
    );
    let order = ["high", "agent", "batch", "tidy", "low"];
    assert_eq!(decided, order.map(|job| format!("place {job}[0] on n1")));
}

#[test]
fn of_equal_priority_the_oldest_comes_first() {
    let decided = decided("node n1\njob c\njob a\njob b type=batch");
    assert_eq!(decided, ["c", "a", "b"].map(|job| format!("place {job}[0] on n1")));
}

#[test]
fn what_waited_and_is_due_stands_among_the_others_by_priority_and_age() {
    let setup = |others: &str| {
        format!(
            "node n1
             job web
             alloc web[0] on n1 running
             run
             fails web[0] on n1
             run
             wait 40s
             {others}"
        )
    };
    let first = |others: &str| decided(&setup(others)).remove(0);
    assert_eq!(first("job new"), "place web[0] on n1");
    assert_eq!(first("job new priority=60"), "place new[0] on n1");
}

#[test]
fn what_waits_for_its_time_is_left_until_then() {
    let setup = "node n1
         job web
         alloc web[0] on n1 failed at=-10s
         run
         wait";
    check(&format!("{setup} 19s"), "");
    check(&format!("{setup} 20s"), "place web[0] on n1");
}

#[test]
fn all_that_is_asked_of_a_job_meanwhile_is_decided_once() {
    check(
        "node n1
         job web
         job web count=2
         job web count=3",
        "place web[0] on n1
         place web[1] on n1
         place web[2] on n1",
    );
}

#[test]
fn the_panic_of_one_evaluation_fails_that_one_and_is_tried_again_later() {
    let setup = "node n1
         job web
         panic web
         job other";
    check_so_far(setup, "place other[0] on n1");
    check_so_far(&format!("{setup}\nrun\nwait 59s"), "");
    check(&format!("{setup}\nrun\nwait 60s"), "place web[0] on n1");
}

#[test]
fn what_fails_again_is_tried_again_later_still() {
    let twice = "node n1
         job web
         panic web
         wait 60s
         panic web";
    check_so_far(&format!("{twice}\nwait 119s"), "");
    check(&format!("{twice}\nwait 120s"), "place web[0] on n1");
}

#[test]
fn a_job_has_one_later_attempt_however_often_it_failed() {
    check(
        "node n1
         job web
         panic web
         job web count=2
         panic web
         wait 60s",
        "place web[0] on n1
         place web[1] on n1",
    );
}

#[test]
fn a_later_attempt_is_not_needed_once_the_job_was_decided() {
    check(
        "node n1
         job web
         panic web
         job web count=2",
        "place web[0] on n1
         place web[1] on n1
         no follow-up in 60s",
    );
}

#[test]
fn an_evaluation_that_panics_leaves_who_waits_for_room_waiting() {
    check(
        "node n1 mem=100
         job web mem=200
         run
         node n1 mem=100 rack=r1
         ask web
         panic web
         node n2",
        "place web[0] on n2
         no follow-up in 60s",
    );
}

#[test]
fn a_stopped_job_is_not_tried_again() {
    check(
        "node n1
         job web
         panic web
         stop web
         run
         wait 60s",
        "",
    );
}
