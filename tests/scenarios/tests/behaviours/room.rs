//! Room: what fits, what is short of what, and what becomes of it when room appears.

use scenarios::check;

#[test]
fn exactly_all_of_a_node_may_be_used() {
    check(
        "node n1 cpu=800 mem=200
         job web count=2 cpu=400 mem=100",
        "place web[0] on n1
         place web[1] on n1",
    );
}

#[test]
fn memory_runs_out() {
    check(
        "node n1 mem=512
         node n2 mem=512
         node n3 mem=512
         job web count=4 mem=400",
        "place web[?] on n1
         place web[?] on n2
         place web[?] on n3
         blocked web 1: memory 3",
    );
}

#[test]
fn cpu_runs_out() {
    check(
        "node n1 cpu=500
         job web count=3 cpu=400",
        "place web[0] on n1
         blocked web 2: cpu 1",
    );
}

#[test]
fn disk_runs_out() {
    check(
        "node n1 disk=1000
         job web count=2 disk=600",
        "place web[0] on n1
         blocked web 1: disk 1",
    );
}

#[test]
fn memory_above_the_reservation_has_a_budget_of_its_own() {
    check(
        "node n1 mem=1000 memory_max=1500
         job web count=4 mem=100 memory_max=500",
        "place web[0] on n1
         place web[1] on n1
         place web[2] on n1
         blocked web 1: memory_max 1",
    );
}

#[test]
fn the_tasks_of_all_groups_share_the_nodes() {
    check(
        "node n1 cpu=1000 mem=1000
         job web count=1 cpu=600
         group api count=1 cpu=600",
        "place web[0] on n1
         blocked web.api 1: cpu 1",
    );
}

#[test]
fn all_at_once_is_all_or_nothing() {
    check(
        "node n1 cpu=1000
         job web count=3 cpu=400 all_at_once",
        "blocked web 3: cpu 1",
    );
    check(
        "node n1 cpu=1200
         job web count=3 cpu=400 all_at_once",
        "place web[0] on n1
         place web[1] on n1
         place web[2] on n1",
    );
}

#[test]
fn all_at_once_is_of_all_groups() {
    let job = "job web cpu=400 all_at_once\ngroup api count=2 cpu=400";
    check(&format!("node n1 cpu=1000\n{job}"), "blocked web.api 2: cpu 1\nheld back web 1");
    check(
        &format!("node n1 cpu=1200\n{job}"),
        "place web[0] on n1
         place web.api[0] on n1
         place web.api[1] on n1",
    );
}

#[test]
fn a_static_port_is_held_by_one() {
    check(
        "node n1
         node n2
         job web count=3 port=8080",
        "place web[?] on n1
         place web[?] on n2
         blocked web 1: port 8080 2",
    );
}

#[test]
fn a_static_port_of_another_job_is_taken() {
    check(
        "node n1
         job web port=8080
         alloc web[0] on n1 running
         job api port=8080",
        "blocked api 1: port 8080 1",
    );
}

#[test]
fn dynamic_ports_run_out() {
    check(
        "node n1 ports=20000-20004
         job web count=3 dynamic_ports=2",
        "place web[0] on n1
         place web[1] on n1
         blocked web 1: dynamic ports 1",
    );
}

#[test]
fn a_static_port_in_the_dynamic_range_uses_it_up() {
    check(
        "node n1 ports=20000-20001
         job web port=20000
         alloc web[0] on n1 running
         job api dynamic_ports=2",
        "blocked api 1: dynamic ports 1",
    );
}

#[test]
fn a_job_of_higher_priority_is_placed_first() {
    check(
        "node n1 cpu=500
         job low cpu=400 priority=20
         job high cpu=400 priority=80",
        "place high[0] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn what_is_told_to_stop_holds_its_room_until_it_is_gone() {
    let full = "node n1 mem=512
        job old mem=400
        alloc old[0] on n1 running
        job new mem=400
        run
        stop old";
    check(full, "stop old[0] on n1: job stopped");
    let gone = format!("{full}\nrun\ngone old[0] on n1");
    check(&gone, "place new[0] on n1");
}

#[test]
fn a_blocked_job_wakes_when_a_node_joins() {
    check(
        "node n1 mem=100
         job web count=2 mem=400
         run
         node n2 mem=512",
        "place web[?] on n2
         blocked web 1: memory 2",
    );
}

#[test]
fn a_blocked_job_wakes_when_a_node_is_open_again() {
    check(
        "node n1 down
         job web
         run
         back n1",
        "place web[0] on n1",
    );
}

#[test]
fn a_node_that_shrank_below_what_it_holds_takes_nothing_and_loses_nothing() {
    check(
        "node n1 cpu=1000
         job web count=1 cpu=800
         alloc web[0] on n1 running
         node n1 cpu=500
         job api cpu=100",
        "blocked api 1: cpu 1",
    );
}
