//! Types of variables, `list(object({ name = string, port = optional(number, 80) }))`, and the conversion of values.

use std::collections::BTreeMap;
use std::fmt;

use hcl_edit::expr::Expression;

use crate::evaluate::{Evaluated, Evaluator, Frame, span_of};
use crate::value::Value;
use crate::{Diagnostic, nearest};

/// What a variable may hold.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    Any,
    Text,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Tuple(Vec<Type>),
    Object(BTreeMap<String, Attribute>),
}

/// An attribute of an object type; an optional one that is absent becomes its default.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Attribute {
    kind: Type,
    optional: Option<Value>,
}

const NAMES: [&str; 9] = ["any", "string", "number", "bool", "list", "set", "map", "tuple", "object"];

/// Reads a type. It is an expression in form, but its names are those of types.
pub(crate) fn parse(expression: &Expression, evaluator: &Evaluator<'_>) -> Evaluated<Type> {
    let span = span_of(expression);
    let wrong = |name: &str| {
        let hint = nearest::did_you_mean(name, NAMES).unwrap_or_else(|| format!("types are {}", NAMES.join(", ")));
        Box::new(Diagnostic::error(evaluator.source, span.clone(), format!("there is no type `{name}`")).hint(hint))
    };
    let simple = |name: &str| match name {
        "any" => Ok(Type::Any),
        "string" => Ok(Type::Text),
        "number" => Ok(Type::Number),
        "bool" => Ok(Type::Bool),
        "list" => Ok(Type::List(Box::new(Type::Any))),
        "set" => Ok(Type::Set(Box::new(Type::Any))),
        "map" => Ok(Type::Map(Box::new(Type::Any))),
        other => Err(wrong(other)),
    };
    match expression {
        Expression::Variable(name) => simple(name.as_str()),
        Expression::String(name) => simple(name.as_str()),
        Expression::Parenthesis(inner) => parse(inner.inner(), evaluator),
        Expression::FuncCall(call) => {
            let arguments: Vec<&Expression> = call.args.iter().collect();
            let one = |wrap: fn(Box<Type>) -> Type| match arguments.as_slice() {
                [inner] => parse(inner, evaluator).map(|inner| wrap(Box::new(inner))),
                _ => Err(evaluator.error(&span, "this type takes one type in its parentheses")),
            };
            match (call.name.name.as_str(), arguments.as_slice()) {
                ("list", _) => one(Type::List),
                ("set", _) => one(Type::Set),
                ("map", _) => one(Type::Map),
                ("tuple", [Expression::Array(items)]) => {
                    let types: Evaluated<Vec<Type>> = items.iter().map(|item| parse(item, evaluator)).collect();
                    types.map(Type::Tuple)
                }
                ("object", [Expression::Object(attributes)]) => {
                    let mut object = BTreeMap::new();
                    for (key, value) in attributes.iter() {
                        let name = evaluator.key(key, &Frame::TOP)?;
                        object.insert(name, attribute(value.expr(), evaluator)?);
                    }
                    Ok(Type::Object(object))
                }
                ("tuple" | "object", _) => {
                    Err(evaluator.error(&span, "write object({ name = type, … }) or tuple([type, …])"))
                }
                (other, _) => Err(wrong(other)),
            }
        }
        _ => Err(evaluator.error(&span, "a type is needed here, such as string, number, bool or list(string)")),
    }
}

fn attribute(expression: &Expression, evaluator: &Evaluator<'_>) -> Evaluated<Attribute> {
    if let Expression::FuncCall(call) = expression
        && call.name.name.as_str() == "optional"
    {
        let arguments: Vec<&Expression> = call.args.iter().collect();
        let default = match arguments.as_slice() {
            [_] => Value::Null,
            [_, default] => evaluator.evaluate(default, &Frame::TOP)?,
            _ => return Err(evaluator.error(&span_of(expression), "write optional(type) or optional(type, default)")),
        };
        return Ok(Attribute { kind: parse(arguments[0], evaluator)?, optional: Some(default) });
    }
    Ok(Attribute { kind: parse(expression, evaluator)?, optional: None })
}

impl Type {
    /// The type of a value, for variables that declare a default and no type.
    pub(crate) fn of(value: &Value) -> Type {
        match value {
            Value::Text(_) => Type::Text,
            Value::Number(_) => Type::Number,
            Value::Bool(_) => Type::Bool,
            Value::Null | Value::List(_) | Value::Object(_) => Type::Any,
        }
    }

    /// Whether a value of the type is written as plain text on a command line, not as an expression.
    pub(crate) fn is_plain_text(&self) -> bool {
        matches!(self, Type::Text)
    }

    /// `value` as this type, or what is wrong with it.
    pub(crate) fn convert(&self, value: Value) -> Result<Value, String> {
        let wrong = |value: &Value| format!("{self} is needed, this is {}", value.kind());
        match (self, value) {
            (Type::Any, value) | (_, value @ Value::Null) => Ok(value),
            (Type::Text, value) => value.to_text().map(Value::Text).ok_or_else(|| wrong(&value)),
            (Type::Number, value) => value.to_number().map(Value::Number).ok_or_else(|| wrong(&value)),
            (Type::Bool, value) => value.to_bool().map(Value::Bool).ok_or_else(|| wrong(&value)),
            (Type::List(inner), Value::List(list)) => convert_items(inner, list).map(Value::List),
            (Type::Set(inner), Value::List(list)) => {
                let mut seen = std::collections::BTreeSet::new();
                let mut items = convert_items(inner, list)?;
                items.retain(|item| seen.insert(item.to_json().to_string()));
                items.sort_by_cached_key(|item| item.to_json().to_string());
                Ok(Value::List(items))
            }
            (Type::Tuple(types), Value::List(list)) if types.len() == list.len() => {
                let items: Result<Vec<Value>, String> =
                    types.iter().zip(list).map(|(kind, item)| kind.convert(item)).collect();
                items.map(Value::List)
            }
            (Type::Map(inner), Value::Object(object)) => {
                let entries = object.into_iter().map(|(key, value)| {
                    inner.convert(value).map_err(|problem| format!("at `{key}`: {problem}")).map(|value| (key, value))
                });
                entries.collect::<Result<BTreeMap<_, _>, String>>().map(Value::Object)
            }
            (Type::Object(attributes), Value::Object(mut object)) => {
                let mut converted = BTreeMap::new();
                for (name, attribute) in attributes {
                    let value = match (object.remove(name), &attribute.optional) {
                        (Some(Value::Null), Some(default)) | (None, Some(default)) => default.clone(),
                        (Some(value), _) => value,
                        (None, None) => return Err(format!("the attribute `{name}` is missing")),
                    };
                    let value = attribute.kind.convert(value).map_err(|problem| format!("at `{name}`: {problem}"))?;
                    converted.insert(name.clone(), value);
                }
                Ok(Value::Object(converted))
            }
            (_, value) => Err(wrong(&value)),
        }
    }
}

fn convert_items(kind: &Type, list: Vec<Value>) -> Result<Vec<Value>, String> {
    list.into_iter()
        .enumerate()
        .map(|(at, item)| kind.convert(item).map_err(|problem| format!("at item {at}: {problem}")))
        .collect()
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Type::Any => "any value",
            Type::Text => "a string",
            Type::Number => "a number",
            Type::Bool => "a bool",
            Type::List(_) => "a list",
            Type::Set(_) => "a set",
            Type::Map(_) => "a map",
            Type::Tuple(types) => return write!(f, "a tuple of {}", types.len()),
            Type::Object(_) => "an object",
        })
    }
}
