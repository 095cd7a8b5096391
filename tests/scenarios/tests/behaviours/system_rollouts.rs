//! Rollouts of system jobs: node by node as those before become healthy, and canaries as a share of the nodes.

use scenarios::{check, check_dry_run, check_watch};

/// Five nodes that run version 0.
const FIVE: &str = "node n1
     node n2
     node n3
     node n4
     node n5
     job agent type=system
     alloc agent[0] on n1 running
     alloc agent[0] on n2 running
     alloc agent[0] on n3 running
     alloc agent[0] on n4 running
     alloc agent[0] on n5 running
     run";

/// The canaries that a share of five nodes comes to, all other old instances being held back.
#[track_caller]
fn check_canaries(rules: &str, canaries: usize) {
    let held_back = 5 - canaries;
    let lines: Vec<_> = (1..=canaries).map(|at| format!("canary agent[0] on n{at} after agent[0]")).collect();
    let stops: Vec<_> = (1..=canaries).map(|at| format!("stop agent[0] on n{at}: updated")).collect();
    // Which nodes come first is the ids' matter.
    let decided = scenarios::decided(&format!("{FIVE}\njob agent change=env {rules}"));
    let hide = |lines: Vec<String>| {
        let mut hidden: Vec<_> = lines.into_iter().map(|line| hide_nodes(&line)).collect();
        hidden.sort();
        hidden
    };
    let more = ["deployment begins".to_string(), format!("held back agent {held_back}")];
    let expected = lines.into_iter().chain(stops).chain(more).collect();
    assert_eq!(hide(decided), hide(expected), "{rules}");
}

fn hide_nodes(line: &str) -> String {
    (1..=5).fold(line.to_string(), |line, at| line.replace(&format!("n{at}"), "n?"))
}

#[test]
fn canaries_are_a_share_of_the_nodes_rounded_up_and_no_more_than_max_parallel() {
    check_canaries("max_parallel=5 canary=20", 1);
    check_canaries("max_parallel=5 canary=30", 2);
    check_canaries("max_parallel=5 canary=40", 2);
    check_canaries("max_parallel=5 canary=41", 3);
    check_canaries("max_parallel=2 canary=90", 2);
}

/// Two nodes, one of which runs a canary of a new version.
const CANARY: &str = "node n1
     node n2
     job agent type=system
     alloc agent[0] on n1 running
     run
     job agent change=env max_parallel=2 canary=50
     run
     gone agent[0] on n1";

#[test]
fn a_node_without_an_instance_takes_the_version_that_is_proven_while_canaries_are_not() {
    check(
        "node n1
         job agent type=system
         alloc agent[0] on n1 running
         job agent change=env max_parallel=2 canary=50
         run
         node n2
         gone agent[0] on n1",
        "place agent[0] of version 0 on n2",
    );
}

#[test]
fn what_ran_before_is_known_for_as_long_as_the_new_version_is_unproven() {
    // The second version is on n1 only, where the canary is then, since n2 was closed to it.
    let setup = "node n1
         node n2
         job agent type=system
         run
         runs agent[0] on n1
         runs agent[0] on n2
         ineligible n2
         job agent change=env
         run
         gone agent[0] on n1
         runs agent[0] on n1
         run
         job agent change=meta max_parallel=1 canary=50
         run
         gone agent[0] on n1
         run";
    for later in ["", "wait 2h\ncollect\nrun"] {
        check(&format!("{setup}\n{later}\nnode n3"), "place agent[0] of version 1 on n3");
    }
}

#[test]
fn a_canary_takes_the_place_of_an_instance_that_runs_and_of_none_that_was_just_placed() {
    let setup = "node n0
         node n1
         job agent type=system
         run
         runs agent[0] on n0
         runs agent[0] on n1
         down n0
         fails agent[0] on n1
         run
         job agent change=env max_parallel=2 canary=50
         wait 40s";
    check(setup, "place agent[0] of version 0 on n1");
    check(
        &format!("{setup}\nrun\nruns agent[0] on n1"),
        "deployment begins
         stop agent[0] on n1: updated
         canary agent[0] on n1 after agent[0]",
    );
}

