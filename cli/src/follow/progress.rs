//! What is shown of a view while it is not decided: a heading and a row for each instance.

use super::Goal;
use super::decide::successor;
use super::look::View;
use crate::api::{Allocation, Deployment};
use crate::session::Session;
use crate::show::{Tone, as_called, text};

/// What is shown of a view.
#[derive(Debug, PartialEq)]
pub struct Progress {
    /// The state of the whole.
    pub heading: String,
    /// The state of each instance, those that need a look first.
    pub rows: Vec<Row>,
}

/// The state of one instance.
#[derive(Debug, PartialEq)]
pub struct Row {
    /// Tells rows of different views apart.
    pub id: String,
    /// `web[2] on n3`.
    pub subject: String,
    /// `running`, `starting: pulling image`.
    pub state: String,
    /// How the state is shown.
    pub tone: Tone,
}

/// What is shown of a view.
pub fn progress(goal: &Goal, view: &View, session: &Session) -> Progress {
    let mut rows: Vec<Row> = view.allocations.iter().filter(|one| belongs(goal, view, one)).map(row).collect();
    rows.sort_by(|left, right| {
        (urgency(left), &left.subject, &left.id).cmp(&(urgency(right), &right.subject, &right.id))
    });
    Progress { heading: heading(goal, view, session), rows }
}

fn urgency(row: &Row) -> u8 {
    match row.tone {
        Tone::Bad => 0,
        Tone::Busy | Tone::Plain | Tone::Bold => 1,
        Tone::Good | Tone::Dim => 2,
    }
}

/// Whether the instance is part of what is followed. One that is over and replaced is its successor's past.
fn belongs(goal: &Goal, view: &View, one: &Allocation) -> bool {
    match (goal, &view.deployment, &view.evaluation) {
        (Goal::Stopped, ..) => one.client_status != "complete" && one.client_status != "failed",
        (Goal::Deployed, Some(deployment), _) => {
            one.deployment_id == deployment.id && (one.next_allocation.is_empty() || !one.is_over())
        }
        (Goal::Deployed, None, Some(evaluation)) => one.eval_id == evaluation.id,
        (Goal::Deployed, None, None) => false,
        (Goal::Replaced(id), ..) => one.id == *id || successor(view, id).is_some_and(|next| next.id == one.id),
    }
}

fn heading(goal: &Goal, view: &View, session: &Session) -> String {
    match (&view.deployment, &view.evaluation) {
        (_, Some(evaluation)) if !evaluation.is_terminal() => {
            format!("evaluation {}: {}", session.id(&evaluation.id), text::escape(&evaluation.status))
        }
        (Some(deployment), _) if *goal == Goal::Deployed => deployment_heading(deployment, session),
        _ => match goal {
            Goal::Stopped => {
                let left = view.allocations.iter().filter(|one| belongs(goal, view, one)).count();
                format!("stopping, {} left", text::count(left as u64, "instance"))
            }
            Goal::Deployed => "evaluated".into(),
            Goal::Replaced(_) => "replacing 1 instance".into(),
        },
    }
}

fn deployment_heading(deployment: &Deployment, session: &Session) -> String {
    let (healthy, wanted) = deployment.progress();
    let mut heading = format!(
        "deployment {} of v{}: {}, {healthy}/{wanted} healthy",
        session.id(&deployment.id),
        deployment.job_version,
        text::escape(&deployment.status)
    );
    if deployment.awaits_promotion() {
        let promote = format!(", canaries wait for `sched deployment promote {}`", text::escape(&deployment.job_id));
        heading.push_str(&as_called(&promote));
    }
    if deployment.status == "paused" {
        heading.push_str(", goes on when it is resumed");
    }
    heading
}

fn row(one: &Allocation) -> Row {
    let (state, tone) = state(one);
    let subject = format!("{} on {}", one.short_name(), one.node_name);
    Row { id: one.id.clone(), subject: text::escape(&subject), state: text::escape(&state), tone }
}

fn state(one: &Allocation) -> (String, Tone) {
    let status = one.client_status.as_str();
    let last_event = || {
        let events = one.task_states.values().filter_map(|task| task.events.last());
        events.max_by_key(|event| event.time).map(|event| event.text().to_owned()).filter(|text| !text.is_empty())
    };
    let described = || Some(one.client_description.clone()).filter(|text| !text.is_empty());
    let with = |words: &str, detail: Option<String>| match detail {
        Some(detail) => format!("{words}: {detail}"),
        None => words.to_owned(),
    };
    match (status, one.deployment_status.healthy) {
        ("failed", _) => (with(status, last_event().or_else(described)), Tone::Bad),
        // Its last event is from before its node was lost.
        ("lost", _) => (with(status, described()), Tone::Bad),
        ("running" | "pending", _) if one.desired_status == "stop" => ("stopping".into(), Tone::Busy),
        (_, Some(false)) => (with("unhealthy", last_event()), Tone::Bad),
        ("running", Some(true)) => ("healthy".into(), Tone::Good),
        ("running", None) => ("running, not yet healthy".into(), Tone::Busy),
        ("pending", _) => (with("starting", last_event()), Tone::Busy),
        (status, _) => (status.to_owned(), Tone::of_status(status)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::typed;

    #[test]
    fn an_instance_says_what_it_is_doing() {
        let check = |allocation: serde_json::Value, wanted: &str| {
            let one: Allocation = typed(&allocation).unwrap();
            assert_eq!(state(&one).0, wanted);
        };
        let events =
            json!({ "app": { "Events": [{ "Type": "Driver", "DisplayMessage": "Pulling image x", "Time": 1 }] } });
        check(json!({ "ClientStatus": "pending", "TaskStates": events.clone() }), "starting: Pulling image x");
        check(json!({ "ClientStatus": "running", "DesiredStatus": "run" }), "running, not yet healthy");
        check(json!({ "ClientStatus": "running", "DesiredStatus": "stop" }), "stopping");
        check(json!({ "ClientStatus": "running", "DeploymentStatus": { "Healthy": true } }), "healthy");
        check(json!({ "ClientStatus": "running", "DeploymentStatus": { "Healthy": false } }), "unhealthy");
        check(json!({ "ClientStatus": "failed", "ClientDescription": "no image" }), "failed: no image");
        let lost = json!({ "ClientStatus": "lost", "ClientDescription": "node down", "TaskStates": events });
        check(lost, "lost: node down");
    }
}
