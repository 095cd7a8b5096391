//! The `filter` parameter: a boolean expression over the JSON of a list's rows, in the widely used part of go-bexpr.
//!
//! `Status == "running" and (Meta.team contains "core" or not (Type in "batch"))`: comparisons `==`, `!=`, `contains`,
//! `in`, `matches`, each with `not`, and `is empty`; `and`, `or`, `not` and parentheses. What a row lacks is empty; what no
//! row could have is refused.

mod parse;

use regex::Regex;
use serde_json::Value;

use super::failure::Failure;

/// Fields that rows leave out where they are empty or were not asked for: everything under `skip_serializing_if` in the
/// views of rows.
const LEFT_OUT: [&str; 24] = [
    "AllocatedResources",
    "Attributes",
    "BlockedEval",
    "ClientDescription",
    "DeploymentID",
    "DeploymentStatus",
    "DesiredDescription",
    "FailedTGAllocs",
    "FollowupEvalID",
    "Meta",
    "NextAllocation",
    "NextEval",
    "NodeID",
    "NodeResources",
    "PreviousAllocation",
    "PreviousEval",
    "QueuedAllocations",
    "RelatedEvals",
    "RescheduleTracker",
    "ReservedResources",
    "StatusDescription",
    "Suspect",
    "TaskStates",
    "WaitUntil",
];

/// A condition on a row.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    expression: Expression,
}

#[derive(Clone, Debug)]
enum Expression {
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Test(Vec<String>, Test),
}

#[derive(Clone, Debug)]
enum Test {
    Equals(String),
    Contains(String),
    Matches(Regex),
    IsEmpty,
}

impl Filter {
    /// Reads an expression.
    pub(super) fn parse(text: &str) -> Result<Self, Failure> {
        let wrong = |reason| Failure::bad_request(format!("failed to read filter expression: {reason}"));
        parse::parse(text).map(|expression| Self { expression }).map_err(wrong)
    }

    /// The first of its fields that no row like this one has.
    pub(super) fn unknown_field(&self, row: &Value) -> Option<&str> {
        let Value::Object(fields) = row else { return None };
        let is_known = |name: &str| fields.contains_key(name) || LEFT_OUT.contains(&name);
        self.expression.fields().into_iter().find(|name| !is_known(name))
    }

    /// Whether it holds for a row.
    pub(super) fn matches(&self, row: &Value) -> bool {
        self.expression.holds(row)
    }
}

impl Expression {
    /// The fields of a row that it looks at.
    fn fields(&self) -> Vec<&str> {
        match self {
            Expression::And(one, other) | Expression::Or(one, other) => [one.fields(), other.fields()].concat(),
            Expression::Not(inner) => inner.fields(),
            Expression::Test(path, _) => path.first().map(String::as_str).into_iter().collect(),
        }
    }

    fn holds(&self, row: &Value) -> bool {
        match self {
            Expression::And(one, other) => one.holds(row) && other.holds(row),
            Expression::Or(one, other) => one.holds(row) || other.holds(row),
            Expression::Not(inner) => !inner.holds(row),
            Expression::Test(path, test) => test.holds(select(row, path)),
        }
    }
}

fn select<'a>(row: &'a Value, path: &[String]) -> &'a Value {
    path.iter().fold(row, |value, name| match value {
        Value::Array(items) => name.parse::<usize>().ok().and_then(|at| items.get(at)).unwrap_or(&Value::Null),
        other => other.get(name).unwrap_or(&Value::Null),
    })
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Test::Equals(wanted) => equals(value, wanted),
            Test::Contains(wanted) => match value {
                Value::String(text) => text.contains(wanted.as_str()),
                Value::Array(items) => items.iter().any(|item| equals(item, wanted)),
                Value::Object(fields) => fields.contains_key(wanted),
                Value::Null | Value::Bool(_) | Value::Number(_) => false,
            },
            Test::Matches(regex) => match value {
                Value::String(text) => regex.is_match(text),
                Value::Array(items) => items.iter().any(|item| item.as_str().is_some_and(|text| regex.is_match(text))),
                Value::Object(fields) => fields.keys().any(|key| regex.is_match(key)),
                Value::Null | Value::Bool(_) | Value::Number(_) => false,
            },
            Test::IsEmpty => match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(items) => items.is_empty(),
                Value::Object(fields) => fields.is_empty(),
                Value::Bool(_) | Value::Number(_) => false,
            },
        }
    }
}

