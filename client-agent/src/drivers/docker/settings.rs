//! What a jobspec may say in the `config` block of a Docker task.
//!
//! An allow-list: each key is read into a field of its own. Keys that would reach the host are refused with the reason,
//! unknown ones with their name.

use std::collections::BTreeMap;
use std::time::Duration;

use bollard::auth::DockerCredentials;
use bollard::models::ResourcesUlimits;
use serde_json::Value;

use super::images::PULL_TIMEOUT_DEFAULT;
use crate::drivers::DriverError;

/// Capabilities that Docker gives by default: more can't be had.
const CAPABILITIES: [&str; 14] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Kernel settings that live inside a container's own namespaces.
const SYSCTL_PREFIXES: [&str; 5] = ["net.", "fs.mqueue.", "kernel.msg", "kernel.sem", "kernel.shm"];

/// The settings of a Docker task.
#[derive(Clone, Debug, PartialEq, Default)]
pub(super) struct Settings {
    pub image: String,
    pub command: Option<String>,
    pub args: Vec<String>,
    pub entrypoint: Option<Vec<String>>,
    pub ports: Vec<String>,
    pub network_mode: Option<String>,
    pub labels: BTreeMap<String, String>,
    pub work_dir: Option<String>,
    pub hostname: Option<String>,
    pub force_pull: bool,
    pub auth: Option<DockerCredentials>,
    pub image_pull_timeout: Duration,
    pub cap_add: Vec<String>,
    pub cap_drop: Vec<String>,
    pub readonly_rootfs: bool,
    pub init: bool,
    pub ulimits: Vec<ResourcesUlimits>,
    pub sysctls: BTreeMap<String, String>,
    pub shm_size: Option<i64>,
    pub pids_limit: Option<i64>,
    pub extra_hosts: Vec<String>,
    pub dns_servers: Vec<String>,
    pub dns_search_domains: Vec<String>,
    pub dns_options: Vec<String>,
    pub group_add: Vec<String>,
    pub tty: bool,
    pub interactive: bool,
}

type Config = BTreeMap<String, Value>;

impl Settings {
    /// Reads a `config` block; what is refused says why.
    pub fn read(config: &Config) -> Result<Settings, DriverError> {
        let mut settings = Settings { image_pull_timeout: PULL_TIMEOUT_DEFAULT, ..Settings::default() };
        for (key, value) in config {
            settings.set(key, value)?;
        }
        match settings.image.is_empty() {
            true => Err(DriverError::Invalid("config.image is missing: say which image the task runs".into())),
            false => Ok(settings),
        }
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), DriverError> {
        match key {
            "image" => self.image = text(key, value)?,
            "command" => self.command = Some(text(key, value)?),
            "args" => self.args = texts(key, value)?,
            "entrypoint" => self.entrypoint = Some(texts(key, value)?),
            "ports" => self.ports = texts(key, value)?,
            "network_mode" => self.network_mode = network_mode(key, value)?,
            "labels" => self.labels = pairs(key, value)?,
            "work_dir" => self.work_dir = Some(text(key, value)?),
            "hostname" => self.hostname = Some(text(key, value)?),
            "force_pull" => self.force_pull = flag(key, value)?,
            "auth" => self.auth = Some(auth(key, value)?),
            // Without credentials the registry is asked anonymously anyway.
            "auth_soft_fail" => drop(flag(key, value)?),
            "image_pull_timeout" => self.image_pull_timeout = duration(key, value)?,
            "cap_add" => self.cap_add = capabilities_to_add(key, value)?,
            "cap_drop" => self.cap_drop = texts(key, value)?,
            "readonly_rootfs" => self.readonly_rootfs = flag(key, value)?,
            "init" => self.init = flag(key, value)?,
            "ulimit" => self.ulimits = ulimits(key, value)?,
            "sysctl" => self.sysctls = sysctls(key, value)?,
            "shm_size" => self.shm_size = Some(number(key, value)?),
            "pids_limit" => self.pids_limit = Some(number(key, value)?),
            "extra_hosts" => self.extra_hosts = texts(key, value)?,
            "dns_servers" => self.dns_servers = texts(key, value)?,
            "dns_search_domains" => self.dns_search_domains = texts(key, value)?,
            "dns_options" => self.dns_options = texts(key, value)?,
            "group_add" => self.group_add = texts(key, value)?,
            "tty" => self.tty = flag(key, value)?,
            "interactive" => self.interactive = flag(key, value)?,
            "privileged" if !flag(key, value)? => {}
            _ => return Err(DriverError::Invalid(refusal(key))),
        }
        Ok(())
    }
}

