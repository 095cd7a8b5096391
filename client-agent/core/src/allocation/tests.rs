//! An allocation in scenarios: tasks and their parts, then events, then what is done.

use std::time::Duration;

use model::testing::job;
use model::{
    Assignment, Check, Desired, DocumentId, JobType, Lifecycle, LifecycleHook, Network, NetworkMode, Restart, Service,
};

use super::*;
use crate::task::Found;

struct Scenario {
    spec: Spec,
    allocation: Allocation,
    now: Timestamp,
}

/// Tasks as `name`, `name:leader`, `name:prestart`, `name:prestart+sidecar`, …; `bridge` for a shared network.
fn scenario(tasks: &str, change: impl Fn(&mut model::Job)) -> Scenario {
    let mut job = job("web");
    let template = job.groups[0].tasks.remove(0);
    for word in tasks.split_whitespace() {
        if word == "bridge" {
            job.groups[0].networks = vec![Network { mode: NetworkMode::Bridge, ..Network::default() }];
            continue;
        }
        let (name, part) = word.split_once(':').unwrap_or((word, ""));
        let mut task = template.clone();
        task.name = name.into();
        task.leader = part == "leader";
        let hook = match part.trim_end_matches("+sidecar") {
            "prestart" => Some(LifecycleHook::Prestart),
            "poststart" => Some(LifecycleHook::Poststart),
            "poststop" => Some(LifecycleHook::Poststop),
            _ => None,
        };
        task.lifecycle = hook.map(|hook| Lifecycle { hook, sidecar: part.ends_with("+sidecar") });
        job.groups[0].tasks.push(task);
    }
    change(&mut job);
    let assignment = Assignment {
        allocation: AllocationId::derive(&[b"a"]),
        document: DocumentId { job: job.key(), create_index: 1, version: 0 },
        group: "web".into(),
        index: 0,
        ports: Vec::new(),
        cores: Vec::new(),
        devices: Vec::new(),
        after: Vec::new(),
        deployment: None,
        desired: Desired::Run,
        generation: 1,
    };
    let spec = Spec::of(&job, &job.groups[0], &assignment, Duration::from_secs(1));
    let now = Timestamp::from_seconds(100);
    Scenario { allocation: Allocation::received(&spec, now), spec, now }
}

impl Scenario {
    /// Lines of `event -> effects; status`. Events: `tick`, `stop`, `+2s`, `waits`, `free`, `task started|exit-0|…`,
    /// `probe key ok|bad`.
    fn check(&mut self, lines: &str) {
        for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (event, expected) = line.split_once("->").unwrap();
            let effects = self.run(event.trim());
            let done: Vec<_> = effects.iter().map(|(name, effect)| format!("{effect:?} {name}")).collect();
            let status = self.allocation.client_status().as_str();
            assert_eq!(format!("{}; {status}", done.join(", ")), expected.trim(), "{line}");
        }
    }

    fn run(&mut self, event: &str) -> Vec<(String, Effect)> {
        let words: Vec<&str> = event.split_whitespace().collect();
        let event = match words[..] {
            ["tick"] => AllocationEvent::Tick,
            ["stop"] => AllocationEvent::Stop("not wanted".into()),
            ["waits"] => AllocationEvent::WaitsFor(vec![AllocationId::derive(&[b"before"])]),
            ["free"] => AllocationEvent::WaitsFor(Vec::new()),
            ["probe", key, answer] => {
                AllocationEvent::Probed(key.into(), Probed { passed: answer == "ok", output: String::new() })
            }
            [name, word] => AllocationEvent::Task(name.into(), self.task_event(name, word)),
            [delay] => {
                let seconds = delay.trim_start_matches('+').trim_end_matches('s').parse().unwrap();
                self.now = self.now + Duration::from_secs(seconds);
                AllocationEvent::Tick
            }
            _ => panic!("unknown event {event}"),
        };
        self.allocation.handle(&self.spec, event, Moment { now: self.now, jitter: 0 })
    }

    fn task_event(&self, name: &str, word: &str) -> Event {
        let handle = format!("c-{name}");
        let exited = |code| {
            let exit = model::Exit { code, ..model::Exit::default() };
            let found = Found::Exited { handle: handle.clone(), exit, started_at: self.now, finished_at: self.now };
            Event::Observed(found)
        };
        match word {
            "started" => Event::Started { handle, started_at: self.now },
            "refused" => Event::StartFailed { reason: "no".into(), retry: false },
            "exit-0" => exited(0),
            "exit-1" => exited(1),
            other => panic!("unknown event {other}"),
        }
    }
}

