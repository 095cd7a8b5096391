//! Volumes of groups, and where tasks see them.

use model::{Group, Job, Volume};

use super::Problems;
use crate::nearest;

/// How many nodes may use a volume, and how, by its type.
const ACCESS_MODES: [(&str, &[&str]); 2] = [
    (
        "host",
        &["single-node-writer", "single-node-reader-only", "single-node-single-writer", "single-node-multi-writer"],
    ),
    (
        "csi",
        &[
            "single-node-reader-only",
            "single-node-writer",
            "multi-node-reader-only",
            "multi-node-single-writer",
            "multi-node-multi-writer",
        ],
    ),
];

pub(super) fn check_group(job: &Job, group: &Group, path: &str, problems: &mut Problems) {
    let has_canaries = !job.kind.is_per_node() && group.update.as_ref().is_some_and(|update| update.canary > 0);
    for (name, volume) in &group.volumes {
        let path = format!("{path}.Volumes.{name}");
        check_volume(name, volume, &path, problems);
        if volume.per_alloc && has_canaries {
            let message = format!("the volume `{name}` can't have `per_alloc` in a group with canaries");
            problems.add(
                format!("{path}.PerAlloc"),
                message,
                "a canary would need the volume of the one that it stands beside",
            );
        }
    }
    for (number, task) in group.tasks.iter().enumerate() {
        let path = format!("{path}.Tasks[{number}]");
        for (at, mount) in task.volume_mounts.iter().enumerate() {
            let path = format!("{path}.VolumeMounts[{at}]");
            if !group.volumes.contains_key(&mount.volume) {
                let message = format!(
                    "the task `{}` mounts the volume `{}`, which its group does not have",
                    task.name, mount.volume
                );
                let hint = nearest::did_you_mean(&mount.volume, group.volumes.keys().map(String::as_str));
                let add = || format!("add to the group: volume \"{}\" {{ … }}", mount.volume);
                problems.add(format!("{path}.Volume"), message, hint.unwrap_or_else(add));
            }
            if mount.destination.is_empty() {
                let message = format!("the mount of volume `{}` has no destination", mount.volume);
                problems.add(path, message, "write: destination = \"/data\"");
            }
        }
        if let Some(plugin) = &task.csi_plugin {
            for (word, value, json) in [("id", &plugin.id, "ID"), ("type", &plugin.kind, "Type")] {
                if value.is_empty() {
                    let message = format!("the storage plugin of task `{}` has no {word}", task.name);
                    let hint = if word == "id" { "write: id = \"nfs\"" } else { "write: type = \"monolith\"" };
                    problems.add(format!("{path}.CSIPluginConfig.{json}"), message, hint);
                }
            }
        }
    }
}

fn check_volume(name: &str, volume: &Volume, path: &str, problems: &mut Problems) {
    let kind = volume.kind.as_str();
    if kind.is_empty() {
        let message = format!("the volume `{name}` has no type");
        problems.add(path, message, "write: type = \"host\" or type = \"csi\"");
    }
    if volume.source.is_empty() && !kind.is_empty() {
        problems.add(path, format!("the volume `{name}` has no source"), "write: source = \"the-volume\"");
    }
    let modes = ACCESS_MODES.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, modes)| modes);
    let mode = volume.access_mode.as_str();
    if !mode.is_empty() && !modes.is_empty() && !modes.contains(&mode) {
        let message = format!("a {kind} volume can't have the access mode `{mode}`");
        let hint = nearest::did_you_mean(mode, modes.iter().copied());
        let hint = hint.unwrap_or_else(|| format!("it is one of {}", modes.join(", ")));
        problems.add(format!("{path}.AccessMode"), message, hint);
    }
    if kind == "csi" {
        for (word, value, json) in [
            ("access_mode", mode, "AccessMode"),
            ("attachment_mode", volume.attachment_mode.as_str(), "AttachmentMode"),
        ] {
            if value.is_empty() {
                let message = format!("the csi volume `{name}` has no {word}");
                let example = if json == "AccessMode" { "single-node-writer" } else { "file-system" };
                problems.add(format!("{path}.{json}"), message, format!("write: {word} = \"{example}\""));
            }
        }
        if volume.sticky {
            let message = format!("the csi volume `{name}` can't be sticky");
            problems.add(format!("{path}.Sticky"), message, "per_alloc = true gives each instance one of its own");
        }
    }
    if kind == "host" {
        for (word, is_given, json) in [
            ("mount_options", volume.mount_options.is_some(), "MountOptions"),
            ("per_alloc", volume.per_alloc && volume.sticky, "PerAlloc"),
        ] {
            if is_given {
                let message = format!("the host volume `{name}` can't have `{word}`");
                let hint = match json {
                    "PerAlloc" => "it is sticky: the instance comes back to the volume that it had",
                    _ => "that is for csi volumes",
                };
                problems.add(format!("{path}.{json}"), message, hint);
            }
        }
    }
}
