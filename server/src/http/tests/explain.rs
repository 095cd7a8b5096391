//! What is computed and changes nothing: `why` and `plan`.

use serde_json::json;

use crate::http::testing::{Twin, web};

#[tokio::test]
async fn why_counts_every_node_and_names_what_stands_against_it() {
    let twin = Twin::with_web();
    let why = twin.get("/v1/job/web/why").await.json();
    assert_eq!((&why["JobID"], &why["Namespace"]), (&json!("web"), &json!("default")));
    let group = &why["Groups"][0];
    let count = |name: &str| group[name].as_u64().unwrap();
    assert_eq!(count("NodesFiltered") + count("NodesExhausted") + count("NodesFit"), count("NodesTotal"));
    assert_eq!(group["Nodes"].as_array().unwrap().len() as u64, count("NodesTotal"));
    for node in group["Nodes"].as_array().unwrap() {
        assert_eq!(node["Fits"].as_bool().unwrap(), node["Reasons"].as_array().unwrap().is_empty());
    }
    twin.get("/v1/job/nothing/why").await.refuses(404, "job not found");
}

#[tokio::test]
async fn a_plan_tells_what_would_happen_and_changes_nothing() {
    let twin = Twin::with_web();
    let before = twin.get("/v1/job/web").await.json();
    let body = json!({ "Job": web().count(9), "Diff": true }).to_string();
    let plan = twin.put("/v1/job/web/plan", body).await.json();
    assert_eq!(plan["JobModifyIndex"], before["JobModifyIndex"]);
    assert_eq!(plan["Diff"]["Type"], "Edited");
    let updates = plan["Annotations"]["DesiredTGUpdates"].as_object().unwrap();
    assert!(updates.values().any(|counts| counts["Place"].as_u64().unwrap() > 0), "{plan}");
    assert_eq!(twin.get("/v1/job/web").await.json(), before);
    let other = json!({ "Job": web() }).to_string();
    twin.put("/v1/job/other/plan", other).await.refuses(400, "Job ID does not match");
}
