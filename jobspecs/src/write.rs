//! A job back to HCL, by the same tables that it is read with.
//!
//! What this release acts on is written out, defaults included, in the order of the tables; what has no effect yet only
//! where it says more than nothing. Reading it again gives the same job.

use model::Job;
use serde_json::{Map, Value as Json};

use crate::duration;
use crate::evaluate::{Budget, Evaluator, Frame, Scope};
use crate::format::format;
use crate::inputs::Outside;
use crate::schema::{Block, Field, JOB, Kind, Status, Times};
use crate::source::Source;
use crate::syntax;
use crate::value::Value;

/// The job as a jobspec, laid out.
pub fn write_hcl(job: &Job) -> String {
    let json = serde_json::to_value(job).unwrap_or(Json::Null);
    let mut text = String::new();
    write_block(&mut text, &JOB, JOB.name, None, &json, 0);
    format(&Source::new("job.hcl", &text)).unwrap_or(text)
}

fn write_block(text: &mut String, schema: &Block, name: &str, label: Option<&str>, json: &Json, depth: usize) {
    let indent = "  ".repeat(depth);
    let label = label.or_else(|| schema.label.and_then(|key| json.get(key)).and_then(Json::as_str));
    let label = label.filter(|label| !label.is_empty()).map(|label| format!(" {}", quote_label(label)));
    text.push_str(&format!("{indent}{name}{} {{\n", label.unwrap_or_default()));
    // What a rule leaves open comes from the same rule further out, and not from the model.
    let is_rule = ["restart", "reschedule", "update", "migrate"].contains(&schema.name);
    let defaults = if is_rule { Json::Null } else { schema.defaults() };
    for field in schema.fields {
        let says_nothing = |value: &Json| {
            field.status == Status::NotYet && defaults.get(field.json).is_some_and(|known| known == value)
        };
        let value = json.get(field.json).filter(|value| schema.label != Some(field.json) && is_written(field, value));
        if let Some(value) = value.filter(|value| !says_nothing(value)) {
            write_field(text, field, value, depth + 1);
        }
    }
    text.push_str(&format!("{indent}}}\n"));
}

/// Empty texts, lists and objects are what is absent; a port of number 0 is one that has none. What only JSON knows is
/// set by others.
fn is_written(field: &Field, value: &Json) -> bool {
    let is_block = matches!(field.kind, Kind::Block(..));
    match value {
        _ if field.name.is_empty() && !is_block => false,
        Json::Null => false,
        Json::String(text) => !text.is_empty(),
        Json::Array(list) => !list.is_empty(),
        Json::Object(object) => !object.is_empty() || is_block,
        Json::Number(number) => !(number.as_i64() == Some(0) && ["static", "to"].contains(&field.name)),
        Json::Bool(_) => true,
    }
}

fn write_field(text: &mut String, field: &Field, value: &Json, depth: usize) {
    let indent = "  ".repeat(depth);
    match (field.kind, value) {
        (Kind::Block(inner, Times::Many | Times::OnceInList), Json::Array(list)) => {
            for item in list {
                text.push('\n');
                write_block(text, inner, inner.name, None, item, depth);
            }
        }
        (Kind::Block(inner, Times::ByLabel), Json::Object(object)) => {
            for (label, item) in object {
                text.push('\n');
                write_block(text, inner, inner.name, Some(label), item, depth);
            }
        }
        (Kind::Block(inner, _), value) => {
            text.push('\n');
            write_block(text, inner, inner.name, None, value, depth);
        }
        (Kind::Free | Kind::TextMap | Kind::TextsMap, Json::Object(object)) if has_plain_keys(object) => {
            text.push_str(&format!("\n{indent}{} {{\n", field.name));
            for (key, value) in object {
                text.push_str(&format!("{indent}  {key} = {}\n", write_value(value, depth + 1)));
            }
            text.push_str(&format!("{indent}}}\n"));
        }
        (Kind::Duration, Json::Number(number)) => {
            let shown = duration::show(number.as_i64().unwrap_or_default());
            text.push_str(&format!("{indent}{} = \"{shown}\"\n", field.name));
        }
        (_, value) => text.push_str(&format!("{indent}{} = {}\n", field.name, write_value(value, depth))),
    }
}

/// Whether all keys can stand as attributes.
fn has_plain_keys(object: &Map<String, Json>) -> bool {
    object.keys().all(|key| {
        let starts_well = key.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '_');
        starts_well && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
    })
}

fn write_value(value: &Json, depth: usize) -> String {
    match value {
        Json::String(text) => quote(text),
        Json::Array(list) => {
            let items: Vec<String> = list.iter().map(|item| write_value(item, depth)).collect();
            format!("[{}]", items.join(", "))
        }
        Json::Object(object) => {
            let indent = "  ".repeat(depth);
            let entries = object
                .iter()
                .map(|(key, value)| format!("{indent}  {} = {}\n", quote(key), write_value(value, depth + 1)));
            format!("{{\n{}{indent}}}", entries.collect::<String>())
        }
        other => other.to_string(),
    }
}

/// A string such that it means `text`: as it is where `${…}` stays text anyway, else with `$${`.
fn quote(text: &str) -> String {
    let plain = quote_plain(text);
    let has_template = text.contains("${") || text.contains("%{");
    if has_template && reads_as(&plain) != Some(text.to_string()) {
        return plain.replace("${", "$${").replace("%{", "%%{");
    }
    plain
}

fn reads_as(quoted: &str) -> Option<String> {
    let source = Source::new("", quoted);
    let expression = syntax::expression(&source).ok()?;
    let (scope, budget) = (Scope::default(), Budget::default());
    let evaluator = Evaluator { source: &source, scope: &scope, budget: &budget, outside: Outside::default() };
    match evaluator.evaluate(&expression, &Frame::TOP).ok()? {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// A label has no templates, and no text that looks like one either.
fn quote_label(text: &str) -> String {
    quote_plain(text).replace("${", "$${").replace("%{", "%%{")
}

fn quote_plain(text: &str) -> String {
    let mut quoted = String::from('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}
