//! The bodies of create calls: built field by field from what was read, never passed through.

use std::collections::{BTreeSet, HashMap};

use bollard::models::{
    ContainerCreateBody, DeviceMapping, HostConfig, HostConfigLogConfig, Mount, MountBindOptions,
    MountBindOptionsPropagationEnum, MountType, PortBinding,
};
use model::{AssignedPort, Logs};

use super::images::NETWORK_COMMAND;
use super::labels::Owner;
use super::settings::Settings;
use crate::drivers::{DriverError, TaskNetwork, TaskSpec, VolumeMounted};

/// The least CPU share that the engine takes.
const CPU_SHARES_MIN: i64 = 2;
/// Memory of the program that holds a network namespace, in MiB.
const NETWORK_MEMORY_MB: i64 = 16;

/// Refuses settings that do not go together with the group.
pub(super) fn check(spec: &TaskSpec, settings: &Settings) -> Result<(), DriverError> {
    let known = |label: &String| spec.ports.iter().any(|port| port.label == *label);
    if let Some(label) = settings.ports.iter().find(|label| !known(label)) {
        return Err(DriverError::Invalid(format!("config.ports: the group has no port {label:?}")));
    }
    if let Some(mount) = spec.mounts.iter().find(|mount| mount.source.is_none()) {
        return Err(DriverError::Invalid(format!("the volume {:?} is no host volume of this node", mount.volume)));
    }
    if let Some(mount) = spec.mounts.iter().find(|mount| !mount.destination.starts_with('/')) {
        let VolumeMounted { volume, destination, .. } = mount;
        return Err(DriverError::Invalid(format!(
            "the volume {volume:?} is mounted at {destination:?}, which is no full path"
        )));
    }
    let shares = matches!(spec.network, TaskNetwork::Shared(_));
    if shares && !settings.ports.is_empty() {
        return Err(DriverError::Invalid(
            "config.ports is for groups without mode = \"bridge\": here the group's ports are published already".into(),
        ));
    }
    if shares && (settings.hostname.is_some() || settings.network_mode.is_some() || !settings.dns_servers.is_empty()) {
        return Err(DriverError::Invalid(
            "config.hostname, network_mode and dns_servers belong to the group's network block in mode = \"bridge\""
                .into(),
        ));
    }
    Ok(())
}

