//! Rebalances: which moves are proposed and what is kept back, that they come as promised, and how they go on and end.

use proptest::prelude::*;
use scenarios::{
    check, check_held, check_rebalance, check_rebalance_status, check_refused, check_wanted, check_watch,
    first_wrong_rebalance,
};
use server_core::limits::{REBALANCE_AT_ONCE, REBALANCE_MOVES};

use crate::properties::config;
use crate::stories::{job, nodes};

/// Two instances that stand on one node, though another is free.
const CROWDED: &str = "node n1 cpu=1000
     node n2 cpu=1000
     job web count=2 cpu=300
     alloc web[0] on n1 running healthy
     alloc web[1] on n1 running healthy
     run";

/// One instance of each of three jobs on two nodes, of which one would do.
const LOOSE: &str = "node n1 cpu=1000
     node n2 cpu=1000
     job a cpu=300 count=1
     job b cpu=300 count=1
     job c cpu=300 count=1
     alloc a[0] on n1 running healthy
     alloc b[0] on n1 running healthy
     alloc c[0] on n2 running healthy
     run";

#[test]
fn instances_of_a_group_go_apart() {
    check_rebalance(CROWDED, "spread", "web[0] from n1 to n2: 1 less beside its own group");
}

#[test]
fn what_stands_well_stays() {
    let setup = "node n1 cpu=1000
         node n2 cpu=1000
         job web count=2 cpu=300
         alloc web[0] on n1 running healthy
         alloc web[1] on n2 running healthy";
    check_rebalance(setup, "spread", "");
    check_rebalance(setup, "pack", "");
}

#[test]
fn a_spread_is_met_as_its_author_wants_it() {
    check_rebalance(
        "node n1 cpu=2000 rack=r1
         node n2 cpu=2000 rack=r1
         node n3 cpu=2000 rack=r2
         node n4 cpu=2000 rack=r2
         job web count=4 cpu=100 spread=rack
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n2 running healthy
         alloc web[3] on n3 running healthy
         run",
        "spread",
        "web[0] from n1 to n4: 1 less out of place",
    );
}

#[test]
fn a_full_node_gives_to_an_empty_one_while_the_difference_is_large() {
    let setup = "node n1 cpu=1000
         node n2 cpu=1000
         job a cpu=300 count=1
         job b cpu=300 count=1
         job c cpu=300 count=1
         alloc a[0] on n1 running healthy
         alloc b[0] on n1 running healthy
         alloc c[0] on n1 running healthy
         run";
    check_rebalance(setup, "spread", "");
    check_rebalance(setup, "spread singletons", "a[0] from n1 to n2: evens 90% and 0% to 60% and 30%");
}

#[test]
fn a_difference_at_the_limit_pays_and_one_below_does_not() {
    // After the move n1 is at 50 %, n2 at 40 or 41 %: n1 was fuller than n2 is then by ten points or by nine.
    let setup = |there: u32| {
        format!(
            "node n1 cpu=1000 mem=100000
             node n2 cpu=1000 mem=100000
             job a cpu=10 mem=1
             job b cpu=500 mem=1
             job c cpu={there} mem=1
             alloc a[0] on n1 running healthy
             alloc b[0] on n1 running healthy
             alloc c[0] on n2 running healthy
             run"
        )
    };
    check_rebalance(&setup(400), "spread singletons job=a", "a[0] from n1 to n2: evens 51% and 40% to 50% and 41%");
    check_rebalance(&setup(401), "spread singletons job=a", "");
}

#[test]
fn a_node_is_freed_whole_or_not_at_all() {
    check_rebalance(LOOSE, "pack singletons", "c[0] from n2 to n1: frees n2");
    let pinned = format!("{LOOSE}\njob d cpu=50\nalloc d[0] on n2 running healthy\njob d never_rebalance\nrun");
    check_rebalance(&pinned, "pack singletons", "");
}

#[test]
fn system_jobs_neither_move_nor_keep_a_node_in_use() {
    check_rebalance(
        &format!("{LOOSE}\njob agent type=system cpu=10\nrun\nhealthy agent\nwatch\nrun"),
        "pack singletons",
        "c[0] from n2 to n1: frees n2",
    );
}

#[test]
fn packing_does_not_undo_a_spread() {
    check_rebalance(
        "node n1 cpu=2000 rack=r1
         node n2 cpu=2000 rack=r2
         job web count=2 cpu=100 spread=rack
         alloc web[0] on n1 running healthy
         alloc web[1] on n2 running healthy
         run",
        "pack",
        "",
    );
}