#[test]
fn canaries_are_not_followed_until_they_are_promoted() {
    let setup = "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         job agent change=env max_parallel=1 canary=50
         run
         sweep
         healthy agent";
    check(setup, "held back agent 1");
    let decided = scenarios::decided(&format!("{setup}\nrun\ndeployment agent promoted"));
    assert_eq!(decided.iter().filter(|line| line.starts_with("place agent[0]")).count(), 1, "{decided:?}");
}

#[test]
fn healthy_canaries_promote_themselves_where_the_job_says_so() {
    check_watch(
        "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         job agent change=env max_parallel=1 canary=50 auto_promote
         run
         sweep
         healthy agent",
        "agent is promoted",
    );
}

#[test]
fn canaries_are_counted_among_nodes_that_take_the_job_only() {
    let decided = scenarios::decided(
        "node n1 rack=r1
         node n2 rack=r1
         node n3
         node n4
         node n5
         node n6
         job agent type=system constraint=\"${meta.rack} = r1\"
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         job agent change=env max_parallel=5 canary=50",
    );
    assert_eq!(decided.iter().filter(|line| line.starts_with("canary")).count(), 1, "{decided:?}");
}

#[test]
fn canaries_on_fewer_nodes_than_max_parallel_leave_the_rest_alone() {
    let decided = scenarios::decided(
        "node n1 rack=r1
         node n2 rack=r1
         node n3 rack=r1
         node n4
         job agent type=system constraint=\"${meta.rack} = r1\"
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         alloc agent[0] on n3 running
         run
         job agent change=env max_parallel=1 canary=100",
    );
    assert_eq!(decided.iter().filter(|line| line.starts_with("canary")).count(), 1, "{decided:?}");
    assert!(decided.contains(&"held back agent 2".to_string()), "{decided:?}");
}

#[test]
fn an_evaluation_beside_nodes_that_take_no_instance_changes_nothing() {
    check(
        "node n1 rack=r1
         node n2
         job agent type=system constraint=\"${meta.rack} = r1\" max_parallel=1
         alloc agent[0] on n1 running healthy
         run
         healthy agent
         watch
         run
         job agent",
        "",
    );
}

#[test]
fn a_canary_that_fails_is_tried_again_on_its_node() {
    check(
        &format!("{CANARY}\nfails agent[0] on n1\nrun\nwait 40s"),
        "canary agent[0] on n1
         held back agent 1",
    );
}

#[test]
fn the_canary_of_a_rollout_that_failed_goes_back_to_what_ran_before() {
    let setup = "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         job agent change=env max_parallel=1 canary=50
         run
         sweep";
    let decided = scenarios::decided(&format!("{setup}\ndeployment agent failed"));
    assert_eq!(decided.iter().filter(|line| line.starts_with("place agent[0] of version 0")).count(), 1, "{decided:?}");
}

#[test]
fn a_newer_version_takes_over_from_the_canary_of_the_last() {
    let decided = scenarios::decided(
        "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         job agent change=env max_parallel=1 canary=50
         run
         sweep
         job agent change=env",
    );
    assert_eq!(decided.iter().filter(|line| line.starts_with("canary agent[0]")).count(), 1, "{decided:?}");
    assert!(!decided.iter().any(|line| line.contains("of version 0")), "{decided:?}");
}

#[test]
fn a_rollout_ends_when_every_open_node_has_a_healthy_instance() {
    let setup = "node n1
         node n2
         job agent type=system max_parallel=1
         run";
    check_watch(setup, "");
    check_watch(&format!("{setup}\nhealthy agent"), "agent is successful: Deployment completed successfully");
    // One that joins later is part of it, one that closes is not.
    check_watch(&format!("{setup}\nhealthy agent\nnode n3"), "");
    check_watch(
        &format!("{setup}\nhealthy agent\nnode n3\nrun\nnode n3 ineligible"),
        "agent is successful: Deployment completed successfully",
    );
}

#[test]
fn a_rollout_without_any_node_has_not_ended_well() {
    check_watch("node n1 mem=100\njob agent type=system max_parallel=1 mem=200", "");
}

#[test]
fn an_instance_of_which_nobody_says_how_it_does_counts_as_healthy_once_it_runs_long_enough() {
    let setup = "node n1
         job agent type=system max_parallel=1
         run
         runs agent[0] on n1";
    check_watch(&format!("{setup}\nwait 329s"), "");
    check_watch(&format!("{setup}\nwait 330s\nwatch"), "agent is successful: Deployment completed successfully");
}

