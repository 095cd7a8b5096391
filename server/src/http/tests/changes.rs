//! What changes the cluster, by what clients send and what they read afterwards.

use model::{ClientStatus, NodeStatus};
use serde_json::json;
use server_core::command::Command;

use crate::http::testing::{Twin, web};

#[tokio::test]
async fn a_job_is_registered_only_at_the_index_that_is_enforced() {
    let twin = Twin::new();
    let body = |index: u64| json!({ "Job": web(), "EnforceIndex": true, "JobModifyIndex": index }).to_string();
    twin.put("/v1/jobs", body(7)).await.refuses(400, "Enforcing job modify index 7: job does not exist");
    twin.put("/v1/jobs", body(0)).await.json();
    let conflict = "Enforcing job modify index 0: job exists with conflicting job modify index: ";
    twin.put("/v1/jobs", body(0)).await.refuses(400, conflict);
}

#[tokio::test]
async fn versions_submissions_and_reverts_go_together() {
    let twin = Twin::new();
    let submission = json!({ "Source": "job \"web\" {}", "Format": "hcl2", "VariableFlags": { "a": "b" } });
    twin.put("/v1/jobs", json!({ "Job": web(), "Submission": submission }).to_string()).await.json();
    twin.put("/v1/job/web", json!({ "Job": model::Job { priority: 70, ..web() } }).to_string()).await.json();
    twin.put("/v1/job/other", json!({ "Job": web() }).to_string()).await.refuses(400, "Job ID does not match name");
    let versions = twin.get("/v1/job/web/versions").await.json();
    let seen: Vec<_> = versions["Versions"].as_array().unwrap().iter().map(|version| &version["Priority"]).collect();
    assert_eq!(seen, [70, 50]);
    assert_eq!(versions["Diffs"], json!(null), "nobody asked");
    assert_eq!(twin.get("/v1/job/web/submission?version=0").await.json()["Source"], "job \"web\" {}");
    twin.get("/v1/job/web/submission?version=1").await.refuses(404, "job source not found");
    let revert = |version: u64, prior: u64| json!({ "JobVersion": version, "EnforcePriorVersion": prior }).to_string();
    twin.put("/v1/job/web/revert", revert(0, 5)).await.refuses(400, "asked to enforce version 5");
    twin.put("/v1/job/web/revert", revert(9, 1)).await.refuses(404, "job has no version 9");
    twin.put("/v1/job/web/revert", revert(0, 1)).await.json();
    let job = twin.get("/v1/job/web").await.json();
    assert_eq!((&job["Version"], &job["Priority"]), (&json!(2), &json!(50)));
}

#[tokio::test]
async fn each_version_but_the_oldest_is_compared_with_its_predecessor() {
    let twin = Twin::new();
    for priority in [50, 70, 80] {
        twin.register(model::Job { priority, ..web() });
    }
    let diffs = twin.get("/v1/job/web/versions?diffs=true").await.json()["Diffs"].clone();
    let changed = |diff: &serde_json::Value| {
        let field = diff["Fields"].as_array().unwrap().iter().find(|field| field["Type"] == "Edited").unwrap();
        (diff["ID"].clone(), field["Name"].clone(), field["Old"].clone(), field["New"].clone())
    };
    let seen: Vec<_> = diffs.as_array().unwrap().iter().map(changed).collect();
    let edit = |old: &str, new: &str| (json!("web"), json!("Priority"), json!(old), json!(new));
    assert_eq!(seen, [edit("70", "80"), edit("50", "70")]);
}

#[tokio::test]
async fn an_evaluation_tells_the_index_of_its_job() {
    let twin = Twin::with_web();
    let answer = twin.put("/v1/job/web/evaluate", json!({ "JobID": "web" }).to_string()).await.json();
    assert_eq!(answer["JobModifyIndex"], twin.get("/v1/job/web").await.json()["JobModifyIndex"]);
}

#[tokio::test]
async fn counts_that_run_are_preserved_on_wish() {
    let twin = Twin::with_web();
    let body = json!({ "Job": web().count(9), "PreserveCounts": true }).to_string();
    twin.put("/v1/jobs", body).await.json();
    assert_eq!(twin.get("/v1/job/web").await.json()["TaskGroups"][0]["Count"], 2);
}

#[tokio::test]
async fn a_job_is_stopped_and_its_allocation_too() {
    let twin = Twin::with_web();
    let id = twin.allocations("web")[0];
    let answer = twin.put(&format!("/v1/allocation/{id}/stop"), "").await.json();
    assert_eq!(answer["EvalID"].as_str().map(str::len), Some(36));
    let stopped = twin.get(&format!("/v1/allocation/{id}")).await.json();
    assert_eq!((&stopped["DesiredStatus"], &stopped["ClientStatus"]), (&json!("stop"), &json!("running")));
    twin.put(&format!("/v1/allocation/{id}/stop"), "").await.refuses(400, "already stopped or stopping");
    twin.delete("/v1/job/web").await.json();
    assert_eq!(twin.get("/v1/job/web").await.json()["Stop"], true);
}

