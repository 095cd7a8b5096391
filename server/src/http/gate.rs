//! Authorization as the HTTP listener uses it: one question per object, and a record of each answer.
//!
//! The record goes to the tracing target `audit`: changes and refusals at INFO, reads of single objects at DEBUG, objects
//! of lists at TRACE.

use server_core::authorize::{Action, Caller, Decision, Object, authorize};
use tracing::{debug, info, trace};

use super::failure::Failure;

/// What one request may do.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    caller: Caller,
    action: Action,
    request_id: String,
}

impl Gate {
    /// The gate of a request that wants to do `action`.
    pub(super) fn new(caller: Caller, action: Action, request_id: String) -> Self {
        Self { caller, action, request_id }
    }

    /// Who asks.
    pub(super) fn caller(&self) -> Caller {
        self.caller
    }

    /// Refuses unless the action may be done to `object`.
    pub(super) fn check(&self, object: Object<'_>) -> Result<(), Failure> {
        let decision = authorize(self.caller, self.action, object);
        if decision == Decision::Deny || changes(self.action) {
            info!(target: "audit", request_id = self.request_id, caller = %self.caller, action = self.action.as_str(),
                object = %object, decision = ?decision, "authorized");
        } else {
            debug!(target: "audit", request_id = self.request_id, caller = %self.caller, action = self.action.as_str(),
                object = %object, decision = ?decision, "authorized");
        }
        match decision {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(Failure::denied()),
        }
    }

    /// Whether `object` may be part of an answer.
    pub(super) fn sees(&self, object: Object<'_>) -> bool {
        let decision = authorize(self.caller, self.action, object);
        trace!(target: "audit", request_id = self.request_id, caller = %self.caller, action = self.action.as_str(),
            object = %object, decision = ?decision, "authorized");
        decision == Decision::Allow
    }
}

fn changes(action: Action) -> bool {
    match action {
        Action::SubmitJobs
        | Action::SteerAllocations
        | Action::WriteNodes
        | Action::WriteServers
        | Action::WriteVolumes
        | Action::TakeSnapshot
        | Action::RestoreSnapshot => true,
        Action::ReadJobs
        | Action::ParseJobs
        | Action::ReadLogs
        | Action::ReadNodes
        | Action::ReadVolumes
        | Action::ReadServices
        | Action::ReadServers
        | Action::ReadEvents
        | Action::ServeNode
        | Action::Consensus
        | Action::ReadPublic => false,
    }
}

#[cfg(test)]
mod tests {
    use model::NodeId;

    use super::*;

    #[test]
    fn what_is_denied_is_403_and_unseen() {
        let agent = Caller::Agent(NodeId::derive(&[b"n1"]));
        let gate = Gate::new(agent, Action::SubmitJobs, "r1".into());
        assert_eq!(gate.check(Object::Namespace("default")), Err(Failure::denied()));
        assert!(!gate.sees(Object::Cluster));
    }
}
