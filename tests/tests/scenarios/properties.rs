//! What holds of every cluster, on random small ones: after each step nothing exceeds its node, names are unique, what is
//! derived is right, `apply` takes all of every plan, and asking again changes nothing. A failure is a scenario.

use proptest::prelude::*;
use tests::scenarios::first_wrong;

/// Cases of each property; each plays some twenty steps and checks after each.
const CASES: u32 = 200;

fn nodes() -> impl Strategy<Value = Vec<String>> {
    let node = (300..3000u32, 200..2000u32, 0..3u8);
    let line = |(at, (cpu, mem, rack)): (usize, _)| format!("node n{at} cpu={cpu} mem={mem} rack=r{rack}");
    proptest::collection::vec(node, 1..5).prop_map(move |all| all.into_iter().enumerate().map(line).collect())
}

fn job() -> impl Strategy<Value = String> {
    let placement = prop_oneof![
        4 => Just(""),
        1 => Just("spread=rack"),
        1 => Just("distinct_hosts"),
        1 => Just("distinct_property=rack:2"),
        1 => Just("port=8080"),
        1 => Just("dynamic_ports=2"),
        1 => Just("constraint=\"${meta.rack} = r1\""),
        1 => Just("all_at_once"),
    ];
    let kind = prop_oneof![
        4 => Just(""),
        2 => Just("max_parallel=1"),
        1 => Just("max_parallel=2 canary=1"),
        1 => Just("type=batch"),
        1 => Just("type=system"),
        1 => Just("lost_after=30s keep"),
    ];
    (0..6u32, 50..900u32, 50..600u32, placement, kind)
        .prop_map(|(count, cpu, mem, placement, kind)| format!("{kind} count={count} cpu={cpu} mem={mem} {placement}"))
}

fn step(nodes: usize) -> impl Strategy<Value = String> {
    let node = move || 0..nodes;
    prop_oneof![
        3 => (0..2u8).prop_map(|job| format!("healthy w{job}")),
        3 => Just("sweep".to_string()),
        2 => (0..2u8, 0..6u32).prop_map(|(job, count)| format!("job w{job} count={count}")),
        2 => (0..2u8, 50..900u32).prop_map(|(job, cpu)| format!("job w{job} cpu={cpu}")),
        1 => (0..2u8).prop_map(|job| format!("job w{job} change=env")),
        1 => (0..2u8).prop_map(|job| format!("job w{job} change=tags")),
        1 => (0..2u8).prop_map(|job| format!("stop w{job}")),
        2 => (0..2u8).prop_map(|job| format!("fails w{job}")),
        2 => (1..120u32).prop_map(|seconds| format!("wait {seconds}s")),
        2 => node().prop_map(|node| format!("down n{node}")),
        2 => node().prop_map(|node| format!("back n{node}")),
        1 => node().prop_map(|node| format!("drain n{node}")),
    ]
}

fn story() -> impl Strategy<Value = Vec<String>> {
    (nodes(), job(), job()).prop_flat_map(|(nodes, first, second)| {
        let steps = proptest::collection::vec(step(nodes.len()), 0..20);
        let jobs = [format!("job w0 {first}"), format!("job w1 {second}")];
        steps.prop_map(move |steps| nodes.iter().chain(&jobs).chain(&steps).cloned().collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_ever_wrong_and_asking_again_changes_nothing(lines in story()) {
        let wrong = first_wrong(&lines);
        prop_assert!(wrong.is_none(), "{}", wrong.unwrap_or_default());
    }
}
