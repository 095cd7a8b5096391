//! One allocation: its tasks, whose turn it is, how it ends, and what is reported of it.
//!
//! Every event is first given to the task that it concerns; then [`Allocation::handle`] asks, until nothing is left to
//! do, what the next move is (`moves.rs`). So it does not matter which event brought the group where it is. Called by
//! the agent's loop; runs nothing itself.

mod moves;

use std::collections::BTreeMap;

use model::{AllocationId, CheckState, CheckStatus, ClientStatus, Observation, TaskPhase, Timestamp};
use serde::{Deserialize, Serialize};

use crate::checks::{CheckTracker, Probed};
use crate::health::{Health, Vitals};
use crate::lifecycle::Role;
use crate::spec::{NETWORK_TASK, Spec};
use crate::task::{Effect, Event, Moment, Task, step};

/// One allocation as the agent knows it.
#[derive(Clone, Debug, PartialEq, Default, Serialize, Deserialize)]
pub struct Allocation {
    /// Its tasks, by name.
    pub tasks: BTreeMap<String, Task>,
    /// Its checks, by `service/check`.
    pub checks: BTreeMap<String, CheckTracker>,
    health: Health,
    /// Allocations that must be gone before it starts.
    waits_for: Vec<AllocationId>,
    ending: Option<End>,
    /// The address of its network namespace.
    network_address: Option<String>,
}

/// Why and since when an allocation ends.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct End {
    why: Why,
    /// No task gets a signal before.
    signal_at: Timestamp,
}

/// Why an allocation ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Why {
    /// It is not wanted any more.
    Unwanted(String),
    /// A task failed for good.
    Failed(String),
    /// Its leader ended.
    LeaderDead(String),
    /// Its main tasks ended.
    MainTasksDead,
}

/// Something that happened to an allocation.
#[derive(Clone, Debug, PartialEq)]
pub enum AllocationEvent {
    /// To one of its tasks.
    Task(String, Event),
    /// Its network namespace has this address.
    Address(String),
    /// It is not wanted any more, for this reason.
    Stop(String),
    /// These must be gone before it may start; none: it may.
    WaitsFor(Vec<AllocationId>),
    /// A check was probed.
    Probed(String, Probed),
    /// It can't run at all, for instance because its job does not have its group.
    Impossible(String),
    /// Time has passed.
    Tick,
}

impl Allocation {
    /// An allocation that the server just assigned.
    pub fn received(spec: &Spec, now: Timestamp) -> Allocation {
        let tasks = spec.members.keys().map(|name| (name.clone(), Task::received(now))).collect();
        Allocation { tasks, ..Allocation::default() }
    }

    /// An allocation of which only containers are known, with the restarts that each of them tells of.
    pub fn orphaned(spec: &Spec, containers: &BTreeMap<String, u32>, now: Timestamp) -> Allocation {
        let mut allocation = Allocation::received(spec, now);
        for (name, restarts) in containers {
            if let Some(task) = allocation.tasks.get_mut(name) {
                *task = Task::orphaned(*restarts);
            }
        }
        allocation
    }

    /// The allocation as it is known after the agent was restarted.
    pub fn restored(mut self) -> Allocation {
        self.tasks = self.tasks.into_iter().map(|(name, task)| (name, task.restored())).collect();
        self
    }

    /// Its health is judged anew, from this moment: another deployment waits for it.
    pub fn judge_anew(&mut self) {
        self.health = Health::default();
    }