/// The container of a task.
pub(super) fn task_body(spec: &TaskSpec, settings: &Settings, owner: &Owner) -> ContainerCreateBody {
    let published: Vec<&AssignedPort> = spec.ports.iter().filter(|port| settings.ports.contains(&port.label)).collect();
    let shares_network = matches!(spec.network, TaskNetwork::Shared(_));
    let mut labels: HashMap<String, String> = settings.labels.clone().into_iter().collect();
    // Ours come last: a jobspec can't pass its container off as another's.
    labels.extend(owner.labels(spec));
    let command = settings.command.iter().chain(&settings.args).cloned().collect::<Vec<_>>();
    let hostname = settings.hostname.clone().or_else(|| some(&spec.hostname)).filter(|_| !shares_network);
    ContainerCreateBody {
        image: Some(settings.image.trim_start_matches("https://").to_string()),
        cmd: (!command.is_empty()).then_some(command),
        entrypoint: settings.entrypoint.clone(),
        env: Some(spec.env.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        labels: Some(labels),
        working_dir: settings.work_dir.clone(),
        hostname,
        user: some(&spec.user),
        tty: Some(settings.tty),
        open_stdin: Some(settings.interactive),
        exposed_ports: exposed(&published),
        host_config: Some(task_host_config(spec, settings, &published)),
        ..ContainerCreateBody::default()
    }
}

fn task_host_config(spec: &TaskSpec, settings: &Settings, published: &[&AssignedPort]) -> HostConfig {
    // Where both are given the larger is the limit and the smaller what the kernel tries to keep.
    let (memory, limit) = (mebibytes(spec.resources.memory), mebibytes(spec.resources.limit_mb()));
    let mut host = HostConfig {
        memory: Some(limit),
        // The same as the memory limit: no swap on top.
        memory_swap: Some(limit),
        memory_reservation: (limit > memory).then_some(memory),
        cpu_shares: Some(cpu_shares(spec.cpu_mhz)),
        cpuset_cpus: cpuset(&spec.cores),
        cpuset_mems: cpuset(&spec.memory_nodes),
        devices: list(&spec.devices.iter().map(|path| device(path)).collect::<Vec<_>>()),
        mounts: list(&spec.mounts.iter().map(mount).collect::<Vec<_>>()),
        port_bindings: bindings(published),
        log_config: Some(log_config(&spec.logs)),
        cap_add: list(&settings.cap_add),
        cap_drop: list(&settings.cap_drop),
        readonly_rootfs: Some(settings.readonly_rootfs),
        init: settings.init.then_some(true),
        ulimits: list(&settings.ulimits),
        sysctls: (!settings.sysctls.is_empty()).then(|| settings.sysctls.clone().into_iter().collect()),
        shm_size: settings.shm_size,
        pids_limit: settings.pids_limit,
        group_add: list(&settings.group_add),
        privileged: Some(false),
        ..HostConfig::default()
    };
    match &spec.network {
        TaskNetwork::Shared(handle) => host.network_mode = Some(format!("container:{handle}")),
        TaskNetwork::Joined(name) => host.network_mode = Some(name.clone()),
        TaskNetwork::Isolated => host.network_mode = Some("none".into()),
        TaskNetwork::Own => {
            host.network_mode = settings.network_mode.clone();
            host.extra_hosts = list(&settings.extra_hosts);
            resolver(&mut host, spec, settings);
        }
    }
    host
}

/// The container that holds a group's network: the group's ports are published on it.
pub(super) fn network_body(spec: &TaskSpec, image: String, owner: &Owner) -> ContainerCreateBody {
    let published: Vec<&AssignedPort> = spec.ports.iter().collect();
    let limit = NETWORK_MEMORY_MB << 20;
    let mut host = HostConfig {
        memory: Some(limit),
        memory_swap: Some(limit),
        cpu_shares: Some(CPU_SHARES_MIN),
        port_bindings: bindings(&published),
        log_config: Some(log_config(&Logs { max_files: 1, max_file_size_mb: 1, disabled: false })),
        cap_drop: Some(vec!["ALL".into()]),
        readonly_rootfs: Some(true),
        privileged: Some(false),
        ..HostConfig::default()
    };
    if let TaskNetwork::Joined(name) = &spec.network {
        host.network_mode = Some(name.clone());
    }
    resolver(&mut host, spec, &Settings::default());
    ContainerCreateBody {
        image: Some(image),
        entrypoint: Some(vec![NETWORK_COMMAND.into()]),
        labels: Some(owner.labels(spec)),
        hostname: some(&spec.hostname),
        exposed_ports: exposed(&published),
        host_config: Some(host),
        ..ContainerCreateBody::default()
    }
}

/// The task's resolver settings, or its group's.
fn resolver(host: &mut HostConfig, spec: &TaskSpec, settings: &Settings) {
    let group = spec.dns.clone().unwrap_or_default();
    let pick = |own: &Vec<String>, group: Vec<String>| list(if own.is_empty() { &group } else { own });
    host.dns = pick(&settings.dns_servers, group.servers);
    host.dns_search = pick(&settings.dns_search_domains, group.searches);
    host.dns_options = pick(&settings.dns_options, group.options);
}

/// Cores or NUMA nodes as the kernel lists them.
fn cpuset(cores: &BTreeSet<u16>) -> Option<String> {
    let ids: Vec<_> = cores.iter().map(ToString::to_string).collect();
    (!ids.is_empty()).then(|| ids.join(","))
}

/// A device of the host, under the same path inside.
fn device(path: &str) -> DeviceMapping {
    DeviceMapping {
        path_on_host: Some(path.into()),
        path_in_container: Some(path.into()),
        cgroup_permissions: Some("rwm".into()),
    }
}

/// A folder of the host. One that does not exist is an error, and is not made.
fn mount(mount: &VolumeMounted) -> Mount {
    let propagation = match mount.propagation.as_str() {
        "host-to-task" => MountBindOptionsPropagationEnum::RSLAVE,
        "bidirectional" => MountBindOptionsPropagationEnum::RSHARED,
        _ => MountBindOptionsPropagationEnum::RPRIVATE,
    };
    Mount {
        target: Some(mount.destination.clone()),
        source: mount.source.clone(),
        typ: Some(MountType::BIND),
        read_only: Some(mount.read_only),
        bind_options: Some(MountBindOptions { propagation: Some(propagation), ..MountBindOptions::default() }),
        ..Mount::default()
    }
}

/// A share for each MHz.
fn cpu_shares(mhz: u64) -> i64 {
    i64::try_from(mhz).unwrap_or(i64::MAX).max(CPU_SHARES_MIN)
}

fn mebibytes(mb: u64) -> i64 {
    i64::try_from(mb << 20).unwrap_or(i64::MAX)
}

fn log_config(logs: &Logs) -> HostConfigLogConfig {
    if logs.disabled {
        return HostConfigLogConfig { typ: Some("none".into()), config: None };
    }
    let config = HashMap::from([
        ("max-size".to_string(), format!("{}m", logs.max_file_size_mb.max(1))),
        ("max-file".to_string(), logs.max_files.max(1).to_string()),
    ]);
    HostConfigLogConfig { typ: Some("json-file".into()), config: Some(config) }
}

/// A port is published for both protocols, as a port in a jobspec names none.
fn protocols(port: &AssignedPort) -> [String; 2] {
    [format!("{}/tcp", port.to), format!("{}/udp", port.to)]
}

fn exposed(ports: &[&AssignedPort]) -> Option<Vec<String>> {
    list(&ports.iter().flat_map(|port| protocols(port)).collect::<Vec<_>>())
}

fn bindings(ports: &[&AssignedPort]) -> Option<HashMap<String, Option<Vec<PortBinding>>>> {
    let mut bindings: HashMap<String, Option<Vec<PortBinding>>> = HashMap::new();
    for port in ports {
        for protocol in protocols(port) {
            let binding = PortBinding { host_ip: some(&port.host_ip), host_port: Some(port.value.to_string()) };
            // Several labels may lead to one port inside.
            bindings.entry(protocol).or_default().get_or_insert_default().push(binding);
        }
    }
    (!bindings.is_empty()).then_some(bindings)
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_string())
}

