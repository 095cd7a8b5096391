//! The settings that the docker driver takes in a task's `config`.

use super::{Block, Kind, Times, attribute, block};

const PIDS: Kind = Kind::Whole(0, i32::MAX as i64);

pub(super) static DOCKER: Block = Block::new(
    "config",
    "Settings of the docker driver.",
    &[
        attribute("image", "image", Kind::Text, "The image; required."),
        attribute("command", "command", Kind::Text, "The command, in place of the image's."),
        attribute("args", "args", Kind::Texts, "The command's arguments."),
        attribute("entrypoint", "entrypoint", Kind::Texts, "The entry point, in place of the image's."),
        attribute("work_dir", "work_dir", Kind::Text, "The working directory."),
        attribute("force_pull", "force_pull", Kind::Bool, "Pull even if the image is present."),
        attribute("image_pull_timeout", "image_pull_timeout", Kind::Text, "How long a pull may take."),
        block("auth", "auth", &AUTH, Times::Once),
        attribute("auth_soft_fail", "auth_soft_fail", Kind::Bool, "Try without credentials if there are none."),
        attribute("load", "load", Kind::Text, "An image archive in the task's folder."),
        attribute("ports", "ports", Kind::Texts, "Labels of the group's ports to publish."),
        attribute("port_map", "port_map", Kind::TextMaps, "Deprecated: use the group's ports."),
        attribute("network_mode", "network_mode", Kind::Text, "`bridge`, `host`, `none` or a network's name."),
        attribute("network_aliases", "network_aliases", Kind::Texts, "Names on the network."),
        attribute("ipv4_address", "ipv4_address", Kind::Text, "A fixed address."),
        attribute("ipv6_address", "ipv6_address", Kind::Text, "A fixed address."),
        attribute("mac_address", "mac_address", Kind::Text, "A fixed address."),
        attribute("advertise_ipv6_address", "advertise_ipv6_address", Kind::Bool, "Announce the IPv6 address."),
        attribute("hostname", "hostname", Kind::Text, "The host name."),
        attribute("dns_servers", "dns_servers", Kind::Texts, "Name servers."),
        attribute("dns_search_domains", "dns_search_domains", Kind::Texts, "Search domains."),
        attribute("dns_options", "dns_options", Kind::Texts, "Resolver options."),
        attribute("extra_hosts", "extra_hosts", Kind::Texts, "Lines of the hosts file, `name:address`."),
        attribute("volumes", "volumes", Kind::Texts, "Mounts, `source:destination`."),
        attribute("volume_driver", "volume_driver", Kind::Text, "The volume plugin."),
        block("mount", "mount", &MOUNT, Times::Many),
        block("mounts", "mounts", &MOUNT, Times::Many),
        block("devices", "devices", &DEVICE, Times::Many),
        attribute("cap_add", "cap_add", Kind::Texts, "Capabilities to add."),
        attribute("cap_drop", "cap_drop", Kind::Texts, "Capabilities to drop."),
        attribute("privileged", "privileged", Kind::Bool, "All rights on the host."),
        attribute("security_opt", "security_opt", Kind::Texts, "Security options."),
        attribute("userns_mode", "userns_mode", Kind::Text, "User namespace."),
        attribute("pid_mode", "pid_mode", Kind::Text, "Process namespace."),
        attribute("ipc_mode", "ipc_mode", Kind::Text, "IPC namespace."),
        attribute("uts_mode", "uts_mode", Kind::Text, "Host name namespace."),
        attribute("cgroupns", "cgroupns", Kind::Text, "Control group namespace."),
        attribute("readonly_rootfs", "readonly_rootfs", Kind::Bool, "The root file system can't be written."),
        attribute("init", "init", Kind::Bool, "Run an init process."),
        attribute("interactive", "interactive", Kind::Bool, "Keep the input open."),
        attribute("tty", "tty", Kind::Bool, "Give it a terminal."),
        attribute("group_add", "group_add", Kind::Texts, "Further groups of the user."),
        attribute("ulimit", "ulimit", Kind::TextMaps, "Limits of processes."),
        attribute("sysctl", "sysctl", Kind::TextMaps, "Kernel parameters."),
        attribute("shm_size", "shm_size", Kind::Whole(0, i64::MAX), "Shared memory, in bytes."),
        attribute("storage_opt", "storage_opt", Kind::TextMaps, "Storage options."),
        attribute("pids_limit", "pids_limit", PIDS, "The most processes."),
        attribute(
            "oom_score_adj",
            "oom_score_adj",
            Kind::Whole(-1000, 1000),
            "How likely it dies when memory is short.",
        ),
        attribute("cpu_hard_limit", "cpu_hard_limit", Kind::Bool, "Whether MHz are a limit, not a share."),
        attribute(
            "cpu_cfs_period",
            "cpu_cfs_period",
            Kind::Whole(0, 1_000_000),
            "The limit's period, in microseconds.",
        ),
        attribute("cpuset_cpus", "cpuset_cpus", Kind::Text, "Ignored by Nomad: use `cores`."),
        attribute("memory_hard_limit", "memory_hard_limit", Kind::Whole(0, 1 << 40), "Older form of `memory_max`."),
        attribute("labels", "labels", Kind::TextMaps, "Labels of the container."),
        block("logging", "logging", &LOGGING, Times::Once),
        block("healthchecks", "healthchecks", &HEALTHCHECKS, Times::Once),
        attribute("runtime", "runtime", Kind::Text, "The container runtime."),
        attribute("isolation", "isolation", Kind::Text, "Windows only."),
        attribute("container_exists_attempts", "container_exists_attempts", PIDS, "Attempts when the name is taken."),
    ],
);

