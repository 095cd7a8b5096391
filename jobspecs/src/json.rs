//! Jobs in JSON, as Nomad's API carries them.
//!
//! Keys are taken in any case at every level that the tables know; keys inside `Env`, `Meta`, `Config` and headers are
//! the author's own and left alone. Nulls mean the default, unknown fields are ignored, and what this release does not
//! act on is kept with a warning.

use std::fmt;

use model::Job;
use serde_json::{Map, Value as Json};

use crate::complete::{complete, merge_rules};
use crate::decode::{KEPT, warning};
use crate::schema::{Block, JOB, Kind, Status, Times};
use crate::tree::{Node, Tree};

/// The JSON is not a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Where, `TaskGroups[0].Count`; empty for the whole document.
    pub path: String,
    /// What is wrong there.
    pub message: String,
}

impl fmt::Display for JsonError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "the job" } else { &self.path };
        write!(f, "{path} {}", self.message)
    }
}

impl std::error::Error for JsonError {}

/// Something in the JSON that has no effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonWarning {
    /// Where, `TaskGroups[0].Scaling`.
    pub path: String,
    /// What there is to know.
    pub message: String,
}

impl fmt::Display for JsonWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// The complete job that `value` stands for, bare or wrapped in `{"Job": …}`; not validated.
pub fn decode_json(value: Json) -> Result<(Job, Vec<JsonWarning>), JsonError> {
    let value = unwrapped(value);
    let mut warnings = Vec::new();
    let mut json = read_block(&JOB, &value, "", &mut warnings)?;
    merge_rules(&mut json);
    let mut job: Job = serde_json::from_value(json)
        .map_err(|error| JsonError { path: String::new(), message: format!("can't be read: {error}") })?;
    complete(&mut job);
    Ok((job, warnings))
}

fn unwrapped(value: Json) -> Json {
    match value {
        Json::Object(mut object) => {
            let wrapper = object.keys().find(|key| key.eq_ignore_ascii_case("job")).cloned();
            match wrapper.and_then(|key| object.remove(&key)) {
                Some(job) => job,
                None => Json::Object(object),
            }
        }
        other => other,
    }
}

fn read_block(
    schema: &'static Block,
    value: &Json,
    path: &str,
    warnings: &mut Vec<JsonWarning>,
) -> Result<Json, JsonError> {
    let object =
        value.as_object().ok_or_else(|| JsonError { path: path.to_string(), message: "must be an object".into() })?;
    let mut read = Map::new();
    let mut kept = Map::new();
    for (key, value) in object {
        if value.is_null() {
            continue;
        }
        // A document that was shown by this product carries what was kept.
        if schema.keeps && key.eq_ignore_ascii_case(KEPT) {
            kept.extend(value.as_object().cloned().unwrap_or_default());
            continue;
        }
        let Some(field) = schema.json_field(key) else { continue };
        let inner_path = if path.is_empty() { field.json.to_string() } else { format!("{path}.{}", field.json) };
        let value = match field.kind {
            Kind::Block(inner, times) => {
                read_blocks((inner, times), field.json, value, &inner_path, &mut kept, warnings)?
            }
            kind => kind.read(value).map_err(|message| JsonError { path: inner_path.clone(), message })?,
        };
        if value.is_null() {
            continue;
        }
        if field.status != Status::ActedOn && says_something(&value) {
            warnings.extend(warning(field).map(|(message, _)| JsonWarning { path: inner_path, message }));
        }
        if field.status == Status::Kept {
            if says_something(&value) {
                kept.insert(field.json.to_string(), value);
            }
        } else {
            read.insert(field.json.to_string(), value);
        }
    }
    if !kept.is_empty() {
        read.insert(KEPT.into(), Json::Object(kept));
    }
    finished(schema, read, path)
}

/// What the block's rule makes of its entries, as for HCL.
fn finished(schema: &Block, read: Map<String, Json>, path: &str) -> Result<Json, JsonError> {
    let Some(finish) = schema.finish else { return Ok(Json::Object(read)) };
    let mut entries = read.into_iter().map(|(key, value)| (key, Node::uniform(&(0..0), value))).collect();
    finish(&mut entries, &(0..0))
        .map_err(|fault| JsonError { path: path.to_string(), message: format!("is wrong: {}", fault.message) })?;
    Ok(Node { span: 0..0, tree: Tree::Map(entries) }.split().0)
}

/// An inner block, or the list or map of them; what they keep goes to `kept` where they have no place of their own.
fn read_blocks(
    (inner, times): (&'static Block, Times),
    name: &str,
    value: &Json,
    path: &str,
    kept: &mut Map<String, Json>,
    warnings: &mut Vec<JsonWarning>,
) -> Result<Json, JsonError> {
    let mut one = |value: &Json, at: &str| -> Result<Json, JsonError> {
        let mut json = read_block(inner, value, &format!("{path}{at}"), warnings)?;
        if !inner.keeps
            && let Some(Json::Object(lifted)) = json.as_object_mut().and_then(|object| object.remove(KEPT))
        {
            kept.extend(lifted.into_iter().map(|(key, value)| (format!("{name}{at}.{key}"), value)));
        }
        Ok(json)
    };
    match (times, value) {
        (Times::Many | Times::OnceInList, Json::Array(list)) => {
            let items = list.iter().filter(|item| !item.is_null()).enumerate();
            let items: Result<Vec<Json>, JsonError> = items.map(|(at, item)| one(item, &format!("[{at}]"))).collect();
            items.map(Json::Array)
        }
        (Times::Many | Times::OnceInList, _) => {
            Err(JsonError { path: path.to_string(), message: "must be a list of objects".into() })
        }
        (Times::ByLabel, Json::Object(object)) => {
            let mut map = Map::new();
            for (label, value) in object {
                map.insert(label.clone(), one(value, &format!(".{label}"))?);
            }
            Ok(Json::Object(map))
        }
        (Times::Once | Times::ByLabel, value) => one(value, ""),
    }
}

/// Whether a value differs from nothing: clients send zeros and empty lists for what they do not use.
fn says_something(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => false,
        Json::Bool(true) => true,
        Json::Number(number) => number.as_f64() != Some(0.0),
        Json::String(text) => !text.is_empty(),
        Json::Array(list) => !list.is_empty(),
        Json::Object(object) => object.values().any(says_something),
    }
}
