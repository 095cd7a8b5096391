//! Requests that make no sense are refused in words, and change nothing.

use std::sync::atomic::Ordering;

use axum::body::Body;
use bytes::Bytes;
use futures::stream;
use http::Request;
use serde_json::json;

use crate::http::limits::{BODY_BYTES_MAX, DOCUMENT_BODY_BYTES_MAX, ID_PREFIX_MIN};
use crate::http::testing::Twin;

#[tokio::test]
async fn a_body_over_the_limit_is_413_and_one_at_the_limit_is_read() {
    let twin = Twin::new();
    let spaces = |bytes: usize| " ".repeat(bytes);
    twin.put("/v1/jobs", spaces(DOCUMENT_BODY_BYTES_MAX + 1)).await.refuses(413, "request body is larger than");
    twin.put("/v1/jobs", spaces(DOCUMENT_BODY_BYTES_MAX)).await.refuses(400, "failed to decode request body");
    let node = twin.node("n1");
    let path = format!("/v1/node/{node}/drain");
    twin.put(&path, spaces(BODY_BYTES_MAX + 1)).await.refuses(413, "request body is larger than");
    twin.put(&path, spaces(BODY_BYTES_MAX)).await.refuses(400, "failed to decode request body");
}

#[tokio::test]
async fn a_document_over_its_limit_is_refused_with_the_figures() {
    let twin = Twin::new();
    let meta = "x".repeat(server_core::limits::JOB_DOCUMENT_BYTES_MAX);
    let mut document = serde_json::to_value(crate::http::testing::web()).unwrap();
    document["Meta"] = json!({ "large": meta });
    let body = json!({ "Job": document }).to_string();
    twin.put("/v1/jobs", body).await.refuses(400, "2097152 are allowed");
    assert_eq!(twin.state().jobs().count(), 0);
}