static AUTH: Block = Block::new(
    "auth",
    "Credentials of the registry.",
    &[
        attribute("username", "username", Kind::Text, "The user."),
        attribute("password", "password", Kind::Text, "The password."),
        attribute("email", "email", Kind::Text, "The user's address."),
        attribute("server_address", "server_address", Kind::Text, "The registry."),
    ],
);

static MOUNT: Block = Block::new(
    "mount",
    "A mount.",
    &[
        attribute("type", "type", Kind::Choice(&["volume", "bind", "tmpfs"]), "What is mounted."),
        attribute("target", "target", Kind::Text, "The path in the container."),
        attribute("source", "source", Kind::Text, "The volume, or the path on the host."),
        attribute("readonly", "readonly", Kind::Bool, "Whether it can't be written."),
        block("bind_options", "bind_options", &BIND_OPTIONS, Times::Once),
        block("tmpfs_options", "tmpfs_options", &TMPFS_OPTIONS, Times::Once),
        block("volume_options", "volume_options", &VOLUME_OPTIONS, Times::Once),
    ],
);

static BIND_OPTIONS: Block = Block::new(
    "bind_options",
    "How a path of the host is mounted.",
    &[attribute("propagation", "propagation", Kind::Text, "How mounts inside it are seen.")],
);

static TMPFS_OPTIONS: Block = Block::new(
    "tmpfs_options",
    "How memory is mounted.",
    &[
        attribute("size", "size", Kind::Whole(0, i64::MAX), "Its size, in bytes."),
        attribute("mode", "mode", Kind::Whole(0, 0o7777), "Its mode."),
    ],
);

static VOLUME_OPTIONS: Block = Block::new(
    "volume_options",
    "How a volume is mounted.",
    &[
        attribute("no_copy", "no_copy", Kind::Bool, "Whether the image's files are not copied into it."),
        attribute("labels", "labels", Kind::TextMaps, "Labels of the volume."),
        block("driver_config", "driver_config", &VOLUME_DRIVER, Times::Once),
    ],
);

static VOLUME_DRIVER: Block = Block::new(
    "driver_config",
    "The volume's plugin.",
    &[
        attribute("name", "name", Kind::Text, "Its name."),
        attribute("options", "options", Kind::TextMaps, "Its options."),
    ],
);

static DEVICE: Block = Block::new(
    "devices",
    "A device node.",
    &[
        attribute("host_path", "host_path", Kind::Text, "The path on the host."),
        attribute("container_path", "container_path", Kind::Text, "The path in the container."),
        attribute("cgroup_permissions", "cgroup_permissions", Kind::Text, "Some of `rwm`."),
    ],
);

static LOGGING: Block = Block::new(
    "logging",
    "The log driver.",
    &[
        attribute("type", "type", Kind::Text, "The log driver."),
        attribute("driver", "driver", Kind::Text, "The same, as Docker calls it."),
        attribute("config", "config", Kind::TextMaps, "Its settings."),
    ],
);

static HEALTHCHECKS: Block = Block::new(
    "healthchecks",
    "The image's own check.",
    &[attribute("disable", "disable", Kind::Bool, "Whether it does not run.")],
);
