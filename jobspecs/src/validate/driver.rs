//! The driver of a task and its settings.
//!
//! That no node has a driver is for the scheduler to say; here only names that look like slips are refused, and
//! settings that the driver does not know.

use std::collections::BTreeSet;

use model::Task;
use serde_json::Value as Json;

use super::Problems;
use crate::nearest;
use crate::schema::{Block, Kind, Times, driver};

/// The drivers of this release.
pub(crate) const DRIVERS: &[&str] = &["docker", "fake"];
/// Drivers of others, which are no slips of the hand though some are near to a known name.
const OTHER_DRIVERS: &[&str] = &[
    "exec",
    "raw_exec",
    "java",
    "qemu",
    "podman",
    "exec2",
    "containerd",
    "containerd-driver",
    "firecracker",
    "nspawn",
];

pub(super) fn check(task: &Task, labels: &BTreeSet<&str>, path: &str, problems: &mut Problems) {
    let name = &task.name;
    let at_driver = format!("{path}.Driver");
    let word = task.driver.as_str();
    let is_known = DRIVERS.contains(&word) || OTHER_DRIVERS.contains(&word);
    if word.is_empty() {
        problems.add(at_driver, format!("the task `{name}` has no driver"), "write: driver = \"docker\"");
    } else if !is_known && let Some(hint) = nearest::did_you_mean(word, DRIVERS.iter().chain(OTHER_DRIVERS).copied()) {
        problems.add(at_driver, format!("the task `{name}` has the unknown driver `{word}`"), hint);
    }
    if let Some(schema) = driver(word) {
        for (key, value) in &task.config {
            check_setting(schema, word, key, value, &format!("{path}.Config"), problems);
        }
        check_required(task, path, problems);
    }
    if word == "docker" {
        check_ports(task, labels, path, problems);
    }
}

/// A setting, and what stands in it.
fn check_setting(schema: &Block, driver: &str, key: &str, value: &Json, path: &str, problems: &mut Problems) {
    let at = format!("{path}.{key}");
    let Some(field) = schema.field(key) else {
        let place = if schema.name == "config" { String::new() } else { format!(" in `{}`", schema.name) };
        let message = format!("unknown setting `{key}`{place} of the {driver} driver");
        let hint = nearest::did_you_mean(key, schema.names()).or_else(|| foreign_setting(key));
        let hint = hint.unwrap_or_else(|| match schema.name {
            // All of them are too many to read.
            "config" if schema.fields.len() > 15 => format!("the settings of the {driver} driver are those of Nomad's"),
            inner => format!("`{inner}` has: {}", schema.names().collect::<Vec<_>>().join(", ")),
        });
        problems.add_unknown(at, key, message, hint);
        return;
    };
    let Kind::Block(inner, times) = field.kind else {
        if let Err(problem) = field.kind.read(value) {
            problems.add(at, format!("`{key}` {problem}"), field.hint(value).unwrap_or_default());
        }
        return;
    };
    // A block is a list of objects, also where it may stand only once; an object alone is how others write it.
    let (items, is_list) = match value {
        Json::Array(items) => (items.as_slice(), true),
        single => (std::slice::from_ref(single), false),
    };
    if times == Times::Once && items.len() > 1 {
        problems.add(format!("{at}[1]"), format!("`{key}` is given twice"), "keep one of the two");
    }
    for (number, item) in items.iter().enumerate() {
        let at = if is_list { format!("{at}[{number}]") } else { at.clone() };
        match item {
            Json::Object(settings) => {
                for (key, value) in settings {
                    check_setting(inner, driver, key, value, &at, problems);
                }
            }
            _ => problems.add(at, format!("`{key}` is a block, this is one value"), format!("write: {key} {{ … }}")),
        }
    }
}

/// Settings of a container that are written outside of `config`.
fn foreign_setting(key: &str) -> Option<String> {
    Some(match key {
        "env" | "environment" => "it belongs in the task: env { NAME = \"value\" }".into(),
        "memory" | "cpu" | "mem_limit" | "cpus" => "it belongs in the task: resources { … }".into(),
        "restart" | "restart_policy" => "it belongs in the group: restart { attempts = 3 }".into(),
        "user" | "service" | "template" | "artifact" | "resources" | "volume_mount" | "logs" | "kill_signal" => {
            format!("`{key}` belongs in the task, outside of config")
        }
        "network" | "port" => "it belongs in the group: network { port \"http\" {} }".into(),
        "healthcheck" | "check" => "it belongs in a service: check { type = \"http\" … }".into(),
        "working_dir" | "workdir" => "did you mean `work_dir`?".into(),
        "links" | "depends_on" => "other tasks are found by their service, or in the same group by localhost".into(),
        _ => return None,
    })
}

/// What each driver can't do without.
fn check_required(task: &Task, path: &str, problems: &mut Problems) {
    let name = &task.name;
    let text = |key: &str| task.config.get(key).and_then(Json::as_str).unwrap_or_default();
    let (key, word, example) = match task.driver.as_str() {
        "docker" => ("image", "image", "name:tag"),
        "exec" | "raw_exec" => ("command", "command", "/bin/program"),
        "qemu" => ("image_path", "image", "local/image.img"),
        "java" if text("class").is_empty() => ("jar_path", "class or jar", "local/program.jar"),
        _ => return,
    };
    let at = format!("{path}.Config.{key}");
    if text(key).is_empty() {
        problems.add(
            at,
            format!("the task `{name}` has no {word}"),
            format!("write: config {{ {key} = \"{example}\" }}"),
        );
    } else if key == "image" && text(key).contains(char::is_whitespace) {
        problems.add(at, format!("the image {:?} has spaces", text(key)), "write: name:tag");
    }
}

fn check_ports(task: &Task, labels: &BTreeSet<&str>, path: &str, problems: &mut Problems) {
    let name = &task.name;
    let ports = task.config.get("ports").and_then(Json::as_array).into_iter().flatten().enumerate();
    for (at, port) in ports {
        let number = port.as_number().map(ToString::to_string);
        let Some(label) = port.as_str().or(number.as_deref()) else { continue };
        if !labels.contains(label) {
            let message = format!("the task `{name}` publishes the port `{label}`, which its group does not have");
            let hint = super::service::port_hint(label, labels);
            problems.add(format!("{path}.Config.ports[{at}]"), message, hint);
        }
    }
}
