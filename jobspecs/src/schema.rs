//! The vocabulary as tables: one table per block, one row per attribute or inner block.
//!
//! The decoder of HCL, the reader of JSON, the hints of "did you mean" and `describe` all read these. To add an
//! attribute is a line in the model and a line here.

mod foreign;
mod hint;
mod kind;

mod group;
mod job;
mod multiregion;
mod periodic;

mod network;
mod placement;
mod policy;
mod scaling;
mod volume;

mod connect;
mod gateway;
mod service;

mod action;
mod artifact;
mod device;
mod identity;
mod secret;
mod task;
mod template;

mod docker;
mod drivers;

use std::collections::BTreeMap;

pub use kind::Kind;

use serde::Serialize;
use serde_json::Value as Json;

use crate::source::Span;
use crate::tree::Node;

use docker::DOCKER as DRIVER_OF_IMAGES;
pub(crate) use drivers::{SETTINGS, driver};
pub(crate) use foreign::{hint as foreign_hint, hint_at_top};
pub(crate) use job::JOB;

/// A block: its name, what may stand in it, and how it becomes JSON.
pub struct Block {
    /// The word that opens it.
    pub name: &'static str,
    /// What it is for, in a line.
    pub doc: &'static str,
    /// The JSON name of its label, if it has one.
    pub label: Option<&'static str>,
    /// Whether the label may be left out.
    pub label_optional: bool,
    /// Its attributes and inner blocks.
    pub fields: &'static [Field],
    /// Brings the decoded entries into the shape of the model's JSON, where that differs from the shape of the text.
    pub(crate) finish: Option<Finish>,
    /// The JSON of what it is in the model with nothing given.
    defaults: Option<fn() -> Json>,
}

/// The entries of a block as they are decoded: JSON name to value.
pub(crate) type Entries = BTreeMap<String, Node>;

/// What brings entries into their final shape, given where their block stands.
pub(crate) type Finish = fn(&mut Entries, &Span) -> Result<(), Fault>;

/// What `finish` found wrong, and where.
pub(crate) struct Fault {
    pub span: Span,
    pub message: String,
    pub hint: &'static str,
}

/// An attribute or inner block.
pub struct Field {
    /// The name in HCL; empty for what only JSON has.
    pub name: &'static str,
    /// The name in JSON; empty for what only HCL has and `finish` rewrites.
    pub json: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether this release acts on it.
    pub status: Status,
    /// What it is for, in a line.
    pub doc: &'static str,
}

/// Whether this release acts on a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It has its full meaning.
    ActedOn,
    /// It is in the model, so it is kept with the job and shown by `inspect`; a use of it is said with a warning.
    NotYet,
}

/// How often a block may stand in the one around it, and how that is written in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// At most once: an object.
    Once,
    /// Any number: a list.
    Many,
    /// Any number, each with its own label: an object by label.
    ByLabel,
    /// At most once in HCL; a list in JSON.
    OnceInList,
}

impl Block {
    const fn new(name: &'static str, doc: &'static str, fields: &'static [Field]) -> Self {
        Self { name, doc, label: None, label_optional: false, fields, finish: None, defaults: None }
    }

    const fn labelled(self, json: &'static str) -> Self {
        Self { label: Some(json), ..self }
    }

    const fn maybe_labelled(self, json: &'static str) -> Self {
        Self { label: Some(json), label_optional: true, ..self }
    }

    /// The type that it is in the model.
    const fn of<T: Default + Serialize>(self) -> Self {
        Self { defaults: Some(defaults::<T>), ..self }
    }

    const fn finish(self, finish: Finish) -> Self {
        Self { finish: Some(finish), ..self }
    }

    /// The JSON of what it is in the model with nothing given; null where it is no type of its own.
    pub(crate) fn defaults(&self) -> Json {
        self.defaults.map_or(Json::Null, |defaults| defaults())
    }

    /// The row of an HCL name.
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name && !name.is_empty())
    }

    /// The row of a JSON name, in whatever case.
    pub(crate) fn json_field(&self, json: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| !field.json.is_empty() && field.json.eq_ignore_ascii_case(json))
    }

    /// All names that HCL knows here.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.fields.iter().map(|field| field.name).filter(|name| !name.is_empty())
    }
}

impl Field {
    const fn not_yet(self) -> Self {
        Self { status: Status::NotYet, ..self }
    }

    /// Known in JSON alone.
    const fn json_only(self) -> Self {
        Self { name: "", ..self }
    }

    /// Under which name its value is held while its block is decoded.
    pub(crate) fn entry(&self) -> &'static str {
        if self.json.is_empty() { self.name } else { self.json }
    }
}

const fn attribute(name: &'static str, json: &'static str, kind: Kind, doc: &'static str) -> Field {
    Field { name, json, kind, status: Status::ActedOn, doc }
}

const fn block(name: &'static str, json: &'static str, inner: &'static Block, times: Times) -> Field {
    Field { name, json, kind: Kind::Block(inner, times), status: Status::ActedOn, doc: inner.doc }
}

fn defaults<T: Default + Serialize>() -> Json {
    serde_json::to_value(T::default()).unwrap_or_default()
}

/// The block that stands at a path from `job`, such as `group.task.resources`, or anywhere under that name alone.
pub(crate) fn find(path: &str) -> Option<&'static Block> {
    let mut found = &JOB;
    for (at, name) in path.split('.').enumerate() {
        if at == 0 && name == "job" {
            continue;
        }
        found = match (inner(found, name), at) {
            (Some(block), _) => block,
            (None, 0) => anywhere(&JOB, name)?,
            (None, _) => return None,
        };
    }
    Some(found)
}

fn inner(block: &'static Block, name: &str) -> Option<&'static Block> {
    block.field(name).and_then(|field| match field.kind {
        Kind::Block(inner, _) => Some(inner),
        _ => None,
    })
}

fn anywhere(block: &'static Block, name: &str) -> Option<&'static Block> {
    inner(block, name).or_else(|| {
        let mut blocks = block.fields.iter().filter_map(|field| match field.kind {
            Kind::Block(inner, _) => Some(inner),
            _ => None,
        });
        blocks.find_map(|inner| anywhere(inner, name))
    })
}

/// The names of the blocks in which a word is known as a block or as an attribute, nearest to the job first; for hints
/// about misplaced ones.
pub(crate) fn parents_of(name: &str, as_block: bool) -> Vec<&'static str> {
    let mut parents = Vec::new();
    let mut waiting = std::collections::VecDeque::from([&JOB]);
    // Blocks do not contain themselves, so this ends.
    while let Some(block) = waiting.pop_front() {
        let is_block = |kind| matches!(kind, Kind::Block(..) | Kind::Free | Kind::TextMap | Kind::TextsMap);
        let is_deprecated = block.name == "resources" && name == "network";
        if !is_deprecated
            && block.field(name).is_some_and(|field| is_block(field.kind) == as_block)
            && !parents.contains(&block.name)
        {
            parents.push(block.name);
        }
        waiting.extend(block.fields.iter().filter_map(|field| match field.kind {
            Kind::Block(inner, _) => Some(inner),
            _ => None,
        }));
    }
    parents
}

#[cfg(test)]
mod tests;
