//! Volumes of hosts: made, registered, listed, deleted; and what instances have claimed of sticky ones.
//!
//! A volume is committed first and made by its node's agent then, so that an agent never has one that nobody knows. What
//! can't be made is forgotten again. A volume that is deleted is closed first, then deleted by the agent, then forgotten:
//! each step can be asked for again.

use std::sync::Arc;

use axum::response::Response;
use model::{AccessMode, AttachmentMode, Constraint, DynamicVolume, NodeId, Timestamp, VolumeCapability, VolumeId};
use proto::convert::volume_to_bytes;
use proto::wire::{DeleteVolumeOrder, MakeVolumeOrder, order};
use serde::Deserialize;
use serde_json::{Value, json};
use server_core::authorize::Object;
use server_core::command::Command;
use server_core::state::State;
use server_core::volumes::choose_node;

use super::propose::{newest, propose, propose_further};
use super::view::volume::{ClaimView, VolumeStub, VolumeView};
use super::{client, find};
use crate::http::Api;
use crate::http::body::Fields;
use crate::http::call::Call;
use crate::http::failure::Failure;
use crate::http::limits::{VOLUME_CAPABILITIES_MAX, VOLUME_NAME_CHARS_MAX};
use crate::http::listing::{Row, list as list_rows};
use crate::http::read::{Found, Read};
use crate::http::reply::changed;

/// `GET /v1/volumes`: those of hosts; volumes of storage plugins are not part of this release.
pub(super) fn list<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let query = &read.call.query;
    let kind = query.text("type").unwrap_or_default();
    if !["", "host", "csi"].contains(&kind) {
        return Err(Failure::bad_request(format!("type must be host or csi, got {kind:?}")));
    }
    let (node, pool) = (query.text("node_id").unwrap_or_default(), query.text("node_pool").unwrap_or_default());
    let namespaces = read.call.namespaces();
    let rows = read
        .state
        .volumes()
        .filter(move |volume| kind != "csi" && namespaces.hold(&volume.namespace))
        .filter(move |volume| {
            volume.node.to_string().starts_with(node) && (pool.is_empty() || volume.node_pool == pool)
        })
        .map(|volume| {
            let id = volume.id.to_string();
            Row { order: id.clone(), id, object: Object::Namespace(&volume.namespace), value: &**volume }
        });
    let index = read.state.indexes().volumes.max(read.state.indexes().nodes);
    list_rows(read, index, rows, move |volume| VolumeStub::of(read.state, volume))
}

/// `GET /v1/volume/host/{id}`.
pub(super) fn get<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let volume = find::volume(read.state, read.call)?;
    let indexes = read.state.indexes();
    let index = indexes.volumes.max(indexes.nodes).max(indexes.allocations);
    Ok(Found::one(read, index, move || VolumeView::of(read.state, volume)))
}

/// `PUT /v1/volume/host/create`: a plugin of a node makes it.
pub(super) async fn create(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    put(&api, &call, true).await
}

/// `PUT /v1/volume/host/register`: a folder that is there already.
pub(super) async fn register(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    put(&api, &call, false).await
}

async fn put(api: &Api, call: &Call, is_made: bool) -> Result<Response, Failure> {
    let state = newest(api).await?;
    let body = call.fields()?;
    let fields = body.fields("Volume")?.ok_or_else(|| Failure::bad_request("the body has no Volume"))?;
    let mut volume = read_volume(&state, call, &fields, is_made)?;
    let node = wanted_node(&state, &fields)?;
    if volume.id == VolumeId::default() {
        volume.id = new_id(api, call, &state, &volume.name);
    }
    let known = state.volume(volume.id).cloned();
    match &known {
        Some(known) => (volume.node, volume.node_pool) = (known.node, known.node_pool.clone()),
        None => {
            let place = choose_node(&state, &volume, node).map_err(|reasons| no_node(node, &reasons))?;
            volume.node = place.id;
            volume.node_pool.clone_from(&place.pool);
        }
    }
    propose(api, call, Command::PutVolume { volume: Arc::new(volume.clone()) }).await?;
    let order = MakeVolumeOrder {
        volume: volume_to_bytes(volume.id),
        name: volume.name.clone(),
        plugin: volume.plugin.clone(),
        path: volume.host_path.clone(),
    };
    match client::ask_node(api, &state, volume.node, order::Body::MakeVolume(order)).await {
        Ok(answer) => {
            let made: Made = serde_json::from_slice(&answer)
                .map_err(|error| Failure::internal(format!("the agent's answer can't be read: {error}")))?;
            volume.host_path = made.path;
            let done = propose_further(api, call, Command::PutVolume { volume: Arc::new(volume.clone()) }).await?;
            let state = newest(api).await?;
            let known = state.volume(volume.id).map_or(&volume, |known| known);
            changed(call, done.index, &json!({ "Volume": VolumeView::of(&state, known), "Warnings": "" }))
        }
        Err(failure) => {
            // One that was there before stays as it was.
            let undo = match known {
                Some(known) => Command::PutVolume { volume: known },
                None => Command::ForgetVolume { id: volume.id },
            };
            propose_further(api, call, undo).await?;
            Err(failure)
        }
    }
}

