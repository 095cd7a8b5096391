//! Devices of one instance: each ask is met from equal devices, parts from those that are in use already, whole ones
//! from whole ones.
//!
//! Several asks may want the same devices, so a choice for one can leave nothing for another. The larger asks choose
//! first, and a choice that leads nowhere is taken back, up to a limit of steps.

use std::cmp::Reverse;

use model::{Device, DeviceGrant, DeviceInstance, Group, Misfit, Node, WHOLE_DEVICE};

use super::shares::ids;
use super::{Near, Shares, Taken, matching};
use crate::limits::DEVICE_SEARCH_STEPS_MAX;

/// One in the unit of scores.
const ONE: i64 = 1_000_000;

/// One `device` block of a task.
struct Ask<'a> {
    task: &'a str,
    device: &'a Device,
    /// Whether the task wants these near its cores.
    is_near_wanted: bool,
    share: u32,
    count: usize,
    /// Where it may be met.
    places: Vec<Place>,
}

impl Ask<'_> {
    /// Leaves only devices on the NUMA node that the task is said to be near, where the task wants these near.
    fn keep_near(&mut self, node: &Node, near: &Near<'_>) {
        let Some(numa) = near.get(self.task).filter(|_| self.is_near_wanted) else { return };
        for place in &mut self.places {
            let Place { group, first, .. } = *place;
            place.instances.retain(|at| node.devices[group].instances[at - first].numa_node == Some(*numa));
        }
    }
}

/// Equal devices that meet an ask.
struct Place {
    /// Their place in the node's list.
    group: usize,
    /// The place of the first of them among all devices of the node.
    first: usize,
    /// Those of them that may be given away, by their places among all devices.
    instances: Vec<usize>,
    /// The weight of the preferences that they meet.
    weight: i64,
}

/// Devices that would meet an ask.
#[derive(Clone)]
struct Choice {
    group: usize,
    first: usize,
    instances: Vec<usize>,
    weight: i64,
}

/// What is left of each device, by its place among all devices of the node.
struct Free {
    left: Shares,
    /// Whether those have it whose room the instance takes over; empty where there are none.
    inherited: Vec<bool>,
}

/// A device, or a part of one, that a task gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick<'a> {
    task: &'a str,
    /// The place of its equals in the node's list.
    group: usize,
    /// The place of the first of those among all devices of the node.
    first: usize,
    /// Its own place among all devices.
    pub at: usize,
    /// How much of it, in thousandths.
    pub share: u32,
}

impl Pick<'_> {
    /// The same by names.
    pub fn grant(&self, node: &Node) -> DeviceGrant {
        let group = &node.devices[self.group];
        let device = group.id_of(&group.instances[self.at - self.first].id);
        DeviceGrant { task: self.task.to_string(), device, share: self.share }
    }
}

/// The devices of each task that asks for some, with how well they are liked; otherwise each ask that is not met.
pub(super) fn pick<'g>(
    node: &Node,
    taken: &Taken<'_>,
    group: &'g Group,
    near: &Near<'_>,
) -> Result<(Vec<Pick<'g>>, i64), Vec<Misfit>> {
    let mut asks = asks(node, group, |healthy| healthy);
    for ask in &mut asks {
        ask.keep_near(node, near);
    }
    if asks.is_empty() {
        return Ok((Vec::new(), 0));
    }
    let mut free = Free::of(node, taken);
    let misfits: Vec<_> = asks.iter().filter_map(|ask| short(ask, &free)).collect();
    if !misfits.is_empty() {
        return Err(misfits);
    }
    let mut order: Vec<usize> = (0..asks.len()).collect();
    order.sort_by_key(|at| (Reverse(asks[*at].share), asks[*at].places.len(), Reverse(asks[*at].count), *at));
    let mut choices = vec![None; asks.len()];
    let mut steps = DEVICE_SEARCH_STEPS_MAX;
    if !search(&asks, &order, &mut free, &mut choices, &mut steps) {
        return Err(short_together(&asks, &order, &mut free));
    }
    let mut picks = Vec::new();
    let (mut met, mut all) = (0, 0);
    for (ask, choice) in asks.iter().zip(choices.iter().flatten()) {
        met += choice.weight;
        all += ask.device.affinities.iter().map(|affinity| i64::from(affinity.weight.abs())).sum::<i64>();
        let Choice { group, first, .. } = *choice;
        picks.extend(choice.instances.iter().map(|at| Pick {
            task: ask.task,
            group,
            first,
            at: *at,
            share: ask.share,
        }));
    }
    Ok((picks, met * ONE / all.max(1)))
}

