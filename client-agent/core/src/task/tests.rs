//! Transitions of one task as text: events in, phase and effects out.

use super::*;

fn policy() -> Policy {
    let restart =
        Restart { attempts: 1, interval: Duration::from_secs(60), delay: Duration::from_secs(5), ..Restart::default() };
    Policy { restart, completes: false }
}

fn event(word: &str) -> Event {
    let exited = |handle: &str, code: i64, oom_killed: bool| {
        Event::Observed(Found::Exited {
            handle: handle.into(),
            exit: Exit { code, oom_killed, ..Exit::default() },
            started_at: Timestamp::from_seconds(1),
            finished_at: Timestamp::from_seconds(2),
        })
    };
    match word {
        "start" => Event::Start,
        "started" => Event::Started { handle: "c1".into(), started_at: Timestamp::from_seconds(1) },
        "start-failed" => Event::StartFailed { reason: "registry is away".into(), retry: true },
        "start-refused" => Event::StartFailed { reason: "privileged is refused".into(), retry: false },
        "absent" => Event::Observed(Found::Absent),
        "running" => Event::Observed(Found::Running { handle: "c1".into(), started_at: Timestamp::from_seconds(1) }),
        "exit-0" => exited("c1", 0, false),
        "exit-1" => exited("c1", 1, false),
        "oom" => exited("c1", 137, true),
        "old-exit" => exited("c0", 1, false),
        "stop" => Event::Stop { kind: "Killing", reason: "not wanted".into() },
        "restart" => Event::Restart { reason: "by request".into(), counted: false },
        "unwell" => Event::Restart { reason: "check fails".into(), counted: true },
        "stop-failed" => Event::StopFailed { reason: "runtime is away".into() },
        "tick" => Event::Tick,
        other => panic!("unknown event {other}"),
    }
}

/// Events, each optionally as `word@second`; expected: the phase after each, with effects in brackets.
fn check_with(mut task: Task, policy: &Policy, events: &str, expected: &str) -> Task {
    let mut trace = Vec::new();
    for word in events.split_whitespace() {
        let (word, second) = word.split_once('@').unwrap_or((word, "10"));
        let moment = Moment { now: Timestamp::from_seconds(second.parse().unwrap()), jitter: 0 };
        let (next, effects) = step(task, event(word), policy, moment);
        task = next;
        let mut phase = format!("{:?}", task.phase);
        phase.truncate(phase.find(' ').unwrap_or(phase.len()));
        if let Phase::Backoff { until } = task.phase {
            phase = format!("Backoff@{}", until.since(Timestamp::default()).as_secs());
        }
        for effect in effects {
            phase += &format!("[{effect:?}]");
        }
        trace.push(phase);
    }
    assert_eq!(trace.join(" "), expected, "{events}");
    task
}

fn check(events: &str, expected: &str) -> Task {
    check_with(Task::default(), &policy(), events, expected)
}

fn restored(phase: Phase, handle: Option<&str>) -> Task {
    Task { phase, handle: handle.map(str::to_string), ..Task::default() }.restored()
}

#[test]
fn it_starts_runs_and_is_restarted_once_within_its_policy() {
    let task = check(
        "start started exit-1 tick@14 tick@15 start started exit-1@20",
        "Starting[Start] Running Backoff@15 Backoff@15 Pending Starting[Start] Running Dead",
    );
    assert_eq!((task.state.restarts, task.state.failed), (1, true));
    assert_eq!(task.state.last_restart, Some(Timestamp::from_seconds(15)));
}

#[test]
fn a_service_that_ends_well_runs_again_and_a_batch_task_is_done() {
    check("start started exit-0", "Starting[Start] Running Backoff@15");
    let batch = Policy { completes: true, ..policy() };
    let task = check_with(Task::default(), &batch, "start started exit-0", "Starting[Start] Running Dead");
    assert!(!task.state.failed);
}

#[test]
fn an_end_by_the_memory_limit_is_told_apart_from_a_crash() {
    let task = check("start started oom", "Starting[Start] Running Backoff@15");
    assert!(task.state.exit.as_ref().unwrap().oom_killed);
    let told = task.state.events.iter().find(|event| event.kind == "Terminated").unwrap();
    assert_eq!((told.details["oom_killed"].as_str(), told.details["exit_code"].as_str()), ("true", "137"));
    assert!(told.message.contains("out of memory"));
    let task = check("start started exit-1", "Starting[Start] Running Backoff@15");
    assert!(!task.state.exit.unwrap().oom_killed);
}

#[test]
fn a_start_that_fails_counts_and_one_that_cannot_succeed_ends_it() {
    let task = check("start start-failed", "Starting[Start] Backoff@15");
    assert!(task.state.events.iter().any(|event| event.kind == "Driver Failure"));
    let task = check("start start-refused", "Starting[Start] Dead");
    assert!(task.state.failed);
}

