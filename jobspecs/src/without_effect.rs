//! What a job says that this release does not act on. It is in the model, so it is kept with the job and shown; that
//! it has no effect yet is said wherever it is used. And what it asks of nodes by names that nothing of a node has.

use model::{Affinity, CheckKind, Constraint, Job};
use serde_json::Value as Json;

use crate::schema::{Block, Field, JOB, Kind, Status, Times};
use crate::validate::DRIVERS;

/// A use of something without effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    /// Where, as a path in the job's JSON.
    pub path: String,
    /// What has no effect.
    pub message: String,
    /// What there is to know or to do about it.
    pub hint: &'static str,
    /// What is said at its place.
    pub label: &'static str,
}

/// How a document came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    /// Each block in it was written by a person.
    AsText,
    /// A program wrote it, and may have filled in every field: what says the same as nothing does not count.
    AsDocument,
}

/// What is known of nodes, by name; of what ends in a dot, whatever follows.
const NAMES_OF_NODES: [&str; 7] =
    ["attr.", "meta.", "node.datacenter", "node.class", "node.pool", "node.unique.id", "node.unique.name"];
const NO_EFFECT: &str = "without effect";
const KEPT: &str = "it is kept with the job and shown by `job inspect`";

/// The fields without effect that a document gives, before anything is filled in.
pub(crate) fn in_document(job: &Json, given: Given) -> Vec<Use> {
    let mut uses = Vec::new();
    in_block(&JOB, job, "", given, &mut uses);
    uses
}

fn in_block(block: &Block, json: &Json, path: &str, given: Given, uses: &mut Vec<Use>) {
    let defaults = block.defaults();
    for (key, value) in json.as_object().into_iter().flatten() {
        let Some(field) = block.json_field(key) else { continue };
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match field.kind {
            Kind::Block(inner, times) => {
                for (at, item) in items(times, value) {
                    let path = format!("{path}{at}");
                    if field.status == Status::ActedOn {
                        in_block(inner, item, &path, given, uses);
                    } else if given == Given::AsText || !says_the_same(item, &inner.defaults()) {
                        uses.push(of_field(block, field, path));
                    }
                }
            }
            _ if field.status == Status::ActedOn || says_the_same(value, defaults.get(key).unwrap_or(&Json::Null)) => {}
            _ => uses.push(of_field(block, field, path)),
        }
    }
}

fn of_field(block: &Block, field: &Field, path: String) -> Use {
    let (word, name) = match field.kind {
        Kind::Block(inner, _) => ("block", inner.name),
        _ => ("attribute", if field.name.is_empty() { field.json } else { field.name }),
    };
    match replacement(block.name, name) {
        Some(hint) => Use {
            path,
            message: format!("the {word} `{name}` is deprecated and has no effect"),
            hint,
            label: NO_EFFECT,
        },
        None if ["periodic", "parameterized"].contains(&name) => Use {
            path,
            message: format!("the {word} `{name}` has no effect yet: the job runs once, at once"),
            hint: KEPT,
            label: NO_EFFECT,
        },
        None => Use { path, message: format!("the {word} `{name}` has no effect yet"), hint: KEPT, label: NO_EFFECT },
    }
}

/// What to write in place of what Nomad has deprecated.
fn replacement(block: &str, name: &str) -> Option<&'static str> {
    Some(match (block, name) {
        ("resources", "network") => "write the network and its ports in the group, and a service with `port`",
        ("resources", "disk") => "write in the group: ephemeral_disk { size = … }",
        ("resources", "iops") | ("network", "mbits" | "device" | "cidr" | "ip") => "Nomad ignores it too: remove it",
        ("job", "consul_token" | "vault_token") => "Nomad has removed what needed it: remove it",
        _ => return None,
    })
}

/// The blocks under one name, each with the end of its path.
fn items(times: Times, value: &Json) -> Vec<(String, &Json)> {
    match (times, value) {
        (Times::Many | Times::OnceInList, Json::Array(list)) => {
            list.iter().enumerate().map(|(at, item)| (format!("[{at}]"), item)).collect()
        }
        (Times::ByLabel, Json::Object(object)) => {
            object.iter().map(|(label, item)| (format!(".{label}"), item)).collect()
        }
        (_, value) => vec![(String::new(), value)],
    }
}

