//! Grants on one node.

use model::testing::{job, node};
use model::{Cores, Device, DeviceGroup, DeviceInstance, DeviceName, Numa, Task};

use super::*;
use crate::limits::{DEVICE_SEARCH_STEPS_MAX, NUMA_SEARCH_STEPS_MAX};
use crate::state::NodeUse;

/// Equal devices of that model, so many.
fn gpus(name: &str, count: usize) -> DeviceGroup {
    let instance = |at: usize| DeviceInstance { id: at.to_string(), healthy: true, numa_node: None };
    DeviceGroup {
        name: DeviceName { vendor: "nvidia".into(), kind: "gpu".into(), name: name.into() },
        instances: (0..count).map(instance).collect(),
        ..DeviceGroup::default()
    }
}

/// A group of one task that asks for so many single devices, each in a block of its own.
fn asks(count: usize) -> Group {
    let mut group = job("web").groups.remove(0);
    group.tasks[0].resources.devices = vec![Device { name: "gpu".into(), ..Device::default() }; count];
    group
}

fn on(node: &Node, held: Option<&NodeUse>, group: &Group) -> Result<Grant, Vec<Misfit>> {
    grant(node, &Taken { held, placed: &Placed::default(), inherited: None, shares: None }, group)
}

#[test]
fn a_search_that_would_take_for_ever_ends_at_its_limit_as_too_full() {
    // Each of 21 asks could have any of 20 devices: more orders than anyone can try.
    let mut node = node("n1");
    node.devices = (0..20).map(|at| gpus(&format!("g{at}"), 1)).collect();
    assert_eq!(on(&node, None, &asks(20)).map(|grant| grant.devices.len()), Ok(20));
    let short = Misfit::Device { name: "gpu".into(), ask: 1, share: 1000, matching: 1, free: 0 };
    assert!(!short.is_filter());
    assert_eq!(on(&node, None, &asks(21)), Err(vec![short]));
}

#[test]
fn asks_that_are_met_at_the_first_try_may_be_more_than_the_limit() {
    let count = DEVICE_SEARCH_STEPS_MAX as usize + 1;
    let mut node = node("n1");
    node.devices = vec![gpus("a100", count)];
    assert_eq!(on(&node, None, &asks(count)).map(|grant| grant.devices.len()), Ok(count));
}

#[test]
fn as_many_numa_nodes_are_tried_as_the_limit() {
    // The device is near one of them only; they are tried in order.
    let near = |numa: u16| {
        let numas = 0..NUMA_SEARCH_STEPS_MAX as u16 + 1;
        let mut node = node("n1");
        let numa_nodes = numas.clone().map(|numa| (numa, [numa].into())).collect();
        node.cores = Cores { ids: numas.collect(), core_mhz: 1000, numa_nodes };
        node.devices = vec![gpus("a100", 1)];
        node.devices[0].instances[0].numa_node = Some(numa);
        let mut group = asks(1);
        let resources = &mut group.tasks[0].resources;
        resources.cores = 1;
        resources.numa = Some(Numa { affinity: "require".into(), devices: vec!["gpu".into()] });
        on(&node, None, &group).is_ok()
    };
    let last = NUMA_SEARCH_STEPS_MAX as u16 - 1;
    assert_eq!((near(last), near(last + 1)), (true, false));
}

#[test]
fn each_task_of_a_group_gets_its_own() {
    let mut node = node("n1");
    node.cores = Cores { ids: (0..4).collect(), core_mhz: 1000, ..Cores::default() };
    node.devices = vec![gpus("a100", 2)];
    let mut group = asks(1);
    group.tasks[0].resources.cores = 1;
    let second = Task { name: "second".into(), ..group.tasks[0].clone() };
    group.tasks.push(second);
    let grant = on(&node, None, &group).expect("there is enough of all");
    let cores: Vec<_> = grant.cores.iter().map(|grant| (grant.task.as_str(), grant.ids.clone())).collect();
    assert_eq!(cores, [("web", [0].into()), ("second", [1].into())]);
    let devices: Vec<_> = grant.devices.iter().map(|grant| (grant.task.as_str(), grant.device.id.as_str())).collect();
    assert_eq!(devices, [("web", "0"), ("second", "1")]);
}

#[test]
fn all_that_is_short_is_named_at_once() {
    let mut group = asks(1);
    group.tasks[0].resources.cores = 2;
    let missing = Misfit::Device { name: "gpu".into(), ask: 1, share: 1000, matching: 0, free: 0 };
    assert!(missing.is_filter());
    assert_eq!(on(&node("n1"), None, &group), Err(vec![Misfit::Cores { ask: 2, free: 0 }, missing]));
}

#[test]
fn whoever_asks_for_nothing_gets_nothing_and_always_fits() {
    assert_eq!(on(&node("n1"), None, &asks(0)), Ok(Grant::default()));
}
