//! The values of the expression language, and how they turn into one another.
//!
//! Whole numbers stay exact; lists, tuples and sets are all lists; objects and maps are ordered by key, as HCL iterates
//! them.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

/// What an expression evaluates to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Value>),
    Object(BTreeMap<String, Value>),
}

/// A number; whole as long as it can be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Whole(i128),
    Real(f64),
}

impl Number {
    pub(crate) fn real(self) -> f64 {
        match self {
            Number::Whole(whole) => whole as f64,
            Number::Real(real) => real,
        }
    }

    /// The number of a computation; None if it is not finite. Reals without a fraction become whole, as HCL prints.
    pub(crate) fn of_real(real: f64) -> Option<Number> {
        if !real.is_finite() {
            return None;
        }
        let is_whole = real.fract() == 0.0 && real.abs() < 9e15;
        Some(if is_whole { Number::Whole(real as i128) } else { Number::Real(real) })
    }

    pub(crate) fn whole(self) -> Option<i128> {
        match self {
            Number::Whole(whole) => Some(whole),
            Number::Real(_) => None,
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Number::Whole(left), Number::Whole(right)) => left == right,
            _ => self.real() == other.real(),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        match (self, other) {
            (Number::Whole(left), Number::Whole(right)) => left.partial_cmp(right),
            _ => self.real().partial_cmp(&other.real()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Number::Whole(whole) => write!(f, "{whole}"),
            Number::Real(real) => write!(f, "{real}"),
        }
    }
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    pub(crate) fn whole(whole: impl Into<i128>) -> Value {
        Value::Number(Number::Whole(whole.into()))
    }

    /// What kind of value it is, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a bool",
            Value::Number(_) => "a number",
            Value::Text(_) => "a string",
            Value::List(_) => "a list",
            Value::Object(_) => "an object",
        }
    }

    /// As text, by HCL's implicit conversion; None for null, lists and objects.
    pub(crate) fn to_text(&self) -> Option<String> {
        match self {
            Value::Bool(bool) => Some(bool.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Text(text) => Some(text.clone()),
            Value::Null | Value::List(_) | Value::Object(_) => None,
        }
    }

    /// As a number, by HCL's implicit conversion.
    pub(crate) fn to_number(&self) -> Option<Number> {
        match self {
            Value::Number(number) => Some(*number),
            Value::Text(text) => parse_number(text),
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) => None,
        }
    }

    /// As a bool, by HCL's implicit conversion.
    pub(crate) fn to_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(bool) => Some(*bool),
            Value::Text(text) => match text.as_str() {
                "true" | "1" => Some(true),
                "false" | "0" => Some(false),
                _ => None,
            },
            Value::Null | Value::Number(_) | Value::List(_) | Value::Object(_) => None,
        }
    }

    /// How much memory it takes, roughly: bytes of text and 16 for each value.
    pub(crate) fn weight(&self) -> u64 {
        let inside = match self {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::Text(text) => text.len() as u64,
            Value::List(list) => list.iter().map(Value::weight).sum(),
            Value::Object(object) => object.iter().map(|(key, value)| key.len() as u64 + value.weight()).sum(),
        };
        16 + inside
    }

    pub(crate) fn from_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(bool) => Value::Bool(*bool),
            Json::Number(number) => Value::Number(match (number.as_i64(), number.as_u64()) {
                (Some(whole), _) => Number::Whole(whole.into()),
                (None, Some(whole)) => Number::Whole(whole.into()),
                (None, None) => Number::Real(number.as_f64().unwrap_or_default()),
            }),
            Json::String(text) => Value::text(text),
            Json::Array(list) => Value::List(list.iter().map(Value::from_json).collect()),
            Json::Object(object) => {
                Value::Object(object.iter().map(|(key, value)| (key.clone(), Value::from_json(value))).collect())
            }
        }
    }

    pub(crate) fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(bool) => Json::Bool(*bool),
            Value::Number(Number::Whole(whole)) => match (i64::try_from(*whole), u64::try_from(*whole)) {
                (Ok(whole), _) => whole.into(),
                (Err(_), Ok(whole)) => whole.into(),
                (Err(_), Err(_)) => (*whole as f64).into(),
            },
            Value::Number(Number::Real(real)) => (*real).into(),
            Value::Text(text) => Json::String(text.clone()),
            Value::List(list) => Json::Array(list.iter().map(Value::to_json).collect()),
            Value::Object(object) => {
                Json::Object(object.iter().map(|(key, value)| (key.clone(), value.to_json())).collect())
            }
        }
    }
}

/// A number as HCL writes it: `3`, `-3`, `0.5`, `1e3`. No spaces, signs of plus, infinities or hexadecimal.
fn parse_number(text: &str) -> Option<Number> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    if !plain || text.starts_with('+') || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match text.parse::<i128>() {
        Ok(whole) => Some(Number::Whole(whole)),
        Err(_) => text.parse::<f64>().ok().and_then(Number::of_real),
    }
}
