//! What nodes have and jobs ask, as words of the scenarios. Amounts are few and round, so that things fit exactly, fall short
//! by little, and are equal.

use crate::random::Random;

/// What a node has; it never becomes less.
pub fn node(random: &mut Random) -> String {
    let cpu = random.one(&[500, 1000, 1000, 1500, 2000, 4000]);
    let mem = random.one(&[500, 1000, 1000, 2000]);
    let mut words = format!("cpu={cpu} mem={mem}");
    for (share, choices) in [
        (25, &["memory_max=1000", "memory_max=2000", "memory_max=3000"][..]),
        (30, &["disk=100", "disk=200", "disk=1000"][..]),
        (20, &["reserved=100:100", "reserved=50:0"][..]),
        (30, CORES),
        (25, &["device=nvidia/gpu/a100:2", "device=nvidia/gpu/a100:3-1", "device=amd/gpu/mi50:1"][..]),
        (15, &["device=\"nvidia/gpu/t4:2;vram=16\"", "device=fpga/x/y:1"][..]),
        (20, DEVICES_OF_NUMA_NODES),
        (25, &["network=lan:10.0.0.1", "network=lan:10.0.0.1:8080", "network=lan:127.0.0.1"][..]),
        (25, &["volume=data", "volume=data:ro", "volume=data volume=logs"][..]),
        (25, &["volume=data[0]", "volume=data[0] volume=data[1]", "volume=data[1] volume=data[2]:ro"][..]),
        (30, &["ports=20000-20003", "ports=20000-20001", "ports=8080-8083"][..]),
        (10, &["reserved_ports=8080", "reserved_ports=20001"][..]),
        (15, &["dc=dc2", "dc=eu-1", "dc=eu-2"][..]),
        (10, &["pool=gpu"][..]),
        (20, &["class=big", "class=small"][..]),
        (5, &["driver=docker", "driver=fake:sick"][..]),
        (15, &["max_allocs=2", "max_allocs=3", "max_allocs=5"][..]),
        (15, &["modes=host,none", "modes=bridge"][..]),
        (40, &["attr.plugins.secrets.safe.version=1"][..]),
    ] {
        if random.percent(share) {
            words += &format!(" {}", random.one(choices));
        }
    }
    words
}

/// What its operator says of a node, and may change.
pub fn facts(random: &mut Random) -> String {
    let mut words = String::new();
    if random.percent(80) {
        words += &format!("rack=r{}", random.below(3));
    }
    if random.percent(60) {
        let version = random.one(&["1.2.3", "1.3.0-beta1", "2.0.0", "5.10.0-28-amd64", "1.2", "1.10.1"]);
        words += &format!(" attr.version={version}");
    }
    if random.percent(30) {
        words += &format!(" attr.features={}", random.one(&["a", "a,b", "b,c", "a,b,c"]));
    }
    words
}

/// A job.
pub fn job(random: &mut Random) -> String {
    let kind = random.one(&["", "", "", "", "type=batch", "type=system", "type=sysbatch"]);
    let place = random.one(&["", "", "", "", "", "dc=dc1", "dc=eu-*", "dc=dc1,dc2", "pool=gpu", "pool=all"]);
    let at_once = if random.percent(10) { "all_at_once" } else { "" };
    let priority = random.one(&[20, 20, 25, 50, 50, 70, 90]);
    let mut words = format!("{kind} priority={priority} {place} {at_once} {}", group(random));
    if random.percent(25) {
        words += &format!("\ngroup side {}", group(random));
        if random.percent(30) {
            words += &format!("\ngroup third {}", group(random));
        }
    }
    words
}

const CORES: &[&str] = &[
    "cores=0-3 core_mhz=200",
    "cores=0-1,4-6 core_mhz=100",
    "cores=1-5",
    "cores=0-5 numa=0-2;3-5",
    "cores=0-7 numa=0-3;4-7 core_mhz=100",
];

const DEVICES_OF_NUMA_NODES: &[&str] = &[
    "device=\"nvidia/gpu/k80:2;numa=0,1\"",
    "device=\"amd/gpu/mi60:3-1;numa=1,1,0\"",
    "device=\"nvidia/gpu/k40:1;numa=1\"",
];

/// What may change of a job.
pub fn change(random: &mut Random) -> String {
    let of_job = match random.below(100) {
        0..10 => format!("priority={}", random.one(&[20, 50, 70, 90])),
        10..13 => format!("without={}", random.one(&["side", "third"])),
        13 => random.one(&["type=service", "type=batch", "type=system", "type=sysbatch"]).to_string(),
        _ => change_of_group(random),
    };
    match random.below(100) {
        0..20 => of_job + &format!("\ngroup side {}", change_of_group(random)),
        20..24 => of_job + &format!("\ngroup third {}", change_of_group(random)),
        _ => of_job,
    }
}

fn change_of_group(random: &mut Random) -> String {
    match random.below(9) {
        0..3 => format!("count={}", random.below(8)),
        3 => amounts(random),
        4..6 => "change=env".into(),
        6 => "change=tags".into(),
        7 => format!("change=env {}", random.one(&ROLLOUTS)),
        _ => format!("change=env {}", asks(random)),
    }
}

const ROLLOUTS: [&str; 8] = [
    "max_parallel=1",
    "max_parallel=2",
    "max_parallel=1 canary=1",
    "max_parallel=2 canary=2 auto_promote auto_revert",
    "max_parallel=2 canary=50",
    "max_parallel=3 canary=30 auto_promote",
    "max_parallel=1 auto_revert reschedule=5s attempts=1",
    "max_parallel=1 progress_deadline=2m",
];

