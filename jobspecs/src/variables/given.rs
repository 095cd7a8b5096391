//! The values that a caller gives for variables: from the environment, from variable files, from flags.

use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::Span as _;
use hcl_edit::expr::Expression;

use crate::evaluate::{self, Budget, Evaluator, Frame, Scope, span_of};
use crate::inputs::{Inputs, Outside};
use crate::source::{Source, Span};
use crate::types::{Mismatch, Type};
use crate::value::Value;
use crate::{Diagnostic, nearest, syntax};

/// What the names of environment variables that carry values begin with.
const ENVIRONMENT_PREFIXES: [&str; 2] = ["NOMAD_VAR_", "SCHED_VAR_"];

/// Where a value was given.
pub(super) struct Place {
    source: Source,
    span: Span,
    /// The value as it is written, where that is an expression.
    written: Option<Expression>,
}

impl Place {
    fn is_environment(&self, inputs: &Inputs<'_>) -> bool {
        inputs.environment.iter().any(|(key, _)| key == self.source.name())
    }

    pub(super) fn diagnostic(&self, name: &str, problem: &Mismatch) -> Diagnostic {
        let message = format!("the value of variable `{name}` does not fit its type: {problem}");
        let span = self.written.as_ref().map_or_else(|| self.span.clone(), |written| problem.place(written));
        Diagnostic::error(&self.source, span, message).label("this value").hint_if(problem.hint())
    }
}

/// What callers give.
#[derive(Default)]
pub(super) struct Given {
    pub values: BTreeMap<String, (Value, Place)>,
    /// The text of each whose value comes from the environment.
    pub from_environment: BTreeMap<String, String>,
    /// Variables whose value is wrong, which is told already.
    pub refused: BTreeSet<String>,
    /// Whether a file could not be read, in which any value may stand.
    pub is_partial: bool,
    passes_over_undeclared: bool,
}

/// The value given for each variable of `types`; the later source wins.
pub(super) fn values(
    inputs: &Inputs<'_>,
    types: &BTreeMap<&str, Type>,
    budget: &Budget,
    diagnostics: &mut Vec<Diagnostic>,
) -> Given {
    let mut given = Given { passes_over_undeclared: inputs.passes_over_undeclared, ..Given::default() };
    for (key, text) in inputs.environment {
        let name = ENVIRONMENT_PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix));
        // The environment is shared by many jobs: a name that this one lacks is no error.
        if let Some((name, kind)) = name.and_then(|name| types.get_key_value(name)) {
            let source = Source::new(key, text);
            insert_text(&mut given, name, kind, source, budget, diagnostics);
            given.from_environment.insert((*name).to_string(), text.clone());
        }
    }
    for (name, text) in inputs.var_files {
        let source = Source::new(name, text);
        if let Err(error) = source.check_size() {
            given.is_partial = true;
            diagnostics.extend(error.iter().cloned());
        } else if text.trim_start().starts_with('{') {
            insert_json(&mut given, &source, types, diagnostics);
        } else {
            insert_file(&mut given, &source, types, budget, diagnostics);
        }
    }
    for (name, text, flag) in inputs.variables {
        let source = Source::new(&format!("{flag} {name}"), text);
        match types.get(name.as_str()) {
            Some(kind) => insert_text(&mut given, name, kind, source, budget, diagnostics),
            None => diagnostics.extend(given.undeclared(&source, 0..text.len(), name, types)),
        }
    }
    let Given { values, from_environment, .. } = &mut given;
    from_environment.retain(|name, _| values.get(name).is_some_and(|(_, place)| place.is_environment(inputs)));
    given
}

impl Given {
    /// What is said of a value for a variable that the jobspec has not.
    fn undeclared(&self, source: &Source, span: Span, name: &str, types: &BTreeMap<&str, Type>) -> Option<Diagnostic> {
        let hint = nearest::did_you_mean(name, types.keys().copied());
        let hint =
            hint.unwrap_or_else(|| format!("declare it in the jobspec: variable \"{name}\" {{ type = string }}"));
        let error = Diagnostic::error(source, span, format!("the jobspec has no variable `{name}`")).hint(hint);
        (!self.passes_over_undeclared).then_some(error)
    }
}

/// A value written as text: as it is for a string, else as an expression.
fn insert_text(
    given: &mut Given,
    name: &str,
    kind: &Type,
    source: Source,
    budget: &Budget,
    diagnostics: &mut Vec<Diagnostic>,
) {
    // Of a text, every letter counts.
    let source = if kind.is_plain_text() { source } else { Source::new(source.name(), source.text().trim()) };
    let span = 0..source.text().len();
    let value = if kind.is_plain_text() {
        Ok((Value::text(source.text()), None))
    } else {
        syntax::expression(&source).and_then(|expression| {
            let scope = Scope { place: evaluate::Place::Given, ..Scope::default() };
            let evaluator = Evaluator { source: &source, scope: &scope, budget, outside: Outside::default() };
            // A bare word is no value of any type, and what type is needed says more than that.
            let value = match expression.as_variable() {
                Some(word) => Value::text(word.as_str()),
                None => evaluator.evaluate(&expression, &Frame::TOP)?,
            };
            Ok((value, Some(expression)))
        })
    };
    match value {
        Ok((value, written)) => {
            given.values.insert(name.to_string(), (value, Place { source, span, written }));
        }
        Err(diagnostic) => {
            given.refused.insert(name.to_string());
            diagnostics.push(*diagnostic);
        }
    }
}

fn insert_json(given: &mut Given, source: &Source, types: &BTreeMap<&str, Type>, diagnostics: &mut Vec<Diagnostic>) {
    let json = match syntax::json(source) {
        Ok(json) => json,
        Err(diagnostic) => {
            given.is_partial = true;
            return diagnostics.push(*diagnostic);
        }
    };
    for (name, value) in json.as_object().into_iter().flatten() {
        let start = source.text().find(&format!("\"{name}\"")).unwrap_or(0);
        let span = start..start + name.len() + 2;
        if types.contains_key(name.as_str()) {
            let place = Place { source: source.clone(), span, written: None };
            given.values.insert(name.clone(), (Value::from_json(value), place));
        } else {
            diagnostics.extend(given.undeclared(source, span, name, types));
        }
    }
}

fn insert_file(
    given: &mut Given,
    source: &Source,
    types: &BTreeMap<&str, Type>,
    budget: &Budget,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let body = match syntax::body(source) {
        Ok(body) => body,
        Err(diagnostic) => {
            given.is_partial = true;
            return diagnostics.push(*diagnostic);
        }
    };
    let scope = Scope { place: evaluate::Place::Given, ..Scope::default() };
    let evaluator = Evaluator { source, scope: &scope, budget, outside: Outside::default() };
    for block in body.blocks() {
        let span = block.ident.span().unwrap_or(0..0);
        let error = Diagnostic::error(source, span, "a variable file has no blocks");
        diagnostics.push(error.hint("write: name = value"));
    }
    for attribute in body.attributes() {
        let name = attribute.key.as_str();
        if !types.contains_key(name) {
            diagnostics.extend(given.undeclared(source, attribute.key.span().unwrap_or(0..0), name, types));
            continue;
        }
        match evaluator.evaluate(&attribute.value, &Frame::TOP) {
            Ok(value) => {
                let written = Some(attribute.value.clone());
                let place = Place { source: source.clone(), span: span_of(&attribute.value), written };
                given.values.insert(name.to_string(), (value, place));
            }
            Err(error) => {
                given.refused.insert(name.to_string());
                diagnostics.push(*error);
            }
        }
    }
}
