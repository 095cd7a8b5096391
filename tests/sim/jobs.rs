//! The jobs of a run: each follows from the seed and its number, and each registration of it from one number more.

use std::time::Duration;

use model::testing::job;
use model::{
    Check, CheckKind, Constraint, DelayFunction, Disconnect, Group, Job, JobKey, JobType, Lifecycle, LifecycleHook,
    Network, Operator, Port, Reconcile, Reschedule, Restart, RestartMode, Service, Spread, Task, Update,
};
use serde_json::json;

use super::seed::SeededRandom;

/// Kinds of jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A service as most are.
    Plain,
    /// A service with ports, in the catalog, with checks.
    Served,
    /// A service that is picky about its nodes.
    Picky,
    /// A service with rules for nodes out of contact.
    Disconnect,
    /// A service that fails again and again.
    Crashing,
    /// A service with a task before the others and one beside them.
    Several,
    /// A service that does not fit beside others, and goes before them.
    Important,
    /// A batch job.
    Batch,
    /// A job on every node.
    System,
    /// A batch job on every node.
    SysBatch,
}

const KINDS: [Kind; 13] = [
    Kind::Plain,
    Kind::Plain,
    Kind::Plain,
    Kind::Served,
    Kind::Served,
    Kind::Picky,
    Kind::Disconnect,
    Kind::Disconnect,
    Kind::Crashing,
    Kind::Several,
    Kind::Important,
    Kind::Batch,
    Kind::System,
];

/// The job of that number in the run of `seed`.
pub fn key(number: u64) -> JobKey {
    JobKey::new(model::DEFAULT_NAMESPACE, &format!("job{number}"))
}

/// Job `number` of the run of `seed` as `registration` gives it: what the job is stays, what a person changes does not.
pub fn document(seed: u64, number: u64, registration: u64) -> Job {
    let random = SeededRandom::part(seed, 2_000 + number);
    let kind = if random.chance(6) { Kind::SysBatch } else { random.pick(&KINDS).expect("there are some") };
    let changes = SeededRandom::part(seed, 3_000 + registration);
    let mut document = job(&format!("job{number}"));
    document.groups[0].count = changes.between(1, 4) as u32;
    document.priority = random.between(30, 60) as u32;
    document.meta.insert("registration".into(), registration.to_string());
    quicken(&mut document.groups[0], &random);
    size(&mut document.groups[0].tasks[0], &random);
    match kind {
        Kind::Plain => {}
        Kind::Served => serve(&mut document.groups[0], number, &random),
        Kind::Picky => pick_nodes(&mut document.groups[0], &random),
        Kind::Disconnect => document.groups[0].disconnect = Some(disconnect(&random)),
        Kind::Crashing => crash(&mut document.groups[0], &random),
        Kind::Several => add_tasks(&mut document.groups[0], &random),
        Kind::Important => {
            document.priority = 90;
            document.groups[0].tasks[0].resources.memory = random.between(6, 12) * 100;
        }
        Kind::Batch => batch(&mut document, JobType::Batch, &random),
        Kind::System => per_node(&mut document),
        Kind::SysBatch => batch(&mut document, JobType::SysBatch, &random),
    }
    change(&mut document, &changes);
    document
}

/// Has everything happen within seconds.
fn quicken(group: &mut Group, random: &SeededRandom) {
    if let Some(update) = &mut group.update {
        *update = Update {
            max_parallel: random.between(1, 2) as u32,
            min_healthy_time: random.milliseconds(500, 2_000),
            healthy_deadline: Duration::from_secs(12),
            progress_deadline: Duration::from_secs(20),
            canary: if random.chance(35) { random.between(1, 2) as u32 } else { 0 },
            auto_revert: random.chance(40),
            auto_promote: random.chance(50),
            ..Update::default()
        };
    }
    if let Some(migrate) = &mut group.migrate {
        migrate.max_parallel = random.between(1, 2) as u32;
        migrate.min_healthy_time = Duration::from_secs(1);
        migrate.healthy_deadline = Duration::from_secs(12);
    }
    group.restart = Some(Restart {
        attempts: random.between(0, 2) as u32,
        interval: Duration::from_secs(30),
        delay: random.milliseconds(500, 2_000),
        mode: if random.chance(20) { RestartMode::Delay } else { RestartMode::Fail },
        ..Restart::default()
    });
    group.reschedule = Some(Reschedule {
        delay: random.milliseconds(5_000, 7_000),
        delay_function: random
            .pick(&[DelayFunction::Constant, DelayFunction::Exponential, DelayFunction::Fibonacci])
            .expect("there are three"),
        max_delay: Duration::from_secs(10),
        ..Reschedule::default()
    });
    group.shutdown_delay = random.chance(20).then(|| Duration::from_secs(1));
}

fn size(task: &mut Task, random: &SeededRandom) {
    task.resources.memory = 50 + 50 * random.below(7);
    task.resources.cpu = 50 + 50 * random.below(6);
    task.kill_timeout = random.milliseconds(1_000, 5_000);
    let mut play = |name: &str, value: serde_json::Value| drop(task.config.insert(name.into(), value));
    if random.chance(25) {
        play("stop_delay", json!(format!("{}ms", random.between(100, 6_000))));
    }
    if random.chance(10) {
        play("hang", json!(true));
    }
    if random.chance(25) {
        play("start_delay", json!(format!("{}ms", random.between(100, 3_000))));
    }
}