const RULES: [&str; 12] = [
    "reschedule=never",
    "reschedule=5s attempts=1",
    "reschedule=30s delay=fibonacci max_delay=10m",
    "lost_after=30s keep",
    "keep",
    "lost_after=1m reconcile=keep_original",
    "lost_after=1m reconcile=keep_replacement",
    "lost_after=5m reconcile=longest_running",
    "stop_on_client_after=30s",
    "migrate=2",
    "sticky",
    "migrate=1 sticky",
];

fn group(random: &mut Random) -> String {
    let count = if random.percent(15) { random.between(8, 14) } else { random.between(0, 5) };
    let mut words = format!("count={count} {}", amounts(random));
    let mut phrases = Vec::new();
    if random.percent(35) {
        phrases.push(*random.one(&ROLLOUTS));
    }
    if random.percent(35) {
        phrases.push(*random.one(&RULES));
    }
    for _ in 0..random.below(3) {
        phrases.push(asks(random));
    }
    let mut said = Vec::new();
    for phrase in phrases {
        let keys = once(phrase);
        if !keys.iter().any(|key| said.contains(key)) {
            said.extend(keys);
            words += &format!(" {phrase}");
        }
    }
    words
}

/// The words of a phrase that are said once at most.
fn once(phrase: &str) -> Vec<&str> {
    // What is quoted has no such words.
    let words = phrase.split('"').step_by(2).flat_map(|outside| outside.split(' '));
    let keys = words.filter_map(|word| word.split('=').next());
    let repeats =
        ["", "constraint", "task_constraint", "affinity", "spread", "device", "port", "dynamic_ports", "volume"];
    keys.filter(|key| !repeats.contains(key)).collect()
}

fn amounts(random: &mut Random) -> String {
    let mut words =
        format!("cpu={} mem={}", random.one(&[50, 100, 250, 400, 500, 1000]), random.one(&[50, 100, 250, 500]));
    if random.percent(25) {
        words += &format!(" memory_max={}", random.one(&[300, 500, 1000]));
    }
    if random.percent(35) {
        words += &format!(" disk={}", random.one(&[0, 50, 100, 200]));
    }
    words
}

/// Something that a group asks or likes.
fn asks(random: &mut Random) -> &'static str {
    random.one::<&str>(ASKS)
}

const ASKS: &[&str] = &[
    "spread=rack",
    "spread=rack:r0:70,r1:20",
    "spread=rack spread=zone",
    "distinct_hosts",
    "distinct_property=rack:2",
    "distinct_property=rack",
    "port=8080",
    "port=8080 ignore_collision",
    "port=8080@lan dynamic_ports=1",
    "port=20001 dynamic_ports=1",
    "dynamic_ports=1",
    "dynamic_ports=2",
    "dynamic_ports=2@lan dynamic_ports=1",
    "constraint=\"${meta.rack} = r1\"",
    "constraint=\"${meta.rack} != r1\"",
    "constraint=\"${meta.rack} is_set\"",
    "constraint=\"${meta.rack} regexp ^r[01]$\"",
    "constraint=\"${attr.version} version >= 1.2, < 2\"",
    "constraint=\"${attr.version} version ~> 1.2\"",
    "constraint=\"${attr.version} version ~> 1.2.1\"",
    "constraint=\"${attr.version} semver >= 1.2.3\"",
    "constraint=\"${attr.version} > 1.2\"",
    "task_constraint=\"${attr.features} set_contains a,b\"",
    "constraint=\"${attr.features} set_contains_any a,c\"",
    "constraint=\"${node.class} = ${meta.rack}\"",
    "constraint=\"${node.class} != small\"",
    "affinity=\"50 ${meta.rack} = r1\"",
    "affinity=\"-100 ${meta.rack} = r1\" affinity=\"30 ${node.class} = big\"",
    "affinity=\"-60 ${attr.version} version >= 2\"",
    "cores=1",
    "cores=2",
    "cores=2 device=gpu:1",
    "cores=2 numa=require",
    "cores=3 numa=require",
    "cores=2 numa=prefer",
    "cores=1 numa=require:gpu device=gpu:1",
    "cores=2 numa=require:gpu device=gpu:2",
    "cores=1 numa=require:gpu device=\"gpu:1;share=500\"",
    "cores=2 numa=prefer:gpu device=\"gpu:1;affinity=40 ${device.vendor} = amd\"",
    "cores=1 numa=require:gpu device=\"gpu:1;constraint=${device.ids} = 1\" device=\"nvidia/gpu:1;share=400\"",
    "device=gpu:1",
    "device=gpu:2",
    "device=\"gpu:1;share=300\"",
    "device=\"gpu:1;share=600\" device=\"nvidia/gpu:1;share=450;affinity=50 ${device.vendor} = nvidia\"",
    "device=\"gpu:1;affinity=-50 ${device.vendor} = nvidia;affinity=20 ${device.model} = t4\"",
    "device=\"gpu:1;constraint=${device.attr.vram} is_set\"",
    "volume=data",
    "volume=data:ro",
    "volume=data;per_alloc",
    "volume=data:ro;per_alloc",
    "volume=data;sticky",
    "volume=data;single-writer",
    "volume=data;sticky;single-writer volume=logs:ro",
    "lost_after=1m",
    "no_devices",
    "mode=bridge",
    "mode=bridge dynamic_ports=1",
    "mode=none",
    "secret=safe",
];
