//! The settings of the drivers that Nomad brings along, and which table is whose.

use super::docker::DOCKER;
use super::{Block, Kind, attribute};

/// The drivers whose settings are known, each with its table.
pub(crate) const SETTINGS: [(&str, &Block); 5] =
    [("docker", &DOCKER), ("exec", &EXEC), ("raw_exec", &RAW_EXEC), ("java", &JAVA), ("qemu", &QEMU)];

/// The settings of that driver; None if it is no driver that is known.
pub(crate) fn driver(name: &str) -> Option<&'static Block> {
    SETTINGS.into_iter().find(|(known, _)| *known == name).map(|(_, block)| block)
}

static EXEC: Block = Block::new(
    "config",
    "Settings of the exec driver.",
    &[
        attribute("command", "command", Kind::Text, "The command; required."),
        attribute("args", "args", Kind::Texts, "Its arguments."),
        attribute("pid_mode", "pid_mode", Kind::Choice(&["private", "host"]), "Process namespace."),
        attribute("ipc_mode", "ipc_mode", Kind::Choice(&["private", "host"]), "IPC namespace."),
        attribute("cap_add", "cap_add", Kind::Texts, "Capabilities to add."),
        attribute("cap_drop", "cap_drop", Kind::Texts, "Capabilities to drop."),
        attribute("work_dir", "work_dir", Kind::Text, "The working directory."),
    ],
);

static RAW_EXEC: Block = Block::new(
    "config",
    "Settings of the raw_exec driver.",
    &[
        attribute("command", "command", Kind::Text, "The command; required."),
        attribute("args", "args", Kind::Texts, "Its arguments."),
        attribute("cgroup_v2_override", "cgroup_v2_override", Kind::Text, "The control group to run in."),
        attribute("cgroup_v1_override", "cgroup_v1_override", Kind::TextMaps, "The control groups to run in."),
        attribute("oom_score_adj", "oom_score_adj", Kind::Whole(-1000, 1000), "How likely it dies for memory."),
        attribute("work_dir", "work_dir", Kind::Text, "The working directory."),
        attribute("denied_envvars", "denied_envvars", Kind::Texts, "Variables that it does not see."),
    ],
);

static JAVA: Block = Block::new(
    "config",
    "Settings of the java driver.",
    &[
        attribute("class", "class", Kind::Text, "The class to run."),
        attribute("class_path", "class_path", Kind::Text, "Where classes are."),
        attribute("jar_path", "jar_path", Kind::Text, "The archive to run."),
        attribute("jvm_options", "jvm_options", Kind::Texts, "Options of the machine."),
        attribute("args", "args", Kind::Texts, "Arguments of the program."),
        attribute("pid_mode", "pid_mode", Kind::Choice(&["private", "host"]), "Process namespace."),
        attribute("ipc_mode", "ipc_mode", Kind::Choice(&["private", "host"]), "IPC namespace."),
        attribute("cap_add", "cap_add", Kind::Texts, "Capabilities to add."),
        attribute("cap_drop", "cap_drop", Kind::Texts, "Capabilities to drop."),
        attribute("work_dir", "work_dir", Kind::Text, "The working directory."),
    ],
);

static QEMU: Block = Block::new(
    "config",
    "Settings of the qemu driver.",
    &[
        attribute("image_path", "image_path", Kind::Text, "The machine's image; required."),
        attribute("emulator", "emulator", Kind::Text, "The emulator; `qemu-system-x86_64` unless given."),
        attribute("machine_type", "machine_type", Kind::Text, "The machine; `pc` unless given."),
        attribute("drive_interface", "drive_interface", Kind::Text, "How the image is attached; `ide` unless given."),
        attribute("accelerator", "accelerator", Kind::Text, "The accelerator; `tcg` unless given."),
        attribute("graceful_shutdown", "graceful_shutdown", Kind::Bool, "Whether it is asked to shut down."),
        attribute("guest_agent", "guest_agent", Kind::Bool, "Whether an agent runs in it."),
        attribute("args", "args", Kind::Texts, "Arguments of the emulator."),
        attribute("port_map", "port_map", Kind::TextMaps, "Ports to forward."),
    ],
);
