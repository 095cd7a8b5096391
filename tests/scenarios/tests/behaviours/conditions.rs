//! Conditions: whose they are, and what else of a node they look at than its attributes.

use scenarios::check;

#[test]
fn a_condition_of_one_group_closes_a_node_to_that_group_alone() {
    for condition in ["${meta.rack} = r2", "${node.unique.name} = n2"] {
        check(
            &format!(
                "node n1 rack=r1
                 job web
                 group api constraint=\"{condition}\""
            ),
            &format!("place web[0] on n1\nblocked web.api 1: {condition} 1"),
        );
    }
}

#[test]
fn an_unmet_condition_of_the_job_closes_a_node_to_all_its_groups() {
    check(
        "node n1 rack=r1
         job web job_constraint=\"${meta.rack} = r2\"
         group api",
        "blocked web 1: ${meta.rack} = r2 1
         blocked web.api 1: ${meta.rack} = r2 1",
    );
}

#[test]
fn each_group_says_its_own_reasons_and_not_those_of_the_one_before() {
    check(
        "node n1 mem=500
         job web mem=1000
         group api constraint=\"${meta.rack} = r2\"
         group db driver=exec",
        "blocked web 1: memory 1
         blocked web.api 1: ${meta.rack} = r2 1
         blocked web.db 1: missing driver exec 1",
    );
}

#[test]
fn a_driver_that_does_badly_is_missing() {
    check(
        "node n1 driver=docker:sick
         node n2 driver=docker:absent
         node n3 driver=docker
         job web driver=docker",
        "place web[0] on n3",
    );
    check(
        "node n1 driver=docker:sick
         node n2 driver=docker:absent
         job web driver=docker",
        "blocked web 1: missing driver docker 2",
    );
}

#[test]
fn a_pre_release_is_no_release_unless_the_strict_rules_are_asked_for() {
    let nodes = "node n1 attr.v=1.7.0-beta1\n";
    check(
        &format!("{nodes}job web constraint=\"${{attr.v}} version >= 1.6\""),
        "blocked web 1: ${attr.v} version >= 1.6 1",
    );
    check(&format!("{nodes}job web constraint=\"${{attr.v}} semver >= 1.6\""), "place web[0] on n1");
    check(&format!("{nodes}job web constraint=\"${{attr.v}} version >= 1.7.0-alpha\""), "place web[0] on n1");
}

#[test]
fn a_set_may_have_to_hold_any_or_all_whichever_way_it_is_written() {
    let node = "node n1 tags=a,b\n";
    for (condition, is_met) in [
        ("set_contains a", true),
        ("set_contains a,c", false),
        ("set_contains_all b,a", true),
        ("set_contains_any b,c", true),
        ("set_contains_any c,d", false),
    ] {
        let condition = format!("${{meta.tags}} {condition}");
        let decided = if is_met { "place web[0] on n1".into() } else { format!("blocked web 1: {condition} 1") };
        check(&format!("{node}job web constraint=\"{condition}\""), &decided);
    }
}

#[test]
fn distinct_hosts_may_be_said_no_to() {
    for (value, decided) in [
        ("", "place web[0] on n1\nblocked web 1: distinct_hosts 1"),
        ("true", "place web[0] on n1\nblocked web 1: distinct_hosts 1"),
        ("false", "place web[0] on n1\nplace web[1] on n1"),
    ] {
        for of in ["constraint", "job_constraint"] {
            check(&format!("node n1\njob web count=2 {of}=\"x distinct_hosts {value}\""), decided);
        }
    }
}

#[test]
fn distinct_hosts_of_a_group_leave_its_hosts_open_to_other_groups() {
    check(
        "node n1
         node n2
         job web count=2 distinct_hosts
         group api count=2 distinct_hosts",
        "place web[?] on n1
         place web[?] on n2
         place web.api[?] on n1
         place web.api[?] on n2",
    );
}

#[test]
fn distinct_hosts_of_a_job_count_all_its_groups_and_no_other_job() {
    check(
        "node n1
         node n2
         job other
         alloc other[0] on n1 running
         job web count=2 job_constraint=\"x distinct_hosts\"
         group api",
        "place web[?] on n1
         place web[?] on n2
         blocked web.api 1: distinct_hosts 2",
    );
}

#[test]
fn what_is_over_takes_no_host() {
    check(
        "node n1
         job web count=2 type=batch distinct_hosts
         alloc web[0] on n1 complete",
        "place web[1] on n1",
    );
}

#[test]
fn distinct_property_of_a_job_counts_all_its_groups() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job web job_constraint=\"${meta.rack} distinct_property\"
         group api
         group db",
        "place web[0] on n1
         place web.api[0] on n2
         blocked web.db 1: distinct_property: ${meta.rack} 2",
    );
}

#[test]
fn distinct_property_of_a_job_allows_so_many_a_value_of_all_its_groups() {
    check(
        "node n1 rack=r1
         node n2 rack=r1
         job web count=2 job_constraint=\"${meta.rack} distinct_property 3\"
         group api count=2",
        "place web[?] on n1
         place web[?] on n2
         place web.api[?] on n1
         blocked web.api 1: distinct_property: ${meta.rack} 2",
    );
}

#[test]
fn what_is_reserved_of_a_node_is_nobodys() {
    check(
        "node n1 cpu=1000 mem=1000 reserved=200:300
         job web count=2 cpu=400 mem=100
         group api cpu=1 mem=1",
        "place web[?] on n1
         place web[?] on n1
         blocked web.api 1: cpu 1",
    );
    check(
        "node n1 cpu=1000 mem=1000 reserved=200:300
         job web cpu=100 mem=701",
        "blocked web 1: memory 1",
    );
}
