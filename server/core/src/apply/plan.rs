//! Plans: what still fits the state of now is accepted, the rest is returned with its reason.
//!
//! Checked are amounts, ports, names, and that job and node are what the plan was made with. What a plan leaves open is
//! picked here, the same on every server: ids, the lowest free name indexes, dynamic ports.

mod grants;
mod outcome;
mod ports;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::old_bugs::{OldBug, is_on};
use model::{
    Allocation, AllocationId, AssignedPort, Cohort, DeploymentId, Derivation, Desired, Evaluation, Group, JobKey,
    Misfit, Node, NodeId, NodeStatus, Resources, StopReason, Trigger, fits,
};
use serde::{Deserialize, Serialize};

use super::deployment::Joined;
use super::{Accepted, AtWork, Rejection, Wish, allocation, deployment};
use crate::plan::{DeploymentChange, Placement, Plan, Tail};
use crate::rows::Place;
use crate::state::{JobVersion, NodeUse, State};

/// Instances of a plan that no longer fitted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RejectedPlacement {
    /// The group.
    pub group: String,
    /// The node.
    pub node: NodeId,
    /// How many instances.
    pub count: u32,
    /// Why; none where the node or the job's version is gone or changed, or what was to be replaced is back.
    pub misfits: Vec<Misfit>,
}

/// Carries out a plan.
pub(super) fn apply_plan(state: &mut State, work: &mut AtWork, plan: &Plan) -> Result<Accepted, Rejection> {
    let evaluation = state.evaluation(plan.evaluation).cloned().ok_or(Rejection::EvaluationOver)?;
    // A blocked one is planned when what it lacks may have appeared.
    if evaluation.status.is_terminal() {
        return Err(Rejection::EvaluationOver);
    }
    if evaluation.attempts != plan.attempt {
        return Err(Rejection::WrongAttempt { attempt: plan.attempt, wanted: evaluation.attempts });
    }
    if state.job(&plan.job).map_or(0, |record| record.job_modify_index) != plan.job_modify_index {
        return Err(Rejection::JobChanged);
    }
    follow_the_last(state, plan)?;
    work.named_after = plan.names_evaluations.then_some((plan.evaluation, plan.attempt));
    for stop in &plan.stops {
        // What has just taken its place may have failed since.
        if stop.reason == StopReason::Migrated && !is_replaced_well(state, stop.allocation) {
            continue;
        }
        if let Some(known) = state.allocation(stop.allocation).filter(|known| known.desired == Desired::Run).cloned() {
            let mut known = (*known).clone();
            known.desired = Desired::Stop(stop.reason);
            allocation::save(state, work, known, true);
        }
    }
    let deployment = change_deployment(state, work, plan);
    update_in_place(state, work, plan, deployment);
    let mut placer = Placer {
        plan,
        deployment,
        version: None,
        cohort: None,
        groups: BTreeMap::new(),
        placed: Vec::new(),
        joined: Joined::default(),
        preempted: BTreeSet::new(),
        static_ports: ports::fixed_by(state, plan),
    };
    let mut rejected = Vec::new();
    for placement in &plan.placements {
        rejected.extend(placer.place(state, work, placement));
    }
    state.add_to_job(&plan.job, std::mem::take(&mut placer.placed));
    if let Some(deployment) = deployment {
        deployment::count_placed(state, work, deployment, &placer.joined);
    }
    let all_at_once = state.job(&plan.job).is_some_and(|record| record.current().job.all_at_once);
    if all_at_once && !rejected.is_empty() {
        return Err(Rejection::NotAllAtOnce);
    }
    let preempted = std::mem::take(&mut placer.preempted);
    outcome::conclude(state, work, plan, Evaluation::clone(&evaluation), !rejected.is_empty());
    for job in preempted {
        let wish = Wish { previous: Some(plan.evaluation), ..Wish::of(state, &job, Trigger::Preemption) };
        work.evaluate(state, wish);
    }
    Ok(Accepted { deployment, rejected, ..Accepted::default() })
}

/// Counts a plan that changes something of its job. One that was made without what another did, because that one's fate was
/// not known yet, would do it a second time.
fn follow_the_last(state: &mut State, plan: &Plan) -> Result<(), Rejection> {
    // A version that says nothing did not count either: its log and its snapshots give the same state.
    let Some(made_after) = plan.job_plans else { return Ok(()) };
    let Some(record) = state.jobs.get_mut(&plan.job) else { return Ok(()) };
    if made_after != record.plans {
        return Err(Rejection::PlannedMeanwhile { made_after, plans: record.plans });
    }
    if plan.is_change() {
        Arc::make_mut(record).plans += 1;
    }
    Ok(())
}