#[test]
fn what_may_move_leaves_a_node_that_shall_be_empty() {
    check_rebalance(&format!("{LOOSE}\nnode n3 cpu=200"), "empty n2 singletons", "c[0] from n2 to n1: leaves n2");
    check_rebalance(&format!("{LOOSE}\njob c cpu=500\nrun"), "empty n2 singletons", "");
}

#[test]
fn a_rebalance_has_no_more_moves_than_it_may() {
    let setup = "node n1 cpu=4000
         node n2 cpu=4000
         node n3 cpu=4000
         job web count=6 cpu=300
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running healthy
         alloc web[3] on n1 running healthy
         alloc web[4] on n1 running healthy
         alloc web[5] on n1 running healthy
         run";
    check_rebalance(setup, "spread moves=1", "web[0] from n1 to n3: 5 less beside its own group");
    check_rebalance(setup, "spread moves=0", "");
}

/// So many jobs of two instances each, all on one of two nodes.
fn crowded(jobs: u32) -> String {
    let job = |at| {
        format!(
            "job j{at:02} count=2 cpu=10 mem=10
             alloc j{at:02}[0] on n1 running healthy
             alloc j{at:02}[1] on n1 running healthy"
        )
    };
    let jobs: Vec<_> = (1..=jobs).map(job).collect();
    format!("node n1\nnode n2\n{}\nrun", jobs.join("\n"))
}

#[test]
fn who_asks_for_no_number_of_moves_gets_as_many_as_the_limit() {
    let told = |jobs: u32| {
        let moves =
            (1..=jobs.min(REBALANCE_MOVES)).map(|at| format!("j{at:02}[0] from n1 to n2: 1 less beside its own group"));
        check_rebalance(&crowded(jobs), "spread", &moves.collect::<Vec<_>>().join("\n"));
    };
    told(REBALANCE_MOVES);
    told(REBALANCE_MOVES + 1);
}

#[test]
fn who_asks_for_no_number_at_a_time_gets_as_many_as_the_limit() {
    let told = |jobs: u32| {
        let stage = |at| if at <= REBALANCE_AT_ONCE { "moving" } else { "waiting" };
        let moves: Vec<_> = (1..=jobs).map(|at| format!("j{at:02}[0] to n2 {}", stage(at))).collect();
        let setup = format!("{}\nrebalance spread\nwatch\nrun\nwatch", crowded(jobs));
        check_rebalance_status(&setup, &format!("running\n{}", moves.join("\n")));
    };
    told(REBALANCE_AT_ONCE);
    told(REBALANCE_AT_ONCE + 1);
}

#[test]
fn what_may_not_move_is_said_with_its_reason() {
    check_held(
        "node n1 cpu=4000 volume=data
         job agent type=system cpu=10
         job batch type=batch cpu=10
         job disk count=2 cpu=10 sticky
         job never count=2 cpu=10 never_rebalance
         job one cpu=10
         job volume count=2 cpu=10 volume=data
         job web count=2 cpu=10 max_parallel=1
         run
         reports n1",
        "spread",
        "agent 1: a system job has its place on each node
         batch 1: a batch job's work would begin anew
         disk 2: its disk is sticky
         never 2: meta.sched_rebalance is \"never\"
         one 1: it is the only instance of its group
         volume 2: it writes to a volume of its host
         web 2: its job is being deployed",
    );
    check_held(
        "node n1 cpu=1000
         node n2 cpu=1000
         job big count=3 cpu=900
         job sick count=2 cpu=10
         run
         healthy big
         healthy sick
         fails sick[0]",
        "spread",
        "big 2: its group lacks an instance
         sick 1: its group lacks an instance",
    );
}

#[test]
fn what_was_just_moved_is_left_alone() {
    let moved = format!("{CROWDED}\nrebalance spread\nwatch\nrun\nhealthy web\nrun\nsweep\nrun\nwatch");
    check_held(&moved, "spread", "web 1: it was moved a short while ago");
    check_held(&format!("{moved}\nwait 599s"), "spread", "web 1: it was moved a short while ago");
    check_held(&format!("{moved}\nwait 600s"), "spread", "");
}

#[test]
fn a_move_goes_to_the_promised_node_and_the_original_stays_until_that_is_healthy() {
    let moving = format!("{CROWDED}\nrebalance spread\nwatch");
    check(&moving, "place web[0] on n2");
    check_rebalance_status(&moving, "running\nweb[0] to n2 moving");
    check(&format!("{moving}\nrun\nhealthy web"), "stop web[0] on n1: migrated");
    let done = format!("{moving}\nrun\nhealthy web\nrun");
    check_watch(&done, "web[0] done: replacement is healthy");
    check_rebalance_status(&format!("{done}\nwatch"), "complete\nweb[0] to n2 done: replacement is healthy");
}

