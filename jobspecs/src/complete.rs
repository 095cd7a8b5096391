//! Defaults that depend on the job: its type, its names, and the rules that it gives for all of its groups and tasks.
//!
//! What a field is with nothing given stands in the model. Here is what follows from other fields: on JSON where it
//! matters whether a field was given ([`fill_in`]), on the job otherwise ([`complete()`]).

use model::{
    Artifact, DEFAULT_IDENTITY, Group, Identity, Job, JobType, Migrate, Reschedule, Restart, Service, Task, Update,
};
use serde::Serialize;
use serde_json::{Map, Value as Json};

/// For whom the identity is that every task has.
const DEFAULT_AUDIENCE: &str = "nomadproject.io";
/// The signal of a change where none is named.
const DEFAULT_CHANGE_SIGNAL: &str = "SIGHUP";

/// Fills in what `job` leaves open. Completing a complete job changes nothing.
pub fn complete(job: &mut Job) {
    if job.name.is_empty() {
        job.name.clone_from(&job.id);
    }
    fill(&mut job.region, model::DEFAULT_REGION);
    fill(&mut job.namespace, model::DEFAULT_NAMESPACE);
    fill(&mut job.node_pool, model::DEFAULT_NODE_POOL);
    if job.datacenters.is_empty() {
        job.datacenters.push("*".into());
    }
    if job.kind == JobType::Service {
        job.update.get_or_insert_default();
    }
    let rules = Rules { kind: job.kind, update: &job.update, migrate: &job.migrate, reschedule: &job.reschedule };
    for group in &mut job.groups {
        rules.complete(group);
        let name = group.name.clone();
        for service in &mut group.services {
            complete_service(service, &job.id, &name, "group");
        }
        for task in &mut group.tasks {
            task.restart.get_or_insert_with(|| group.restart.clone().unwrap_or_else(|| Restart::of(rules.kind)));
            complete_task(task);
            let task_name = task.name.clone();
            for service in &mut task.services {
                complete_service(service, &job.id, &name, &task_name);
            }
        }
    }
}

/// The rules that a job gives for all of its groups.
struct Rules<'a> {
    kind: JobType,
    update: &'a Option<Update>,
    migrate: &'a Option<Migrate>,
    reschedule: &'a Option<Reschedule>,
}

impl Rules<'_> {
    fn complete(&self, group: &mut Group) {
        group.restart.get_or_insert_with(|| Restart::of(self.kind));
        if group.reschedule.is_none() {
            group.reschedule = self.reschedule.clone().or_else(|| Reschedule::of(self.kind));
        }
        if group.update.is_none() {
            group.update = self.update.clone();
        }
        if group.migrate.is_none() && self.kind == JobType::Service {
            group.migrate = Some(self.migrate.clone().unwrap_or_default());
        }
    }
}

fn complete_task(task: &mut Task) {
    for template in &mut task.templates {
        if template.change_mode == "signal" {
            fill(&mut template.change_signal, DEFAULT_CHANGE_SIGNAL);
        }
        template.change_signal = template.change_signal.to_uppercase();
    }
    for artifact in &mut task.artifacts {
        if artifact.relative_dest.is_empty() {
            artifact.relative_dest = destination(artifact);
        }
    }
    if let Some(vault) = &mut task.vault
        && vault.change_mode == "signal"
    {
        fill(&mut vault.change_signal, DEFAULT_CHANGE_SIGNAL);
    }
    for identity in task.identity.iter_mut().chain(&mut task.identities) {
        complete_identity(identity);
    }
}

fn complete_identity(identity: &mut Identity) {
    fill(&mut identity.name, DEFAULT_IDENTITY);
    if identity.name == DEFAULT_IDENTITY && identity.audience.is_empty() {
        identity.audience.push(DEFAULT_AUDIENCE.into());
    }
}