#[tokio::test]
async fn a_body_that_is_cut_off_empty_or_not_text_is_400() {
    let twin = Twin::new();
    twin.put("/v1/jobs", "").await.refuses(400, "Request body is empty");
    twin.put("/v1/jobs", r#"{"Job": {"ID": "we"#).await.refuses(400, "failed to decode request body: EOF");
    twin.put("/v1/jobs", &b"{\"Job\": {\"ID\": \"\xff\xfe\"}}"[..]).await.refuses(400, "invalid unicode");
    let broken = stream::iter([Ok(Bytes::from_static(b"{\"Job\"")), Err(std::io::Error::other("reset"))]);
    let request = Request::put("/v1/jobs").body(Body::from_stream(broken)).unwrap();
    twin.send(request).await.refuses(400, "request body was cut off");
    assert_eq!(twin.state().jobs().count(), 0);
}

#[tokio::test]
async fn what_is_unknown_is_404_in_the_words_that_clients_look_for() {
    let twin = Twin::new();
    let unknown = "00000000-0000-8000-8000-000000000000";
    twin.get("/v1/job/nope").await.refuses(404, "job not found");
    twin.delete("/v1/job/nope").await.refuses(404, "job not found");
    twin.get(&format!("/v1/allocation/{unknown}")).await.refuses(404, "Allocation not found");
    twin.get("/v1/allocation/abcdef").await.refuses(404, "no id begins with \"abcdef\"");
    twin.get("/v1/allocation/nonsense").await.refuses(400, "UUID must be 36 characters");
    twin.get(&format!("/v1/client/fs/logs/{unknown}?task=web")).await.refuses(404, "Unknown allocation");
    twin.get(&format!("/v1/client/allocation/{unknown}/stats")).await.refuses(404, "Unknown allocation");
    twin.get(&format!("/v1/evaluation/{unknown}")).await.refuses(404, "eval not found");
    twin.get(&format!("/v1/deployment/{unknown}")).await.refuses(404, "deployment not found");
    twin.get(&format!("/v1/node/{unknown}")).await.refuses(404, "node not found");
    twin.get("/v1/nope").await.refuses(404, "no such path");
}

#[tokio::test]
async fn an_ambiguous_prefix_lists_its_candidates_and_a_unique_one_is_found() {
    use model::NodeId;
    use model::testing::node;
    use server_core::command::Command;

    let twin = Twin::new();
    let mut ids = Vec::new();
    for last in [1, 2] {
        let mut bytes = [0xab; 16];
        bytes[15] = last;
        let id = NodeId::from_hash(bytes);
        let twin_node = model::Node { id, ..node(&format!("twin-{last}")) };
        twin.apply(Command::RegisterNode { node: std::sync::Arc::new(twin_node), session: None });
        ids.push(id.to_string());
    }
    let reply = twin.get("/v1/node/abab").await;
    reply.refuses(400, "\"abab\" is ambiguous, 2 ids begin with it");
    assert_eq!("abab".len(), ID_PREFIX_MIN);
    twin.get("/v1/node/aba").await.refuses(400, "or at least 4 of its first ones; got \"aba\"");
    assert!(ids.iter().all(|id| reply.text.contains(id)) && reply.text.contains("(twin-1)"), "{}", reply.text);
    assert_eq!(twin.get(&format!("/v1/node/{}", &ids[0][..36])).await.json()["Name"], "twin-1");
    let n1 = twin.node("n1").to_string();
    assert_eq!(twin.get(&format!("/v1/node/{}", &n1[..8])).await.json()["Name"], "n1");
}

#[tokio::test]
async fn without_a_leader_reads_and_changes_say_so_and_stale_reads_go_on() {
    let twin = Twin::with_web();
    twin.leads.store(false, Ordering::SeqCst);
    twin.get("/v1/jobs").await.refuses(500, "No cluster leader");
    twin.delete("/v1/job/web").await.refuses(500, "No cluster leader");
    twin.get("/v1/status/leader").await.refuses(500, "no leader");
    let reply = twin.get("/v1/jobs?stale").await;
    assert_eq!(reply.json().as_array().map(Vec::len), Some(1));
    assert_eq!(reply.header("x-nomad-knownleader"), "false");
    assert_eq!(twin.get("/v1/agent/health").await.status.as_u16(), 500);
}

#[tokio::test]
async fn a_wrong_method_is_405_everywhere() {
    let twin = Twin::new();
    for path in ["/v1/jobs", "/v1/job/web/allocations", "/v1/agent/self", "/v1/nodes", "/v1/event/stream"] {
        twin.delete(path).await.refuses(405, "Invalid method");
    }
    twin.get("/v1/node/x/drain").await.refuses(405, "Invalid method");
    twin.send(Request::patch("/v1/jobs").body(Body::empty()).unwrap()).await.refuses(405, "Invalid method");
}

#[tokio::test]
async fn queries_that_make_no_sense_are_400() {
    let twin = Twin::new();
    twin.get("/v1/jobs?index=x").await.refuses(400, "index must be a whole number");
    twin.get("/v1/jobs?wait=x").await.refuses(400, "Invalid wait time");
    twin.get("/v1/jobs?stale=perhaps").await.refuses(400, "Expect `true` or `false`");
    twin.get("/v1/jobs?filter=Name").await.refuses(400, "failed to read filter expression");
    twin.get("/v1/event/stream?topic=Nope").await.refuses(400, "unknown topic");
    twin.get("/v1/metrics?format=xml").await.refuses(400, "format must be prometheus");
}

#[tokio::test]
async fn every_error_of_a_document_is_named_at_once() {
    let twin = Twin::new();
    let document = json!({ "Job": { "ID": "bad name", "Priority": 500, "TaskGroups": [] } }).to_string();
    let reply = twin.put("/v1/jobs", document.clone()).await;
    reply.refuses(400, "job validation failed");
    assert!(reply.text.matches("\n* ").count() >= 2, "{}", reply.text);
    let answer = twin.put("/v1/validate/job", document).await.json();
    assert!(answer["ValidationErrors"].as_array().is_some_and(|errors| errors.len() >= 2), "{answer}");
    assert_eq!(twin.state().jobs().count(), 0);
}

#[tokio::test]
async fn a_host_that_was_rebound_is_403() {
    let twin = Twin::new();
    let request = Request::get("/v1/jobs").header("host", "evil.example:4646").body(Body::empty()).unwrap();
    twin.send(request).await.refuses(403, "Permission denied");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let reply = Twin::new().delete("/v1/jobs").await;
    reply.refuses(405, "Invalid method");
    assert_eq!(reply.header("allow"), "GET, HEAD, PUT, POST");
}

#[tokio::test]
async fn what_a_query_asks_for_and_nobody_has_is_refused_rather_than_answered_with_nothing() {
    let twin = Twin::with_web();
    twin.get("/v1/jobs?filter=Nme+==+%22x%22").await.refuses(400, "no field \"Nme\"");
    assert_eq!(twin.get("/v1/jobs?filter=Name+==+%22x%22").await.json(), serde_json::json!([]));
    for list in ["jobs", "nodes", "allocations", "evaluations", "jobs/statuses"] {
        twin.get(&format!("/v1/{list}?next_token=zzz")).await.refuses(400, "invalid next_token \"zzz\"");
    }
    twin.get("/v1/jobs?region=mars").await.refuses(400, "No path to region \"mars\"");
    let own = Twin::config().region;
    twin.get(&format!("/v1/jobs?region={own}")).await.json();
}

#[tokio::test]
async fn instances_of_a_service_are_chosen_by_a_key() {
    let twin = Twin::with_web();
    let ids = |reply: serde_json::Value| {
        let ids: Vec<_> = reply.as_array().unwrap().iter().map(|one| one["ID"].to_string()).collect();
        ids
    };
    let all = ids(twin.get("/v1/service/web").await.json());
    let one = ids(twin.get("/v1/service/web?choose=1%7Cabc").await.json());
    assert!(all.len() > 1 && one.len() == 1 && all.contains(&one[0]), "{all:?} {one:?}");
    assert_eq!(ids(twin.get("/v1/service/web?choose=1%7Cabc").await.json()), one);
    for wrong in ["abc", "0%7Cabc", "x%7Cabc", "1%7C"] {
        twin.get(&format!("/v1/service/web?choose={wrong}")).await.refuses(400, "invalid choose");
    }
}
