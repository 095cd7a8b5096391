//! `node drain` with its progress.

use serde_json::{Value, json};

use crate::cluster::{NODE_1, cluster};
use crate::fixture::Fixture;
use crate::invocation::{check, sched};

fn draining(status: &str, states: [&str; 2]) -> Value {
    let gone = states.iter().filter(|state| **state == "gone").count();
    let allocations: Vec<Value> = states
        .iter()
        .enumerate()
        .map(|(n, state)| {
            let detail = if *state == "migrating" { "replacement b0000000 healthy on n2" } else { "" };
            json!({ "ID": format!("a{n}"), "Name": format!("web.web[{n}]"), "State": state, "Detail": detail })
        })
        .collect();
    json!({ "NodeID": NODE_1, "Name": "n1", "Status": status, "Deadline": null, "Total": 2, "Gone": gone,
        "Allocations": allocations })
}

fn node() -> Fixture {
    cluster().with(&format!("PUT /v1/node/{NODE_1}/drain"), json!({ "EvalIDs": [], "Index": 1 }))
}

#[tokio::test]
async fn progress_is_shown_until_the_containers_are_gone() {
    let path = format!("GET /v1/node/{NODE_1}/drain/status");
    let server = node()
        .with(&path, draining("draining", ["migrating", "waiting"]))
        .with(&path, draining("draining", ["stopping", "waiting"]))
        .with(&path, (500, "no leader"))
        .with(&path, draining("draining", ["gone", "migrating"]))
        .with(&path, draining("complete", ["gone", "gone"]))
        .serve()
        .await;
    check("drain", &server, &["node drain -enable -deadline 10m -m maintenance n1"]).await;
    let sent = server.first(&format!("PUT /v1/node/{NODE_1}/drain")).body;
    assert_eq!(sent["DrainSpec"], json!({ "Deadline": 600_000_000_000i64, "IgnoreSystemJobs": false }));
    assert_eq!(sent["Meta"], json!({ "message": "maintenance" }));
}

#[tokio::test]
async fn a_drain_is_canceled_detached_or_watched() {
    let path = format!("GET /v1/node/{NODE_1}/drain/status");
    let server = node()
        .with(&path, draining("canceled", ["waiting", "waiting"]))
        .with(&path, draining("none", ["gone", "gone"]));
    let mut drains = json!([{ "ID": NODE_1, "Name": "n1", "Status": "ready", "Drain": true }]);
    let server = server.only("GET /v1/nodes", drains.clone()).with("GET /v1/nodes", drains.clone());
    drains[0]["Drain"] = json!(false);
    let server = server.with("GET /v1/nodes", drains).serve().await;
    let lines = [
        "node drain -disable n1",
        "node drain -disable -keep-ineligible -yes n1",
        "node drain -disable -keep-ineligible n1",
        "node drain -enable -detach n1",
        "node drain -monitor n1",
        "node drain -monitor n1",
    ];
    check("drain-others", &server, &lines).await;
}

#[tokio::test]
async fn a_prefix_asks_first() {
    let server = node().serve().await;
    let ran = sched(&server.url(), "node drain -enable 1111").await;
    assert!(ran.code == 1 && ran.err.contains("Drain node n1?") && ran.err.contains("-yes"), "{}", ran.err);
    assert!(server.asked().iter().all(|asked| asked.what.starts_with("GET")));
}
