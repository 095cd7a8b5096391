//! Why an instance failed: its tasks' last events, how they ended, its checks, and the end of its error output.

use std::collections::BTreeMap;

use http_body_util::{BodyExt, Limited};

use crate::api::{Allocation, CheckStatus, TaskState};
use crate::http::{Call, path};
use crate::session::Session;
use crate::show::{Tone, text, time};

/// Events of each task that are shown.
const EVENTS_SHOWN: usize = 5;
/// Bytes of the error output that are fetched, and lines of it that are shown.
const LOG_BYTES_MAX: usize = 4096;
const LOG_LINES_SHOWN: usize = 10;
/// Characters of a check's output that are shown.
const CHECK_OUTPUT_SHOWN: usize = 512;

/// The first instance of a deployment that failed: it ended so, or it did not turn healthy.
pub fn first_failed<'a>(allocations: &'a [Allocation], deployment: &str) -> Option<&'a Allocation> {
    let failed = |one: &&Allocation| one.client_status == "failed" || one.deployment_status.healthy == Some(false);
    let restarts = |one: &Allocation| one.task_states.values().map(|task| task.restarts).sum::<u64>();
    let of_deployment = || allocations.iter().filter(|one| one.deployment_id == deployment);
    let first = of_deployment().filter(failed).min_by_key(|one| (one.modify_time, one.id.clone()));
    // A deployment that ran out of time may have no failed instance, but one that restarts again and again.
    first.or_else(|| of_deployment().filter(|one| restarts(one) > 0).max_by_key(|one| restarts(one)))
}

/// The post-mortem, with all that can still be fetched; what can't is left out.
pub async fn of(session: &Session, stub: &Allocation) -> Vec<String> {
    let get = |segments: &[&str]| Call::get(path(segments)).query("namespace", &stub.namespace);
    let complete: Allocation =
        session.client.read(get(&["v1", "allocation", &stub.id])).await.unwrap_or_else(|_| stub.clone());
    let checks: BTreeMap<String, CheckStatus> =
        session.client.read(get(&["v1", "client", "allocation", &stub.id, "checks"])).await.unwrap_or_default();
    let mut lines = lines(&complete, &checks);
    let failed = complete.task_states.iter().find(|(_, task)| task.failed).or(complete.task_states.iter().next());
    if let Some((task, _)) = failed {
        let log = last_lines(session, &complete, task).await;
        if !log.is_empty() {
            lines.push(format!("  the end of {}'s standard error:", text::escape(task)));
            lines.extend(log.iter().map(|line| format!("    {}", text::escape(line))));
        }
    }
    lines
}

async fn last_lines(session: &Session, one: &Allocation, task: &str) -> Vec<String> {
    let call = Call::get(path(&["v1", "client", "fs", "logs", &one.id]))
        .query("namespace", &one.namespace)
        .query("task", task)
        .query("type", "stderr")
        .query("origin", "end")
        .query("offset", LOG_BYTES_MAX)
        .query("plain", true);
    let Ok(body) = session.client.stream(call).await else { return Vec::new() };
    // A server that sends more than was asked for is cut off; an endless one by the connection's time-out.
    let collected =
        tokio::time::timeout(std::time::Duration::from_secs(5), Limited::new(body, 1 << 20).collect()).await;
    let Ok(Ok(collected)) = collected else { return Vec::new() };
    shown(&String::from_utf8_lossy(&collected.to_bytes()))
}

/// The lines at the end of a log that are shown.
fn shown(log: &str) -> Vec<String> {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES_SHOWN)..].iter().map(|line| (*line).to_owned()).collect()
}

/// What the allocation itself and its checks tell.
pub fn lines(one: &Allocation, checks: &BTreeMap<String, CheckStatus>) -> Vec<String> {
    let name = text::escape(&one.short_name());
    let node = text::escape(&one.node_name);
    let status = Tone::of_status(&one.client_status).paint(&text::escape(&one.client_status));
    let mut lines = vec![format!("{} ({}) on {node}: {status}", Tone::Bold.paint(&name), text::short(&one.id))];
    if !one.client_description.is_empty() {
        lines.push(format!("  {}", text::escape(&one.client_description)));
    }
    for (task, state) in &one.task_states {
        let memory_mb = one.allocated_resources.tasks.get(task).map_or(0, |held| held.memory.memory_mb);
        lines.extend(task_lines(task, state, memory_mb));
    }
    for check in checks.values().filter(|check| !matches!(check.status.as_str(), "success" | "passing")) {
        let output: String = check.output.chars().take(CHECK_OUTPUT_SHOWN).collect();
        let check_name = text::escape(&check.check);
        lines.push(format!("  check {check_name}: {} {}", text::escape(&check.status), text::escape(output.trim())));
    }
    lines
}

