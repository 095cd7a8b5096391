//! Volumes by what clients send and read, with an agent that answers as it is told.

use std::sync::Arc;

use model::{HostVolume, Node, Volume, VolumeOffer};
use prost::bytes::Bytes;
use proto::wire::{End, Frame, frame, order};
use serde_json::{Value, json};
use server_core::command::Command;

use crate::http::limits::{VOLUME_CAPABILITIES_MAX, VOLUME_NAME_CHARS_MAX};
use crate::http::testing::{Twin, web};

/// The agent answers the next orders with that document.
fn agent_says(twin: &Twin, document: &Value) {
    let data = Frame { body: Some(frame::Body::Data(Bytes::from(document.to_string()))) };
    let end = Frame { body: Some(frame::Body::End(End { error: String::new(), status: 200 })) };
    *twin.answers.lock().unwrap() = vec![data, end];
}

/// The agent refuses the next orders.
fn agent_refuses(twin: &Twin, error: &str) {
    let end = Frame { body: Some(frame::Body::End(End { error: error.into(), status: 400 })) };
    *twin.answers.lock().unwrap() = vec![end];
}

/// A cluster whose nodes make volumes.
fn cluster() -> Arc<Twin> {
    let twin = Twin::new();
    for name in ["n1", "n2"] {
        let mut node = model::testing::node(name);
        node.attributes.insert("plugins.host_volume.mkdir.version".into(), "1".into());
        twin.apply(Command::RegisterNode { node: Arc::new(node), session: None });
    }
    twin
}

fn volume(name: &str) -> Value {
    let capability = json!({ "AccessMode": "single-node-writer", "AttachmentMode": "file-system" });
    json!({ "Name": name, "RequestedCapabilities": [capability], "Parameters": { "mode": "0700" } })
}

fn body(volume: &Value) -> String {
    json!({ "Volume": volume }).to_string()
}

/// The agent of a node says that the volume is there.
fn describe(twin: &Twin, id: &str, node: &str) {
    let offer = VolumeOffer { id: id.parse().unwrap(), ..VolumeOffer::default() };
    let mut described = Node::clone(twin.state().node(twin.node(node)).unwrap());
    let volume = HostVolume { path: "/volumes/v".into(), read_only: false, dynamic: Some(offer) };
    described.host_volumes.insert("data".into(), volume);
    twin.apply(Command::RegisterNode { node: Arc::new(described), session: None });
}

/// Makes the volume `data` on n1, and returns its id.
async fn made(twin: &Arc<Twin>) -> String {
    agent_says(twin, &json!({ "path": "/volumes/v" }));
    let reply = twin.put("/v1/volume/host/create", body(&volume("data"))).await.json();
    let id = reply["Volume"]["ID"].as_str().unwrap().to_string();
    describe(twin, &id, "n1");
    id
}

#[tokio::test]
async fn a_volume_is_made_by_an_agent_listed_shown_and_deleted() {
    let twin = cluster();
    agent_says(&twin, &json!({ "path": "/volumes/v" }));
    let reply = twin.put("/v1/volume/host/create", body(&volume("data"))).await.json();
    let made = &reply["Volume"];
    assert_eq!((&made["State"], &made["HostPath"]), (&json!("pending"), &json!("/volumes/v")));
    let id = made["ID"].as_str().unwrap().to_string();
    let order::Body::MakeVolume(order) = twin.orders.lock().unwrap()[0].clone() else { panic!("an order to make it") };
    assert_eq!((order.name.as_str(), order.plugin.as_str()), ("data", "mkdir"));
    describe(&twin, &id, "n1");

    let listed = twin.get("/v1/volumes?type=host").await.json();
    let seen: Vec<_> = ["Name", "PluginID", "NodePool", "State"].map(|name| listed[0][name].clone()).into();
    assert_eq!(seen, [json!("data"), json!("mkdir"), json!("default"), json!("ready")]);
    assert_eq!(twin.get("/v1/volumes?type=csi").await.json(), json!([]));
    assert_eq!(twin.get(&format!("/v1/volumes?node_id={}", twin.node("n2"))).await.json(), json!([]));
    twin.get("/v1/volumes?type=tape").await.refuses(400, "type must be host or csi");
    let shown = twin.get(&format!("/v1/volume/host/{}", &id[..8])).await.json();
    assert_eq!(shown["RequestedCapabilities"], volume("data")["RequestedCapabilities"]);
    assert_eq!(shown["Parameters"], json!({ "mode": "0700" }));
    let node = twin.get(&format!("/v1/node/{}", twin.node("n1"))).await.json();
    assert_eq!(node["HostVolumes"]["data"]["ID"], json!(id));

    agent_says(&twin, &json!({}));
    twin.delete(&format!("/v1/volume/host/{id}")).await.json();
    twin.get(&format!("/v1/volume/host/{id}")).await.refuses(404, "volume not found");
    assert_eq!(twin.get("/v1/volumes").await.json(), json!([]));
}