/// The devices that `task` wants near its cores and that are short there, where the cores are free on each NUMA node of
/// `open`, the best first. The devices are there, and free, if they need not be near.
pub(super) fn short_near(node: &Node, taken: &Taken<'_>, group: &Group, task: &str, open: &[u16]) -> Vec<Misfit> {
    let free = Free::of(node, taken);
    let asks = asks(node, group, |healthy| healthy).into_iter();
    let on = |ask: &Ask<'_>, numa: u16, least: u32| {
        let is_there = |instance: &DeviceInstance| instance.numa_node == Some(numa);
        let instance = |place: &Place, at: usize| &node.devices[place.group].instances[at - place.first];
        most(&ask.places, |place, at| is_there(instance(place, at)) && free.left.at(at) >= least) as u64
    };
    let short = |ask: Ask<'_>| {
        let matching = node.cores.numa_nodes.keys().map(|numa| on(&ask, *numa, 0)).max().unwrap_or_default();
        let free = open.iter().map(|numa| on(&ask, *numa, ask.share)).max()?;
        let (name, ask) = (ask.device.name.clone(), ask.device.count);
        (free < ask).then_some(Misfit::NumaDevice { name, ask, matching, free })
    };
    let misfits: Vec<_> = asks.filter(|ask| ask.task == task && ask.is_near_wanted).filter_map(short).collect();
    if !misfits.is_empty() {
        return misfits;
    }
    // Each is there alone. Together they may want more than any NUMA node has: told of the best one.
    let together: Option<Vec<_>> =
        open.iter().map(|numa| pick(node, taken, group, &Near::from([(task, *numa)])).err()).collect();
    let of_best = together.and_then(|all| all.into_iter().next()).unwrap_or_default();
    let near = |misfit| match misfit {
        Misfit::Device { name, ask, matching, free, .. } => Misfit::NumaDevice { name, ask, matching, free },
        other => other,
    };
    of_best.into_iter().map(near).collect()
}

/// Whether `node` has too few devices for some ask of `group`, be they well or not.
pub(crate) fn is_without_devices(node: &Node, group: &Group) -> bool {
    asks(node, group, |_| true).iter().any(|ask| most(&ask.places, |_, _| true) < ask.count)
}

fn asks<'a>(node: &Node, group: &'a Group, may: impl Fn(bool) -> bool + Copy) -> Vec<Ask<'a>> {
    let of_tasks = group.tasks.iter().flat_map(|task| task.resources.devices.iter().map(move |ask| (task, ask)));
    let ask = |(task, device): (&'a model::Task, &'a Device)| Ask {
        task: &task.name,
        device,
        is_near_wanted: task.resources.numa.as_ref().is_some_and(|numa| numa.devices.contains(&device.name)),
        share: device.share.clamp(1, WHOLE_DEVICE),
        count: usize::try_from(device.count).unwrap_or(usize::MAX),
        places: places(node, device, may),
    };
    of_tasks.filter(|(_, device)| device.count > 0).map(ask).collect()
}

/// Where a device block may be met, whatever is free.
fn places(node: &Node, device: &Device, may: impl Fn(bool) -> bool) -> Vec<Place> {
    let mut places = Vec::new();
    let mut next = 0;
    for (at, group) in node.devices.iter().enumerate() {
        let first = next;
        next += group.instances.len();
        let meets = || device.constraints.iter().all(|constraint| matching::holds(constraint, group));
        if !group.name.answers_to(&device.name) || !meets() {
            continue;
        }
        let may = |instance: &DeviceInstance| may(instance.healthy) && matching::is_named(device, instance);
        let met = device.affinities.iter().filter(|affinity| matching::holds(&affinity.condition(), group));
        places.push(Place {
            group: at,
            first,
            instances: (first..).zip(&group.instances).filter(|(_, one)| may(one)).map(|(at, _)| at).collect(),
            weight: met.map(|affinity| i64::from(affinity.weight)).sum(),
        });
    }
    places
}

