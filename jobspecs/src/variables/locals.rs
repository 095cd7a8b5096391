//! `locals` blocks: values by name that may refer to one another, in any order but not in a circle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::structure::{Attribute, Body};
use hcl_edit::visit::{Visit, visit_traversal};

use crate::Diagnostic;
use crate::evaluate::{Budget, Evaluator, Frame, Scope};
use crate::inputs::Outside;
use crate::source::Source;

/// Adds the locals of `body` to `scope`.
pub(super) fn evaluate(
    source: &Source,
    body: &Body,
    outside: Outside<'_>,
    budget: &Budget,
    scope: &mut Scope,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut locals: BTreeMap<&str, &Attribute> = BTreeMap::new();
    for attribute in body.get_blocks("locals").flat_map(|block| block.body.attributes()) {
        if locals.insert(attribute.key.as_str(), attribute).is_some() {
            let message = format!("the local `{}` is given twice", attribute.key.as_str());
            let error = Diagnostic::error(source, attribute.key.span().unwrap_or(0..0), message);
            diagnostics.push(error.hint("give one of the two another name, or remove it"));
        }
    }
    let (order, circle) = in_order(&locals);
    for name in order {
        let evaluator = Evaluator { source, scope, budget, outside };
        match evaluator.evaluate(&locals[name].value, &Frame::TOP) {
            Ok(value) => {
                scope.locals.insert(name.to_string(), value);
            }
            Err(error) => {
                diagnostics.push(*error);
                scope.without_value.insert(format!("local.{name}"));
            }
        }
    }
    for name in circle {
        let span = locals[name].key.span().unwrap_or(0..0);
        let message = format!("the local `{name}` depends on itself");
        diagnostics.push(
            Diagnostic::error(source, span, message)
                .label("part of a circle, or uses one")
                .hint("one of the circle must have a value of its own"),
        );
        scope.without_value.insert(format!("local.{name}"));
    }
}

/// The names such that each comes after those that it refers to; and those for which there is no such order.
fn in_order<'a>(locals: &BTreeMap<&'a str, &'a Attribute>) -> (Vec<&'a str>, Vec<&'a str>) {
    let mut waits_for: BTreeMap<&str, usize> = BTreeMap::new();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, attribute) in locals {
        let mut references = References::default();
        references.visit_expr(&attribute.value);
        let known = references.0.iter().filter_map(|reference| locals.get_key_value(reference.as_str()));
        let known: Vec<&str> = known.map(|(reference, _)| *reference).collect();
        waits_for.insert(name, known.len());
        for reference in known {
            users.entry(reference).or_default().push(name);
        }
    }
    let ready = waits_for.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name);
    let mut ready: VecDeque<&str> = ready.collect();
    let mut order = Vec::new();
    while let Some(name) = ready.pop_front() {
        order.push(name);
        for user in users.get(name).into_iter().flatten() {
            let left = waits_for.get_mut(user).expect("every user is a local");
            *left -= 1;
            if *left == 0 {
                ready.push_back(user);
            }
        }
    }
    let placed: BTreeSet<&str> = order.iter().copied().collect();
    let circle = locals.keys().copied().filter(|name| !placed.contains(name)).collect();
    let of_locals = |name: &str| locals.get_key_value(name).map(|(name, _)| *name);
    (order.into_iter().filter_map(of_locals).collect(), circle)
}

/// The names after `local.` in an expression.
#[derive(Default)]
struct References(BTreeSet<String>);

impl Visit for References {
    fn visit_traversal(&mut self, traversal: &Traversal) {
        if let Expression::Variable(root) = &traversal.expr
            && root.as_str() == "local"
        {
            match traversal.operators.first().map(|operator| operator.value()) {
                Some(TraversalOperator::GetAttr(name)) => {
                    self.0.insert(name.as_str().to_string());
                }
                Some(TraversalOperator::Index(Expression::String(name))) => {
                    self.0.insert(name.as_str().to_string());
                }
                _ => {}
            }
        }
        visit_traversal(self, traversal);
    }
}
