//! Observations, from agent to server.

use model::{CheckState, CheckStatus, ClientStatus, Exit, Observation, TaskEvent, TaskPhase, TaskState, Timestamp};

use super::{BadMessage, allocation_from_bytes, allocation_to_bytes};
use crate::wire;

const CLIENT_STATUSES: [ClientStatus; 6] = [
    ClientStatus::Pending,
    ClientStatus::Running,
    ClientStatus::Complete,
    ClientStatus::Failed,
    ClientStatus::Unknown,
    ClientStatus::Lost,
];
const TASK_PHASES: [TaskPhase; 3] = [TaskPhase::Pending, TaskPhase::Running, TaskPhase::Dead];
const CHECK_STATUSES: [CheckStatus; 3] = [CheckStatus::Pending, CheckStatus::Passing, CheckStatus::Failing];

/// Writes an observation.
pub fn observation_to_wire(observation: &Observation) -> wire::Observation {
    let check = |check: &CheckState| wire::CheckState {
        status: number(&CHECK_STATUSES, check.status),
        at: check.at.0,
        output: check.output.clone(),
    };
    wire::Observation {
        allocation: allocation_to_bytes(observation.allocation),
        client_status: number(&CLIENT_STATUSES, observation.client_status),
        client_description: observation.client_description.clone(),
        tasks: observation.tasks.iter().map(|(name, state)| (name.clone(), task_to_wire(state))).collect(),
        healthy: observation.healthy,
        healthy_at: observation.healthy_at.map(|at| at.0),
        checks: observation.checks.iter().map(|(name, state)| (name.clone(), check(state))).collect(),
        network_address: observation.network_address.clone().unwrap_or_default(),
    }
}

/// Reads an observation.
pub fn observation_from_wire(message: &wire::Observation) -> Result<Observation, BadMessage> {
    let task = |(name, state): (&String, &wire::TaskState)| Ok((name.clone(), task_from_wire(state)?));
    let check = |(name, check): (&String, &wire::CheckState)| {
        let status = value(&CHECK_STATUSES, "observation.checks", check.status)?;
        Ok((name.clone(), CheckState { status, at: Timestamp(check.at), output: check.output.clone() }))
    };
    Ok(Observation {
        allocation: allocation_from_bytes("observation.allocation", &message.allocation)?,
        client_status: value(&CLIENT_STATUSES, "observation.client_status", message.client_status)?,
        client_description: message.client_description.clone(),
        tasks: message.tasks.iter().map(task).collect::<Result<_, _>>()?,
        healthy: message.healthy,
        healthy_at: message.healthy_at.map(Timestamp),
        checks: message.checks.iter().map(check).collect::<Result<_, _>>()?,
        network_address: Some(message.network_address.clone()).filter(|address| !address.is_empty()),
    })
}

fn task_to_wire(state: &TaskState) -> wire::TaskState {
    let event = |event: &TaskEvent| wire::TaskEvent {
        kind: event.kind.clone(),
        at: event.at.0,
        message: event.message.clone(),
        details: event.details.clone(),
    };
    let exit = |exit: &Exit| wire::Exit {
        code: exit.code,
        signal: exit.signal,
        oom_killed: exit.oom_killed,
        error: exit.error.clone(),
    };
    wire::TaskState {
        phase: number(&TASK_PHASES, state.phase),
        failed: state.failed,
        restarts: state.restarts,
        last_restart: state.last_restart.map(|at| at.0),
        started_at: state.started_at.map(|at| at.0),
        finished_at: state.finished_at.map(|at| at.0),
        exit: state.exit.as_ref().map(exit),
        events: state.events.iter().map(event).collect(),
    }
}

fn task_from_wire(message: &wire::TaskState) -> Result<TaskState, BadMessage> {
    let event = |event: &wire::TaskEvent| TaskEvent {
        kind: event.kind.clone(),
        at: Timestamp(event.at),
        message: event.message.clone(),
        details: event.details.clone(),
    };
    let exit = |exit: &wire::Exit| Exit {
        code: exit.code,
        signal: exit.signal,
        oom_killed: exit.oom_killed,
        error: exit.error.clone(),
    };
    Ok(TaskState {
        phase: value(&TASK_PHASES, "observation.tasks.phase", message.phase)?,
        failed: message.failed,
        restarts: message.restarts,
        last_restart: message.last_restart.map(Timestamp),
        started_at: message.started_at.map(Timestamp),
        finished_at: message.finished_at.map(Timestamp),
        exit: message.exit.as_ref().map(exit),
        events: message.events.iter().map(event).collect(),
    })
}

/// The number of `wanted` on the wire: its place in `values`, whose order never changes.
fn number<T: PartialEq>(values: &[T], wanted: T) -> u32 {
    values.iter().position(|value| *value == wanted).expect("the table names every variant") as u32
}

fn value<T: Copy>(values: &[T], field: &'static str, number: u32) -> Result<T, BadMessage> {
    values
        .get(number as usize)
        .copied()
        .ok_or_else(|| BadMessage::new(field, format!("has the unknown value {number}")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::AllocationId;

    use super::*;

    #[test]
    fn an_observation_survives_the_wire() {
        let event = TaskEvent {
            kind: "Terminated".into(),
            at: Timestamp(6),
            message: "exit code 137".into(),
            details: BTreeMap::from([("oom_killed".into(), "true".into())]),
        };
        let task = TaskState {
            phase: TaskPhase::Dead,
            failed: true,
            restarts: 2,
            last_restart: Some(Timestamp(4)),
            started_at: Some(Timestamp(5)),
            finished_at: Some(Timestamp(6)),
            exit: Some(Exit { code: 137, signal: 9, oom_killed: true, error: String::new() }),
            events: vec![event],
        };
        let check = CheckState { status: CheckStatus::Failing, at: Timestamp(3), output: "503".into() };
        let observation = Observation {
            allocation: AllocationId::derive(&[b"a"]),
            client_status: ClientStatus::Failed,
            client_description: "out of memory".into(),
            tasks: BTreeMap::from([("web".into(), task)]),
            healthy: Some(false),
            healthy_at: Some(Timestamp(7)),
            checks: BTreeMap::from([("web/alive".into(), check)]),
            network_address: Some("172.17.0.2".into()),
        };
        assert_eq!(observation_from_wire(&observation_to_wire(&observation)), Ok(observation));
    }

    #[test]
    fn an_unknown_status_is_refused() {
        let message = wire::Observation {
            allocation: allocation_to_bytes(AllocationId::derive(&[b"a"])),
            client_status: 6,
            ..wire::Observation::default()
        };
        let error = observation_from_wire(&message).unwrap_err();
        assert_eq!(error.to_string(), "bad message: observation.client_status has the unknown value 6");
    }
}
