//! Nodes out of contact: what is replaced, when, and which of both stays when a node returns.

use scenarios::{check, check_dry_run, check_wanted};

/// An instance whose node went down after it had run for long, with rules to be put in, and its replacement.
fn away(rules: &str) -> String {
    format!(
        "node n1
         node n2
         job web {rules}
         alloc web[0] on n2 running healthy
         run
         down n2
         run"
    )
}

#[test]
fn what_is_out_of_contact_is_unknown_and_replaced_and_looked_at_again_when_it_is_lost() {
    let setup = away("lost_after=60s").trim_end_matches("run").to_string();
    check(
        &setup,
        "place web[0] on n1
         follow-up in 60s for web[0]",
    );
    check(&format!("{setup}\nrun\nwait 59s"), "");
    check(&format!("{setup}\nrun\nhealthy web\nwait 60s"), "stop web[0] on n2: node down");
}

#[test]
fn what_is_lost_stays_lost_when_its_node_returns() {
    let setup = away("lost_after=60s reconcile=keep_original");
    check_wanted(&format!("{setup}\nwait 60s\nrun\nback n2\nreports n2"), "web", "web[0] on n1");
    // Nobody had looked yet.
    check_wanted(&format!("{setup}\nwait 60s\nback n2\nreports n2"), "web", "web[0] on n1");
    check_wanted(&format!("{setup}\nwait 59s\nback n2\nreports n2"), "web", "web[0] on n2");
}

#[test]
fn one_that_may_not_be_replaced_stays_wanted_until_its_node_returns() {
    check(&away("keep"), "");
    check(&format!("{}\nwait 24h\nask web", away("keep")), "");
    check(&format!("{}\nback n2\nreports n2", away("keep")), "");
    // A person gives it up, or its node is forgotten.
    check(&format!("{}\nstop web[0] on n2", away("keep")), "place web[0] on n1");
    check(&format!("{}\nforget n2", away("keep")), "place web[0] on n1");
}

#[test]
fn one_that_may_not_be_replaced_before_it_is_lost_is_given_up_with_its_replacement() {
    let setup = away("lost_after=60s keep");
    check(&setup, "");
    check(
        &format!("{setup}\nwait 60s"),
        "stop web[0] on n2: node down
         place web[0] on n1",
    );
    check(&format!("{setup}\nwait 30s\nback n2\nreports n2\nrun\nwait 60s"), "");
}

#[test]
fn one_that_is_lost_and_finds_no_other_place_is_not_given_up() {
    let setup = "node n2
         job web lost_after=60s keep
         alloc web[0] on n2 running
         run
         down n2
         run
         wait 60s";
    check(setup, "blocked web 1: node down 1");
    check(&format!("{setup}\nrun\nback n2\nreports n2"), "");
}

#[test]
fn one_that_its_agent_stops_by_itself_is_replaced_when_that_is_done() {
    let setup = away("stop_on_client_after=30s kill_timeout=10s");
    check(&setup, "");
    check(&format!("{setup}\nwait 39s"), "");
    check(
        &format!("{setup}\nwait 40s"),
        "stop web[0] on n2: node down
         place web[0] on n1",
    );
    check(&format!("{setup}\nwait 20s\nback n2\nreports n2\nrun\nwait 40s"), "");
}

#[test]
fn the_original_stays_where_its_group_asks_for_it_as_soon_as_its_agent_says_that_it_runs() {
    let setup = format!("{}\nhealthy web\nback n2", away("lost_after=1h reconcile=keep_original"));
    check_wanted(&setup, "web", "web[0] on n1\nweb[0] on n2");
    check_wanted(&format!("{setup}\nreports n2"), "web", "web[0] on n2");
}

#[test]
fn the_replacement_stays_where_its_group_asks_for_it_even_if_it_only_starts() {
    let setup = away("lost_after=1h reconcile=keep_replacement");
    check_wanted(&format!("{setup}\nback n2"), "web", "web[0] on n1");
}

#[test]
fn the_one_that_has_run_longer_stays_where_its_group_asks_for_it() {
    let setup = away("lost_after=1h reconcile=longest_running");
    check_wanted(&format!("{setup}\nhealthy web\nback n2\nreports n2"), "web", "web[0] on n2");
    // It never ran before its node was lost.
    let pending = setup.replace("running healthy", "pending");
    check_wanted(&format!("{pending}\nhealthy web\nback n2"), "web", "web[0] on n1");
}

#[test]
fn without_a_word_the_replacement_stays_if_it_is_healthy_and_otherwise_the_original() {
    for rules in ["", "lost_after=1h reconcile=best_score"] {
        let setup = away(rules);
        check_wanted(&format!("{setup}\nhealthy web\nback n2"), "web", "web[0] on n1");
        check_wanted(&format!("{setup}\nback n2\nreports n2"), "web", "web[0] on n2");
    }
}