/// Whether `value` leaves a thing as it is without it.
fn says_the_same(value: &Json, default: &Json) -> bool {
    match (value, default) {
        (Json::Null, _) => true,
        (Json::String(text), _) if text.is_empty() => true,
        (Json::Array(list), _) if list.is_empty() => true,
        (Json::Object(object), Json::Object(defaults)) => {
            object.iter().all(|(key, value)| says_the_same(value, defaults.get(key).unwrap_or(&Json::Null)))
        }
        (Json::Object(object), _) => object.values().all(|value| says_the_same(value, &Json::Null)),
        // What is null unless given is sent as zero by clients that do not know the difference.
        (Json::Bool(false), Json::Null) => true,
        (Json::Number(number), Json::Null) => number.as_f64() == Some(0.0),
        (value, default) => value == default,
    }
}

/// Settings of the docker driver that Nomad has deprecated: a task with one does not start here.
const DEPRECATED_OF_DOCKER: [(&str, &str); 2] = [
    ("port_map", "write in the group: network { port \"http\" { to = … } }, and here: ports = [\"http\"]"),
    ("cpuset_cpus", "ask for whole cores: resources { cores = 2 }"),
];

/// What Nomad fetches secrets from without a plugin.
const PROVIDERS_OF_OTHERS: [&str; 2] = ["nomad", "vault"];

/// The values without effect in fields that otherwise have one, in a complete job.
pub(crate) fn in_job(job: &Job) -> Vec<Use> {
    let mut uses = Vec::new();
    in_conditions(&job.constraints, &job.affinities, "", &mut uses);
    for (at, group) in job.groups.iter().enumerate() {
        let path = format!("TaskGroups[{at}]");
        in_conditions(&group.constraints, &group.affinities, &format!("{path}."), &mut uses);
        for (name, volume) in group.volumes.iter().filter(|(_, volume)| volume.kind == "csi") {
            let message = format!("the csi volume `{}` has no effect yet", volume.source);
            let hint = "tasks that mount it do not start; host volumes of the nodes can be mounted";
            uses.push(Use { path: format!("{path}.Volumes.{name}"), message, hint, label: NO_EFFECT });
        }
        in_services(&group.services, &path, &mut uses);
        for (at, task) in group.tasks.iter().enumerate() {
            let path = format!("{path}.Tasks[{at}]");
            in_conditions(&task.constraints, &task.affinities, &format!("{path}."), &mut uses);
            in_services(&task.services, &path, &mut uses);
            if !DRIVERS.contains(&task.driver.as_str()) {
                let message = format!("the driver `{}` is not in this release", task.driver);
                let hint = "the job waits until a node has it; drivers of this release are docker and fake";
                uses.push(Use { path: format!("{path}.Driver"), message, hint, label: NO_EFFECT });
            }
            for (at, secret) in task.secrets.iter().enumerate() {
                if PROVIDERS_OF_OTHERS.contains(&secret.provider.as_str()) {
                    let message = format!("the secrets provider `{}` is not in this release", secret.provider);
                    let hint = "the job waits until a node has a program of that name; built in is `file`";
                    uses.push(Use { path: format!("{path}.Secrets[{at}].Provider"), message, hint, label: NO_EFFECT });
                }
            }
            for (name, hint) in DEPRECATED_OF_DOCKER {
                if task.driver == "docker" && task.config.contains_key(name) {
                    let message = format!("the setting `{name}` is deprecated, and the docker driver refuses it");
                    uses.push(Use { path: format!("{path}.Config.{name}"), message, hint, label: NO_EFFECT });
                }
            }
            if task.resources.memory_max < 0 {
                let message = "memory without a limit has no effect yet".to_string();
                let hint = "the limit is what `memory` reserves; give memory_max a number above it for more";
                uses.push(Use { path: format!("{path}.Resources.MemoryMaxMB"), message, hint, label: NO_EFFECT });
            }
        }
    }
    uses
}

