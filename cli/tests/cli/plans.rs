//! `job plan`: its text and its three exit codes.

use serde_json::json;

use crate::cluster::{self, cluster};
use crate::invocation::{check, sched, sched_unread};

#[tokio::test]
async fn changes_end_with_1() {
    let plan = json!({
        "JobModifyIndex": 30, "Warnings": "",
        "Diff": { "Type": "Edited", "ID": "web", "Fields": [], "Objects": null, "TaskGroups": [{ "Type": "Edited", "Name": "web",
            "Fields": [{ "Type": "Edited", "Name": "Count", "Old": "1", "New": "2" }], "Tasks": [{ "Type": "Edited",
                "Name": "app", "Annotations": ["forces create/destroy update"], "Objects": [{ "Type": "Edited",
                    "Name": "Config", "Fields": [{ "Type": "Edited", "Name": "image", "Old": "a:1", "New": "a:2" }] }] }] }] },
        "Annotations": { "DesiredTGUpdates": { "web": { "Place": 1, "DestructiveUpdate": 1, "Ignore": 0 } } },
        "Placements": [{ "Name": "web.web[1]", "NodeName": "n2" }],
        "Preemptions": [{ "AllocID": "a9", "Name": "low.low[0]", "NodeName": "n2", "By": "web.web[1]" }],
        "FailedTGAllocs": null
    });
    let server = cluster().with("PUT /v1/job/web/plan", plan).serve().await;
    check("plan-changes", &server, &["job plan jobs/web.hcl", "job plan -diff=false jobs/web.hcl"]).await;
    assert_eq!(server.first("PUT /v1/job/web/plan").body["Diff"], true);
}

#[tokio::test]
async fn no_change_ends_with_0_and_an_error_with_255() {
    let unchanged = json!({ "JobModifyIndex": 30, "Diff": { "Type": "None", "ID": "web" },
        "Annotations": { "DesiredTGUpdates": { "web": { "Ignore": 2 } } } });
    let server = cluster()
        .with("PUT /v1/job/web/plan", unchanged)
        .with("PUT /v1/job/web/plan", (500, "something broke"))
        .serve()
        .await;
    check("plan-others", &server, &["job plan jobs/web.hcl", "job plan jobs/web.hcl", "job plan"]).await;
}

#[tokio::test]
async fn what_would_find_no_node_is_told() {
    let plan = json!({ "JobModifyIndex": 0, "Diff": { "Type": "Added", "ID": "web" }, "FailedTGAllocs": {
        "web": cluster::unplaced_metric() }, "Annotations": { "DesiredTGUpdates": { "web": { "Place": 2 } } } });
    let server = cluster().with("PUT /v1/job/web/plan", plan).serve().await;
    check("plan-unplaced", &server, &["job plan jobs/web.hcl"]).await;
}

#[tokio::test]
async fn the_hint_repeats_the_variables() {
    let server = cluster().with("PUT /v1/job/web/plan", json!({ "JobModifyIndex": 30 })).serve().await;
    let ran = sched(&server.url(), "job plan -var image=a$b jobs/web.hcl").await;
    assert!(ran.err.contains("`sched job run -check-index 30 -var 'image=a$b' jobs/web.hcl`"), "{}", ran.err);
}

#[tokio::test]
async fn a_reader_that_goes_away_does_not_change_the_exit_code() {
    let plan = json!({ "JobModifyIndex": 30, "Diff": { "Type": "Edited", "ID": "web" },
        "Annotations": { "DesiredTGUpdates": { "web": { "Place": 1 } } } });
    let server = cluster().with("PUT /v1/job/web/plan", plan).serve().await;
    assert_eq!(sched_unread(&server.url(), "job plan jobs/web.hcl").await, 1);
    assert_eq!(sched_unread(&server.url(), "job status").await, 0);
}
