//! Work of a higher priority takes the room of other work where it must, and nothing ends in vain.

use scenarios::{check, check_dry_run, check_late};

/// A full node with work of priority 20, and `job`, which finds no room.
fn full(scheduler: &str, job: &str) -> String {
    format!(
        "scheduler {scheduler}
         node n1 cpu=1000 mem=1000
         job low count=2 cpu=500 mem=100 priority=20
         alloc low[0] on n1 running healthy
         alloc low[1] on n1 running healthy
         {job}"
    )
}

#[test]
fn a_service_waits_where_preemption_is_for_system_jobs_alone() {
    check(&full("", "job high cpu=500 priority=80"), "blocked high 1: cpu 1");
}

#[test]
fn a_system_job_takes_the_room_of_lower_work() {
    check(
        &full("", "job high type=system cpu=500 priority=80"),
        "place high[0] on n1 after low[?]
         preempt low[?] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn a_service_takes_room_where_it_may() {
    check(
        &full("preempt", "job high cpu=500 priority=80"),
        "place high[?] on n1 after low[?]
         preempt low[?] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn a_batch_job_takes_room_where_it_may() {
    check(
        &full("preempt", "job high type=batch cpu=500 priority=80"),
        "place high[?] on n1 after low[?]
         preempt low[?] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn what_is_preempted_goes_where_there_is_room() {
    check(
        "scheduler preempt
         node n1 cpu=1000 gpu=yes
         node n2 cpu=600
         job low cpu=600 priority=20
         alloc low[0] on n1 running healthy
         job high cpu=800 priority=80 constraint=\"${meta.gpu} = yes\"",
        "place high[0] on n1 after low[0]
         preempt low[0] on n1
         place low[0] on n2",
    );
}

#[test]
fn a_priority_that_is_ten_higher_is_high_enough_and_nine_is_not() {
    check(&full("preempt", "job high cpu=500 priority=29"), "blocked high 1: cpu 1");
    check(
        &full("preempt", "job high cpu=500 priority=30"),
        "place high[?] on n1 after low[?]
         preempt low[?] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn no_more_ends_than_is_needed() {
    check(
        &full("preempt", "job high cpu=1000 priority=80"),
        "place high[?] on n1 after low[?] after low[?]
         preempt low[?] on n1
         preempt low[?] on n1
         blocked low 2: cpu 1",
    );
}

#[test]
fn nothing_ends_where_all_of_it_would_not_be_enough() {
    check(&full("preempt", "job high cpu=1001 priority=80"), "blocked high 1: cpu 1");
}

#[test]
fn the_lowest_priority_on_all_nodes_makes_way() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         node n2 cpu=1000
         node n3 cpu=1000
         job a cpu=1000 priority=40
         alloc a[0] on n1 running healthy
         job b cpu=1000 priority=20
         alloc b[0] on n2 running healthy
         job c cpu=1000 priority=30
         alloc c[0] on n3 running healthy
         job high cpu=700 priority=80",
        "place high[0] on n2 after b[0]
         preempt b[0] on n2
         blocked b 1: cpu 3",
    );
}

#[test]
fn one_makes_way_rather_than_two_of_the_same_priority() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         node n2 cpu=1000
         job two count=2 cpu=500 priority=20
         alloc two[0] on n1 running healthy
         alloc two[1] on n1 running healthy
         job one cpu=1000 priority=20
         alloc one[0] on n2 running healthy
         job high cpu=900 priority=80",
        "place high[0] on n2 after one[0]
         preempt one[0] on n2
         blocked one 1: cpu 2",
    );
}

#[test]
fn a_group_of_which_enough_are_away_is_spared() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         node n2 cpu=1000
         job low count=2 cpu=1000 priority=20
         alloc low[0] on n1 running healthy
         alloc low[1] on n2 running healthy
         job first cpu=1000 priority=80
         run
         node n3 cpu=1000
         job other cpu=1000 priority=20
         alloc other[0] on n3 running healthy
         job second cpu=1000 priority=80 constraint=\"${node.unique.name} != n1\"",
        "place second[0] on n3 after other[0]
         preempt other[0] on n3
         blocked other 1: cpu 3",
    );
}

#[test]
fn room_that_comes_free_anyway_is_waited_for() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         node n2 cpu=1000
         job low cpu=1000 priority=20
         alloc low[0] on n1 running healthy
         job old cpu=1000 priority=20
         alloc old[0] on n2 running healthy
         stop old
         run
         job high cpu=1000 priority=80",
        "blocked high 1: cpu 2",
    );
}

