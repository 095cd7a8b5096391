//! An event as a sentence: who, what, why.

use serde_json::Value;

use crate::show::{Tone, text, time};

/// The sentence, with the names escaped.
pub fn of(event: &Value) -> String {
    let field = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let (topic, kind) = (field("Topic"), field("Type"));
    let payload = |name: &str| event.pointer(&format!("/Payload/{topic}/{name}"));
    let word = |name: &str| text::escape(payload(name).and_then(Value::as_str).unwrap_or_default());
    let number = |name: &str| payload(name).and_then(Value::as_u64).unwrap_or_default();
    let status = |name: &str| {
        let status = word(name);
        Tone::of_status(&status).paint(&status)
    };
    let because = |name: &str| match word(name) {
        // What Nomad's agents write of whatever runs.
        reason if reason.is_empty() || reason == "Tasks are running" => String::new(),
        reason => format!(" ({reason})"),
    };
    match (topic, kind) {
        ("Job", "JobRegistered") => format!("job {} v{} registered", word("ID"), number("Version")),
        ("Job", "JobDeregistered" | "JobBatchDeregistered") => format!("job {} stopped", text::escape(field("Key"))),
        ("Evaluation", _) => format!(
            "evaluation {} of {} is {}, triggered by {}{}",
            text::short(&word("ID")),
            word("JobID"),
            status("Status"),
            word("TriggeredBy"),
            because("StatusDescription")
        ),
        ("Allocation", "AllocationUpdateDesiredStatus") => {
            format!(
                "{} on {} is to {}{}",
                word("Name"),
                word("NodeName"),
                word("DesiredStatus"),
                because("DesiredDescription")
            )
        }
        ("Allocation", _) => format!(
            "{} ({}) on {} is {}{}",
            word("Name"),
            text::short(&word("ID")),
            word("NodeName"),
            status("ClientStatus"),
            because("ClientDescription")
        ),
        ("Deployment", "DeploymentPromotion") => {
            format!("deployment {} of {} promoted", text::short(&word("ID")), word("JobID"))
        }
        ("Deployment", "DeploymentAllocHealth") => {
            format!("deployment {} of {}: health of instances changed", text::short(&word("ID")), word("JobID"))
        }
        ("Deployment", _) => format!(
            "deployment {} of {} v{} is {}{}",
            text::short(&word("ID")),
            word("JobID"),
            number("JobVersion"),
            status("Status"),
            because("StatusDescription")
        ),
        ("Node", "NodeRegistration") => format!("node {} registered, {}", word("Name"), status("Status")),
        ("Node", "NodeDeregistration") => format!("node {} removed", text::escape(field("Key"))),
        ("Node", "NodeEligibility") => format!("node {} is {}", word("Name"), status("SchedulingEligibility")),
        ("Node", "NodeDrain") => {
            let draining = payload("Drain").and_then(Value::as_bool).unwrap_or(false);
            format!("node {} {}", word("Name"), if draining { "drains" } else { "no longer drains" })
        }
        ("Node", _) => format!("node {} is {}{}", word("Name"), status("Status"), because("StatusDescription")),
        ("Service", "ServiceRegistration") => {
            format!("service {} gained {}:{}", word("ServiceName"), word("Address"), number("Port"))
        }
        ("Service", "ServiceDeregistration") => {
            format!("service {} lost {}:{}", word("ServiceName"), word("Address"), number("Port"))
        }
        _ => format!("{} {}: {}", text::escape(topic), text::escape(kind), text::escape(field("Key"))),
    }
}

/// When it happened, in nanoseconds, if its object says so.
pub fn time(event: &Value) -> Option<i64> {
    let field = |name: &str| event.get(name).and_then(Value::as_str).unwrap_or_default();
    let object = event.pointer(&format!("/Payload/{}", field("Topic")))?;
    match (field("Topic"), field("Type")) {
        ("Node", _) => time_of_node(object),
        // A job that ends still bears the time at which its version was submitted.
        ("Job", "JobRegistered") => time_under(object, "SubmitTime"),
        ("Job", _) => None,
        _ => time_under(object, "ModifyTime").or_else(|| time_under(object, "CreateTime")),
    }
}

fn time_under(object: &Value, name: &str) -> Option<i64> {
    object.get(name).and_then(Value::as_i64).filter(|when| *when > 0)
}

