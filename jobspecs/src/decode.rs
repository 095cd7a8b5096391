//! The blocks of a syntax tree become Nomad-shaped JSON with places, driven by the tables of [`schema`](crate::schema).
//!
//! Errors do not stop the decoder: what is wrong is left out and reported, and the rest is read on, so that one run
//! reports everything. Whether values make sense together is for [`validate()`](crate::validate()) to say.

mod dynamic;
mod free;

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Attribute, Body, Structure};
use serde_json::Value as Json;

use crate::evaluate::{Evaluator, Frame, span_of};
use crate::schema::{Block, Entries, Field, Kind, Times};
use crate::source::Span;
use crate::tree::{Node, Tree};
use crate::{DIAGNOSTICS_MAX, Diagnostic, nearest};

/// Decodes blocks, gathering what is wrong.
pub(crate) struct Decoder<'a> {
    pub evaluator: Evaluator<'a>,
    pub errors: Vec<Diagnostic>,
    pub warnings: Vec<Diagnostic>,
    /// Where blocks begin in which something was left out as wrong: what validation misses there is no news.
    pub broken: BTreeSet<usize>,
}

/// The blocks that nearly every jobspec has.
const USUAL: [&str; 14] = [
    "job",
    "group",
    "task",
    "network",
    "port",
    "service",
    "check",
    "resources",
    "update",
    "restart",
    "template",
    "constraint",
    "volume",
    "volume_mount",
];

/// A block as it stands in the text, or as a dynamic block makes it.
struct Found<'b, 'f> {
    name: &'b str,
    labels: Vec<(String, Span)>,
    body: &'b Body,
    span: Span,
    frame: &'f Frame<'f>,
}

impl<'a> Decoder<'a> {
    pub(crate) fn new(evaluator: Evaluator<'a>) -> Self {
        Self { evaluator, errors: Vec::new(), warnings: Vec::new(), broken: BTreeSet::new() }
    }

    /// The value of the block `hcl`, which `schema` describes.
    pub(crate) fn top(&mut self, schema: &'static Block, hcl: &hcl_edit::structure::Block) -> Node {
        let found = found(hcl, &Frame::TOP);
        self.block(schema, &found)
    }

    fn block(&mut self, schema: &'static Block, found: &Found<'_, '_>) -> Node {
        let mut entries = Entries::new();
        self.label(schema, found, &mut entries);
        self.body(schema, found.body, &found.span, found.frame, &mut entries);
        self.finished(schema, entries, &found.span)
    }

    fn finished(&mut self, schema: &'static Block, mut entries: Entries, span: &Span) -> Node {
        if let Some(finish) = schema.finish
            && let Err(fault) = finish(&mut entries, span)
        {
            self.broken.insert(span.start);
            self.errors.push(self.error(&fault.span, fault.message).hint(fault.hint));
        }
        Node { span: span.clone(), tree: Tree::Map(entries) }
    }

    fn label(&mut self, schema: &'static Block, found: &Found<'_, '_>, entries: &mut Entries) {
        let name = schema.name;
        for (label, span) in &found.labels {
            // Labels are plain text, save for those that dynamic blocks compute. `$${` is plain text too.
            if label.contains("${") && self.evaluator.source.slice(span).replace("$${", "").contains("${") {
                self.broken.insert(found.span.start);
                let error = self.error(span, format!("the name of a `{name}` can't be computed"));
                self.errors
                    .push(error.label("plain text is needed here").hint("put the value into an attribute or `meta`"));
            }
        }
        match (schema.label, found.labels.as_slice()) {
            (Some(json), [(label, span)]) => {
                entries.insert(json.into(), Node::leaf(span.clone(), Json::String(label.clone())));
            }
            (Some(_), []) if schema.label_optional => {}
            (None, []) => {}
            (Some(_), []) => {
                self.broken.insert(found.span.start);
                let error = self.error(&found.span, format!("`{name}` needs a name"));
                self.errors.push(error.hint(format!("write: {name} \"a-name\" {{ … }}")));
            }
            (Some(json), [(label, first), (_, second), ..]) => {
                entries.insert(json.into(), Node::leaf(first.clone(), Json::String(label.clone())));
                let error = self.error(second, format!("`{name}` takes one name"));
                self.errors.push(error.hint("remove this one"));
            }
            (None, [(_, first), ..]) => {
                let error = self.error(first, format!("`{name}` takes no name"));
                self.errors.push(error.hint(format!("write: {name} {{ … }}")));
            }
        }
    }