#[tokio::test]
async fn a_drain_begins_and_ends_with_nomads_deadlines() {
    let twin = Twin::with_web();
    let path = format!("/v1/node/{}/drain", twin.node("n1"));
    for (deadline, shown) in
        [(json!(-1), -1_i64), (json!(0), 0), (json!(5_000_000_000_i64), 5_000_000_000), (json!("5s"), 5_000_000_000)]
    {
        let body = json!({ "DrainSpec": { "Deadline": deadline }, "Meta": { "message": "why" } }).to_string();
        twin.put(&path, body).await.json();
        let node = twin.get(&format!("/v1/node/{}", twin.node("n1"))).await.json();
        assert_eq!(node["DrainStrategy"]["Deadline"], shown, "{deadline}");
        assert_eq!((&node["Drain"], &node["SchedulingEligibility"]), (&json!(true), &json!("ineligible")));
    }
    let status = twin.get(&format!("{path}/status")).await.json();
    assert_eq!((&status["Status"], &status["Total"], &status["Gone"]), (&json!("draining"), &json!(1), &json!(0)));
    assert_eq!(status["Allocations"][0]["State"], "waiting");
    twin.observe(twin.state().allocations_of_node(twin.node("n1")).next().unwrap().id, ClientStatus::Complete);
    assert_eq!(twin.get(&format!("{path}/status")).await.json()["Gone"], 1);
    twin.put(&path, json!({ "DrainSpec": null, "MarkEligible": true }).to_string()).await.json();
    let node = twin.get(&format!("/v1/node/{}", twin.node("n1"))).await.json();
    assert_eq!((&node["Drain"], &node["SchedulingEligibility"]), (&json!(false), &json!("eligible")));
    assert_eq!(node["LastDrain"]["Status"], "canceled");
}

