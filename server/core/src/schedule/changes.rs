//! Whether a new version of a group can be taken over by an instance as it runs, or needs a new one.

use std::time::Duration;

use model::{Group, Job, Network, Restart, Service, Task};

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

/// Whether anything differs that is fixed when an instance starts.
fn needs_new_instance(old: &Group, new: &Group) -> bool {
    fixed(old) != fixed(new)
}

/// All of a group but what the servers or the agent look at while an instance runs. A field that is new in the model is
/// fixed until it is named here.
fn fixed(group: &Group) -> Group {
    Group {
        count: 0,
        constraints: Vec::new(),
        affinities: Vec::new(),
        spreads: Vec::new(),
        networks: group.networks.iter().map(fixed_network).collect(),
        services: proxies(&group.services),
        tasks: group.tasks.iter().map(fixed_task).collect(),
        restart: fixed_restart(group.restart.as_ref()),
        reschedule: None,
        update: None,
        migrate: None,
        disconnect: None,
        shutdown_delay: None,
        max_run_duration: None,
        stop_after_client_disconnect: None,
        max_client_disconnect: None,
        prevent_reschedule_on_lost: false,
        scaling: None,
        ..group.clone()
    }
}

fn fixed_task(task: &Task) -> Task {
    Task {
        constraints: Vec::new(),
        affinities: Vec::new(),
        services: proxies(&task.services),
        kill_timeout: Duration::ZERO,
        kill_signal: String::new(),
        shutdown_delay: Duration::ZERO,
        restart: fixed_restart(task.restart.as_ref()),
        actions: Vec::new(),
        scaling_policies: Vec::new(),
        ..task.clone()
    }
}

/// Whether templates are made anew at a restart is known to the instance from its start; the rest is looked at later.
fn fixed_restart(restart: Option<&Restart>) -> Option<Restart> {
    restart.filter(|restart| restart.render_templates).map(|_| Restart { render_templates: true, ..Restart::default() })
}

/// A network that says `host` and one that says nothing are the same.
fn fixed_network(network: &Network) -> Network {
    Network { mode: network.mode.meaning().clone(), ..network.clone() }
}

/// A service is announced by the agent at any time, but its proxy and its identity start with the instance.
fn proxies(services: &[Service]) -> Vec<Service> {
    let meshed = services.iter().filter(|service| service.connect.is_some() || service.identity.is_some());
    let proxy = |service: &Service| Service {
        name: service.name.clone(),
        connect: service.connect.clone(),
        identity: service.identity.clone(),
        ..Service::default()
    };
    meshed.map(proxy).collect()
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
        check(|job| job.groups[0].tasks[0].templates.push(Default::default()), Change::Destructive);
        check(|job| job.groups[0].tasks[0].artifacts.push(Default::default()), Change::Destructive);
        check(|job| job.groups[0].tasks[0].volume_mounts.push(Default::default()), Change::Destructive);
        check(|job| job.groups[0].tasks[0].vault = Some(Default::default()), Change::Destructive);
        check(|job| job.groups[0].tasks[0].identities.push(Default::default()), Change::Destructive);
        check(|job| job.groups[0].tasks[0].secrets.push(Default::default()), Change::Destructive);
        check(|job| drop(job.groups[0].volumes.insert("a".into(), Default::default())), Change::Destructive);
        let meshed = || model::Service { connect: Some(Default::default()), ..Default::default() };
        check(|job| job.groups[0].services.push(meshed()), Change::Destructive);
        let renders = || Some(Restart { render_templates: true, ..Restart::default() });
        check(|job| job.groups[0].restart = renders(), Change::Destructive);
        check(|job| job.groups[0].tasks[0].restart = renders(), Change::Destructive);
        check(|job| job.groups[0].tasks[0].resources.numa = Some(Default::default()), Change::Destructive);
        check(|job| job.groups[0].tasks[0].resources.cores = 2, Change::Destructive);
        check(|job| job.groups[0].tasks[0].resources.devices.push(Default::default()), Change::Destructive);
        check(|job| drop(job.groups[0].meta.insert("a".into(), "b".into())), Change::Destructive);
        check(|job| job.groups[0].ephemeral_disk.size_mb += 1, Change::Destructive);
        check(|job| job.groups[0].consul = Some(Default::default()), Change::Destructive);
        check(|job| job.groups[0].tasks[0].leader = true, Change::Destructive);
        check(|job| job.groups[0].tasks[0].name = "other".into(), Change::Destructive);
    }

    #[test]
    fn a_proxy_begins_and_changes_with_its_instance() {
        let with = |bend: fn(&mut model::Service)| {
            let mut job = job("web");
            let mut service =
                model::Service { name: "web".into(), connect: Some(Default::default()), ..Default::default() };
            bend(&mut service);
            job.groups[0].services = vec![service];
            job
        };
        let change = |bend| change_between(&with(|_| {}), &with(bend), "web");
        assert_eq!(change(|service| service.tags.push("a".into())), Change::InPlace);
        assert_eq!(change(|service| service.connect = None), Change::Destructive);
        assert_eq!(change(|service| service.name = "api".into()), Change::Destructive);
        let native = |service: &mut model::Service| {
            service.connect = Some(model::Connect { native: true, ..Default::default() });
        };
        assert_eq!(change(native), Change::Destructive);
        let sidecar = |service: &mut model::Service| {
            service.connect = Some(model::Connect { sidecar_service: Some(Default::default()), ..Default::default() });
        };
        assert_eq!(change(sidecar), Change::Destructive);
    }

    #[test]
    fn a_network_that_says_nothing_is_one_of_the_host() {
        let mut old = job("web");
        old.groups[0].networks.push(Network::default());
        let mut new = old.clone();
        new.groups[0].networks[0].mode = model::NetworkMode::Host;
        assert_eq!(change_between(&old, &new, "web"), Change::InPlace);
        new.groups[0].networks[0].mode = model::NetworkMode::Bridge;
        assert_eq!(change_between(&old, &new, "web"), Change::Destructive);
    }

    #[test]
    fn what_only_the_servers_or_the_agent_look_at_is_taken_over() {
        check(|job| job.groups[0].count = 9, Change::InPlace);
        check(|job| job.groups[0].services.push(Default::default()), Change::InPlace);
        check(|job| job.groups[0].restart = None, Change::InPlace);
        check(|job| job.groups[0].tasks[0].kill_timeout *= 2, Change::InPlace);
        check(|job| job.groups[0].spreads.push(Default::default()), Change::InPlace);
        check(|job| job.groups[0].scaling = Some(Default::default()), Change::InPlace);
        check(|job| job.groups[0].max_run_duration = Some(std::time::Duration::from_secs(60)), Change::InPlace);
        check(|job| job.groups[0].tasks[0].actions.push(Default::default()), Change::InPlace);
        check(|job| job.groups[0].tasks[0].scaling_policies.push(Default::default()), Change::InPlace);
        check(|job| job.groups[0].tasks[0].restart = Some(model::Restart::default()), Change::InPlace);
        check(|job| job.priority = 70, Change::None);
        check(|job| job.ui = Some(Default::default()), Change::None);
        check(|job| job.periodic = Some(Default::default()), Change::None);
    }
}
