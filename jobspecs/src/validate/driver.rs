//! The driver of a task and its settings.

use std::collections::BTreeSet;

use model::Task;
use serde_json::Value as Json;

use super::Problems;
use crate::nearest;
use crate::schema::DOCKER;

/// The drivers of this release.
pub(crate) const DRIVERS: &[&str] = &["docker", "fake"];
/// Drivers that Nomad has and this release does not.
const OTHER_DRIVERS: &[&str] = &["exec", "raw_exec", "java", "qemu", "podman"];

pub(super) fn check(task: &Task, labels: &BTreeSet<&str>, path: &str, problems: &mut Problems) {
    let name = &task.name;
    let at_driver = format!("{path}.Driver");
    match task.driver.as_str() {
        "" => problems.add(at_driver, format!("the task `{name}` has no driver"), "write: driver = \"docker\""),
        "docker" => check_docker(task, labels, path, problems),
        "fake" => {}
        other if OTHER_DRIVERS.contains(&other) => {
            let message = format!("the driver `{other}` of task `{name}` is not in this release");
            problems.add(at_driver, message, format!("drivers are {}", DRIVERS.join(", ")));
        }
        other => {
            let message = format!("the task `{name}` has the unknown driver `{other}`");
            let hint = nearest::did_you_mean(other, DRIVERS.iter().copied());
            problems.add(at_driver, message, hint.unwrap_or_else(|| format!("drivers are {}", DRIVERS.join(", "))));
        }
    }
}

fn check_docker(task: &Task, labels: &BTreeSet<&str>, path: &str, problems: &mut Problems) {
    let name = &task.name;
    let image = task.config.get("image").and_then(Json::as_str).unwrap_or_default();
    if image.is_empty() {
        let message = format!("the task `{name}` has no image");
        problems.add(format!("{path}.Config.image"), message, "write: config { image = \"name:tag\" }");
    } else if image.contains(char::is_whitespace) {
        problems.add(format!("{path}.Config.image"), format!("the image {image:?} has spaces"), "write: name:tag");
    }
    for (key, value) in &task.config {
        let at = format!("{path}.Config.{key}");
        let Some(field) = DOCKER.field(key) else {
            let message = format!("unknown setting `{key}` of the docker driver");
            problems.add(at, message, nearest::did_you_mean(key, DOCKER.names()).unwrap_or_default());
            continue;
        };
        if let Err(problem) = field.kind.read(value) {
            problems.add(at, format!("`{key}` {problem}"), field.kind.hint(value).unwrap_or_default());
        }
    }
    let ports = task.config.get("ports").and_then(Json::as_array).into_iter().flatten().enumerate();
    for (at, label) in ports.filter_map(|(at, port)| port.as_str().map(|label| (at, label))) {
        if !labels.contains(label) {
            let message = format!("the task `{name}` publishes the port `{label}`, which its group does not have");
            let hint = nearest::did_you_mean(label, labels.iter().copied())
                .unwrap_or_else(|| format!("add to the group: network {{ port \"{label}\" {{}} }}"));
            problems.add(format!("{path}.Config.ports[{at}]"), message, hint);
        }
    }
}
