//! `job run`, `job stop` and `job revert` to their end, with the exit codes that deploy scripts trust.

use serde_json::{Value, json};

use crate::cluster::{self, ALLOCATION_0, ALLOCATION_1, DEPLOYMENT, EVALUATION, cluster};
use crate::fixture::Fixture;
use crate::invocation::{check, sched, sched_with_input};

fn accepted() -> Value {
    json!({ "EvalID": EVALUATION, "JobModifyIndex": 30, "Warnings": "" })
}

/// A cluster in which the job is on its way: pending, then placed, then healthy, or what the caller adds.
fn on_its_way() -> Fixture {
    let evaluation = format!("GET /v1/evaluation/{EVALUATION}");
    cluster()
        .with("PUT /v1/jobs", accepted())
        .only(&evaluation, cluster::evaluation("pending"))
        .with(&evaluation, cluster::evaluation("complete"))
        .only("GET /v1/job/web/allocations", json!([]))
        .with(
            "GET /v1/job/web/allocations",
            json!([
                cluster::allocation(ALLOCATION_0, 0, "n1", "pending"),
                cluster::allocation(ALLOCATION_1, 1, "n2", "running")
            ]),
        )
        .only("GET /v1/job/web/deployment", cluster::deployment("running", 1))
}

fn finally(fixture: Fixture, deployment: Value, allocation: Value) -> Fixture {
    let second = cluster::allocation(ALLOCATION_1, 1, "n2", "running");
    fixture
        .with("GET /v1/job/web/allocations", json!([allocation, second]))
        .only(&format!("GET /v1/deployment/{DEPLOYMENT}"), deployment)
}

#[tokio::test]
async fn a_deployment_that_succeeds() {
    let healthy = cluster::allocation(ALLOCATION_0, 0, "n1", "running");
    let server = finally(on_its_way(), cluster::deployment("successful", 2), healthy).serve().await;
    check("run-success", &server, &["job run -check-index 12 jobs/web.hcl"]).await;
    let sent = server.first("PUT /v1/jobs").body;
    assert_eq!((&sent["EnforceIndex"], &sent["JobModifyIndex"]), (&json!(true), &json!(12)));
    assert_eq!(sent["Job"]["ID"], "web");
    assert_eq!(sent["Submission"]["Format"], "hcl2");
    assert!(sent["Submission"]["Source"].as_str().unwrap().contains("job \"web\""));
}

#[tokio::test]
async fn a_deployment_that_fails_comes_with_its_post_mortem() {
    let mut failed = cluster::allocation(ALLOCATION_0, 0, "n1", "failed");
    failed["TaskStates"]["app"]["Events"] = json!([{ "Type": "Terminated", "Time": 1767323047000000000i64, "ExitCode": 137,
        "Signal": 9, "DisplayMessage": "Exit Code: 137, OOM", "Details": { "oom_killed": "true" } }]);
    failed["AllocatedResources"] = json!({ "Tasks": { "app": { "Memory": { "MemoryMB": 64 } } } });
    let server = finally(on_its_way(), cluster::deployment("failed", 1), failed.clone())
        .only(&format!("GET /v1/allocation/{ALLOCATION_0}"), failed)
        .only(
            &format!("GET /v1/client/allocation/{ALLOCATION_0}/checks"),
            json!({ "c": {
            "Check": "health", "Status": "failure", "Output": "connection refused" } }),
        )
        .with(&format!("GET /v1/client/fs/logs/{ALLOCATION_0}"), b"first\nlast words\x1b[2J\n".as_slice())
        .serve()
        .await;
    check("run-failed", &server, &["job run jobs/web.hcl"]).await;
}

#[tokio::test]
async fn instances_without_a_node_end_with_2_and_numbers() {
    let mut evaluation = cluster::evaluation("complete");
    evaluation["FailedTGAllocs"] = json!({ "web": cluster::unplaced_metric() });
    evaluation["BlockedEval"] = json!("e1");
    let server = cluster()
        .with("PUT /v1/jobs", accepted())
        .only(&format!("GET /v1/evaluation/{EVALUATION}"), evaluation)
        .only("GET /v1/job/web/allocations", json!([]))
        .serve()
        .await;
    check("run-unplaced", &server, &["job run jobs/web.hcl"]).await;
}

#[tokio::test]
async fn an_evaluation_that_fails_or_a_job_without_deployment() {
    let evaluation = format!("GET /v1/evaluation/{EVALUATION}");
    let mut failed = cluster::evaluation("failed");
    failed["StatusDescription"] = json!("maximum attempts reached (5)");
    let server = cluster()
        .with("PUT /v1/jobs", accepted())
        .only(&evaluation, failed)
        .with(&evaluation, cluster::evaluation("complete"))
        .only("GET /v1/job/web/deployment", Value::Null)
        .serve()
        .await;
    check("run-other", &server, &["job run jobs/web.hcl", "job run jobs/web.hcl"]).await;
}

#[tokio::test]
async fn what_was_placed_is_counted_in_a_list_that_is_no_older_than_the_evaluation() {
    // The fixture's lists are of index 42.
    let mut complete = cluster::evaluation("complete");
    complete["ModifyIndex"] = json!(50);
    let server = cluster()
        .with("PUT /v1/jobs", accepted())
        .only(&format!("GET /v1/evaluation/{EVALUATION}"), complete)
        .only("GET /v1/job/web/deployment", Value::Null)
        .only("GET /v1/job/web/allocations", json!([]))
        .with("GET /v1/job/web/allocations", json!([cluster::allocation(ALLOCATION_0, 0, "n1", "pending")]))
        .serve()
        .await;
    let ran = sched(&server.url(), "job run jobs/web.hcl").await;
    assert!(ran.code == 0 && ran.out.contains("1 instance placed"), "{} {}", ran.out, ran.err);
}