/// Begins or cancels the job's deployment; the id of the one that placements of the current version join.
fn change_deployment(state: &mut State, work: &AtWork, plan: &Plan) -> Option<DeploymentId> {
    match &plan.deployment {
        DeploymentChange::None => {}
        DeploymentChange::Begin(goals) => {
            let id = DeploymentId::derive(&[
                state.cluster.as_bytes(),
                plan.evaluation.as_bytes(),
                &plan.attempt.to_le_bytes(),
            ]);
            deployment::begin(state, work, &plan.job, id, goals);
        }
        DeploymentChange::Cancel { description } => {
            if let Some(active) = state.latest_deployment(&plan.job).filter(|known| known.status.is_active()).cloned() {
                deployment::finish(state, work, &active, model::DeploymentStatus::Cancelled, description);
            }
        }
    }
    let latest = state.latest_deployment(&plan.job)?;
    (latest.status.is_active() && latest.job_version == plan.job_version).then_some(latest.id)
}

fn update_in_place(state: &mut State, work: &AtWork, plan: &Plan, deployment: Option<DeploymentId>) {
    let mut joined = Joined::default();
    // The cohorts of those that are updated, with what these become: what shared one goes on sharing one.
    let mut cohorts: Vec<(Arc<Cohort>, Arc<Cohort>)> = Vec::new();
    for id in &plan.updates_in_place {
        let Some(known) = state.allocation(*id).filter(|known| known.is_live()).cloned() else { continue };
        let mut known = (*known).clone();
        if lowers_priority(state, plan.job_version, &known) {
            state.put_gain(known.node);
        }
        let joins = deployment.filter(|id| known.deployment != Some(*id));
        known.cohort = match cohorts.iter().find(|(before, _)| Arc::ptr_eq(before, &known.cohort)) {
            Some((_, updated)) => updated.clone(),
            None => {
                let updated = Arc::new(Cohort {
                    job_version: plan.job_version,
                    evaluation: plan.evaluation,
                    deployment: deployment.or(known.deployment),
                    ..(*known.cohort).clone()
                });
                cohorts.push((known.cohort.clone(), updated.clone()));
                updated
            }
        };
        if joins.is_some() {
            // Its health is judged anew, by the checks of the new version.
            known.healthy = None;
            known.healthy_at = None;
            joined.add(&known);
        }
        allocation::save(state, work, known, true);
    }
    if let Some(deployment) = deployment {
        deployment::count_placed(state, work, deployment, &joined);
    }
}

/// Whether `version` of the job of `known` has a lower priority than that runs with. If so, work of a higher priority may
/// take its room from now on: its node has gained.
fn lowers_priority(state: &State, version: u64, known: &Allocation) -> bool {
    let priority = |version| state.job_version(&known.job, version).map(|version| version.job.priority);
    priority(version) < priority(known.job_version)
}

/// Places the instances of one plan.
struct Placer<'a> {
    plan: &'a Plan,
    deployment: Option<DeploymentId>,
    /// The job's version of the instances that were placed last: the next ones are mostly of the same.
    version: Option<Arc<JobVersion>>,
    /// Of the instances that were placed last: the next ones mostly share it.
    cohort: Option<Arc<Cohort>>,
    /// By the group's name.
    groups: BTreeMap<String, OfGroup>,
    /// Instances placed so far.
    placed: Vec<(AllocationId, Place)>,
    /// Those that belong to the deployment.
    joined: Joined,
    /// Jobs whose instances end for what was placed.
    preempted: BTreeSet<JobKey>,
    /// Static ports that the plan asks for, each with its address: no dynamic one of it may be one of those.
    static_ports: BTreeMap<NodeId, BTreeSet<(String, u16)>>,
}