fn task_lines(task: &str, state: &TaskState, memory_mb: i64) -> Vec<String> {
    let restarts = text::count(state.restarts, "restart");
    let mut lines = vec![format!("  task {}: {}, {restarts}", text::escape(task), text::escape(&state.state))];
    if let Some(ended) = state.events.iter().rev().find(|event| event.kind == "Terminated") {
        let how = match (ended.is_oom(), ended.signal) {
            (true, _) => format!("out of memory: killed at its limit ({memory_mb} MiB reserved)"),
            (false, 0) => format!("exit code {}", ended.exit_code),
            (false, signal) => format!("exit code {}, signal {signal}", ended.exit_code),
        };
        lines.push(format!("    ended with {}", Tone::Bad.paint(&how)));
    }
    let events = &state.events[state.events.len().saturating_sub(EVENTS_SHOWN)..];
    let words = |event: &crate::api::TaskEvent| format!("{} {}", text::escape(&event.kind), text::escape(event.text()));
    lines.extend(events.iter().map(|event| format!("    {}  {}", time::date(event.time), words(event))));
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::typed;

    fn failed() -> Allocation {
        typed(&json!({
            "ID": "0123456789", "Name": "web.web[2]", "JobID": "web", "NodeName": "n3", "ClientStatus": "failed",
            "AllocatedResources": { "Tasks": { "app": { "Memory": { "MemoryMB": 64 } } } },
            "TaskStates": { "app": { "State": "dead", "Failed": true, "Restarts": 2, "Events": [
                { "Type": "Terminated", "Time": 1, "ExitCode": 137, "Signal": 9, "DisplayMessage": "killed\u{7}",
                  "Details": { "oom_killed": "true" } }] } }
        }))
        .unwrap()
    }

    #[test]
    fn out_of_memory_is_told_apart_from_a_crash() {
        let text = lines(&failed(), &BTreeMap::new()).join("\n");
        assert!(text.contains("out of memory: killed at its limit (64 MiB reserved)"), "{text}");
        let mut crashed = failed();
        crashed.task_states.get_mut("app").unwrap().events[0].details.clear();
        let text = lines(&crashed, &BTreeMap::new()).join("\n");
        assert!(text.contains("exit code 137, signal 9"), "{text}");
        assert!(!text.contains('\u{7}'), "{text:?}");
    }

    #[test]
    fn only_failing_checks_are_shown() {
        let check = |name: &str, status: &str| {
            let value = json!({ "Check": name, "Status": status, "Output": "503" });
            (name.to_owned(), typed::<CheckStatus>(&value).unwrap())
        };
        let text = lines(&failed(), &[check("a", "failure"), check("b", "success")].into()).join("\n");
        assert!(text.contains("check a: failure 503") && !text.contains("check b"), "{text}");
    }

    #[test]
    fn the_first_failure_is_found_also_when_nothing_ended_as_failed() {
        let one = |id: &str, status: &str, restarts: u64| -> Allocation {
            typed(&json!({ "ID": id, "DeploymentID": "d", "ClientStatus": status,
                "TaskStates": { "app": { "Restarts": restarts } } }))
            .unwrap()
        };
        let found = |all: &[Allocation]| first_failed(all, "d").map(|one| one.id.clone());
        assert_eq!(found(&[one("a", "running", 0), one("b", "failed", 0)]), Some("b".into()));
        assert_eq!(found(&[one("a", "running", 0), one("b", "running", 3)]), Some("b".into()));
        assert_eq!(found(&[one("a", "running", 0)]), None);
    }

    #[test]
    fn as_many_lines_of_the_log_are_shown_as_the_limit_and_the_last_of_more() {
        let log = |lines: usize| (0..lines).map(|number| format!("{number}\n")).collect::<String>();
        let numbers = |range: std::ops::Range<usize>| range.map(|number| number.to_string()).collect::<Vec<_>>();
        assert_eq!(shown(&log(LOG_LINES_SHOWN)), numbers(0..LOG_LINES_SHOWN));
        assert_eq!(shown(&log(LOG_LINES_SHOWN + 1)), numbers(1..LOG_LINES_SHOWN + 1));
    }

    #[test]
    fn as_many_events_of_a_task_are_shown_as_the_limit_and_the_last_of_more() {
        let text = |events: usize| {
            let event = |number: usize| json!({ "Type": format!("Event-{number};"), "Time": 1 });
            let events: Vec<_> = (0..events).map(event).collect();
            let state: TaskState = typed(&json!({ "State": "dead", "Events": events })).unwrap();
            task_lines("app", &state, 64).join("\n")
        };
        let all = text(EVENTS_SHOWN);
        assert_eq!(all.matches("Event-").count(), EVENTS_SHOWN, "{all}");
        assert!(all.contains("Event-0;"), "{all}");
        let last = text(EVENTS_SHOWN + 1);
        assert_eq!(last.matches("Event-").count(), EVENTS_SHOWN, "{last}");
        assert!(!last.contains("Event-0;") && last.contains(&format!("Event-{EVENTS_SHOWN};")), "{last}");
    }

    #[test]
    fn as_much_of_a_checks_output_is_shown_as_the_limit() {
        let letters = |characters: usize| {
            let check = json!({ "Check": "c", "Status": "failure", "Output": "ä".repeat(characters) });
            let checks = [("c".to_owned(), typed::<CheckStatus>(&check).unwrap())].into();
            lines(&failed(), &checks).join("\n").matches('ä').count()
        };
        assert_eq!(letters(CHECK_OUTPUT_SHOWN), CHECK_OUTPUT_SHOWN);
        assert_eq!(letters(CHECK_OUTPUT_SHOWN + 1), CHECK_OUTPUT_SHOWN);
    }
}
