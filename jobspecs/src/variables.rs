//! `variable`, `variables` and `locals` blocks become the scope in which the job is evaluated.
//!
//! A variable's value comes from the environment, then variable files, then flags, the later winning, else from its
//! default. Locals are evaluated in the order of their dependencies.

mod given;
mod locals;

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;
use hcl_edit::structure::{Block, Body};

use crate::evaluate::{Budget, Evaluator, Frame, Place, Scope, span_of};
use crate::inputs::Inputs;
use crate::source::{Source, Span};
use crate::types::{self, Type};
use crate::value::Value;
use crate::{Diagnostic, nearest};

/// A variable as it is declared.
struct Variable<'b> {
    name: String,
    span: Span,
    kind: Option<Type>,
    default: Option<Value>,
    /// The default as it is written.
    written: Option<&'b Expression>,
    checks: Vec<Check<'b>>,
    /// Whether its declaration is wrong, which is told already.
    faulty: bool,
}

/// A `validation` block.
struct Check<'b> {
    condition: &'b Expression,
    message: String,
}

/// The scope of a jobspec with body `body`; what is wrong goes to `diagnostics`. `is_incomplete` says that the body
/// lacks declarations that the text has.
pub(crate) fn scope(
    source: &Source,
    body: &Body,
    inputs: &Inputs<'_>,
    budget: &Budget,
    is_incomplete: bool,
    diagnostics: &mut Vec<Diagnostic>,
) -> Scope {
    let nothing = Scope { place: Place::Declaration, ..Scope::default() };
    let evaluator = Evaluator { source, scope: &nothing, budget, outside: inputs.outside() };
    let declared = declarations(body, &evaluator, diagnostics);
    let types: BTreeMap<&str, Type> = declared
        .iter()
        .map(|variable| {
            let guess = || variable.default.as_ref().map_or(Type::Text, Type::of);
            (variable.name.as_str(), variable.kind.clone().unwrap_or_else(guess))
        })
        .collect();
    let mut given = given::values(inputs, &types, budget, diagnostics);
    let from_environment = std::mem::take(&mut given.from_environment);
    let mut scope = Scope { is_incomplete, from_environment, ..Scope::default() };
    for variable in &declared {
        let kind = &types[variable.name.as_str()];
        let value = match given.values.remove(&variable.name) {
            Some((value, at)) => kind.convert(value).map_err(|problem| at.diagnostic(&variable.name, &problem)),
            None => match &variable.default {
                Some(default) => kind.convert(default.clone()).map_err(|problem| {
                    let message =
                        format!("the default of variable `{}` does not fit its type: {problem}", variable.name);
                    let place = variable.written.map_or(variable.span.clone(), |written| problem.place(written));
                    Diagnostic::error(source, place, message).hint_if(problem.hint())
                }),
                None if given.is_partial || given.refused.contains(&variable.name) => {
                    Err(Diagnostic::consequence(source, variable.span.clone()))
                }
                None => Err(Diagnostic::error(
                    source,
                    variable.span.clone(),
                    format!("the variable `{}` has no value", variable.name),
                )
                .label("declared here without a default")
                .hint(format!("give it one with -var '{}=…', or a default here", variable.name))),
            },
        };
        match value {
            Ok(value) if !variable.faulty => {
                scope.variables.insert(variable.name.clone(), value);
            }
            Ok(_) => {
                scope.without_value.insert(format!("var.{}", variable.name));
            }
            Err(diagnostic) => {
                scope.without_value.insert(format!("var.{}", variable.name));
                diagnostics.extend((!variable.faulty).then_some(diagnostic));
            }
        }
    }
    let evaluator = Evaluator { source, scope: &scope, budget, outside: inputs.outside() };
    for variable in &declared {
        for check in &variable.checks {
            diagnostics.extend(check.run(variable, &evaluator));
        }
    }
    locals::evaluate(source, body, inputs.outside(), budget, &mut scope, diagnostics);
    scope
}

impl Check<'_> {
    fn run(&self, variable: &Variable<'_>, evaluator: &Evaluator<'_>) -> Option<Diagnostic> {
        if evaluator.scope.without_value.contains(&format!("var.{}", variable.name)) {
            return None;
        }
        match evaluator.condition(self.condition, &Frame::TOP) {
            Ok(true) => None,
            Ok(false) => {
                let message = format!("the value of variable `{}` is refused: {}", variable.name, self.message);
                let diagnostic = Diagnostic::error(evaluator.source, span_of(self.condition), message);
                Some(diagnostic.label("this does not hold"))
            }
            Err(error) => Some(*error),
        }
    }
}