fn no_restarts(job: &mut model::Job) {
    job.groups[0].restart = Some(Restart { attempts: 0, ..Restart::default() });
}

fn with_check(job: &mut model::Job) {
    let check = Check { name: "alive".into(), ..Check::default() };
    job.groups[0].services = vec![Service { name: "web".into(), checks: vec![check], ..Service::default() }];
}

#[test]
fn main_tasks_start_together_and_end_by_request() {
    scenario("a b", |_| {}).check(
        "tick      -> Start a, Start b; pending
         a started -> ; running
         b started -> ; running
         stop      -> Stop a, Stop b; running
         a exit-0  -> ; running
         b exit-0  -> ; complete",
    );
}

#[test]
fn hooks_take_their_turns() {
    scenario("init:prestart side:prestart+sidecar main after:poststart bye:poststop", |_| {}).check(
        "tick          -> Start init, Start side; pending
         side started  -> ; running
         init started  -> ; running
         init exit-0   -> Start main; running
         main started  -> Start after; running
         after started -> ; running
         after exit-0  -> ; running
         stop          -> Stop main; running
         main exit-0   -> Stop side; running
         side exit-0   -> Start bye; pending
         bye started   -> ; running
         bye exit-0    -> ; complete",
    );
}

#[test]
fn a_prestart_hook_that_fails_for_good_ends_the_allocation() {
    scenario("init:prestart main", no_restarts).check(
        "tick         -> Start init; pending
         init started -> ; running
         init exit-1  -> ; failed",
    );
}

#[test]
fn siblings_end_when_a_task_fails_for_good() {
    let mut scenario = scenario("a b", no_restarts);
    scenario.check(
        "tick      -> Start a, Start b; pending
         a started -> ; running
         b started -> ; running
         a exit-1  -> Stop b; running
         b exit-0  -> ; failed",
    );
    let events = &scenario.allocation.tasks["b"].state.events;
    assert!(events.iter().any(|event| event.kind == "Sibling Task Failed"));
    assert!(!scenario.allocation.tasks["b"].state.failed);
}

#[test]
fn the_others_end_with_their_leader_and_the_leader_ends_first() {
    scenario("a:leader b", |job| *job = job.clone().of_type(JobType::Batch)).check(
        "tick      -> Start a, Start b; pending
         a started -> ; running
         b started -> ; running
         a exit-0  -> Stop b; running
         b exit-1  -> ; complete",
    );
    scenario("a b:leader", |_| {}).check(
        "tick      -> Start a, Start b; pending
         a started -> ; running
         b started -> ; running
         stop      -> Stop b; running
         b exit-0  -> Stop a; running
         a exit-0  -> ; complete",
    );
}

#[test]
fn sidecars_end_when_the_main_tasks_have() {
    scenario("main side:prestart+sidecar", |job| *job = job.clone().of_type(JobType::Batch)).check(
        "tick         -> Start side; pending
         side started -> Start main; running
         main started -> ; running
         main exit-0  -> Stop side; running
         side exit-0  -> ; complete",
    );
}

#[test]
fn an_instance_with_services_leaves_the_catalog_before_its_signal() {
    scenario("a", with_check).check(
        "tick      -> Start a; pending
         a started -> ; running
         stop      -> ; running
         +0s       -> ; running
         +1s       -> Stop a; running
         a exit-0  -> ; complete",
    );
}

#[test]
fn the_longer_of_shutdown_delay_and_grace_counts() {
    let delayed = |job: &mut model::Job| {
        with_check(job);
        job.groups[0].shutdown_delay = Some(Duration::from_secs(3));
    };
    scenario("a", delayed).check(
        "tick      -> Start a; pending
         a started -> ; running
         stop      -> ; running
         +2s       -> ; running
         +1s       -> Stop a; running",
    );
}