#[test]
fn a_newer_version_stays_whatever_the_group_asks_for() {
    let setup = away("lost_after=1h reconcile=keep_original max_parallel=1");
    let setup = format!("{setup}\nhealthy web\nwatch\njob web change=env");
    check_wanted(&format!("{setup}\nrun\nback n2\nreports n2"), "web", "web[0] on n1");
    // The rollout of the newer one takes both with it.
    check(
        &setup,
        "deployment begins
         stop web[0] on n1: updated
         stop web[0] on n2: updated
         place web[0] on n1 after web[0]",
    );
}

#[test]
fn one_that_failed_while_it_was_away_leaves_its_replacement_alone() {
    let setup = away("lost_after=1h reconcile=keep_original");
    check(&format!("{setup}\nback n2\nfails web[0] on n2 at=-5m"), "");
    check_wanted(&format!("{setup}\nback n2\nfails web[0] on n2 at=-5m"), "web", "web[0] on n1");
}

#[test]
fn one_that_failed_while_it_was_away_and_was_not_replaced_has_waited_since_then() {
    let setup = away("keep reschedule=30s");
    check(&format!("{setup}\nback n2\nfails web[0] on n2 at=-10s"), "follow-up in 20s for web[0]");
    check(&format!("{setup}\nback n2\nfails web[0] on n2 at=-5m"), "place web[0] on n1");
}

#[test]
fn one_that_ended_while_it_was_away_leaves_its_replacement_alone_unless_its_work_is_done() {
    check_wanted(&format!("{}\nback n2\ngone web[0] on n2", away("")), "web", "web[0] on n1");
    check_wanted(&format!("{}\nback n2\ngone web[0] on n2", away("type=batch")), "web", "");
    check_wanted(&format!("{}\nback n2\ngone web[0] on n2\nsweep\nask web", away("type=batch")), "web", "");
}

#[test]
fn one_whose_node_returns_when_it_needs_no_replacement_stays() {
    let setup = "node n1 cpu=100
         node n2
         job web cpu=400
         alloc web[0] on n2 running healthy
         run
         down n2
         run";
    check(&format!("{setup}\nback n2\nreports n2"), "");
    check(&format!("{setup}\nask web"), "blocked web 1: cpu 1, node down 1");
}

#[test]
fn a_returned_instance_of_a_smaller_count_ends() {
    let setup = "node n1
         node n2
         job web count=2 keep
         alloc web[0] on n1 running healthy
         alloc web[1] on n2 running healthy
         run
         down n2
         run
         job web count=1";
    check(
        setup,
        "in-place web[0]
         stop web[1] on n2: not needed",
    );
    check(&format!("{setup}\nrun\nback n2\ngone web[1] on n2"), "");
}

#[test]
fn a_returned_instance_of_a_stopped_job_ends() {
    let setup = format!("{}\nstop web", away("keep"));
    check(&setup, "stop web[0] on n2: job stopped");
    check(&format!("{setup}\nrun\nback n2\ngone web[0] on n2"), "");
}

#[test]
fn what_returned_takes_a_new_version_as_any_other() {
    let setup = format!("{}\nback n2\nreports n2\nsweep\nrun", away("lost_after=1h reconcile=keep_original"));
    check(
        &format!("{setup}\njob web change=env constraint=\"${{node.unique.name}} = n2\""),
        "stop web[0] on n2: updated
         place web[0] on n2 after web[0]",
    );
    check(&format!("{setup}\njob web change=tags"), "in-place web[0]");
}

#[test]
fn a_pending_one_is_replaced_as_one_that_runs() {
    let setup = away("lost_after=60s").replace("running healthy", "pending");
    check(setup.trim_end_matches("run"), "place web[0] on n1\nfollow-up in 60s for web[0]");
}

#[test]
fn a_replacement_that_is_lost_too_is_replaced_and_the_first_that_returns_decides() {
    let setup = "node n1 cpu=1000 mem=1000
         node n2
         node n3
         job web lost_after=1h reconcile=keep_original
         alloc web[0] on n2 running healthy
         run
         down n2
         run
         healthy web
         down n3
         run";
    check_wanted(setup, "web", "web[0] on n1\nweb[0] on n2\nweb[0] on n3");
    check_wanted(&format!("{setup}\nback n2\nreports n2"), "web", "web[0] on n2");
    check_wanted(&format!("{setup}\nback n3\nreports n3"), "web", "web[0] on n2\nweb[0] on n3");
    check_wanted(&format!("{setup}\nback n3\nreports n3\nback n2\nreports n2"), "web", "web[0] on n2");
}

#[test]
fn a_canary_out_of_contact_is_replaced_and_the_original_may_come_back() {
    let setup = "node n1
         node n2 cpu=200
         job web count=1 max_parallel=1 canary=1 lost_after=1h reconcile=keep_original
         alloc web[0] on n1 running healthy
         job web change=env constraint=\"${node.unique.name} != n1\"
         run
         healthy web
         node n3
         down n2";
    check(
        setup,
        "canary web[0] on n3
         follow-up in 3600s for web[0]
         held back web 1",
    );
    check(&format!("{setup}\nrun\nback n2\nreports n2\nsweep\njob web"), "held back web 1");
}

#[test]
fn a_dry_run_counts_what_waits_for_a_node_as_unchanged() {
    check_dry_run(
        &away("keep"),
        "job web",
        "version 0
         web: ignore 1",
    );
}