fn equals(value: &Value, wanted: &str) -> bool {
    match value {
        Value::Null => wanted.is_empty(),
        Value::String(text) => text == wanted,
        Value::Bool(flag) => matches!((flag, wanted), (true, "true" | "1") | (false, "false" | "0")),
        Value::Number(number) => match (number.as_i64(), wanted.parse::<i64>()) {
            (Some(number), Ok(wanted)) => number == wanted,
            _ => number.as_f64().is_some_and(|number| wanted.parse() == Ok(number)),
        },
        Value::Array(_) | Value::Object(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(filter: &str, wanted: bool) {
        let row = json!({
            "Name": "web", "Priority": 50, "Stop": false, "Tags": ["traefik.enable=true", "v1"], "Notes": "",
            "Meta": {"team": "core", "a.b": "c"}, "JobSummary": {"Summary": {"web": {"Running": 3}}}, "Empty": [],
        });
        match Filter::parse(filter) {
            Ok(filter_read) => assert_eq!(filter_read.matches(&row), wanted, "{filter}"),
            Err(error) => panic!("{filter}: {error:?}"),
        }
    }

    #[test]
    fn comparisons_hold_as_in_go_bexpr() {
        check(r#"Tags contains "traefik.enable=true""#, true);
        check(r#"Tags contains "traefik""#, false);
        check(r#"Tags not contains "v2""#, true);
        check(r#""v1" in Tags"#, true);
        check(r#""v2" not in Tags"#, true);
        check(r#"Name == "web""#, true);
        check(r#"Name != web"#, false);
        check(r#"Name contains "e""#, true);
        check(r#"Name matches "^w.b$""#, true);
        check(r#"Name not matches `^w`"#, false);
        check("Priority == 50", true);
        check("Priority != 50.5", true);
        check("Stop == false", true);
        check("Empty is empty", true);
        check("Tags is not empty", true);
        check("Notes is empty", true);
        check("Missing is empty", true);
        check(r#"Meta.team == "core""#, true);
        check(r#"Meta["a.b"] == c"#, true);
        check(r#""/Meta/team" == "core""#, true);
        check(r#""team" in Meta"#, true);
        check("JobSummary.Summary.web.Running == 3", true);
        check(r#"Tags.1 == "v1""#, true);
    }

    #[test]
    fn a_field_that_no_row_has_is_found_and_one_that_is_left_out_is_none() {
        let row = json!({ "Name": "web", "Status": "running" });
        let unknown = |filter: &str| Filter::parse(filter).unwrap().unknown_field(&row).map(str::to_owned);
        assert_eq!(unknown("Name == x and (Status == y or not Nme == z)").as_deref(), Some("Nme"));
        assert_eq!(unknown("Meta.team == core and Name == x"), None);
    }

    #[test]
    fn and_binds_tighter_than_or_and_not_tightest() {
        check("Name == web or Name == x and Stop == true", true);
        check("(Name == web or Name == x) and Stop == true", false);
        check("not Name == x and not (Stop == true)", true);
        check(r#"Name == "web" AND Stop == false"#, true);
    }

    #[test]
    fn what_is_no_expression_is_refused_with_a_reason() {
        for (text, reason) in [
            ("", "expected a condition at the end"),
            ("Name", "expected a comparison such as `==` after `Name` at the end"),
            ("Name == ", "expected a value at the end"),
            ("(Name == web", "expected `)` at the end"),
            ("Name == web web", "unexpected `web`"),
            ("Name matches \"(\"", "not a regular expression"),
            ("Name == \"web", "a string is not closed"),
        ] {
            let error = format!("{:?}", Filter::parse(text).unwrap_err());
            assert!(error.contains(reason), "{text}: {error}");
        }
    }

    #[test]
    fn an_expression_may_be_as_long_and_deep_as_the_limits_say() {
        use crate::http::limits::{FILTER_BYTES_MAX, FILTER_DEPTH_MAX};
        let nested = |depth: usize| format!("{}Name == web{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Filter::parse(&nested(FILTER_DEPTH_MAX - 1)).is_ok());
        assert!(Filter::parse(&nested(FILTER_DEPTH_MAX)).is_err());
        let long = |bytes: usize| format!("Name == {}", "x".repeat(bytes - "Name == ".len()));
        assert!(Filter::parse(&long(FILTER_BYTES_MAX)).is_ok());
        assert!(Filter::parse(&long(FILTER_BYTES_MAX + 1)).is_err());
    }
}
