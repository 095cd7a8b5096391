//! What explains and foresees: `node why`, `capacity`, and who took whose room.

use serde_json::{Value, json};

use crate::cluster::{self, ALLOCATION_0, ALLOCATION_1, NODE_1, NODE_2, cluster};
use crate::invocation::check;

fn score(total: f64, packing: f64, anti_affinity: f64) -> Value {
    json!({ "Total": total, "Parts": { "packing": packing, "anti-affinity": anti_affinity, "spread": 0.0 } })
}

fn check_of(name: &str, ok: bool, wanted: &str, has: &str) -> Value {
    json!({ "Name": name, "Ok": ok, "Wanted": wanted, "Has": has, "Reason": if ok { "" } else { "wrong" } })
}

fn on_node(groups: Value) -> Value {
    json!({ "NodeID": NODE_1, "NodeName": "n1", "JobID": "web", "Namespace": "default", "JobVersion": 3, "Index": 42,
        "Groups": groups })
}

#[tokio::test]
async fn a_node_for_a_job_is_shown_check_by_check_with_the_node_that_is_better() {
    let fits = on_node(json!([{ "Group": "web", "Instances": ["web.web[0]"], "Fits": true,
        "Checks": [check_of("status", true, "ready", "ready"), check_of("memory", true, "64 MiB", "936 MiB free of 1000")],
        "Score": score(-0.5, -0.25, -0.25), "Rank": 2, "NodesFit": 3,
        "Best": { "NodeID": NODE_2, "NodeName": "n2", "Score": score(-0.1, -0.1, 0.0) } }]));
    let full = on_node(json!([{ "Group": "web", "Instances": [], "Fits": false,
        "Checks": [check_of("port 80", false, "free", "taken by proxy.proxy[0]"), check_of("memory", true, "64 MiB", "much")],
        "Score": null, "Rank": null, "NodesFit": 0, "Best": null }]));
    let server = cluster()
        .with(&format!("GET /v1/node/{NODE_1}/why"), fits)
        .with(&format!("GET /v1/node/{NODE_1}/why"), full.clone())
        .with(&format!("PUT /v1/node/{NODE_1}/why"), full)
        .serve()
        .await;
    let lines = [
        "node why n1 --job web",
        "node why n1 -job web",
        "node why n1 -job web/other",
        "node why n1 --file jobs/web.hcl",
        "node why n9 --job web",
        "node why",
    ];
    check("node-why", &server, &lines).await;
    let asked = server.first(&format!("GET /v1/node/{NODE_1}/why"));
    assert_eq!(asked.query, "namespace=default&job=web");
    assert_eq!(server.first(&format!("PUT /v1/node/{NODE_1}/why")).body["Job"]["ID"], "web");
}

#[tokio::test]
async fn a_node_alone_shows_what_is_free_and_who_waits() {
    let amounts = |cpu: u64, memory: u64| json!({ "CPU": cpu, "MemoryMB": memory, "MemoryMaxMB": memory, "DiskMB": 0 });
    let closed = json!({ "NodeID": NODE_1, "NodeName": "n1", "Open": false, "Closed": ["node is draining"],
        "Capacity": amounts(2000, 1000), "Held": amounts(100, 64), "Free": amounts(1900, 936),
        "Allocations": [{ "ID": ALLOCATION_0, "Name": "web.web[0]", "ClientStatus": "running", "Holds": amounts(100, 64) }],
        "Blocked": [{ "JobID": "web-batch", "Group": "main", "Unplaced": 2, "Fits": false,
            "Reasons": ["node is draining", "memory short 1112 MiB of 2048"] }], "BlockedTotal": 3 });
    let server = cluster().with(&format!("GET /v1/node/{NODE_1}/why"), closed).serve().await;
    check("node-alone", &server, &["node why n1"]).await;
}

