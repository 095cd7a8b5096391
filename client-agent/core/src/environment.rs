//! The variables that a task finds in its environment, and `${…}` in its settings.
//!
//! Names and meanings are those of Nomad (reference, "Runtime variables handed to tasks"). Variables whose thing does
//! not exist here (tokens, the task API's socket) are left out rather than set to nothing.

use std::collections::BTreeMap;

use model::{Assignment, Group, Job, Node, Task};

/// All that a task's variables are made of.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// Its job.
    pub job: &'a Job,
    /// Its group.
    pub group: &'a Group,
    /// The task.
    pub task: &'a Task,
    /// Its allocation.
    pub assignment: &'a Assignment,
    /// Where it runs.
    pub node: &'a Node,
    /// The address of the shared network namespace, where there is one.
    pub network_address: Option<&'a str>,
}

/// The environment of the task: Nomad's variables, then the task's own, which may refer to them and win.
pub fn environment(scope: &Scope<'_>) -> BTreeMap<String, String> {
    let mut variables = builtin(scope);
    let own: Vec<_> =
        scope.task.env.iter().map(|(name, value)| (name.clone(), interpolate(value, scope.node, &variables))).collect();
    variables.extend(own);
    variables
}

/// Replaces `${NAME}`, `${env.NAME}`, `${node.…}`, `${attr.…}` and `${meta.…}` by their values. What is not known is
/// left as it stands, since it may be meant for a shell in the container.
pub fn interpolate(text: &str, node: &Node, variables: &BTreeMap<String, String>) -> String {
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(length) = rest[start..].find('}') else { break };
        let name = &rest[start + 2..start + length];
        result.push_str(&rest[..start]);
        match lookup(name.trim(), node, variables) {
            Some(value) => result.push_str(&value),
            None => result.push_str(&rest[start..=start + length]),
        }
        rest = &rest[start + length + 1..];
    }
    result.push_str(rest);
    result
}

fn lookup(name: &str, node: &Node, variables: &BTreeMap<String, String>) -> Option<String> {
    if let Some(key) = name.strip_prefix("attr.") {
        return node.attributes.get(key).cloned();
    }
    if let Some(key) = name.strip_prefix("meta.").or_else(|| name.strip_prefix("node.meta.")) {
        return node.meta.get(key).cloned();
    }
    match name {
        "node.unique.id" => Some(node.id.to_string()),
        "node.unique.name" => Some(node.name.clone()),
        "node.datacenter" => Some(node.datacenter.clone()),
        "node.class" => Some(node.class.clone()),
        "node.pool" => Some(node.pool.clone()),
        "node.region" => variables.get("NOMAD_REGION").cloned(),
        _ => variables.get(name.strip_prefix("env.").unwrap_or(name)).cloned(),
    }
}

fn builtin(scope: &Scope<'_>) -> BTreeMap<String, String> {
    let Scope { job, group, task, assignment, node, .. } = scope;
    let id = assignment.allocation;
    let mut variables = BTreeMap::from([
        ("NOMAD_ALLOC_ID".to_string(), id.to_string()),
        ("NOMAD_SHORT_ALLOC_ID".into(), id.short()),
        ("NOMAD_ALLOC_NAME".into(), format!("{}.{}[{}]", job.id, group.name, assignment.index)),
        ("NOMAD_ALLOC_INDEX".into(), assignment.index.to_string()),
        ("NOMAD_TASK_NAME".into(), task.name.clone()),
        ("NOMAD_GROUP_NAME".into(), group.name.clone()),
        ("NOMAD_JOB_ID".into(), job.id.clone()),
        ("NOMAD_JOB_NAME".into(), job.name.clone()),
        ("NOMAD_JOB_VERSION".into(), assignment.document.version.to_string()),
        ("NOMAD_NAMESPACE".into(), job.namespace.clone()),
        ("NOMAD_REGION".into(), job.region.clone()),
        ("NOMAD_DC".into(), node.datacenter.clone()),
        ("NOMAD_NODE_NAME".into(), node.name.clone()),
        ("NOMAD_NODE_ID".into(), node.id.to_string()),
        ("NOMAD_CPU_LIMIT".into(), task.resources.cpu_mhz(node.cores.core_mhz).to_string()),
        ("NOMAD_MEMORY_LIMIT".into(), task.resources.memory.to_string()),
    ]);
    if task.resources.memory_max > 0 {
        variables.insert("NOMAD_MEMORY_MAX_LIMIT".into(), task.resources.limit_mb().to_string());
    }
    let cores: Vec<_> =
        assignment.cores.iter().filter(|grant| grant.task == task.name).flat_map(|grant| &grant.ids).collect();
    if !cores.is_empty() {
        let cores: Vec<_> = cores.iter().map(ToString::to_string).collect();
        variables.insert("NOMAD_CPU_CORES".into(), cores.join(","));
    }
    ports(scope, &mut variables);
    // The task's meta wins over its group's, and that over its job's.
    for (key, value) in job.meta.iter().chain(&group.meta).chain(&task.meta) {
        let key = clean(key);
        variables.insert(format!("NOMAD_META_{}", key.to_uppercase()), value.clone());
        variables.insert(format!("NOMAD_META_{key}"), value.clone());
    }
    variables
}