/// The id of a new volume: the same when the same request is sent once more.
fn new_id(api: &Api, call: &Call, state: &State, name: &str) -> VolumeId {
    let random = || [api.config.random.next_u64().to_le_bytes(), api.config.random.next_u64().to_le_bytes()].concat();
    let unique = call.idempotency().map_or_else(random, |request| request.to_vec());
    VolumeId::derive(&[state.cluster().as_bytes(), &unique, name.as_bytes()])
}

/// What an agent answers that has made a volume.
#[derive(Deserialize)]
struct Made {
    path: String,
}

/// The volume that a body describes; of one that is known already, what does not change is taken from that.
fn read_volume(state: &State, call: &Call, fields: &Fields, is_made: bool) -> Result<DynamicVolume, Failure> {
    let text = fields.text("ID")?;
    let id = if text.is_empty() {
        VolumeId::default()
    } else {
        let id = text.parse().map_err(|error: model::ParseIdError| Failure::bad_request(error.to_string()))?;
        state.volume(id).ok_or_else(|| Failure::not_found(format!("volume not found: {text}")))?.id
    };
    let namespace = fields.text("Namespace")?;
    let namespace = if namespace.is_empty() { call.namespace().to_string() } else { namespace };
    call.gate.check(Object::Namespace(&namespace))?;
    let plugin = fields.text("PluginID")?;
    let plugin = match (is_made, plugin.is_empty()) {
        (true, true) => model::FOLDER_PLUGIN.to_string(),
        (true, false) => plugin,
        (false, _) => String::new(),
    };
    let host_path = fields.text("HostPath")?;
    if is_made != host_path.is_empty() {
        let rule = if is_made { "its plugin says where it is" } else { "say which folder it is" };
        return Err(Failure::bad_request(format!(
            "HostPath must {}be given: {rule}",
            if is_made { "not " } else { "" }
        )));
    }
    let name = fields.text("Name")?;
    check_name(&name)?;
    let number = |name| fields.number(name).map(Option::unwrap_or_default);
    let (capacity_min_bytes, capacity_max_bytes) =
        (number("RequestedCapacityMinBytes")?, number("RequestedCapacityMaxBytes")?);
    if capacity_max_bytes != 0 && capacity_max_bytes < capacity_min_bytes {
        return Err(Failure::bad_request(format!(
            "RequestedCapacityMaxBytes is {capacity_max_bytes}, less than RequestedCapacityMinBytes, {capacity_min_bytes}"
        )));
    }
    Ok(DynamicVolume {
        id,
        namespace,
        name,
        plugin,
        node_pool: fields.text("NodePool")?,
        node: NodeId::default(),
        constraints: constraints(fields)?,
        capacity_min_bytes,
        capacity_max_bytes,
        capacity_bytes: number("CapacityBytes")?,
        capabilities: capabilities(fields)?,
        parameters: fields.map("Parameters")?,
        host_path,
        deleting: false,
        create_index: 0,
        modify_index: 0,
        created_at: Timestamp::default(),
        modified_at: Timestamp::default(),
    })
}

fn check_name(name: &str) -> Result<(), Failure> {
    let may = |one: char| one.is_ascii_alphanumeric() || "-_.".contains(one);
    if name.is_empty() || name.len() > VOLUME_NAME_CHARS_MAX || !name.chars().all(may) {
        let rule = format!("a name has 1 to {VOLUME_NAME_CHARS_MAX} letters, digits, `-`, `_` or `.`");
        return Err(Failure::bad_request(format!("Name can't be {name:?}: {rule}")));
    }
    Ok(())
}

fn constraints(fields: &Fields) -> Result<Vec<Constraint>, Failure> {
    let Some(value) = fields.get("Constraints") else { return Ok(Vec::new()) };
    serde_json::from_value(value.clone())
        .map_err(|error| Failure::bad_request(format!("failed to decode request body: Constraints: {error}")))
}

