//! Disks that an instance leaves behind, to which its successor comes back.

use scenarios::check;

/// An instance on the smaller of two nodes, of which the larger is the better one; at least one of both is named.
fn on_small(rules: &str, then: &str) -> String {
    format!(
        "node small cpu=1000 mem=1000
         node large cpu=4000 mem=8000
         job other cpu=500 mem=500
         alloc other[0] on large running healthy
         job web cpu=500 mem=500 {rules}
         alloc web[0] on small running healthy
         run
         {then}"
    )
}

#[test]
fn a_successor_comes_back_to_the_node_of_its_disk() {
    let update = "job web change=env affinity=\"100 ${node.unique.name} = large\"";
    check(&on_small("", update), "stop web[0] on small: updated\nplace web[0] on large");
    check(&on_small("sticky", update), "stop web[0] on small: updated\nplace web[0] on small after web[0]");
}

#[test]
fn what_failed_comes_back_to_its_disk_too() {
    let fails = "fails web[0] on small\nwait 30s";
    check(&on_small("reschedule=30s", fails), "place web[0] on large");
    check(&on_small("reschedule=30s sticky", fails), "place web[0] on small");
}

#[test]
fn a_disk_is_a_wish_and_no_condition() {
    let larger = "job web change=env cpu=2000";
    check(&on_small("sticky", larger), "stop web[0] on small: updated\nplace web[0] on large");
    let elsewhere = "job web constraint=\"${node.unique.name} = large\"";
    check(&on_small("sticky", elsewhere), "stop web[0] on small: updated\nplace web[0] on large");
    check(&on_small("sticky", "down small"), "place web[0] on large");
}

#[test]
fn every_instance_of_a_group_comes_back_to_its_own_disk() {
    check(
        "node n1
         node n2
         node n3
         job web count=3 sticky
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n2 running healthy
         run
         job web change=env",
        "stop web[0] on n1: updated
         stop web[1] on n1: updated
         stop web[2] on n2: updated
         place web[0] on n1 after web[0]
         place web[1] on n1 after web[1]
         place web[2] on n2 after web[2]",
    );
}
