//! Names: their letters, their length, and that they are unique where they must be.

use std::collections::BTreeSet;

use model::{Group, Job};

use super::Problems;

/// The most letters of the name of a job, group or task.
pub const NAME_LENGTH_MAX: usize = 128;
/// The most letters of a service's name: what DNS takes as one label.
pub const SERVICE_NAME_LENGTH_MAX: usize = 63;

/// The name under which an allocation keeps what its tasks share; no task may have it.
const RESERVED_TASK_NAME: &str = "alloc";

pub(super) fn check_job(job: &Job, problems: &mut Problems) {
    if job.id.is_empty() {
        problems.add("ID", "the job has no id", "write: job \"name\" { … }");
    } else if job.id.contains(|letter: char| letter.is_whitespace() || letter == '\0') {
        let message = format!("the job id {:?} has spaces or control characters", job.id);
        problems.add("ID", message, "use letters, digits, dashes and dots");
    }
    check_length("job", &job.id, "ID", problems);
    if job.name.contains('\0') {
        problems.add("Name", "the job's name has a NUL character", "remove it");
    }
    for (word, name, path) in [("namespace", &job.namespace, "Namespace"), ("node pool", &job.node_pool, "NodePool")] {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
        if !name.chars().all(is_plain) || name.len() > NAME_LENGTH_MAX {
            let message = format!("the {word} {name:?} must be at most {NAME_LENGTH_MAX} letters, digits, - and _");
            problems.add(path, message, "");
        }
    }
    if let Some(at) = job.datacenters.iter().position(String::is_empty) {
        problems.add(format!("Datacenters[{at}]"), "a datacenter has no name", "\"*\" stands for all");
    }
    let mut seen = BTreeSet::new();
    for (at, group) in job.groups.iter().enumerate() {
        let path = format!("TaskGroups[{at}].Name");
        check_name("group", &group.name, &path, problems);
        if !seen.insert(&group.name) {
            let message = format!("the group `{}` is given twice", group.name);
            problems.add(path, message, "give each group a name of its own");
        }
    }
}

pub(super) fn check_group(group: &Group, path: &str, problems: &mut Problems) {
    let mut seen = BTreeSet::new();
    for (at, task) in group.tasks.iter().enumerate() {
        let path = format!("{path}.Tasks[{at}].Name");
        check_name("task", &task.name, &path, problems);
        if task.name == RESERVED_TASK_NAME {
            let message = format!("a task can't be named `{RESERVED_TASK_NAME}`");
            problems.add(path.as_str(), message, "that is the folder that tasks share");
        }
        if !seen.insert(&task.name) {
            let message = format!("the task `{}` is given twice in group `{}`", task.name, group.name);
            problems.add(path, message, "give each task a name of its own");
        }
    }
}

fn check_name(word: &str, name: &str, path: &str, problems: &mut Problems) {
    if name.is_empty() {
        problems.add(path, format!("a {word} has no name"), format!("write: {word} \"name\" {{ … }}"));
    } else if name.contains(['/', '\\', '\0']) {
        let message = format!("the {word} name {name:?} has a slash or a NUL character");
        problems.add(path, message, "use letters, digits, dashes and dots");
    }
    check_length(word, name, path, problems);
}

fn check_length(word: &str, name: &str, path: &str, problems: &mut Problems) {
    let length = name.chars().count();
    if length > NAME_LENGTH_MAX {
        let message = format!("the {word} name has {length} letters, the limit is {NAME_LENGTH_MAX}");
        problems.add(path, message, "make it shorter");
    }
}
