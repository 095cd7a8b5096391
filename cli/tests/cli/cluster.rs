//! A cluster in canned answers: three servers, three nodes, the jobs `web` (running) and `web-batch` (blocked).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::fixture::Fixture;

pub const NODE_1: &str = "11111111-aaaa-bbbb-cccc-000000000001";
pub const NODE_2: &str = "12222222-aaaa-bbbb-cccc-000000000002";
pub const ALLOCATION_0: &str = "a0000000-1111-2222-3333-000000000000";
pub const ALLOCATION_1: &str = "a1111111-1111-2222-3333-000000000001";
pub const DEPLOYMENT: &str = "d0000000-1111-2222-3333-000000000000";
pub const EVALUATION: &str = "e0000000-1111-2222-3333-000000000000";

/// Two hours and a half minute ago, in nanoseconds: shown as `2h0m ago` for as long as any test takes.
pub fn hours_ago() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the command under test reads the clock of this host")]
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is past 1970");
    i64::try_from((now - Duration::from_secs(2 * 3600 + 30)).as_nanos()).expect("until the year 2262")
}

/// The same instant as the API writes dates.
fn hours_ago_as_date() -> String {
    jiff::Timestamp::from_nanosecond(hours_ago().into()).expect("within jiff's range").to_string()
}

pub fn job(version: u64) -> Value {
    json!({
        "ID": "web", "Name": "web", "Namespace": "default", "Type": "service", "Priority": 50, "Datacenters": ["dc1"],
        "NodePool": "default", "Status": "running", "Stop": false, "Stable": true, "Version": version,
        "SubmitTime": hours_ago(), "CreateIndex": 10, "JobModifyIndex": 30, "ModifyIndex": 31, "Update": null,
        "TaskGroups": [{ "Name": "web", "Count": 2, "Tasks": [{ "Name": "app", "Driver": "docker",
            "Config": { "image": "basket:demo" } }] }]
    })
}

fn job_stub(id: &str, kind: &str, status: &str, summary: Value) -> Value {
    json!({
        "ID": id, "Namespace": "default", "Type": kind, "Priority": 50, "Status": status, "Stop": false,
        "SubmitTime": hours_ago(), "JobSummary": { "JobID": id, "Summary": summary }
    })
}

pub fn allocation(id: &str, index: u32, node: &str, status: &str) -> Value {
    let (node_id, healthy) = (if node == "n1" { NODE_1 } else { NODE_2 }, status == "running");
    json!({
        "ID": id, "EvalID": EVALUATION, "Name": format!("web.web[{index}]"), "Namespace": "default",
        "NodeID": node_id, "NodeName": node, "JobID": "web", "JobVersion": 3, "TaskGroup": "web",
        "DesiredStatus": "run", "ClientStatus": status, "DeploymentID": DEPLOYMENT,
        "DeploymentStatus": if healthy { json!({ "Healthy": true }) } else { Value::Null },
        "CreateTime": hours_ago(), "ModifyTime": hours_ago(),
        "TaskStates": { "app": { "State": status, "Failed": status == "failed", "Restarts": 0,
            "StartedAt": hours_ago_as_date(), "FinishedAt": null, "Events": [
                { "Type": "Received", "Time": 1767323045000000000i64, "DisplayMessage": "Task received by client" },
                { "Type": "Started", "Time": 1767323046000000000i64, "DisplayMessage": "Task started by client" }] } }
    })
}

pub fn complete_allocation() -> Value {
    let mut complete = allocation(ALLOCATION_0, 0, "n1", "running");
    complete["Job"] = job(3);
    complete["AllocatedResources"] = json!({
        "Tasks": { "app": { "Cpu": { "CpuShares": 100 }, "Memory": { "MemoryMB": 64, "MemoryMaxMB": 128 } } },
        "Shared": { "DiskMB": 300, "Ports": [{ "Label": "http", "Value": 20001, "To": 8080, "HostIP": "127.0.0.11" }] }
    });
    complete
}

pub fn deployment(status: &str, healthy: u64) -> Value {
    json!({
        "ID": DEPLOYMENT, "Namespace": "default", "JobID": "web", "JobVersion": 3, "Status": status,
        "StatusDescription": match status {
            "successful" => "Deployment completed successfully",
            "failed" => "Failed due to progress deadline",
            _ => "Deployment is running",
        },
        "CreateIndex": 31, "TaskGroups": { "web": { "AutoRevert": true, "DesiredTotal": 2, "DesiredCanaries": 0,
            "PlacedAllocs": 2, "HealthyAllocs": healthy, "UnhealthyAllocs": 0, "RequireProgressBy": null } }
    })
}

