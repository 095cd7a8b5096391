//! Of the nodes that would do, which is the best.

use scenarios::check;

#[test]
fn bin_packing_picks_the_fullest_node_that_fits() {
    check(
        "node n1 cpu=1000 mem=1000
         node n2 cpu=1000 mem=1000
         job base cpu=100 mem=100
         alloc base[0] on n1 running
         job more cpu=300 mem=300
         alloc more[0] on n2 running
         job web count=1 cpu=400 mem=400",
        "place web[0] on n2",
    );
}

#[test]
fn of_empty_nodes_the_largest_is_opened() {
    check(
        "node big cpu=4000 mem=4096
         node small cpu=1000 mem=1024
         job web count=1 cpu=400 mem=400",
        "place web[0] on big",
    );
}

#[test]
fn a_node_in_use_comes_before_an_empty_one_that_would_fit_exactly() {
    check(
        "node exact cpu=400 mem=400
         node used cpu=1000 mem=1000
         job base cpu=100 mem=100
         alloc base[0] on used running
         job web count=1 cpu=400 mem=400",
        "place web[0] on used",
    );
}

/// Nodes of 1000 on which so much runs that sizes of 500 by 250 are known to be usual, and one node with room for either
/// of two that are left there.
fn usual(left_on_n1: &str, left_on_n2: &str) -> String {
    format!(
        "node full cpu=12000 mem=6000
         job usual count=24 cpu=500 mem=250
         run
         node n1 cpu=1000 mem=1000
         node n2 cpu=1000 mem=1000
         job one {left_on_n1} constraint=\"${{node.unique.name}} = n1\"
         job two {left_on_n2} constraint=\"${{node.unique.name}} = n2\"
         run"
    )
}

#[test]
fn room_that_what_usually_runs_could_fill_is_left_alone() {
    // Of n1 there is left 500 by 300, room for one of the usual size; of n2 400 by 900, room for none.
    let setup = usual("cpu=500 mem=700", "cpu=600 mem=100");
    check(&format!("{setup}\njob web cpu=300 mem=200"), "place web[0] on n2");
}

#[test]
fn bin_packing_fills_a_node_before_it_opens_another() {
    check(
        "node n1 cpu=1000 mem=1000
         node n2 cpu=1000 mem=1000
         job base cpu=300 mem=300
         alloc base[0] on n1 running
         job web count=1 cpu=300 mem=300",
        "place web[0] on n1",
    );
}

#[test]
fn what_no_longer_fits_on_the_fullest_node_goes_to_the_next() {
    check(
        "node n1 cpu=1000 mem=1000
         node n2 cpu=2000 mem=2000
         job base cpu=300 mem=800
         alloc base[0] on n1 running
         job web count=1 cpu=300 mem=300",
        "place web[0] on n2",
    );
}

#[test]
fn the_spread_algorithm_picks_the_emptiest_node() {
    check(
        "scheduler spread
         node n1 cpu=1000 mem=1000
         node n2 cpu=1000 mem=1000
         job base cpu=300 mem=300
         alloc base[0] on n1 running
         job web count=1 cpu=300 mem=300",
        "place web[0] on n2",
    );
}

#[test]
fn the_algorithm_of_a_node_pool_goes_before_the_clusters_and_that_of_a_job_before_both() {
    let cluster = "scheduler spread_pool=wide
         node n1 cpu=1000 mem=1000
         node n2 cpu=1000 mem=1000
         node w1 cpu=1000 mem=1000 pool=wide
         node w2 cpu=1000 mem=1000 pool=wide
         job base cpu=300 mem=300
         job broad cpu=300 mem=300 pool=wide
         alloc base[0] on n1 running
         alloc broad[0] on w1 running\n";
    let web = |words: &str| format!("{cluster}job web count=1 cpu=300 mem=300 {words}");
    check(&web(""), "place web[0] on n1");
    check(&web("pool=wide"), "place web[0] on w2");
    check(&web("algorithm=spread"), "place web[0] on n2");
    check(&web("pool=wide algorithm=binpack"), "place web[0] on w1");
}