#[tokio::test]
async fn a_folder_is_registered_on_the_node_that_has_it() {
    let twin = cluster();
    let mut asked = volume("data");
    asked["HostPath"] = json!("/srv/data");
    agent_says(&twin, &json!({ "path": "/srv/data" }));
    asked["NodeID"] = json!(twin.node("n2").to_string());
    let reply = twin.put("/v1/volume/host/register", body(&asked)).await.json();
    assert_eq!(reply["Volume"]["NodeID"], asked["NodeID"]);
    assert_eq!(reply["Volume"]["PluginID"], json!(""));
    // The twin draws the same number each time, and would take a second request for the first one.
    let again = "/v1/volume/host/register?idempotency_token=t2";
    twin.put(again, body(&asked)).await.refuses(400, "volume data is there (1)");
    twin.put("/v1/volume/host/create", body(&asked)).await.refuses(400, "HostPath must not be given");
    twin.put("/v1/volume/host/register", body(&volume("x"))).await.refuses(400, "HostPath must be given");
}

#[tokio::test]
async fn what_an_agent_refuses_is_not_there_afterwards() {
    let twin = cluster();
    agent_refuses(&twin, "the disk is full");
    twin.put("/v1/volume/host/create", body(&volume("data"))).await.refuses(400, "the disk is full");
    assert_eq!(twin.get("/v1/volumes").await.json(), json!([]));
}

#[tokio::test]
async fn a_volume_is_changed_under_its_id_and_stays_where_it_is() {
    let twin = cluster();
    let id = made(&twin).await;
    let mut changed = volume("data");
    changed["ID"] = json!(id);
    changed["RequestedCapabilities"] = json!([{ "AccessMode": "single-node-single-writer" }]);
    agent_says(&twin, &json!({ "path": "/volumes/v" }));
    let reply = twin.put("/v1/volume/host/create", body(&changed)).await.json();
    let wanted = json!([{ "AccessMode": "single-node-single-writer", "AttachmentMode": "file-system" }]);
    assert_eq!((&reply["Volume"]["RequestedCapabilities"], &reply["Volume"]["ID"]), (&wanted, &json!(id)));
    changed["Name"] = json!("other");
    let refusal = "a volume keeps its name, namespace, node and plugin";
    twin.put("/v1/volume/host/create", body(&changed)).await.refuses(400, refusal);
}

