//! What agents see of tasks. Servers keep it packed, in the log and in snapshots too: it is by far the most that there is of
//! an allocation, and is looked at rarely.

mod event;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Timestamp;

/// The states of an allocation's tasks, by name, packed as MessagePack with field names, so that they can gain fields.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TaskStates(Option<Arc<[u8]>>);

impl TaskStates {
    /// Packs them.
    pub fn pack(states: &BTreeMap<String, TaskState>) -> Self {
        let pack = || rmp_serde::to_vec_named(states).expect("task states can be written to memory");
        Self((!states.is_empty()).then(|| pack().into()))
    }

    /// How many bytes they are.
    pub fn bytes(&self) -> usize {
        self.0.as_ref().map_or(0, |packed| packed.len())
    }

    /// Brings them near, for who is about to write many: their first byte.
    pub fn fetch(&self) -> u8 {
        self.0.as_ref().and_then(|packed| packed.first()).copied().unwrap_or_default()
    }

    /// Each of them, by the task's name.
    pub fn unpack(&self) -> BTreeMap<String, TaskState> {
        // What a later release packed in a way that this one can't read is nothing to it; it is kept as it is.
        self.0.as_deref().and_then(|bytes| rmp_serde::from_slice(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Debug for TaskStates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.unpack().fmt(f)
    }
}

impl Serialize for TaskStates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.unpack().serialize(serializer);
        }
        serializer.serialize_bytes(self.0.as_deref().unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for TaskStates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return BTreeMap::deserialize(deserializer).map(|states| Self::pack(&states));
        }
        deserializer.deserialize_bytes(Packed)
    }
}

/// Takes packed bytes over as they are.
struct Packed;

impl Visitor<'_> for Packed {
    type Value = TaskStates;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("packed states of tasks")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<TaskStates, E> {
        Ok(TaskStates((!bytes.is_empty()).then(|| bytes.into())))
    }
}

/// A task as its agent sees it. What is told of each that runs is written under short names.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TaskState {
    /// Where it stands.
    #[serde(rename = "p", alias = "phase")]
    pub phase: TaskPhase,
    /// Whether it failed for good.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Restarts on this node.
    #[serde(default, skip_serializing_if = "u32_is_zero")]
    pub restarts: u32,
    /// When it was last restarted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_restart: Option<Timestamp>,
    /// When it last started.
    #[serde(rename = "s", alias = "started_at", default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// How it last ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit: Option<Exit>,
    /// The ten newest events, oldest first.
    #[serde(rename = "e", alias = "events")]
    pub events: Vec<TaskEvent>,
}

fn u32_is_zero(number: &u32) -> bool {
    *number == 0
}

/// Where a task stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum TaskPhase {
    /// It does not run yet, or waits to run again.
    #[default]
    Pending,
    /// It runs.
    Running,
    /// It is over.
    Dead,
}

impl TaskPhase {
    /// The word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            TaskPhase::Pending => "pending",
            TaskPhase::Running => "running",
            TaskPhase::Dead => "dead",
        }
    }
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Exit {
    /// The exit code.
    pub code: i64,
    /// The signal that ended it; 0 for none.
    pub signal: i32,
    /// Whether its memory limit ended it.
    pub oom_killed: bool,
    /// What the runtime says; empty for nothing.
    pub error: String,
}

/// Something that happened to a task. For programs it is written in few bytes (`event`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskEvent {
    /// Nomad's word: `Started`, `Terminated`, `Restarting`, …
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// A sentence.
    pub message: String,
    /// Facts such as `exit_code`.
    pub details: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_is_unpacked_and_nothing_takes_no_memory() {
        let event = TaskEvent {
            kind: "Started".into(),
            at: Timestamp::from_seconds(7),
            message: "Task started by client".into(),
            details: BTreeMap::from([("exit_code".into(), "1".into())]),
        };
        let exit = Exit { code: 137, signal: 9, oom_killed: true, error: "killed".into() };
        let state = TaskState {
            phase: TaskPhase::Dead,
            failed: true,
            restarts: 2,
            started_at: Some(Timestamp::from_seconds(7)),
            exit: Some(exit),
            events: vec![event],
            ..TaskState::default()
        };
        let states = BTreeMap::from([("web".to_string(), state), ("log".to_string(), TaskState::default())]);
        assert_eq!(TaskStates::pack(&states).unpack(), states);
        assert_eq!(TaskStates::pack(&BTreeMap::new()), TaskStates::default());
        let written = serde_json::to_string(&TaskStates::pack(&states)).unwrap();
        assert_eq!(serde_json::from_str::<TaskStates>(&written).unwrap().unpack(), states);
        for packed in [TaskStates::pack(&states), TaskStates::default()] {
            let written = rmp_serde::to_vec_named(&packed).unwrap();
            assert_eq!(rmp_serde::from_slice::<TaskStates>(&written).unwrap(), packed);
        }
        assert_eq!(TaskStates(Some([0xc1].into())).unpack(), BTreeMap::new(), "of what can't be read nothing is known");
    }
}
