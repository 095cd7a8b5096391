//! When following ends, and with what.

use std::collections::BTreeMap;

use super::Goal;
use super::look::View;
use crate::api::{Allocation, Deployment, Metric};

/// How it ended.
#[derive(Debug)]
pub enum Verdict {
    /// The deployment succeeded.
    Deployed {
        /// The version that runs now.
        version: u64,
    },
    /// The evaluation is complete, and there is no deployment to wait for.
    Evaluated {
        /// Instances that it placed.
        placed: u64,
    },
    /// No instance is left that can be seen.
    Stopped {
        /// Instances on nodes that are down.
        unreachable: u64,
    },
    /// Another allocation stands in the place of the one that was told to stop.
    Replaced {
        /// It.
        replacement: Allocation,
    },
    /// It is gone, and the job wants none in its place.
    NotReplaced {
        /// The name of what is gone.
        name: String,
    },
    /// What took its place did not get well.
    ReplacementFailed {
        /// It.
        replacement: Allocation,
    },
    /// Some instances found no node.
    Unplaced {
        /// Why, by group.
        groups: BTreeMap<String, Metric>,
    },
    /// The evaluation came to nothing.
    EvaluationFailed {
        /// Why.
        description: String,
    },
    /// The deployment failed or was given up.
    DeploymentFailed {
        /// As it ended.
        deployment: Deployment,
    },
}

/// The verdict; none while it is open.
pub fn decide(goal: &Goal, view: &View) -> Option<Verdict> {
    if let Some(evaluation) = &view.evaluation {
        if !evaluation.is_terminal() {
            return None;
        }
        match evaluation.status.as_str() {
            "complete" | "blocked" => {}
            _ => return Some(Verdict::EvaluationFailed { description: describe(evaluation) }),
        }
        if !evaluation.failed_groups.is_empty() {
            return Some(Verdict::Unplaced { groups: evaluation.failed_groups.clone() });
        }
    }
    match goal {
        Goal::Stopped => stopped(view),
        Goal::Deployed => deployed(view),
        Goal::Replaced(id) => replaced(view, id),
    }
}

/// The allocation that stands in the place of the one with that id, if there is one.
pub fn successor<'a>(view: &'a View, id: &str) -> Option<&'a Allocation> {
    let stopped = view.allocations.iter().find(|one| one.id == id)?;
    let takes_its_place =
        |one: &&Allocation| one.id != id && one.name == stopped.name && one.create_time >= stopped.create_time;
    view.allocations.iter().filter(takes_its_place).max_by_key(|one| (one.create_time, &one.id))
}

fn replaced(view: &View, id: &str) -> Option<Verdict> {
    let stopped = view.allocations.iter().find(|one| one.id == id);
    if stopped.is_some_and(|one| matches!(one.client_status.as_str(), "pending" | "running")) {
        return None;
    }
    let Some(replacement) = successor(view, id) else {
        return Some(Verdict::NotReplaced { name: stopped.map(Allocation::short_name).unwrap_or_default() });
    };
    // Agents judge the health of services, and of system jobs in a rollout only; of others it is enough that they run, or have run.
    let is_judged = view.evaluation.as_ref().is_some_and(|evaluation| evaluation.kind == "service");
    let replacement = replacement.clone();
    match (replacement.client_status.as_str(), replacement.deployment_status.healthy) {
        ("failed" | "lost", _) | (_, Some(false)) => Some(Verdict::ReplacementFailed { replacement }),
        (_, Some(true)) | ("complete", _) => Some(Verdict::Replaced { replacement }),
        ("running", None) if !is_judged => Some(Verdict::Replaced { replacement }),
        _ => None,
    }
}

fn describe(evaluation: &crate::api::Evaluation) -> String {
    match evaluation.status_description.as_str() {
        "" => format!("it is {}", evaluation.status),
        description => description.to_owned(),
    }
}

fn stopped(view: &View) -> Option<Verdict> {
    let with_status = |status: &str| view.allocations.iter().filter(|one| one.client_status == status).count();
    if with_status("pending") + with_status("running") > 0 {
        return None;
    }
    Some(Verdict::Stopped { unreachable: with_status("unknown") as u64 })
}