#[tokio::test]
async fn capacity_is_a_table_and_a_change_is_foreseen() {
    let amounts = |cpu: u64, memory: u64| json!({ "CPU": cpu, "MemoryMB": memory, "MemoryMaxMB": memory, "DiskMB": 0 });
    let largest = json!({ "NodeName": "n2", "Ask": amounts(1900, 900) });
    let overview = json!({ "Shares": [
        { "Datacenter": "dc1", "NodePool": "default", "NodeClass": "", "Nodes": 2, "Open": 2, "Total": amounts(4000, 2000),
          "Held": amounts(200, 128), "Free": amounts(3800, 1872), "LargestMemory": largest, "LargestCPU": largest },
        { "Datacenter": "dc2", "NodePool": "gpu", "NodeClass": "large", "Nodes": 1, "Open": 0, "Total": amounts(2000, 1000),
          "Held": amounts(0, 0), "Free": amounts(0, 0), "LargestMemory": null, "LargestCPU": null }] });
    let room = json!({ "Ask": { "Group": "what-if", "Wanted": 20, "Placed": 3, "Nodes": { "n1": 1, "n2": 2 },
            "Why": cluster::unplaced_metric() },
        "Room": { "Instances": 3, "IsLimit": false, "Nodes": { "n1": 1, "n2": 2 }, "EndsFirst": "memory" } });
    let moved = json!({ "NodesAdded": ["new-1"], "Moved": [
        { "JobID": "web", "Group": "web", "Displaced": 2, "UnplacedBefore": 0, "Unplaced": 1, "Why": cluster::unplaced_metric() },
        { "JobID": "web-batch", "Group": "main", "Displaced": 0, "UnplacedBefore": 2, "Unplaced": 0 }] });
    let job = json!({ "Job": [{ "Group": "web", "Wanted": 2, "Placed": 2, "Nodes": { "n1": 2 } }],
        "Preempted": [{ "ID": ALLOCATION_1, "Name": "low.low[0]", "NodeName": "n1", "By": "web.web[0]" }] });
    let server = cluster()
        .with("GET /v1/capacity", overview)
        .with("PUT /v1/capacity", room)
        .with("PUT /v1/capacity", moved)
        .with("PUT /v1/capacity", job)
        .with("PUT /v1/capacity", json!({}))
        .serve()
        .await;
    let lines = [
        "capacity",
        "capacity --what-if cpu=500,mem=2g,count=20",
        "capacity --node-add cpu=8000,mem=16g -node-add like=n2,count=2 --node-remove n1",
        "capacity jobs/web.hcl",
        "capacity --node-remove n1",
        "capacity --what-if gpu=1",
    ];
    check("capacity", &server, &lines).await;
    let asked: Vec<Value> = server.asked().into_iter().map(|asked| asked.body).filter(|body| !body.is_null()).collect();
    assert_eq!(asked[0], json!({ "Ask": { "CPU": 500, "MemoryMB": 2048, "Count": 20 } }));
    let added = json!([{ "CPU": 8000, "MemoryMB": 16384 }, { "Like": NODE_2, "Count": 2 }]);
    assert_eq!(asked[1], json!({ "NodesAdded": added, "NodesRemoved": [NODE_1] }));
    assert_eq!(asked[2]["Job"]["ID"], "web");
}

#[tokio::test]
async fn an_allocation_names_who_took_its_room_and_whose_it_took() {
    let mut one = cluster::complete_allocation();
    one["PreemptedByAllocation"] = ALLOCATION_1.into();
    one["PreemptedAllocations"] = json!([ALLOCATION_1, "a9999999-1111-2222-3333-000000000009"]);
    let other = cluster::allocation(ALLOCATION_1, 1, "n2", "running");
    let server = cluster()
        .only(&format!("GET /v1/allocation/{ALLOCATION_0}"), one)
        .with(&format!("GET /v1/allocation/{ALLOCATION_1}"), other)
        .serve()
        .await;
    check("preempted", &server, &["alloc status -short web[0]"]).await;
}