/// Conditions that no node can meet, because nothing of a node is called that.
fn in_conditions(constraints: &[Constraint], affinities: &[Affinity], path: &str, uses: &mut Vec<Use>) {
    let of_constraints = constraints.iter().enumerate().map(|(at, one)| (format!("Constraints[{at}]"), &one.attribute));
    let of_affinities = affinities.iter().enumerate().map(|(at, one)| (format!("Affinities[{at}]"), &one.attribute));
    for (block, target) in of_constraints.chain(of_affinities) {
        let name = target.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        if name.is_some_and(|name| !NAMES_OF_NODES.iter().any(|known| is_name(name, known))) {
            let message = format!("no node has anything that is called `{target}`");
            let hint = "write ${attr.name}, ${meta.name}, ${node.datacenter}, ${node.class}, ${node.pool}, ${node.unique.id} \
                        or ${node.unique.name}";
            uses.push(Use { path: format!("{path}{block}.LTarget"), message, hint, label: "not known" });
        }
    }
}

/// Whether `name` is `known`, or begins with it where that ends in a dot.
fn is_name(name: &str, known: &str) -> bool {
    name == known || known.ends_with('.') && name.starts_with(known) && name.len() > known.len()
}

fn in_services(services: &[model::Service], path: &str, uses: &mut Vec<Use>) {
    let hint = "the check is left out: it counts neither for health nor for restarts";
    for (at, service) in services.iter().enumerate() {
        for (number, check) in service.checks.iter().enumerate() {
            let path = format!("{path}.Services[{at}].Checks[{number}]");
            let (field, what) = match check.kind {
                _ if check.is_probed() => continue,
                CheckKind::Grpc => ("Type", "checks of type \"grpc\" have"),
                CheckKind::Script => ("Type", "checks of type \"script\" have"),
                CheckKind::Http | CheckKind::Tcp => ("Protocol", "checks over HTTPS have"),
            };
            uses.push(Use {
                path: format!("{path}.{field}"),
                message: format!("{what} no effect yet"),
                hint,
                label: NO_EFFECT,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(job: Json, given: Given) -> Vec<String> {
        in_document(&job, given).into_iter().map(|found| found.path).collect()
    }

    #[test]
    fn a_document_may_say_what_holds_anyway() {
        let quiet = json!({
            "UI": {}, "Periodic": null, "VaultToken": "",
            "TaskGroups": [{
                "MaxRunDuration": 0,
                "Consul": {"Cluster": "default", "Namespace": ""},
                "EphemeralDisk": {"SizeMB": 300, "Sticky": false, "Migrate": false},
                "RestartPolicy": {"RenderTemplates": false},
                "Networks": [{"MBits": 0, "DynamicPorts": [{"Label": "a", "HostNetwork": "default"}]}],
                "Tasks": [{"Templates": [], "Resources": {"SecretsMB": 0, "Devices": []}}],
            }],
        });
        assert_eq!(paths(quiet, Given::AsDocument), [""; 0]);
    }

    #[test]
    fn each_use_is_found_where_it_stands() {
        let loud = json!({
            "Periodic": {"Spec": "@daily"},
            "TaskGroups": [{
                "EphemeralDisk": {"Migrate": true},
                "Networks": [{"CNI": {"Args": {"a": "b"}}}],
                "Services": [{"Cluster": "eu", "Connect": {"Native": true}}],
                "Volumes": {"data": {"Type": "host", "MountOptions": {"FSType": "ext4"}}},
                "Tasks": [{"Templates": [{"DestPath": "a"}, {"DestPath": "b"}]}],
            }],
        });
        let wanted = [
            "Periodic",
            "TaskGroups[0].EphemeralDisk.Migrate",
            "TaskGroups[0].Networks[0].CNI",
            "TaskGroups[0].Services[0].Cluster",
            "TaskGroups[0].Services[0].Connect",
            "TaskGroups[0].Tasks[0].Templates[0]",
            "TaskGroups[0].Tasks[0].Templates[1]",
            "TaskGroups[0].Volumes.data.MountOptions",
        ];
        assert_eq!(paths(loud, Given::AsDocument), wanted);
    }

    #[test]
    fn a_written_block_counts_even_if_it_says_nothing() {
        let empty = json!({"UI": {}, "TaskGroups": [{"EphemeralDisk": {"Sticky": false}}]});
        assert_eq!(paths(empty, Given::AsText), ["UI"]);
    }
}
