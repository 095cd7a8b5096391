//! The difference between two documents of a job, in the shape of Nomad's `JobDiff`.
//!
//! Works on the documents' JSON, so that a field that is new to the model is compared without being named here. Only
//! the notes ("forces create") know what a change means, and ask the scheduler.

mod value;

use std::collections::BTreeMap;

use model::{Job, Task};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::schedule::{Change, Counts, change_between};
use value::Differ;

/// Whether something is new, gone or different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize)]
pub enum DiffType {
    /// As before.
    #[default]
    None,
    /// New.
    Added,
    /// Gone.
    Deleted,
    /// Different.
    Edited,
}

/// The difference between two documents of a job.
#[derive(Clone, Debug, PartialEq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct JobDiff {
    /// Whether the job is new or different.
    #[serde(rename = "Type")]
    pub kind: DiffType,
    /// The job's id.
    #[serde(rename = "ID")]
    pub id: String,
    /// Its plain fields.
    pub fields: Vec<FieldDiff>,
    /// Its blocks.
    pub objects: Vec<ObjectDiff>,
    /// Its groups, by name.
    pub task_groups: Vec<GroupDiff>,
}

/// A plain field.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct FieldDiff {
    /// Whether it is new, gone or different.
    #[serde(rename = "Type")]
    pub kind: DiffType,
    /// Its name; an entry of a map or list is `Env[PORT]`.
    pub name: String,
    /// Its value before, as text.
    pub old: String,
    /// Its value now, as text.
    pub new: String,
    /// What the change brings about.
    pub annotations: Vec<String>,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ObjectDiff {
    /// Whether it is new, gone or different.
    #[serde(rename = "Type")]
    pub kind: DiffType,
    /// Its name.
    pub name: String,
    /// Its plain fields.
    pub fields: Vec<FieldDiff>,
    /// Its blocks.
    pub objects: Vec<ObjectDiff>,
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct GroupDiff {
    /// Whether it is new, gone or different.
    #[serde(rename = "Type")]
    pub kind: DiffType,
    /// Its name.
    pub name: String,
    /// Its plain fields.
    pub fields: Vec<FieldDiff>,
    /// Its blocks.
    pub objects: Vec<ObjectDiff>,
    /// Its tasks, by name.
    pub tasks: Vec<TaskDiff>,
    /// What happens to its instances, in numbers; filled in by [`JobDiff::count`].
    pub updates: BTreeMap<&'static str, u32>,
}

/// A task.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct TaskDiff {
    /// Whether it is new, gone or different.
    #[serde(rename = "Type")]
    pub kind: DiffType,
    /// Its name.
    pub name: String,
    /// Its plain fields.
    pub fields: Vec<FieldDiff>,
    /// Its blocks.
    pub objects: Vec<ObjectDiff>,
    /// What the change brings about.
    pub annotations: Vec<String>,
}

/// The difference between `old` and `new`; without `old`, all of `new` is added.
pub fn diff(old: Option<&Job>, new: &Job) -> JobDiff {
    let (before, after) = (old.map(document), document(new));
    let (before_groups, after_groups) = (old.map_or(&[][..], |old| &old.groups), &new.groups);
    let pairs = paired(before_groups, after_groups, |group| group.name.as_str());
    let task_groups: Vec<_> = pairs.map(|(name, ..)| group_diff(old, new, name)).collect();
    let parts = Differ::leaving_out(&["TaskGroups"]).compare(before.as_ref(), Some(&after));
    let changed = task_groups.iter().any(|group| group.kind != DiffType::None);
    JobDiff {
        kind: kind(old.is_some(), true, parts.changed || changed),
        id: new.id.clone(),
        fields: parts.fields,
        objects: parts.objects,
        task_groups,
    }
}

impl JobDiff {
    /// Says at each group what a dry run found would happen to its instances. Groups that are gone are told by name.
    pub fn count(&mut self, counts: &BTreeMap<String, Counts>) {
        for group in &mut self.task_groups {
            let Some(counts) = counts.get(&group.name) else { continue };
            let named = [
                ("ignore", counts.ignore),
                ("create", counts.place),
                ("destroy", counts.stop),
                ("migrate", counts.migrate),
                ("in-place update", counts.in_place),
                ("create/destroy update", counts.destructive),
                ("canary", counts.canary),
            ];
            group.updates = named.into_iter().filter(|(_, number)| *number > 0).collect();
        }
    }
}

