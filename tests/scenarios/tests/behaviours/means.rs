//! What a group needs of the agent of its node: a way to attach it to the network, providers of its secrets.

use scenarios::{check, check_why};

#[test]
fn a_group_runs_where_its_network_mode_is_known() {
    check(
        "node n1 modes=host,none
         node n2 modes=host,bridge,none
         node n3 modes=host,cni/lan
         job web mode=bridge
         job api mode=cni/lan
         job idle mode=none cpu=4000
         job old mode=host cpu=4000",
        "place web[0] on n2
         place api[0] on n3
         place idle[0] on n1
         blocked old 1: cpu 3",
    );
}

#[test]
fn a_missing_network_mode_is_a_reason() {
    check(
        "node n1 modes=host,none
         node n2 modes=host,cni/lan
         job web mode=bridge
         job api mode=cni/wan",
        "blocked web 1: missing network mode bridge 2
         blocked api 1: missing network mode cni/wan 2",
    );
}

#[test]
fn a_group_that_says_nothing_of_its_network_runs_anywhere_and_a_node_that_says_nothing_knows_the_usual_modes() {
    check(
        "node n1 modes=none
         job web",
        "place web[0] on n1",
    );
    for mode in ["host", "bridge", "none"] {
        check(&format!("node n1\njob web mode={mode}"), "place web[0] on n1");
    }
    check("node n1\njob web mode=cni/lan", "blocked web 1: missing network mode cni/lan 1");
}

#[test]
fn a_node_that_learns_a_network_mode_is_open_at_once() {
    check(
        "node n1 modes=host
         job web mode=bridge
         run
         node n1 modes=host,bridge",
        "place web[0] on n1",
    );
}

#[test]
fn a_group_runs_where_all_its_secrets_can_be_fetched() {
    check(
        "node n1
         node n2 attr.plugins.secrets.file.version=1
         node n3 attr.plugins.secrets.file.version=1 attr.plugins.secrets.safe.version=2
         job web secret=file secret=safe",
        "place web[0] on n3",
    );
}

#[test]
fn a_missing_provider_of_secrets_is_a_reason_that_names_it() {
    check_why(
        "node n1
         node n2 attr.plugins.secrets.file.version=1
         job web secret=file secret=safe",
        "web",
        "web: 0 of 1 run, 1 unplaced, blocked
         2 nodes: 2 filtered, 0 exhausted, 0 fit
         n1: secrets provider file is missing; secrets provider safe is missing
         n2: secrets provider safe is missing
         hint: add one node of at least 100 MHz and 64 MiB, with secrets provider file, secrets provider safe",
    );
}

#[test]
fn the_secrets_of_every_task_count_and_so_do_those_of_the_next_group() {
    check(
        "node n1 attr.plugins.secrets.file.version=1
         node n2 attr.plugins.secrets.safe.version=1
         job web secret=file
         group api count=1 secret=safe",
        "place web[0] on n1
         place web.api[0] on n2",
    );
}

#[test]
fn a_system_job_runs_where_its_secrets_can_be_fetched_and_ends_where_they_can_not_any_more() {
    let setup = "node n1 attr.plugins.secrets.file.version=1
         node n2
         job logs type=system secret=file";
    check(setup, "place logs[0] on n1");
    check(
        &format!("{setup}\nnode n3 attr.plugins.secrets.file.version=1\nrun\nnode n1"),
        "stop logs[0] on n1: node unfit",
    );
}