impl Placer<'_> {
    /// Places one line of the plan; what did not fit, if anything.
    fn place(&mut self, state: &mut State, work: &AtWork, placement: &Placement) -> Option<RejectedPlacement> {
        let reject =
            |count, misfits| RejectedPlacement { group: placement.group.clone(), node: placement.node, count, misfits };
        let Some(node) = state.node(placement.node).cloned() else { return Some(reject(placement.count, vec![])) };
        let Some(version) = self.version(state, placement) else { return Some(reject(placement.count, vec![])) };
        let Some(group) = version.job.group(&placement.group) else { return Some(reject(placement.count, vec![])) };
        let is_open = node.is_schedulable() && node.generation == placement.node_generation;
        if !is_open && !is_on(OldBug::ClosedNodesUsed) {
            return Some(reject(placement.count, vec![]));
        }
        let line = Line {
            cohort: self.cohort(work, &node, &version, group),
            node_name: node.name.as_str().into(),
            node: &node,
            version: &version,
            group,
            provides: group.all_services().next().is_some(),
        };
        let fresh = Tail::default();
        for at in 0..placement.count {
            let tail = placement.tails.get(at as usize).unwrap_or(&fresh);
            if let Err(misfits) = self.place_one(state, work, &line, tail) {
                return Some(reject(placement.count - at, misfits));
            }
        }
        None
    }

    /// The version of the job that instances of `placement` are of.
    fn version(&mut self, state: &State, placement: &Placement) -> Option<Arc<JobVersion>> {
        self.version.take_if(|known| known.version != placement.job_version);
        if self.version.is_none() {
            self.version = state.job_version(&self.plan.job, placement.job_version).cloned();
        }
        self.version.clone()
    }

    /// What instances of `group` on `node` share with others of the plan.
    fn cohort(&mut self, work: &AtWork, node: &Node, version: &JobVersion, group: &Group) -> Arc<Cohort> {
        let resources = group.ask_on(node);
        let is_same = |known: &Cohort| {
            (known.job_version, known.resources) == (version.version, resources) && known.group == group.name
        };
        self.cohort.take_if(|known| !is_same(known));
        let cohort = || Cohort {
            job: self.plan.job.clone(),
            job_version: version.version,
            group: group.name.clone(),
            evaluation: self.plan.evaluation,
            deployment: self.deployment.filter(|_| version.version == self.plan.job_version),
            resources,
            create_index: work.index,
            created_at: work.at,
        };
        self.cohort.get_or_insert_with(|| Arc::new(cohort())).clone()
    }

    fn place_one(&mut self, state: &mut State, work: &AtWork, line: &Line<'_>, tail: &Tail) -> Result<(), Vec<Misfit>> {
        let Line { node, version, group, .. } = *line;
        let id = self.of_group(state, &group.name).next_id();
        let previous = tail.previous.and_then(|previous| state.allocation(previous));
        if previous.is_some_and(|previous| stands(state, previous) || self.was_stopped_meanwhile(work, previous)) {
            return Err(Vec::new());
        }
        let mut new = Allocation::placed(id, line.cohort.clone(), node.id, line.node_name.clone());
        new.canary = tail.canary;
        new.cores = tail.cores.clone();
        new.devices = tail.devices.clone();
        new.tie(|ties| {
            ties.after = tail.after.clone();
            ties.previous = tail.previous;
            ties.reschedules = tail.reschedules.clone();
        });
        let is_succeeded = |id: &AllocationId| state.held_on(node.id).is_some_and(|held| held.has_successor(*id));
        if tail.preempts.iter().any(is_succeeded) {
            return Err(Vec::new());
        }
        new.ports = room(state, node, &new, group, self.static_ports.get(&node.id))?;
        new.index = self.of_group(state, &group.name).name_index(tail.index);
        super::volume::check(state, node, version, group, &new)?;
        // Only now that the newcomer has its room: nothing ends in vain.
        for victim in tail.preempts.iter().filter_map(|victim| state.allocation(*victim)).cloned().collect::<Vec<_>>() {
            if victim.is_live() {
                let mut victim = (*victim).clone();
                victim.desired = Desired::Stop(StopReason::Preempted);
                victim.tie(|ties| ties.preempted_by = Some(id));
                self.preempted.insert(victim.job.clone());
                allocation::save(state, work, victim, true);
            }
        }
        if let Some(previous) = tail.previous.and_then(|previous| state.allocation(previous)).cloned() {
            let mut previous = (*previous).clone();
            let is_live = previous.is_live();
            previous.tie(|ties| {
                ties.next = Some(id);
                ties.follow_up = ties.follow_up.filter(|_| is_live);
            });
            allocation::save(state, work, previous, false);
        }
        if tail
            .after
            .iter()
            .filter_map(|id| state.allocation(*id))
            .any(|before| before.job == self.plan.job && lowers_priority(state, version.version, before))
        {
            state.put_gain(node.id);
        }
        super::volume::claim(state, work, node, version, group, &new);
        if new.deployment.is_some() {
            self.joined.add(&new);
        }
        self.placed.push((id, allocation::add(state, work, new, line.provides)));
        Ok(())
    }

    /// Whether something else stopped what the plan saw wanted, and its name may have another bearer by now: it stood in for
    /// one that stays after all.
    fn was_stopped_meanwhile(&self, work: &AtWork, previous: &Allocation) -> bool {
        let is_unseen = self.plan.snapshot_index < previous.modify_index && previous.modify_index < work.index;
        is_unseen && previous.desired != Desired::Run
    }

    /// What the plan has given to instances of the group so far.
    fn of_group(&mut self, state: &State, group: &str) -> &mut OfGroup {
        if !self.groups.contains_key(group) {
            self.groups.insert(group.to_string(), OfGroup::of(state, self.plan, group));
        }
        self.groups.get_mut(group).expect("it was put there if it was missing")
    }
}

