//! Expressions of the language become values.
//!
//! Only `var`, `local` and the names of loops are known here. Every other root (`attr`, `node`, `meta`, `env`,
//! `NOMAD_…`) is kept as the literal text `${…}`, for the server and the agent to fill in later. A budget bounds the
//! work, so that no text can make the evaluator hang or fill the memory.

mod heredoc;
mod loops;
mod operators;
mod template;
mod traversal;

pub(crate) use loops::{items, not_iterable};

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall, ObjectKey};

use crate::functions;
use crate::inputs::Outside;
use crate::source::{Source, Span};
use crate::value::{Number, Value};
use crate::{Diagnostic, nearest};

/// The most that one jobspec may cost to evaluate: a unit for each step and each byte that a value takes.
pub(crate) const EVALUATION_COST_MAX: u64 = 32 << 20;

/// A value, or what is wrong with the expression. Boxed, because a diagnostic is many times larger than a value.
pub(crate) type Evaluated<T = Value> = Result<T, Box<Diagnostic>>;

/// What names mean while a jobspec is evaluated.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// `var.<name>`.
    pub variables: BTreeMap<String, Value>,
    /// The text of each variable whose value is the environment's.
    pub from_environment: BTreeMap<String, String>,
    /// `local.<name>`.
    pub locals: BTreeMap<String, Value>,
    /// Variables and locals (as `var.name`) that are declared, but have no value because of an error told elsewhere.
    pub without_value: BTreeSet<String>,
    /// Whether declarations are lacking because of a syntax error: an unknown name may be one of them.
    pub is_incomplete: bool,
    /// Where the expressions stand.
    pub place: Place,
}

/// Where expressions stand, and so what they may refer to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the job and in locals.
    #[default]
    Job,
    /// In the declaration of a variable, which knows no others.
    Declaration,
    /// In a value that a caller gives, in which nothing can be left for later either.
    Given,
}

/// What is left of the budget, shared by all evaluators of a run.
#[derive(Debug)]
pub(crate) struct Budget(Cell<u64>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(EVALUATION_COST_MAX))
    }
}

impl Budget {
    /// Takes `cost` off; false once nothing is left.
    pub(crate) fn spend(&self, cost: u64) -> bool {
        let left = self.0.get().saturating_sub(cost);
        self.0.set(left);
        left > 0
    }

    pub(crate) fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// The names of a loop or dynamic block, inside those of the loops around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame<'f> {
    names: &'f [(String, Value)],
    outer: Option<&'f Frame<'f>>,
}

impl<'f> Frame<'f> {
    /// No names: outside of any loop.
    pub(crate) const TOP: Frame<'static> = Frame { names: &[], outer: None };

    pub(crate) fn inside(names: &'f [(String, Value)], outer: &'f Frame<'f>) -> Self {
        Frame { names, outer: Some(outer) }
    }

    /// All names, the innermost first.
    fn all(&self) -> Vec<&'f str> {
        let mut names: Vec<&str> = self.names.iter().map(|(name, _)| name.as_str()).collect();
        names.extend(self.outer.into_iter().flat_map(|outer| outer.all()));
        names
    }

    fn get(&self, name: &str) -> Option<&Value> {
        let own = self.names.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        own.or_else(|| self.outer.and_then(|outer| outer.get(name)))
    }
}

/// Evaluates expressions of one source.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'a> {
    pub source: &'a Source,
    pub scope: &'a Scope,
    pub budget: &'a Budget,
    pub outside: Outside<'a>,
}

impl<'a> Evaluator<'a> {
    /// The value of `expression`.
    pub(crate) fn evaluate(&self, expression: &Expression, frame: &Frame<'_>) -> Evaluated {
        let span = span_of(expression);
        self.spend(1, &span)?;
        match expression {
            Expression::Null(_) => Ok(Value::Null),
            Expression::Bool(bool) => Ok(Value::Bool(*bool.value())),
            Expression::Number(number) => Ok(Value::Number(number_of(number.value()))),
            Expression::String(text) => {
                self.spend(text.len() as u64, &span)?;
                Ok(Value::text(text.as_str()))
            }
            Expression::Array(array) => {
                array.iter().map(|item| self.evaluate(item, frame)).collect::<Evaluated<Vec<_>>>().map(Value::List)
            }
            Expression::Object(object) => {
                let mut entries = BTreeMap::new();
                for (key, value) in object.iter() {
                    entries.insert(self.key(key, frame)?, self.evaluate(value.expr(), frame)?);
                }
                Ok(Value::Object(entries))
            }
            Expression::StringTemplate(template) => self.template(template.iter(), &BTreeMap::new(), frame, &span),
            Expression::HeredocTemplate(heredoc) => {
                let dedented = heredoc::dedent(heredoc, &span, self.source);
                self.template(heredoc.template.iter(), &dedented, frame, &span)
            }
            Expression::Parenthesis(inner) => self.evaluate(inner.inner(), frame),
            Expression::Variable(_) | Expression::Traversal(_) => self.traverse(expression, frame),
            Expression::Conditional(conditional) => {
                let condition = self.condition(&conditional.cond_expr, frame)?;
                self.evaluate(if condition { &conditional.true_expr } else { &conditional.false_expr }, frame)
            }
            Expression::FuncCall(call) => self.call(call, &span, frame),
            Expression::UnaryOp(operation) => self.unary(operation, frame),
            Expression::BinaryOp(operation) => self.binary(operation, &span, frame),
            Expression::ForExpr(each) => self.for_expression(each, frame),
        }
    }