fn group_diff(old_job: Option<&Job>, new_job: &Job, name: &str) -> GroupDiff {
    let (old, new) = (old_job.and_then(|job| job.group(name)), new_job.group(name));
    let (before, after) = (old.map(document), new.map(document));
    let mut parts = Differ::leaving_out(&["Tasks"]).compare(before.as_ref(), after.as_ref());
    for field in parts.fields.iter_mut().filter(|field| field.name == "Count") {
        field.annotations = note_on_count(field);
    }
    let means = match (old_job, old, new) {
        (Some(old_job), Some(_), Some(_)) => change_between(old_job, new_job, name),
        _ => Change::Destructive,
    };
    let tasks = |group: Option<&'_ model::Group>| group.map_or_else(Vec::new, |group| group.tasks.clone());
    let (old_tasks, new_tasks) = (tasks(old), tasks(new));
    let tasks: Vec<_> = paired(&old_tasks, &new_tasks, |task| task.name.as_str())
        .map(|(name, old, new)| task_diff(name, old, new, means))
        .collect();
    let changed = tasks.iter().any(|task| task.kind != DiffType::None);
    GroupDiff {
        kind: kind(old.is_some(), new.is_some(), parts.changed || changed),
        name: name.into(),
        fields: parts.fields,
        objects: parts.objects,
        tasks,
        updates: BTreeMap::new(),
    }
}

/// `means` is what the change of the whole group means for its instances.
fn task_diff(name: &str, old: Option<&Task>, new: Option<&Task>, means: Change) -> TaskDiff {
    let (before, after) = (old.map(document), new.map(document));
    let parts = Differ::leaving_out(&[]).compare(before.as_ref(), after.as_ref());
    let kind = kind(old.is_some(), new.is_some(), parts.changed);
    let note = match (kind, means) {
        (DiffType::None, _) => None,
        (DiffType::Added, _) => Some("forces create"),
        (DiffType::Deleted, _) => Some("forces destroy"),
        (DiffType::Edited, Change::Destructive) => Some("forces create/destroy update"),
        (DiffType::Edited, Change::InPlace | Change::None) => Some("forces in-place update"),
    };
    let annotations = note.into_iter().map(String::from).collect();
    TaskDiff { kind, name: name.into(), fields: parts.fields, objects: parts.objects, annotations }
}

fn note_on_count(field: &FieldDiff) -> Vec<String> {
    let number = |text: &str| text.parse::<u64>().unwrap_or_default();
    match number(&field.new).cmp(&number(&field.old)) {
        std::cmp::Ordering::Greater => vec!["forces create".into()],
        std::cmp::Ordering::Less => vec!["forces destroy".into()],
        std::cmp::Ordering::Equal => Vec::new(),
    }
}

fn kind(was: bool, is: bool, changed: bool) -> DiffType {
    match (was, is) {
        (false, _) => DiffType::Added,
        (true, false) => DiffType::Deleted,
        (true, true) if changed => DiffType::Edited,
        (true, true) => DiffType::None,
    }
}

