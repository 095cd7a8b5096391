//! Plans that come late: the cluster has changed since they were made. What still fits is taken, the rest is planned anew.

use scenarios::check_late;

/// Room for both instances of a job on either node.
const TWO: &str = "node n1
     node n2 mem=100
     job web count=2 mem=200";

#[test]
fn what_fits_is_taken_as_a_whole() {
    check_late(TWO, "", "place web[0] on n1\nplace web[1] on n1");
}

#[test]
fn a_node_that_closed_takes_nothing_new() {
    for closes in ["down n1", "drain n1", "node n1 ineligible", "node n1 suspect", "forget n1"] {
        check_late(TWO, &format!("node n2 mem=500\n{closes}"), "place web[0] on n2\nplace web[1] on n2");
    }
}

#[test]
fn a_node_that_is_full_by_now_takes_nothing_and_the_rest_is_taken() {
    check_late(
        "node n1 mem=200
         node n2 mem=250
         job web count=2 mem=200",
        "node n1 mem=100",
        "place web[0] on n2
         blocked web 1: memory 2",
    );
}

#[test]
fn all_at_once_takes_all_or_nothing() {
    check_late(
        "node n1 mem=200
         node n2 mem=250
         job web count=2 mem=200 all_at_once",
        "node n1 mem=100",
        "rejected: not all placements of an all_at_once job fit any more
         blocked web 2: memory 2",
    );
}

#[test]
fn what_stood_in_for_one_that_is_back_is_not_replaced() {
    let setup = "node n1
         node n2
         job web lost_after=1h reconcile=keep_original
         alloc web[0] on n1 running healthy
         run
         down n1
         run
         node n3
         down n2";
    let looks_again = "follow-up in 3600s for web[0]";
    check_late(setup, "", &format!("place web[0] on n3\n{looks_again}"));
    check_late(setup, "back n1\nreports n1", looks_again);
}

#[test]
fn what_ends_makes_no_room_before_it_is_gone() {
    let setup = "node n1 mem=1000
         job old mem=900
         alloc old[0] on n1 running
         run
         job web mem=500";
    check_late(setup, "stop old", "blocked web 1: memory 1\nstop old[0] on n1: job stopped");
    check_late(setup, "stop old\ngone old[0] on n1", "blocked web 1: memory 1\nplace web[0] on n1");
}

#[test]
fn what_was_gone_before_has_left_its_room() {
    check_late(
        "node n1 mem=1000
         job old type=batch mem=900
         alloc old[0] on n1 running
         run
         gone old[0] on n1
         run
         job web mem=500",
        "",
        "place web[0] on n1",
    );
}

#[test]
fn stops_are_taken_whatever_became_of_the_node() {
    for (closes, then) in [
        ("node n1 ineligible", ""),
        ("down n1", "blocked web 1: node down 1"),
        ("drain n1", "blocked web 1: node draining 1"),
    ] {
        check_late(
            "node n1
             job web count=2
             alloc web[0] on n1 running
             alloc web[1] on n1 running
             run
             job web count=1",
            closes,
            &format!("stop web[1] on n1: not needed\nin-place web[0]\n{then}"),
        );
    }
}

#[test]
fn what_is_updated_in_place_stays_on_a_node_that_closed() {
    check_late(
        "node n1
         job web
         alloc web[0] on n1 running
         run
         job web change=tags",
        "node n1 ineligible",
        "in-place web[0]",
    );
}

#[test]
fn a_successor_is_taken_in_the_room_of_what_it_succeeds() {
    check_late(
        "node n1 mem=1000
         job web mem=900
         alloc web[0] on n1 running
         run
         job web change=env",
        "",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0]",
    );
}
