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

#[tokio::test]
async fn a_node_is_explained_alone_for_a_job_and_for_one_that_is_not_run() {
    let twin = Twin::with_web();
    let node = twin.node("n1").to_string();
    let alone = twin.get(&format!("/v1/node/{node}/why")).await.json();
    assert_eq!((&alone["NodeName"], &alone["Open"]), (&json!("n1"), &json!(true)));
    assert_eq!(alone["Allocations"][0]["JobID"], "web");
    let amount = |name: &str| alone[name]["MemoryMB"].as_u64().unwrap();
    assert_eq!(amount("Held") + amount("Free"), amount("Capacity"));
    let for_job = twin.get(&format!("/v1/node/{node}/why?job=web")).await.json();
    let group = &for_job["Groups"][0];
    assert_eq!(group["Fits"], json!(true), "{for_job}");
    assert!(group["Checks"].as_array().unwrap().iter().all(|check| check["Ok"] == json!(true)));
    assert!(group["Score"]["Total"].is_number() && group["Best"]["NodeName"].is_string(), "{group}");
    let mut large = web();
    large.id = "large".into();
    large.groups[0].tasks[0].resources.memory = 1_000_000;
    let path = format!("/v1/node/{node}/why");
    let found = twin.put(&path, json!({ "Job": large }).to_string()).await.json();
    let checks = found["Groups"][0]["Checks"].as_array().unwrap();
    let memory = checks.iter().find(|check| check["Name"] == "memory").unwrap();
    assert_eq!((&memory["Ok"], &found["Groups"][0]["Score"]), (&json!(false), &json!(null)));
    twin.get("/v1/job/large").await.refuses(404, "job not found");
    twin.get(&format!("/v1/node/{node}/why?job=nothing")).await.refuses(404, "job not found");
}

#[tokio::test]
async fn capacity_is_shown_and_foreseen_and_nothing_is_changed() {
    let twin = Twin::with_web();
    let overview = twin.get("/v1/capacity").await.json();
    let share = &overview["Shares"][0];
    assert_eq!((&share["Nodes"], &share["Open"]), (&json!(2), &json!(2)));
    let index = twin.state().index();
    let ask = |body: serde_json::Value| twin.put("/v1/capacity", body.to_string());
    let found = ask(json!({ "Ask": { "CPU": 100, "MemoryMB": 4000, "Count": 9 } })).await.json();
    let (placed, room) = (found["Ask"]["Placed"].as_u64().unwrap(), found["Room"]["Instances"].as_u64().unwrap());
    assert!(placed == room && room < 9, "{found}");
    assert_eq!(found["Room"]["EndsFirst"], "memory");
    let more = json!({ "Ask": { "CPU": 100, "MemoryMB": 4000 }, "NodesAdded": [{ "CPU": 4000, "MemoryMB": 4000, "Count": 2 }] });
    let more = ask(more).await.json();
    assert_eq!(more["Room"]["Instances"].as_u64().unwrap(), room + 2, "{more}");
    assert_eq!(more["NodesAdded"], json!(["new-1", "new-2"]));
    let fewer = ask(json!({ "NodesRemoved": ["n1"] })).await.json();
    assert_eq!(fewer["Moved"][0]["Displaced"], 1, "{fewer}");
    let job = ask(json!({ "Job": web().count(3) })).await.json();
    assert_eq!(job["Job"][0]["Wanted"], 3, "{job}");
    assert_eq!(twin.state().index(), index, "nothing was changed");
    ask(json!({ "NodesRemoved": ["n9"] })).await.refuses(400, "node not found: n9");
    ask(json!({ "NodesAdded": [{ "CPU": 1 }] })).await.refuses(400, "each of NodesAdded needs CPU and MemoryMB");
    ask(json!({ "Ask": { "CPU": "x" } })).await.refuses(400, "CPU must be a whole number");
}
