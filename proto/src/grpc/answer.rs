//! How a service's answer travels: a response or a refusal, both as the body of a gRPC call that went well. So every
//! gRPC status that arrives instead was made by the transport, and says nothing about what the service did.

use tonic::Status;

use crate::net::{NetError, Refusal};
use crate::wire::answer::Body;
use crate::wire::refused::Reason;
use crate::wire::{Answer, NotLeader, Refused, Response};

pub(super) fn to_wire(answer: Result<Response, Refusal>) -> Answer {
    let body = match answer {
        Ok(response) => Body::Response(response),
        Err(refusal) => Body::Refused(Refused {
            reason: Some(match refusal {
                Refusal::NotLeader { leader } => Reason::NotLeader(NotLeader { leader }),
                Refusal::Denied(why) => Reason::Denied(why),
                Refusal::Invalid(why) => Reason::Invalid(why),
                Refusal::Unavailable(why) => Reason::Unavailable(why),
                Refusal::Storage(why) => Reason::Storage(why),
            }),
        }),
    };
    Answer { body: Some(body) }
}

pub(super) fn from_wire(address: &str, answer: Answer) -> Result<Response, NetError> {
    let refusal = match answer.body {
        Some(Body::Response(response)) => return Ok(response),
        Some(Body::Refused(Refused { reason: Some(reason) })) => match reason {
            Reason::NotLeader(NotLeader { leader }) => Refusal::NotLeader { leader },
            Reason::Denied(why) => Refusal::Denied(why),
            Reason::Invalid(why) => Refusal::Invalid(why),
            Reason::Unavailable(why) => Refusal::Unavailable(why),
            Reason::Storage(why) => Refusal::Storage(why),
        },
        // A newer release may answer what this one can't read; what it did is not known.
        Some(Body::Refused(Refused { reason: None })) | None => {
            return Err(unknown(address, "the answer is of a kind that this release doesn't know"));
        }
    };
    Err(NetError::Refused(refusal))
}

pub(super) fn unknown(address: &str, reason: impl Into<String>) -> NetError {
    NetError::Unknown { address: address.to_string(), reason: reason.into() }
}

pub(super) fn broken(address: &str, status: &Status) -> NetError {
    unknown(address, format!("{}: {}", status.code(), chain(status)))
}

/// An error with its causes: the outermost alone is mostly "transport error".
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
