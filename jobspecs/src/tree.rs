//! Decoded values with the places where they stand in the text, and their separation into JSON and places by path.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};

use crate::schema::Entries;
use crate::source::Span;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub span: Span,
    pub tree: Tree,
}

/// A value whose parts have places of their own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Tree {
    Leaf(Json),
    List(Vec<Node>),
    Map(Entries),
}

/// The places of values by their path in the JSON, `TaskGroups[0].Count`.
#[derive(Debug, Default)]
pub(crate) struct Places(BTreeMap<String, Span>);

impl Places {
    /// The place of `path`, or of the nearest value around it that has one.
    pub(crate) fn nearest(&self, path: &str) -> Option<&Span> {
        let mut path = path;
        loop {
            if let Some(span) = self.0.get(path) {
                return Some(span);
            }
            let end = path.rfind(['.', '['])?;
            path = &path[..end];
        }
    }
}

impl Node {
    pub(crate) fn leaf(span: Span, json: Json) -> Self {
        Self { span, tree: Tree::Leaf(json) }
    }

    /// The text of that entry.
    pub(crate) fn text(&self, entry: &str) -> Option<&str> {
        let Tree::Map(entries) = &self.tree else { return None };
        match &entries.get(entry)?.tree {
            Tree::Leaf(Json::String(text)) => Some(text),
            Tree::Leaf(_) | Tree::List(_) | Tree::Map(_) => None,
        }
    }

    /// The objects in the lists that the objects of this list have under that name.
    pub(crate) fn inner(&mut self, name: &str) -> impl Iterator<Item = &mut Entries> {
        let lists = self.objects().filter_map(move |object| object.get_mut(name));
        lists.flat_map(|list| list.objects())
    }

    fn objects(&mut self) -> impl Iterator<Item = &mut Entries> {
        let items = match &mut self.tree {
            Tree::List(items) => items.as_mut_slice(),
            Tree::Leaf(_) | Tree::Map(_) => &mut [],
        };
        items.iter_mut().filter_map(|item| match &mut item.tree {
            Tree::Map(entries) => Some(entries),
            Tree::Leaf(_) | Tree::List(_) => None,
        })
    }

    /// The JSON, and the place of each part of it.
    pub(crate) fn split(self) -> (Json, Places) {
        let mut places = Places::default();
        let json = self.split_at(String::new(), &mut places);
        (json, places)
    }

    fn split_at(self, path: String, places: &mut Places) -> Json {
        let json = match self.tree {
            Tree::Leaf(json) => json,
            Tree::List(list) => {
                let items = list.into_iter().enumerate();
                Json::Array(items.map(|(at, node)| node.split_at(format!("{path}[{at}]"), places)).collect())
            }
            Tree::Map(entries) => {
                let mut object = Map::new();
                for (key, node) in entries {
                    let inner = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    object.insert(key, node.split_at(inner, places));
                }
                Json::Object(object)
            }
        };
        places.0.insert(path, self.span);
        json
    }

    /// `json` with `span` for all of it.
    pub(crate) fn uniform(span: &Span, json: Json) -> Self {
        let tree = match json {
            Json::Array(list) => Tree::List(list.into_iter().map(|item| Node::uniform(span, item)).collect()),
            Json::Object(object) => {
                Tree::Map(object.into_iter().map(|(key, value)| (key, Node::uniform(span, value))).collect())
            }
            leaf => Tree::Leaf(leaf),
        };
        Self { span: span.clone(), tree }
    }
}