    /// Takes an event in; answers what shall be done, by task.
    pub fn handle(&mut self, spec: &Spec, event: AllocationEvent, moment: Moment) -> Vec<(String, Effect)> {
        let mut effects = Vec::new();
        match event {
            AllocationEvent::Task(name, event) => self.step_task(spec, &name, event, moment, &mut effects),
            AllocationEvent::Address(address) => self.network_address = Some(address),
            AllocationEvent::Stop(reason) => {
                if !matches!(self.ending, Some(End { why: Why::Unwanted(_), .. })) {
                    // An instance that fails anyway has left the catalog long ago.
                    let signal_at = match &self.ending {
                        Some(end) => end.signal_at,
                        None => moment.now + spec.signal_delay,
                    };
                    let why = match self.ending.take() {
                        Some(End { why: why @ Why::Failed(_), .. }) => why,
                        _ => Why::Unwanted(reason),
                    };
                    self.ending = Some(End { why, signal_at });
                }
            }
            AllocationEvent::WaitsFor(predecessors) => self.waits_for = predecessors,
            AllocationEvent::Probed(key, probed) => {
                if let Some((task, event)) = self.count_probe(spec, &key, &probed, moment.now) {
                    self.step_task(spec, &task, event, moment, &mut effects);
                }
            }
            AllocationEvent::Impossible(reason) => {
                self.ending.get_or_insert(End { why: Why::Failed(reason), signal_at: moment.now });
            }
            AllocationEvent::Tick => {
                for name in self.tasks.keys().cloned().collect::<Vec<_>>() {
                    self.step_task(spec, &name, Event::Tick, moment, &mut effects);
                }
            }
        }
        self.advance(spec, moment, &mut effects);
        self.look_at_health(spec, moment.now);
        effects
    }

    /// When it must be handled without an event from outside.
    pub fn wake_at(&mut self, spec: &Spec, now: Timestamp) -> Option<Timestamp> {
        let tasks = self.tasks.values().filter_map(Task::wake_at).min();
        let signal = self.ending.as_ref().map(|end| end.signal_at).filter(|at| *at > now && !self.is_gone());
        let health = self.look_at_health(spec, now);
        [tasks, signal, health].into_iter().flatten().min()
    }

    /// Whether it is over and no container of it is left running.
    pub fn is_gone(&self) -> bool {
        match self.tasks.is_empty() {
            true => self.ending.is_some(),
            false => self.tasks.values().all(Task::is_dead),
        }
    }

    /// Whether a task of it ever had a container.
    pub fn has_started(&self) -> bool {
        self.tasks.values().any(|task| task.may_run() || task.handle.is_some())
    }

    /// Whether its tasks are all up, so that checks make sense.
    pub fn runs(&self) -> bool {
        self.ending.is_none() && self.tasks.values().any(Task::is_running)
    }

    /// The address of its network namespace, where it has one.
    pub fn network_address(&self) -> Option<&str> {
        self.network_address.as_deref()
    }

    /// All that is to be said of it.
    pub fn observation(&self, allocation: AllocationId) -> Observation {
        let verdict = self.health.verdict();
        let tasks = self.tasks.iter().filter(|(name, _)| *name != NETWORK_TASK);
        Observation {
            allocation,
            client_status: self.client_status(),
            client_description: self.description(),
            tasks: tasks.map(|(name, task)| (name.clone(), task.state.clone())).collect(),
            healthy: verdict.map(|(healthy, _)| healthy),
            healthy_at: verdict.map(|(_, at)| at),
            checks: self
                .checks
                .iter()
                .filter_map(|(key, check)| Some((key.clone(), check.state.clone()?)))
                .collect::<BTreeMap<String, CheckState>>(),
            network_address: self.network_address.clone(),
        }
    }

    fn client_status(&self) -> ClientStatus {
        let own = || self.tasks.iter().filter(|(name, _)| *name != NETWORK_TASK).map(|(_, task)| task);
        if self.is_gone() {
            let failed = matches!(self.ending, Some(End { why: Why::Failed(_), .. }))
                || self.tasks.values().any(|task| task.state.failed);
            return if failed { ClientStatus::Failed } else { ClientStatus::Complete };
        }
        match own().any(|task| task.state.phase == TaskPhase::Running) {
            true => ClientStatus::Running,
            false => ClientStatus::Pending,
        }
    }

    fn description(&self) -> String {
        match &self.ending {
            None if !self.waits_for.is_empty() => {
                let names: Vec<_> = self.waits_for.iter().map(AllocationId::short).collect();
                format!("waits for the end of allocation {}", names.join(", "))
            }
            None if self.tasks.values().any(Task::is_running) => "Tasks are running".into(),
            None => String::new(),
            Some(End { why: Why::Unwanted(reason), .. }) => reason.clone(),
            Some(End { why: Why::Failed(reason), .. }) => reason.clone(),
            Some(End { why: Why::LeaderDead(name), .. }) => format!("The leader task {name} has ended"),
            Some(End { why: Why::MainTasksDead, .. }) => match self.is_gone() {
                true => "All tasks have completed".into(),
                false => "The main tasks have ended".into(),
            },
        }
    }

