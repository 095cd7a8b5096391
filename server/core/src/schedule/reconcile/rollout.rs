//! The rollout of a job's current version: whether there is a deployment, and how much of it may go on now.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use model::{Allocation, Deployment, DeploymentStatus, Group, JobType, Update};

use super::super::{Change, change_between};
use super::{Want, Wishes};
use crate::plan::{DeploymentChange, GroupGoal};
use crate::state::{JobRecord, JobVersion, State};

/// The rollout of a job's current version.
pub(super) struct Rollout<'a> {
    record: &'a JobRecord,
    version: &'a Arc<JobVersion>,
    /// The newest deployment of the job.
    latest: Option<&'a Arc<Deployment>>,
    /// The same, if it is of this version.
    deployment: Option<&'a Arc<Deployment>>,
    /// What is known of changes from older versions, by group: every instance of a version asks the same.
    changes: RefCell<BTreeMap<(String, u64), Change>>,
}

/// How the instances of a group may be replaced by those of the current version.
#[derive(Clone, Copy)]
pub(super) enum Pace<'g> {
    /// All at once.
    AtOnce,
    /// Step by step.
    Rolling(&'g Update),
    /// Not before canaries beside them are promoted.
    Canaries(&'g Update),
    /// Not at all: the rollout failed, or a person paused it.
    Halted,
}

impl Pace<'_> {
    /// Whether new instances are of the current version. While it is unproven, they are only where it runs already.
    pub fn spreads(self) -> bool {
        match self {
            Pace::AtOnce | Pace::Rolling(_) => true,
            Pace::Canaries(_) | Pace::Halted => false,
        }
    }
}

impl<'a> Rollout<'a> {
    /// The rollout of `record`'s current version.
    pub fn of(state: &'a State, record: &'a JobRecord) -> Self {
        let version = record.current();
        let latest = state.latest_deployment(&record.key);
        let deployment = latest.filter(|known| record.is_rolled_out_by(known));
        Self { record, version, latest, deployment, changes: RefCell::default() }
    }