/// What bears a name in either list: in the order of `new`, then what is gone.
fn paired<'a, T>(
    old: &'a [T],
    new: &'a [T],
    name: impl Fn(&T) -> &str + Copy + 'a,
) -> impl Iterator<Item = (&'a str, Option<&'a T>, Option<&'a T>)>
where
    T: 'a,
{
    let find = move |list: &'a [T], wanted: &str| list.iter().find(|known| name(known) == wanted);
    let present = new.iter().map(move |new| (new, find(old, name(new))));
    let gone = old.iter().filter(move |old| find(new, name(old)).is_none());
    let present = present.map(move |(new, old)| (name(new), old, Some(new)));
    present.chain(gone.map(move |old| (name(old), Some(old), None)))
}

fn document(value: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(value) {
        Ok(Value::Object(map)) => map,
        Ok(_) | Err(_) => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use model::testing::job;

    use super::*;

    /// What changed, a line each, outermost first.
    fn lines(diff: &JobDiff) -> Vec<String> {
        fn of_fields(path: &str, fields: &[FieldDiff], lines: &mut Vec<String>) {
            for field in fields.iter().filter(|field| field.kind != DiffType::None) {
                let notes = field.annotations.join(", ");
                lines.push(format!("{:?} {path}{}: {:?} {:?} {notes}", field.kind, field.name, field.old, field.new));
            }
        }
        fn of_objects(path: &str, objects: &[ObjectDiff], lines: &mut Vec<String>) {
            for object in objects {
                let path = format!("{path}{}.", object.name);
                lines.push(format!("{:?} {path}", object.kind));
                of_fields(&path, &object.fields, lines);
                of_objects(&path, &object.objects, lines);
            }
        }
        let mut lines = vec![format!("{:?} {}", diff.kind, diff.id)];
        of_fields("", &diff.fields, &mut lines);
        of_objects("", &diff.objects, &mut lines);
        for group in &diff.task_groups {
            lines.push(format!("{:?} group {}", group.kind, group.name));
            of_fields("group.", &group.fields, &mut lines);
            of_objects("group.", &group.objects, &mut lines);
            for task in &group.tasks {
                lines.push(format!("{:?} task {} {}", task.kind, task.name, task.annotations.join(", ")));
                of_fields("task.", &task.fields, &mut lines);
                of_objects("task.", &task.objects, &mut lines);
            }
        }
        lines.iter().map(|line| line.trim_end().to_string()).collect()
    }

    #[track_caller]
    fn check(bend: impl FnOnce(&mut Job), wanted: &[&str]) {
        let old = job("web");
        let mut new = old.clone();
        bend(&mut new);
        assert_eq!(lines(&diff(Some(&old), &new)), wanted);
    }

    #[test]
    fn an_equal_document_has_no_difference() {
        check(|_| {}, &["None web", "None group web", "None task web"]);
    }

    #[test]
    fn a_count_forces_new_instances_or_ends_some() {
        check(
            |job| job.groups[0].count = 3,
            &["Edited web", "Edited group web", "Edited group.Count: \"1\" \"3\" forces create", "None task web"],
        );
        check(
            |job| job.groups[0].count = 0,
            &["Edited web", "Edited group web", "Edited group.Count: \"1\" \"0\" forces destroy", "None task web"],
        );
    }

    #[test]
    fn what_a_person_writes_key_by_key_is_compared_key_by_key() {
        check(
            |job| {
                let task = &mut job.groups[0].tasks[0];
                task.env.insert("PORT".into(), "80".into());
                task.config.insert("image".into(), "nginx:2".into());
                task.config.insert("args".into(), serde_json::json!(["-v"]));
            },
            &[
                "Edited web",
                "Edited group web",
                "Edited task web forces create/destroy update",
                "Added task.Env[PORT]: \"\" \"80\"",
                "Added task.Config.",
                "Added task.Config.args[0]: \"\" \"-v\"",
                "Added task.Config.image: \"\" \"nginx:2\"",
            ],
        );
    }

    #[test]
    fn a_change_in_place_and_what_comes_or_goes_is_noted_at_its_task() {
        check(
            |job| job.groups[0].tasks[0].kill_timeout *= 2,
            &[
                "Edited web",
                "Edited group web",
                "Edited task web forces in-place update",
                "Edited task.KillTimeout: \"5000000000\" \"10000000000\"",
            ],
        );
        let old = job("web");
        let mut new = old.clone();
        new.groups[0].tasks[0].name = "api".into();
        let found = diff(Some(&old), &new);
        let notes: Vec<_> = found.task_groups[0].tasks.iter().map(|task| task.annotations.concat()).collect();
        assert_eq!(notes, ["forces create", "forces destroy"]);
    }

    #[test]
    fn a_list_of_blocks_is_matched_by_name_and_otherwise_by_position() {
        let service = |name: &str| model::Service { name: name.into(), ..model::Service::default() };
        let mut old = job("web");
        old.groups[0].services = vec![service("a"), service("b")];
        let mut new = old.clone();
        new.groups[0].services = vec![service("b"), service("c")];
        new.groups[0].services[0].tags = vec!["fast".into()];
        let found = diff(Some(&old), &new);
        let kinds: Vec<_> = found.task_groups[0].objects.iter().map(|object| object.kind).collect();
        assert_eq!(kinds, [DiffType::Edited, DiffType::Added, DiffType::Deleted]);
        assert!(lines(&found).contains(&"Added group.Service.Tags[0]: \"\" \"fast\"".to_string()), "{found:#?}");
        let constraint = |value: &str| model::Constraint { value: value.into(), ..model::Constraint::default() };
        check(
            |job| job.constraints.push(constraint("x")),
            &[
                "Edited web",
                "Added Constraint.",
                "Added Constraint.Operand: \"\" \"=\"",
                "Added Constraint.RTarget: \"\" \"x\"",
                "None group web",
                "None task web",
            ],
        );
    }

    #[test]
    fn a_new_job_is_added_and_a_renamed_group_goes_and_comes() {
        let new = job("web");
        let found = diff(None, &new);
        assert_eq!((found.kind, found.task_groups[0].kind), (DiffType::Added, DiffType::Added));
        assert_eq!(found.task_groups[0].tasks[0].annotations, ["forces create"]);
        let mut renamed = new.clone();
        renamed.groups[0].name = "api".into();
        let kinds: Vec<_> = diff(Some(&new), &renamed).task_groups.iter().map(|group| group.kind).collect();
        assert_eq!(kinds, [DiffType::Added, DiffType::Deleted]);
    }

    #[test]
    fn the_json_has_the_names_that_clients_read() {
        let mut found = diff(None, &job("web"));
        found.count(&BTreeMap::from([("web".to_string(), Counts { place: 1, ..Counts::default() })]));
        let json = serde_json::to_value(&found).unwrap();
        assert_eq!(json["Type"], "Added");
        assert_eq!(json["ID"], "web");
        assert_eq!(json["TaskGroups"][0]["Updates"]["create"], 1);
        assert_eq!(json["TaskGroups"][0]["Tasks"][0]["Annotations"][0], "forces create");
        assert!(json["Objects"].is_array() && json["Fields"][0]["Old"].is_string());
    }
}
