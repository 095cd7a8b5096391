//! Whether a node meets a condition.

mod version;

use std::borrow::Cow;
use std::cmp::Ordering;

use model::{Constraint, Misfit, Node, Operator};
use regex::{Regex, RegexBuilder};

/// Bytes of memory that a compiled regular expression may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// What follows `node.` in the targets that every node has.
pub(crate) const NODE_TARGETS: [&str; 5] = ["unique.id", "unique.name", "datacenter", "class", "pool"];

/// What a target such as `${attr.kernel.name}` is on `node`; a text without `${…}` is itself.
pub(crate) fn resolve<'a>(target: &'a str, node: &'a Node) -> Option<Cow<'a, str>> {
    let Some(name) = inside_braces(target) else { return Some(target.into()) };
    match name {
        "node.unique.id" => Some(node.id.to_string().into()),
        "node.unique.name" => Some(node.name.as_str().into()),
        "node.datacenter" => Some(node.datacenter.as_str().into()),
        "node.class" => Some(node.class.as_str().into()),
        "node.pool" => Some(node.pool.as_str().into()),
        _ => {
            let value = match name.strip_prefix("attr.") {
                Some(key) => node.attributes.get(key),
                None => node.meta.get(name.strip_prefix("meta.")?),
            };
            value.map(|value| value.as_str().into())
        }
    }
}

/// Whether there can be a node on which a target is something else than on others, or at all.
pub(crate) fn differs_by_node(target: &str) -> bool {
    let Some(name) = inside_braces(target) else { return false };
    let is_of_node = || name.strip_prefix("node.").is_some_and(|name| NODE_TARGETS.contains(&name));
    name.starts_with("attr.") || name.starts_with("meta.") || is_of_node()
}

/// What stands between `${` and `}`, where `target` is a name and no text.
fn inside_braces(target: &str) -> Option<&str> {
    target.strip_prefix("${")?.strip_suffix('}')
}

/// The constraints that `node` does not meet.
pub(crate) fn unmet(constraints: &[Constraint], node: &Node) -> Vec<Misfit> {
    let unmet = constraints.iter().filter(|constraint| !Condition::of(Constraint::clone(constraint)).holds(node));
    unmet.map(|constraint| misfit(constraint, node)).collect()
}

/// That `node` does not meet `constraint`, and what it has in its place.
pub(crate) fn misfit(constraint: &Constraint, node: &Node) -> Misfit {
    let has = resolve(&constraint.attribute, node).filter(|_| constraint.attribute.starts_with("${"));
    Misfit::Constraint { text: constraint.to_string(), has: has.map(|has| has.into_owned()) }
}

/// A constraint, made ready to be asked of many nodes. The two `distinct_…` operators look at other allocations and
/// always hold here.
pub(crate) struct Condition {
    constraint: Constraint,
    /// Compiled once, where the right side is the same on every node.
    pattern: Option<Regex>,
}

impl Condition {
    pub fn of(constraint: Constraint) -> Self {
        let is_pattern = constraint.operator.meaning() == Operator::Regexp && is_text(&constraint.value);
        let pattern = if is_pattern { pattern(&constraint.value) } else { None };
        Self { constraint, pattern }
    }

    /// As it was written.
    pub fn constraint(&self) -> &Constraint {
        &self.constraint
    }

    pub fn holds(&self, node: &Node) -> bool {
        let left = resolve(&self.constraint.attribute, node);
        let right = resolve(&self.constraint.value, node);
        self.holds_between(left.as_deref(), right.as_deref())
    }

    /// Whether it is decided by what the left side is on a node, because the right side is the same on all.
    pub fn is_of_left_side(&self) -> bool {
        is_text(&self.constraint.value)
    }

    /// Whether a node meets it on which the left side is `left`; asked only where that decides.
    pub fn holds_for(&self, left: Option<&str>) -> bool {
        self.holds_between(left, Some(&self.constraint.value))
    }

    fn holds_between(&self, left: Option<&str>, right: Option<&str>) -> bool {
        match self.constraint.operator.meaning() {
            Operator::IsSet => left.is_some(),
            Operator::IsNotSet => left.is_none(),
            Operator::NotEqual => left != right,
            Operator::DistinctHosts | Operator::DistinctProperty => true,
            operator => match (left, right) {
                (Some(left), Some(_)) if self.pattern.is_some() => {
                    self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(left))
                }
                (Some(left), Some(right)) => compare(operator, left, right),
                _ => false,
            },
        }
    }
}

/// Whether `target` is itself on every node.
fn is_text(target: &str) -> bool {
    inside_braces(target).is_none()
}

/// `text` as a regular expression; none where it is wrong or too large, and so matches nothing.
fn pattern(text: &str) -> Option<Regex> {
    RegexBuilder::new(text).size_limit(REGEX_BYTES_MAX).build().ok()
}

