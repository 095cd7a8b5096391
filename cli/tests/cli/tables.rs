//! What commands that only look print.

use serde_json::json;

use crate::cluster::{cluster, health, hours_ago};
use crate::invocation::{check, sched};

#[tokio::test]
async fn jobs() {
    let server = cluster().serve().await;
    let lines = [
        "job status",
        "job status web",
        "job status -evals web",
        "job status -short web",
        "job history -p web",
        "job why web-batch",
        "job why web-batch/main",
        "job why web-batch/other",
    ];
    check("jobs", &server, &lines).await;
}

#[tokio::test]
async fn a_job_that_waits_for_no_room_says_for_what() {
    let summary = json!({ "Summary": { "web": { "Queued": 2, "Running": 2, "Failed": 1 } } });
    let group = |waits: serde_json::Value| json!({ "JobID": "web", "Groups": [{ "Group": "web", "Desired": 2, "Running": 2, "Waits": waits }] });
    let failed = |kind: &str| json!([{ "Kind": kind, "Name": "web.web[1]", "AllocID": "a0000000-1", "Until": 1 }]);
    let server = cluster()
        .only("GET /v1/job/web/summary", summary)
        .with("GET /v1/job/web/why", group(json!([{ "Kind": "promotion", "DeploymentID": "d" }])))
        .with("GET /v1/job/web/why", group(failed("ended")))
        .with("GET /v1/job/web/why", group(failed("retry")))
        .with("GET /v1/job/web/why", group(failed("given-up")))
        .with("GET /v1/job/web/why", group(json!([{ "Kind": "promotion", "DeploymentID": "d" }])))
        .with("GET /v1/job/web/why", group(json!([])))
        .serve()
        .await;
    check("waits", &server, &["job why web"; 4]).await;
    let ran = sched(&server.url(), "job status web").await;
    assert!(ran.err.contains("waits for `sched deployment promote web`") && !ran.err.contains("room"), "{}", ran.err);
    assert_eq!(sched(&server.url(), "job status web").await.err, "");
}

#[tokio::test]
async fn allocations_and_deployments() {
    let server = cluster().serve().await;
    let lines = [
        "alloc status",
        "alloc status web[0]",
        "alloc status -short a0000000",
        "deployment list",
        "deployment status web",
        "deployment status d0",
    ];
    check("allocations", &server, &lines).await;
}

#[tokio::test]
async fn the_health_of_servers_and_their_alarms() {
    let alarm = json!({ "Time": hours_ago(), "Index": 17, "Invariant": "capacity", "What": "n1 holds 9 of 8 cores" });
    let server = cluster()
        .with("GET /v1/operator/autopilot/health", health())
        .with("GET /v1/operator/alarms", json!({ "ServerID": "2", "Raised": 0, "Alarms": [] }))
        .with("GET /v1/operator/alarms", json!({ "ServerID": "2", "Raised": 1, "Alarms": [alarm] }))
        .serve()
        .await;
    check("health", &server, &["server health", "server health"]).await;
}

#[tokio::test]
async fn nodes_servers_and_services() {
    let server = cluster().serve().await;
    let lines = [
        "node status",
        "node status -allocs",
        "node status n1",
        "server members",
        "service list",
        "service info web",
        "version",
    ];
    check("nodes", &server, &lines).await;
}

#[tokio::test]
async fn the_whole_cluster_on_one_page() {
    let server = cluster().serve().await;
    check("status", &server, &["status"]).await;
}

#[tokio::test]
async fn the_status_of_a_job_is_the_same_by_either_name() {
    let server = cluster().serve().await;
    for flags in ["", "-short", "-evals"] {
        let (one, other) = (format!("status {flags} web"), format!("job status {flags} web"));
        let (one, other) = (sched(&server.url(), &one).await, sched(&server.url(), &other).await);
        assert_eq!((one.code, &one.out), (0, &other.out), "{flags}: {}", one.err);
    }
}

#[tokio::test]
async fn an_empty_cluster_says_so() {
    let mut fixture = crate::fixture::Fixture::default();
    for list in ["jobs", "nodes", "allocations", "deployments", "services", "evaluations"] {
        fixture = fixture.with(&format!("GET /v1/{list}"), json!([]));
    }
    let server =
        fixture.with("GET /v1/agent/members", json!({})).with("GET /v1/status/leader", json!("")).serve().await;
    let lines =
        ["job status", "node status", "alloc status", "deployment list", "service list", "status", "server members"];
    check("empty", &server, &lines).await;
}

#[tokio::test]
async fn events_are_sentences_and_end_without_follow() {
    let stream = [
        json!({}),
        json!({ "Index": 7, "Events": [{ "Topic": "Job", "Type": "JobRegistered", "Key": "web", "Index": 7, "Payload": {
            "Job": { "ID": "web", "Version": 3, "SubmitTime": 1767323045000000000i64 } } }] }),
        json!({ "Index": 8, "Events": [{ "Topic": "Node", "Type": "NodeEligibility", "Key": "n", "Index": 8, "Payload": {
            "Node": { "Name": "n3", "SchedulingEligibility": "ineligible", "Events": [
                { "Timestamp": "2026-01-02T03:04:06Z" }] } } },
            { "Topic": "Service", "Type": "ServiceRegistration", "Key": "s", "Index": 8, "Payload": {
                "Service": { "ServiceName": "web", "Address": "127.0.0.11", "Port": 80 } } }] }),
        json!({}),
    ];
    let body: String = stream.iter().map(|line| format!("{line}\n")).collect();
    let server = crate::fixture::Fixture::default().with("GET /v1/event/stream", body.as_bytes()).serve().await;
    check("events", &server, &["events", "events --job web -topic Job -index 5", "events -json"]).await;
    let queries: Vec<String> = server.asked().into_iter().map(|asked| asked.query).collect();
    assert_eq!(queries, ["index=1", "topic=Job&index=5", "index=1"]);
}

#[tokio::test]
async fn names_from_elsewhere_cannot_drive_the_terminal() {
    let evil = json!([{ "ID": "e\u{1b}[2Jvil\n\u{202e}", "Type": "service", "Status": "running\u{7}" }]);
    let server = cluster().only("GET /v1/jobs", evil).serve().await;
    for line in ["job status", "job status -json", "--force-color job status"] {
        let ran = sched(&server.url(), line).await;
        let sequences = ran
            .out
            .replace("\u{1b}[1m", "")
            .replace("\u{1b}[0m", "")
            .replace("\u{1b}[32m", "")
            .replace("\u{1b}[39m", "");
        assert!(sequences.chars().all(|one| one == '\n' || !one.is_control()), "{:?}", ran.out);
        assert!(!ran.out.contains('\u{202e}'), "{:?}", ran.out);
    }
}

#[tokio::test]
async fn colours_come_only_where_they_are_asked_for_in_a_pipe() {
    let server = cluster().serve().await;
    assert!(!sched(&server.url(), "job status").await.out.contains('\u{1b}'));
    assert!(sched(&server.url(), "job status -force-color").await.out.contains('\u{1b}'));
}
