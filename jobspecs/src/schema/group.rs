//! `group`: the tasks that are placed together.

use super::kind::{AMOUNT, COUNT};
use super::network::NETWORK;
use super::placement::{AFFINITY, CONSTRAINT, SPREAD};
use super::policy::{DISCONNECT, MIGRATE, RESCHEDULE, RESTART, UPDATE};
use super::scaling::SCALING;
use super::secret::CONSUL;
use super::service::SERVICE;
use super::task::TASK;
use super::volume::VOLUME;
use super::{Block, Kind, Times, attribute, block};

pub(super) static GROUP: Block = Block::new(
    "group",
    "Tasks that run together on one node, so many times.",
    &[
        attribute("", "Name", Kind::Text, "The group's name, given as the label."),
        attribute("count", "Count", COUNT, "Instances wanted; 1 unless given, 0 for none."),
        block("constraint", "Constraints", &CONSTRAINT, Times::Many),
        block("affinity", "Affinities", &AFFINITY, Times::Many),
        block("spread", "Spreads", &SPREAD, Times::Many),
        block("network", "Networks", &NETWORK, Times::OnceInList),
        block("service", "Services", &SERVICE, Times::Many),
        block("task", "Tasks", &TASK, Times::Many),
        block("restart", "RestartPolicy", &RESTART, Times::Once),
        block("reschedule", "ReschedulePolicy", &RESCHEDULE, Times::Once),
        block("update", "Update", &UPDATE, Times::Once),
        block("migrate", "Migrate", &MIGRATE, Times::Once),
        block("disconnect", "Disconnect", &DISCONNECT, Times::Once),
        block("ephemeral_disk", "EphemeralDisk", &EPHEMERAL_DISK, Times::Once),
        attribute("shutdown_delay", "ShutdownDelay", Kind::Duration, "Wait between leaving the catalog and the stop."),
        attribute(
            "meta",
            "Meta",
            Kind::TextMap,
            "Free values by name, handed to tasks; `sched_rebalance = \"never\"` keeps instances where they are.",
        ),
        block("volume", "Volumes", &VOLUME, Times::ByLabel),
        block("scaling", "Scaling", &SCALING, Times::Once).not_yet(),
        block("consul", "Consul", &CONSUL, Times::Once).not_yet(),
        attribute("max_run_duration", "MaxRunDuration", Kind::Duration, "Ends a batch instance that runs longer.")
            .not_yet(),
        attribute("stop_after_client_disconnect", "StopAfterClientDisconnect", Kind::Duration, "Use `disconnect`."),
        attribute("max_client_disconnect", "MaxClientDisconnect", Kind::Duration, "Use `disconnect`."),
        attribute("prevent_reschedule_on_lost", "PreventRescheduleOnLost", Kind::Bool, "Use `disconnect`."),
    ],
)
.labelled("Name")
.of::<model::Group>();

static EPHEMERAL_DISK: Block = Block::new(
    "ephemeral_disk",
    "Disk of an instance, gone with it.",
    &[
        attribute("size", "SizeMB", AMOUNT, "MiB; 300 unless given."),
        attribute("sticky", "Sticky", Kind::Bool, "Whether a successor tries the same node, as yet without data."),
        attribute("migrate", "Migrate", Kind::Bool, "Whether data moves to another node.").not_yet(),
    ],
)
.of::<model::EphemeralDisk>();