/// Why a key is not accepted.
fn refusal(key: &str) -> String {
    let reason = match key {
        "privileged" => "a privileged container owns the host",
        "devices" => "devices are asked for in the task: resources { device \"vendor/type\" { } }",
        "volumes" | "mount" | "mounts" | "volume_driver" => {
            "ask for a host volume of the node: volume in the group and volume_mount in the task"
        }
        "pid_mode" | "ipc_mode" | "uts_mode" | "userns_mode" | "cgroupns" => "tasks do not share the host's namespaces",
        "security_opt" => "the engine's default confinement stays on",
        "port_map" => "name the group's ports in config.ports instead",
        _ => return format!("config.{key} is not a setting of the docker driver"),
    };
    format!("config.{key} is refused: {reason}")
}

fn wrong(key: &str, wanted: &str, value: &Value) -> DriverError {
    DriverError::Invalid(format!("config.{key} must be {wanted}, got {value}"))
}

/// A text; numbers and flags are taken as they are written.
fn text(key: &str, value: &Value) -> Result<String, DriverError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(wrong(key, "a text", value)),
    }
}

fn texts(key: &str, value: &Value) -> Result<Vec<String>, DriverError> {
    let items = value.as_array().ok_or_else(|| wrong(key, "a list of texts", value))?;
    items.iter().map(|item| text(key, item)).collect()
}

fn flag(key: &str, value: &Value) -> Result<bool, DriverError> {
    let flag = value.as_bool().or_else(|| value.as_str()?.parse().ok());
    flag.ok_or_else(|| wrong(key, "true or false", value))
}

fn number(key: &str, value: &Value) -> Result<i64, DriverError> {
    let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    number.filter(|number| *number > 0).ok_or_else(|| wrong(key, "a number above 0", value))
}

fn duration(key: &str, value: &Value) -> Result<Duration, DriverError> {
    let duration = value.as_str().and_then(|text| humantime::parse_duration(text).ok());
    duration.ok_or_else(|| wrong(key, "a duration such as \"5m\"", value))
}

/// The pairs of a map, or of a list of maps, which is how blocks arrive.
fn pairs(key: &str, value: &Value) -> Result<BTreeMap<String, String>, DriverError> {
    let one = std::slice::from_ref(value);
    let maps = value.as_array().map_or(one, Vec::as_slice);
    let mut pairs = BTreeMap::new();
    for map in maps {
        for (name, value) in map.as_object().ok_or_else(|| wrong(key, "a map of texts", value))? {
            pairs.insert(name.clone(), text(key, value)?);
        }
    }
    Ok(pairs)
}

fn network_mode(key: &str, value: &Value) -> Result<Option<String>, DriverError> {
    match text(key, value)?.as_str() {
        "" | "default" | "bridge" => Ok(None),
        "none" => Ok(Some("none".into())),
        "host" => Err(DriverError::Invalid(
            "config.network_mode = \"host\" is refused: tasks do not share the host's namespaces; name the group's \
             ports in config.ports"
                .into(),
        )),
        _ => Err(wrong(key, "\"bridge\" or \"none\"", value)),
    }
}

fn auth(key: &str, value: &Value) -> Result<DockerCredentials, DriverError> {
    let mut credentials = DockerCredentials::default();
    for (name, value) in pairs(key, value)? {
        match name.as_str() {
            "username" => credentials.username = Some(value),
            "password" => credentials.password = Some(value),
            "email" => credentials.email = Some(value),
            "server_address" => credentials.serveraddress = Some(value),
            _ => return Err(DriverError::Invalid(format!("config.auth.{name} is not a setting of the docker driver"))),
        }
    }
    Ok(credentials)
}