#[test]
fn a_large_victim_makes_room_for_two() {
    let full = "scheduler preempt
         node n1 cpu=1000
         job low cpu=1000 priority=20
         alloc low[0] on n1 running healthy
         job high count=2 cpu=500 priority=80";
    check(
        full,
        "place high[?] on n1 after low[?]
         preempt low[?] on n1
         blocked high 1: cpu 1
         blocked low 1: cpu 1",
    );
    check(
        &format!("{full}\nrun\nsweep"),
        "place high[?] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn work_of_the_same_job_never_makes_way() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         job web cpu=1000 priority=80
         group api cpu=1000",
        "place web[0] on n1
         blocked web.api 1: cpu 1",
    );
}

#[test]
fn who_holds_a_static_port_makes_way() {
    check(
        "scheduler preempt
         node n1
         job low port=8080 priority=20
         alloc low[0] on n1 running healthy
         job other cpu=100 priority=10
         alloc other[0] on n1 running healthy
         job high port=8080 priority=80",
        "place high[0] on n1 after low[0]
         preempt low[0] on n1
         blocked low 1: port 8080 1",
    );
}

#[test]
fn a_port_that_work_of_high_priority_holds_stays_taken() {
    check(
        "scheduler preempt
         node n1
         job peer port=8080 priority=80
         alloc peer[0] on n1 running healthy
         job high port=8080 priority=80",
        "blocked high 1: port 8080 1",
    );
}

#[test]
fn memory_makes_way_where_memory_is_short() {
    check(
        "scheduler preempt
         node n1 cpu=4000 mem=1000
         job thin cpu=3000 mem=100 priority=20
         alloc thin[0] on n1 running healthy
         job wide cpu=100 mem=900 priority=20
         alloc wide[0] on n1 running healthy
         job high cpu=500 mem=800 priority=80",
        "place high[0] on n1 after wide[0]
         preempt wide[0] on n1
         blocked wide 1: memory 1",
    );
}

#[test]
fn a_job_that_wants_all_or_nothing_ends_nobody_for_a_part() {
    check(&full("preempt", "job high count=3 cpu=500 priority=80 all_at_once"), "blocked high 3: cpu 1");
}

#[test]
fn an_update_leaves_others_alone() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         job high cpu=500 priority=80 max_parallel=1
         alloc high[0] on n1 running healthy
         job low cpu=500 priority=20
         alloc low[0] on n1 running healthy
         job high cpu=900",
        "deployment begins
         blocked high 1: cpu 1",
    );
}