pub fn evaluation(status: &str) -> Value {
    json!({ "ID": EVALUATION, "JobID": "web", "Status": status, "TriggeredBy": "job-register", "Priority": 50,
        "Type": "service", "CreateIndex": 30, "CreateTime": hours_ago() })
}

pub fn unplaced_metric() -> Value {
    json!({ "NodesEvaluated": 3, "NodesFiltered": 1, "NodesExhausted": 2, "NodesInPool": 3, "CoalescedFailures": 1,
        "ConstraintFiltered": { "${attr.kernel.name} = linux": 1 }, "DimensionExhausted": { "memory": 2 } })
}

fn blocked() -> Value {
    json!({ "ID": "e9999999-1111-2222-3333-000000000000", "JobID": "web-batch", "Status": "blocked",
        "TriggeredBy": "queued-allocs", "Priority": 50, "CreateIndex": 40, "CreateTime": hours_ago(),
        "FailedTGAllocs": { "main": unplaced_metric() } })
}

fn node(id: &str, name: &str, status: &str) -> Value {
    json!({
        "ID": id, "Name": name, "Address": "127.0.0.11", "Datacenter": "dc1", "NodePool": "default", "NodeClass": "",
        "Version": "0.1.0", "Drain": false, "SchedulingEligibility": "eligible", "Status": status,
        "Drivers": { "docker": { "Detected": true, "Healthy": true } }, "LastDrain": null
    })
}

fn members() -> Value {
    let member = |n: u32, status: &str| {
        json!({ "Name": format!("s{n}.global"), "Addr": format!("127.0.0.{n}"), "Port": 4647, "Status": status,
            "Tags": { "raft_vsn": "3", "build": "0.1.0", "dc": "dc1", "region": "global", "port": "4647",
                "rpc_addr": format!("127.0.0.{n}:4647") } })
    };
    json!({ "ServerRegion": "global", "Members": [member(2, "alive"), member(1, "alive"), member(3, "failed")] })
}

