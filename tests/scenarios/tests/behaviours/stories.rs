//! Random stories of small clusters, in the language of the scenarios: what nodes and jobs there are, and what happens.

use proptest::prelude::*;

pub(crate) fn nodes() -> impl Strategy<Value = Vec<String>> {
    let equipment = prop_oneof![
        2 => Just(""),
        1 => Just("cores=0-2 core_mhz=300"),
        1 => Just("device=nvidia/gpu/a100:2 device=amd/gpu/mi50:1"),
        2 => Just("cores=1-4 core_mhz=200 device=nvidia/gpu/a100:3-1 network=lan:10.0.0.1 volume=data ports=20000-20004"),
    ];
    let node = (300..3000u32, 200..2000u32, 0..3u8, equipment);
    let line = |(at, (cpu, mem, rack, equipment)): (usize, _)| {
        format!("node n{at} cpu={cpu} mem={mem} {equipment} rack=r{rack}")
    };
    proptest::collection::vec(node, 1..5).prop_map(move |all| all.into_iter().enumerate().map(line).collect())
}

pub(crate) fn job() -> impl Strategy<Value = String> {
    let placement = prop_oneof![
        4 => Just(""),
        1 => Just("spread=rack"),
        1 => Just("distinct_hosts"),
        1 => Just("distinct_property=rack:2"),
        1 => Just("port=8080"),
        1 => Just("dynamic_ports=2"),
        1 => Just("constraint=\"${meta.rack} = r1\""),
        1 => Just("all_at_once"),
        1 => Just("sticky"),
        1 => Just("cores=1"),
        1 => Just("cores=2 device=gpu:1"),
        1 => Just("device=nvidia/gpu:2"),
        2 => Just("device=\"gpu:1;share=300\""),
        1 => Just("device=\"gpu:1;share=600\" device=\"nvidia/gpu:1;share=450;affinity=50 ${device.vendor} = nvidia\""),
        1 => Just("port=8080@lan dynamic_ports=1@lan dynamic_ports=1"),
        1 => Just("port=8080 port=20001 ignore_collision volume=data:ro"),
    ];
    let kind = prop_oneof![
        4 => Just(""),
        2 => Just("max_parallel=1"),
        1 => Just("max_parallel=1 reschedule=never"),
        1 => Just("max_parallel=1 auto_revert reschedule=5s attempts=1"),
        1 => Just("max_parallel=2 canary=1"),
        1 => Just("max_parallel=2 canary=2 auto_promote auto_revert"),
        1 => Just("type=batch"),
        1 => Just("type=system"),
        1 => Just("type=system max_parallel=1"),
        1 => Just("type=system max_parallel=2 canary=50 auto_promote auto_revert"),
        1 => Just("type=sysbatch"),
        1 => Just("lost_after=30s keep"),
        1 => Just("keep"),
        1 => Just("lost_after=1m reconcile=keep_original"),
        1 => Just("lost_after=1m reconcile=keep_replacement max_parallel=1"),
        1 => Just("type=batch lost_after=1m reconcile=longest_running"),
        1 => Just("stop_on_client_after=30s"),
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
        1 => (0..2u8, 0..3u8).prop_map(|(job, cores)| format!("job w{job} cores={cores}")),
        1 => (0..2u8, 1..1001u32).prop_map(|(job, share)| format!("job w{job} no_devices device=\"gpu:1;share={share}\"")),
        1 => (0..2u8).prop_map(|job| format!("job w{job} change=tags")),
        1 => (0..2u8).prop_map(|job| format!("stop w{job}")),
        1 => (0..2u8, 0..4u32).prop_map(|(job, tens)| format!("job w{job} priority={}", 20 + 20 * tens)),
        2 => (0..2u8).prop_map(|job| format!("fails w{job}")),
        2 => (0..2u8).prop_map(|job| format!("crash w{job}")),
        2 => (1..120u32).prop_map(|seconds| format!("wait {seconds}s")),
        1 => Just("wait 10m".to_string()),
        1 => Just("wait 2h\ncollect".to_string()),
        3 => Just("watch".to_string()),
        2 => node().prop_map(|node| format!("down n{node}")),
        2 => node().prop_map(|node| format!("back n{node}")),
        2 => node().prop_map(|node| format!("reports n{node}")),
        2 => node().prop_map(|node| format!("drain n{node}")),
        1 => node().prop_map(|node| format!("undrain n{node}")),
        1 => (0..2u8).prop_map(|job| format!("ask w{job} force")),
    ]
}

/// Two jobs on a few nodes.
pub fn story() -> impl Strategy<Value = Vec<String>> {
    let scheduler = prop_oneof![2 => Just("scheduler"), 1 => Just("scheduler spread"), 2 => Just("scheduler preempt")];
    (scheduler, nodes(), job(), job()).prop_flat_map(|(scheduler, nodes, first, second)| {
        let steps = proptest::collection::vec(step(nodes.len()), 0..20);
        let jobs = [format!("job w0 {first}"), format!("job w1 {second}")];
        let begin = [scheduler.to_string()];
        steps.prop_map(move |steps| begin.iter().chain(&nodes).chain(&jobs).chain(&steps).cloned().collect())
    })
}

