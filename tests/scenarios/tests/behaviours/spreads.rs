//! Spreads: shares of values, even ones, several at once, and what wins against them.

use scenarios::{check, check_wanted};

#[test]
fn a_value_that_no_target_names_is_the_last_choice_when_they_leave_it_nothing() {
    // The large node is the best otherwise.
    check(
        "node n1 rack=r1 cpu=1000 mem=1000
         node n2 rack=r1 cpu=1000 mem=1000
         node n3 rack=r2 cpu=4000 mem=4000
         node n4 cpu=4000 mem=4000
         job web count=2 cpu=600 spread=rack:r1:100",
        "place web[?] on n1
         place web[?] on n2",
    );
}

#[test]
fn a_share_is_a_wish_and_no_condition() {
    check(
        "node n1 rack=r1 cpu=1000
         node n2 rack=r2
         node n3
         job web count=3 cpu=600 spread=rack:r1:100,r2:0",
        "place web[?] on n1
         place web[?] on n2
         place web[?] on n3",
    );
    check(
        "node n3
         job web count=2 spread=rack:r1:100",
        "place web[?] on n3
         place web[?] on n3",
    );
}

#[test]
fn shares_that_others_have_already_are_filled_up() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job web count=10 spread=rack:r1:80,r2:20
         alloc web[0] on n2 running
         alloc web[1] on n2 running
         alloc web[2] on n1 running",
        &"place web[?] on n1\n".repeat(7),
    );
}

#[test]
fn datacenters_have_their_shares() {
    // That of the smaller share has more room.
    check(
        "node n1 dc=here cpu=8000 mem=16000
         node n2 dc=there
         job web dc=* count=10 cpu=300 mem=100 spread=node.datacenter:here:30,there:70",
        &["place web[?] on n1\n".repeat(3), "place web[?] on n2\n".repeat(7)].concat(),
    );
}

#[test]
fn several_spreads_hold_at_once() {
    // Each of the nodes between lacks one of both; they are the better ones otherwise.
    check(
        "node n1 zone=z1 rack=r1
         node n2 zone=z1 rack=r2 cpu=8000 mem=16000
         node n3 zone=z2 rack=r1 cpu=8000 mem=16000
         node n4 zone=z2 rack=r2 cpu=1000 mem=1000
         job web count=2 spread=zone:z1:50,z2:50 spread=rack:r1:50,r2:50
         alloc web[0] on n1 running",
        "place web[1] on n4",
    );
}

#[test]
fn an_even_spread_prefers_the_value_with_the_fewest_whatever_the_others_have() {
    for (on_n1, on_n2, least) in [(1, 2, "n1"), (3, 2, "n2"), (0, 1, "n1"), (2, 0, "n2")] {
        let mut setup = format!("node n1 rack=r1\nnode n2 rack=r2\njob web count={} spread=rack\n", on_n1 + on_n2 + 1);
        for index in 0..on_n1 + on_n2 {
            let node = if index < on_n1 { "n1" } else { "n2" };
            setup += &format!("alloc web[{index}] on {node} running\n");
        }
        check(&setup, &format!("place web[{}] on {least}", on_n1 + on_n2));
    }
}

#[test]
fn a_node_without_the_attribute_is_the_last_choice_of_an_even_spread() {
    check(
        "node n1 rack=r1 cpu=1000 mem=1000
         node n2 cpu=8000 mem=16000
         job web count=2 cpu=400 mem=400 spread=rack",
        "place web[?] on n1
         place web[?] on n2",
    );
}

#[test]
fn an_even_spread_of_hundreds_fills_a_hundred_racks_alike() {
    let racks = 100;
    let nodes: Vec<_> = (0..2 * racks).map(|at| format!("node n{at} rack=r{}", at % racks)).collect();
    let setup = format!("{}\njob web count={} spread=rack\nrun", nodes.join("\n"), 5 * racks);
    // Each rack has five: no more of them fit under a limit of five, and no fewer are missing.
    check(
        &format!("{setup}\njob web count={} distinct_property=rack:5", 5 * racks),
        &"in-place web[?]\n".repeat(5 * racks),
    );
}

#[test]
fn an_even_spread_of_one_value_is_like_none() {
    check_wanted(
        "node n1 rack=r1
         job web count=3 spread=rack",
        "web",
        "web[0] on n1
         web[1] on n1
         web[2] on n1",
    );
}

#[test]
fn a_value_that_the_last_instance_leaves_and_no_other_can_come_to_is_not_spread_over_any_more() {
    // As soon as the first two have left r2 it could have none: r1 is all there is, and the others may stay there.
    let setup = "node n1 rack=r1
         node n2 rack=r2
         node n3
         job web count=4 spread=rack affinity=\"100 ${meta.rack} = r1\"
         alloc web[0] on n2 running
         alloc web[1] on n2 running
         alloc web[2] on n1 running
         alloc web[3] on n1 running
         ineligible n2
         run";
    check(
        &format!("{setup}\njob web change=env"),
        "stop web[0] on n2: updated
         stop web[1] on n2: updated
         stop web[2] on n1: updated
         stop web[3] on n1: updated
         place web[0] on n1
         place web[1] on n3
         place web[2] on n1 after web[2]
         place web[3] on n1 after web[3]",
    );
}