/// The newest thing that a node tells of itself: whatever changes it is written down there.
fn time_of_node(node: &Value) -> Option<i64> {
    let status = time_under(node, "StatusUpdatedAt").map(|seconds| seconds.saturating_mul(1_000_000_000));
    let events = node.get("Events").and_then(Value::as_array).into_iter().flatten();
    let events = events.filter_map(|event| event.get("Timestamp").and_then(Value::as_str).and_then(time::parse));
    events.chain(status).max()
}

/// Whether the event is about a job or anything that belongs to it.
pub fn is_about(event: &Value, job: &str) -> bool {
    let topic = event.get("Topic").and_then(Value::as_str).unwrap_or_default();
    let own = if topic == "Job" { "ID" } else { "JobID" };
    let keys = event.get("FilterKeys").and_then(Value::as_array);
    let named = |value: &Value| value.as_str() == Some(job);
    event.pointer(&format!("/Payload/{topic}/{own}")).is_some_and(named)
        || (topic == "Job" && event.get("Key").is_some_and(named))
        || keys.is_some_and(|keys| keys.iter().any(named))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(event: Value, wanted: &str) {
        assert_eq!(anstream::adapter::strip_str(&of(&event)).to_string(), wanted);
    }

    #[test]
    fn events_become_sentences() {
        check(
            json!({ "Topic": "Job", "Type": "JobRegistered", "Payload": { "Job": { "ID": "web", "Version": 3 } } }),
            "job web v3 registered",
        );
        check(
            json!({ "Topic": "Allocation", "Type": "AllocationUpdated", "Payload": { "Allocation": {
                "ID": "0123456789", "Name": "web.web[2]", "NodeName": "n3", "ClientStatus": "failed",
                "ClientDescription": "exit 1" } } }),
            "web.web[2] (01234567) on n3 is failed (exit 1)",
        );
        check(
            json!({ "Topic": "Allocation", "Type": "AllocationUpdated", "Payload": { "Allocation": {
                "ID": "0123456789", "Name": "web.web[2]", "NodeName": "n3", "ClientStatus": "running",
                "ClientDescription": "Tasks are running" } } }),
            "web.web[2] (01234567) on n3 is running",
        );
        check(
            json!({ "Topic": "Node", "Type": "NodeDrain", "Payload": { "Node": { "Name": "n3", "Drain": true } } }),
            "node n3 drains",
        );
        check(json!({ "Topic": "New\u{1b}", "Type": "Thing", "Key": "k" }), "New\\u{1b} Thing: k");
        check(json!({}), " : ");
    }

    #[test]
    fn an_events_time_is_its_objects_or_unknown() {
        let of = |topic: &str, kind: &str, object: Value| {
            time(&json!({ "Topic": topic, "Type": kind, "Payload": { topic: object } }))
        };
        assert_eq!(of("Allocation", "AllocationUpdated", json!({ "ModifyTime": 7, "CreateTime": 5 })), Some(7));
        assert_eq!(of("Job", "JobRegistered", json!({ "SubmitTime": 7 })), Some(7));
        assert_eq!(of("Job", "JobDeregistered", json!({ "SubmitTime": 7 })), None);
        assert_eq!(of("Service", "ServiceRegistration", json!({ "ModifyIndex": 7 })), None);
        let node = json!({ "StatusUpdatedAt": 1_767_323_045, "Events": [{ "Timestamp": "2026-01-02T03:04:06.5Z" }] });
        assert_eq!(of("Node", "NodeDrain", node), Some(1_767_323_046_500_000_000));
        assert_eq!(of("Node", "NodeStreamEvent", json!({ "StatusUpdatedAt": 7 })), Some(7_000_000_000));
        assert_eq!(of("Node", "NodeDeregistration", json!({})), None);
    }

    #[test]
    fn an_event_is_about_a_job_by_its_object_or_its_keys() {
        assert!(is_about(&json!({ "Topic": "Allocation", "Payload": { "Allocation": { "JobID": "web" } } }), "web"));
        assert!(is_about(&json!({ "Topic": "Job", "Key": "web" }), "web"));
        assert!(is_about(&json!({ "Topic": "Deployment", "FilterKeys": ["web"] }), "web"));
        assert!(!is_about(&json!({ "Topic": "Node", "Key": "web" }), "web"));
    }
}