#[test]
fn one_of_a_job_moves_at_a_time() {
    let setup = "node n1 cpu=4000
         node n2 cpu=4000
         node n3 cpu=4000
         job web count=3 cpu=300
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running healthy
         run
         rebalance spread per_job=2 at_once=2
         watch
         run
         watch";
    // The group's own `migrate` allows one, whatever the rebalance does.
    check_rebalance_status(setup, "running\nweb[0] to n3 moving\nweb[1] to n2 waiting");
    let wide = setup.replace("cpu=300\n", "cpu=300 migrate=2\n");
    check_rebalance_status(&wide, "running\nweb[0] to n3 moving\nweb[1] to n2 moving");
}

#[test]
fn a_replacement_that_does_badly_ends_the_rebalance_and_its_original_stays() {
    let failed = format!("{CROWDED}\nrebalance spread\nwatch\nrun\nfails web[0] on n2");
    check_rebalance_status(
        &format!("{failed}\nwatch"),
        "aborted: web.web[0]: its replacement on n2 failed
         web[0] to n2 failed: its replacement on n2 failed",
    );
    check(&format!("{failed}\nwatch"), "");
    check(&format!("{failed}\nrun\nwait 1h"), "");
}

#[test]
fn what_stands_in_for_a_replacement_out_of_contact_ends_with_it_and_the_original_stays() {
    let silent = format!("{CROWDED}\nrebalance spread\nwatch\nrun\nnode n3 cpu=1000\ndown n2");
    check(&silent, "place web[0] on n3");
    check(&format!("{silent}\nrun\nwatch"), "");
    check_wanted(&format!("{silent}\nrun\nwatch"), "web", "web[0] on n1\nweb[1] on n1");
}

#[test]
fn the_rest_does_not_move_when_one_did_badly() {
    let setup = "node n1 cpu=4000
         node n2 cpu=4000
         node n3 cpu=4000
         job web count=3 cpu=300
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running healthy
         run
         rebalance spread
         watch
         run
         healthy web
         run
         watch";
    check_rebalance_status(
        setup,
        "running
         web[0] to n3 done: replacement is healthy
         web[1] to n2 waiting",
    );
    check_rebalance_status(
        &format!("{setup}\nfails web[0] on n3\nwatch"),
        "aborted: web.web[0]: its replacement on n3 failed
         web[0] to n3 done: replacement is healthy
         web[1] to n2 skipped: a move failed",
    );
}

#[test]
fn what_is_cancelled_does_not_begin_and_what_moves_moves_on() {
    let setup = "node n1 cpu=4000
         node n2 cpu=4000
         node n3 cpu=4000
         job web count=3 cpu=300
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         alloc web[2] on n1 running healthy
         run
         rebalance spread
         watch
         run
         cancel";
    check_rebalance_status(
        setup,
        "cancelling: cancelled by request
         web[0] to n3 moving
         web[1] to n2 skipped: the rebalance was cancelled",
    );
    check_rebalance_status(
        &format!("{setup}\nhealthy web\nrun\nwatch"),
        "cancelled: cancelled by request
         web[0] to n3 done: replacement is healthy
         web[1] to n2 skipped: the rebalance was cancelled",
    );
    check_refused(&format!("{setup}\nhealthy web\nrun\nwatch"), "cancel", "no rebalance is running");
}

#[test]
fn there_is_one_rebalance_at_a_time_and_none_without_moves() {
    const RUNS: &str = "rebalance 9 is running; wait for it, or cancel it first";
    check_refused(&format!("{CROWDED}\nrebalance spread"), "rebalance spread", RUNS);
    check_refused("node n1", "rebalance spread", "nothing to move");
}

#[test]
fn a_node_that_has_no_room_any_more_is_not_moved_to() {
    const SKIPPED: &str = "complete\nweb[0] to n2 skipped: n2 does not take it any more (cpu)";
    let meanwhile = "job big cpu=900\nalloc big[0] on n2 running healthy\nrun";
    check_rebalance_status(&format!("{CROWDED}\nrebalance spread\n{meanwhile}\nwatch"), SKIPPED);
    // It is found out too late by the watch, and by the planner in time.
    let late = format!("{CROWDED}\nrebalance spread\nwatch\n{meanwhile}");
    check_rebalance_status(&format!("{late}\nwatch"), SKIPPED);
    check(&format!("{late}\nwatch"), "");
}

#[test]
fn what_no_longer_pays_is_skipped() {
    const GONE: &str = "complete\nweb[0] to n2 skipped: it does not run there any more";
    let meanwhile = "drain n1\nrun\nhealthy web\nrun\nsweep\nwatch\nrun";
    check_rebalance_status(&format!("{CROWDED}\nrebalance spread\n{meanwhile}\nwatch"), GONE);
    const VAIN: &str = "complete\nweb[0] to n2 skipped: it no longer pays";
    let apart = "node n3 cpu=1000\nstop web[1]\nrun\nhealthy web\nsweep\nrun";
    check_rebalance_status(&format!("{CROWDED}\nrebalance spread\n{apart}\nwatch"), VAIN);
}