    /// The value of an expression that must be a bool.
    pub(crate) fn condition(&self, expression: &Expression, frame: &Frame<'_>) -> Evaluated<bool> {
        let value = self.evaluate(expression, frame)?;
        value.to_bool().ok_or_else(|| {
            self.error(&span_of(expression), format!("a condition must be true or false, this is {}", value.kind()))
        })
    }

    /// The key of an object's entry; a bare word is its own name.
    pub(crate) fn key(&self, key: &ObjectKey, frame: &Frame<'_>) -> Evaluated<String> {
        match key {
            ObjectKey::Ident(name) => Ok(name.as_str().to_string()),
            ObjectKey::Expression(expression) => {
                let value = self.evaluate(expression, frame)?;
                value.to_text().ok_or_else(|| {
                    self.error(&span_of(expression), format!("a key must be a string, this is {}", value.kind()))
                })
            }
        }
    }

    fn call(&self, call: &FuncCall, span: &Span, frame: &Frame<'_>) -> Evaluated {
        let name_span = call.name.name.span().unwrap_or_else(|| span.clone());
        let name = call.name.name.as_str();
        if call.name.is_namespaced() {
            let error = Diagnostic::error(self.source, span.clone(), "there are no functions of providers here");
            return Err(Box::new(error.hint(format!("call a built-in function, such as `{name}(…)`"))));
        }
        let arguments: Vec<&Expression> = call.args.iter().collect();
        match (name, arguments.as_slice()) {
            ("try", [_, ..]) => self.first_that_works(&arguments, frame),
            ("can", [argument]) => Ok(Value::Bool(self.evaluate(argument, frame).is_ok())),
            ("convert", [argument, kind]) => {
                let kind = crate::types::parse(kind, self)?;
                let value = self.evaluate(argument, frame)?;
                kind.convert(value).map_err(|problem| {
                    let error = Diagnostic::error(self.source, problem.place(argument), problem.to_string());
                    Box::new(error.hint_if(problem.hint()))
                })
            }
            _ => {
                let function = functions::find(name).map_err(|missing| {
                    let hint = foreign_function(name).map(String::from);
                    let hint = hint.or_else(|| nearest::did_you_mean(name, functions::names()));
                    Box::new(Diagnostic::error(self.source, name_span.clone(), missing).hint_if(hint))
                })?;
                let mut values = Vec::with_capacity(arguments.len());
                for (at, argument) in arguments.iter().enumerate() {
                    let value = self.evaluate(argument, frame)?;
                    match value {
                        Value::List(list) if call.args.expand_final() && at + 1 == arguments.len() => {
                            values.extend(list);
                        }
                        value => values.push(value),
                    }
                }
                let value = function.call(values, self.outside, self.budget).map_err(|failure| {
                    if self.budget.is_spent() {
                        return self.too_much(span);
                    }
                    let at = failure.argument.and_then(|at| arguments.get(at));
                    let span = at.map_or(name_span, |argument| span_of(argument));
                    let error = Diagnostic::error(self.source, span, format!("{name}: {}", failure.message));
                    let hint = match failure.message.contains("files can't be read here") {
                        true => "submit it with `sched job run`, which reads them, or write the text into the jobspec"
                            .into(),
                        false => format!("{name}(…) gives {}", function.doc),
                    };
                    Box::new(error.hint(hint))
                })?;
                self.charge(&value, span)?;
                Ok(value)
            }
        }
    }

    /// `try`: the value of the first argument that has one.
    fn first_that_works(&self, arguments: &[&Expression], frame: &Frame<'_>) -> Evaluated {
        let mut last = None;
        for argument in arguments {
            match self.evaluate(argument, frame) {
                Ok(value) => return Ok(value),
                Err(error) => last = Some(error),
            }
        }
        Err(last.expect("the caller gives at least one argument"))
    }

    /// Counts `cost` against the budget.
    fn spend(&self, cost: u64, span: &Span) -> Evaluated<()> {
        if self.budget.spend(cost) { Ok(()) } else { Err(self.too_much(span)) }
    }

    fn too_much(&self, span: &Span) -> Box<Diagnostic> {
        let message = format!("the jobspec takes too much to evaluate (the limit is {EVALUATION_COST_MAX} steps)");
        Box::new(Diagnostic::error(self.source, span.clone(), message).hint("make its loops and texts smaller"))
    }

    fn charge(&self, value: &Value, span: &Span) -> Evaluated<()> {
        self.spend(value.weight(), span)
    }

    pub(crate) fn error(&self, span: &Span, message: impl Into<String>) -> Box<Diagnostic> {
        Box::new(Diagnostic::error(self.source, span.clone(), message))
    }
}

/// What says the same as a function of Terraform.
fn foreign_function(name: &str) -> Option<&'static str> {
    Some(match name {
        "tostring" => "write: convert(value, string)",
        "tonumber" => "write: convert(value, number)",
        "tobool" => "write: convert(value, bool)",
        "tolist" => "write: convert(value, list(any))",
        "toset" => "write: convert(value, set(any))",
        "tomap" => "write: convert(value, map(any))",
        "templatefile" => "a template of the task does that: template { source = … }",
        "regex" | "regexall" => "there is `regex_replace`",
        _ => return None,
    })
}

/// Where an expression stands.
pub(crate) fn span_of(expression: &Expression) -> Span {
    expression.span().unwrap_or(0..0)
}

fn number_of(number: &hcl_edit::Number) -> Number {
    match (number.as_i64(), number.as_u64()) {
        (Some(whole), _) => Number::Whole(whole.into()),
        (None, Some(whole)) => Number::Whole(whole.into()),
        (None, None) => Number::of_real(number.as_f64().unwrap_or_default()).unwrap_or(Number::Whole(0)),
    }
}
