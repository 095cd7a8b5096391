//! What goes wrong, as a status and a plain-text body. Clients search the text for Nomad's phrases.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use server_core::apply::{Accepted, Answer, Rejection};

use crate::cluster::ClusterError;

/// A refusal or failure, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    status: StatusCode,
    message: String,
    /// The methods that the path has, where the wrong one was used.
    allow: Option<String>,
}

impl Failure {
    fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), allow: None }
    }

    /// The request makes no sense.
    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// There is no such thing.
    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// The caller may not.
    pub(super) fn denied() -> Self {
        Self::new(StatusCode::FORBIDDEN, "Permission denied")
    }

    /// The `Host` of the request is not one of ours.
    pub(super) fn denied_host() -> Self {
        let message = "Permission denied: the Host header names neither loopback nor this server";
        Self::new(StatusCode::FORBIDDEN, message)
    }

    /// The path exists for other methods: these.
    pub(super) fn invalid_method(allowed: &[&str]) -> Self {
        let allow = Some(allowed.join(", "));
        Self { allow, ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "Invalid method") }
    }

    /// The body is larger than its route takes.
    pub(super) fn too_large(bytes_max: usize) -> Self {
        let message = format!("request body is larger than {bytes_max} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    }

    /// It is the servers' fault.
    pub(super) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// With the status that an agent gave its refusal; what is no refusal counts as its fault.
    pub(super) fn of_agent(status: u32, message: String) -> Self {
        let known = [400, 403, 404].into_iter().find(|known| *known == status);
        let status = known.and_then(|known| StatusCode::from_u16(known as u16).ok());
        Self::new(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), message)
    }

    /// The status.
    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        match error {
            // "No cluster leader" is what Nomad's clients look for, "no leader" what the CLI does.
            ClusterError::NoLeader => {
                Self::internal("No cluster leader: no leader is known, nothing was done; try again or another server")
            }
            // Clients of the log and stats routes fall back to another way on a 404.
            ClusterError::NoPath => Self::not_found("No path to node: its agent is not connected to any server"),
            ClusterError::Storage(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("{error}; reads go on, free space there and try again"),
            ),
            ClusterError::Refused(why) => Self::internal(why),
            ClusterError::Unknown | ClusterError::Stopping => Self::internal(error.to_string()),
        }
    }
}

impl From<Rejection> for Failure {
    fn from(rejection: Rejection) -> Self {
        let message = rejection.to_string();
        match rejection {
            Rejection::NoSuchJob
            | Rejection::NoSuchVersion { .. }
            | Rejection::NoSuchNode
            | Rejection::NoSuchAllocation
            | Rejection::NoSuchDeployment
            | Rejection::NoSuchServer
            | Rejection::NoSuchVolume
            | Rejection::NoSuchVolumeClaim
            | Rejection::NoRebalance
            | Rejection::EvaluationOver => Self::not_found(message),
            Rejection::AlreadyCurrent
            | Rejection::CheckIndex { .. }
            | Rejection::CheckVersion { .. }
            | Rejection::NodeNameTaken { .. }
            | Rejection::NodeOfAnother { .. }
            | Rejection::NodeIsElsewhere { .. }
            | Rejection::AlreadyStopped
            | Rejection::DeploymentOver { .. }
            | Rejection::NoCanaries
            | Rejection::CanariesUnhealthy { .. }
            | Rejection::NotAllAtOnce
            | Rejection::VolumeNameTaken { .. }
            | Rejection::VolumeMoved
            | Rejection::VolumeInUse { .. }
            | Rejection::RebalanceRuns { .. }
            | Rejection::ClusterChanged { .. }
            | Rejection::NoMoves
            | Rejection::TooManyMoves { .. }
            | Rejection::ServerRemoved { .. }
            | Rejection::BadConfiguration { .. }
            | Rejection::WrongPart { .. }
            | Rejection::BadBackup { .. }
            | Rejection::ConfigurationChanged { .. } => Self::bad_request(message),
            Rejection::OutOfOrder { .. }
            | Rejection::OldTerm { .. }
            | Rejection::WrongAttempt { .. }
            | Rejection::JobChanged
            | Rejection::PlannedMeanwhile { .. }
            | Rejection::Initialized
            | Rejection::NotDrained => Self::internal(message),
        }
    }
}

/// What was accepted, or the refusal as a failure.
pub(super) fn accepted(answer: Answer) -> Result<Accepted, Failure> {
    match answer {
        Answer::Accepted(accepted) => Ok(accepted),
        Answer::Rejected(rejection) => Err(rejection.into()),
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let plain = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
        let mut response = (self.status, plain, self.message).into_response();
        if let Some(allow) = self.allow.and_then(|allow| HeaderValue::from_str(&allow).ok()) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}
