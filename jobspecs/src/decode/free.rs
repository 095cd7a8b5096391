//! Blocks whose content is the author's own: `config`, `env`, `meta`, `policy`.
//!
//! Attributes keep their names; an inner block becomes an item of a list under its name, as Nomad's JSON has it, inside
//! objects by its labels.

use hcl_edit::structure::{Body, Structure};

use super::{Decoder, Found};
use crate::evaluate::Frame;
use crate::schema::Entries;
use crate::source::Span;
use crate::tree::{Node, Tree};

impl Decoder<'_> {
    pub(super) fn free_block(&mut self, found: &Found<'_, '_>) -> Node {
        let node = self.free_body(found.body, &found.span, found.frame);
        within_labels(node, &found.labels)
    }

    fn free_body(&mut self, body: &Body, span: &Span, frame: &Frame<'_>) -> Node {
        let mut entries = Entries::new();
        for structure in body.iter() {
            match structure {
                Structure::Attribute(attribute) => match self.evaluator.evaluate(&attribute.value, frame) {
                    Ok(value) => {
                        let node = self.placed(&attribute.value, value.to_json());
                        entries.insert(attribute.key.as_str().to_string(), node);
                    }
                    Err(error) => {
                        self.broken.insert(span.start);
                        self.errors.push(*error);
                    }
                },
                Structure::Block(hcl) if hcl.ident.as_str() == "dynamic" => {
                    self.dynamic(hcl, frame, &mut |decoder, found| decoder.free_inner(found, &mut entries));
                }
                Structure::Block(hcl) => self.free_inner(&super::found(hcl, frame), &mut entries),
            }
        }
        Node { span: span.clone(), tree: Tree::Map(entries) }
    }

    fn free_inner(&mut self, found: &Found<'_, '_>, entries: &mut Entries) {
        let node = self.free_block(found);
        let list = entries
            .entry(found.name.to_string())
            .or_insert(Node { span: found.span.clone(), tree: Tree::List(Vec::new()) });
        match &mut list.tree {
            Tree::List(list) => list.push(node),
            Tree::Leaf(_) | Tree::Map(_) => {
                let message = format!("`{}` is given as an attribute and as a block", found.name);
                self.errors.push(self.error(&found.span, message));
            }
        }
    }
}

fn within_labels(node: Node, labels: &[(String, Span)]) -> Node {
    labels.iter().rev().fold(node, |node, (label, span)| Node {
        span: span.clone(),
        tree: Tree::Map(Entries::from([(label.clone(), Node { span: span.clone(), tree: Tree::List(vec![node]) })])),
    })
}