#[test]
fn a_stop_is_done_only_when_the_container_is_observed_gone() {
    let task = check(
        "start started stop stop running exit-1",
        "Starting[Start] Running Stopping[Stop] Stopping Stopping Dead",
    );
    assert!(!task.state.failed, "a task that was told to end did not fail");
    check("start started stop absent", "Starting[Start] Running Stopping[Stop] Dead");
}

#[test]
fn a_stop_during_a_start_waits_for_its_answer() {
    check("start stop started exit-0", "Starting[Start] Starting Stopping[Stop] Dead");
    check("start stop start-failed", "Starting[Start] Starting Dead");
    check("stop", "Dead");
    check("start started exit-1 stop", "Starting[Start] Running Backoff@15 Dead");
}

#[test]
fn a_stop_that_the_runtime_refuses_is_tried_again() {
    check(
        "start started stop stop-failed@10 tick@11 tick@12 absent",
        "Starting[Start] Running Stopping[Stop] Stopping Stopping Stopping[Stop] Dead",
    );
}

#[test]
fn an_end_that_overtakes_the_confirmed_start_is_not_lost() {
    check("start exit-1 started", "Starting[Start] Starting Backoff@15");
    check("start old-exit started", "Starting[Start] Starting Running");
}

#[test]
fn a_restart_by_request_is_not_counted_by_the_policy_and_one_by_a_check_is() {
    let task = check(
        "start started restart exit-0 start started restart exit-0",
        "Starting[Start] Running Stopping[Stop] Pending Starting[Start] Running Stopping[Stop] Pending",
    );
    assert_eq!((task.state.restarts, task.tracker.attempts), (2, 0));
    let task = check("start started unwell exit-0", "Starting[Start] Running Stopping[Stop] Backoff@15");
    assert_eq!(task.tracker.attempts, 1);
    check("start started exit-1 restart", "Starting[Start] Running Backoff@15 Pending");
    check("start started restart stop exit-0", "Starting[Start] Running Stopping[Stop] Stopping Dead");
}

#[test]
fn events_that_are_late_or_repeated_change_nothing() {
    check("started start-failed exit-1 tick stop-failed restart", "Pending Pending Pending Pending Pending Pending");
    check("start running absent tick restart", "Starting[Start] Starting Starting Starting Starting");
    check("start started started old-exit running tick", "Starting[Start] Running Running Running Running Running");
    check("stop start started exit-1 restart tick stop", "Dead Dead Dead Dead Dead Dead Dead");
}

#[test]
fn after_a_crash_between_asking_and_writing_down_only_observation_decides() {
    let starting = || restored(Phase::Starting { stop: None, early: None }, None);
    let task = check_with(starting(), &policy(), "start tick running", "Unknown Unknown Running");
    assert_eq!((task.state.restarts, task.handle.as_deref()), (0, Some("c1")), "it was adopted, not restarted");
    check_with(starting(), &policy(), "absent start", "Pending Starting[Start]");
    check_with(starting(), &policy(), "exit-1", "Backoff@15");
    let running = || restored(Phase::Running, Some("c1"));
    check_with(running(), &policy(), "running", "Running");
    check_with(running(), &policy(), "absent", "Backoff@15");
    check_with(running(), &policy(), "stop running exit-0", "Unknown[Look] Stopping[Stop] Dead");
    check_with(starting(), &policy(), "stop absent", "Unknown[Look] Dead");
    let stopping = restored(Phase::Stopping { after: AfterStop::End, retry_at: None }, Some("c1"));
    check_with(stopping, &policy(), "running absent", "Stopping[Stop] Dead");
}

#[test]
fn a_restored_task_that_ended_before_keeps_what_it_was() {
    assert_eq!(restored(Phase::Dead, Some("c1")).phase, Phase::Dead);
    let until = Timestamp::from_seconds(20);
    assert_eq!(restored(Phase::Backoff { until }, None).phase, Phase::Backoff { until });
}

#[test]
fn only_the_newest_events_are_kept() {
    let mut task = Task::default();
    for number in 0..=EVENTS_MAX {
        task.note("Driver", number.to_string(), Timestamp::default());
    }
    assert_eq!(task.state.events.len(), EVENTS_MAX);
    assert_eq!(task.state.events[0].message, "1");
}

#[test]
fn what_is_told_of_a_task_that_runs_is_packed_into_few_bytes() {
    let received = Task::received(Timestamp::from_seconds(1_000_000_000));
    let running = check_with(received, &policy(), "start started", "Starting[Start] Running");
    assert_eq!(running.state.events.len(), 3);
    let packed = model::TaskStates::pack(&std::collections::BTreeMap::from([("web".into(), running.state)]));
    assert!(packed.bytes() < 80, "{} bytes: its words are not among those that are known", packed.bytes());
}