#[test]
fn a_rollout_that_makes_no_progress_fails_and_goes_no_further() {
    let setup = "node n1
         node n2
         job agent type=system
         alloc agent[0] on n1 running
         alloc agent[0] on n2 running
         run
         job agent change=env max_parallel=1
         run
         sweep
         wait 11m";
    check_watch(setup, "agent is failed: Failed due to progress deadline");
    check(&format!("{setup}\nwatch\njob agent"), "held back agent 1");
}

#[test]
fn a_group_without_a_rolling_update_changes_at_once_beside_one_with() {
    check(
        "node n1
         node n2
         job agent type=system max_parallel=1
         group side
         alloc agent[0] on n1 running healthy
         alloc agent[0] on n2 running healthy
         alloc agent.side[0] on n1 running
         alloc agent.side[0] on n2 running
         run
         healthy agent
         watch
         run
         job agent
         group side change=env",
        "stop agent.side[0] on n1: updated
         stop agent.side[0] on n2: updated
         in-place agent[0]
         in-place agent[0]
         deployment begins
         place agent.side[0] on n1 after agent.side[0]
         place agent.side[0] on n2 after agent.side[0]",
    );
}

#[test]
fn a_dry_run_says_what_a_new_version_would_change() {
    check_dry_run(
        "node n1
         node n2
         job agent type=system max_parallel=1
         run
         healthy agent
         watch",
        "job agent change=env",
        "version 1
         deployment begins
         agent: ignore 1, destructive 1
         stop agent[0] on n1
         place agent[0] on n1",
    );
}

#[test]
fn a_rollout_goes_on_when_the_node_on_which_it_failed_closes() {
    for closes in ["drain n1", "ineligible n1", "down n1"] {
        check(
            &format!(
                "node n1
                 node n2
                 job agent type=system max_parallel=1
                 alloc agent[0] on n2 running
                 job agent change=env
                 alloc agent[0] on n1 failed at=-1s
                 run
                 {closes}"
            ),
            "stop agent[0] on n2: updated
             place agent[0] on n2 after agent[0]",
        );
    }
}

#[test]
fn a_rollout_that_needs_canaries_begins_with_them_or_not_at_all() {
    // On n3, which is away, is what must be tried out first; of that job no version is left to come back as. So n2 wants
    // the new version, which alone is no reason to roll it out everywhere.
    check(
        "node n1
         node n2 mem=100
         node n3
         job agent type=batch mem=50
         alloc agent[0] on n3 pending
         purge agent
         job agent type=system mem=250 max_parallel=2 canary=50
         run
         down n3
         run
         runs agent[0] on n1
         run
         job agent change=env
         run
         gone agent[0] on n1
         run
         fails agent[0] on n1
         run
         job agent change=env",
        "deployment cancelled
         blocked agent 1: memory 1",
    );
}

#[test]
fn canaries_of_one_group_wait_until_those_of_the_others_can_begin_too() {
    let setup = "node n1
         job agent type=system
         group side
         run
         runs agent[0] on n1
         run
         job agent change=env max_parallel=1 canary=50
         group side change=env max_parallel=1 canary=50";
    // Nobody knows anything yet of what the canary of `side` would take the place of.
    check(
        setup,
        "held back agent 1
         held back agent.side 1",
    );
    check(
        &format!("{setup}\nrun\nruns agent.side[0] on n1"),
        "deployment begins
         stop agent.side[0] on n1: updated
         stop agent[0] on n1: updated
         canary agent.side[0] on n1 after agent.side[0]
         canary agent[0] on n1 after agent[0]",
    );
}

#[test]
fn what_a_failed_canary_gives_way_to_is_of_a_version_that_is_still_known() {
    // What ran there before is of version 1, of which only instances are left that are over, and these not for ever.
    check(
        "node n1
         node n3 device=nvidia/gpu/a100:2
         job agent type=system
         run
         healthy agent
         job agent change=env device=gpu:1
         run
         sweep
         job agent change=env max_parallel=1 canary=30
         job agent change=env
         job agent change=env
         job agent change=env
         healthy agent
         run
         job agent change=env
         run
         job agent change=env
         run
         sweep
         job agent change=env
         run
         fail agent",
        "stop agent[0] on n3: updated
         place agent[0] of version 0 on n3 after agent[0] after agent[0]",
    );
}