#[tokio::test]
async fn a_request_that_is_sent_twice_makes_one_volume() {
    let twin = cluster();
    agent_says(&twin, &json!({ "path": "/volumes/v" }));
    let path = "/v1/volume/host/create?idempotency_token=t1";
    let first = twin.put(path, body(&volume("data"))).await.json();
    agent_says(&twin, &json!({ "path": "/volumes/v" }));
    let second = twin.put(path, body(&volume("data"))).await.json();
    assert_eq!(first["Volume"]["ID"], second["Volume"]["ID"]);
    assert_eq!(twin.get("/v1/volumes").await.json().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_volume_that_is_used_stays_and_what_its_agent_does_not_delete_can_be_forced() {
    let twin = cluster();
    let id = made(&twin).await;
    let mut job = web();
    job.groups[0].volumes.insert(
        "data".into(),
        Volume { name: "data".into(), kind: "host".into(), source: "data".into(), sticky: true, ..Volume::default() },
    );
    twin.register(job);
    twin.place("web", "n1", 1);
    let path = format!("/v1/volume/host/{id}");
    let user = twin.allocations("web")[0];
    twin.delete(&path).await.refuses(400, &format!("volume is in use by allocation {user}"));
    let shown = twin.get(&path).await.json();
    assert_eq!(shown["Allocations"][0]["ID"], json!(user.to_string()));

    let claims = twin.get("/v1/volumes/claims?job_id=web").await.json();
    let seen: Vec<_> =
        ["JobID", "TaskGroupName", "VolumeName", "VolumeID", "AllocID"].map(|name| claims[0][name].clone()).into();
    assert_eq!(seen, [json!("web"), json!("web"), json!("data"), json!(id), json!(user.to_string())]);
    assert_eq!(twin.get("/v1/volumes/claims?volume_name=other").await.json(), json!([]));
    let claim = format!("/v1/volumes/claim/{}", claims[0]["ID"].as_str().unwrap());
    assert_ne!(twin.delete(&claim).await.json()["EvalID"], json!(""));
    twin.delete(&claim).await.refuses(404, "volume claim not found");

    twin.observe(user, model::ClientStatus::Complete);
    agent_refuses(&twin, "the folder is busy");
    twin.delete(&path).await.refuses(400, "the folder is busy");
    assert_eq!(twin.get(&path).await.json()["State"], json!("unavailable"), "nothing new may use it");
    twin.delete(&format!("{path}?force=true")).await.json();
    twin.get(&path).await.refuses(404, "volume not found");
}

#[tokio::test]
async fn bad_volumes_are_refused_with_what_is_wrong() {
    let twin = cluster();
    let with = |name: &str, value: Value| {
        let mut bent = volume("data");
        bent[name] = value;
        bent
    };
    let capability = json!({ "AccessMode": "multi-node-writer" });
    let most = vec![json!({}); VOLUME_CAPABILITIES_MAX + 1];
    for (bent, words) in [
        (with("Name", json!("a/b")), "Name can't be \"a/b\": a name has 1 to 128 letters"),
        (with("Name", json!("x".repeat(VOLUME_NAME_CHARS_MAX + 1))), "a name has 1 to 128 letters"),
        (with("RequestedCapabilities", json!([])), "RequestedCapabilities must hold 1 to 8"),
        (with("RequestedCapabilities", json!(most)), "RequestedCapabilities must hold 1 to 8"),
        (with("RequestedCapabilities", json!([capability])), "AccessMode can't be \"multi-node-writer\": it is one of"),
        (with("NodeID", json!("n1")), "node id must be 36 characters"),
        (with("ID", json!("00000000-0000-8000-8000-000000000000")), "volume not found"),
        (with("Constraints", json!("no")), "Constraints"),
        (with("NodePool", json!("gpu")), "no node can take the volume: node pool (2)"),
        (with("PluginID", json!("zfs")), "no node can take the volume: missing volume plugin zfs (2)"),
        (with("RequestedCapacityMinBytes", json!("big")), "RequestedCapacityMinBytes must be a whole number"),
    ] {
        let status = if words == "volume not found" { 404 } else { 400 };
        twin.put("/v1/volume/host/create", body(&bent)).await.refuses(status, words);
    }
    let mut less = with("RequestedCapacityMinBytes", json!(10));
    less["RequestedCapacityMaxBytes"] = json!(9);
    let words = "RequestedCapacityMaxBytes is 9, less than RequestedCapacityMinBytes, 10";
    twin.put("/v1/volume/host/create", body(&less)).await.refuses(400, words);
    twin.put("/v1/volume/host/create", "{}").await.refuses(400, "the body has no Volume");
    agent_says(&twin, &json!({ "path": "/volumes/v" }));
    let longest = with("Name", json!("x".repeat(VOLUME_NAME_CHARS_MAX)));
    twin.put("/v1/volume/host/create", body(&longest)).await.json();
}