/// The whole cluster.
pub fn cluster() -> Fixture {
    let summary = json!({ "web": { "Queued": 0, "Complete": 1, "Failed": 0, "Running": 2, "Starting": 0, "Lost": 0 } });
    let queued = json!({ "main": { "Queued": 2 } });
    let nodes = [
        node(NODE_1, "n1", "ready"),
        node(NODE_2, "n2", "ready"),
        node("33333333-aaaa-bbbb-cccc-000000000003", "n3", "down"),
    ];
    let mut one_node = nodes[0].clone();
    one_node["NodeResources"] = json!({ "Disk": { "DiskMB": 10000 } });
    one_node["Events"] =
        json!([{ "Message": "Node registered", "Subsystem": "Cluster", "Timestamp": hours_ago_as_date() }]);
    let stubs = json!([allocation(ALLOCATION_1, 1, "n2", "running"), allocation(ALLOCATION_0, 0, "n1", "running")]);
    Fixture::default()
        .with(
            "GET /v1/jobs",
            json!([
                job_stub("web-batch", "batch", "pending", queued),
                job_stub("web", "service", "running", summary.clone())
            ]),
        )
        .with("GET /v1/job/web", job(3))
        .with("GET /v1/job/web/summary", json!({ "JobID": "web", "Summary": summary }))
        .with("GET /v1/job/web/evaluations", json!([evaluation("complete")]))
        .with("GET /v1/job/web/deployment", deployment("successful", 2))
        .with("GET /v1/job/web/allocations", stubs.clone())
        .with(
            "GET /v1/job/web/versions",
            json!({ "Versions": [job(3), job(2)], "Diffs": [{ "Type": "Edited", "ID": "web",
            "TaskGroups": [{ "Type": "Edited", "Name": "web", "Fields": [
                { "Type": "Edited", "Name": "Count", "Old": "1", "New": "2" }], "Tasks": null }] }] }),
        )
        .with("GET /v1/job/web-batch/why", why())
        .with("GET /v1/allocations", stubs.clone())
        .with(&format!("GET /v1/allocation/{ALLOCATION_0}"), complete_allocation())
        .with(
            &format!("GET /v1/client/allocation/{ALLOCATION_0}/checks"),
            json!({ "c1": {
            "Check": "health", "Service": "web", "Status": "success", "Output": "200 OK\nbody" } }),
        )
        .with("GET /v1/deployments", json!([deployment("successful", 2)]))
        .with(&format!("GET /v1/deployment/{DEPLOYMENT}"), deployment("successful", 2))
        .with("GET /v1/evaluations", json!([evaluation("complete"), blocked()]))
        .with(&format!("GET /v1/evaluation/{EVALUATION}"), evaluation("complete"))
        .with("GET /v1/nodes", json!(nodes))
        .with(&format!("GET /v1/node/{NODE_1}"), one_node)
        .with(&format!("GET /v1/node/{NODE_1}/allocations"), json!([stubs[1]]))
        .with(
            "GET /v1/nodes/usage",
            json!({ "Index": 42, "Nodes": [{ "ID": NODE_1, "Name": "n1",
            "Total": { "CPU": 2000, "MemoryMB": 1000 }, "Reserved": { "CPU": 100, "MemoryMB": 64 }, "Used": null,
            "Allocations": [{ "ID": ALLOCATION_0, "ClientStatus": "running" }] }] }),
        )
        .with("GET /v1/agent/members", members())
        .with("GET /v1/agent/self", json!({ "member": { "Tags": { "build": "0.1.0" } } }))
        .with("GET /v1/status/leader", json!("127.0.0.2:4647"))
        .with(
            "GET /v1/services",
            json!([{ "Namespace": "default", "Services": [
            { "ServiceName": "web", "Tags": ["v3", "http"] }] }]),
        )
        .with(
            "GET /v1/service/web",
            json!([{ "ServiceName": "web", "JobID": "web", "AllocID": ALLOCATION_0, "NodeID": NODE_1,
            "Tags": ["v3", "http"], "Address": "127.0.0.11", "Port": 20001 }]),
        )
        .with(
            "GET /v1/operator/raft/configuration",
            json!({ "Servers": [
            { "ID": "1", "Node": "s1", "Address": "127.0.0.1:4647", "Voter": true, "Leader": false },
            { "ID": "2", "Node": "s2", "Address": "127.0.0.2:4647", "Voter": true, "Leader": true },
            { "ID": "3", "Node": "s3", "Address": "127.0.0.3:4647", "Voter": true, "Leader": false }] }),
        )
}

/// How servers do of which one lags.
pub fn health() -> Value {
    let server = |id: &str, healthy: bool| {
        json!({ "ID": id, "Name": format!("s{id}"), "Address": format!("127.0.0.{id}:4647"), "SerfStatus": "alive",
            "Version": "0.1.0", "Leader": id == "2", "LastContact": "12ms", "LastTerm": 3,
            "LastIndex": if healthy { 42 } else { 7 }, "Healthy": healthy, "Voter": true })
    };
    json!({ "Healthy": true, "FailureTolerance": 1, "Servers": [server("1", true), server("2", true), server("3", false)] })
}

fn why() -> Value {
    json!({ "JobID": "web-batch", "Namespace": "default", "JobVersion": 0, "Index": 42, "Groups": [{
        "Group": "main", "Desired": 2, "Running": 0, "Unplaced": 2, "BlockedEval": "e9999999-1111-2222-3333-000000000000",
        "BlockedSince": hours_ago(), "BlockedCause": "job-register", "BlockedTriedAt": hours_ago(), "BlockedTriedAfter": "n2",
        "Ask": { "CPU": 100, "MemoryMB": 2048, "MemoryMaxMB": 4096, "DiskMB": 300 },
        "NodesTotal": 3, "NodesFiltered": 1, "NodesExhausted": 2, "NodesFit": 0,
        "Reasons": [{ "Reason": "memory", "Nodes": 2, "Filter": false }, { "Reason": "node down", "Nodes": 1, "Filter": true }],
        "Nodes": [
            { "ID": NODE_1, "Name": "n1", "Fits": false, "Reasons": ["memory short 312 MiB of 2048"] },
            { "ID": NODE_2, "Name": "n2", "Fits": false, "Reasons": ["memory short 500 MiB of 2048", "cpu short 10 MHz of 100"] },
            { "ID": "33333333", "Name": "n3", "Fits": false, "Reasons": ["node is down"] }],
        "Hints": ["lower memory to 1736 MiB: fits 1 node"] }] })
}
