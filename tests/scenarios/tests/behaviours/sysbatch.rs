//! Sysbatch jobs: work that is done once on every node that is open to it.

use scenarios::check;

#[test]
fn it_runs_on_every_node_that_takes_it() {
    check(
        "node n1
         node n2 rack=r2
         node n3 ineligible
         node n4 rack=r2
         job tidy type=sysbatch constraint=\"${meta.rack} = r2\"",
        "place tidy[0] on n2
         place tidy[0] on n4",
    );
}

#[test]
fn a_node_that_joins_gets_it_whatever_became_of_it_elsewhere() {
    for status in ["running", "complete"] {
        check(
            &format!(
                "node n1
                 job tidy type=sysbatch
                 alloc tidy[0] on n1 {status}
                 run
                 node n2"
            ),
            "place tidy[0] on n2",
        );
    }
}

#[test]
fn a_new_version_replaces_what_runs_and_runs_again_where_it_was_done() {
    check(
        "node n1
         node n2
         job tidy type=sysbatch
         alloc tidy[0] on n1 running
         alloc tidy[0] on n2 complete
         run
         job tidy change=env",
        "stop tidy[0] on n1: updated
         place tidy[0] on n1 after tidy[0]
         place tidy[0] on n2",
    );
}

#[test]
fn what_runs_takes_over_what_needs_no_new_instance() {
    check(
        "node n1
         job tidy type=sysbatch
         alloc tidy[0] on n1 running
         run
         job tidy change=tags",
        "in-place tidy[0]",
    );
}

#[test]
fn what_is_done_stays_done_when_it_is_asked_again() {
    check(
        "node n1
         node n2
         job tidy type=sysbatch
         alloc tidy[0] on n1 complete
         alloc tidy[0] on n2 complete
         run
         job tidy",
        "",
    );
}

#[test]
fn what_failed_is_tried_again_on_its_node() {
    check(
        "node n1
         job tidy type=sysbatch
         alloc tidy[0] on n1 failed at=-10s",
        "follow-up in 20s for tidy[0]",
    );
}

#[test]
fn a_stopped_job_ends_what_runs_and_leaves_what_is_done() {
    for stops in ["stop tidy", "purge tidy"] {
        check(
            &format!(
                "node n1
                 node n2
                 job tidy type=sysbatch
                 alloc tidy[0] on n1 running
                 alloc tidy[0] on n2 complete
                 {stops}"
            ),
            "stop tidy[0] on n1: job stopped",
        );
    }
}

#[test]
fn what_is_on_a_lost_node_moves_nowhere() {
    check(
        "node n1
         node n2 down
         job tidy type=sysbatch
         alloc tidy[0] on n1 complete
         alloc tidy[0] on n2 running",
        "",
    );
}

#[test]
fn what_runs_on_a_draining_node_ends_and_is_not_placed_elsewhere() {
    check(
        "node n1
         node n2
         job tidy type=sysbatch
         alloc tidy[0] on n1 running
         alloc tidy[0] on n2 complete
         run
         drain n1",
        "",
    );
    let setup = "node n1
         job tidy type=sysbatch
         alloc tidy[0] on n1 running
         run
         drain n1
         run";
    check(&format!("{setup}\ngone tidy[0] on n1"), "blocked tidy 1: node draining 1");
    check(&format!("{setup}\ndown n1"), "blocked tidy 1: node down 1, node draining 1");
}

#[test]
fn a_draining_node_is_none_of_its_nodes() {
    check(
        "node n1
         node n2
         drain n2
         job tidy type=sysbatch",
        "place tidy[0] on n1",
    );
}

#[test]
fn a_node_that_changes_without_meaning_to_it_changes_nothing() {
    check(
        "node n1
         job tidy type=sysbatch
         alloc tidy[0] on n1 running
         run
         node n1 rack=r9",
        "",
    );
}

#[test]
fn a_node_that_closes_keeps_what_runs_and_lacks_nothing() {
    check(
        "node n1
         job tidy type=sysbatch
         alloc tidy[0] on n1 running
         run
         node n1 ineligible
         job tidy",
        "",
    );
}

#[test]
fn where_no_node_will_do_it_is_said_why() {
    check(
        "node n1
         node n2 rack=r2
         job tidy type=sysbatch constraint=\"${meta.rack} = r9\"",
        "blocked tidy 1: ${meta.rack} = r9 2",
    );
}

#[test]
fn only_nodes_that_are_full_wait_for_it() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         node n3 rack=r1 mem=100
         job tidy type=sysbatch constraint=\"${meta.rack} = r1\" mem=200",
        "place tidy[0] on n1
         blocked tidy 1: memory 1",
    );
}

#[test]
fn each_group_waits_for_itself() {
    check(
        "node n1 mem=300
         node n2 mem=300
         job tidy type=sysbatch mem=200
         group sweep mem=200",
        "place tidy[0] on n1
         place tidy[0] on n2
         blocked tidy.sweep 2: memory 2",
    );
}

#[test]
fn what_is_done_on_one_node_is_done_there_alone_whatever_is_asked_of_others() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job tidy type=sysbatch constraint=\"${meta.rack} = r1\"
         alloc tidy[0] on n1 complete
         run
         node n2 rack=r1",
        "place tidy[0] on n2",
    );
}
