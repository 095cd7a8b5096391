//! How servers do, and how they are judged.

use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use server_core::autopilot::{AutopilotConfiguration, failure_tolerance};
use server_core::command::Command;

use super::agent::name;
use super::propose::{newest, propose};
use super::view::time::GoTime;
use crate::http::Api;
use crate::http::body::Fields;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::query::parse_duration;
use crate::http::read::{Found, Read};
use crate::http::reply::{changed, json as reply_json};

/// `GET /v1/operator/autopilot/configuration`.
pub(super) fn configuration<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let (configuration, index) = read.state.autopilot();
    Ok(Found::one(read, index, move || {
        json!({
            "CleanupDeadServers": configuration.cleanup_dead_servers,
            "DeadServerAfter": shown(configuration.dead_server_after),
            "LastContactThreshold": shown(configuration.last_contact_threshold),
            "MaxTrailingLogs": configuration.max_trailing_logs,
            "MinQuorum": configuration.min_quorum,
            "ServerStabilizationTime": shown(configuration.server_stabilization_time),
            "EnableRedundancyZones": false,
            "DisableUpgradeMigration": false,
            "EnableCustomUpgrades": false,
            "CreateIndex": index,
            "ModifyIndex": index,
        })
    }))
}

/// A duration as Nomad's clients read it: `1m30s` and the like; ours are whole milliseconds.
fn shown(duration: Duration) -> String {
    format!("{}ms", duration.as_millis())
}

/// `PUT /v1/operator/autopilot/configuration`: what is not given stays as it is.
pub(super) async fn set_configuration(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let body = call.fields()?;
    let (known, _) = newest(&api).await?.autopilot();
    let number = |name: &str, known: u64| body.number(name).map(|given| given.unwrap_or(known));
    let min_quorum = number("MinQuorum", known.min_quorum.into())?;
    let cleanup_dead_servers = match body.get("CleanupDeadServers") {
        Some(_) => body.flag("CleanupDeadServers")?,
        None => known.cleanup_dead_servers,
    };
    let configuration = AutopilotConfiguration {
        cleanup_dead_servers,
        dead_server_after: duration(&body, "DeadServerAfter", known.dead_server_after)?,
        // Clients of Nomad send 0 where they mean its least, which is ours.
        min_quorum: if min_quorum == 0 { known.min_quorum } else { u32::try_from(min_quorum).unwrap_or(u32::MAX) },
        last_contact_threshold: duration(&body, "LastContactThreshold", known.last_contact_threshold)?,
        max_trailing_logs: number("MaxTrailingLogs", known.max_trailing_logs)?,
        server_stabilization_time: duration(&body, "ServerStabilizationTime", known.server_stabilization_time)?,
    };
    if let Some(fault) = configuration.fault() {
        return Err(Failure::bad_request(fault));
    }
    let check_index = call.query.number("cas")?;
    let done = propose(&api, &call, Command::SetAutopilotConfiguration { configuration, check_index }).await?;
    changed(&call, done.index, &json!({ "Updated": true, "Index": done.index }))
}

/// Nanoseconds, or text such as `10m`.
fn duration(body: &Fields, field: &str, known: Duration) -> Result<Duration, Failure> {
    match body.get(field) {
        None => Ok(known),
        Some(Value::String(text)) => {
            parse_duration(text).ok_or_else(|| Failure::bad_request(format!("{field} is not a duration: {text:?}")))
        }
        Some(_) => Ok(body.number(field)?.map_or(known, Duration::from_nanos)),
    }
}

/// `GET /v1/operator/autopilot/health`: 429 while a server is not well.
pub(super) async fn health(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let seen = api.cluster.servers_seen().await?;
    let state = api.cluster.states().borrow().clone();
    let (configuration, _) = state.autopilot();
    let members = api.cluster.members();
    let is_well = |server: &server_core::autopilot::ServerSeen| server.is_well(&configuration, seen.last_log);
    let server = |server: &server_core::autopilot::ServerSeen| {
        let member = members.iter().find(|member| member.id == server.id);
        let record = state.server(server.id);
        json!({
            "ID": server.id.to_string(),
            "Name": member.map(|member| name(record, member)).unwrap_or_default(),
            "Address": member.map(|member| member.address.as_str()).unwrap_or_default(),
            "SerfStatus": if server.silent < ALIVE_WITHIN { "alive" } else { "failed" },
            "Version": record.map(|record| record.build.as_str()).unwrap_or_default(),
            "Leader": server.is_leader,
            "LastContact": shown(server.silent),
            "LastTerm": seen.term,
            "LastIndex": server.matching,
            "Healthy": is_well(server),
            "Voter": server.is_voter,
            "StableSince": GoTime(server.well_since),
        })
    };
    let healthy = !seen.servers.is_empty() && seen.servers.iter().all(is_well);
    let leader = seen.servers.iter().find(|server| server.is_leader).map(|server| server.id.to_string());
    let voters: Vec<String> =
        seen.servers.iter().filter(|server| server.is_voter).map(|server| server.id.to_string()).collect();
    let answer = json!({
        "Healthy": healthy,
        "FailureTolerance": failure_tolerance(&seen.servers, &configuration, seen.last_log),
        "Leader": leader,
        "Voters": voters,
        "Servers": seen.servers.iter().map(server).collect::<Vec<_>>(),
    });
    let mut response = reply_json(&call, &answer)?;
    if !healthy {
        *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    }
    Ok(response)
}

/// A server that the leader has not heard for so long counts as failed.
const ALIVE_WITHIN: Duration = Duration::from_secs(2);
