//! Holds what the real scheduler decided against what the reference does.

use std::collections::BTreeMap;

use scenarios::story::Decided;
use server_core::plan::{self, Tail};
use server_core::testing::wanted;

use crate::choose::{Instance, Plan, Unplaced};

/// The first difference between what was decided and what the reference decides, in words.
pub fn difference(decided: &Decided<'_>) -> Option<String> {
    let Decided { before, plan: real, evaluation, now, .. } = decided;
    let (stops, wants) = wanted(before, &evaluation.job, Some(evaluation.id), *now);
    let reference = Plan::of(before, evaluation.id, &evaluation.job, &stops, wants);
    if reference.is_open_question {
        return None;
    }
    let name = |id: model::NodeId| before.node(id).map_or("?".into(), |node| node.name.clone());
    let (mut wanted, mut found): (Vec<_>, Vec<_>) = (
        reference.instances.iter().map(|instance| of_reference(instance, &name)).collect(),
        real.placements.iter().flat_map(|line| of_real(line, &name)).collect(),
    );
    wanted.sort();
    found.sort();
    if wanted != found {
        let missing: Vec<_> = wanted.iter().filter(|line| !found.contains(line)).collect();
        let beyond: Vec<_> = found.iter().filter(|line| !wanted.contains(line)).collect();
        return Some(format!("placements: the reference has {missing:#?}, the plan {beyond:#?}"));
    }
    let sorted = |stops: &mut dyn Iterator<Item = &plan::Stop>| {
        let mut stops: Vec<_> = stops.map(|stop| format!("{} {:?}", stop.allocation, stop.reason)).collect();
        stops.sort();
        stops
    };
    let wanted = sorted(&mut stops.iter().chain(&reference.stops));
    let found = sorted(&mut real.stops.iter());
    if wanted != found {
        return Some(format!("stops: the reference has {wanted:#?}, the plan {found:#?}"));
    }
    let found: BTreeMap<_, _> = real
        .outcome
        .unplaced
        .iter()
        .map(|(group, known)| {
            let nodes = [known.nodes_total, known.nodes_filtered, known.nodes_exhausted];
            let reasons = known.reasons.iter().map(|(reason, count)| (reason.clone(), count.nodes)).collect();
            (group.clone(), Unplaced { count: known.count, nodes, reasons })
        })
        .collect();
    (found != reference.unplaced)
        .then(|| format!("unplaced: the reference has {:#?}, the plan {found:#?}", reference.unplaced))
}

fn of_reference(instance: &Instance, name: &dyn Fn(model::NodeId) -> String) -> String {
    let want = &instance.want;
    let tail = Tail {
        index: want.index,
        previous: want.previous,
        after: instance.after.iter().copied().collect(),
        preempts: instance.preempts.iter().copied().collect(),
        canary: want.canary,
        reschedules: want.reschedules.clone(),
        cores: instance.given.cores.clone(),
        devices: instance.given.devices.clone(),
    };
    line(&want.group, want.version, &name(instance.node.id), &tail)
}

fn of_real(placement: &plan::Placement, name: &dyn Fn(model::NodeId) -> String) -> Vec<String> {
    let fresh = Tail::default();
    let tail = |at: usize| placement.tails.get(at).unwrap_or(&fresh);
    let of_one = |at: u32| line(&placement.group, placement.job_version, &name(placement.node), tail(at as usize));
    (0..placement.count).map(of_one).collect()
}

fn line(group: &str, version: u64, node: &str, tail: &Tail) -> String {
    let mut tail = tail.clone();
    tail.after.sort();
    tail.preempts.sort();
    let index = tail.index.map_or("any".into(), |index| index.to_string());
    let ids = |ids: &[model::AllocationId]| ids.iter().map(|id| id.short().to_string()).collect::<Vec<_>>().join(",");
    let mut line = format!("{group}[{index}] of version {version} on {node}");
    if let Some(previous) = tail.previous {
        line += &format!(" instead of {}", previous.short());
    }
    if !tail.after.is_empty() {
        line += &format!(" after {} of which end {}", ids(&tail.after), ids(&tail.preempts));
    }
    if tail.canary {
        line += " as a canary";
    }
    let given = tail.cores.iter().map(|grant| format!("{:?}", grant.ids));
    let devices = tail.devices.iter().map(|grant| format!("{} of {}", grant.share, grant.device));
    for thing in given.chain(devices) {
        line += &format!(" with {thing}");
    }
    line + &tail.reschedules.iter().map(|event| format!(" again {}", event.previous.short())).collect::<String>()
}
