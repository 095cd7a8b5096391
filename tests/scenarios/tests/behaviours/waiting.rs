//! Blocked work: woken by exactly what it lacks, in order of priority and age, and by nothing else. Who is woken is planned,
//! and says so if it is blocked again; so where nothing is expected, nobody was.

use scenarios::{check, check_late};

#[test]
fn room_on_a_node_that_can_not_take_the_group_wakes_nobody() {
    for asks in ["driver=docker", "constraint=\"${meta.rack} = r1\"", "dc=dc2", "pool=gpu", "port=8080"] {
        check(
            &format!(
                "node n1
                 job old mem=8000
                 alloc old[0] on n1 running
                 job ports port=8080
                 alloc ports[0] on n1 running
                 job web mem=200 {asks}
                 run
                 stop old
                 run
                 gone old[0] on n1"
            ),
            "",
        );
    }
}

#[test]
fn a_constraint_that_a_node_meets_at_last_wakes_what_waits_for_it() {
    check(
        "node n1 rack=r2
         job web constraint=\"${meta.rack} = r1\"
         run
         node n1 rack=r1",
        "place web[0] on n1",
    );
    check(
        "node n1 rack=r2
         job web constraint=\"${meta.rack} = r1\"
         run
         node n1 rack=r3",
        "",
    );
}

#[test]
fn a_driver_that_comes_wakes_what_waits_for_it() {
    check(
        "node n1 driver=docker
         job web
         run
         node n1 driver=fake",
        "place web[0] on n1",
    );
}

#[test]
fn a_port_that_is_given_back_wakes_who_asks_for_it_and_no_other() {
    check(
        "node n1
         job old port=8080
         alloc old[0] on n1 running
         job web port=8080
         job api port=9090 constraint=\"${meta.rack} is_set\"
         run
         stop old
         run
         gone old[0] on n1",
        "place web[0] on n1",
    );
}

#[test]
fn dynamic_ports_that_are_given_back_wake_who_asks_for_as_many() {
    let setup = "node n1 ports=20000-20002
         job old dynamic_ports=1
         alloc old[0] on n1 running
         job other dynamic_ports=1
         alloc other[0] on n1 running";
    check(&format!("{setup}\njob web dynamic_ports=2\nrun\nstop old\nrun\ngone old[0] on n1"), "place web[0] on n1");
    check(&format!("{setup}\njob web dynamic_ports=3\nrun\nstop old\nrun\ngone old[0] on n1"), "");
}

#[test]
fn the_budget_above_the_reservation_wakes_who_lacks_it() {
    check(
        "node n1 mem=1000 memory_max=1000
         job old mem=100 memory_max=800
         alloc old[0] on n1 running
         job web mem=100 memory_max=600
         run
         stop old
         run
         gone old[0] on n1",
        "place web[0] on n1",
    );
}

#[test]
fn too_little_room_wakes_nobody() {
    check(
        "node n1 mem=1000
         job old count=1 mem=100
         alloc old[0] on n1 running
         job rest mem=850
         alloc rest[0] on n1 running
         job web mem=200
         run
         stop old
         run
         gone old[0] on n1",
        "",
    );
}

#[test]
fn the_decision_to_stop_wakes_nobody_only_its_end_does() {
    let setup = "node n1 mem=1000
         job old mem=1000
         alloc old[0] on n1 running
         job web mem=200
         run
         stop old";
    check(setup, "stop old[0] on n1: job stopped");
    check(&format!("{setup}\nrun\ngone old[0] on n1"), "place web[0] on n1");
}

#[test]
fn one_slot_goes_to_the_highest_priority_and_then_to_the_oldest_and_wakes_no_other() {
    let setup = "node n1 mem=1000
         job old mem=1000
         alloc old[0] on n1 running
         job low priority=10 mem=600
         job first mem=600
         job second mem=600
         job high priority=80 mem=600
         run
         stop old
         run
         gone old[0] on n1";
    check(setup, "place high[0] on n1");
    check(&setup.replace("job high priority=80 mem=600", ""), "place first[0] on n1");
}

#[test]
fn who_waits_longer_comes_before_a_job_that_is_registered_as_room_appears() {
    check(
        "node n1 mem=1000
         job old mem=1000
         alloc old[0] on n1 running
         job web mem=600
         run
         stop old
         run
         gone old[0] on n1
         job new mem=600",
        "place web[0] on n1
         blocked new 1: memory 1",
    );
}

#[test]
fn a_job_of_a_higher_priority_comes_before_who_waits() {
    check(
        "node n1 mem=1000
         job old mem=1000
         alloc old[0] on n1 running
         job web mem=600
         run
         stop old
         run
         gone old[0] on n1
         job new priority=80 mem=600",
        "place new[0] on n1",
    );
}

#[test]
fn room_for_the_smaller_wakes_the_smaller_behind_the_larger() {
    check(
        "node n1 mem=1000
         job old mem=300
         alloc old[0] on n1 running
         job rest mem=700
         alloc rest[0] on n1 running
         job large priority=80 mem=900
         job small mem=200
         run
         stop old
         run
         gone old[0] on n1",
        "place small[0] on n1",
    );
}

#[test]
fn as_many_are_woken_as_there_is_room_for() {
    check(
        "node n1 mem=1000
         job old mem=1000
         alloc old[0] on n1 running
         job a mem=300
         job b mem=300
         job c mem=300
         job d mem=300
         run
         stop old
         run
         gone old[0] on n1",
        "place a[0] on n1
         place b[0] on n1
         place c[0] on n1",
    );
}

#[test]
fn who_finds_room_for_a_part_goes_on_waiting_for_the_rest() {
    check(
        "node n1 mem=500
         job web count=3 mem=400
         run
         node n2 mem=500",
        "place web[1] on n2
         blocked web 1: memory 2",
    );
}

