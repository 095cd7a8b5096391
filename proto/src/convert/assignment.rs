//! Assignments, from server to agent.

use model::{AssignedPort, Assignment, Desired, StopReason};

use super::equipment::{core_grant_from_wire, core_grant_to_wire, device_grant_from_wire, device_grant_to_wire, small};
use super::{BadMessage, allocation_from_bytes, allocation_to_bytes, deployment_from_bytes, deployment_to_bytes};
use super::{document_from_wire, document_to_wire};
use crate::wire;

/// Reasons to stop, by their number on the wire less one. A number is never given to another reason.
const STOP_REASONS: [StopReason; 10] = [
    StopReason::JobStopped,
    StopReason::NotNeeded,
    StopReason::Updated,
    StopReason::Migrated,
    StopReason::NodeDown,
    StopReason::Rescheduled,
    StopReason::Requested,
    StopReason::Reconnected,
    StopReason::NodeUnfit,
    StopReason::Preempted,
];

/// Writes an assignment.
pub fn assignment_to_wire(assignment: &Assignment) -> wire::Assignment {
    let port = |port: &AssignedPort| wire::Port {
        label: port.label.clone(),
        value: port.value.into(),
        to: port.to.into(),
        host_ip: port.host_ip.clone(),
    };
    let stop = match assignment.desired {
        Desired::Run => 0,
        Desired::Stop(reason) => STOP_REASONS.iter().position(|known| *known == reason).map_or(1, |at| at as u32 + 1),
    };
    wire::Assignment {
        allocation: allocation_to_bytes(assignment.allocation),
        job: Some(document_to_wire(&assignment.document)),
        group: assignment.group.clone(),
        index: assignment.index,
        ports: assignment.ports.iter().map(port).collect(),
        after: assignment.after.iter().copied().map(allocation_to_bytes).collect(),
        deployment: assignment.deployment.map(deployment_to_bytes).unwrap_or_default(),
        stop,
        generation: assignment.generation,
        cores: assignment.cores.iter().map(core_grant_to_wire).collect(),
        devices: assignment.devices.iter().map(device_grant_to_wire).collect(),
    }
}

/// Reads an assignment.
pub fn assignment_from_wire(message: &wire::Assignment) -> Result<Assignment, BadMessage> {
    let job = message.job.as_ref().ok_or_else(|| BadMessage::new("assignment.job", "is missing"))?;
    let port = |port: &wire::Port| -> Result<AssignedPort, BadMessage> {
        let number = |number: u32| small("assignment.ports", number);
        Ok(AssignedPort {
            label: port.label.clone(),
            value: number(port.value)?,
            to: number(port.to)?,
            host_ip: port.host_ip.clone(),
        })
    };
    let desired = match message.stop {
        0 => Desired::Run,
        // A reason that a newer server knows and this agent does not is still a reason to stop.
        reason => Desired::Stop(STOP_REASONS.get(reason as usize - 1).copied().unwrap_or(StopReason::NotNeeded)),
    };
    let after = message.after.iter().map(|id| allocation_from_bytes("assignment.after", id));
    let deployment = match message.deployment.is_empty() {
        true => None,
        false => Some(deployment_from_bytes("assignment.deployment", &message.deployment)?),
    };
    Ok(Assignment {
        allocation: allocation_from_bytes("assignment.allocation", &message.allocation)?,
        document: document_from_wire(job),
        group: message.group.clone(),
        index: message.index,
        ports: message.ports.iter().map(port).collect::<Result<_, _>>()?,
        cores: message.cores.iter().map(core_grant_from_wire).collect::<Result<_, _>>()?,
        devices: message.devices.iter().map(device_grant_from_wire).collect::<Result<_, _>>()?,
        after: after.collect::<Result<_, _>>()?,
        deployment,
        desired,
        generation: message.generation,
    })
}

#[cfg(test)]
mod tests {
    use model::{AllocationId, DeploymentId, DocumentId, JobKey};

    use super::*;

    #[test]
    fn an_assignment_survives_the_wire_with_every_reason_to_stop() {
        for desired in STOP_REASONS.iter().map(|reason| Desired::Stop(*reason)).chain([Desired::Run]) {
            let assignment = Assignment {
                allocation: AllocationId::derive(&[b"a"]),
                document: DocumentId { job: JobKey::new("default", "web"), create_index: 5, version: 3 },
                group: "web".into(),
                index: 2,
                ports: vec![AssignedPort {
                    label: "http".into(),
                    value: 20_000,
                    to: 8080,
                    host_ip: "127.0.0.1".into(),
                }],
                cores: vec![model::CoreGrant { task: "web".into(), ids: [2, 3].into() }],
                devices: vec![model::DeviceGrant { task: "web".into(), share: 250, ..Default::default() }],
                after: vec![AllocationId::derive(&[b"b"])],
                deployment: Some(DeploymentId::derive(&[b"d"])),
                desired,
                generation: 17,
            };
            assert_eq!(assignment_from_wire(&assignment_to_wire(&assignment)), Ok(assignment));
        }
    }
}