/// Where an artifact goes that names no place: a file keeps its name.
fn destination(artifact: &Artifact) -> String {
    let path = artifact.getter_source.split(['?', '#']).next().unwrap_or_default();
    match (artifact.getter_mode.as_str(), path.rsplit('/').next()) {
        ("file", Some(name)) => format!("local/{name}"),
        _ => "local/".into(),
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
    fill(&mut service.cluster, "default");
    if let Some(identity) = &mut service.identity {
        complete_identity(identity);
    }
    for check in &mut service.checks {
        if check.name.is_empty() {
            check.name = format!("service: \"{}\" check", service.name);
        }
        if check.check_restart.is_none() {
            check.check_restart.clone_from(&service.check_restart);
        }
    }
}

/// What follows from other fields where a field is not given. On JSON, because the job no longer knows what was given.
pub(crate) fn fill_in(job: &mut Json) {
    let kind = job.get("Type").and_then(|kind| serde_json::from_value(kind.clone()).ok()).unwrap_or_default();
    merge_rules(job, kind);
    for group in list(job, "TaskGroups") {
        fill_in_counts(group);
        let mut services: Vec<&mut Json> = Vec::new();
        let Some(group) = group.as_object_mut() else { continue };
        for (name, value) in group.iter_mut() {
            match (name.as_str(), value) {
                ("Services", Json::Array(list)) => services.extend(list),
                ("Tasks", Json::Array(tasks)) => {
                    for task in tasks {
                        task.get_mut("Resources").into_iter().for_each(give_cores_alone);
                        services.extend(list(task, "Services"));
                    }
                }
                _ => {}
            }
        }
        services.into_iter().for_each(fill_in_service);
    }
}

/// A group without a count has the least that its autoscaler may set, and an autoscaler without a least the count.
fn fill_in_counts(group: &mut Json) {
    let count = group.get("Count").and_then(Json::as_u64);
    let Some(scaling) = group.get_mut("Scaling").filter(|scaling| scaling.is_object()) else { return };
    match (count, scaling.get("Min").and_then(Json::as_u64)) {
        (None, Some(min)) => group["Count"] = min.into(),
        (count, None) => scaling["Min"] = count.unwrap_or(1).into(),
        (Some(_), Some(_)) => {}
    }
}

/// Whoever asks for whole cores and says nothing of a share gets the cores.
fn give_cores_alone(resources: &mut Json) {
    let has_cores = resources.get("Cores").and_then(Json::as_u64).is_some_and(|cores| cores > 0);
    if has_cores && resources.get("CPU").is_none() {
        resources["CPU"] = 0.into();
    }
}

/// Checks count in a deployment as their service says, and the proxy's task may ask for cores like any other.
fn fill_in_service(service: &mut Json) {
    let resources = service.pointer_mut("/Connect/SidecarTask/Resources");
    resources.into_iter().for_each(give_cores_alone);
    let Some(on_update) = service.get("OnUpdate").cloned() else { return };
    for check in list(service, "Checks") {
        overlay(check, Some(&serde_json::json!({ "OnUpdate": on_update })));
    }
}

/// The items of the list of that name.
fn list<'a>(json: &'a mut Json, name: &str) -> impl Iterator<Item = &'a mut Json> {
    json.get_mut(name).and_then(Json::as_array_mut).into_iter().flatten()
}

/// Rules that a document gives in part: what is open in a group's rule comes from the job's, then from the default of
/// the job's type.
fn merge_rules(job: &mut Json, kind: JobType) {
    let of_job = |name: &str| job.get(name).filter(|rule| rule.is_object()).cloned();
    let (update, migrate, reschedule) = (of_job("Update"), of_job("Migrate"), of_job("Reschedule"));
    let default_reschedule = Reschedule::of(kind).unwrap_or_default();
    for (name, default) in [("Reschedule", json(&default_reschedule)), ("Update", json(&Update::default()))] {
        if let Some(rule) = job.get_mut(name) {
            overlay(rule, Some(&default));
        }
    }
    for group in list(job, "TaskGroups") {
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
        for task in list(group, "Tasks") {
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
            let check = model::Check::default();
            job.groups[0].services.push(Service {
                checks: vec![check],
                check_restart: Some(model::CheckRestart::default()),
                ..Service::default()
            });
            job.groups[0].tasks.push(Task {
                templates: vec![model::Template { change_mode: "signal".into(), ..model::Template::default() }],
                artifacts: vec![Artifact { getter_source: "https://a/b?c".into(), ..Artifact::default() }],
                identity: Some(Identity::default()),
                vault: Some(model::Vault::default()),
                ..Task::default()
            });
            complete(&mut job);
            let once = job.clone();
            complete(&mut job);
            assert_eq!(job, once);
            assert_eq!(job.groups[0].restart, Some(Restart::of(kind)));
        }
    }
}
