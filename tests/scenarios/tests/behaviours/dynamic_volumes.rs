//! Volumes that are made or registered while the cluster runs.

use scenarios::{check, check_late, check_refused, check_why};

#[test]
fn a_group_runs_where_its_volume_was_made_and_waits_until_then() {
    let setup = "node n1
         node n2
         job web volume=data
         run";
    check(setup, "");
    check(&format!("{setup}\nvolume data on n2"), "place web[0] on n2");
    check(&format!("{setup}\nvolume data on n2 pending"), "");
}

#[test]
fn a_volume_is_for_jobs_of_its_namespace() {
    check(
        "node n1
         volume data on n1 namespace=other
         job web volume=data",
        "blocked web 1: missing host volume data 1",
    );
}

#[test]
fn a_volume_is_used_only_in_the_ways_that_it_offers() {
    check(
        "node n1
         volume data on n1 modes=single-writer,reader-only
         job web volume=data
         job alone volume=data;single-writer
         job readers volume=data:ro;reader-only
         job many volume=data;multi-writer
         job blocks volume=data;single-writer;block",
        "blocked web 1: access mode of host volume data 1
         place alone[0] on n1
         place readers[0] on n1
         blocked many 1: access mode of host volume data 1, host volume data is written 1
         blocked blocks 1: access mode of host volume data 1, host volume data is written 1",
    );
}

#[test]
fn a_mode_for_readers_lets_nobody_write() {
    check(
        "node n1
         volume data on n1 modes=reader-only
         job web volume=data;reader-only",
        "blocked web 1: read-only host volume data 1",
    );
}

#[test]
fn who_only_reads_and_names_no_mode_takes_one_for_readers() {
    let on_volume = |modes: &str| format!("node n1\nvolume data on n1 modes={modes}\njob web volume=data:ro");
    for modes in ["reader-only", "writer"] {
        check(&on_volume(modes), "place web[0] on n1");
    }
    check(&on_volume("single-writer"), "blocked web 1: access mode of host volume data 1");
}

#[test]
fn who_writes_alone_is_the_only_writer() {
    let setup = "node n1
         volume data on n1 modes=writer,single-writer,multi-writer
         job db volume=data;single-writer
         run
         job other volume=data;single-writer
         job many volume=data;multi-writer
         job reader volume=data:ro";
    check(
        setup,
        "blocked other 1: host volume data is written 1
         blocked many 1: host volume data is written 1
         place reader[0] on n1",
    );
    check(&format!("{setup}\nrun\nstop db\nrun\nsweep"), "place other[0] on n1");
}

#[test]
fn instances_of_one_group_that_write_alone_need_a_volume_each() {
    check(
        "node n1
         node n2
         node n3
         volume data on n1 modes=single-writer
         volume data on n2 modes=single-writer
         job web count=3 volume=data;single-writer",
        "place web[?] on n1
         place web[?] on n2
         blocked web 1: host volume data is written 2, missing host volume data 1",
    );
}

#[test]
fn a_new_version_writes_when_the_old_one_has_ended() {
    check(
        "node n1
         volume data on n1 modes=single-writer
         job web volume=data;single-writer
         run
         job web change=env",
        "stop web[0] on n1: updated
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn who_writes_may_have_to_make_way() {
    check(
        "node n1
         volume data on n1 modes=single-writer
         scheduler preempt
         job low priority=10 volume=data;single-writer
         run
         job web priority=90 volume=data;single-writer",
        "preempt low[0] on n1
         place web[0] on n1 after low[0]
         blocked low 1: host volume data is written 1",
    );
}

#[test]
fn nobody_makes_way_for_who_may_write_where_a_writer_ends_already() {
    check(
        "node n1
         volume data on n1 modes=single-writer,multi-writer
         node n2
         volume data on n2 modes=single-writer,multi-writer
         scheduler preempt
         job low priority=10 count=2 volume=data;single-writer
         run
         job web priority=90 count=2 volume=data;multi-writer",
        "preempt low[0] on n1
         place web[0] on n1 after low[0]
         blocked web 1: host volume data is written 2
         blocked low 1: host volume data is written 2",
    );
}

#[test]
fn a_volume_that_goes_is_noticed_on_a_closed_node_too() {
    check(
        "node n1
         volume data on n1
         job tidy type=batch
         alloc tidy[0] on n1 running
         run
         down n1
         run
         job tidy type=sysbatch volume=data
         run
         watch
         close data on n1",
        "stop tidy[0] on n1: node unfit
         blocked tidy 1: missing host volume data 1, node down 1",
    );
}

#[test]
fn two_that_were_planned_apart_do_not_write_at_once() {
    check_late(
        "node n1
         volume data on n1 modes=single-writer
         job web volume=data;single-writer",
        "job api volume=data;single-writer
         alloc api[0] on n1",
        "blocked web 1: host volume data is written 1",
    );
}

#[test]
fn a_volume_that_is_used_is_not_deleted() {
    let setup = "node n1
         volume data on n1
         job web volume=data:ro
         alloc web[0] on n1";
    for deed in ["close", "delete"] {
        let id = scenarios::id_of_allocation(setup, "web[0]");
        check_refused(setup, &format!("{deed} data on n1"), &format!("volume is in use by allocation {id}"));
    }
}

#[test]
fn a_node_has_one_volume_of_a_name() {
    let id = model::testing::node("n1").id;
    let words = format!("node {id} has a volume data already");
    check_refused("node n1 volume=data", "volume data on n1", &words);
}

#[test]
fn a_volume_that_is_closed_or_gone_takes_nobody() {
    for deed in ["close", "delete"] {
        check(
            &format!(
                "node n1
                 volume data on n1
                 {deed} data on n1
                 job web volume=data"
            ),
            "blocked web 1: missing host volume data 1",
        );
    }
}

#[test]
fn a_node_that_was_away_does_not_bring_back_what_was_deleted_meanwhile() {
    check(
        "node n1
         volume data on n1
         down n1
         delete data on n1
         back n1
         job web volume=data",
        "blocked web 1: missing host volume data 1",
    );
}

#[test]
fn work_of_a_job_that_was_purged_counts_until_it_is_gone() {
    let setup = "node n1
         volume data on n1 modes=single-writer
         job db volume=data;single-writer
         alloc db[0] on n1
         purge db
         run
         job web volume=data;single-writer";
    check(setup, "blocked web 1: host volume data is written 1");
    check(&format!("{setup}\nrun\nsweep"), "place web[0] on n1");
}

#[test]
fn why_says_how_the_volume_can_not_be_used() {
    check_why(
        "node n1
         node n2
         volume data on n1 modes=single-writer
         volume data on n2 modes=multi-writer
         job db volume=data;single-writer
         run
         job web volume=data;single-writer",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         2 nodes: 1 filtered, 1 exhausted, 0 fit
         n1: host volume data has a writer, and one writes alone
         n2: host volume data is not for single-node-single-writer as file-system
         hint: stop job db: fits 1 node
         hint: add one node of at least 100 MHz and 64 MiB, with host volume data for single-node-single-writer as file-system",
    );
}
