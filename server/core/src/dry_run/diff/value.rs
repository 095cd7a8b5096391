//! Two JSON objects held against each other.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{DiffType, FieldDiff, ObjectDiff};

/// Compares two objects, save for some of their keys.
pub(super) struct Differ {
    left_out: &'static [&'static str],
}

/// What was found between two objects.
#[derive(Default)]
pub(super) struct Parts {
    /// Plain fields: those that changed, and of an object that exists on both sides those that did not.
    pub fields: Vec<FieldDiff>,
    /// Nested objects that changed.
    pub objects: Vec<ObjectDiff>,
    /// Whether anything changed.
    pub changed: bool,
}

type Object = Map<String, Value>;

impl Differ {
    /// Compares all but these keys of the outermost objects.
    pub fn leaving_out(keys: &'static [&'static str]) -> Self {
        Self { left_out: keys }
    }

    /// The difference between `old` and `new`.
    pub fn compare(&self, old: Option<&Object>, new: Option<&Object>) -> Parts {
        let mut parts = Parts::default();
        for key in keys(old, new).into_iter().filter(|key| !self.left_out.contains(key)) {
            let side = |object: Option<&'_ Object>| object.and_then(|object| object.get(key)).cloned();
            parts.entry(key, side(old).unwrap_or_default(), side(new).unwrap_or_default());
        }
        parts.changed = parts.fields.iter().any(|field| field.kind != DiffType::None) || !parts.objects.is_empty();
        parts
    }
}

impl Parts {
    fn entry(&mut self, key: &str, old: Value, new: Value) {
        match (&old, &new) {
            (Value::Object(_), _) | (_, Value::Object(_)) if is_flat(key) => self.flat(key, &old, &new),
            (Value::Object(_), _) | (_, Value::Object(_)) => {
                self.objects.extend(object(key, old.as_object(), new.as_object()));
            }
            (Value::Array(_), _) | (_, Value::Array(_)) => self.list(key, items(&old), items(&new)),
            _ => self.fields.extend(field(key.into(), &old, &new)),
        }
    }

    /// A map whose entries are fields of their own, `Env[PORT]`.
    fn flat(&mut self, key: &str, old: &Value, new: &Value) {
        for name in keys(old.as_object(), new.as_object()) {
            let side = |value: &Value| value.get(name).cloned().unwrap_or_default();
            self.entry(&format!("{key}[{name}]"), side(old), side(new));
        }
    }

    /// Objects are matched by what names them, else by position; plain items by position.
    fn list(&mut self, key: &str, old: &[Value], new: &[Value]) {
        let named = |list: &[Value]| list.iter().all(|item| name_of(item).is_some());
        if old.iter().chain(new).any(|item| !item.is_object()) {
            for at in 0..old.len().max(new.len()) {
                let side = |list: &[Value]| list.get(at).cloned().unwrap_or_default();
                self.entry(&format!("{key}[{at}]"), side(old), side(new));
            }
        } else if named(old) && named(new) {
            let mut seen = BTreeSet::new();
            let names = new.iter().chain(old).filter_map(name_of).filter(|name| seen.insert(name.to_string()));
            for name in names {
                let find = |list: &'_ [Value]| list.iter().find(|item| name_of(item) == Some(name)).cloned();
                let (old, new) = (find(old), find(new));
                let map = |value: &'_ Option<Value>| value.as_ref().and_then(Value::as_object).cloned();
                self.objects.extend(object(&singular(key), map(&old).as_ref(), map(&new).as_ref()));
            }
        } else {
            for at in 0..old.len().max(new.len()) {
                let side = |list: &'_ [Value]| list.get(at).and_then(Value::as_object).cloned();
                self.objects.extend(object(&singular(key), side(old).as_ref(), side(new).as_ref()));
            }
        }
    }
}

/// The difference between two blocks, if there is one.
fn object(name: &str, old: Option<&Object>, new: Option<&Object>) -> Option<ObjectDiff> {
    let Parts { fields, objects, changed } = Differ::leaving_out(&[]).compare(old, new);
    let kind = match (old, new) {
        (None, None) => return None,
        (None, Some(_)) => DiffType::Added,
        (Some(_), None) => DiffType::Deleted,
        (Some(_), Some(_)) if changed => DiffType::Edited,
        (Some(_), Some(_)) => return None,
    };
    Some(ObjectDiff { kind, name: name.into(), fields, objects })
}

/// The difference between two plain values; none where both are empty.
fn field(name: String, old: &Value, new: &Value) -> Option<FieldDiff> {
    let kind = match (old, new) {
        _ if is_empty(old) && is_empty(new) => return None,
        (old, new) if old == new => DiffType::None,
        (old, _) if is_empty(old) => DiffType::Added,
        (_, new) if is_empty(new) => DiffType::Deleted,
        _ => DiffType::Edited,
    };
    Some(FieldDiff { kind, name, old: text(old), new: text(new), annotations: Vec::new() })
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("")
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Maps that people write key by key: their entries are fields of what holds them.
fn is_flat(key: &str) -> bool {
    key == "Env" || key == "Meta"
}

/// The name of one block of a list: `Constraints` holds `Constraint`s.
fn singular(key: &str) -> String {
    match key {
        "ReservedPorts" => "Static Port".into(),
        "DynamicPorts" => "Dynamic Port".into(),
        _ => match (key.strip_suffix("ies"), key.strip_suffix('s')) {
            (Some(stem), _) => format!("{stem}y"),
            (None, Some(stem)) => stem.into(),
            (None, None) => key.into(),
        },
    }
}

fn name_of(item: &Value) -> Option<&str> {
    let named = |key| item.get(key).and_then(Value::as_str).filter(|name| !name.is_empty());
    named("Name").or_else(|| named("Label"))
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn keys<'a>(old: Option<&'a Object>, new: Option<&'a Object>) -> BTreeSet<&'a str> {
    old.into_iter().chain(new).flat_map(|object| object.keys()).map(String::as_str).collect()
}
