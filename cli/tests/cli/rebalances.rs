//! `rebalance plan`, `apply`, `status` and `cancel`.

use serde_json::{Value, json};

use crate::cluster::{NODE_1, cluster};
use crate::invocation::{check, sched};

fn moves(states: [&str; 2]) -> Value {
    let one = |n: usize| {
        let detail = match states[n] {
            "done" => "replacement b0000000 is healthy",
            "failed" => "its replacement b0000000 on n3 failed",
            _ => "",
        };
        json!({ "AllocID": format!("a{n}"), "Name": format!("web.web[{n}]"), "JobID": "web", "Namespace": "default",
            "From": "n1", "To": format!("n{}", n + 2), "Gain": "1 less beside its own group", "State": states[n],
            "Detail": detail })
    };
    json!([one(0), one(1)])
}

fn plan() -> Value {
    let balance = |crowded: u64, fullest: f64, emptiest: f64| {
        json!({ "OutOfPlace": 0.0, "Crowded": crowded, "NodesUsed": 3, "FullestPercent": fullest,
            "EmptiestPercent": emptiest })
    };
    json!({
        "Goal": "spread", "CheckIndex": 30, "Moves": moves(["waiting", "waiting"]),
        "Before": balance(3, 90.0, 0.0), "After": balance(0, 31.5, 30.0),
        "Disruptions": [{ "JobID": "web", "Namespace": "default", "Moves": 2 }],
        "KeptBack": [{ "JobID": "db", "Namespace": "default", "Count": 1, "Reason": "its disk is sticky" }],
        "LookedAt": 9, "CutShort": true,
    })
}

fn nothing() -> Value {
    json!({ "Goal": "spread", "CheckIndex": 30, "Moves": [], "KeptBack": [], "LookedAt": 9 })
}

fn rebalance(status: &str, description: &str, states: [&str; 2]) -> Value {
    let over = states.iter().filter(|state| !["waiting", "moving"].contains(state)).count();
    json!({ "Status": status, "Rebalance": 31, "Goal": "spread", "Description": description, "Total": 2, "Over": over,
        "Moves": moves(states), "StartedAt": 0 })
}

#[tokio::test]
async fn a_plan_ends_with_1_where_moves_would_pay_with_0_where_none_would_and_else_with_255() {
    let server = cluster()
        .with("PUT /v1/rebalance/plan", plan())
        .with("PUT /v1/rebalance/plan", nothing())
        .with("PUT /v1/rebalance/plan", (500, "something broke"))
        .serve()
        .await;
    let lines = [
        "rebalance plan",
        "rebalance plan -goal empty n1 -singletons",
        "rebalance plan -max-moves 3",
        "rebalance plan -goal pack n1",
        "rebalance plan -goal empty nowhere",
    ];
    check("rebalance-plan", &server, &lines).await;
    let sent = |n: usize| server.asked().into_iter().filter(|asked| asked.what.starts_with("PUT")).nth(n).unwrap().body;
    assert_eq!(sent(0), json!({ "Goal": "spread", "Singletons": false }));
    assert_eq!(sent(1), json!({ "Goal": "empty", "Singletons": true, "NodeID": NODE_1 }));
    assert_eq!(sent(2), json!({ "Goal": "spread", "Singletons": false, "MaxMoves": 3 }));
}

#[tokio::test]
async fn a_rebalance_is_followed_until_every_move_is_over() {
    let server = cluster()
        .with("PUT /v1/rebalance", json!({ "Rebalance": 31, "Moves": 2, "Index": 31 }))
        .with("GET /v1/rebalance", rebalance("running", "", ["moving", "waiting"]))
        .with("GET /v1/rebalance", (500, "no leader"))
        .with("GET /v1/rebalance", rebalance("running", "", ["done", "moving"]))
        .with("GET /v1/rebalance", rebalance("complete", "", ["done", "skipped"]))
        .serve()
        .await;
    check("rebalance-apply", &server, &["rebalance apply -check-index 30"]).await;
    assert_eq!(server.first("PUT /v1/rebalance").body["CheckIndex"], 30);
}

#[tokio::test]
async fn a_rebalance_that_is_aborted_is_a_failure_and_its_reason_is_told() {
    let why = "web.web[1]: its replacement b0000000 on n3 failed";
    let server = cluster()
        .with("PUT /v1/rebalance/plan", plan())
        .with("PUT /v1/rebalance", json!({ "Rebalance": 31, "Moves": 2, "Index": 31 }))
        .with("GET /v1/rebalance", rebalance("aborting", why, ["moving", "failed"]))
        .with("GET /v1/rebalance", rebalance("aborted", why, ["done", "failed"]))
        .with("DELETE /v1/rebalance", (404, "no rebalance is running"))
        .serve()
        .await;
    let lines = [
        "rebalance apply -yes",
        "rebalance apply -yes -detach",
        "rebalance status",
        "rebalance status -monitor",
        "rebalance cancel",
    ];
    check("rebalance-aborted", &server, &lines).await;
}

#[tokio::test]
async fn nothing_moves_unasked() {
    let server = cluster()
        .with("PUT /v1/rebalance/plan", plan())
        .with("PUT /v1/rebalance/plan", nothing())
        .with("GET /v1/rebalance", json!({ "Status": "none" }))
        .with("DELETE /v1/rebalance", json!({ "Index": 32 }))
        .serve()
        .await;
    let ran = sched(&server.url(), "rebalance apply").await;
    assert!(ran.code == 1 && ran.err.contains("Move 2 instances?") && ran.err.contains("-yes"), "{}", ran.err);
    assert!(server.asked().iter().all(|asked| asked.what == "PUT /v1/rebalance/plan"));
    check("rebalance-others", &server, &["rebalance apply", "rebalance status", "rebalance cancel"]).await;
}