    fn body(&mut self, schema: &'static Block, body: &Body, span: &Span, frame: &Frame<'_>, entries: &mut Entries) {
        for structure in body.iter() {
            let errors = self.errors.len();
            match structure {
                Structure::Attribute(attribute) => self.attribute(schema, attribute, frame, entries),
                Structure::Block(hcl) if hcl.ident.as_str() == "dynamic" => {
                    self.dynamic(hcl, frame, &mut |decoder, found| decoder.inner(schema, found, entries));
                }
                Structure::Block(hcl) => self.inner(schema, &found(hcl, frame), entries),
            }
            if self.errors.len() > errors {
                self.broken.insert(span.start);
            }
            if self.evaluator.budget.is_spent() {
                return;
            }
        }
    }

    /// An inner block, put where its row says.
    fn inner(&mut self, schema: &'static Block, found: &Found<'_, '_>, entries: &mut Entries) {
        let Some(field) = schema.field(found.name) else {
            let message = format!("unknown block `{}`", found.name);
            self.unknown(schema, &found.span, found.name, message, true);
            return;
        };
        let node = match field.kind {
            Kind::Block(inner, _) => self.block(inner, found),
            Kind::Free => self.free_block(found),
            Kind::TextMap | Kind::TextsMap => {
                let node = self.free_block(found);
                let (json, _) = node.clone().split();
                match field.kind.read(&json) {
                    Ok(json) => place_like(json, &node),
                    Err(problem) => return self.refuse(field, &node, &json, &problem),
                }
            }
            _ => {
                let error = self.error(&found.span, format!("`{}` is an attribute, not a block", field.name));
                self.errors.push(error.hint(format!("write: {} = …", field.name)));
                return;
            }
        };
        self.put(schema, field, node, &found.span, entries);
    }

    fn attribute(&mut self, schema: &'static Block, hcl: &Attribute, frame: &Frame<'_>, entries: &mut Entries) {
        let name = hcl.key.as_str();
        let key_span = hcl.key.span().unwrap_or(0..0);
        let Some(field) = schema.field(name) else {
            self.unknown(schema, &key_span, name, format!("unknown attribute `{name}`"), false);
            return;
        };
        let value = match self.evaluator.evaluate(&hcl.value, frame) {
            Ok(value) => value.to_json(),
            Err(error) => return self.errors.push(*error),
        };
        let span = span_of(self.chosen(&hcl.value, frame));
        if value.is_null() {
            return;
        }
        let node = self.placed(self.chosen(&hcl.value, frame), value.clone());
        if let Kind::Block(inner, times) = field.kind {
            return self.block_as_attribute(schema, field, (inner, times), node, entries);
        }
        match field.kind.read(&value) {
            Ok(Json::Null) => {}
            Ok(json) => self.put(schema, field, place_like(json, &node), &key_span, entries),
            Err(problem) => self.refuse(field, &node, &value, &problem),
        }
        if let (Kind::Duration, Json::Number(number)) = (field.kind, &value)
            && number.as_i64().is_some_and(|number| (1..1_000_000).contains(&number))
        {
            let message = format!("`{name}` is {number} nanoseconds");
            let warning = Diagnostic::warning(self.evaluator.source, span, message).label("without a unit");
            self.warnings.push(warning.hint(format!("write: {name} = \"{number}s\"")));
        }
    }

    /// A value that a field does not take: the part of it that is at fault, where it can be told.
    fn refuse(&mut self, field: &Field, node: &Node, json: &Json, problem: &str) {
        let name = field.name;
        if let (Kind::TextMap, Tree::Map(entries)) = (field.kind, &node.tree) {
            for (key, entry) in entries {
                let (json, _) = entry.clone().split();
                if let (false, Err(problem)) = (json.is_null(), Kind::Text.read(&json)) {
                    let error = self.error(&entry.span, format!("`{key}` in `{name}` {problem}")).label("this value");
                    self.errors.push(error.hint("jsonencode(…) or join(\",\", …) makes a text of it"));
                }
            }
            return;
        }
        let error = self.error(&node.span, format!("`{name}` {problem}")).label("this value");
        self.errors.push(error.hint_if(field.hint(json)));
    }

