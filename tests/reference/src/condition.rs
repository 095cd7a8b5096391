//! Conditions on nodes and devices, read from their description once more.

use std::cmp::Ordering;

use model::{Constraint, Node, Operator};
use regex::Regex;

/// Words with which the suffix of a pre-release begins.
const PRERELEASES: [&str; 8] = ["alpha", "beta", "rc", "pre", "dev", "snapshot", "nightly", "canary"];

/// What `target` is on `node`.
pub fn resolve(target: &str, node: &Node) -> Option<String> {
    let Some(name) = target.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return Some(target.to_string());
    };
    if let Some(key) = name.strip_prefix("attr.") {
        return node.attributes.get(key).cloned();
    }
    if let Some(key) = name.strip_prefix("meta.") {
        return node.meta.get(key).cloned();
    }
    match name {
        "node.unique.id" => Some(node.id.to_string()),
        "node.unique.name" => Some(node.name.clone()),
        "node.datacenter" => Some(node.datacenter.clone()),
        "node.class" => Some(node.class.clone()),
        "node.pool" => Some(node.pool.clone()),
        _ => None,
    }
}

/// Whether `node` meets `constraint`; those on other allocations are not asked here.
pub fn holds(constraint: &Constraint, node: &Node) -> bool {
    stands(constraint.operator, resolve(&constraint.attribute, node), resolve(&constraint.value, node))
}

/// Whether two sides, each perhaps missing, stand to each other as `operator` says.
pub fn stands(operator: Operator, left: Option<String>, right: Option<String>) -> bool {
    match (operator, left, right) {
        (Operator::DistinctHosts | Operator::DistinctProperty, _, _) => true,
        (Operator::IsSet, left, _) => left.is_some(),
        (Operator::IsNotSet, left, _) => left.is_none(),
        (Operator::NotEqual | Operator::Not, left, right) => left != right,
        (operator, Some(left), Some(right)) => compare(operator, &left, &right),
        _ => false,
    }
}

/// Whether two texts stand to each other as `operator` says.
pub fn compare(operator: Operator, left: &str, right: &str) -> bool {
    let items = |text: &str| -> Vec<String> {
        text.split(',').map(|item| item.trim().to_string()).filter(|item| !item.is_empty()).collect()
    };
    match operator {
        Operator::Equal | Operator::EqualEqual | Operator::Is => left == right,
        Operator::NotEqual | Operator::Not => left != right,
        Operator::Less => order(left, right).is_lt(),
        Operator::LessOrEqual => order(left, right).is_le(),
        Operator::Greater => order(left, right).is_gt(),
        Operator::GreaterOrEqual => order(left, right).is_ge(),
        Operator::Regexp => Regex::new(right).is_ok_and(|pattern| pattern.is_match(left)),
        Operator::SetContains | Operator::SetContainsAll => {
            let has = items(left);
            items(right).iter().all(|item| has.contains(item))
        }
        Operator::SetContainsAny => {
            let has = items(left);
            items(right).iter().any(|item| has.contains(item))
        }
        Operator::Version => right.split(',').all(|part| version_meets(left, part.trim(), false)),
        Operator::Semver => right.split(',').all(|part| version_meets(left, part.trim(), true)),
        Operator::IsSet | Operator::IsNotSet | Operator::DistinctHosts | Operator::DistinctProperty => true,
    }
}

fn order(left: &str, right: &str) -> Ordering {
    match (left.parse::<i64>(), right.parse::<i64>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => match (left.parse::<f64>(), right.parse::<f64>()) {
            (Ok(left), Ok(right)) => left.total_cmp(&right),
            _ => left.cmp(right),
        },
    }
}

/// Three numbers and the suffix of a pre-release.
type Version = ([u64; 3], String);

fn version_meets(text: &str, part: &str, strictly: bool) -> bool {
    let parse = |text: &str| if strictly { parse_strictly(text) } else { parse_leniently(text) };
    let Some(version) = (if strictly { parse_full(text) } else { parse(text) }) else { return false };
    let (operator, rest) = ["~>", ">=", "<=", "!=", ">", "<", "="]
        .into_iter()
        .find_map(|operator| Some((operator, part.strip_prefix(operator)?.trim())))
        .unwrap_or(("=", part));
    let Some(wanted) = parse(rest) else { return false };
    let comes = precedence(&version, &wanted);
    let is_release = |version: &Version| version.1.is_empty();
    let comparable = strictly || is_release(&version) || (!is_release(&wanted) && version.0 == wanted.0);
    match operator {
        "~>" if strictly => false,
        "~>" => {
            let parts = rest.split('.').count();
            let same = version.0[0] == wanted.0[0] && (parts < 3 || version.0[1] == wanted.0[1]);
            comparable && is_release(&version) == is_release(&wanted) && comes.is_ge() && same
        }
        ">=" => comparable && comes.is_ge(),
        "<=" => comparable && comes.is_le(),
        ">" => comparable && comes.is_gt(),
        "<" => comparable && comes.is_lt(),
        "!=" => comes.is_ne(),
        _ => comes.is_eq(),
    }
}

fn precedence(one: &Version, other: &Version) -> Ordering {
    one.0.cmp(&other.0).then_with(|| match (one.1.is_empty(), other.1.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => one.1.cmp(&other.1),
    })
}

/// Numbers that may be missing, and any suffix.
fn parse_strictly(text: &str) -> Option<Version> {
    let text = text.trim().trim_start_matches('v');
    let text = text.split('+').next()?;
    let (core, suffix) = text.split_once('-').unwrap_or((text, ""));
    let mut numbers = [0; 3];
    let parts: Vec<_> = core.split('.').collect();
    if parts.len() > 3 {
        return None;
    }
    for (number, part) in numbers.iter_mut().zip(parts) {
        *number = part.parse().ok()?;
    }
    Some((numbers, suffix.to_string()))
}

/// All three numbers, as the standard has it.
fn parse_full(text: &str) -> Option<Version> {
    let core = text.split(['+', '-']).next()?;
    if core.split('.').count() == 3 && !text.starts_with('v') { parse_strictly(text) } else { None }
}

/// What is no pre-release in the suffix was added by a distribution.
fn parse_leniently(text: &str) -> Option<Version> {
    let (numbers, suffix) = parse_strictly(text)?;
    let is_prerelease = PRERELEASES.iter().any(|word| suffix.to_ascii_lowercase().starts_with(word));
    Some((numbers, if is_prerelease { suffix } else { String::new() }))
}
