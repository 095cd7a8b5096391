//! `for` expressions, and what a loop goes over.

use std::collections::BTreeMap;

use hcl_edit::expr::ForExpr;

use super::{Evaluated, Evaluator, Frame, span_of};
use crate::value::Value;

/// The items of a collection with their keys: numbers from 0 for a list, names for an object. Else the kind of value.
pub(crate) fn items(collection: Value) -> Result<Vec<(Value, Value)>, &'static str> {
    match collection {
        Value::List(list) => {
            Ok(list.into_iter().enumerate().map(|(at, value)| (Value::whole(at as i64), value)).collect())
        }
        Value::Object(object) => Ok(object.into_iter().map(|(key, value)| (Value::Text(key), value)).collect()),
        other => Err(other.kind()),
    }
}

pub(crate) fn not_iterable(kind: &str) -> String {
    format!("a loop goes over a list or an object, this is {kind}")
}

impl Evaluator<'_> {
    /// `[for …]` gives a list, `{for …}` an object.
    pub(super) fn for_expression(&self, each: &ForExpr, frame: &Frame<'_>) -> Evaluated {
        let over = &each.intro.collection_expr;
        let items =
            items(self.evaluate(over, frame)?).map_err(|kind| self.error(&span_of(over), not_iterable(kind)))?;
        let mut list = Vec::new();
        let mut object: BTreeMap<String, Value> = BTreeMap::new();
        for (key, value) in items {
            let mut names = vec![(each.intro.value_var.as_str().to_string(), value)];
            if let Some(key_var) = &each.intro.key_var {
                names.push((key_var.as_str().to_string(), key));
            }
            let inner = Frame::inside(&names, frame);
            if let Some(condition) = &each.cond
                && !self.condition(&condition.expr, &inner)?
            {
                continue;
            }
            let Some(key_expression) = &each.key_expr else {
                list.push(self.evaluate(&each.value_expr, &inner)?);
                continue;
            };
            let key = self.evaluate(key_expression, &inner)?;
            let key = key.to_text().ok_or_else(|| {
                self.error(&span_of(key_expression), format!("a key must be a string, this is {}", key.kind()))
            })?;
            let value = self.evaluate(&each.value_expr, &inner)?;
            match (object.get_mut(&key), each.grouping) {
                (Some(Value::List(group)), true) => group.push(value),
                (_, true) => {
                    object.insert(key, Value::List(vec![value]));
                }
                (Some(_), false) => {
                    let message = format!("the key `{key}` comes twice");
                    let error = crate::Diagnostic::error(self.source, span_of(key_expression), message);
                    return Err(Box::new(error.hint("write `...` after the value to gather all values of a key")));
                }
                (None, false) => {
                    object.insert(key, value);
                }
            }
        }
        Ok(if each.key_expr.is_some() { Value::Object(object) } else { Value::List(list) })
    }
}
