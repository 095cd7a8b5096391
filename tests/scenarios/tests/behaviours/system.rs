//! System jobs: one instance on every node that is open to them.

use scenarios::{check, check_drain};

#[test]
fn a_system_job_runs_on_every_eligible_node() {
    check(
        "node n1
         node n2
         node n3 ineligible
         node n4 down
         job agent type=system",
        "place agent[0] on n1
         place agent[0] on n2",
    );
}

#[test]
fn a_node_that_is_filtered_is_no_failure() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         node n3 dc=dc2
         job agent type=system dc=dc1 constraint=\"${meta.rack} = r1\"",
        "place agent[0] on n1",
    );
}

#[test]
fn a_node_without_the_driver_is_no_failure() {
    check(
        "node n1
         node n2 driver=docker
         job agent type=system",
        "place agent[0] on n1",
    );
}

#[test]
fn a_node_without_the_property_is_no_failure() {
    check(
        "node n1 rack=r1
         node n2
         job agent type=system distinct_property=rack",
        "place agent[0] on n1",
    );
}

#[test]
fn a_node_whose_driver_comes_gets_its_instance() {
    check(
        "node n1
         node n2 driver=docker
         job agent type=system
         run
         node n2 driver=fake",
        "place agent[0] on n2",
    );
}

#[test]
fn a_node_whose_driver_is_away_keeps_its_instance() {
    for change in ["", "job agent change=env"] {
        check(
            &format!(
                "node n1
                 job agent type=system
                 alloc agent[0] on n1 running
                 run
                 node n1 driver=docker
                 {change}"
            ),
            "",
        );
    }
}

#[test]
fn a_node_without_the_driver_of_a_new_version_loses_its_instance() {
    check(
        "node n1
         job agent type=system
         alloc agent[0] on n1 running
         node n2 driver=docker
         job agent driver=docker",
        "stop agent[0] on n1: node unfit
         place agent[0] on n2",
    );
}

#[test]
fn where_no_node_is_left_it_is_said_why() {
    check(
        "node n1 driver=docker
         node n2 rack=r2 ineligible
         job agent type=system constraint=\"${meta.rack} is_set\"",
        "blocked agent 1: ${meta.rack} is_set 1, missing driver fake 1, node ineligible 1",
    );
    check("job agent type=system", "blocked agent 1: ");
    check(
        "node n1
         job agent type=system
         alloc agent[0] on n1 running
         job agent driver=docker",
        "stop agent[0] on n1: node unfit
         blocked agent 1: missing driver docker 1",
    );
}

#[test]
fn finished_work_on_a_node_that_is_closed_lacks_nothing() {
    check(
        "node n1
         job tidy type=sysbatch
         alloc tidy[0] on n1 complete
         run
         node n1 ineligible
         job tidy",
        "",
    );
}

#[test]
fn where_a_node_comes_at_last_it_is_taken() {
    check(
        "node n1 driver=docker
         job agent type=system
         run
         node n2",
        "place agent[0] on n2",
    );
}

#[test]
fn a_node_that_is_full_is_one() {
    check(
        "node n1 mem=1000
         node n2 mem=100
         node n3 mem=100
         job agent type=system mem=200",
        "place agent[0] on n1
         blocked agent 2: memory 2",
    );
}

#[test]
fn a_node_that_joins_gets_its_instance() {
    check(
        "node n1
         job agent type=system
         alloc agent[0] on n1 running
         run
         node n2",
        "place agent[0] on n2",
    );
}

#[test]
fn a_node_that_no_longer_meets_the_conditions_loses_its_instance() {
    check(
        "node n1 rack=r1
         job agent type=system constraint=\"${meta.rack} = r1\"
         alloc agent[0] on n1 running
         run
         node n2 rack=r1
         node n1 rack=r2",
        "stop agent[0] on n1: node unfit
         place agent[0] on n2",
    );
}

#[test]
fn a_lost_node_moves_no_system_job() {
    check(
        "node n1
         node n2 down
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running",
        "",
    );
}

#[test]
fn without_an_update_block_a_system_job_changes_at_once() {
    check(
        "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         job agent change=env",
        "stop agent[0] on n1: updated
         stop agent[0] on n2: updated
         place agent[0] on n1 after agent[0]
         place agent[0] on n2 after agent[0]",
    );
}

#[test]
fn a_system_job_rolls_by_max_parallel() {
    check(
        "node n1
         node n2
         job agent type=system max_parallel=1
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         job agent change=env
         run
         gone agent[0] on n1",
        "held back agent 1",
    );
    check(
        "node n1
         node n2
         job agent type=system max_parallel=1
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         job agent change=env
         run
         gone agent[0] on n1
         healthy agent",
        "stop agent[0] on n2: updated
         place agent[0] on n2 after agent[0]",
    );
}

#[test]
fn a_failed_new_system_instance_holds_the_next_node_back() {
    check(
        "node n1
         node n2
         job agent type=system max_parallel=1
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         job agent change=env
         run
         gone agent[0] on n1
         fails agent[0] on n1",
        "follow-up in 30s for agent[0]
         held back agent 1",
    );
}

#[test]
fn a_new_system_instance_on_a_node_that_is_lost_or_closed_is_not_waited_for() {
    for gone in ["down n1", "fails agent[0] on n1\nnode n1 ineligible"] {
        check(
            &format!(
                "node n1
                 node n2
                 job agent type=system max_parallel=1
                 alloc agent[0] on n2 running
                 job agent change=env
                 alloc agent[0] on n1 pending
                 {gone}"
            ),
            "deployment begins
             stop agent[0] on n2: updated
             place agent[0] on n2 after agent[0]",
        );
    }
}

