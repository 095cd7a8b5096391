//! Instances that come back to the volumes that they had.

use scenarios::{check, check_wanted};

/// Two nodes with a volume of the same name; the instance has that of n1, which is the fuller one.
const AT_HOME: &str = "node n1
     node n2
     volume data on n1
     job web volume=data;sticky
     alloc web[0] on n1 healthy
     volume data on n2";

#[test]
fn an_instance_that_is_placed_anew_comes_back_to_its_volume() {
    check_wanted(&format!("{AT_HOME}\nstop web[0] on n1\nrun\nsweep"), "web", "web[0] on n1");
    check_wanted(&format!("{AT_HOME}\nrun\nstop web\nrun\nsweep\njob web"), "web", "web[0] on n1");
    check_wanted(&format!("{AT_HOME}\nrun\njob web change=env"), "web", "web[0] on n1");
}

#[test]
fn it_waits_where_its_node_takes_nobody_though_there_is_another_volume_of_the_name() {
    check(&format!("{AT_HOME}\ndown n1"), "blocked web 1: host volume data is claimed elsewhere 1, node down 1");
    check(
        &format!("{AT_HOME}\nineligible n1\nstop web[0] on n1"),
        "blocked web 1: host volume data is claimed elsewhere 1, node ineligible 1",
    );
}

#[test]
fn it_is_placed_as_soon_as_its_node_is_open_again() {
    check(&format!("{AT_HOME}\nineligible n1\nstop web[0] on n1\nrun\nsweep\neligible n1"), "place web[0] on n1");
}

#[test]
fn an_instance_whose_claim_was_dropped_may_go_elsewhere() {
    check(&format!("{AT_HOME}\nineligible n1\nstop web[0] on n1\nrun\nunclaim web[0]"), "place web[0] on n2");
}

#[test]
fn each_instance_has_its_own() {
    let setup = "node n1 cpu=150
         node n2 cpu=150
         volume data on n1
         volume data on n2
         job web count=2 volume=data;sticky
         alloc web[0] on n2
         alloc web[1] on n1";
    check_wanted(setup, "web", "web[0] on n2\nweb[1] on n1");
    check_wanted(&format!("{setup}\nrun\nstop web\nrun\nsweep\njob web count=2"), "web", "web[0] on n2\nweb[1] on n1");
}

#[test]
fn an_instance_that_had_none_takes_any() {
    check(&format!("{AT_HOME}\nrun\nineligible n1\njob web count=2"), "in-place web[0]\nplace web[1] on n2");
}

#[test]
fn a_job_that_was_purged_has_claimed_nothing() {
    check(
        &format!("{AT_HOME}\nrun\npurge web\nrun\nsweep\nineligible n1\njob web volume=data;sticky"),
        "place web[0] on n2",
    );
}

#[test]
fn what_is_made_anew_under_the_name_is_another_volume() {
    let gone = format!("{AT_HOME}\nrun\nstop web\nrun\nsweep\nineligible n1\ndelete data on n1");
    check(&format!("{gone}\njob web"), "place web[0] on n2");
}

#[test]
fn a_node_that_is_forgotten_takes_its_claims_along() {
    check(&format!("{AT_HOME}\ndown n1\nrun\nforget n1"), "place web[0] on n2");
}

#[test]
fn a_volume_of_the_configuration_may_be_sticky_too() {
    let setup = "node n1 volume=data
         job web volume=data;sticky
         alloc web[0] on n1 healthy
         node n2 volume=data";
    check_wanted(&format!("{setup}\nstop web[0] on n1\nrun\nsweep"), "web", "web[0] on n1");
    check(&format!("{setup}\ndown n1"), "blocked web 1: host volume data is claimed elsewhere 1, node down 1");
}

#[test]
fn of_several_sticky_volumes_all_must_be_where_they_were() {
    let setup = "node n1 volume=data volume=logs
         job web volume=data;sticky volume=logs;sticky
         alloc web[0] on n1 healthy
         node n2 volume=data volume=logs
         stop web[0] on n1
         run
         sweep";
    check_wanted(setup, "web", "web[0] on n1");
    check(
        "node n1 volume=data volume=logs
         job web volume=data;sticky volume=logs;sticky
         alloc web[0] on n1 healthy
         node n2 volume=data volume=logs
         node n1 volume=logs
         stop web[0] on n1",
        "blocked web 1: host volume data is claimed elsewhere 1, host volume logs is claimed elsewhere 1, missing host \
         volume data 1",
    );
}

#[test]
fn without_the_word_an_instance_goes_where_it_likes() {
    check(
        "node n1
         node n2
         volume data on n1
         job web volume=data
         alloc web[0] on n1 healthy
         volume data on n2
         down n1",
        "place web[0] on n2",
    );
}

#[test]
fn a_claim_that_was_made_since_the_plan_holds() {
    scenarios::check_late(
        &format!("{AT_HOME}\nrun\nstop web\nrun\nsweep\nunclaim web[0]\nineligible n1\njob web"),
        "eligible n1
         ineligible n2",
        "place web[0] on n1",
    );
}

#[test]
fn what_a_job_claimed_before_it_became_a_system_job_binds_it_to_nothing() {
    check(
        "node n1 volume=data
         node n2 volume=data
         job web volume=data;sticky
         alloc web[0] on n1
         run
         job web type=system dc=eu",
        "stop web[0] on n1: node unfit\nblocked web 1: datacenter 2",
    );
}
