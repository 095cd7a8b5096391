//! The names and shapes that clients read, for every object.

use std::collections::BTreeMap;

use model::Usage;
use serde_json::{Value, json};

use crate::http::testing::Twin;

#[track_caller]
fn has(value: &Value, names: &str) {
    for name in names.split_whitespace() {
        assert!(value.get(name).is_some(), "{name} is missing in {value}");
    }
}

#[tokio::test]
async fn jobs_and_their_parts() {
    let twin = Twin::with_web();
    let row = &twin.get("/v1/jobs").await.json()[0];
    has(row, "ID ParentID Name Namespace Datacenters NodePool Type Priority Periodic ParameterizedJob Stop Status");
    has(row, "StatusDescription JobSummary CreateIndex ModifyIndex JobModifyIndex SubmitTime");
    assert_eq!(row["Status"], "running");
    assert_eq!(row.get("Meta"), None);
    has(&twin.get("/v1/jobs?meta=true").await.json()[0], "Meta");
    let counts = &row["JobSummary"]["Summary"]["web"];
    assert_eq!((&counts["Running"], &counts["Lost"]), (&json!(2), &json!(0)));
    let job = twin.get("/v1/job/web").await.json();
    has(&job, "ID TaskGroups Update Meta Stop Stable Version SubmitTime CreateIndex ModifyIndex JobModifyIndex");
    let row = &twin.get("/v1/jobs/statuses").await.json()[0];
    has(row, "ID Namespace Name Type Version Allocs GroupCountSum LatestDeployment ModifyIndex ChildStatuses");
    assert_eq!((&row["GroupCountSum"], row["Allocs"].as_array().map(Vec::len)), (&json!(2), Some(2)));
    let named = r#"{"Jobs": [{"Namespace": "default", "ID": "nope"}]}"#;
    assert_eq!(twin.put("/v1/jobs/statuses", named).await.text, "[]");
}

#[tokio::test]
async fn allocations() {
    let twin = Twin::with_web();
    let row = &twin.get("/v1/allocations").await.json()[0];
    has(row, "ID EvalID Name Namespace NodeID NodeName JobID JobType JobVersion TaskGroup DesiredStatus ClientStatus");
    has(row, "DeploymentID DeploymentStatus TaskStates CreateIndex ModifyIndex CreateTime ModifyTime");
    assert_eq!((row.get("AllocatedResources"), row.get("Job"), row.get("NextAllocation")), (None, None, None));
    let full = twin.get(&format!("/v1/allocation/{}", row["ID"].as_str().unwrap())).await.json();
    has(&full, "Job AllocatedResources TaskStates AllocModifyIndex");
    assert_eq!(full["Job"]["ID"], "web");
    assert_eq!(full["AllocatedResources"]["Tasks"]["web"]["Cpu"]["CpuShares"], 100);
    has(&full["AllocatedResources"]["Shared"]["Ports"][0], "Label Value To HostIP");
    has(&full["TaskStates"]["web"], "State Failed Restarts StartedAt FinishedAt Events");
    assert_eq!(full["TaskStates"]["web"]["FinishedAt"], "0001-01-01T00:00:00Z");
    assert_eq!(full["DeploymentStatus"]["Healthy"], true);
}

