//! Several addresses, servers that are down, elections, time-outs.

use serde_json::json;

use crate::cluster::cluster;
use crate::fixture::Fixture;
use crate::invocation::sched;

/// Nothing listens on port 1 of loopback.
const DOWN: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn no_server_is_said_with_every_address() {
    let ran = sched("127.0.0.1:1,http://127.0.0.2:1", "job status").await;
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        "error: no server answers\n    http://127.0.0.1:1: Connection refused (os error 111)\n    \
         http://127.0.0.2:1: Connection refused (os error 111)\n  hint: start one with `sched agent -dev`, or set \
         SCHED_ADDR to where the servers are\n"
    );
}

#[tokio::test]
async fn the_next_address_is_tried_when_one_is_down_or_has_no_leader() {
    let leaderless = Fixture::default().with("GET /v1/jobs", (500, "No cluster leader: no leader")).serve().await;
    let server = cluster().serve().await;
    let ran = sched(&format!("{DOWN},{},{}", leaderless.url(), server.url()), "job status").await;
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert_eq!((leaderless.asked().len(), server.asked().len()), (1, 1));
}

#[tokio::test]
async fn a_write_goes_to_the_next_server_only_when_nothing_was_done() {
    let leaderless = cluster().only("PUT /v1/node/x/eligibility", json!({})).serve().await;
    let path = format!("PUT /v1/node/{}/eligibility", crate::cluster::NODE_1);
    let first = cluster().only(&path, (500, "No cluster leader (no leader)")).serve().await;
    let second = cluster().only(&path, json!({ "Index": 1 })).serve().await;
    let ran = sched(&format!("{},{}", first.url(), second.url()), "node eligibility -disable n1").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "node n1 (11111111) is ineligible\n"), "{}", ran.err);
    assert_eq!(second.first(&path).body["Eligibility"], "ineligible");

    let broken = cluster().only(&path, (500, "disk full")).serve().await;
    let ran = sched(&format!("{},{}", broken.url(), leaderless.url()), "node eligibility -disable n1").await;
    assert_eq!(ran.code, 1);
    assert!(leaderless.asked().is_empty(), "an error of another kind is not tried elsewhere");
}

#[tokio::test]
async fn an_election_is_waited_for() {
    let server =
        Fixture::default().with("GET /v1/jobs", (500, "no leader")).with("GET /v1/jobs", json!([])).serve().await;
    let ran = sched(&server.url(), "job status").await;
    assert_eq!((ran.code, ran.out.as_str()), (0, "No jobs\n"), "{}", ran.err);
}

#[tokio::test]
async fn a_cluster_without_leader_is_said_so() {
    let server = Fixture::default().with("GET /v1/jobs", (500, "No cluster leader: no leader")).serve().await;
    let ran = sched(&server.url(), "job status -timeout 300ms").await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("error: the servers have no leader"), "{}", ran.err);
    assert!(ran.err.contains(&server.url()) && ran.err.contains("hint:"), "{}", ran.err);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_not_waited_for_for_ever() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let ran = sched(&address, "job status -timeout 200ms").await;
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("error: no answer within 200ms"), "{}", ran.err);
    assert!(!ran.err.contains("unknown"), "a read is safe to repeat: {}", ran.err);
}

#[tokio::test]
async fn namespace_region_and_token_are_sent() {
    let server = cluster().serve().await;
    sched(&server.url(), "job status -namespace shop -region eu -token secret").await;
    let asked = server.first("GET /v1/jobs");
    assert_eq!((asked.query.as_str(), asked.token.as_deref()), ("namespace=shop&region=eu", Some("secret")));
}