/// Where instances of one line of a plan go, and what they are.
struct Line<'a> {
    node: &'a Node,
    node_name: Arc<str>,
    version: &'a JobVersion,
    group: &'a Group,
    cohort: Arc<Cohort>,
    /// Whether they have services.
    provides: bool,
}

/// Whether an allocation needs nobody in its place: it runs where it can be reached, and shall neither end nor move. A
/// plan that was made while its node was silent may still want to replace it.
fn stands(state: &State, allocation: &Allocation) -> bool {
    let is_in_reach = state.node(allocation.node).is_some_and(|node| node.status != NodeStatus::Down);
    allocation.is_live() && !allocation.migrate && is_in_reach && !is_on(OldBug::ReturnsIgnored)
}

/// Whether something that is well stands in for an allocation that moves.
fn is_replaced_well(state: &State, id: AllocationId) -> bool {
    let next_of = |known: &Allocation| state.allocation(known.ties().next?);
    let mut chain = std::iter::successors(state.allocation(id).and_then(|known| next_of(known)), |next| next_of(next));
    chain.any(|next| next.is_well()) || is_on(OldBug::MovedTooEarly)
}

/// What a plan gives to the instances of one group: ids and name indexes.
struct OfGroup {
    /// Of ids, up to the ordinal.
    ids: Derivation,
    /// Instances so far.
    ordinal: u32,
    /// Name indexes that instances of before have, and that the plan gives to others.
    taken: BTreeSet<u32>,
    /// Those below it are taken.
    free_from: u32,
}

impl OfGroup {
    fn of(state: &State, plan: &Plan, group: &str) -> Self {
        let attempt = plan.attempt.to_le_bytes();
        let ids = Derivation::of(&[state.cluster.as_bytes(), plan.evaluation.as_bytes(), &attempt, group.as_bytes()]);
        let live = state.allocations_of_job(&plan.job).filter(|known| known.group == group && known.is_live());
        let live = live.filter(|_| !is_on(OldBug::NamesGivenTwice));
        // What the plan gives to others, before or after, is not free either.
        let of_group = plan.placements.iter().filter(|placement| placement.group == group);
        let given = of_group.flat_map(|placement| placement.tails.iter().filter_map(|tail| tail.index));
        let taken = live.map(|known| known.index).chain(given).collect();
        Self { ids, ordinal: 0, taken, free_from: 0 }
    }

    fn next_id(&mut self) -> AllocationId {
        let id = AllocationId::derived(&self.ids.clone().and(&self.ordinal.to_le_bytes()));
        self.ordinal += 1;
        id
    }

    /// The name index that is wanted, which is among those that are taken, or the lowest that no live instance has.
    fn name_index(&mut self, wanted: Option<u32>) -> u32 {
        wanted.unwrap_or_else(|| {
            // Nothing is given back while a plan is applied, so each search goes on where the last one ended.
            while self.taken.contains(&self.free_from) {
                self.free_from += 1;
            }
            self.free_from += 1;
            self.free_from - 1
        })
    }
}

/// The ports of a new instance on `node`, of which its plan asks for those that are `asked`, if there is room for it; otherwise everything that is short.
fn room(
    state: &mut State,
    node: &Node,
    new: &Allocation,
    group: &Group,
    asked: Option<&BTreeSet<(String, u16)>>,
) -> Result<Vec<AssignedPort>, Vec<Misfit>> {
    let occupancy = state.occupancies.get(&node.id).cloned().unwrap_or_default();
    let held = &occupancy.held;
    if new.ties().after.is_empty() && held.is_plain() {
        check_capacity(new.resources, held.free(node))?;
        check_number(1, held, node)?;
    } else {
        // The newcomer counts as the larger of itself and what it succeeds, so the node is summed up with it.
        let existing = state.allocations_of_node(node.id).map(|known| &**known);
        let with = NodeUse::of(existing.chain([new]));
        // What was over the node's capacity before (it may have shrunk) must not get worse; anything else must fit.
        check_capacity(with.held - held.held, held.free(node))?;
        check_number(with.allocations.saturating_sub(held.allocations), held, node)?;
    }
    let predecessors = new.ties().after.iter().filter_map(|id| state.allocation(*id)).map(|known| &**known);
    let inherited = NodeUse::of(predecessors);
    grants::check(node, held, &inherited, new, group)?;
    ports::assign(state, node, group, held, &inherited, asked)
}

fn check_number(more: u32, held: &NodeUse, node: &Node) -> Result<(), Vec<Misfit>> {
    match node.max_allocations {
        Some(max) if more > held.free_allocations(node) => Err(vec![Misfit::Allocations { max }]),
        Some(_) | None => Ok(()),
    }
}

fn check_capacity(ask: Resources, free: Resources) -> Result<(), Vec<Misfit>> {
    #[cfg(feature = "testing")]
    if !crate::testing::capacity_is_checked() {
        return Ok(());
    }
    fits(ask, free)
}
