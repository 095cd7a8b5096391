//! Bodies of requests: JSON objects whose keys are matched in any case and whose unknown keys are ignored.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Index;
use serde_json::{Map, Value};

use super::failure::Failure;
use super::query::parse_duration;

/// The fields of one JSON object. Null counts as absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    object: Map<String, Value>,
}

impl Fields {
    /// Reads a body, whatever its content type.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Failure> {
        if body.is_empty() {
            return Err(Failure::bad_request("Request body is empty"));
        }
        let value: Value = serde_json::from_slice(body)
            .map_err(|error| Failure::bad_request(format!("failed to decode request body: {error}")))?;
        match value {
            Value::Object(object) => Ok(Self { object }),
            _ => Err(Failure::bad_request("failed to decode request body: expected a JSON object")),
        }
    }

    /// The field of that name. An exact match goes before one that differs in case.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let exact = self.object.get(name);
        let found =
            exact.or_else(|| self.object.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, v)| v));
        found.filter(|value| !value.is_null())
    }

    /// Takes the field of that name out.
    pub(super) fn take(&mut self, name: &str) -> Option<Value> {
        let key = self.object.keys().find(|key| key.eq_ignore_ascii_case(name))?.clone();
        self.object.remove(&key).filter(|value| !value.is_null())
    }

    /// A string; empty where there is none.
    pub(super) fn text(&self, name: &str) -> Result<String, Failure> {
        match self.get(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(other) => Err(wrong(name, "a string", other)),
        }
    }

    /// True or false; false where there is none.
    pub(super) fn flag(&self, name: &str) -> Result<bool, Failure> {
        match self.get(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(*flag),
            Some(other) => Err(wrong(name, "true or false", other)),
        }
    }

    /// A whole number that is not negative.
    pub(super) fn number(&self, name: &str) -> Result<Option<Index>, Failure> {
        let Some(value) = self.get(name) else { return Ok(None) };
        value.as_u64().map(Some).ok_or_else(|| wrong(name, "a whole number that is not negative", value))
    }

    /// Strings; none where there is no such field.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, Failure> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let texts = value.as_array().map(|items| items.iter().map(|item| item.as_str().map(str::to_string)).collect());
        texts.flatten().ok_or_else(|| wrong(name, "a list of strings", value))
    }

    /// Strings by key; none where there is no such field.
    pub(super) fn map(&self, name: &str) -> Result<BTreeMap<String, String>, Failure> {
        let Some(value) = self.get(name) else { return Ok(BTreeMap::new()) };
        let text = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_string()));
        let map = value.as_object().map(|object| object.iter().map(text).collect());
        map.flatten().ok_or_else(|| wrong(name, "an object whose values are strings", value))
    }

    /// The fields of an object within; none where it is absent.
    pub(super) fn fields(&self, name: &str) -> Result<Option<Fields>, Failure> {
        match self.get(name) {
            None => Ok(None),
            Some(Value::Object(object)) => Ok(Some(Fields { object: object.clone() })),
            Some(other) => Err(wrong(name, "an object", other)),
        }
    }

    /// The names of all fields.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.object.keys().map(String::as_str)
    }

    /// The objects of a list; none where there is no such field.
    pub(super) fn list(&self, name: &str) -> Result<Vec<Fields>, Failure> {
        let Some(value) = self.get(name) else { return Ok(Vec::new()) };
        let object = |item: &Value| Some(Fields { object: item.as_object()?.clone() });
        let objects = value.as_array().map(|items| items.iter().map(object).collect());
        objects.flatten().ok_or_else(|| wrong(name, "a list of objects", value))
    }

    /// A span of time as nanoseconds or in Go's form; a negative one has no duration.
    pub(super) fn span(&self, name: &str) -> Result<Option<Span>, Failure> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let span = match value {
            Value::Number(number) => number.as_i64().map(|ns| u64::try_from(ns).map_or(Span::Negative, Span::of_ns)),
            Value::String(text) if text.starts_with('-') => Some(Span::Negative),
            Value::String(text) => parse_duration(text).map(Span::Of),
            _ => None,
        };
        span.map(Some).ok_or_else(|| wrong(name, "a duration in nanoseconds", value))
    }
}

/// A span of time on the wire, where a negative one has a meaning of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// So long.
    Of(Duration),
    /// Less than nothing.
    Negative,
}

impl Span {
    fn of_ns(ns: u64) -> Self {
        Span::Of(Duration::from_nanos(ns))
    }
}

fn wrong(name: &str, wanted: &str, got: &Value) -> Failure {
    Failure::bad_request(format!("failed to decode request body: {name} must be {wanted}, got {got}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn keys_are_matched_in_any_case_and_null_is_absent() {
        let fields = fields(r#"{"jobid": "web", "ALL": true, "Groups": null, "extra_key": [1]}"#);
        assert_eq!(fields.text("JobID"), Ok("web".into()));
        assert_eq!(fields.flag("All"), Ok(true));
        assert_eq!(fields.texts("Groups"), Ok(vec![]));
    }

    #[test]
    fn a_wrong_type_is_named() {
        let error = fields(r#"{"JobVersion": "x"}"#).number("JobVersion").unwrap_err();
        let wanted = r#"JobVersion must be a whole number that is not negative, got "x""#;
        assert_eq!(error, Failure::bad_request(format!("failed to decode request body: {wanted}")));
    }

    #[test]
    fn lists_hold_objects_and_nothing_else() {
        let fields = fields(r#"{"A": [{"Count": 2}, {}], "B": [1], "C": {}}"#);
        let counts: Vec<_> = fields.list("A").unwrap().iter().map(|each| each.number("Count").unwrap()).collect();
        assert_eq!(counts, [Some(2), None]);
        assert_eq!(fields.list("none").unwrap().len(), 0);
        assert!(fields.list("B").is_err() && fields.list("C").is_err());
    }

    #[test]
    fn durations_are_nanoseconds_or_go_text_and_may_be_negative() {
        let fields = fields(r#"{"A": 5000000000, "B": "5s", "C": -1, "D": "-1ns", "E": []}"#);
        let five = Some(Span::Of(Duration::from_secs(5)));
        assert_eq!((fields.span("A"), fields.span("B")), (Ok(five), Ok(five)));
        assert_eq!((fields.span("C"), fields.span("D")), (Ok(Some(Span::Negative)), Ok(Some(Span::Negative))));
        assert!(fields.span("E").is_err());
    }

    #[test]
    fn empty_cut_off_and_invalid_bodies_are_refused() {
        let message = |body: &[u8]| format!("{:?}", Fields::parse(body).unwrap_err());
        assert!(message(b"").contains("Request body is empty"));
        assert!(message(br#"{"Job": {"#).contains("failed to decode request body: EOF"));
        assert!(message(b"{\"a\": \"\xff\"}").contains("failed to decode request body: invalid unicode"));
        assert!(message(b"[]").contains("expected a JSON object"));
    }
}