#[tokio::test]
async fn a_node_is_closed_opened_and_purged() {
    let twin = Twin::with_web();
    let node = format!("/v1/node/{}", twin.node("n1"));
    let path = format!("{node}/eligibility");
    twin.put(&path, r#"{"Eligibility": "ineligible"}"#).await.json();
    assert_eq!(twin.get(&node).await.json()["SchedulingEligibility"], "ineligible");
    twin.put(&path, r#"{"Eligibility": "perhaps"}"#).await.refuses(400, "expected eligible or ineligible");
    let answer = twin.put(&format!("{node}/purge"), "").await.json();
    assert_eq!(answer["EvalIDs"].as_array().map(Vec::len), Some(1));
    twin.get(&node).await.refuses(404, "node not found");
}

#[tokio::test]
async fn a_deployment_is_paused_failed_and_not_changed_afterwards() {
    let twin = Twin::with_web();
    let id = twin.get("/v1/job/web/deployment").await.json()["ID"].as_str().unwrap().to_string();
    twin.put(&format!("/v1/deployment/pause/{id}"), r#"{"Pause": true}"#).await.json();
    assert_eq!(twin.get(&format!("/v1/deployment/{id}")).await.json()["Status"], "paused");
    twin.put(&format!("/v1/deployment/promote/{id}"), r#"{"All": true}"#).await.refuses(400, "no canaries to promote");
    let answer = twin.put(&format!("/v1/deployment/fail/{id}"), "").await.json();
    assert_eq!((&answer["RevertedJobVersion"], answer["EvalID"].as_str().map(str::len)), (&json!(null), Some(36)));
    twin.put(&format!("/v1/deployment/fail/{id}"), "").await.refuses(400, "can't change a deployment that is failed");
}

#[tokio::test]
async fn the_health_of_allocations_is_said_by_a_person() {
    let twin = Twin::with_web();
    let deployment = twin.get("/v1/deployments").await.json()[0]["ID"].as_str().unwrap().to_string();
    let path = format!("/v1/deployment/allocation-health/{deployment}");
    let body = json!({ "UnhealthyAllocationIDs": [twin.allocations("web")[0].to_string()] }).to_string();
    twin.put(&path, body).await.json();
    let shown = twin.get(&format!("/v1/deployment/{deployment}")).await.json();
    assert_eq!(shown["TaskGroups"]["web"]["UnhealthyAllocs"], 1);
    twin.put(&path, "{}").await.refuses(400, "at least one");
}

#[tokio::test]
async fn the_schedulers_choice_is_set_and_what_is_absent_is_refused() {
    let twin = Twin::new();
    let path = "/v1/operator/scheduler/configuration";
    twin.put(path, r#"{"SchedulerAlgorithm": "spread"}"#).await.json();
    assert_eq!(twin.get(path).await.json()["SchedulerConfig"]["SchedulerAlgorithm"], "spread");
    twin.put(&format!("{path}?cas=1"), r#"{"SchedulerAlgorithm": "binpack"}"#)
        .await
        .refuses(400, "was changed at index");
    twin.put(path, r#"{"PauseEvalBroker": true}"#).await.refuses(400, "does not have PauseEvalBroker");
}

#[tokio::test]
async fn a_node_pool_has_an_algorithm_of_its_own_until_somebody_says_otherwise() {
    let twin = Twin::new();
    let path = "/v1/operator/scheduler/configuration";
    let of_pools = async || twin.get(path).await.json()["SchedulerConfig"]["NodePools"].clone();
    assert_eq!(of_pools().await, json!({}));
    twin.put(path, r#"{"NodePools": {"wide": {"SchedulerAlgorithm": "spread"}}}"#).await.json();
    twin.put(path, r#"{"SchedulerAlgorithm": "binpack"}"#).await.json();
    assert_eq!(of_pools().await, json!({ "wide": { "SchedulerAlgorithm": "spread" } }));
    let pools = twin.get("/v1/node/pools").await.json();
    let wide = pools.as_array().unwrap().iter().find(|pool| pool["Name"] == "wide").unwrap();
    assert_eq!(wide["SchedulerConfiguration"]["SchedulerAlgorithm"], "spread");
    twin.put(path, r#"{"NodePools": {"wide": {"SchedulerAlgorithm": "wide"}}}"#)
        .await
        .refuses(400, "SchedulerAlgorithm must be binpack or spread");
    twin.put(path, r#"{"NodePools": {}}"#).await.json();
    assert_eq!(of_pools().await, json!({}));
}

#[tokio::test]
async fn what_is_over_is_collected_on_request() {
    let twin = Twin::with_web();
    twin.delete("/v1/job/web").await.json();
    for id in twin.allocations("web") {
        twin.observe(id, ClientStatus::Complete);
    }
    let open: Vec<_> =
        twin.state().evaluations().filter(|known| !known.status.is_terminal()).map(|known| known.id).collect();
    assert!(!open.is_empty(), "the planner of the test has not looked at them");
    twin.put("/v1/system/gc", "").await.json();
    assert_eq!(twin.get("/v1/deployments").await.text, "[]");
}

#[tokio::test]
async fn what_runs_on_a_lost_node_is_shown_as_lost_or_with_a_disconnect_block_as_unknown() {
    for (disconnect, client, desired) in [(false, "lost", "stop"), (true, "unknown", "run")] {
        let twin = Twin::new();
        let mut job = web().count(1);
        job.groups[0].disconnect = disconnect.then(model::Disconnect::default);
        twin.register(job);
        twin.place("web", "n1", 1);
        let id = twin.allocations("web")[0];
        twin.observe(id, ClientStatus::Running);
        let down = |status| Command::SetNodeStatus { changes: vec![(twin.node("n1"), status)], seen: None, term: 1 };
        twin.apply(down(NodeStatus::Suspect));
        let node = twin.get(&format!("/v1/node/{}", twin.node("n1"))).await.json();
        assert_eq!((&node["Status"], &node["Suspect"]), (&json!("ready"), &json!(true)));
        twin.apply(down(NodeStatus::Down));
        let shown = twin.get(&format!("/v1/allocation/{id}")).await.json();
        assert_eq!((&shown["ClientStatus"], &shown["DesiredStatus"]), (&json!(client), &json!(desired)));
        let counts = &twin.get("/v1/job/web/summary").await.json()["Summary"]["web"];
        assert_eq!(
            (&counts["Lost"], &counts["Unknown"]),
            (&json!(u8::from(!disconnect)), &json!(u8::from(disconnect)))
        );
        assert_eq!(twin.get("/v1/services").await.text, "[]");
    }
}

#[tokio::test]
async fn a_jobspec_is_read_or_refused_with_its_line() {
    let twin = Twin::new();
    let text = "job \"x\" {\n  group \"g\" {\n    task \"t\" {\n      driver = \"fake\"\n    }\n  }\n}\n";
    let job = twin.put("/v1/jobs/parse", json!({ "JobHCL": text }).to_string()).await.json();
    assert_eq!(job["TaskGroups"][0]["Tasks"][0]["Driver"], "fake");
    // There is a source of random bytes, and there are no files.
    let random = text.replace("job \"x\" {", "job \"x\" {\n  name = uuidv4()");
    let job = twin.put("/v1/jobs/parse", json!({ "JobHCL": random }).to_string()).await.json();
    assert_eq!(job["Name"].as_str().map(str::len), Some(36), "{job}");
    let reads = text.replace("job \"x\" {", "job \"x\" {\n  name = file(\"/etc/hostname\")");
    twin.put("/v1/jobs/parse", json!({ "JobHCL": reads }).to_string()).await.refuses(400, "jobspec.hcl:2");
    let wrong = text.replace("driver", "drivre");
    twin.put("/v1/jobs/parse", json!({ "JobHCL": wrong }).to_string()).await.refuses(400, "jobspec.hcl:4");
}