fn list<T: Clone>(items: &[T]) -> Option<Vec<T>> {
    (!items.is_empty()).then(|| items.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_listed_and_none_are_no_list() {
        assert_eq!(cpuset(&BTreeSet::from([0, 1, 5])), Some("0,1,5".into()));
        assert_eq!(cpuset(&BTreeSet::new()), None);
    }

    #[test]
    fn a_volume_is_bound_as_it_is_asked_for_and_never_made() {
        let wanted = VolumeMounted {
            volume: "certs".into(),
            source: Some("/srv/certs".into()),
            destination: "/certs".into(),
            read_only: true,
            propagation: "host-to-task".into(),
        };
        let bound = mount(&wanted);
        assert_eq!((bound.source.as_deref(), bound.target.as_deref()), (Some("/srv/certs"), Some("/certs")));
        assert_eq!((bound.typ, bound.read_only), (Some(MountType::BIND), Some(true)));
        let options = bound.bind_options.unwrap();
        assert_eq!(options.propagation, Some(MountBindOptionsPropagationEnum::RSLAVE));
        assert_eq!(options.create_mountpoint, None);
    }

    #[test]
    fn a_task_has_a_share_for_each_mhz_and_at_least_the_engines_least() {
        let least = CPU_SHARES_MIN as u64;
        assert_eq!(cpu_shares(least + 1), CPU_SHARES_MIN + 1);
        assert_eq!(cpu_shares(least), CPU_SHARES_MIN);
        assert_eq!(cpu_shares(least - 1), CPU_SHARES_MIN);
        assert_eq!(cpu_shares(u64::MAX), i64::MAX);
    }
}