fn capabilities(fields: &Fields) -> Result<Vec<VolumeCapability>, Failure> {
    let items = fields.get("RequestedCapabilities").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() || items.len() > VOLUME_CAPABILITIES_MAX {
        let rule = format!("1 to {VOLUME_CAPABILITIES_MAX} of {{AccessMode, AttachmentMode}}, got {}", items.len());
        return Err(Failure::bad_request(format!("RequestedCapabilities must hold {rule}")));
    }
    let mode = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default().to_string();
    let unknown = |name: &str, word: &str, known: Vec<&str>| {
        Failure::bad_request(format!("{name} can't be {word:?}: it is one of {}", known.join(", ")))
    };
    let capability = |item: &Value| {
        let (access, attachment) = (mode(item, "AccessMode"), mode(item, "AttachmentMode"));
        Ok(VolumeCapability {
            access: AccessMode::parse(&access)
                .ok_or_else(|| unknown("AccessMode", &access, AccessMode::ALL.map(AccessMode::as_str).into()))?,
            attachment: AttachmentMode::parse(&attachment).ok_or_else(|| {
                unknown("AttachmentMode", &attachment, AttachmentMode::ALL.map(AttachmentMode::as_str).into())
            })?,
        })
    };
    items.iter().map(capability).collect()
}

/// The node that a body names, by its whole id.
fn wanted_node(state: &State, fields: &Fields) -> Result<Option<NodeId>, Failure> {
    let text = fields.text("NodeID")?;
    if text.is_empty() {
        return Ok(None);
    }
    let id: NodeId = text.parse().map_err(|error: model::ParseIdError| Failure::bad_request(error.to_string()))?;
    state.node(id).map(|node| Some(node.id)).ok_or_else(|| Failure::not_found(format!("node not found: {text}")))
}

fn no_node(only: Option<NodeId>, reasons: &std::collections::BTreeMap<String, u32>) -> Failure {
    let reasons: Vec<_> = reasons.iter().map(|(reason, nodes)| format!("{reason} ({nodes})")).collect();
    let whose = if only.is_some() { "the node can't take the volume" } else { "no node can take the volume" };
    let reasons = if reasons.is_empty() { "there are no nodes".into() } else { reasons.join(", ") };
    Failure::bad_request(format!("{whose}: {reasons}"))
}

/// `DELETE /v1/volume/host/{id}`; with `force` also where its agent can't be reached.
pub(super) async fn delete(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let volume = find::volume(&state, &call)?;
    let force = call.query.flag("force")?;
    propose(&api, &call, Command::CloseVolume { id: volume.id }).await?;
    let order = DeleteVolumeOrder {
        volume: volume_to_bytes(volume.id),
        name: volume.name.clone(),
        plugin: volume.plugin.clone(),
    };
    match client::ask_node(&api, &state, volume.node, order::Body::DeleteVolume(order)).await {
        Err(failure) if !force => return Err(failure),
        Err(_) | Ok(_) => {}
    }
    let done = propose_further(&api, &call, Command::ForgetVolume { id: volume.id }).await?;
    changed(&call, done.index, &json!({ "Index": done.index }))
}

/// `GET /v1/volumes/claims`.
pub(super) fn claims<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let query = &read.call.query;
    let asked = |name| query.text(name).unwrap_or_default();
    let (job, group, volume) = (asked("job_id"), asked("task_group"), asked("volume_name"));
    let namespaces = read.call.namespaces();
    let is = |asked: &str, found: &str| asked.is_empty() || asked == found;
    let rows = read
        .state
        .volume_claims()
        .filter(move |claim| namespaces.hold(&claim.key.job.namespace))
        .filter(move |claim| is(job, &claim.key.job.id) && is(group, &claim.key.group) && is(volume, &claim.key.source))
        .map(|claim| {
            let id = claim.id.to_string();
            Row { order: id.clone(), id, object: Object::Job(&claim.key.job), value: &**claim }
        });
    list_rows(read, read.state.indexes().volumes, rows, ClaimView::of)
}

/// `DELETE /v1/volumes/claim/{id}`: the instance need not come back to its volume.
pub(super) async fn delete_claim(api: Arc<Api>, call: Arc<Call>) -> Result<Response, Failure> {
    let state = newest(&api).await?;
    let claim = find::volume_claim(&state, &call)?;
    let done = propose(&api, &call, Command::DropVolumeClaim { id: claim.id }).await?;
    super::propose::evaluated(&call, &done, json!({}))
}
