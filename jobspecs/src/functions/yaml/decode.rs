//! YAML becomes a value, event by event. An alias is a copy, which counts against the budget: so a text that doubles
//! itself over and over ends soon.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScanError, Span, Tag};

use super::scalar;
use crate::functions::{Called, Failure};
use crate::value::Value;

/// How deep lists and objects may stand within each other.
const DEPTH_MAX: usize = 128;
/// What it costs to read a byte.
const BYTE_COST: u64 = 8;
/// What it costs to copy a value, for each unit of its weight.
const COPY_COST: u64 = 2;

/// The value of a document of YAML; `spend` counts against the budget.
pub(super) fn decode(text: &str, spend: &dyn Fn(u64) -> Called<()>) -> Called {
    spend(text.len() as u64 * BYTE_COST)?;
    let mut builder = Builder { spend, open: Vec::new(), anchors: BTreeMap::new(), document: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| wrong_text(&error))?;
        builder.take(event, span)?;
    }
    Ok(builder.document.unwrap_or(Value::Null))
}

fn wrong_text(error: &ScanError) -> Failure {
    let place = error.marker();
    Failure::at(0, format!("this is not YAML: line {}, column {}: {}", place.line(), place.col() + 1, error.info()))
}

fn wrong(span: Span, message: &str) -> Failure {
    Failure::at(0, format!("line {}, column {}: {message}", span.start.line(), span.start.col() + 1))
}

struct Builder<'s> {
    spend: &'s dyn Fn(u64) -> Called<()>,
    /// The lists and objects that have begun, the innermost last, each with its anchor or 0.
    open: Vec<(Open, usize)>,
    /// The values of the anchors that are complete.
    anchors: BTreeMap<usize, Value>,
    document: Option<Value>,
}

enum Open {
    List(Vec<Value>),
    Object(Object),
}

#[derive(Default)]
struct Object {
    own: BTreeMap<String, Value>,
    /// What merge keys bring; the object's own keys win, wherever they stand.
    merged: BTreeMap<String, Value>,
    /// The key whose value comes next.
    key: Option<Key>,
}

enum Key {
    Name(String),
    Merge,
}

impl Builder<'_> {
    fn take(&mut self, event: Event<'_>, span: Span) -> Called<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = full_name(tag.as_deref());
                let is_merge = text == "<<" && style == saphyr_parser::ScalarStyle::Plain && tag.is_none();
                if let Some((Open::Object(object @ Object { key: None, .. }), _)) = self.open.last_mut()
                    && is_merge
                {
                    object.key = Some(Key::Merge);
                    return Ok(());
                }
                let value = scalar::resolve(&text, style, tag.as_deref()).map_err(|problem| wrong(span, &problem))?;
                self.complete(value, anchor, span)
            }
            Event::Alias(anchor) => {
                let value = self.anchors.get(&anchor);
                let value = value.ok_or_else(|| wrong(span, "the alias stands within what it refers to"))?;
                (self.spend)(value.weight() * COPY_COST)?;
                self.complete(value.clone(), 0, span)
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(Open::List(Vec::new()), "seq", anchor, tag.as_deref(), span)
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(Open::Object(Object::default()), "map", anchor, tag.as_deref(), span)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let (open, anchor) = self.open.pop().expect("the parser ends only what it has begun");
                let value = match open {
                    Open::List(list) => Value::List(list),
                    Open::Object(mut object) => {
                        object.merged.append(&mut object.own);
                        Value::Object(object.merged)
                    }
                };
                self.complete(value, anchor, span)
            }
            Event::DocumentStart(_) if self.document.is_some() => Err(wrong(span, "there is more than one document")),
            Event::DocumentStart(_) | Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {
                Ok(())
            }
        }
    }

    fn begin(&mut self, open: Open, kind: &str, anchor: usize, tag: Option<&Tag>, span: Span) -> Called<()> {
        if let Some(tag) = full_name(tag)
            && tag.strip_prefix("tag:yaml.org,2002:") != Some(kind)
        {
            return Err(wrong(span, &format!("the tag `{tag}` is not known here")));
        }
        if let Some((Open::Object(Object { key: None, .. }), _)) = self.open.last() {
            return Err(wrong(span, "a key must be a string"));
        }
        if self.open.len() == DEPTH_MAX {
            return Err(wrong(span, &format!("this is nested more than {DEPTH_MAX} levels deep")));
        }
        self.open.push((open, anchor));
        Ok(())
    }

    /// Puts a value where it belongs.
    fn complete(&mut self, value: Value, anchor: usize, span: Span) -> Called<()> {
        if anchor != 0 {
            (self.spend)(value.weight() * COPY_COST)?;
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut() {
            None => self.document = Some(value),
            Some((Open::List(list), _)) => list.push(value),
            Some((Open::Object(object), _)) => match object.key.take() {
                None => {
                    let key = value.to_text().ok_or_else(|| wrong(span, "a key must be a string"))?;
                    object.key = Some(Key::Name(key));
                }
                Some(Key::Name(key)) => {
                    object.own.insert(key, value);
                }
                Some(Key::Merge) => merge(&mut object.merged, value).map_err(|problem| wrong(span, problem))?,
            },
        }
        Ok(())
    }
}

/// Adds the keys of an object or of several; the earlier ones win.
fn merge(merged: &mut BTreeMap<String, Value>, value: Value) -> Result<(), &'static str> {
    let objects = if let Value::List(objects) = value { objects } else { vec![value] };
    for object in objects {
        let Value::Object(object) = object else { return Err("only objects can be merged with `<<`") };
        for (key, value) in object {
            merged.entry(key).or_insert(value);
        }
    }
    Ok(())
}

fn full_name(tag: Option<&Tag>) -> Option<String> {
    tag.map(|tag| format!("{}{}", tag.handle, tag.suffix))
}
