//! Words that people bring along from other systems, and what says the same here.

use super::{Block, DRIVER_OF_IMAGES};

/// What to write in place of `word` in the block `block`.
pub(crate) fn hint(block: &Block, word: &str) -> Option<String> {
    let said = match (block.name, word) {
        (_, "depends_on") if block.name == "task" => {
            "tasks of a group start together; one that runs before the others has: lifecycle { hook = \"prestart\" }"
        }
        (_, "depends_on") => "what must run first is a task with: lifecycle { hook = \"prestart\" }",
        (_, "for_each") => {
            "blocks for each item are made by: dynamic \"service\" { … }, with for_each and content in it"
        }
        ("group" | "job" | "task", "replicas" | "instances" | "scale" | "desired_count" | "num_instances") => {
            "how many run is the group's: count = …"
        }
        ("task", "environment" | "enviroment" | "envs" | "env_vars") => "write: env { NAME = \"value\" }",
        ("task" | "group" | "job", "env_file") => "a template with env = true reads such a file",
        ("task", "container_name") => "the task's name is its label; a container is found by its service",
        ("task", "healthcheck" | "health_check" | "liveness_probe" | "readiness_probe" | "liveness" | "readiness") => {
            "write: service { check { type = \"http\" … } }"
        }
        ("task", "mem_limit" | "cpus" | "cpu_shares" | "limits" | "requests")
        | ("resources", "limits" | "requests") => "write in resources: cpu = …, counted in MHz, and memory = …, in MiB",
        ("task", "network_mode" | "networks") => "write in the group: network { mode = \"bridge\" }",
        ("task", "restart_policy") | ("group", "restart_policy") => "write: restart { attempts = 3 }",
        ("task", "provider") => "what runs it is its driver: driver = \"docker\"",
        ("lifecycle", "create_before_destroy" | "prevent_destroy" | "ignore_changes") => {
            "how a new version replaces the old is said in: update { … }"
        }
        ("group" | "job", "container" | "containers" | "pod" | "deployment") => {
            "a container is a task: task \"name\" { driver = \"docker\" … }"
        }
        ("job", "services") | ("group", "services") => "write one block for each: service { … }",
        ("resources", "memory_mb" | "mem") => "write: memory = …, in MiB",
        ("update", "canaries") => "did you mean `canary`?",
        ("resources", "gpu" | "gpus") => "write: device \"nvidia/gpu\" { count = 1 }",
        _ => {
            let is_setting = matches!(block.name, "task" | "group") && DRIVER_OF_IMAGES.field(word).is_some();
            return is_setting.then(|| {
                let place = if block.name == "task" { "the task's" } else { "a task's" };
                format!("`{word}` is a setting of the driver and belongs in {place} config {{ … }}")
            });
        }
    };
    Some(said.into())
}

/// The same for the top level of a file.
pub(crate) fn hint_at_top(word: &str) -> Option<&'static str> {
    match word {
        "resource" | "provider" | "terraform" | "output" | "module" | "data" | "moved" | "import" => {
            Some("that is Terraform's; a jobspec has one block: job \"name\" { … }")
        }
        "local" => Some("did you mean `locals`?"),
        "services" | "networks" | "volumes" | "version" => Some("a jobspec has one block: job \"name\" { … }"),
        _ => None,
    }
}

/// The operators of other languages.
pub(crate) fn operator(word: &str) -> Option<&'static str> {
    Some(match word {
        "equals" | "equal" | "eq" | "===" => "=",
        "=>" | "gte" | "ge" => ">=",
        "=<" | "lte" | "le" => "<=",
        "gt" => ">",
        "lt" => "<",
        "<>" | "ne" | "neq" | "not_equals" | "!==" => "!=",
        "regex" | "~" | "=~" | "~=" | "matches" | "match" => "regexp",
        "contains" | "in" | "has" | "includes" => "set_contains",
        "exists" => "is_set",
        "unique" | "distinct" => "distinct_property",
        _ => return None,
    })
}