#[test]
fn a_successor_waits_and_says_for_whom() {
    let mut scenario = scenario("a", |_| {});
    scenario.check("waits -> ; pending");
    let said = scenario.allocation.description();
    assert_eq!(said, format!("waits for the end of allocation {}", AllocationId::derive(&[b"before"]).short()));
    scenario.check(
        "tick -> ; pending
         free -> Start a; pending",
    );
}

#[test]
fn a_stop_before_the_start_ends_it_without_a_container() {
    scenario("a bye:poststop", |_| {}).check(
        "waits -> ; pending
         stop  -> ; complete",
    );
}

#[test]
fn tasks_join_the_shared_network_and_restart_when_it_dies() {
    let mut scenario = scenario("bridge a b", |_| {});
    scenario.check(
        "tick          -> Start alloc; pending
         alloc started -> Start a, Start b; pending
         a started     -> ; running
         b started     -> ; running
         alloc exit-1  -> Stop a, Stop b; running
         a exit-0      -> ; running
         b exit-0      -> ; pending
         +19s          -> Start alloc; pending
         alloc started -> Start a, Start b; pending
         a started     -> ; running
         b started     -> ; running
         stop          -> Stop a, Stop b; running
         a exit-0      -> ; running
         b exit-0      -> Stop alloc; pending
         alloc exit-0  -> ; complete",
    );
    assert_eq!(scenario.allocation.tasks["a"].state.restarts, 1);
    let observation = scenario.allocation.observation(AllocationId::derive(&[b"a"]));
    assert!(!observation.tasks.contains_key(NETWORK_TASK), "it is not a task that people know");
}

#[test]
fn checks_and_time_make_it_healthy() {
    let quick = |job: &mut model::Job| {
        with_check(job);
        job.groups[0].migrate.as_mut().unwrap().min_healthy_time = Duration::from_secs(2);
    };
    let mut scenario = scenario("a", quick);
    scenario.check(
        "tick               -> Start a; pending
         a started          -> ; running
         probe web/alive ok -> ; running
         +1s                -> ; running",
    );
    assert_eq!(scenario.allocation.health.verdict(), None);
    scenario.check("+1s -> ; running");
    assert_eq!(scenario.allocation.health.verdict().map(|it| it.0), Some(true));
}

#[test]
fn a_start_that_is_refused_makes_it_unhealthy_and_failed() {
    let mut scenario = scenario("a", |_| {});
    scenario.check(
        "tick      -> Start a; pending
         a refused -> ; failed",
    );
    assert_eq!(scenario.allocation.health.verdict().map(|it| it.0), Some(false));
}

#[test]
fn a_check_that_keeps_failing_restarts_its_task_after_its_grace() {
    let limited = |job: &mut model::Job| {
        with_check(job);
        let rule = model::CheckRestart { limit: 2, grace: Duration::from_secs(5), ..model::CheckRestart::default() };
        job.groups[0].services[0].checks[0].check_restart = Some(rule);
    };
    scenario("a", limited).check(
        "tick                -> Start a; pending
         a started           -> ; running
         probe web/alive bad -> ; running
         probe web/alive bad -> ; running
         +5s                 -> ; running
         probe web/alive bad -> Stop a; running
         a exit-0            -> ; pending
         +15s                -> Start a; pending",
    );
}

#[test]
fn an_allocation_that_cannot_run_fails_at_once() {
    let mut scenario = scenario("a", |_| {});
    let event = AllocationEvent::Impossible("job web has no group x".into());
    scenario.allocation.handle(&scenario.spec, event, Moment { now: scenario.now, jitter: 0 });
    assert_eq!(scenario.allocation.client_status(), ClientStatus::Failed);
    assert_eq!(scenario.allocation.description(), "job web has no group x");
}

#[test]
fn the_same_stop_twice_does_not_delay_the_signal() {
    scenario("a", with_check).check(
        "tick      -> Start a; pending
         a started -> ; running
         stop      -> ; running
         +1s       -> Stop a; running
         stop      -> ; running
         a exit-0  -> ; complete",
    );
}