/// Who may take whose room: priorities far enough apart, and some that are not.
fn priority() -> impl Strategy<Value = u32> {
    prop_oneof![Just(20u32), Just(25), Just(50), Just(50), Just(70), Just(90)]
}

/// A job with one group more.
fn second_group() -> impl Strategy<Value = String> {
    let rules = prop_oneof![3 => Just(""), 1 => Just("max_parallel=1"), 1 => Just("max_parallel=1 canary=1"), 1 => Just("port=9090")];
    (0..3u32, 50..700u32, 50..400u32, rules)
        .prop_map(|(count, cpu, mem, rules)| format!("\ngroup side count={count} cpu={cpu} mem={mem} {rules}"))
}

/// One of several jobs, which differ in what they are worth.
fn rival(at: usize) -> impl Strategy<Value = String> {
    let side = prop_oneof![3 => Just(String::new()), 1 => second_group()];
    (job(), priority(), side)
        .prop_map(move |(job, priority, side)| format!("job r{at} priority={priority} {job}{side}"))
}

/// What may happen among many jobs.
fn rough_step(nodes: usize, jobs: usize) -> impl Strategy<Value = String> {
    let node = move || 0..nodes;
    let job = move || 0..jobs;
    let rollout = prop_oneof![
        Just("max_parallel=1"),
        Just("max_parallel=1 canary=1"),
        Just("max_parallel=2 canary=30"),
        Just("max_parallel=3 canary=60 auto_promote"),
    ];
    // Never less than at first: a node that shrinks below what it holds is over its capacity, and nobody decided that.
    let size = prop_oneof![2 => Just("mem=4000"), 1 => Just("cpu=3000 mem=8000")];
    prop_oneof![
        4 => job().prop_map(|job| format!("healthy r{job}")),
        4 => Just("sweep".to_string()),
        3 => Just("watch".to_string()),
        3 => (job(), 0..7u32).prop_map(|(job, count)| format!("job r{job} count={count}")),
        2 => (job(), 50..1500u32, 50..900u32).prop_map(|(job, cpu, mem)| format!("job r{job} cpu={cpu} mem={mem}")),
        2 => job().prop_map(|job| format!("job r{job} change=env")),
        2 => (job(), rollout).prop_map(|(job, rollout)| format!("job r{job} change=env {rollout}")),
        1 => job().prop_map(|job| format!("job r{job} change=tags")),
        2 => (job(), priority()).prop_map(|(job, priority)| format!("job r{job} priority={priority}")),
        1 => job().prop_map(|job| format!("stop r{job}")),
        1 => job().prop_map(|job| format!("ask r{job} force")),
        3 => job().prop_map(|job| format!("fails r{job}")),
        2 => job().prop_map(|job| format!("crash r{job}")),
        2 => (1..200u32).prop_map(|seconds| format!("wait {seconds}s")),
        1 => Just("wait 20m".to_string()),
        2 => Just("wait 2h\ncollect".to_string()),
        1 => Just("wait 8h\ncollect".to_string()),
        3 => node().prop_map(|node| format!("down n{node}")),
        3 => node().prop_map(|node| format!("back n{node}")),
        3 => node().prop_map(|node| format!("reports n{node}")),
        2 => node().prop_map(|node| format!("drain n{node}")),
        1 => node().prop_map(|node| format!("drain n{node} deadline=1m ignore_system")),
        2 => node().prop_map(|node| format!("undrain n{node}")),
        1 => node().prop_map(|node| format!("ineligible n{node}")),
        1 => node().prop_map(|node| format!("eligible n{node}")),
        1 => (node(), 0..3u8, size).prop_map(|(node, rack, size)| format!("node n{node} rack=r{rack} {size}")),
        1 => Just("scheduler preempt".to_string()),
        1 => Just("scheduler spread preempt".to_string()),
    ]
}

/// Several jobs of different worth on some nodes, for a long time: what waits for others, and is forgotten meanwhile.
pub fn long_story() -> impl Strategy<Value = Vec<String>> {
    let nodes = (nodes(), nodes()).prop_map(|(some, more)| {
        let more = more
            .into_iter()
            .enumerate()
            .map(|(at, line)| line.replacen(&format!("n{at} "), &format!("n{} ", at + some.len()), 1));
        some.iter().cloned().chain(more).collect::<Vec<_>>()
    });
    let jobs = (rival(0), rival(1), rival(2), rival(3), 2..5usize);
    (nodes, jobs).prop_flat_map(|(nodes, (r0, r1, r2, r3, number))| {
        let jobs: Vec<_> = [r0, r1, r2, r3].into_iter().take(number).collect();
        let steps = proptest::collection::vec(rough_step(nodes.len(), number), 10..60);
        let begin = ["scheduler preempt".to_string()];
        steps.prop_map(move |steps| begin.iter().chain(&nodes).chain(&jobs).chain(&steps).cloned().collect())
    })
}