fn serve(group: &mut Group, number: u64, random: &SeededRandom) {
    let port = |label: &str, value| Port { label: label.into(), value, ..Port::default() };
    let mut network = Network { dynamic_ports: vec![port("http", 0)], ..Network::default() };
    if random.chance(40) {
        network.reserved_ports.push(port("fixed", 8_000 + number as u16 % 2));
    }
    group.networks = vec![network];
    let check = Check {
        name: "alive".into(),
        kind: CheckKind::Tcp,
        interval: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        ..Check::default()
    };
    let checks = if random.chance(80) { vec![check] } else { Vec::new() };
    let name = format!("service{number}");
    group.services = vec![Service { name, port_label: "http".into(), checks, ..Service::default() }];
    let pass_after = format!("{}ms", random.between(0, 3_000));
    group.tasks[0].config.insert("checks_pass_after".into(), json!(pass_after));
}

fn pick_nodes(group: &mut Group, random: &SeededRandom) {
    let condition = |attribute: &str, operator, value: &str| Constraint {
        attribute: attribute.into(),
        operator,
        value: value.into(),
    };
    match random.below(4) {
        0 => group.constraints.push(condition("", Operator::DistinctHosts, "")),
        1 => group.constraints.push(condition("${node.class}", Operator::Equal, "large")),
        2 => group.constraints.push(condition("${meta.rack}", Operator::NotEqual, "r0")),
        _ => group.spreads.push(Spread { attribute: "${meta.rack}".into(), weight: 100, targets: Vec::new() }),
    }
}

fn disconnect(random: &SeededRandom) -> Disconnect {
    let reconcile =
        [Reconcile::BestScore, Reconcile::KeepOriginal, Reconcile::KeepReplacement, Reconcile::LongestRunning];
    Disconnect {
        lost_after: random.milliseconds(5_000, 20_000),
        stop_on_client_after: random.chance(30).then(|| random.milliseconds(5_000, 15_000)),
        replace: random.chance(75),
        reconcile: random.pick(&reconcile).expect("there are four"),
    }
}

fn crash(group: &mut Group, random: &SeededRandom) {
    let config = &mut group.tasks[0].config;
    match random.below(4) {
        0 => drop(config.insert("oom_after".into(), json!(format!("{}ms", random.between(500, 8_000))))),
        1 => {
            config.insert("fail_probability".into(), json!(50));
            config.insert("fail_after".into(), json!("2s"));
        }
        2 => drop(config.insert("start_error".into(), json!("no such image"))),
        _ => {
            config.insert("run_for".into(), json!(format!("{}ms", random.between(500, 8_000))));
            // A service that ends well and may not restart is placed anew at once and for ever; its rollout has no end.
            config.insert("exit_code".into(), json!(random.between(1, 2)));
        }
    }
}

fn add_tasks(group: &mut Group, random: &SeededRandom) {
    let main = group.tasks[0].clone();
    let task = |name: &str, hook, sidecar, run_for: Option<&str>| {
        let mut task = Task { name: name.into(), lifecycle: Some(Lifecycle { hook, sidecar }), ..main.clone() };
        task.config.clear();
        if let Some(run_for) = run_for {
            task.config.insert("run_for".into(), json!(run_for));
        }
        task
    };
    let before = task("before", LifecycleHook::Prestart, false, Some("1s"));
    let beside = task("beside", LifecycleHook::Prestart, true, None);
    let after = task("after", LifecycleHook::Poststop, false, Some("1s"));
    group.tasks.push(before);
    if random.chance(50) {
        group.tasks.push(beside);
    }
    if random.chance(50) {
        group.tasks.push(after);
    }
}

fn batch(document: &mut Job, kind: JobType, random: &SeededRandom) {
    document.kind = kind;
    let group = &mut document.groups[0];
    group.update = None;
    group.migrate = None;
    group.reschedule = Reschedule::of(kind).map(|rules| Reschedule { attempts: 2, ..rules });
    let config = &mut group.tasks[0].config;
    config.insert("run_for".into(), json!(format!("{}ms", random.between(2_000, 25_000))));
    if random.chance(30) {
        config.insert("fail_probability".into(), json!(40));
    }
}

fn per_node(document: &mut Job) {
    document.kind = JobType::System;
    let group = &mut document.groups[0];
    group.count = 1;
    group.migrate = None;
    group.reschedule = None;
    group.tasks[0].resources.memory = 60;
    group.tasks[0].resources.cpu = 50;
}

/// What a person changes: nothing that tasks notice, or something that has them replaced.
fn change(document: &mut Job, random: &SeededRandom) {
    let task = &mut document.groups[0].tasks[0];
    match random.below(4) {
        0 => {}
        1 => drop(task.env.insert("RELEASE".into(), random.below(1_000).to_string())),
        2 => task.resources.memory += 10 * random.below(5),
        _ => document.priority += random.below(5) as u32,
    }
    // A release that does not come up.
    if document.kind == JobType::Service && random.chance(12) {
        let task = &mut document.groups[0].tasks[0];
        task.config.insert("run_for".into(), json!("1s"));
        task.config.insert("exit_code".into(), json!(1));
    }
}
