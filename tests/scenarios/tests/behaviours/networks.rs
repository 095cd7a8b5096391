//! Ports on the networks of a node.

use scenarios::{check, check_late, check_why};

#[test]
fn a_port_is_published_on_the_network_that_it_names() {
    check(
        "node n1 network=lan:10.0.0.1
         job web port=8080@lan
         job api port=8080",
        "place web[0] on n1 with port 8080 at 10.0.0.1
         place api[0] on n1",
    );
}

#[test]
fn a_missing_network_is_a_reason() {
    check(
        "node n1
         node n2 network=lan:10.0.0.2
         job web count=2 port=80@lan",
        "place web[?] on n2 with port 80 at 10.0.0.2
         blocked web 1: missing host network lan 1, port 80 1",
    );
}

#[test]
fn networks_of_one_address_share_its_ports() {
    check(
        "node n1 network=lan:10.0.0.1 network=alias:10.0.0.1
         job web port=80@lan
         alloc web[0] on n1
         job api port=80@alias",
        "blocked api 1: port 80 1",
    );
    check(
        "node n1 network=lan:10.0.0.1 network=alias:10.0.0.1
         job web port=80@lan port=80@alias",
        "blocked web 1: port 80 1",
    );
    check(
        "node n1 address=10.0.0.1 network=lan:10.0.0.1
         job web port=80@lan port=80",
        "blocked web 1: port 80 1",
    );
}

#[test]
fn a_network_called_default_stands_for_the_nodes_own() {
    check(
        "node n1 network=default:10.0.0.7
         job web port=80",
        "place web[0] on n1 with port 80 at 10.0.0.7",
    );
}

#[test]
fn a_network_may_be_told_by_the_nodes_own_words() {
    let job = "job web port=\"80@${meta.front}\"";
    check(&format!("node n1 network=lan:10.0.0.1 front=lan\n{job}"), "place web[0] on n1 with port 80 at 10.0.0.1");
    check(&format!("node n1 network=lan:10.0.0.1 front=wan\n{job}"), "blocked web 1: missing host network wan 1");
    check(&format!("node n1 network=lan:10.0.0.1\n{job}"), "blocked web 1: missing host network ${meta.front} 1");
}

#[test]
fn dynamic_ports_are_counted_per_network() {
    check(
        "node n1 ports=20000-20001 network=lan:10.0.0.1
         job web dynamic_ports=2
         alloc web[0] on n1
         job api dynamic_ports=2@lan
         job db dynamic_ports=1",
        "place api[0] on n1 with port 20000 at 10.0.0.1 and port 20001 at 10.0.0.1
         blocked db 1: dynamic ports 1",
    );
}

#[test]
fn reserved_ports_of_a_node_hold_on_all_its_networks_and_those_of_a_network_on_it_alone() {
    check(
        "node n1 reserved_ports=22 network=lan:10.0.0.1:80
         job a port=22
         job b port=22@lan
         job c port=80@lan
         job d port=80",
        "place d[0] on n1
         blocked a 1: port 22 1
         blocked b 1: port 22 1
         blocked c 1: port 80 1",
    );
}

#[test]
fn reserved_ports_are_no_dynamic_ones() {
    check(
        "node n1 ports=20000-20003 reserved_ports=20000,20001 network=lan:10.0.0.1:20001,20002
         job web dynamic_ports=2
         job api dynamic_ports=2@lan",
        "place web[0] on n1
         blocked api 1: dynamic ports 1",
    );
}

#[test]
fn a_groups_own_static_port_is_no_dynamic_one() {
    check(
        "node n1 ports=20000-20001
         job web port=20000 dynamic_ports=2",
        "blocked web 1: dynamic ports 1",
    );
    check(
        "node n1 ports=20000-20002
         job web port=20000 dynamic_ports=2",
        "place web[0] on n1",
    );
}

#[test]
fn ports_that_may_collide_are_shared() {
    check(
        "node n1
         job web count=2 port=80 ignore_collision",
        "place web[0] on n1
         place web[1] on n1",
    );
}

#[test]
fn a_port_that_may_collide_needs_no_room_beside_dynamic_ones_of_which_it_is_one() {
    // The first plan does not know yet that 8080 is among those that `web` gets.
    check(
        "node n1 ports=8080-8083
         job web count=2 dynamic_ports=2
         group side port=8080 ignore_collision",
        "place web[0] on n1
         place web[1] on n1
         place web.side[0] on n1
         blocked web.side 1: dynamic ports 1",
    );
}

#[test]
fn a_port_is_taken_until_the_last_of_those_that_share_it_is_gone() {
    let shared = "node n1
        job web count=2 port=80 ignore_collision
        alloc web[0] on n1 running
        alloc web[1] on n1 running
        job web count=1
        run
        sweep
        job api port=80";
    check(shared, "blocked api 1: port 80 1");
    check(&format!("{shared}\nstop web\nrun\nsweep"), "place api[0] on n1");
}

#[test]
fn a_new_version_takes_over_the_port_on_its_network() {
    check(
        "node n1 network=lan:10.0.0.1
         job web port=80@lan
         alloc web[0] on n1 running
         job web change=env",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0] with port 80 at 10.0.0.1",
    );
}

#[test]
fn a_port_that_others_took_meanwhile_is_not_given_twice() {
    check_late(
        "node n1 network=lan:10.0.0.1
         job web port=80@lan",
        "job api port=80@lan
         alloc api[0] on n1",
        "blocked web 1: port 80 1",
    );
}

#[test]
fn why_names_the_network() {
    check_why(
        "node n1
         job web port=80@lan",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         1 nodes: 1 filtered, 0 exhausted, 0 fit
         n1: host network lan is missing
         hint: add one node of at least 100 MHz and 64 MiB, with host network lan",
    );
}