#[test]
fn a_configuration_that_says_nothing_of_pools_leaves_theirs_as_it_is() {
    check(
        "scheduler spread_pool=wide
         scheduler preempt
         node w1 cpu=1000 mem=1000 pool=wide
         node w2 cpu=1000 mem=1000 pool=wide
         job base cpu=300 mem=300 pool=wide
         alloc base[0] on w1 running
         job web count=1 cpu=300 mem=300 pool=wide",
        "place web[0] on w2",
    );
}

#[test]
fn instances_of_a_group_keep_apart_where_nothing_else_speaks() {
    check(
        "node n1 cpu=1000 mem=1000
         node n2 cpu=1000 mem=1000
         node n3 cpu=1000 mem=1000
         job web count=3 cpu=100 mem=100",
        "place web[?] on n1
         place web[?] on n2
         place web[?] on n3",
    );
}

#[test]
fn an_instance_of_another_group_is_no_sibling() {
    check(
        "node n1 cpu=1000 mem=1000
         node n2 cpu=1000 mem=1000
         job web count=1 cpu=500 mem=500
         group api count=1 cpu=100 mem=100",
        "place web[?] on n1
         place web.api[?] on n1",
    );
}

#[test]
fn an_even_spread_fills_the_values_in_turn() {
    check(
        "node n1 rack=r1
         node n2 rack=r1
         node n3 rack=r2
         job web count=2 cpu=1000 spread=rack
         alloc web[0] on n1 running",
        "place web[1] on n3",
    );
}

#[test]
fn an_even_spread_fills_many_racks_alike() {
    let racks = 25;
    let nodes: Vec<_> = (0..4 * racks).map(|at| format!("node n{at} rack=r{}", at % racks)).collect();
    let setup = format!("{}\njob web count={} spread=rack\nrun", nodes.join("\n"), 2 * racks);
    // Each rack has two: no more of them fit under a limit of two, and no fewer are missing.
    check(
        &format!("{setup}\njob web count={} distinct_property=rack:2", 2 * racks),
        &"in-place web[?]\n".repeat(2 * racks),
    );
}

#[test]
fn an_even_spread_goes_before_packing() {
    check(
        "node n1 cpu=4000 rack=r1
         node n2 cpu=4000 rack=r2
         job base cpu=3000 mem=3000
         alloc base[0] on n1 running
         job web count=4 cpu=100 mem=64 spread=rack",
        "place web[?] on n1
         place web[?] on n1
         place web[?] on n2
         place web[?] on n2",
    );
}

#[test]
fn spread_targets_are_met_by_share() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job web count=4 spread=rack:r1:75,r2:25",
        "place web[?] on n1
         place web[?] on n1
         place web[?] on n1
         place web[?] on n2",
    );
}

#[test]
fn a_value_without_a_target_gets_what_the_targets_leave() {
    check(
        "node n1 rack=r1
         node n2 rack=r2
         job web count=2 spread=rack:r1:50",
        "place web[?] on n1
         place web[?] on n2",
    );
}

#[test]
fn an_affinity_prefers_a_fuller_or_emptier_node_alike() {
    check(
        "node n1 cpu=1000 mem=1000
         node n2 cpu=4000 mem=4000 ssd=yes
         job web affinity=\"100 ${meta.ssd} = yes\"",
        "place web[0] on n2",
    );
}

#[test]
fn a_negative_affinity_keeps_away() {
    check(
        "node n1 cpu=1000 mem=1000 ssd=yes
         node n2 cpu=4000 mem=4000
         job web affinity=\"-100 ${meta.ssd} = yes\"",
        "place web[0] on n2",
    );
}

#[test]
fn the_heavier_of_two_affinities_wins() {
    check(
        "node n1 ssd=yes
         node n2 zone=z1
         job web affinity=\"20 ${meta.ssd} = yes\" affinity=\"80 ${meta.zone} = z1\"",
        "place web[0] on n2",
    );
}

#[test]
fn an_affinity_is_a_wish_and_no_condition() {
    check(
        "node n1
         job web affinity=\"100 ${meta.ssd} = yes\"",
        "place web[0] on n1",
    );
}