/// Whether two texts stand to each other as `operator` says.
pub(crate) fn compare(operator: Operator, left: &str, right: &str) -> bool {
    match operator {
        Operator::Equal | Operator::EqualEqual | Operator::Is => left == right,
        Operator::NotEqual | Operator::Not => left != right,
        Operator::Less => order(left, right) == Ordering::Less,
        Operator::LessOrEqual => order(left, right) != Ordering::Greater,
        Operator::Greater => order(left, right) == Ordering::Greater,
        Operator::GreaterOrEqual => order(left, right) != Ordering::Less,
        Operator::Regexp => pattern(right).is_some_and(|pattern| pattern.is_match(left)),
        Operator::Version => version::matches(left, right),
        Operator::Semver => version::matches_strictly(left, right),
        Operator::SetContains | Operator::SetContainsAll => {
            list(right).all(|wanted| list(left).any(|has| has == wanted))
        }
        Operator::SetContainsAny => list(right).any(|wanted| list(left).any(|has| has == wanted)),
        Operator::IsSet | Operator::IsNotSet | Operator::DistinctHosts | Operator::DistinctProperty => true,
    }
}

/// As integers, else as numbers, else as texts.
fn order(left: &str, right: &str) -> Ordering {
    if let (Ok(left), Ok(right)) = (left.parse::<i64>(), right.parse::<i64>()) {
        return left.cmp(&right);
    }
    if let (Ok(left), Ok(right)) = (left.parse::<f64>(), right.parse::<f64>()) {
        return left.total_cmp(&right);
    }
    left.cmp(right)
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &str, operator: Operator, right: &str, wanted: bool) {
        assert_eq!(compare(operator, left, right), wanted, "{left} {} {right}", operator.as_str());
    }

    #[test]
    fn every_node_has_the_targets_that_all_have() {
        let node = model::testing::node("n1");
        assert!(NODE_TARGETS.iter().all(|target| resolve(&format!("${{node.{target}}}"), &node).is_some()));
    }

    #[test]
    fn numbers_are_compared_as_numbers_and_the_rest_as_text() {
        check("9", Operator::Less, "10", true);
        check("9.5", Operator::Less, "10", true);
        check("9x", Operator::Less, "10x", false);
        check("10", Operator::GreaterOrEqual, "10", true);
    }

    #[test]
    fn sets_are_comma_lists() {
        check("a, b,c", Operator::SetContains, "c,a", true);
        check("a,b", Operator::SetContains, "a,c", false);
        check("a,b", Operator::SetContainsAny, "x,b", true);
    }

    #[test]
    fn a_regular_expression_that_is_wrong_or_too_large_matches_nothing() {
        check("linux", Operator::Regexp, "^lin.x$", true);
        check("linux", Operator::Regexp, "(", false);
        check("a", Operator::Regexp, "(a{1000}){1000}", false);
    }

    #[test]
    fn a_regular_expression_at_the_limit_is_taken_and_one_beyond_matches_nothing() {
        let of = |letters: usize| format!("^[ab]{{{letters}}}$");
        let fits = |letters| RegexBuilder::new(&of(letters)).size_limit(REGEX_BYTES_MAX).build().is_ok();
        let (mut most, mut beyond) = (1, REGEX_BYTES_MAX);
        while beyond - most > 1 {
            let middle = most + (beyond - most) / 2;
            if fits(middle) { most = middle } else { beyond = middle }
        }
        check(&"a".repeat(most), Operator::Regexp, &of(most), true);
        check(&"a".repeat(beyond), Operator::Regexp, &of(beyond), false);
    }

    #[test]
    fn a_missing_attribute_is_unequal_and_not_set() {
        let node = model::testing::node("n1");
        let condition =
            |operator| Condition::of(Constraint { attribute: "${meta.rack}".into(), value: "r1".into(), operator });
        assert!(condition(Operator::NotEqual).holds(&node));
        assert!(condition(Operator::IsNotSet).holds(&node));
        assert!(!condition(Operator::Equal).holds(&node));
        assert!(condition(Operator::Equal).holds(&node.meta("rack", "r1")));
    }

    #[test]
    fn a_target_is_what_the_node_has_of_that_name_and_a_text_is_itself() {
        let mut node = model::testing::node("n1").meta("rack", "r1");
        node.attributes.insert("kernel.name".into(), "linux".into());
        let id = node.id.to_string();
        for (target, wanted) in [
            ("${node.unique.id}", Some(id.as_str())),
            ("${node.unique.name}", Some("n1")),
            ("${node.datacenter}", Some(node.datacenter.as_str())),
            ("${node.class}", Some(node.class.as_str())),
            ("${node.pool}", Some(node.pool.as_str())),
            ("${attr.kernel.name}", Some("linux")),
            ("${meta.rack}", Some("r1")),
            ("${attr.rack}", None),
            ("${meta.none}", None),
            ("${node.none}", None),
            ("rack", Some("rack")),
            ("${meta.rack", Some("${meta.rack")),
        ] {
            assert_eq!(resolve(target, &node).as_deref(), wanted, "{target}");
        }
    }
}
