//! What operators ask of the servers: autopilot, leadership, backups.

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::authority::SealKey;
use crate::backup::{Backup, pieces, read};
use crate::http::router;
use crate::http::testing::{Twin, web};

#[tokio::test]
async fn autopilot_is_configured_field_by_field_and_by_its_index() {
    let twin = Twin::new();
    let path = "/v1/operator/autopilot/configuration";
    let before = twin.get(path).await.json();
    assert_eq!((&before["CleanupDeadServers"], &before["MinQuorum"]), (&json!(true), &json!(3)));
    let set = twin.put(path, r#"{"DeadServerAfter": "1m", "MinQuorum": 0}"#).await.json();
    assert_eq!(set["Updated"], true);
    let after = twin.get(path).await.json();
    assert_eq!((&after["DeadServerAfter"], &after["MinQuorum"]), (&json!("60000ms"), &json!(3)));
    assert_eq!(after["MaxTrailingLogs"], before["MaxTrailingLogs"]);
    let index = after["ModifyIndex"].as_u64().unwrap();
    let nanoseconds = r#"{"CleanupDeadServers": false, "ServerStabilizationTime": 5000000000}"#;
    twin.put(&format!("{path}?cas={}", index + 1), nanoseconds).await.refuses(400, "changed at index");
    twin.put(&format!("{path}?cas={index}"), nanoseconds).await.json();
    let last = twin.get(path).await.json();
    assert_eq!(
        (&last["CleanupDeadServers"], &last["ServerStabilizationTime"], &last["DeadServerAfter"]),
        (&json!(false), &json!("5000ms"), &json!("60000ms"))
    );
    twin.put(path, r#"{"DeadServerAfter": "9s"}"#).await.refuses(400, "DeadServerAfter must be at least");
    twin.put(path, r#"{"MinQuorum": 1}"#).await.refuses(400, "MinQuorum must be 3 to 7");
    twin.put(path, r#"{"DeadServerAfter": "soon"}"#).await.refuses(400, "not a duration");
}

#[tokio::test]
async fn health_tells_of_each_server_and_how_many_may_fail() {
    let twin = Twin::new();
    let health = twin.get("/v1/operator/autopilot/health").await.json();
    assert_eq!((&health["Healthy"], &health["FailureTolerance"]), (&json!(true), &json!(0)));
    assert_eq!((&health["Leader"], &health["Voters"]), (&json!("1"), &json!(["1"])));
    let server = &health["Servers"][0];
    assert_eq!((&server["ID"], &server["Leader"], &server["LastIndex"]), (&json!("1"), &json!(true), &json!(9)));
    assert_eq!(server["StableSince"], "1970-01-01T00:00:01Z");
}

#[tokio::test]
async fn leadership_goes_to_a_server_that_is_named_and_the_last_one_stays() {
    let twin = Twin::new();
    let path = "/v1/operator/raft/transfer-leadership";
    let there = twin.put(&format!("{path}?id=1"), "").await.json();
    assert_eq!((&there["Noop"], &there["To"]["ID"]), (&json!(true), &json!("1")));
    let there = twin.put(&format!("{path}?address=127.0.0.1:4647"), "").await.json();
    assert_eq!(there["Noop"], true);
    twin.put(&format!("{path}?id=7"), "").await.refuses(404, "server not found");
    twin.put(path, "").await.refuses(400, "name the server");
    twin.delete("/v1/operator/raft/peer?id=7").await.refuses(404, "server not found");
    twin.delete("/v1/operator/raft/peer?id=1").await.refuses(400, "the last server");
    twin.delete("/v1/server/1").await.refuses(400, "the last server");
}

/// The bytes of a backup, taken with that header.
async fn save(twin: &std::sync::Arc<Twin>, seal: Option<&str>) -> (StatusCode, Vec<u8>) {
    let request = Request::get("/v1/operator/snapshot");
    let request = match seal {
        Some(text) => request.header("X-Sched-Seal-Key", text),
        None => request,
    };
    let router = router(twin.clone(), Twin::config(), CancellationToken::new());
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let status = response.status();
    (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
}

#[tokio::test]
async fn a_backup_holds_the_state_and_takes_the_cluster_back_to_it() {
    let twin = Twin::new();
    twin.register(web());
    let (status, bytes) = save(&twin, None).await;
    assert_eq!(status, StatusCode::OK);
    let backup = read(&bytes).unwrap();
    assert_eq!((backup.header.index, backup.sealed.is_some()), (twin.state().index(), false));
    assert_eq!(backup.state, twin.state().encode());

    twin.delete("/v1/job/web?purge=true").await.json();
    assert_eq!(twin.state().jobs().count(), 0);
    let index = twin.state().index();
    let done = twin.put("/v1/operator/snapshot", bytes.clone()).await.json();
    assert_eq!((twin.state().jobs().count(), twin.state().epoch()), (1, 1));
    assert_eq!(done["BackupIndex"], backup.header.index);
    assert!(done["Index"].as_u64().unwrap() > index);

    let mut damaged = bytes.clone();
    damaged[200] ^= 1;
    twin.put("/v1/operator/snapshot", damaged).await.refuses(400, "damaged at offset");
    let mut header = backup.header.clone();
    header.cluster = model::ClusterId::derive(&[b"another"]);
    let other = pieces(&Backup { header, ..backup }).concat();
    twin.put("/v1/operator/snapshot", other).await.refuses(400, "is of cluster");
}

#[tokio::test]
async fn a_server_without_the_authority_s_key_can_t_seal_it() {
    let twin = Twin::new();
    let passphrase = proto::Secret::new(b"correct horse battery".to_vec());
    let key = SealKey::derive(&passphrase, &seams::SystemRandom).unwrap();
    let (status, body) = save(&twin, Some(key.to_text().expose())).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&body).contains("does not hold the authority's key"));
    let (status, body) = save(&twin, Some("nonsense")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&body).contains("malformed"));
}