#[test]
fn room_that_appears_while_a_plan_is_made_is_not_missed() {
    check_late(
        "node n1 mem=1000
         job old mem=1000
         alloc old[0] on n1 running
         run
         stop old
         run
         job web mem=600",
        "gone old[0] on n1",
        "blocked web 1: memory 1
         place web[0] on n1",
    );
}

#[test]
fn a_node_that_joins_while_a_plan_is_made_is_not_missed() {
    check_late("node n1 mem=100\njob web mem=600", "node n2", "blocked web 1: memory 1\nplace web[0] on n2");
}

#[test]
fn what_a_plan_has_seen_wakes_nobody_afterwards() {
    check(
        "node n1 mem=100
         node n2 mem=100
         job web mem=600
         run",
        "",
    );
}

#[test]
fn a_node_that_opens_again_wakes_who_waits() {
    for (closes, opens) in [("drain n1", "undrain n1"), ("down n1", "back n1")] {
        check(
            &format!(
                "node n1
                 {closes}
                 job web
                 run
                 {opens}"
            ),
            "place web[0] on n1",
        );
    }
}

#[test]
fn what_ends_on_a_closed_node_wakes_nobody_until_it_opens() {
    let setup = "node n1 mem=1000
         job old mem=1000
         alloc old[0] on n1 running
         job web mem=600
         drain n1
         run
         stop old
         run
         gone old[0] on n1";
    check(setup, "");
    check(&format!("{setup}\nrun\nundrain n1"), "place web[0] on n1");
}

#[test]
fn who_is_blocked_by_its_own_instances_waits_for_one_of_them() {
    let setup = "node n1
         job web count=2 distinct_hosts
         run
         job old
         run
         stop old
         run";
    check(&format!("{setup}\ngone old[0] on n1"), "");
    check(&format!("{setup}\nnode n2"), "place web[1] on n2");
    let setup = "node n1 rack=r1
         node n2 rack=r1
         job web count=2 distinct_property=rack
         run";
    check(&format!("{setup}\nnode n3 rack=r1"), "");
    check(&format!("{setup}\nnode n3 rack=r2"), "place web[1] on n3");
}

#[test]
fn a_newer_evaluation_of_a_job_stands_for_the_one_that_waits() {
    check(
        "node n1 mem=500
         job web mem=600
         run
         job web mem=400",
        "place web[0] on n1",
    );
    check(
        "node n1 mem=500
         job web mem=600
         run
         job web mem=700
         run
         node n2 mem=650",
        "",
    );
}

#[test]
fn a_job_that_was_stopped_waits_for_nothing() {
    check(
        "node n1 mem=500
         job web mem=600
         run
         stop web
         run
         node n2",
        "",
    );
}

#[test]
fn a_full_node_of_a_system_job_is_waited_for_by_itself() {
    let setup = "node n1 mem=1000
         node n2 mem=1000
         job old count=2 mem=900 distinct_hosts
         alloc old[0] on n1 running
         alloc old[1] on n2 running
         job agent type=system mem=200
         job small mem=50
         alloc small[0] on n2 running
         run";
    check(&format!("{setup}\nstop small\nrun\ngone small[0] on n2"), "");
    check(
        &format!("{setup}\nstop old\nrun\ngone old[1] on n2"),
        "place agent[0] on n2
         blocked agent 1: memory 1",
    );
}

/// `high` waits on n1 for the room of `old`, which ends, rather than take that of `low`.
const COMING: &str = "scheduler preempt
     node n1 rack=r1
     node n2 rack=r1
     job old cpu=4000 mem=100 priority=80
     alloc old[0] on n1 running healthy
     job low cpu=4000 mem=100 priority=20
     alloc low[0] on n2 running healthy
     stop old
     run
     job high cpu=4000 mem=100 priority=80 constraint=\"${meta.rack} = r1\"
     run";

/// What happens where the room of `old` will not come; `low` lacks `lacked`.
fn takes_other_room(lacked: &str) -> String {
    format!(
        "place high[0] on n2 after low[0]
         preempt low[0] on n2
         blocked low 1: {lacked}"
    )
}

#[test]
fn who_waits_for_room_that_comes_takes_it_when_it_has_come() {
    check(&format!("{COMING}\ngone old[0] on n1"), "place high[0] on n1");
}

#[test]
fn who_waits_for_room_on_a_node_takes_that_of_lower_work_when_the_node_closes() {
    for (closes, is_closed) in [("drain n1", "node draining"), ("down n1", "node down")] {
        check(&format!("{COMING}\n{closes}"), &takes_other_room(&format!("cpu 2, {is_closed} 1")));
    }
}

#[test]
fn who_waits_for_room_on_a_node_takes_that_of_lower_work_when_the_node_changes_and_will_not_do() {
    check(&format!("{COMING}\nnode n1 rack=r2"), &takes_other_room("cpu 2"));
}

#[test]
fn who_waits_for_room_on_a_node_goes_on_waiting_when_the_node_changes_and_will_do() {
    check(&format!("{COMING}\nnode n1 rack=r1 cpu=4001"), "blocked high 1: cpu 2");
}

#[test]
fn an_instance_that_its_node_was_in_the_way_of_is_updated_when_the_node_changes_though_it_takes_nothing_new() {
    let setup = "node n1 rack=r0
         job web count=2 constraint=\"${meta.rack} != r1\"
         run
         node n1 rack=r1
         job web count=1
         run";
    check(&format!("{setup}\nineligible n1\nrun\nnode n1 rack=r0"), "in-place web[0]");
    check(&format!("{setup}\nineligible n1\nrun\nnode n1 rack=r1 mem=9000"), "");
}