fn deployed(view: &View) -> Option<Verdict> {
    let Some(deployment) = &view.deployment else {
        let evaluation = view.evaluation.as_ref().map_or("", |one| one.id.as_str());
        let placed = view.allocations.iter().filter(|one| one.eval_id == evaluation).count() as u64;
        return Some(Verdict::Evaluated { placed });
    };
    match deployment.status.as_str() {
        "successful" => Some(Verdict::Deployed { version: deployment.job_version }),
        _ if deployment.is_active() => None,
        _ => Some(Verdict::DeploymentFailed { deployment: deployment.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::http::typed;

    /// The verdict's name for a view given as JSON.
    #[track_caller]
    fn check(goal: Goal, evaluation: Value, deployment: Value, statuses: &[&str], wanted: &str) {
        let allocations = statuses.iter().map(|status| typed(&json!({ "ClientStatus": status, "EvalID": "e" })));
        let view = View {
            evaluation: Some(typed(&evaluation).unwrap()),
            deployment: (!deployment.is_null()).then(|| typed(&deployment).unwrap()),
            allocations: allocations.collect::<Result<_, _>>().unwrap(),
        };
        let verdict = decide(&goal, &view).map_or("open".to_owned(), |verdict| format!("{verdict:?}"));
        assert!(verdict.starts_with(wanted), "{verdict}");
    }

    #[test]
    fn a_deployment_decides_when_there_is_one() {
        let complete = || json!({ "ID": "e", "Status": "complete" });
        let deployment = |status: &str| json!({ "Status": status, "JobVersion": 3 });
        check(Goal::Deployed, complete(), deployment("running"), &[], "open");
        check(Goal::Deployed, complete(), deployment("paused"), &[], "open");
        check(Goal::Deployed, complete(), deployment("successful"), &[], "Deployed { version: 3 }");
        check(Goal::Deployed, complete(), deployment("failed"), &[], "DeploymentFailed");
        check(Goal::Deployed, complete(), deployment("cancelled"), &[], "DeploymentFailed");
        check(Goal::Deployed, complete(), Value::Null, &["pending", "running"], "Evaluated { placed: 2 }");
    }

    #[test]
    fn an_evaluation_is_awaited_and_its_failures_decide() {
        let evaluation = |status: &str| json!({ "ID": "e", "Status": status });
        let unplaced =
            json!({ "ID": "e", "Status": "complete", "FailedTGAllocs": { "web": { "CoalescedFailures": 1 } } });
        check(Goal::Deployed, evaluation("pending"), Value::Null, &[], "open");
        check(
            Goal::Deployed,
            evaluation("failed"),
            Value::Null,
            &[],
            "EvaluationFailed { description: \"it is failed\" }",
        );
        check(Goal::Deployed, evaluation("canceled"), Value::Null, &[], "EvaluationFailed");
        check(Goal::Deployed, unplaced, json!({ "Status": "running" }), &[], "Unplaced");
    }

    /// The verdict's name where `old` was told to stop, in a job of that type.
    #[track_caller]
    fn check_replaced(kind: &str, allocations: &[Value], wanted: &str) {
        let view = View {
            evaluation: Some(typed(&json!({ "ID": "e", "Status": "complete", "Type": kind })).unwrap()),
            deployment: None,
            allocations: allocations.iter().map(|one| typed(one).unwrap()).collect(),
        };
        let verdict = decide(&Goal::Replaced("old".into()), &view).map_or("open".to_owned(), |one| format!("{one:?}"));
        assert!(verdict.starts_with(wanted), "{verdict}");
    }

    #[test]
    fn a_replacement_is_awaited_and_not_the_rollout_before_it() {
        let one = |id: &str, status: &str, healthy: Value| {
            let at = i64::from(id != "old");
            json!({ "ID": id, "Name": "web.web[0]", "JobID": "web", "ClientStatus": status, "CreateTime": at,
                "DeploymentStatus": { "Healthy": healthy } })
        };
        let gone = || one("old", "complete", true.into());
        check_replaced("service", &[one("old", "running", true.into())], "open");
        check_replaced("service", &[gone()], "NotReplaced { name: \"web[0]\" }");
        check_replaced("service", &[gone(), one("new", "pending", Value::Null)], "open");
        check_replaced("service", &[gone(), one("new", "running", Value::Null)], "open");
        check_replaced("service", &[one("old", "running", true.into()), one("new", "running", true.into())], "open");
        check_replaced("service", &[gone(), one("new", "running", true.into())], "Replaced");
        check_replaced("service", &[gone(), one("new", "running", false.into())], "ReplacementFailed");
        check_replaced("service", &[gone(), one("new", "failed", Value::Null)], "ReplacementFailed");
        check_replaced("system", &[gone(), one("new", "running", Value::Null)], "Replaced");
        check_replaced("batch", &[gone(), one("new", "complete", Value::Null)], "Replaced");
    }

    #[test]
    fn a_stop_ends_when_nothing_runs_and_does_not_wait_for_lost_nodes() {
        let complete = || json!({ "ID": "e", "Status": "complete" });
        check(Goal::Stopped, complete(), Value::Null, &["running", "complete"], "open");
        check(Goal::Stopped, complete(), Value::Null, &["complete", "unknown"], "Stopped { unreachable: 1 }");
        check(Goal::Stopped, complete(), Value::Null, &[], "Stopped { unreachable: 0 }");
    }
}