    /// A block that is written as an attribute: an object, or a list of objects.
    fn block_as_attribute(
        &mut self,
        schema: &'static Block,
        field: &'static Field,
        (inner, times): (&'static Block, Times),
        node: Node,
        entries: &mut Entries,
    ) {
        let span = node.span.clone();
        let items = match node.tree {
            Tree::List(items) if times != Times::Once => items,
            Tree::Map(map) if inner.label.is_some() && !inner.label_optional => {
                let labelled = map.into_iter().map(|(label, mut node)| {
                    let name = Node::leaf(node.span.clone(), Json::String(label));
                    if let (Tree::Map(entries), Some(json)) = (&mut node.tree, inner.label) {
                        entries.insert(json.into(), name);
                    }
                    node
                });
                labelled.collect()
            }
            tree => vec![Node { span: span.clone(), tree }],
        };
        for item in items {
            let Tree::Map(map) = item.tree else {
                let error = self.error(&item.span, format!("`{}` is a block, this is one value", field.name));
                let name = field.name;
                let hint = match (name, inner.label.is_some() && !inner.label_optional) {
                    ("restart", _) => {
                        "services are restarted anyway; how often is said in: restart { attempts = 3 }".into()
                    }
                    (_, true) => format!("write: {name} \"name\" {{ … }}"),
                    (_, false) => format!("write: {name} {{ … }}"),
                };
                self.errors.push(error.label("one value").hint(hint));
                continue;
            };
            let node = self.object(inner, map, &item.span);
            self.put(schema, field, node, &span, entries);
        }
    }

    /// The entries of a block that is written as an object.
    fn object(&mut self, schema: &'static Block, map: Entries, span: &Span) -> Node {
        let mut entries = Entries::new();
        for (key, node) in map {
            if schema.label == Some(key.as_str()) {
                entries.insert(key, node);
                continue;
            }
            let Some(field) = schema.field(&key) else {
                let span = self.evaluator.source.name_before(&node.span, &key).unwrap_or_else(|| node.span.clone());
                self.unknown(schema, &span, &key, format!("unknown attribute `{key}`"), false);
                continue;
            };
            let place = node.span.clone();
            if let Kind::Block(inner, times) = field.kind {
                self.block_as_attribute(schema, field, (inner, times), node, &mut entries);
                continue;
            }
            let (json, _) = node.clone().split();
            match field.kind.read(&json) {
                Ok(Json::Null) => {}
                Ok(json) => self.put(schema, field, place_like(json, &node), &place, &mut entries),
                Err(problem) => self.refuse(field, &node, &json, &problem),
            }
        }
        self.finished(schema, entries, span)
    }

    /// Puts a decoded value where its row says.
    fn put(&mut self, schema: &'static Block, field: &'static Field, node: Node, span: &Span, entries: &mut Entries) {
        let entry = field.entry();
        let is_there = entries.contains_key(entry);
        let list = |tree| Node { span: span.clone(), tree };
        match field.kind {
            Kind::Block(_, Times::Many) | Kind::Block(_, Times::OnceInList) if !is_there => {
                entries.insert(entry.into(), list(Tree::List(vec![node])));
            }
            Kind::Block(_, Times::Many) => {
                if let Some(Node { tree: Tree::List(items), .. }) = entries.get_mut(entry) {
                    items.push(node);
                }
            }
            Kind::Block(inner, Times::ByLabel) => {
                let label = inner.label.and_then(|label| node.text(label)).unwrap_or_default().to_string();
                let map = entries.entry(entry.into()).or_insert_with(|| list(Tree::Map(Entries::new())));
                if let Tree::Map(map) = &mut map.tree {
                    if map.contains_key(&label) {
                        let error = self.error(span, format!("the {} `{label}` is given twice", field.name));
                        self.errors.push(error.hint("give each a name of its own"));
                        return;
                    }
                    map.insert(label, node);
                }
            }
            Kind::TextMap | Kind::TextsMap if is_there => merge_map(entries, entry, node),
            _ if is_there => self.twice(schema, field, span),
            _ => drop(entries.insert(entry.into(), node)),
        }
    }

    fn twice(&mut self, schema: &Block, field: &Field, span: &Span) {
        let error = self.error(span, format!("`{}` is given twice", field.name));
        self.errors.push(error.hint(format!("a `{}` has at most one", schema.name)));
    }

    fn unknown(&mut self, schema: &'static Block, span: &Span, name: &str, message: String, is_block: bool) {
        if self.errors.len() >= DIAGNOSTICS_MAX {
            // It is counted, but not shown: no hint is looked for.
            self.errors.push(self.error(span, message));
            return;
        }
        let hint = crate::schema::foreign_hint(schema, name);
        let hint = hint.or_else(|| nearest::did_you_mean(name, schema.names())).unwrap_or_else(|| {
            let mut parents = crate::schema::parents_of(name, is_block);
            if parents.is_empty() {
                parents = crate::schema::parents_of(name, !is_block);
            }
            // The block that most people know comes first; further ones only where that is none of the usual.
            if parents.first().is_some_and(|parent| USUAL.contains(parent)) {
                parents.retain(|parent| USUAL.contains(parent));
            }
            match parents.as_slice() {
                [] => format!("`{}` has: {}", schema.name, schema.names().collect::<Vec<_>>().join(", ")),
                [parent] => format!("`{name}` belongs in `{parent}`"),
                [first, second, ..] => format!("`{name}` belongs in `{first}` or `{second}`"),
            }
        });
        let error = self.error(span, message).label(format!("not known in `{}`", schema.name)).hint(hint);
        self.errors.push(error);
    }

    fn error(&self, span: &Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.evaluator.source, span.clone(), message)
    }