fn ports(scope: &Scope<'_>, variables: &mut BTreeMap<String, String>) {
    for port in &scope.assignment.ports {
        let label = clean(&port.label);
        let host = if port.host_ip.is_empty() { &scope.node.address } else { &port.host_ip };
        let mut set = |name: &str, value: String| variables.insert(format!("NOMAD_{name}_{label}"), value);
        set("IP", host.clone());
        set("PORT", port.to.to_string());
        set("ADDR", format!("{host}:{}", port.value));
        set("HOST_IP", host.clone());
        set("HOST_PORT", port.value.to_string());
        set("HOST_ADDR", format!("{host}:{}", port.value));
        set("ALLOC_PORT", port.to.to_string());
        if let Some(address) = scope.network_address {
            set("ALLOC_IP", address.to_string());
            set("ALLOC_ADDR", format!("{address}:{}", port.to));
        }
    }
}

/// A name that shells accept.
fn clean(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use model::testing::{job, node};
    use model::{AllocationId, AssignedPort, Desired, DocumentId};

    use super::*;

    fn check(env: &[(&str, &str)], expected: &[(&str, &str)]) {
        let mut job = job("web");
        job.meta = BTreeMap::from([("team".to_string(), "core".to_string())]);
        job.groups[0].tasks[0].env = env.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
        let mut node = node("n1").meta("rack", "r1");
        node.address = "10.0.0.1".into();
        let assignment = Assignment {
            allocation: AllocationId::derive(&[b"a"]),
            document: DocumentId { job: job.key(), create_index: 1, version: 3 },
            group: "web".into(),
            index: 2,
            ports: vec![AssignedPort { label: "my-http".into(), value: 20_001, to: 8080, host_ip: String::new() }],
            cores: Vec::new(),
            devices: Vec::new(),
            after: Vec::new(),
            deployment: None,
            desired: Desired::Run,
            generation: 1,
        };
        let group = &job.groups[0];
        let scope = Scope {
            job: &job,
            group,
            task: &group.tasks[0],
            assignment: &assignment,
            node: &node,
            network_address: Some("172.17.0.2"),
        };
        let variables = environment(&scope);
        for (name, value) in expected {
            assert_eq!(variables.get(*name).map(String::as_str), Some(*value), "{name}");
        }
    }

    #[test]
    fn the_builtin_variables_say_who_and_where() {
        check(
            &[],
            &[
                ("NOMAD_ALLOC_NAME", "web.web[2]"),
                ("NOMAD_ALLOC_INDEX", "2"),
                ("NOMAD_MEMORY_LIMIT", "64"),
                ("NOMAD_PORT_my_http", "8080"),
                ("NOMAD_HOST_PORT_my_http", "20001"),
                ("NOMAD_ADDR_my_http", "10.0.0.1:20001"),
                ("NOMAD_ALLOC_ADDR_my_http", "172.17.0.2:8080"),
                ("NOMAD_META_team", "core"),
                ("NOMAD_META_TEAM", "core"),
            ],
        );
    }

    #[test]
    fn the_tasks_own_variables_are_interpolated_and_unknown_names_stay() {
        check(
            &[
                ("LISTEN", "0.0.0.0:${NOMAD_PORT_my_http}"),
                ("WHERE", "${node.unique.name}/${meta.rack}/${attr.kernel.name}"),
                ("SHELL", "${HOME} and ${unclosed"),
                ("NOMAD_DC", "mine"),
            ],
            &[
                ("LISTEN", "0.0.0.0:8080"),
                ("WHERE", "n1/r1/linux"),
                ("SHELL", "${HOME} and ${unclosed"),
                ("NOMAD_DC", "mine"),
            ],
        );
    }
}
