//! Volumes of the host.

use scenarios::{check, check_why};

#[test]
fn a_group_runs_where_its_volume_is() {
    check(
        "node n1
         node n2 volume=data
         job web volume=data",
        "place web[0] on n2",
    );
}

#[test]
fn a_missing_volume_is_a_reason() {
    check(
        "node n1 volume=other
         node n2
         job web volume=data",
        "blocked web 1: missing host volume data 2",
    );
}

#[test]
fn all_volumes_of_a_group_must_be_there() {
    check(
        "node n1 volume=data
         node n2 volume=data volume=certs:ro
         job web volume=data volume=certs:ro",
        "place web[0] on n2",
    );
}

#[test]
fn a_volume_that_can_not_be_written_is_for_readers() {
    check(
        "node n1 volume=certs:ro
         job web volume=certs
         job api volume=certs:ro",
        "place api[0] on n1
         blocked web 1: read-only host volume certs 1",
    );
}

#[test]
fn many_instances_may_share_a_volume() {
    check(
        "node n1 volume=data
         job web count=2 volume=data",
        "place web[0] on n1
         place web[1] on n1",
    );
}

#[test]
fn why_names_the_volume() {
    check_why(
        "node n1
         node n2 volume=data:ro
         job web volume=data",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         2 nodes: 2 filtered, 0 exhausted, 0 fit
         n1: host volume data is missing
         n2: host volume data is read-only
         hint: let host volume data be only read: fits 1 node
         hint: add one node of at least 100 MHz and 64 MiB, with host volume data, host volume data to be written",
    );
}

#[test]
fn a_volume_that_an_operator_adds_opens_the_node() {
    check(
        "node n1
         job web volume=data
         run
         node n1 volume=data",
        "place web[0] on n1",
    );
}

#[test]
fn a_system_job_runs_where_its_volume_is_and_ends_where_it_is_no_more() {
    let setup = "node n1 volume=data
        node n2
        job web type=system volume=data";
    check(setup, "place web[0] on n1");
    check(&format!("{setup}\nnode n3 volume=data\nrun\nnode n1"), "stop web[0] on n1: node unfit");
}
