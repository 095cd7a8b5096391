//! What Docker knows, asked through its command line: containers by label, and events with their times.

use std::time::Duration;

use serde_json::Value;

use super::command::{run, succeed};

/// A container of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Container {
    /// The full id.
    pub id: String,
    /// The id of its allocation.
    pub allocation: String,
    /// The task.
    pub task: String,
    /// The name of its node.
    pub node: String,
    /// The job.
    pub job: String,
    /// When it was started, as Docker writes it.
    pub started: String,
    /// Whether it runs.
    pub running: bool,
}

/// Something that Docker did to a container.
#[derive(Clone, Debug)]
pub struct Event {
    /// When, in nanoseconds since 1970.
    pub time_ns: i128,
    /// What, such as `start` or `die`.
    pub action: String,
    /// The id of the container.
    pub container: String,
    /// The id of its allocation.
    pub allocation: String,
}

/// Panics unless Docker answers and has the image of the examples.
pub fn must_be_ready() {
    let image = run(std::process::Command::new("docker").args(["image", "inspect", "-f", "{{.Id}}", "basket:demo"]));
    assert_eq!(image.code, 0, "Docker with the image basket:demo is needed (make image): {}", image.stderr);
}

/// All containers with this label, ordered by id; those that vanish meanwhile are left out.
pub fn containers(label: &str) -> Vec<Container> {
    let ids = succeed("docker", &["ps", "-aq", "--no-trunc", "--filter", &format!("label={label}")]);
    let ids: Vec<&str> = ids.split_whitespace().collect();
    if ids.is_empty() {
        return Vec::new();
    }
    let all = run(std::process::Command::new("docker").arg("inspect").args(&ids));
    let all: Value = serde_json::from_str(&all.stdout).unwrap_or_else(|error| panic!("{error}: {}", all.stderr));
    let mut containers: Vec<Container> = all.as_array().expect("inspect gives a list").iter().map(container).collect();
    containers.sort();
    containers
}

fn container(of: &Value) -> Container {
    let label = |name: &str| text(&of["Config"]["Labels"][name]);
    Container {
        id: text(&of["Id"]),
        allocation: label("sched.alloc"),
        task: label("sched.task"),
        node: label("sched.node_name"),
        job: label("com.hashicorp.nomad.job_id"),
        started: text(&of["State"]["StartedAt"]),
        running: of["State"]["Running"] == true,
    }
}

/// What happened to the containers with this label during the last while.
pub fn events(label: &str, during: Duration) -> Vec<Event> {
    let since = format!("{}s", during.as_secs() + 1);
    let filter = format!("label={label}");
    let arguments = ["events", "--since", &since, "--until", "0s", "--filter", &filter, "--format", "{{json .}}"];
    let lines = succeed("docker", &arguments);
    lines.lines().filter_map(|line| serde_json::from_str(line).ok()).filter_map(|event| read(&event)).collect()
}

fn read(event: &Value) -> Option<Event> {
    Some(Event {
        time_ns: event["timeNano"].as_i64()?.into(),
        action: text(&event["Action"]),
        container: text(&event["Actor"]["ID"]),
        allocation: text(&event["Actor"]["Attributes"]["sched.alloc"]),
    })
}

/// Kills and removes these containers at once.
pub fn remove(containers: &[Container]) {
    let ids: Vec<&str> = containers.iter().map(|one| one.id.as_str()).collect();
    if !ids.is_empty() {
        succeed("docker", &[&["rm", "-f", "-v"], ids.as_slice()].concat());
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