#[tokio::test]
async fn detached_and_dry_runs() {
    let server =
        cluster().with("PUT /v1/jobs", json!({ "EvalID": EVALUATION, "Warnings": "1 warning: x" })).serve().await;
    check("run-detached", &server, &["job run -detach jobs/web.hcl", "job run -detach -json jobs/web.hcl"]).await;
    let before = server.asked().len();
    let ran = sched(&server.url(), "job run -output -var image=other:1 jobs/web.hcl").await;
    let printed: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(printed["Job"]["TaskGroups"][0]["Tasks"][0]["Config"]["image"], "other:1");
    assert_eq!(printed["Submission"], Value::Null, "it is what `job run` adds");
    assert_eq!(server.asked().len(), before, "-output sends nothing");
}

#[tokio::test]
async fn with_json_the_answer_alone_is_on_standard_output() {
    let healthy = cluster::allocation(ALLOCATION_0, 0, "n1", "running");
    let server = finally(on_its_way(), cluster::deployment("successful", 2), healthy).serve().await;
    let ran = sched(&server.url(), "job run -json jobs/web.hcl").await;
    assert_eq!(serde_json::from_str::<Value>(&ran.out).unwrap(), accepted());
    assert!(ran.code == 0 && ran.err.contains("deployed web v3"), "{}", ran.err);
}

#[tokio::test]
async fn the_job_may_come_from_standard_input_and_be_json() {
    let server = cluster().with("PUT /v1/jobs", json!({ "EvalID": "" })).serve().await;
    let job = json!({ "Job": cluster::job(0) }).to_string();
    let ran = sched_with_input(&server.url(), "job run -", &job).await;
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(server.first("PUT /v1/jobs").body["Submission"]["Format"], "json");
}

#[tokio::test]
async fn a_job_that_was_changed_in_between_is_not_overwritten() {
    let text = "Enforcing job modify index 12: job exists with conflicting job modify index: 30";
    let server = cluster().with("PUT /v1/jobs", (400, text)).serve().await;
    check("run-conflict", &server, &["job run -check-index 12 jobs/web.hcl"]).await;
}

#[tokio::test]
async fn a_stop_is_followed_until_nothing_is_left() {
    let mut stopping = cluster::allocation(ALLOCATION_0, 0, "n1", "running");
    stopping["DesiredStatus"] = json!("stop");
    let mut gone = stopping.clone();
    gone["ClientStatus"] = json!("complete");
    let server = cluster()
        .with("DELETE /v1/job/web", json!({ "EvalID": EVALUATION }))
        .only("GET /v1/job/web/allocations", json!([stopping]))
        .with("GET /v1/job/web/allocations", json!([gone]))
        .serve()
        .await;
    check("stop", &server, &["job stop -purge web"]).await;
    assert_eq!(server.first("DELETE /v1/job/web").query, "namespace=default&purge=true");
}

#[tokio::test]
async fn a_stop_by_prefix_asks_first() {
    let server = cluster().serve().await;
    let ran = sched(&server.url(), "job stop web-b").await;
    assert!(ran.code == 1 && ran.err.contains("-yes"), "{}", ran.err);
    assert!(server.asked().iter().all(|asked| asked.what.starts_with("GET")));
}

#[tokio::test]
async fn a_revert_by_prefix_asks_first() {
    let server = cluster().serve().await;
    let ran = sched(&server.url(), "job revert web-b 2").await;
    assert!(ran.code == 1 && ran.err.contains("Revert job `web-batch` to version 2?"), "{}", ran.err);
    assert!(ran.err.contains("-yes") && server.asked().iter().all(|asked| asked.what.starts_with("GET")));
}

#[tokio::test]
async fn a_revert_names_the_version_that_was_seen() {
    let server = cluster()
        .with("PUT /v1/job/web/revert", json!({ "EvalID": EVALUATION }))
        .with("PUT /v1/deployment/x", json!({}))
        .serve()
        .await;
    check("revert", &server, &["job revert web 2"]).await;
    let sent = server.first("PUT /v1/job/web/revert").body;
    assert_eq!(sent, json!({ "JobID": "web", "JobVersion": 2, "EnforcePriorVersion": 3 }));
}

#[tokio::test]
async fn deployments_are_promoted_and_failed_by_the_jobs_name() {
    let server = cluster()
        .with(&format!("PUT /v1/deployment/promote/{DEPLOYMENT}"), json!({ "EvalID": EVALUATION }))
        .with(&format!("PUT /v1/deployment/fail/{DEPLOYMENT}"), json!({ "EvalID": "", "RevertedJobVersion": 2 }))
        .serve()
        .await;
    let lines = ["deployment promote web", "deployment promote -detach -group web d0", "deployment fail web"];
    check("deployments", &server, &lines).await;
    let promoted: Vec<Value> =
        server.asked().into_iter().filter(|asked| asked.what.contains("promote")).map(|asked| asked.body).collect();
    assert_eq!((&promoted[0]["All"], &promoted[1]["All"]), (&json!(true), &json!(false)));
    assert_eq!(promoted[1]["Groups"], json!(["web"]));
}