/// The most instances of one place that `counts` lets through.
fn most(places: &[Place], counts: impl Fn(&Place, usize) -> bool) -> usize {
    let of_place = |place: &Place| place.instances.iter().filter(|at| counts(place, **at)).count();
    places.iter().map(of_place).max().unwrap_or_default()
}

/// Why an ask can't be met, if it can't.
fn short(ask: &Ask<'_>, free: &Free) -> Option<Misfit> {
    let left = most(&ask.places, |_, at| free.left.at(at) >= ask.share);
    (left < ask.count).then(|| Misfit::Device {
        name: ask.device.name.clone(),
        ask: ask.device.count,
        share: ask.share,
        matching: most(&ask.places, |_, _| true) as u64,
        free: left as u64,
    })
}

/// The asks that are not met when each takes what it likes best, which is where asks want the same devices.
fn short_together(asks: &[Ask<'_>], order: &[usize], free: &mut Free) -> Vec<Misfit> {
    let mut misfits = Vec::new();
    for ask in order.iter().map(|at| &asks[*at]) {
        match free.choices(ask).first() {
            Some(choice) => free.take(choice, ask.share),
            None => misfits.extend(short(ask, free)),
        }
    }
    misfits
}

/// Finds a choice for each ask of `order`; false where there is none, or none was found when that many had been taken back.
/// So what each likes best is found however many they are, where it is free for all of them.
fn search(asks: &[Ask<'_>], order: &[usize], free: &mut Free, choices: &mut [Option<Choice>], steps: &mut u32) -> bool {
    let Some((at, rest)) = order.split_first() else { return true };
    for choice in free.choices(&asks[*at]) {
        free.take(&choice, asks[*at].share);
        choices[*at] = Some(choice.clone());
        if search(asks, rest, free, choices, steps) {
            return true;
        }
        free.give_back(&choice, asks[*at].share);
        if *steps == 0 {
            return false;
        }
        *steps -= 1;
    }
    false
}

impl Free {
    fn of(node: &Node, taken: &Taken<'_>) -> Self {
        let inherited = match taken.inherited {
            None => Vec::new(),
            Some(inherited) => ids(node).map(|id| inherited.share_of(&id) > 0).collect(),
        };
        Self { left: taken.free_shares(node), inherited }
    }

    fn is_inherited(&self, at: usize) -> bool {
        self.inherited.get(at).copied().unwrap_or_default()
    }

    /// How an ask can be met, the best way first: what is liked most, then what the predecessors have, then the least
    /// that is left, then where the fewest others are.
    fn choices(&self, ask: &Ask<'_>) -> Vec<Choice> {
        let mut choices = Vec::new();
        for place in &ask.places {
            let left = |at: usize| self.left.at(at);
            let mut fit: Vec<usize> = place.instances.iter().copied().filter(|at| left(*at) >= ask.share).collect();
            if fit.len() < ask.count {
                continue;
            }
            fit.sort_by_key(|at| (!self.is_inherited(*at), left(*at), *at));
            let room = fit.len();
            // One device may be any of those that differ; of several, the best fit is taken as a whole.
            let starts = if ask.count == 1 {
                fit.chunk_by(|one, other| left(*one) == left(*other)).collect()
            } else {
                vec![&fit[..]]
            };
            for start in starts {
                let instances = start[..ask.count].to_vec();
                let best = instances[0];
                let key = (Reverse(place.weight), !self.is_inherited(best), left(best), room, place.group);
                let Place { group, first, weight, .. } = *place;
                choices.push((key, Choice { group, first, instances, weight }));
            }
        }
        choices.sort_by_key(|(key, _)| *key);
        choices.into_iter().map(|(_, choice)| choice).collect()
    }

    fn take(&mut self, choice: &Choice, share: u32) {
        choice.instances.iter().for_each(|at| self.left.take(*at, share));
    }

    fn give_back(&mut self, choice: &Choice, share: u32) {
        choice.instances.iter().for_each(|at| self.left.give_back(*at, share));
    }
}
