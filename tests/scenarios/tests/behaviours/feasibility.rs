//! Which nodes could take an instance at all.

use scenarios::check;

/// One node that meets `constraint`, one that does not, and one that lacks the attribute.
#[track_caller]
fn only_the_first(meets: &str, does_not: &str, constraint: &str) {
    check(
        &format!(
            "node n1 {meets}
             node n2 {does_not}
             job web constraint=\"{constraint}\""
        ),
        "place web[0] on n1",
    );
}

#[test]
fn constraints_compare_by_every_operator() {
    only_the_first("rack=r1", "rack=r2", "${meta.rack} = r1");
    only_the_first("rack=r1", "rack=r2", "${meta.rack} != r2");
    only_the_first("size=9", "size=10", "${meta.size} < 10");
    only_the_first("size=10", "size=11", "${meta.size} <= 10");
    only_the_first("size=10", "size=9", "${meta.size} > 9");
    only_the_first("size=10", "size=9", "${meta.size} >= 10");
    only_the_first(
        "attr.kernel.version=5.10.0-28-amd64",
        "attr.kernel.version=4.19",
        "${attr.kernel.version} version >= 5.9",
    );
    only_the_first("attr.v=1.4.0", "attr.v=2.0.0", "${attr.v} semver >= 1.0.0, < 2.0.0");
    only_the_first("rack=row-7", "rack=line-7", "${meta.rack} regexp ^row-[0-9]$");
    only_the_first("tags=a,b,c", "tags=a,c", "${meta.tags} set_contains a,b");
    only_the_first("tags=b", "tags=c", "${meta.tags} set_contains_any a,b");
    only_the_first("ssd=yes", "disk=1000", "${meta.ssd} is_set");
    only_the_first("disk=1000", "ssd=yes", "${meta.ssd} is_not_set");
}

#[test]
fn a_constraint_may_name_what_every_node_has() {
    only_the_first("class=big", "class=small", "${node.class} = big");
    only_the_first("dc=dc1", "dc=dc2", "${node.datacenter} = dc1");
    only_the_first("", "", "${node.unique.name} = n1");
}

#[test]
fn an_unmet_constraint_is_named_with_the_number_of_nodes() {
    check(
        "node n1 rack=r2
         node n2 rack=r3
         node n3
         job web constraint=\"${meta.rack} = r1\"",
        "blocked web 1: ${meta.rack} = r1 3",
    );
}

#[test]
fn a_constraint_of_the_job_holds_for_all_groups() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job web job_constraint=\"${meta.rack} = r2\"
         group api",
        "place web[0] on n2
         place web.api[0] on n2",
    );
}

#[test]
fn every_reason_of_a_node_is_counted() {
    check(
        "node n1 mem=100 dc=dc2
         job web mem=200 dc=dc1 constraint=\"${meta.rack} = r1\"",
        "blocked web 1: ${meta.rack} = r1 1, datacenter 1, memory 1",
    );
}

#[test]
fn datacenters_are_globs() {
    check(
        "node n1 dc=us-east
         node n2 dc=eu-west
         job web dc=eu-*",
        "place web[0] on n2",
    );
}

#[test]
fn no_datacenter_fits() {
    check(
        "node n1 dc=us-east
         job web dc=eu-*,ap-*",
        "blocked web 1: datacenter 1",
    );
}

#[test]
fn a_pool_is_for_its_own_jobs() {
    check(
        "node n1 pool=gpu
         node n2
         job web
         job train pool=gpu",
        "place web[0] on n2
         place train[0] on n1",
    );
}

#[test]
fn the_pool_of_all_takes_every_node() {
    check(
        "node n1 pool=gpu
         job web pool=all",
        "place web[0] on n1",
    );
}

#[test]
fn another_pool_is_a_reason() {
    check(
        "node n1 pool=gpu
         job web",
        "blocked web 1: node pool 1",
    );
}

#[test]
fn distinct_hosts_allows_one_instance_a_node() {
    check(
        "node n1
         node n2
         job web count=3 distinct_hosts",
        "place web[?] on n1
         place web[?] on n2
         blocked web 1: distinct_hosts 2",
    );
}

#[test]
fn distinct_hosts_sees_what_runs_already() {
    check(
        "node n1
         node n2
         job web count=2 distinct_hosts
         alloc web[0] on n1 running healthy",
        "place web[1] on n2",
    );
}

#[test]
fn distinct_property_allows_so_many_a_value() {
    check(
        "node n1 rack=r1
         node n2 rack=r1
         node n3 rack=r2
         job web count=5 distinct_property=rack:2",
        "place web[?] on n1
         place web[?] on n2
         place web[?] on n3
         place web[?] on n3
         blocked web 1: distinct_property: ${meta.rack} 3",
    );
}

#[test]
fn a_node_without_the_property_is_no_place_for_distinct_property() {
    check(
        "node n1 rack=r1
         node n2
         job web count=2 distinct_property=rack",
        "place web[?] on n1
         blocked web 1: distinct_property ${meta.rack} 1, distinct_property: ${meta.rack} 1",
    );
}

#[test]
fn distinct_property_of_a_group_counts_its_own_instances() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job web count=2 distinct_property=rack
         group api count=3 distinct_property=rack",
        "place web[?] on n1
         place web[?] on n2
         place web.api[?] on n1
         place web.api[?] on n2
         blocked web.api 1: distinct_property: ${meta.rack} 2",
    );
}

#[test]
fn distinct_property_of_a_group_counts_what_runs_already() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         node n3 rack=r2
         job web count=1 distinct_property=rack
         alloc web[0] on n3 running
         job web count=3",
        "in-place web[0]
         place web[1] on n1
         blocked web 1: distinct_property: ${meta.rack} 3",
    );
}

#[test]
fn constraints_of_job_group_and_task_all_hold() {
    check(
        "node n1 a=yes b=yes c=yes
         node n2 a=yes b=yes
         node n3 a=yes c=yes
         node n4 b=yes c=yes
         job web job_constraint=\"${meta.a} = yes\" constraint=\"${meta.b} = yes\" task_constraint=\"${meta.c} = yes\"",
        "place web[0] on n1",
    );
}

#[test]
fn a_missing_driver_is_a_reason() {
    check(
        "node n1 driver=docker
         node n2
         job web driver=docker
         job batch driver=exec",
        "place web[0] on n1
         blocked batch 1: missing driver exec 2",
    );
}

#[test]
fn nodes_that_are_closed_take_nothing_new() {
    check(
        "node n1 down
         node n2 suspect
         node n3 ineligible
         node n4 draining
         job web",
        "blocked web 1: node down 1, node draining 1, node ineligible 1, node suspect 1",
    );
}

#[test]
fn without_nodes_there_is_no_reason() {
    check("job web count=2", "blocked web 2:");
}

#[test]
fn distinct_hosts_of_a_job_hold_for_groups_that_are_placed_together() {
    check(
        "node n1 cpu=1000
         node n2
         job web job_constraint=\"x distinct_hosts\"
         group api",
        "place web[0] on n2
         place web.api[0] on n1",
    );
}