#[tokio::test]
async fn evaluations_and_deployments() {
    let twin = Twin::with_web();
    let row = &twin.get("/v1/evaluations").await.json()[0];
    has(row, "ID Namespace Priority Type TriggeredBy JobID Status CreateIndex ModifyIndex CreateTime ModifyTime");
    let id = row["ID"].as_str().unwrap();
    has(&twin.get(&format!("/v1/evaluation/{id}?related=true")).await.json(), "RelatedEvals");
    let placed = twin.get(&format!("/v1/evaluation/{id}/allocations")).await.json();
    assert_eq!(placed.as_array().map(Vec::len), Some(1));
    assert_eq!(twin.get("/v1/evaluations?status=blocked").await.text, "[]");
    let deployment = twin.get("/v1/job/web/deployment").await.json();
    has(&deployment, "ID Namespace JobID JobVersion TaskGroups Status StatusDescription CreateIndex ModifyIndex");
    assert_eq!(deployment["TaskGroups"]["web"]["HealthyAllocs"], 2);
    let id = deployment["ID"].as_str().unwrap();
    let allocations = twin.get(&format!("/v1/deployment/allocations/{id}")).await.json();
    assert_eq!(allocations.as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn nodes_and_what_they_use() {
    let twin = Twin::with_web();
    let row = &twin.get("/v1/nodes?resources=true").await.json()[0];
    has(row, "ID Name Datacenter NodePool Address Version Drain SchedulingEligibility Status Drivers NodeResources");
    let node = twin.node("n1");
    let full = twin.get(&format!("/v1/node/{node}")).await.json();
    has(
        &full,
        "HTTPAddr Attributes Meta NodeResources ReservedResources DrainStrategy StatusUpdatedAt Events LastDrain",
    );
    assert_eq!(full["NodeResources"]["Memory"]["MemoryMB"], 8192);
    let on_it = twin.get(&format!("/v1/node/{node}/allocations")).await.json();
    assert_eq!(on_it[0]["Job"]["ID"], "web");
    let id = twin.state().allocations_of_node(node).next().unwrap().id;
    let used = Usage { cpu_mhz: 900, memory_mb: 1000, allocations: BTreeMap::from([(id, (50, 40))]) };
    twin.used.lock().unwrap().insert(node, used);
    let usage = twin.get("/v1/nodes/usage").await.json();
    let nodes = usage["Nodes"].as_array().unwrap();
    let of = |name: &str| nodes.iter().find(|node| node["Name"] == name).unwrap();
    assert_eq!(of("n1")["Total"], json!({ "CPU": 4000, "MemoryMB": 8192, "MemoryMaxMB": 12288 }));
    assert_eq!(of("n1")["Reserved"], json!({ "CPU": 100, "MemoryMB": 64, "MemoryMaxMB": 64 }));
    assert_eq!(of("n1")["Used"], json!({ "CPU": 900, "MemoryMB": 1000 }));
    assert_eq!(of("n1")["Allocations"][0]["UsedMemoryMB"], 40);
    assert_eq!((&of("n2")["Used"], &of("n2")["Allocations"][0]["UsedCPU"]), (&json!(null), &json!(null)));
    let stats = twin.get(&format!("/v1/client/stats?node_id={node}")).await.json();
    assert_eq!(stats["Memory"]["Used"], 1000 * 1024 * 1024);
    assert_eq!(twin.get("/v1/node/pools").await.json().as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn servers_and_small_things() {
    let twin = Twin::with_web();
    assert_eq!(twin.get("/v1/status/leader").await.text, "\"127.0.0.1:4647\"");
    assert_eq!(twin.get("/v1/status/peers").await.json(), json!(["127.0.0.1:4647"]));
    assert_eq!(twin.get("/v1/regions").await.json(), json!(["global"]));
    assert_eq!(twin.get("/v1/namespaces").await.json()[0]["Name"], "default");
    let own = twin.get("/v1/agent/self").await.json();
    has(&own, "config member stats");
    assert_eq!(own["stats"]["client"]["node_id"], twin.node("n1").to_string());
    let member = &twin.get("/v1/agent/members").await.json()["Members"][0];
    assert_eq!(
        (&member["Addr"], &member["Port"], &member["Status"]),
        (&json!("127.0.0.1"), &json!(4647), &json!("alive"))
    );
    let server = &twin.get("/v1/operator/raft/configuration").await.json()["Servers"][0];
    assert_eq!((&server["ID"], &server["Leader"], &server["Voter"]), (&json!("1"), &json!(true), &json!(true)));
    twin.delete("/v1/server/9").await.refuses(404, "server not found");
    twin.delete("/v1/server/1").await.refuses(400, "this is the last server");
    twin.put("/v1/server/join-token", r#"{"Role": "agent"}"#).await.refuses(400, "does not hold the authority's key");
    let found = twin.put("/v1/search", r#"{"Prefix": "w", "Context": "jobs"}"#).await.json();
    assert_eq!((&found["Matches"]["jobs"], &found["Truncations"]["jobs"]), (&json!(["web"]), &json!(false)));
    assert_eq!(twin.get("/v1/openapi.json").await.json()["openapi"], "3.1.0");
}

#[tokio::test]
async fn figures_for_dashboards_and_targets_for_prometheus() {
    let twin = Twin::with_web();
    let text = twin.get("/v1/metrics?format=prometheus").await.text;
    let line = "nomad_nomad_job_summary_running{exported_job=\"web\",namespace=\"default\",task_group=\"web\"} 2\n";
    assert!(text.contains(line), "{text}");
    assert!(text.contains("nomad_nomad_heartbeat_active 2\n"), "{text}");
    assert!(!text.contains("sched_node_used_cpu_mhz"), "nothing was measured: {text}");
    let json = twin.get("/v1/metrics").await.json();
    let gauges = json["Gauges"].as_array().unwrap();
    assert!(gauges.iter().any(|gauge| gauge["Name"] == "nomad.nomad.job_status_running" && gauge["Value"] == 1));
    let targets = twin.get("/v1/sd/prometheus").await.json();
    assert_eq!(targets.as_array().map(Vec::len), Some(2));
    assert_eq!(targets[0]["labels"]["__meta_sched_service"], "web");
    assert!(targets[0]["targets"][0].as_str().unwrap().starts_with("127.0.0.1:"));
}

#[tokio::test]
async fn the_ui_is_led_to_and_guarded() {
    let twin = Twin::new();
    for path in ["/", "/ui"] {
        let reply = twin.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.header("location")), (307, "/ui/"));
    }
    let page = twin.get("/ui/jobs/web").await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, "text/html; charset=utf-8"));
    assert!(page.header("content-security-policy").starts_with("default-src 'self'; style-src 'self' 'unsafe-inline'"));
    let request = http::Request::get("/ui/").header("if-none-match", page.header("etag"));
    let again = twin.send(request.body(axum::body::Body::empty()).unwrap()).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    twin.get("/ui/assets/nope.js").await.refuses(404, "no such file");
    twin.get("/ui/../../etc/passwd.txt").await.refuses(404, "no such file");
}

#[tokio::test]
async fn alarms_are_listed_and_counted() {
    let twin = Twin::with_web();
    let known = twin.get("/v1/operator/alarms").await.json();
    assert_eq!((&known["Raised"], &known["Alarms"][0]["Index"]), (&json!(3), &json!(17)));
    has(&known["Alarms"][0], "Time Index Invariant What");
    assert!(twin.get("/v1/metrics?format=prometheus").await.text.contains("sched_alarms_raised 3"));
}