#[test]
fn a_drain_takes_over_what_a_rebalance_moves() {
    let setup = format!("{CROWDED}\nnode n3 cpu=1000\nrebalance spread\nwatch\ndrain n1");
    let skipped = "complete\nweb[0] to n3 skipped: its node drains or is out of contact";
    check_rebalance_status(&format!("{setup}\nwatch"), skipped);
    check(&format!("{setup}\nwatch"), "place web[?] on n3");
}

#[test]
fn what_failed_where_a_rebalance_moved_it_is_tried_elsewhere_when_its_node_drains() {
    let setup = format!("{CROWDED}\nnode n3 cpu=1000\nrebalance spread\nwatch\nrun\nfails web[0] on n3\nrun");
    check(&setup, "");
    check(&format!("{setup}\ndrain n1"), "follow-up in 30s for web[0]");
}

#[test]
fn a_replacement_that_makes_way_ends_its_move() {
    let setup =
        format!("{CROWDED}\nscheduler preempt\nrebalance spread\nwatch\nrun\njob high priority=90 cpu=900\nrun");
    check_rebalance_status(
        &format!("{setup}\nwatch"),
        "complete\nweb[0] to n2 skipped: its replacement made way for other work",
    );
}

#[test]
fn what_passes_is_waited_for_but_not_for_ever() {
    let setup = "node n1 cpu=1000
         node n2 cpu=1000
         job web count=2 cpu=300
         alloc web[0] on n1 running healthy
         alloc web[1] on n1 running healthy
         run
         rebalance spread
         job web count=9
         run
         healthy web
         run";
    check_rebalance_status(&format!("{setup}\nwait 299s\nwatch"), "running\nweb[0] to n2 waiting");
    check_rebalance_status(
        &format!("{setup}\nwait 300s\nwatch"),
        "complete\nweb[0] to n2 skipped: what it waited for took too long",
    );
}

#[test]
fn a_node_that_is_silent_for_a_moment_is_waited_for() {
    for silent in ["n1", "n2"] {
        let setup = format!("{CROWDED}\nrebalance spread\nnode {silent} cpu=1000 suspect\nrun");
        check_rebalance_status(&format!("{setup}\nwatch"), "running\nweb[0] to n2 waiting");
        check_rebalance_status(&format!("{setup}\nwatch\nback {silent}\nwatch"), "running\nweb[0] to n2 moving");
    }
    let late = format!("{CROWDED}\nrebalance spread\nwatch\nnode n2 cpu=1000 suspect\nrun");
    check_rebalance_status(&format!("{late}\nwatch"), "running\nweb[0] to n2 moving");
    check(&format!("{late}\nwatch\nback n2"), "place web[0] on n2");
    check_rebalance_status(
        &format!("{late}\ndown n2\nwatch"),
        "complete\nweb[0] to n2 skipped: n2 does not take it any more (node suspect)",
    );
}

fn asks() -> impl Strategy<Value = String> {
    let goal = prop_oneof![2 => Just("spread"), 2 => Just("pack"), 1 => Just("empty n0")];
    let limits = (0..7u32, 1..4u32, 1..4u32);
    let rest = prop_oneof![Just(""), Just("singletons"), Just("singletons"), Just("job=w1 singletons")];
    (goal, limits, rest).prop_map(|(goal, (moves, at_once, per_job), rest)| {
        format!("{goal} moves={moves} at_once={at_once} per_job={per_job} cool_down=0s {rest}")
    })
}

proptest! {
    #![proptest_config(config())]

    /// Of every cluster, whatever the order in which its jobs came: a rebalance keeps its limits and its promises, makes
    /// nothing worse, moves nothing in vain, and comes to an end without any time to cool down.
    #[test]
    fn rebalancing_pays_keeps_its_promises_and_comes_to_an_end(
        (nodes, late, first, second) in (nodes(), nodes(), job(), job()),
        scheduler in prop_oneof![Just("scheduler"), Just("scheduler spread"), Just("scheduler preempt")],
        ask in asks(),
    ) {
        let mut lines = vec![scheduler.to_string()];
        lines.extend(nodes);
        lines.extend([format!("job w0 {first}"), "run".into(), format!("job w1 {second}"), "run".into()]);
        lines.extend(late.iter().map(|line| line.replacen("node n", "node late", 1)));
        let wrong = first_wrong_rebalance(&lines, &ask);
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    }
}