fn capabilities_to_add(key: &str, value: &Value) -> Result<Vec<String>, DriverError> {
    let wanted = texts(key, value)?;
    for capability in &wanted {
        let upper = capability.to_uppercase();
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
        if !CAPABILITIES.contains(&name) {
            return Err(DriverError::Invalid(format!(
                "config.cap_add: {capability} is refused: only capabilities that Docker gives by default may be added"
            )));
        }
    }
    Ok(wanted)
}

fn ulimits(key: &str, value: &Value) -> Result<Vec<ResourcesUlimits>, DriverError> {
    let wanted = "limits such as nofile = \"1024:2048\"";
    let limit = |(name, text): (String, String)| {
        let (soft, hard) = text.split_once(':').unwrap_or((&text, &text));
        match (soft.trim().parse(), hard.trim().parse()) {
            (Ok(soft), Ok(hard)) => Ok(ResourcesUlimits { name: Some(name), soft: Some(soft), hard: Some(hard) }),
            _ => Err(wrong(key, wanted, value)),
        }
    };
    pairs(key, value)?.into_iter().map(limit).collect()
}

fn sysctls(key: &str, value: &Value) -> Result<BTreeMap<String, String>, DriverError> {
    let settings = pairs(key, value)?;
    match settings.keys().find(|name| !SYSCTL_PREFIXES.iter().any(|prefix| name.starts_with(prefix))) {
        Some(name) => Err(DriverError::Invalid(format!("config.sysctl: {name} is refused: it is the host's own"))),
        None => Ok(settings),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<Settings, String> {
        let mut config: Config = serde_json::from_value(value).unwrap();
        config.entry("image".into()).or_insert(json!("basket:1"));
        Settings::read(&config).map_err(|error| error.to_string())
    }

    #[test]
    fn accepted_keys_reach_their_fields() {
        let settings = read(json!({
            "command": "serve", "args": ["-p", 80], "ports": ["http"], "labels": [{"team": "core"}],
            "auth": {"username": "u", "password": "p"}, "image_pull_timeout": "1m", "cap_add": ["net_raw"],
            "ulimit": [{"nofile": "1024:2048"}], "sysctl": {"net.core.somaxconn": "16"}, "privileged": false,
        }))
        .unwrap();
        assert_eq!(settings.args, ["-p", "80"]);
        assert_eq!(settings.labels["team"], "core");
        assert_eq!(settings.auth.unwrap().username.as_deref(), Some("u"));
        assert_eq!(settings.image_pull_timeout, Duration::from_secs(60));
        assert_eq!((settings.ulimits[0].soft, settings.ulimits[0].hard), (Some(1024), Some(2048)));
    }

    #[test]
    fn what_reaches_for_the_host_is_refused_with_the_reason() {
        let refused = |value: Value, word: &str| {
            let error = read(value).unwrap_err();
            assert!(error.contains(word), "{error}");
        };
        refused(json!({"privileged": true}), "config.privileged is refused: a privileged container owns the host");
        refused(json!({"network_mode": "host"}), "do not share the host's namespaces");
        refused(json!({"network_mode": "container:abc"}), "must be \"bridge\" or \"none\"");
        refused(json!({"pid_mode": "host"}), "config.pid_mode is refused");
        refused(json!({"volumes": ["/:/host"]}), "folders of the host are not mounted");
        refused(json!({"mount": [{"type": "bind"}]}), "config.mount is refused");
        refused(json!({"devices": [{"host_path": "/dev/sda"}]}), "config.devices is refused");
        refused(json!({"cap_add": ["SYS_ADMIN"]}), "SYS_ADMIN is refused");
        refused(json!({"security_opt": ["seccomp=unconfined"]}), "config.security_opt is refused");
        refused(json!({"sysctl": {"kernel.panic": "1"}}), "kernel.panic is refused");
    }

    #[test]
    fn unknown_keys_and_wrong_kinds_are_named() {
        assert_eq!(read(json!({"imgae": "x"})).unwrap_err(), "config.imgae is not a setting of the docker driver");
        assert_eq!(read(json!({"args": "x"})).unwrap_err(), "config.args must be a list of texts, got \"x\"");
        let missing = Settings::read(&BTreeMap::new()).unwrap_err();
        assert_eq!(missing.to_string(), "config.image is missing: say which image the task runs");
    }
}
