//! The next move of an allocation: which task starts or ends now, given where all of them stand.
//!
//! Looks at the present only, so that any order of events, and a restart of the agent, lead to the same place.

use model::Timestamp;

use super::{Allocation, Why, kind_of, sentence_of};
use crate::lifecycle::Role;
use crate::spec::{NETWORK_TASK, Spec};
use crate::task::{Event, Phase, Task};

/// Why the allocation must end by itself, if it must.
pub(super) fn ending(allocation: &Allocation, spec: &Spec) -> Option<Why> {
    for (name, task) in &allocation.tasks {
        if task.is_dead() && task.state.failed && spec.members.get(name).is_some_and(|it| it.role != Role::Poststop) {
            let what = if name == NETWORK_TASK { "the shared network".into() } else { format!("task {name}") };
            return Some(Why::Failed(format!("Failed: {what} failed for good")));
        }
    }
    let mut mains = members(allocation, spec, |role| role == Role::Main).peekable();
    mains.peek()?;
    if let Some((name, _)) =
        members(allocation, spec, |_| true).find(|(name, task)| spec.members[*name].leader && task.is_dead())
    {
        return Some(Why::LeaderDead(name.clone()));
    }
    mains.all(|(_, task)| task.is_dead()).then_some(Why::MainTasksDead)
}

/// The next task to be told something; none while there is nothing to do but wait.
pub(super) fn next(allocation: &Allocation, spec: &Spec, now: Timestamp) -> Option<(String, Event)> {
    match &allocation.ending {
        Some(end) if now < end.signal_at => None,
        Some(end) => next_end(allocation, spec, &end.why),
        None if !allocation.waits_for.is_empty() && !allocation.has_started() => None,
        None => next_start(allocation, spec),
    }
}

/// The task that jobs name first among their main tasks, by name.
pub(super) fn first_main(spec: &Spec) -> Option<String> {
    spec.members.iter().find(|(_, member)| member.role == Role::Main).map(|(name, _)| name.clone())
}

fn next_end(allocation: &Allocation, spec: &Spec, why: &Why) -> Option<(String, Event)> {
    let stop = |name: &String| (name.clone(), Event::Stop { kind: kind_of(why), reason: sentence_of(why) });
    for tier in [Tier::Leader, Tier::Ordinary, Tier::Sidecar] {
        let mut alive = allocation.tasks.iter().filter(|(name, task)| !task.is_dead() && tier_of(spec, name) == tier);
        let mut waits = false;
        if let Some((name, _)) = alive.find(|(_, task)| {
            waits = true;
            !task.is_ending()
        }) {
            return Some(stop(name));
        }
        if waits {
            return None;
        }
    }
    let had_work = members(allocation, spec, |role| role != Role::Poststop && role != Role::Network)
        .any(|(_, task)| task.handle.is_some());
    let network_serves =
        allocation.tasks.get(NETWORK_TASK).is_none_or(|network| matches!(network.phase, Phase::Running));
    for (name, task) in members(allocation, spec, |role| role == Role::Poststop) {
        match task.phase {
            Phase::Pending if had_work && network_serves => return Some((name.clone(), Event::Start)),
            Phase::Pending => return Some(stop(name)),
            Phase::Dead => {}
            Phase::Unknown { .. }
            | Phase::Starting { .. }
            | Phase::Running
            | Phase::Stopping { .. }
            | Phase::Backoff { .. } => return None,
        }
    }
    let network = allocation.tasks.get(NETWORK_TASK)?;
    (!network.is_dead() && !network.is_ending()).then(|| stop(&NETWORK_TASK.to_string()))
}

/// Who ends together: a tier gets its signals when the one before it is gone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tier {
    Leader,
    Ordinary,
    Sidecar,
    Last,
}

fn tier_of(spec: &Spec, name: &str) -> Tier {
    match role(spec, name) {
        Role::Network | Role::Poststop => Tier::Last,
        _ if spec.members[name].leader => Tier::Leader,
        role if role.is_sidecar() => Tier::Sidecar,
        Role::Prestart { .. } | Role::Main | Role::Poststart { .. } => Tier::Ordinary,
    }
}

fn next_start(allocation: &Allocation, spec: &Spec) -> Option<(String, Event)> {
    let start = |name: &String| Some((name.clone(), Event::Start));
    if let Some(network) = allocation.tasks.get(NETWORK_TASK)
        && !network.is_running()
    {
        if matches!(network.phase, Phase::Unknown { .. } | Phase::Starting { .. }) {
            return None;
        }
        // Tasks that joined the namespace that is gone must join the new one.
        let others = || members(allocation, spec, |role| role != Role::Network);
        if let Some((name, _)) = others().find(|(_, task)| task.is_running()) {
            let reason = "the shared network namespace is gone".to_string();
            return Some((name.clone(), Event::Restart { reason, counted: false }));
        }
        let settled = others().all(|(_, task)| !task.may_run());
        return (network.phase == Phase::Pending && settled).then(|| (NETWORK_TASK.to_string(), Event::Start));
    }
    let prestart = || members(allocation, spec, |role| matches!(role, Role::Prestart { .. }));
    if let Some((name, _)) = prestart().find(|(_, task)| task.phase == Phase::Pending) {
        return start(name);
    }
    let ready = |(name, task): (&String, &Task)| match role(spec, name).is_sidecar() {
        true => task.is_running() || task.is_dead(),
        false => task.is_dead(),
    };
    // A sidecar that restarts later must not hold back a main task that restarts, hence only the first start waits.
    let mains = || members(allocation, spec, |role| role == Role::Main);
    if !prestart().all(ready) && mains().all(|(_, task)| task.handle.is_none()) {
        return None;
    }
    if let Some((name, _)) = mains().find(|(_, task)| task.phase == Phase::Pending) {
        return start(name);
    }
    if !mains().all(|(_, task)| task.is_running() || task.is_dead()) {
        return None;
    }
    let mut poststart = members(allocation, spec, |role| matches!(role, Role::Poststart { .. }));
    poststart.find(|(_, task)| task.phase == Phase::Pending).and_then(|(name, _)| start(name))
}

fn role(spec: &Spec, name: &str) -> Role {
    spec.members.get(name).map_or(Role::Main, |member| member.role)
}

fn members<'a>(
    allocation: &'a Allocation,
    spec: &'a Spec,
    wanted: impl Fn(Role) -> bool + 'a,
) -> impl Iterator<Item = (&'a String, &'a Task)> {
    allocation.tasks.iter().filter(move |(name, _)| wanted(role(spec, name)))
}