    /// The part of an expression whose value it has: the branch that a condition chooses.
    fn chosen<'e>(&self, expression: &'e Expression, frame: &Frame<'_>) -> &'e Expression {
        match expression {
            Expression::Parenthesis(inner) => self.chosen(inner.inner(), frame),
            Expression::Conditional(conditional) => match self.evaluator.condition(&conditional.cond_expr, frame) {
                Ok(true) => self.chosen(&conditional.true_expr, frame),
                Ok(false) => self.chosen(&conditional.false_expr, frame),
                Err(_) => expression,
            },
            other => other,
        }
    }

    /// The value of an expression with the places of its parts, as far as the expression spells them out.
    fn placed(&self, expression: &Expression, json: Json) -> Node {
        let span = span_of(expression);
        match (expression, json) {
            (Expression::Array(array), Json::Array(list)) if array.len() == list.len() => {
                let items = array.iter().zip(list).map(|(item, json)| self.placed(item, json)).collect();
                Node { span, tree: Tree::List(items) }
            }
            (Expression::Object(object), Json::Object(values)) => {
                let mut places: BTreeMap<String, &Expression> = BTreeMap::new();
                for (key, value) in object.iter() {
                    if let Ok(key) = self.evaluator.key(key, &Frame::TOP) {
                        places.insert(key, value.expr());
                    }
                }
                let entries = values.into_iter().map(|(key, json)| match places.get(&key) {
                    Some(value) => (key, self.placed(value, json)),
                    None => (key, Node::uniform(&span, json)),
                });
                Node { span: span.clone(), tree: Tree::Map(entries.collect()) }
            }
            (_, json) => Node::uniform(&span, json),
        }
    }
}

fn found<'b, 'f>(hcl: &'b hcl_edit::structure::Block, frame: &'f Frame<'f>) -> Found<'b, 'f> {
    let start = hcl.ident.span().unwrap_or(0..0);
    let labels: Vec<(String, Span)> = hcl
        .labels
        .iter()
        .map(|label| (label.as_str().to_string(), label.span().unwrap_or_else(|| start.clone())))
        .collect();
    let end = labels.last().map_or(start.end, |(_, span)| span.end);
    Found { name: hcl.ident.as_str(), labels, body: &hcl.body, span: start.start..end, frame }
}

/// `json` with the places of `node`, which has the same shape but for converted leaves.
fn place_like(json: Json, node: &Node) -> Node {
    let span = node.span.clone();
    match (json, &node.tree) {
        (Json::Array(list), Tree::List(items)) if items.len() == list.len() => {
            let items = list.into_iter().zip(items).map(|(json, item)| place_like(json, item)).collect();
            Node { span, tree: Tree::List(items) }
        }
        (Json::Object(object), Tree::Map(entries)) => {
            let placed = object.into_iter().map(|(key, json)| match entries.get(&key) {
                Some(entry) => (key, place_like(json, entry)),
                None => (key, Node::uniform(&span, json)),
            });
            Node { span: span.clone(), tree: Tree::Map(placed.collect()) }
        }
        (json, _) => Node::uniform(&span, json),
    }
}

/// Several `env` or `meta` blocks add up.
fn merge_map(target: &mut Entries, entry: &str, node: Node) {
    if let (Some(Node { tree: Tree::Map(known), .. }), Tree::Map(more)) = (target.get_mut(entry), node.tree) {
        known.extend(more);
    }
}
