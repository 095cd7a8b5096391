//! The catalog: services by name with their passing instances, and targets for Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use server_core::authorize::Object;
use server_core::state::ServiceKey;

use super::view::service::{Registration, passing};
use crate::http::failure::Failure;
use crate::http::listing::{Row, list as list_rows};
use crate::http::read::{Found, Read};

/// `GET /v1/services`: names with the tags of all instances that pass.
pub(super) fn list<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let namespaces = read.call.namespaces();
    let mut by_namespace: BTreeMap<&str, Vec<serde_json::Value>> = BTreeMap::new();
    for ((namespace, name), row) in read.state.services().filter(|((namespace, _), _)| namespaces.hold(namespace)) {
        let tags: BTreeSet<&str> = passing(row).flat_map(|each| each.tags.iter().map(String::as_str)).collect();
        if passing(row).next().is_none() || !read.call.gate.sees(Object::Service(namespace, name)) {
            continue;
        }
        by_namespace.entry(namespace).or_default().push(json!({ "ServiceName": name, "Tags": tags }));
    }
    Ok(Found::one(read, read.state.indexes().services, move || {
        let of = |(namespace, services): (&&str, &Vec<serde_json::Value>)| json!({ "Namespace": namespace, "Services": services });
        by_namespace.iter().map(of).collect::<Vec<_>>()
    }))
}

/// `GET /v1/service/{name}`: the instances that pass; with `choose=2|key` two of them, the same ones for the same key as
/// long as they are there.
pub(super) fn get<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    let name = read.call.parameter("name");
    let namespaces = read.call.namespaces();
    let choice = choice(read.call.query.text("choose"))?;
    let rows: Vec<_> = read
        .state
        .services()
        .filter(|((namespace, known), _)| &**known == name && namespaces.hold(namespace))
        .collect();
    // The index of a service that is gone can't be told from its row, so that of the table stands for it.
    let index = rows.iter().map(|(_, row)| row.modify_index).max().unwrap_or(read.state.indexes().services);
    let instances = rows.into_iter().flat_map(|((namespace, name), row): (&ServiceKey, _)| {
        passing(row).map(move |instance| Row {
            order: instance.id.clone(),
            id: instance.id.clone(),
            object: Object::Service(namespace, name),
            value: instance,
        })
    });
    let mut instances: Vec<_> = instances.collect();
    if let Some((number, key)) = choice {
        // Each instance has a rank of its own per key, so that one that comes or goes moves no other.
        let rank = |id: &str| model::EvaluationId::derive(&[b"choose", key.as_bytes(), id.as_bytes()]);
        instances.sort_by_key(|row| rank(&row.id));
        instances.truncate(number);
    }
    list_rows(read, index, instances.into_iter(), move |instance| Registration::of(read.state, instance, index))
}

/// The number and key of `choose`.
fn choice(text: Option<&str>) -> Result<Option<(usize, &str)>, Failure> {
    let Some(text) = text else { return Ok(None) };
    let parts = text.split_once('|').and_then(|(number, key)| Some((number.parse::<usize>().ok()?, key)));
    let parts = parts.filter(|(number, key)| *number > 0 && !key.is_empty());
    let wrong = || Failure::bad_request(format!("invalid choose {text:?}: expected a number and a key, such as 2|key"));
    parts.map(Some).ok_or_else(wrong)
}

/// `GET /v1/sd/prometheus`: every passing instance as a scrape target, in Prometheus's `http_sd` form.
pub(super) fn prometheus<'a>(read: &'a Read<'a>) -> Result<Found<'a>, Failure> {
    // Prometheus knows nothing of namespaces, so all are given unless one is asked for.
    let one = read.call.query.text("namespace").filter(|namespace| *namespace != "*");
    let rows = read.state.services().filter(move |((namespace, _), _)| one.is_none_or(|one| **namespace == *one));
    Ok(Found::one(read, read.state.indexes().services, move || {
        let seen = rows.filter(|((namespace, name), _)| read.call.gate.sees(Object::Service(namespace, name)));
        let instances = seen.flat_map(|(_, row)| passing(row)).filter(|instance| instance.port != 0);
        instances.map(target).collect::<Vec<_>>()
    }))
}

fn target(instance: &model::Instance) -> serde_json::Value {
    let host =
        if instance.address.contains(':') { format!("[{}]", instance.address) } else { instance.address.clone() };
    json!({
        "targets": [format!("{host}:{}", instance.port)],
        "labels": {
            "__meta_sched_service": instance.service,
            "__meta_sched_service_id": instance.id,
            "__meta_sched_namespace": instance.job.namespace,
            "__meta_sched_job": instance.job.id,
            "__meta_sched_group": instance.group,
            "__meta_sched_alloc_id": instance.allocation.to_string(),
            "__meta_sched_node_id": instance.node.to_string(),
            "__meta_sched_node": instance.node_name,
            "__meta_sched_dc": instance.datacenter,
            // Separators at both ends make `,tag,` a safe pattern, as Prometheus's own discoveries have it.
            "__meta_sched_tags": format!(",{},", instance.tags.join(",")),
        },
    })
}