    /// How instances of `group` are replaced step by step; none where all are at once.
    pub fn strategy<'g>(&self, group: &'g Group) -> Option<&'g Update> {
        let rolls = match self.version.job.kind {
            JobType::Service | JobType::System => true,
            JobType::Batch | JobType::SysBatch => false,
        };
        group.update.as_ref().filter(|update| rolls && update.max_parallel > 0)
    }

    /// Whether an instance is of the version that is rolled out.
    pub fn is_of_its_version(&self, allocation: &Allocation) -> bool {
        allocation.job_version == self.version.version
    }

    /// Whether that version of the job is still known, so that instances of it can be placed.
    pub fn knows(&self, version: u64) -> bool {
        self.record.version(version).is_some()
    }

    /// Whether nothing may be replaced now: the rollout failed, or a person paused it.
    fn is_halted(&self) -> bool {
        self.deployment.is_some_and(|known| match known.status {
            DeploymentStatus::Paused | DeploymentStatus::Failed | DeploymentStatus::Cancelled => true,
            DeploymentStatus::Running | DeploymentStatus::Successful => false,
        })
    }

    /// How many canaries of `group` its deployment wants; none before there is one.
    pub fn canaries(&self, group: &Group) -> Option<u32> {
        Some(self.deployment?.groups.get(&group.name)?.desired_canaries)
    }

    /// Whether canaries of `group` must be promoted before anything else is replaced. There are none where nothing was to
    /// be replaced when the rollout began; `replaces` says so of one that begins now.
    fn waits_for_canaries(&self, group: &Group, update: &Update, replaces: bool) -> bool {
        match self.deployment.and_then(|known| known.groups.get(&group.name)) {
            Some(progress) => progress.desired_canaries > 0 && !progress.promoted,
            None => update.canary > 0 && replaces,
        }
    }

    /// What may become of the instances of `group` now, of which `instances` are live.
    pub fn pace<'g, 'i>(&self, group: &'g Group, mut instances: impl Iterator<Item = &'i Arc<Allocation>>) -> Pace<'g> {
        let mut replaces = || instances.any(|known| !self.is_new(group, known));
        match self.strategy(group) {
            None => Pace::AtOnce,
            Some(_) if self.is_halted() => Pace::Halted,
            Some(update) if self.waits_for_canaries(group, update, replaces()) => Pace::Canaries(update),
            Some(update) => Pace::Rolling(update),
        }
    }

    /// What the current version means for an instance of `group` that is of version `old`.
    pub fn change(&self, group: &Group, old: &Arc<JobVersion>) -> Change {
        let mut changes = self.changes.borrow_mut();
        let change = || change_between(&old.job, &self.version.job, &group.name);
        *changes.entry((group.name.clone(), old.version)).or_insert_with(change)
    }

    /// Whether an instance of `group` is of the current version, or of one that it can take over from as it runs.
    pub fn is_new(&self, group: &Group, allocation: &Allocation) -> bool {
        let takes_over = |old: &Arc<JobVersion>| self.change(group, old) != Change::Destructive;
        self.is_of_its_version(allocation) || self.record.version(allocation.job_version).is_some_and(takes_over)
    }

    /// The version in which an instance of `group` is placed anew that was of version `was`: while the current version
    /// must not spread, what fails, moves or is lost comes back as it was, not as something unproven.
    pub fn comes_back_as(&self, group: &Group, pace: Pace<'_>, was: u64) -> &'a Arc<JobVersion> {
        if was == self.version.version {
            return self.version;
        }
        self.unless_it_spreads(group, pace, self.record.version(was).or_else(|| self.last_stable()))
    }

    /// The version in which a missing instance of `group` is placed, the last one of whose name was of version `last`:
    /// while the current version must not spread, that one or the last stable one, whichever is newer.
    pub fn fills_up_as(&self, group: &Group, pace: Pace<'_>, last: Option<u64>) -> &'a Arc<JobVersion> {
        if last == Some(self.version.version) {
            return self.version;
        }
        let last = last.and_then(|last| self.record.version(last));
        let stable = self.last_stable();
        self.unless_it_spreads(group, pace, last.into_iter().chain(stable).max_by_key(|known| known.version))
    }

    fn last_stable(&self) -> Option<&'a Arc<JobVersion>> {
        self.record.stable_before(self.version.version)
    }

    /// `older` while the current version must not spread, if both differ in what an instance sees; else the current one.
    fn unless_it_spreads(
        &self,
        group: &Group,
        pace: Pace<'_>,
        older: Option<&'a Arc<JobVersion>>,
    ) -> &'a Arc<JobVersion> {
        let differs = |older: &&Arc<JobVersion>| {
            let has_group = older.job.kind == self.version.job.kind && older.job.group(&group.name).is_some();
            has_group && self.change(group, older) == Change::Destructive
        };
        older.filter(|_| !pace.spreads()).filter(differs).unwrap_or(self.version)
    }

    /// Whether `allocation` belongs to the deployment of this version, and that goes on.
    pub fn has(&self, allocation: &Allocation) -> bool {
        self.deployment.is_some_and(|known| known.status.is_active() && allocation.deployment == Some(known.id))
    }

    /// Cancels a rollout that a newer version has overtaken without one of its own. Left alone it would fail some day, and
    /// might even take the job back.
    pub fn cancel_older(&self, wishes: &mut Wishes) {
        let is_overtaken = self.deployment.is_none() && self.latest.is_some_and(|known| known.status.is_active());
        if wishes.deployment == DeploymentChange::None && is_overtaken {
            let description = "Cancelled due to newer version of job".into();
            wishes.deployment = DeploymentChange::Cancel { description };
        }
    }

    /// Begins a deployment if the version has none and something changes because of it.
    pub fn begin_if_new(&self, wishes: &mut Wishes) {
        if self.deployment.is_some() {
            return;
        }
        let per_node = self.version.job.kind.is_per_node();
        let counts = |group: &Group| wishes.counts.get(&group.name).copied().unwrap_or_default();
        let holds_back = |group: &Group| wishes.held_back.contains_key(&group.name);
        // A deployment that begins without the canaries of a group never has any, and everything would follow unproven.
        let lacks_canaries = |group: &Group| {
            let wants_some = self.strategy(group).is_some_and(|update| update.canary > 0);
            let waits = holds_back(group) || wishes.awaits_canaries.contains(&group.name);
            wants_some && waits && counts(group).canary == 0
        };
        if per_node && self.version.job.groups.iter().any(lacks_canaries) {
            // A canary without a deployment is nobody's: it would be replaced at the next look, and so for ever.
            wishes.hold_canaries_back();
            return;
        }
        let has_instances = |group: &Group| {
            // What is wanted on no node in particular says that no node will do.
            let is_new = |want: &Want| want.node.is_some() && want.version.version == self.version.version;
            let has_node = || wishes.wants.iter().any(|want| want.group == group.name && is_new(want));
            let changes = || holds_back(group) || counts(group).in_place > 0 || has_node();
            if per_node { changes() } else { group.count > 0 }
        };
        let rolls = |group: &&Group| self.strategy(group).is_some() && has_instances(group);
        let rolling: Vec<_> = self.version.job.groups.iter().filter(rolls).collect();
        let replaces = |group: &Group| {
            let counts = counts(group);
            counts.destructive + counts.canary > 0 || holds_back(group)
        };
        if !rolling.iter().any(|group| replaces(group) || counts(group).place + counts(group).in_place > 0) {
            return;
        }
        let total = |group: &Group| if per_node { counts(group).on_open_nodes() } else { group.count };
        let goal =
            |group: &&Group| (group.name.clone(), GroupGoal { total: total(group), canaries: counts(group).canary });
        let goals: BTreeMap<_, _> = rolling.iter().map(goal).collect();
        wishes.deployment = DeploymentChange::Begin(goals);
    }
}