#[test]
fn an_unhealthy_new_system_instance_holds_the_next_node_back() {
    check(
        "node n1
         node n2
         job agent type=system max_parallel=1
         alloc agent[0] on n2 running
         job agent change=env
         alloc agent[0] on n1 running unhealthy",
        "deployment begins
         held back agent 1",
    );
}

#[test]
fn a_finished_sysbatch_instance_is_left_alone_and_the_rest_runs() {
    check(
        "node n1
         node n2
         job tidy type=sysbatch
         alloc tidy[0] on n1 complete",
        "place tidy[0] on n2",
    );
}

#[test]
fn a_failed_system_instance_is_tried_again_on_its_node() {
    check(
        "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 failed at=-10s
         alloc agent[0] on n2 running",
        "follow-up in 20s for agent[0]",
    );
}

#[test]
fn a_stopped_system_job_stops_everywhere() {
    check(
        "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         stop agent",
        "stop agent[0] on n1: job stopped
         stop agent[0] on n2: job stopped",
    );
}

#[test]
fn a_purged_system_job_stops_everywhere() {
    check(
        "node n1
         job agent type=system
         alloc agent[0] on n1 running
         run
         purge agent",
        "stop agent[0] on n1: job stopped",
    );
}

#[test]
fn a_system_instance_takes_over_what_needs_no_new_one() {
    check(
        "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         job agent change=tags",
        "in-place agent[0]
         in-place agent[0]",
    );
}

#[test]
fn a_datacenter_that_is_named_no_more_loses_its_instances() {
    check(
        "node n1 dc=dc1
         node n2 dc=dc2
         job agent type=system dc=dc1,dc2
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         job agent dc=dc1",
        "stop agent[0] on n2: node unfit
         in-place agent[0]",
    );
}

#[test]
fn a_node_with_too_little_disk_is_full() {
    check(
        "node n1 disk=1000
         job agent type=system disk=600
         group side disk=600",
        "place agent[0] on n1
         blocked agent.side 1: disk 1",
    );
}

#[test]
fn each_group_waits_for_the_nodes_that_are_full_for_it() {
    check(
        "node n1 mem=300
         node n2 mem=600
         job agent type=system mem=200
         group side mem=200",
        "place agent[0] on n1
         place agent[0] on n2
         place agent.side[0] on n2
         blocked agent.side 1: memory 1",
    );
}

#[test]
fn a_node_that_joins_and_meets_the_constraint_gets_its_instance_and_no_other_changes() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job agent type=system constraint=\"${meta.rack} = r1\"
         alloc agent[0] on n1 running
         run
         node n3 rack=r1
         node n4 rack=r2",
        "place agent[0] on n3",
    );
}

#[test]
fn a_node_that_changes_without_meaning_to_the_job_changes_nothing() {
    check(
        "node n1
         job agent type=system
         alloc agent[0] on n1 running
         run
         node n1 rack=r9",
        "",
    );
}

#[test]
fn a_node_that_closes_keeps_its_instance_and_lacks_nothing() {
    check(
        "node n1
         job agent type=system
         alloc agent[0] on n1 running
         run
         node n1 ineligible
         job agent",
        "",
    );
}

#[test]
fn a_closed_node_is_not_updated_until_it_opens() {
    let setup = "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         node n1 ineligible
         job agent change=env";
    check(setup, "stop agent[0] on n2: updated\nplace agent[0] on n2 after agent[0]");
    check(
        &format!("{setup}\nrun\neligible n1"),
        "stop agent[0] on n1: updated
         place agent[0] on n1 after agent[0]",
    );
}

#[test]
fn a_draining_node_ends_its_instance_when_nothing_else_is_left_there() {
    let alone = "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         drain n1";
    check(alone, "");
    check_drain(alone, "n1", "agent[0] stopping: waits until its containers are gone");
    let beside = "node n1
         node n2
         job web
         alloc web[0] on n1 running healthy
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         drain n1";
    check_drain(
        beside,
        "n1",
        "agent[0] waiting: system jobs stop last
         web[0] migrating: replacement pending on n2",
    );
}

#[test]
fn a_draining_node_that_is_lost_too_places_nothing_elsewhere() {
    check(
        "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         drain n1
         down n1",
        "",
    );
}

#[test]
fn a_draining_node_is_none_of_a_new_job() {
    check(
        "node n1
         node n2
         drain n2
         job agent type=system",
        "place agent[0] on n1",
    );
}

#[test]
fn an_instance_on_a_node_that_is_out_of_contact_stays_when_it_is_back() {
    for rules in ["", "lost_after=30s", "lost_after=30s keep"] {
        check(
            &format!(
                "node n1
                 node n2
                 job agent type=system {rules}
                 alloc agent[0] on n1 running
                 alloc agent[0] on n2 running
                 run
                 down n1
                 run
                 wait 60s
                 back n1"
            ),
            "",
        );
    }
}

#[test]
fn an_instance_that_a_person_stops_comes_back_on_its_node() {
    check(
        "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         stop agent[0] on n1",
        "place agent[0] on n1",
    );
}

#[test]
fn a_node_that_is_forgotten_takes_its_instance_with_it() {
    check(
        "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         down n1
         run
         forget n1",
        "",
    );
}
