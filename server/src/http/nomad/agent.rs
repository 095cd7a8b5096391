//! The server that answers, and the other servers.

use std::sync::Arc;

use axum::response::Response;
use serde_json::{Value, json};
use server_core::command::ServerRecord;

use crate::cluster::Member;
use crate::http::Api;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::reply::json as reply_json;

/// `GET /v1/agent/self`.
pub(super) async fn own(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let own = api.cluster.server_id();
    let member = api.cluster.members().into_iter().find(|member| member.id == own);
    let numbers = api.cluster.log_numbers();
    let leadership = api.cluster.leadership();
    let state = api.cluster.states().borrow().clone();
    let node = api.config.node.get().map(ToString::to_string);
    let mut answer = json!({
        "config": {
            "Name": api.config.name,
            "Region": api.config.region,
            "Datacenter": api.config.datacenter,
            "Version": { "Version": api.config.version },
            "Server": { "Enabled": true },
            "Client": { "Enabled": node.is_some() },
            "ACL": { "Enabled": false },
            "UI": { "Enabled": true, "ShowCLIHints": false },
        },
        "member": member.map(|member| member_view(&api, &member, true)),
        "stats": {
            "nomad": {
                "server": "true",
                "leader": leadership.is_self.to_string(),
                "leader_addr": leadership.leader.as_ref().map(|(_, address)| address.as_str()).unwrap_or_default(),
            },
            "raft": {
                "term": numbers.term.to_string(),
                "last_log_index": numbers.last_log.to_string(),
                "commit_index": numbers.committed.to_string(),
                "applied_index": numbers.applied.to_string(),
                "last_snapshot_index": numbers.snapshot.to_string(),
                "state": if leadership.is_self { "Leader" } else { "Follower" },
            },
            "sched": {
                "cluster": state.cluster().to_string(),
                "cluster_version": state.cluster_version().to_string(),
            },
        },
    });
    if let Some(node) = node {
        answer["stats"]["client"] = json!({ "node_id": node });
    }
    reply_json(&call, &answer)
}

/// `GET /v1/agent/members`.
pub(super) async fn members(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let alive = api.cluster.members_alive().await;
    let view = |member: &Member| member_view(&api, member, alive.contains(&member.id));
    let members: Vec<Value> = api.cluster.members().iter().map(view).collect();
    let answer = json!({
        "ServerName": api.config.name,
        "ServerRegion": api.config.region,
        "ServerDC": api.config.datacenter,
        "Members": members,
    });
    reply_json(&call, &answer)
}

/// The name of a server, by its record or, before it announced itself, by its number.
pub(super) fn name(record: Option<&Arc<ServerRecord>>, member: &Member) -> String {
    record.map_or_else(|| format!("server-{}", member.id), |record| record.name.clone())
}

fn member_view(api: &Api, member: &Member, is_alive: bool) -> Value {
    let state = api.cluster.states().borrow().clone();
    let record = state.server(member.id);
    let (host, port) = member.address.rsplit_once(':').unwrap_or((&member.address, "0"));
    let is_leader = api.cluster.leadership().leader.is_some_and(|(leader, _)| leader == member.id);
    json!({
        "Name": format!("{}.{}", name(record, member), api.config.region),
        "Addr": host.trim_matches(['[', ']']),
        "Port": port.parse::<u16>().unwrap_or(0),
        "Status": if is_alive { "alive" } else { "failed" },
        "Tags": {
            "role": "nomad",
            "region": api.config.region,
            "dc": api.config.datacenter,
            "id": member.id.to_string(),
            "rpc_addr": member.address,
            "http_addr": record.map(|record| record.http_address.as_str()).unwrap_or_default(),
            "build": record.map(|record| record.build.as_str()).unwrap_or_default(),
            "leader": is_leader.to_string(),
            "voter": member.is_voter.to_string(),
        },
    })
}

/// `GET /v1/agent/health`: works means that there is a leader to pass changes to.
pub(super) async fn health(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let works = api.cluster.leadership().leader.is_some();
    let message = if works { "ok" } else { "No cluster leader" };
    let mut response = reply_json(&call, &json!({ "server": { "ok": works, "message": message } }))?;
    if !works {
        *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    }
    Ok(response)
}

/// `GET /v1/agent/servers`: `host:port` of each server.
pub(super) async fn servers(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let addresses: Vec<String> = api.cluster.members().into_iter().map(|member| member.address).collect();
    reply_json(&call, &addresses)
}
