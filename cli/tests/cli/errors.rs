//! What goes wrong is said with what, where and a hint, on standard error, with exit code 1.

use serde_json::json;

use crate::cluster::cluster;
use crate::fixture::Fixture;
use crate::invocation::{check, command, compare, sched, sched_with_input, write_run};

#[tokio::test]
async fn unknown_and_ambiguous_names() {
    let lines = [
        "job status wbe",
        "job status database",
        "job status w",
        "job stop we -yes",
        "alloc status web",
        "alloc status zz",
        "alloc status web[7]",
        "node status n",
        "node status 1",
        "node status m1",
        "deployment status ff",
        "service info wbe",
        "server leave -yes s9",
        "job history -version 9 web",
    ];
    check("names", &cluster().serve().await, &lines).await;
}

#[tokio::test]
async fn wrong_arguments_end_with_1_since_2_has_a_meaning() {
    let lines = [
        "job",
        "job run",
        "job stauts",
        "job status -jsn",
        "node drain n1",
        "node drain -enable -disable n1",
        "node eligibility n1",
        "agent -config /nonexistent.hcl",
        "agent -server",
        "job status --address https://x",
    ];
    check("arguments", &cluster().serve().await, &lines).await;
}

#[tokio::test]
async fn jobspecs_with_errors_show_all_of_them() {
    let server = cluster().serve().await;
    let lines =
        ["job validate jobs/bad.hcl", "job run jobs/none.hcl", "job run -var x jobs/web.hcl", "job plan jobs/bad.hcl"];
    check("jobspec", &server, &lines).await;
    assert!(server.asked().is_empty(), "nothing is sent that is not valid");
    let ran = sched_with_input(&server.url(), "job run -", "job {").await;
    assert!(ran.code == 1 && ran.err.contains("<stdin>"), "{}", ran.err);
}

#[tokio::test]
async fn what_the_server_says_is_passed_on() {
    let server = cluster()
        .only("GET /v1/jobs", (403, "Permission denied"))
        .only("GET /v1/nodes", (500, "rpc error: something broke"))
        .only("GET /v1/allocations", "<html>".as_bytes())
        .only("GET /v1/deployments", json!({ "not": "a list" }))
        .serve()
        .await;
    check("refused", &server, &["job status", "node status", "alloc status", "deployment list"]).await;
}

#[tokio::test]
async fn validate_reports_what_only_the_server_sees() {
    let wrong = json!({ "ValidationErrors": ["datacenter dc9 does not exist"], "Error": "1 error", "Warnings": "" });
    let server = Fixture::default()
        .with("PUT /v1/validate/job", wrong)
        .with("PUT /v1/validate/job", json!({ "ValidationErrors": null, "Error": "", "Warnings": "count is high" }))
        .serve()
        .await;
    check("validate", &server, &["job validate jobs/web.hcl", "job validate jobs/web.hcl"]).await;
    let mut text = String::new();
    write_run(&mut text, "(no server)", &sched("http://127.0.0.1:1", "job validate jobs/web.hcl").await, &server);
    compare("validate-offline", &text);
}

#[tokio::test]
async fn hints_name_the_program_as_it_was_called() {
    let server = cluster().serve().await;
    for (called, wanted) in [("./sched", "`./sched node status`"), ("/opt/sched", "`sched node status`")] {
        let mut command = command(&server.url(), "node status nobody");
        let output = command.arg0(called).output().await.expect("the binary was built for this test");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(err.contains(wanted), "{err}");
    }
}