    fn step_task(
        &mut self,
        spec: &Spec,
        name: &str,
        event: Event,
        moment: Moment,
        effects: &mut Vec<(String, Effect)>,
    ) {
        let (Some(task), Some(member)) = (self.tasks.remove(name), spec.members.get(name)) else { return };
        let ran = task.is_running();
        let (task, wanted) = step(task, event, &member.policy, moment);
        if ran && !task.is_running() {
            self.restart_checks(spec, name, moment.now);
        }
        self.tasks.insert(name.into(), task);
        effects.extend(wanted.into_iter().map(|effect| (name.to_string(), effect)));
    }

    fn advance(&mut self, spec: &Spec, moment: Moment, effects: &mut Vec<(String, Effect)>) {
        loop {
            if self.ending.is_none()
                && let Some(why) = moves::ending(self, spec)
            {
                self.ending = Some(End { why, signal_at: moment.now });
            }
            let Some((name, event)) = moves::next(self, spec, moment.now) else { return };
            self.step_task(spec, &name, event, moment, effects);
        }
    }

    /// Counts a probe; answers what it means for a task, if anything.
    fn count_probe(&mut self, spec: &Spec, key: &str, probed: &Probed, now: Timestamp) -> Option<(String, Event)> {
        let check = spec.checks.get(key)?;
        if !self.runs() {
            return None;
        }
        let tracker = self.checks.entry(key.into()).or_default();
        tracker.count(probed, check.thresholds, now);
        let rule = check.restart.as_ref()?;
        if tracker.failed < rule.limit {
            return None;
        }
        let owner = check.task.clone().or_else(|| moves::first_main(spec))?;
        let task = self.tasks.get(&owner)?;
        let started_at = task.state.started_at?;
        if !task.is_running() || now < started_at + rule.grace {
            return None;
        }
        tracker.failed = 0;
        let reason = format!("check {key} failed {} times in a row", rule.limit);
        Some((owner, Event::Restart { reason, counted: true }))
    }

    /// Checks of a task that stopped running begin anew.
    fn restart_checks(&mut self, spec: &Spec, name: &str, now: Timestamp) {
        for (key, check) in &spec.checks {
            if check.task.as_deref().is_none_or(|owner| owner == name)
                && let Some(tracker) = self.checks.get_mut(key)
            {
                tracker.restart(now);
            }
        }
    }

    fn look_at_health(&mut self, spec: &Spec, now: Timestamp) -> Option<Timestamp> {
        let rules = spec.health.as_ref()?;
        if !self.waits_for.is_empty() {
            return None;
        }
        let failed = matches!(self.ending, Some(End { why: Why::Failed(_), .. }));
        if self.ending.is_some() && !failed {
            return None;
        }
        let passes = |key: &String| self.checks.get(key).is_some_and(|check| check.status() == CheckStatus::Passing);
        let vitals = Vitals {
            tasks_run: self.tasks_run(spec),
            checks_pass: spec.checks.iter().all(|(key, check)| !check.counted || passes(key)),
            failed,
        };
        self.health.look(vitals, rules, now)
    }

    /// Whether every task that shall run now does: hooks that are done, and those for the end, do not count.
    fn tasks_run(&self, spec: &Spec) -> bool {
        self.tasks.iter().all(|(name, task)| match spec.members.get(name).map(|member| member.role) {
            None | Some(Role::Poststop) => true,
            Some(Role::Prestart { sidecar: false } | Role::Poststart { sidecar: false }) => {
                task.is_dead() && !task.state.failed
            }
            Some(_) => task.is_running(),
        })
    }
}

/// The word of Nomad's task events for why a task is ended.
fn kind_of(why: &Why) -> &'static str {
    match why {
        Why::Unwanted(_) => "Killing",
        Why::Failed(_) => "Sibling Task Failed",
        Why::LeaderDead(_) => "Leader Task Dead",
        Why::MainTasksDead => "Main Tasks Dead",
    }
}

/// The same in a sentence.
fn sentence_of(why: &Why) -> String {
    match why {
        Why::Unwanted(reason) => format!("Sent interrupt: {reason}"),
        Why::Failed(reason) => reason.clone(),
        Why::LeaderDead(name) => format!("Leader task {name} is dead"),
        Why::MainTasksDead => "The main tasks of the group are dead".into(),
    }
}

#[cfg(test)]
mod tests;
