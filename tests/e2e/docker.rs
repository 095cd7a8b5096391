//! What Docker knows, asked through its command line: containers by label.

use model::Timestamp;
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
    /// Its process, while it runs.
    pub pid: u64,
}

impl Container {
    /// When it was started, by Docker's clock, in nanoseconds since 1970.
    #[track_caller]
    pub fn started_ns(&self) -> i128 {
        let started: Result<jiff::Timestamp, _> = self.started.parse();
        started.unwrap_or_else(|error| panic!("`{}`: {error}", self.started)).as_nanosecond()
    }

    /// As those who hold it against invariants want it.
    #[track_caller]
    pub fn found(&self) -> invariants::Container {
        invariants::Container {
            id: self.id.clone(),
            allocation: self.allocation.parse().ok(),
            task: self.task.clone(),
            pid: self.pid,
            started_at: Timestamp(i64::try_from(self.started_ns()).expect("it is within some centuries of 1970")),
        }
    }
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
        pid: of["State"]["Pid"].as_u64().unwrap_or_default(),
    }
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
