//! What the reference model and the long stories found: each the shortest story that showed it.

use scenarios::check;

/// High work that waits for room which comes on n1, though it could take that of low work on n2.
const WAITS: &str = "scheduler preempt
     node n1 cpu=1000 rack=r1
     node n2 cpu=1000 rack=r2
     job old cpu=600 priority=80
     alloc old[0] on n1 running
     job low cpu=1000 priority=20
     alloc low[0] on n2 running
     stop old
     run
     job high cpu=800 priority=80
     run";

#[test]
fn who_waits_for_room_that_goes_to_lower_work_takes_that_of_others() {
    check(
        &format!("{WAITS}\njob small cpu=300 priority=20 constraint=\"${{meta.rack}} = r1\""),
        "place small[0] on n1
         place high[0] on n2 after low[0]
         preempt low[0] on n2
         blocked low 1: cpu 2",
    );
}

#[test]
fn who_waits_for_room_on_a_node_that_closes_takes_that_of_others() {
    let taken = "place high[0] on n2 after low[0]
         preempt low[0] on n2
         blocked low 1: cpu 2";
    for closes in ["ineligible n1", "drain n1"] {
        let reason = if closes == "drain n1" { "node draining" } else { "node ineligible" };
        check(&format!("{WAITS}\n{closes}"), &format!("{taken}, {reason} 1"));
    }
}

#[test]
fn who_waits_for_room_that_goes_to_another_group_of_the_same_plan_is_looked_at_again() {
    check(
        "scheduler preempt
         node n1 cpu=1000 rack=r1
         node n2 cpu=1000 rack=r2
         job old cpu=600 priority=80
         alloc old[0] on n1 running
         job low cpu=1000 priority=20
         alloc low[0] on n2 running
         stop old
         run
         job high cpu=800 priority=80
         group side cpu=300 constraint=\"${meta.rack} = r1\"",
        "place high.side[0] on n1
         blocked high 1: cpu 2
         place high[0] on n2 after low[0]
         preempt low[0] on n2
         blocked low 1: cpu 2",
    );
}

#[test]
fn an_instance_that_failed_is_no_sibling_on_its_node() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job web count=2 affinity=\"-100 ${meta.rack} = r2\" reschedule=5s
         alloc web[0] on n1 failed
         alloc web[1] on n1 running",
        "place web[0] on n2",
    );
}

#[test]
fn no_dynamic_port_is_one_that_the_same_plan_asks_for() {
    check(
        "node n1 ports=20000-20001
         job web dynamic_ports=1
         group side port=20000",
        "place web[0] on n1
         place web.side[0] on n1",
    );
}

#[test]
fn a_static_port_of_the_range_is_no_more_to_be_had_when_dynamic_ones_take_all() {
    check(
        "node n1 ports=20000-20001
         job web count=2 dynamic_ports=1
         group side port=20000",
        "place web[0] on n1
         place web[1] on n1
         blocked web.side 1: dynamic ports 1",
    );
}

#[test]
fn a_port_that_others_share_with_a_predecessor_is_not_inherited() {
    check(
        "node n1
         job one port=8080
         alloc one[0] on n1 running
         job two port=8080 ignore_collision
         alloc two[0] on n1 running
         run
         job two port=8080",
        "blocked two 1: port 8080 1",
    );
}

#[test]
fn a_node_that_changes_gives_its_property_back_to_others() {
    check(
        "node n1 rack=r0
         node n2 rack=r0
         job web count=2 distinct_property=rack
         alloc web[0] on n1 running
         run
         node n1 rack=r1",
        "place web[1] on n2",
    );
}

#[test]
fn a_closed_node_that_changes_gives_its_property_back_too() {
    check(
        "node n1 rack=r0
         node n2 rack=r0
         job web count=2 distinct_property=rack
         alloc web[0] on n1 running
         run
         ineligible n1
         node n1 rack=r1",
        "place web[1] on n2",
    );
}

#[test]
fn a_closed_node_that_changes_loses_the_system_work_that_has_no_place_there() {
    check(
        "node n1 rack=r1
         job agent type=system constraint=\"${meta.rack} = r1\"
         run
         ineligible n1
         node n1 rack=r2",
        "stop agent[0] on n1: node unfit
         blocked agent 1: ${meta.rack} = r1 1, node ineligible 1",
    );
}

#[test]
fn a_node_that_was_opened_while_it_drained_takes_system_work_when_it_is_drained() {
    check(
        "node n1
         job agent type=system
         run
         drain n1
         run
         eligible n1
         sweep
         watch",
        "place agent[0] on n1",
    );
}

#[test]
fn in_the_place_of_a_canary_that_ended_comes_a_canary() {
    check(
        "node n1
         job agent type=system
         alloc agent[0] on n1 running
         run
         job agent change=env max_parallel=2 canary=50
         run
         sweep
         node n2
         run
         healthy agent
         run
         gone agent[0] on n1
         run
         wait 30s",
        "canary agent[0] on n1
         held back agent 1",
    );
}

#[test]
fn a_rollout_begins_when_every_group_has_its_canaries() {
    check(
        "node n1
         job agent type=system max_parallel=1 canary=50
         group side max_parallel=1
         run
         job agent change=env",
        "deployment cancelled
         in-place agent.side[0]
         held back agent 1",
    );
}

#[test]
fn what_ends_now_holds_no_rollout_back_for_canaries() {
    check(
        "node n1 volume=data
         node n2
         job agent type=system max_parallel=1 canary=50
         alloc agent[0] on n1 failed at=-1s
         alloc agent[0] on n2 running
         run
         job agent change=env volume=data",
        "deployment begins
         stop agent[0] on n2: node unfit
         place agent[0] on n1",
    );
}

#[test]
fn one_that_stands_in_goes_on_for_the_first_when_the_one_between_is_stopped() {
    check(
        "node n1
         job web
         run
         node n2
         drain n1
         run
         node n3
         down n2
         run
         stop web[0] on n2",
        "",
    );
}

#[test]
fn a_node_has_one_instance_of_a_job_that_became_a_system_job() {
    check(
        "node n1
         job web count=2
         run
         job web type=system",
        "stop web[?] on n1: not needed
         in-place web[?]",
    );
}

#[test]
fn one_whose_node_suits_again_is_updated_where_it_is_though_others_of_its_job_are_blocked() {
    check(
        "node n1 disk=100 rack=r1
         job web count=0 disk=200
         group side count=1 disk=0
         group third count=3 disk=0 max_parallel=1 constraint=\"${meta.rack} regexp ^r[01]$\" distinct_hosts
         run
         node n1 disk=100
         job web count=1
         run
         node n1 disk=100 rack=r0",
        "in-place web.third[0]
         blocked web.third 2: distinct_hosts 1
         blocked web 1: disk 1",
    );
}
