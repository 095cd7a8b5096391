//! Types of variables, `list(object({ name = string, port = optional(number, 80) }))`, and the conversion of values.

use std::collections::BTreeMap;
use std::fmt;

use hcl_edit::expr::{Expression, ObjectKey};

use crate::evaluate::{Evaluated, Evaluator, Frame, span_of};
use crate::source::Span;
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

/// Why a value is not of a type: where in it, and what is wrong there.
#[derive(Debug)]
pub(crate) struct Mismatch {
    path: Vec<Step>,
    message: String,
    hint: Option<&'static str>,
}

/// A step into a value.
#[derive(Debug)]
enum Step {
    Item(usize),
    Key(String),
}

impl Mismatch {
    fn here(message: impl Into<String>, hint: Option<&'static str>) -> Self {
        Self { path: Vec::new(), message: message.into(), hint }
    }

    fn within(mut self, step: Step) -> Self {
        self.path.insert(0, step);
        self
    }

    /// What to write instead.
    pub(crate) fn hint(&self) -> Option<String> {
        self.hint.map(String::from)
    }

    /// The part of `expression` that is at fault, as far as it is spelt out.
    pub(crate) fn place(&self, expression: &Expression) -> Span {
        let mut expression = expression;
        for step in &self.path {
            let inner = match (step, expression) {
                (Step::Item(at), Expression::Array(array)) => array.get(*at),
                (Step::Key(key), Expression::Object(object)) => object.iter().find_map(|(own, value)| {
                    let is_it = match own {
                        ObjectKey::Ident(name) => name.as_str() == key,
                        ObjectKey::Expression(own) => own.as_str() == Some(key.as_str()),
                    };
                    is_it.then(|| value.expr())
                }),
                _ => None,
            };
            match inner {
                Some(inner) => expression = inner,
                None => break,
            }
        }
        span_of(expression)
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for step in &self.path {
            match step {
                Step::Item(at) => write!(f, "at item {at}: ")?,
                Step::Key(key) => write!(f, "at `{key}`: ")?,
            }
        }
        f.write_str(&self.message)
    }
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

    /// What a value of the type looks like.
    fn example(&self) -> Option<&'static str> {
        match self {
            Type::Any | Type::Text => None,
            Type::Number => Some("a number is written without quotes and units: 3"),
            Type::Bool => Some("it is true or false"),
            Type::List(_) | Type::Set(_) | Type::Tuple(_) => Some("a list is written in brackets: [\"a\", \"b\"]"),
            Type::Map(_) | Type::Object(_) => Some("an object is written in braces: { name = \"a\" }"),
        }
    }

    /// `value` as this type, or what is wrong with it.
    pub(crate) fn convert(&self, value: Value) -> Result<Value, Mismatch> {
        let wrong =
            |value: &Value| Mismatch::here(format!("{self} is needed, this is {}", value.kind()), self.example());
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
                let items = types.iter().zip(list).enumerate();
                let items: Result<Vec<Value>, Mismatch> = items
                    .map(|(at, (kind, item))| kind.convert(item).map_err(|problem| problem.within(Step::Item(at))))
                    .collect();
                items.map(Value::List)
            }
            (Type::Map(inner), Value::Object(object)) => {
                let entries = object.into_iter().map(|(key, value)| match inner.convert(value) {
                    Ok(value) => Ok((key, value)),
                    Err(problem) => Err(problem.within(Step::Key(key))),
                });
                entries.collect::<Result<BTreeMap<_, _>, Mismatch>>().map(Value::Object)
            }
            (Type::Object(attributes), Value::Object(mut object)) => {
                let mut converted = BTreeMap::new();
                for (name, attribute) in attributes {
                    let value = match (object.remove(name), &attribute.optional) {
                        (Some(Value::Null), Some(default)) | (None, Some(default)) => default.clone(),
                        (Some(value), _) => value,
                        (None, None) => return Err(Mismatch::here(format!("the attribute `{name}` is missing"), None)),
                    };
                    let value = attribute.kind.convert(value);
                    let value = value.map_err(|problem| problem.within(Step::Key(name.clone())))?;
                    converted.insert(name.clone(), value);
                }
                Ok(Value::Object(converted))
            }
            (_, value) => Err(wrong(&value)),
        }
    }
}

fn convert_items(kind: &Type, list: Vec<Value>) -> Result<Vec<Value>, Mismatch> {
    list.into_iter()
        .enumerate()
        .map(|(at, item)| kind.convert(item).map_err(|problem| problem.within(Step::Item(at))))
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