#[test]
fn what_a_victim_waits_for_is_waited_for_by_what_preempts_it() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         job low cpu=1000 priority=20 max_parallel=1
         alloc low[0] on n1 running healthy
         job low change=env
         run
         job high cpu=1000 priority=80",
        "place high[0] on n1 after low[0] after low[0]
         preempt low[0] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn who_waits_is_tried_when_preemption_is_allowed() {
    check(
        "node n1 cpu=1000 mem=1000
         job low count=2 cpu=500 mem=100 priority=20
         run
         job high cpu=500 mem=100 priority=80
         run
         scheduler preempt",
        "place high[?] on n1 after low[?]
         preempt low[?] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn a_little_room_may_be_what_was_missing_beside_that_of_lower_work() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         job low cpu=700 priority=20
         alloc low[0] on n1 running healthy
         job peer cpu=200 priority=80
         alloc peer[0] on n1 running healthy
         job high cpu=900 priority=80
         run
         stop peer
         run
         gone peer[0] on n1",
        "place high[0] on n1 after low[0]
         preempt low[0] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn who_waits_is_tried_when_the_priority_of_other_work_falls() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         job low cpu=1000 priority=75
         run
         job high cpu=500 priority=80
         run
         job low priority=20",
        "in-place low[0]
         place high[0] on n1 after low[0]
         preempt low[0] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn a_sysbatch_job_takes_room_where_it_may() {
    let job = "job high type=sysbatch cpu=500 priority=80";
    check(&full("", job), "blocked high 1: cpu 1");
    check(
        &full("preempt", job),
        "place high[0] on n1 after low[?]
         preempt low[?] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn a_system_job_takes_the_port_and_the_room_of_lower_work_on_every_node_that_is_full() {
    check(
        "node n1 cpu=1000
         node n2 cpu=1000
         node n3 cpu=1000
         job low cpu=500 priority=20 port=8080
         alloc low[0] on n1 running healthy
         job batch type=batch count=1 cpu=800 priority=20
         alloc batch[0] on n2 running
         job high type=system cpu=500 priority=100 port=8080",
        "place high[0] on n1 after low[0]
         preempt low[0] on n1
         place high[0] on n2 after batch[0]
         preempt batch[0] on n2
         place high[0] on n3
         blocked batch 1: cpu 3
         blocked low 1: cpu 1, port 8080 3",
    );
}

#[test]
fn a_plan_that_ends_others_is_taken_as_a_whole() {
    check_late(
        &full("preempt", "job high cpu=500 priority=80"),
        "",
        "place high[?] on n1 after low[?]
         preempt low[?] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn nobody_ends_for_a_plan_that_comes_too_late() {
    check_late(
        &full("preempt", "job high cpu=500 priority=80"),
        "ineligible n1",
        "blocked high 1: cpu 1, node ineligible 1",
    );
}

#[test]
fn of_many_of_one_priority_the_one_makes_way_whose_room_is_nearest_to_what_is_missing() {
    let mut setup = "scheduler preempt\nnode n1 cpu=2000\n".to_string();
    // More than are weighed in every combination.
    for at in 0..12 {
        let cpu = if at == 7 { 400 } else { 100 };
        setup += &format!("job low{at} cpu={cpu} priority=20\nalloc low{at}[0] on n1 running healthy\n");
    }
    setup += "job large cpu=500 priority=20\nalloc large[0] on n1 running healthy\n";
    check(
        &format!("{setup}job high cpu=390 priority=80"),
        "place high[0] on n1 after low7[0]
         preempt low7[0] on n1
         blocked low7 1: cpu 1",
    );
}

#[test]
fn who_waits_is_tried_when_an_instance_of_a_lower_priority_takes_over() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         job low cpu=1000 priority=75
         run
         job high cpu=500 priority=80
         run
         job low priority=20 change=env",
        "stop low[0] on n1: updated
         place low[0] on n1 after low[0]
         place high[0] on n1 after low[0] after low[0]
         preempt low[0] on n1
         blocked low 1: cpu 1",
    );
}

#[test]
fn a_port_that_the_same_plan_has_given_away_does_not_come_free() {
    check(
        "scheduler preempt
         node n1 cpu=1000
         node n2 cpu=1000
         job low cpu=1000 priority=20
         alloc low[0] on n1 running healthy
         job high count=2 cpu=100 port=8080 priority=80",
        "place high[?] on n2
         place high[?] on n1 after low[?]
         preempt low[?] on n1
         blocked low 1: cpu 2",
    );
}

#[test]
fn groups_of_one_job_take_the_room_of_different_work() {
    let high = "job high cpu=500 priority=80\ngroup api cpu=500";
    check(
        &full("preempt", high),
        "place high[?] on n1 after low[?]
         place high.api[?] on n1 after low[?]
         preempt low[?] on n1
         preempt low[?] on n1
         blocked low 2: cpu 1",
    );
    check(
        &full("preempt", &format!("{high}\ngroup db cpu=500")),
        "place high[?] on n1 after low[?]
         place high.api[?] on n1 after low[?]
         preempt low[?] on n1
         preempt low[?] on n1
         blocked high.db 1: cpu 1
         blocked low 2: cpu 1",
    );
}

#[test]
fn a_dry_run_counts_who_would_end() {
    check_dry_run(
        "scheduler preempt
         node n1 cpu=1000
         job low cpu=1000 priority=20
         alloc low[0] on n1 running healthy",
        "job high cpu=500 priority=80",
        "version 0
         place high[0] on n1
         preempt low[0] on n1 for high[0]
         high: place 1, preempt 1",
    );
}
