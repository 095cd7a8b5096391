//! Rebalances: what is proposed, begun and cancelled, and who is told what when it can't be.

use model::{ClientStatus, DeploymentStatus};
use serde_json::{Value, json};
use server_core::command::Command;

use crate::http::testing::{Twin, web};

/// A cluster with both instances of [`web`] on one of two nodes, rolled out.
fn crowded() -> std::sync::Arc<Twin> {
    let twin = Twin::new();
    twin.register(web());
    twin.place("web", "n1", 2);
    for id in twin.allocations("web") {
        twin.observe(id, ClientStatus::Running);
    }
    let deployment = twin.state().deployments().next().expect("the job is rolled out").id;
    let status = DeploymentStatus::Successful;
    twin.apply(Command::EndDeployment { deployment, status, description: String::new(), revert_to: None, term: None });
    // One plan may decide several evaluations.
    loop {
        let open = twin.state().evaluations().find(|known| !known.status.is_terminal()).cloned();
        let Some(evaluation) = open else { return twin };
        let plan = server_core::schedule::schedule(&twin.state(), &evaluation, evaluation.created_at).plan;
        twin.apply(Command::Plan(Box::new(server_core::plan::Plan { term: 1, ..plan })));
    }
}

#[tokio::test]
async fn a_plan_tells_moves_gain_and_disruptions_and_changes_nothing() {
    let twin = crowded();
    let before = twin.state();
    let plan = twin.put("/v1/rebalance/plan", r#"{"Goal": "spread"}"#).await.json();
    assert_eq!(twin.state(), before);
    let [planned] = plan["Moves"].as_array().unwrap().as_slice() else { panic!("{plan}") };
    assert_eq!((&planned["From"], &planned["To"], &planned["State"]), (&json!("n1"), &json!("n2"), &json!("waiting")));
    assert_eq!(planned["Gain"], "1 less beside its own group");
    assert_eq!((&plan["Before"]["Crowded"], &plan["After"]["Crowded"]), (&json!(1), &json!(0)));
    assert_eq!(plan["Disruptions"], json!([{ "JobID": "web", "Namespace": "default", "Moves": 1 }]));
    let fixed = twin.put("/v1/rebalance/plan?namespace=other", r#"{"Goal": "spread"}"#).await.json();
    assert_eq!(fixed["Moves"], json!([]), "another namespace was asked for");
}

#[tokio::test]
async fn what_was_planned_begins_at_its_index_and_is_followed_and_cancelled() {
    let twin = crowded();
    assert_eq!(twin.get("/v1/rebalance").await.json(), json!({ "Status": "none" }));
    let plan = twin.put("/v1/rebalance/plan", r#"{"Goal": "spread"}"#).await.json();
    let body = |index: &Value| json!({ "Goal": "spread", "CheckIndex": index }).to_string();
    twin.put("/v1/rebalance", body(&json!(1))).await.refuses(400, "the cluster has changed since the plan");
    let begun = twin.put("/v1/rebalance", body(&plan["CheckIndex"])).await.json();
    assert_eq!(begun["Moves"], 1);
    twin.put("/v1/rebalance", body(&plan["CheckIndex"])).await.refuses(400, "is running");
    let reply = twin.get("/v1/rebalance").await;
    let status = reply.json();
    assert_eq!((&status["Status"], &status["Rebalance"]), (&json!("running"), &begun["Rebalance"]));
    assert_eq!((&status["Total"], &status["Over"], &json!(reply.index())), (&json!(1), &json!(0), &begun["Rebalance"]));
    twin.delete("/v1/rebalance").await.json();
    let status = twin.get("/v1/rebalance").await.json();
    assert_eq!((&status["Status"], &status["Moves"][0]["State"]), (&json!("cancelled"), &json!("skipped")));
    twin.delete("/v1/rebalance").await.refuses(404, "no rebalance is running");
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_with_what_would() {
    let twin = Twin::with_web();
    let check = async |body: Value, status: u16, words: &str| {
        twin.put("/v1/rebalance/plan", body.to_string()).await.refuses(status, words);
    };
    check(json!({ "Goal": "tidy" }), 400, "Goal must be spread, pack or empty").await;
    check(json!({ "Goal": "empty" }), 404, "NodeID must be the id of the node to empty").await;
    check(json!({ "Goal": "pack", "MaxMoves": 0 }), 400, "MaxMoves must be between 1 and 500, got 0").await;
    check(json!({ "Goal": "pack", "MaxMoves": 501 }), 400, "MaxMoves must be between 1 and 500, got 501").await;
    check(json!({ "Goal": "pack", "JobID": "nothing" }), 404, "job not found").await;
    twin.put("/v1/rebalance", r#"{"Goal": "spread"}"#).await.refuses(400, "nothing to move");
}