/// The variables that `body` declares, in the order of the text.
fn declarations<'b>(body: &'b Body, evaluator: &Evaluator<'_>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Variable<'b>> {
    let mut declared: Vec<Variable<'b>> = Vec::new();
    for block in body.get_blocks("variable") {
        let span = block.ident.span().unwrap_or(0..0);
        let [name] = block.labels.as_slice() else {
            let error = Diagnostic::error(evaluator.source, span, "a variable needs a name");
            diagnostics.push(error.hint("write: variable \"name\" { type = string }"));
            continue;
        };
        let span = name.span().unwrap_or(span);
        let variable = declaration(name.as_str(), span, block, evaluator, diagnostics);
        declared.push(variable);
    }
    for block in body.get_blocks("variables") {
        for attribute in block.body.attributes() {
            let span = attribute.key.span().unwrap_or(0..0);
            let default = evaluator.evaluate(&attribute.value, &Frame::TOP).map_err(|error| diagnostics.push(*error));
            let name = attribute.key.as_str().to_string();
            let (default, faulty) = (default.clone().ok(), default.is_err());
            let written = Some(&attribute.value);
            declared.push(Variable { name, span, kind: None, default, written, checks: Vec::new(), faulty });
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    declared.retain(|variable| {
        let is_new = seen.insert(variable.name.clone());
        if !is_new {
            let message = format!("the variable `{}` is declared twice", variable.name);
            let error = Diagnostic::error(evaluator.source, variable.span.clone(), message);
            diagnostics.push(error.hint("give one of the two another name, or remove it"));
        }
        is_new
    });
    declared
}

fn declaration<'b>(
    name: &str,
    span: Span,
    block: &'b Block,
    evaluator: &Evaluator<'_>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Variable<'b> {
    let name = name.to_string();
    let mut variable =
        Variable { name, span, kind: None, default: None, written: None, checks: Vec::new(), faulty: false };
    for attribute in block.body.attributes() {
        let result = match attribute.key.as_str() {
            "type" => types::parse(&attribute.value, evaluator).map(|kind| variable.kind = Some(kind)),
            "default" => {
                variable.written = Some(&attribute.value);
                evaluator.evaluate(&attribute.value, &Frame::TOP).map(|default| variable.default = Some(default))
            }
            "description" | "sensitive" => evaluator.evaluate(&attribute.value, &Frame::TOP).map(|_| ()),
            other => {
                let span = attribute.key.span().unwrap_or(0..0);
                let error = Diagnostic::error(evaluator.source, span, format!("unknown attribute `{other}`"));
                let known = ["type", "default", "description", "sensitive", "validation"];
                Err(Box::new(error.label("not known in `variable`").hint_if(nearest::did_you_mean(other, known))))
            }
        };
        variable.faulty |= result.is_err();
        diagnostics.extend(result.err().map(|error| *error));
    }
    for block in block.body.blocks() {
        let span = block.ident.span().unwrap_or(0..0);
        if block.ident.as_str() != "validation" {
            let message = format!("unknown block `{}`", block.ident.as_str());
            let error = Diagnostic::error(evaluator.source, span, message).label("not known in `variable`");
            let hint = nearest::did_you_mean(block.ident.as_str(), ["validation"]);
            diagnostics.push(error.hint(hint.unwrap_or_else(|| "a variable has only `validation` blocks".into())));
            continue;
        }
        for attribute in block.body.attributes() {
            let name = attribute.key.as_str();
            if !["condition", "error_message"].contains(&name) {
                let place = attribute.key.span().unwrap_or(0..0);
                let error = Diagnostic::error(evaluator.source, place, format!("unknown attribute `{name}`"));
                let hint = nearest::did_you_mean(name, ["condition", "error_message"]);
                diagnostics.push(error.label("not known in `validation`").hint_if(hint));
                variable.faulty = true;
            }
        }
        let message = block.body.get_attribute("error_message");
        let message = message.and_then(|attribute| evaluator.evaluate(&attribute.value, &Frame::TOP).ok());
        let message = message.and_then(|message| message.to_text()).unwrap_or_else(|| "its validation fails".into());
        match block.body.get_attribute("condition") {
            _ if variable.faulty => {}
            Some(condition) => variable.checks.push(Check { condition: &condition.value, message }),
            None => {
                let error = Diagnostic::error(evaluator.source, span, "a validation needs a `condition`");
                diagnostics.push(error.hint(format!("write: condition = var.{} > 0", variable.name)));
            }
        }
    }
    variable
}
