//! Jobs in JSON, as Nomad's API carries them.
//!
//! Keys are taken in any case at every level that the tables know; keys inside `Env`, `Meta`, `Config` and headers are
//! the author's own and left alone. Nulls mean the default and unknown fields are ignored.

use std::fmt;

use model::Job;
use serde_json::{Map, Value as Json};

use crate::complete::{complete, fill_in};
use crate::schema::{Block, JOB, Kind, Times};
use crate::tree::{Node, Tree};
use crate::without_effect::{Given, in_document, in_job};

/// The most objects that a job in JSON may consist of: each costs far more than the two bytes that it may take.
pub(crate) const OBJECTS_MAX: usize = 80_000;

/// The JSON is not a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonError {
    /// Where, `TaskGroups[0].Count`; empty for the whole document.
    pub path: String,
    /// What is wrong there.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl JsonError {
    fn at(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), hint: None }
    }
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
    /// The same in a word or two.
    pub label: &'static str,
}

impl fmt::Display for JsonWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

/// The complete job that `value` stands for, bare or wrapped in `{"Job": …}`; not validated.
pub fn decode_json(value: Json) -> Result<(Job, Vec<JsonWarning>), JsonError> {
    let value = unwrapped(value);
    let objects = objects(&value);
    if objects > OBJECTS_MAX {
        return Err(JsonError::at("", format!("consists of {objects} objects, the limit is {OBJECTS_MAX}")));
    }
    let mut json = read_block(&JOB, &value, "")?;
    let mut uses = in_document(&json, Given::AsDocument);
    fill_in(&mut json);
    let mut job: Job =
        serde_json::from_value(json).map_err(|error| JsonError::at("", format!("can't be read: {error}")))?;
    complete(&mut job);
    uses.extend(in_job(&job));
    let warnings =
        uses.into_iter().map(|found| JsonWarning { path: found.path, message: found.message, label: found.label });
    Ok((job, warnings.collect()))
}

fn objects(value: &Json) -> usize {
    match value {
        Json::Array(list) => list.iter().map(objects).sum(),
        Json::Object(object) => 1 + object.values().map(objects).sum::<usize>(),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => 0,
    }
}

pub(crate) fn unwrapped(value: Json) -> Json {
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

fn read_block(schema: &'static Block, value: &Json, path: &str) -> Result<Json, JsonError> {
    let object = value.as_object().ok_or_else(|| JsonError::at(path, "must be an object"))?;
    let mut read = Map::new();
    for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        let Some(field) = schema.json_field(key) else { continue };
        let inner_path = if path.is_empty() { field.json.to_string() } else { format!("{path}.{}", field.json) };
        let value = match field.kind {
            Kind::Block(inner, times) => read_blocks((inner, times), value, &inner_path)?,
            kind => kind.read(value).map_err(|message| {
                // Hints are written in HCL.
                let (hcl, json) = (format!("{} = ", field.name), format!("\"{}\": ", field.json));
                let hint = field.hint(value).map(|hint| hint.replace(&hcl, &json));
                JsonError { path: inner_path, message, hint }
            })?,
        };
        if !value.is_null() {
            read.insert(field.json.to_string(), value);
        }
    }
    finished(schema, read, path)
}

/// What the block's rule makes of its entries, as for HCL.
fn finished(schema: &Block, read: Map<String, Json>, path: &str) -> Result<Json, JsonError> {
    let Some(finish) = schema.finish else { return Ok(Json::Object(read)) };
    let mut entries = read.into_iter().map(|(key, value)| (key, Node::uniform(&(0..0), value))).collect();
    finish(&mut entries, &(0..0)).map_err(|fault| JsonError::at(path, format!("is wrong: {}", fault.message)))?;
    Ok(Node { span: 0..0, tree: Tree::Map(entries) }.split().0)
}

/// What has a label in HCL has it in JSON too. Groups and tasks without a name are found with all that is wrong of names.
fn check_label(schema: &Block, read: &Json, path: &str) -> Result<(), JsonError> {
    let is_validated = ["group", "task"].contains(&schema.name);
    let Some(label) = schema.label.filter(|_| !schema.label_optional && !is_validated) else { return Ok(()) };
    match read.get(label).and_then(Json::as_str) {
        Some(name) if !name.is_empty() => Ok(()),
        _ => Err(JsonError::at(path, format!("needs a {label}"))),
    }
}

/// An inner block, or the list or map of them.
fn read_blocks((inner, times): (&'static Block, Times), value: &Json, path: &str) -> Result<Json, JsonError> {
    match (times, value) {
        (Times::Many | Times::OnceInList, Json::Array(list)) => {
            let items = list.iter().filter(|item| !item.is_null()).enumerate();
            let items: Result<Vec<Json>, JsonError> = items
                .map(|(at, item)| {
                    let path = format!("{path}[{at}]");
                    let read = read_block(inner, item, &path)?;
                    check_label(inner, &read, &path)?;
                    Ok(read)
                })
                .collect();
            items.map(Json::Array)
        }
        (Times::Many | Times::OnceInList, _) => Err(JsonError::at(path, "must be a list of objects")),
        (Times::ByLabel, Json::Object(object)) => {
            let mut map = Map::new();
            for (label, value) in object.iter().filter(|(_, value)| !value.is_null()) {
                let mut json = read_block(inner, value, &format!("{path}.{label}"))?;
                if let (Some(name), Some(object)) = (inner.label, json.as_object_mut()) {
                    object.entry(name).or_insert_with(|| label.as_str().into());
                }
                map.insert(label.clone(), json);
            }
            Ok(Json::Object(map))
        }
        (Times::Once | Times::ByLabel, value) => read_block(inner, value, path),
    }
}
