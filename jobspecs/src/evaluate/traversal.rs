//! Names and the paths that follow them: `var.ports["http"]`, `local.hosts[*].name`, `attr.kernel.name`.

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, TraversalOperator};
use hcl_edit::repr::Decorated;

use super::{Evaluated, Evaluator, Frame, Place, span_of};
use crate::source::Span;
use crate::value::{Number, Value};
use crate::{Diagnostic, nearest};

/// The roots of what is filled in when the task runs.
const KNOWN_ROOTS: [&str; 8] = ["attr", "node", "meta", "env", "device", "secret", "unique", "driver"];

/// What it costs to look for a word that was meant: `try` can make such errors by the thousand.
const HINT_COST: u64 = 2000;

impl Evaluator<'_> {
    /// The value at a path; the literal text `${…}` where the root is not one of ours.
    pub(super) fn traverse(&self, expression: &Expression, frame: &Frame<'_>) -> Evaluated {
        let (root, operators): (&Expression, &[Decorated<TraversalOperator>]) = match expression {
            Expression::Traversal(traversal) => (&traversal.expr, &traversal.operators),
            other => (other, &[]),
        };
        let Expression::Variable(name) = root else {
            let value = self.evaluate(root, frame)?;
            return self.follow(value, operators, frame);
        };
        if let Some(value) = frame.get(name.as_str()) {
            self.charge(value, &span_of(expression))?;
            return self.follow(value.clone(), operators, frame);
        }
        let (known, word) = match name.as_str() {
            "var" => (&self.scope.variables, "variable"),
            "local" => (&self.scope.locals, "local"),
            _ => {
                self.check_root(expression, name.as_str(), operators, frame)?;
                let text = without_blanks(self.source.slice(&span_of(expression)));
                self.spend(text.len() as u64, &span_of(expression))?;
                return Ok(Value::Text(format!("${{{text}}}")));
            }
        };
        if self.scope.place != Place::Job {
            let text = self.source.slice(&span_of(expression));
            let error = Diagnostic::error(self.source, span_of(expression), format!("`{text}` has no value here"));
            let hint = "the value of a variable can't refer to others; that of a local can: locals { name = … }";
            return Err(Box::new(error.hint(hint)));
        }
        let (first, rest) = match operators.split_first() {
            Some((first, rest)) => (first, rest),
            None => {
                let value = Value::Object(known.clone());
                self.charge(&value, &span_of(expression))?;
                return Ok(value);
            }
        };
        let key = match first.value() {
            TraversalOperator::GetAttr(name) => name.as_str().to_string(),
            TraversalOperator::Index(index) => self.evaluate(index, frame)?.to_text().unwrap_or_default(),
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) | TraversalOperator::LegacyIndex(_) => {
                return self.follow(Value::Object(known.clone()), operators, frame);
            }
        };
        let is_lost = self.scope.is_incomplete && !known.contains_key(&key);
        if is_lost || self.scope.without_value.contains(&format!("{}.{key}", name.as_str())) {
            return Err(Box::new(Diagnostic::consequence(self.source, span_of(expression))));
        }
        let Some(value) = known.get(&key) else {
            let span = first.span().unwrap_or_else(|| span_of(expression));
            self.spend(HINT_COST, &span)?;
            let prefix = format!("{}.", name.as_str());
            let lost = self.scope.without_value.iter().filter_map(|name| name.strip_prefix(&prefix));
            let hint = nearest::did_you_mean(&key, known.keys().map(String::as_str).chain(lost)).unwrap_or_else(|| {
                if word == "variable" {
                    format!("declare it: variable \"{key}\" {{ type = string }}")
                } else {
                    format!("declare it: locals {{ {key} = … }}")
                }
            });
            let error = Diagnostic::error(self.source, span, format!("there is no {word} `{key}`"));
            return Err(Box::new(error.label("not declared").hint(hint)));
        };
        self.charge(value, &span_of(expression))?;
        self.follow(value.clone(), rest, frame)
    }

    /// Refuses roots that look like ours and are not, and all in a value for a variable.
    fn check_root(
        &self,
        expression: &Expression,
        root: &str,
        operators: &[Decorated<TraversalOperator>],
        frame: &Frame<'_>,
    ) -> Evaluated<()> {
        let span = span_of(expression);
        let error = |message: String, hint: String| {
            Err(Box::new(Diagnostic::error(self.source, span.clone(), message).hint(hint)))
        };
        if self.scope.place == Place::Given {
            let text = self.source.slice(&span);
            let hint = match operators {
                [] => format!("a text is written in quotes: \"{text}\""),
                _ => "the value of a variable can't refer to others".into(),
            };
            return error(format!("`{text}` is not a value"), hint);
        }
        let is_known = KNOWN_ROOTS.contains(&root) || root.starts_with("NOMAD_");
        if !is_known && let Some(meant) = nearest::nearest(root, frame.all()) {
            return error(format!("nothing here is called `{root}`"), format!("did you mean `{meant}`?"));
        }
        if operators.is_empty() && root.contains(char::is_lowercase) && !self.is_in_template(&span) {
            let error = Diagnostic::error(self.source, span, "a text is written in quotes").label("without quotes");
            return Err(Box::new(error.hint(format!("write: \"{root}\""))));
        }
        let Some(TraversalOperator::GetAttr(next)) = operators.first().map(|operator| operator.value()) else {
            return Ok(());
        };
        let next = next.as_str();
        // Such a text may also be meant for another program, so only what is declared here counts.
        let meant = match root {
            "vars" | "variable" | "variables" if self.scope.variables.contains_key(next) => "var",
            "locals" if self.scope.locals.contains_key(next) => "local",
            "each" if ["key", "value"].contains(&next) => match frame.names.first() {
                Some((name, Value::Object(_))) => name.as_str(),
                _ => return Ok(()),
            },
            _ => return Ok(()),
        };
        error(format!("nothing here is called `{root}`"), format!("write: {meant}.{next}"))
    }

    /// Whether a template begins right before the place: `${name}`.
    fn is_in_template(&self, span: &Span) -> bool {
        let before = self.source.text().get(..span.start).unwrap_or_default().trim_end();
        before.trim_end_matches('~').ends_with("${")
    }

    /// Follows the steps of a path from `value`.
    fn follow(&self, value: Value, operators: &[Decorated<TraversalOperator>], frame: &Frame<'_>) -> Evaluated {
        let mut value = value;
        for (at, operator) in operators.iter().enumerate() {
            let span = operator.span().unwrap_or(0..0);
            value = match operator.value() {
                TraversalOperator::GetAttr(name) => self.attribute(value, name.as_str(), &span)?,
                TraversalOperator::Index(index) => {
                    let key = self.evaluate(index, frame)?;
                    self.index(value, &key, &span)?
                }
                TraversalOperator::LegacyIndex(index) => {
                    self.index(value, &Value::whole(i128::from(*index.value())), &span)?
                }
                // `[*]` applies the whole rest of the path to each item, `.*` only the names that follow.
                TraversalOperator::FullSplat(_) => return self.splat(value, &operators[at + 1..], frame),
                TraversalOperator::AttrSplat(_) => {
                    let rest = &operators[at + 1..];
                    let names = rest
                        .iter()
                        .take_while(|next| {
                            matches!(next.value(), TraversalOperator::GetAttr(_) | TraversalOperator::LegacyIndex(_))
                        })
                        .count();
                    let items = self.splat(value, &rest[..names], frame)?;
                    return self.follow(items, &rest[names..], frame);
                }
            };
        }
        Ok(value)
    }

    /// The path applied to each item; null has none, anything but a list is one item.
    fn splat(&self, value: Value, rest: &[Decorated<TraversalOperator>], frame: &Frame<'_>) -> Evaluated {
        let items = match value {
            Value::Null => Vec::new(),
            Value::List(list) => list,
            other => vec![other],
        };
        items.into_iter().map(|item| self.follow(item, rest, frame)).collect::<Evaluated<Vec<_>>>().map(Value::List)
    }

    fn attribute(&self, value: Value, name: &str, span: &Span) -> Evaluated {
        match value {
            Value::Object(mut object) => match object.remove(name) {
                Some(value) => Ok(value),
                None => {
                    let known = || object.keys().take(10).cloned().collect::<Vec<_>>().join(", ");
                    let hint = nearest::did_you_mean(name, object.keys().map(String::as_str));
                    let hint = hint.or_else(|| (!object.is_empty()).then(|| format!("it has: {}", known())));
                    let message = format!("the object has no attribute `{name}`");
                    Err(Box::new(Diagnostic::error(self.source, span.clone(), message).hint_if(hint)))
                }
            },
            other => Err(self.error(span, format!("{} has no attributes", other.kind()))),
        }
    }

    fn index(&self, value: Value, key: &Value, span: &Span) -> Evaluated {
        match value {
            Value::List(mut list) => {
                let index = key.to_number().and_then(Number::whole);
                let at = index.and_then(|index| usize::try_from(index).ok()).filter(|at| *at < list.len());
                match at {
                    Some(at) => Ok(list.swap_remove(at)),
                    None => {
                        let given = key.to_text().unwrap_or_else(|| key.kind().to_string());
                        let message = format!("the list has {} items, no item {given}", list.len());
                        Err(Box::new(
                            Diagnostic::error(self.source, span.clone(), message).hint("they are counted from 0"),
                        ))
                    }
                }
            }
            Value::Object(_) => match key.to_text() {
                Some(name) => self.attribute(value, &name, span),
                None => Err(self.error(span, format!("a key must be a string, this is {}", key.kind()))),
            },
            other => Err(self.error(span, format!("{} has no items", other.kind()))),
        }
    }
}

/// The text of a traversal without the blanks that may stand in it, save in quotes: whoever fills it in later looks for
/// `attr.kernel.name`.
fn without_blanks(text: &str) -> String {
    let mut quoted = false;
    let is_kept = |letter: &char| {
        quoted ^= *letter == '"';
        quoted || !letter.is_whitespace()
    };
    text.chars().filter(is_kept).collect()
}
