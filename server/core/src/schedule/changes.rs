//! Whether a new version of a group can be taken over by an instance as it runs, or needs a new one.

use model::{Group, Job, Task};

/// What a new version means for a running instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// Nothing that concerns it.
    None,
    /// It takes it over as it runs.
    InPlace,
    /// A new instance must take its place.
    Destructive,
}

/// What the change of `name` from `old` to `new` means for an instance of it.
pub(crate) fn change_between(old: &Job, new: &Job, name: &str) -> Change {
    let (Some(before), Some(after)) = (old.group(name), new.group(name)) else { return Change::Destructive };
    if needs_new_instance(before, after) || (old.meta != new.meta) {
        Change::Destructive
    } else if before == after {
        Change::None
    } else {
        Change::InPlace
    }
}

/// Everything that is fixed when an instance starts.
fn needs_new_instance(old: &Group, new: &Group) -> bool {
    old.networks != new.networks
        || old.ephemeral_disk != new.ephemeral_disk
        || old.meta != new.meta
        || old.kept != new.kept
        || old.tasks.len() != new.tasks.len()
        || old.tasks.iter().zip(&new.tasks).any(|(old, new)| needs_new_task(old, new))
}

fn needs_new_task(old: &Task, new: &Task) -> bool {
    old.name != new.name
        || old.driver != new.driver
        || old.config != new.config
        || old.user != new.user
        || old.lifecycle != new.lifecycle
        || old.leader != new.leader
        || old.resources != new.resources
        || old.env != new.env
        || old.meta != new.meta
        || old.logs != new.logs
        || old.kept != new.kept
}

#[cfg(test)]
mod tests {
    use model::testing::job;

    use super::*;

    #[track_caller]
    fn check(bend: impl FnOnce(&mut Job), wanted: Change) {
        let old = job("web");
        let mut new = old.clone();
        bend(&mut new);
        assert_eq!(change_between(&old, &new, "web"), wanted);
    }

    #[test]
    fn what_is_fixed_at_the_start_needs_a_new_instance() {
        check(|job| job.groups[0].tasks[0].driver = "docker".into(), Change::Destructive);
        check(|job| job.groups[0].tasks[0].user = "www".into(), Change::Destructive);
        check(|job| job.groups[0].tasks[0].resources.memory += 1, Change::Destructive);
        check(|job| drop(job.groups[0].tasks[0].env.insert("A".into(), "b".into())), Change::Destructive);
        check(|job| drop(job.groups[0].tasks[0].config.insert("image".into(), "x".into())), Change::Destructive);
        check(|job| job.groups[0].networks.push(Default::default()), Change::Destructive);
        check(|job| drop(job.meta.insert("a".into(), "b".into())), Change::Destructive);
    }

    #[test]
    fn what_only_the_servers_or_the_agent_look_at_is_taken_over() {
        check(|job| job.groups[0].count = 9, Change::InPlace);
        check(|job| job.groups[0].services.push(Default::default()), Change::InPlace);
        check(|job| job.groups[0].restart = None, Change::InPlace);
        check(|job| job.groups[0].tasks[0].kill_timeout *= 2, Change::InPlace);
        check(|job| job.groups[0].spreads.push(Default::default()), Change::InPlace);
        check(|job| job.priority = 70, Change::None);
    }
}
