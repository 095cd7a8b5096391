//! Defaults that depend on the job: its type, its names, and the rules that it gives for all of its groups.

use model::{Job, JobType, Migrate, Reschedule, Restart, Service, Update};
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// Fills in what `job` leaves open. Completing a complete job changes nothing.
pub fn complete(job: &mut Job) {
    let kind = job.kind;
    if job.name.is_empty() {
        job.name.clone_from(&job.id);
    }
    fill(&mut job.region, model::DEFAULT_REGION);
    fill(&mut job.namespace, model::DEFAULT_NAMESPACE);
    fill(&mut job.node_pool, model::DEFAULT_NODE_POOL);
    if job.datacenters.is_empty() {
        job.datacenters.push("*".into());
    }
    let rolls_out = matches!(kind, JobType::Service);
    for group in &mut job.groups {
        group.restart.get_or_insert_with(|| Restart::of(kind));
        if group.reschedule.is_none() {
            group.reschedule = job.reschedule.clone().or_else(|| Reschedule::of(kind));
        }
        if group.update.is_none() {
            group.update = job.update.clone().or_else(|| rolls_out.then(Update::default));
        }
        if group.migrate.is_none() && rolls_out {
            group.migrate = Some(job.migrate.clone().unwrap_or_default());
        }
        let name = group.name.clone();
        for service in &mut group.services {
            complete_service(service, &job.id, &name, "group");
        }
        for task in &mut group.tasks {
            let task_name = task.name.clone();
            for service in &mut task.services {
                complete_service(service, &job.id, &name, &task_name);
            }
        }
    }
}

fn fill(text: &mut String, default: &str) {
    if text.is_empty() {
        *text = default.into();
    }
}

fn complete_service(service: &mut Service, job: &str, group: &str, task: &str) {
    fill(&mut service.name, "${BASE}");
    let base = format!("{job}-{group}-{task}");
    for (name, value) in [("JOB", job), ("TASKGROUP", group), ("GROUP", group), ("TASK", task), ("BASE", &base)] {
        service.name = service.name.replace(&format!("${{{name}}}"), value);
    }
    fill(&mut service.provider, "consul");
    fill(&mut service.address_mode, "auto");
    for check in &mut service.checks {
        if check.name.is_empty() {
            check.name = format!("service: \"{}\" check", service.name);
        }
    }
}

/// The same for rules that a document gives in part: what is open in a group's rule comes from the job's, then from
/// the default of the job's type. On JSON, because the typed rule no longer knows which of its fields were given.
pub(crate) fn merge_rules(job: &mut Json) {
    let kind = job.get("Type").and_then(|kind| serde_json::from_value(kind.clone()).ok()).unwrap_or_default();
    let of_job = |name: &str| job.get(name).filter(|rule| rule.is_object()).cloned();
    let (update, migrate, reschedule) = (of_job("Update"), of_job("Migrate"), of_job("Reschedule"));
    let default_reschedule = Reschedule::of(kind).unwrap_or_default();
    for (name, default) in [("Reschedule", json(&default_reschedule)), ("Update", json(&Update::default()))] {
        if let Some(rule) = job.get_mut(name) {
            overlay(rule, Some(&default));
        }
    }
    for group in job.get_mut("TaskGroups").and_then(Json::as_array_mut).into_iter().flatten() {
        let rules = [
            ("Update", update.as_ref(), json(&Update::default())),
            ("Migrate", migrate.as_ref(), json(&Migrate::default())),
            ("ReschedulePolicy", reschedule.as_ref(), json(&default_reschedule)),
            ("RestartPolicy", None, json(&Restart::of(kind))),
        ];
        for (name, of_job, default) in rules {
            if let Some(rule) = group.get_mut(name) {
                overlay(rule, of_job);
                overlay(rule, Some(&default));
            }
        }
        let restart = group.get("RestartPolicy").filter(|rule| rule.is_object()).cloned();
        let restart = restart.unwrap_or_else(|| json(&Restart::of(kind)));
        for task in group.get_mut("Tasks").and_then(Json::as_array_mut).into_iter().flatten() {
            if let Some(rule) = task.get_mut("RestartPolicy") {
                overlay(rule, Some(&restart));
            }
        }
    }
}

/// Adds the entries of `below` that `rule` lacks.
fn overlay(rule: &mut Json, below: Option<&Json>) {
    if let (Json::Object(rule), Some(Json::Object(below))) = (rule, below) {
        for (key, value) in below {
            rule.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
}

fn json(rule: &impl Serialize) -> Json {
    serde_json::to_value(rule).unwrap_or(Json::Object(Map::new()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completing_twice_changes_nothing() {
        for kind in [JobType::Service, JobType::Batch, JobType::System, JobType::SysBatch] {
            let mut job = Job { id: "a".into(), kind, groups: vec![model::Group::default()], ..Job::default() };
            job.groups[0].services.push(Service::default());
            complete(&mut job);
            let once = job.clone();
            complete(&mut job);
            assert_eq!(job, once);
            assert_eq!(job.groups[0].restart, Some(Restart::of(kind)));
        }
    }
}
