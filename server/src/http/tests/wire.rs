//! The lenience that existing clients rely on, a test for each point.

use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

use crate::http::testing::{Twin, web};

fn document() -> Value {
    serde_json::to_value(web()).unwrap()
}

#[tokio::test]
async fn put_and_post_register_alike_and_need_no_content_type() {
    for method in ["PUT", "POST"] {
        let twin = Twin::new();
        let body = json!({ "Job": document() }).to_string();
        let request = Request::builder().method(method).uri("/v1/jobs").body(Body::from(body)).unwrap();
        let answer = twin.send(request).await.json();
        assert!(answer["EvalID"].as_str().is_some_and(|id| id.len() == 36), "{answer}");
        assert_eq!(answer["EvalCreateIndex"], answer["JobModifyIndex"]);
        assert_eq!(twin.state().jobs().count(), 1);
    }
}

#[tokio::test]
async fn keys_are_matched_in_any_case_and_unknown_ones_are_ignored() {
    let twin = Twin::new();
    let task = json!({ "name": "t", "DRIVER": "fake", "config": { "runFor": "1s" }, "shiny": true });
    let body = json!({
        "job": { "id": "lower", "taskgroups": [{ "name": "g", "count": 1, "tasks": [task] }], "NoSuchField": [1] },
        "idempotency_token": "x",
    });
    twin.put("/v1/jobs", body.to_string()).await.json();
    let job = twin.get("/v1/job/lower").await.json();
    assert_eq!(job["TaskGroups"][0]["Tasks"][0]["Driver"], "fake");
    assert_eq!(job["TaskGroups"][0]["Tasks"][0]["Config"]["runFor"], "1s");
}

#[tokio::test]
async fn go_booleans_are_read_in_queries() {
    let twin = Twin::new();
    twin.register(web());
    twin.delete("/v1/job/web?purge=True").await.json();
    twin.get("/v1/job/web").await.refuses(404, "job not found");
}

#[tokio::test]
async fn ids_with_slashes_are_found_raw_and_encoded() {
    let twin = Twin::new();
    twin.register(model::testing::job("a/b"));
    assert_eq!(twin.get("/v1/job/a/b").await.json()["ID"], "a/b");
    assert_eq!(twin.get("/v1/job/a%2Fb").await.json()["ID"], "a/b");
    assert_eq!(twin.get("/v1/job/a%2Fb/summary").await.json()["JobID"], "a/b");
    assert_eq!(twin.get("/v1/job/a/b/evaluations").await.json().as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn reads_carry_index_contact_and_leader() {
    let twin = Twin::with_web();
    let reply = twin.get("/v1/nodes?stale=").await;
    assert_eq!(reply.index(), twin.state().indexes().nodes);
    assert_eq!(reply.header("x-nomad-lastcontact"), "25");
    assert_eq!(reply.header("x-nomad-knownleader"), "true");
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn empty_lists_are_not_null_and_their_index_is_never_0() {
    let twin = Twin::new();
    for path in ["/v1/jobs", "/v1/allocations", "/v1/evaluations", "/v1/deployments", "/v1/services", "/v1/service/x"] {
        let reply = twin.get(path).await;
        assert_eq!((reply.text.as_str(), reply.status.as_u16()), ("[]", 200), "{path}");
        assert!(reply.index() >= 1, "{path}");
    }
}

#[tokio::test]
async fn lists_are_cut_by_prefix_filter_and_namespace() {
    let twin = Twin::new();
    twin.register(web());
    twin.register(model::Job { namespace: "other".into(), ..model::testing::job("worker") });
    let ids = |reply: Value| -> Vec<String> {
        reply.as_array().unwrap().iter().map(|row| row["ID"].as_str().unwrap().to_string()).collect()
    };
    assert_eq!(ids(twin.get("/v1/jobs").await.json()), ["web"]);
    assert_eq!(ids(twin.get("/v1/jobs?namespace=other").await.json()), ["worker"]);
    assert_eq!(ids(twin.get("/v1/jobs?namespace=*").await.json()), ["web", "worker"]);
    assert_eq!(ids(twin.get("/v1/jobs?namespace=*&prefix=wo").await.json()), ["worker"]);
    let filter = "/v1/jobs?namespace=*&filter=Namespace+%3D%3D+%22other%22";
    assert_eq!(ids(twin.get(filter).await.json()), ["worker"]);
}

#[tokio::test]
async fn lists_come_in_pages_both_ways() {
    let twin = Twin::new();
    for name in ["a", "b", "c", "d", "e"] {
        twin.register(model::testing::job(name));
    }
    for (reverse, wanted) in [("", "a b|c d|e"), ("&reverse=true", "e d|c b|a")] {
        let (mut pages, mut token) = (Vec::new(), String::new());
        loop {
            let reply = twin.get(&format!("/v1/jobs?per_page=2{reverse}&next_token={token}")).await;
            let rows = reply.json();
            let ids: Vec<_> = rows.as_array().unwrap().iter().map(|row| row["ID"].as_str().unwrap()).collect();
            pages.push(ids.join(" "));
            token = reply.header("x-nomad-nexttoken").to_string();
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(pages.join("|"), wanted);
    }
}

#[tokio::test]
async fn pretty_indents() {
    let twin = Twin::with_web();
    assert!(twin.get("/v1/jobs?pretty").await.text.starts_with("[\n  {\n"));
}

#[tokio::test]
async fn traefik_finds_passing_instances_by_tag() {
    let twin = Twin::with_web();
    let services = twin.get("/v1/services?namespace=default&stale").await.json();
    let wanted = json!([{
        "Namespace": "default",
        "Services": [{ "ServiceName": "web", "Tags": ["traefik.enable=true"] }],
    }]);
    assert_eq!(services, wanted);
    let filtered = "/v1/service/web?filter=Tags%20contains%20%22traefik.enable%3Dtrue%22";
    let instances = twin.get(filtered).await.json();
    assert_eq!(instances.as_array().map(Vec::len), Some(2));
    let first = &instances[0];
    assert!(first["ID"].as_str().unwrap().starts_with("_nomad-task-"), "{first}");
    assert!(first["Port"].as_u64().is_some_and(|port| port >= 20_000), "{first}");
    let names = ["ServiceName", "Namespace", "NodeID", "Datacenter", "Address", "JobID", "AllocID"];
    assert!(names.iter().all(|name| first[name].is_string()), "{first}");
    let none = twin.get("/v1/service/web?filter=Tags+contains+%22nope%22").await;
    assert_eq!(none.text, "[]");
}

#[tokio::test]
async fn request_ids_are_taken_over_or_made() {
    let twin = Twin::new();
    let request = Request::get("/v1/jobs").header("x-request-id", "mine-1").body(Body::empty()).unwrap();
    assert_eq!(twin.send(request).await.header("x-request-id"), "mine-1");
    assert_eq!(twin.get("/v1/jobs").await.header("x-request-id").len(), 36);
}

#[tokio::test]
async fn a_change_with_an_idempotency_token_is_made_once() {
    let twin = Twin::with_web();
    let path = "/v1/job/web/evaluate?idempotency_token=abc";
    let first = twin.put(path, "").await.json();
    let again = twin.put(path, "").await.json();
    assert_eq!(first["EvalID"], again["EvalID"]);
    let other = twin.put("/v1/job/web/evaluate?idempotency_token=def", "").await.json();
    assert_ne!(first["EvalID"], other["EvalID"]);
}
