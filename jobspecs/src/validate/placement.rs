//! Constraints, affinities and spreads.

use std::collections::BTreeSet;

use model::{Affinity, Constraint, Device, Job, Operator, Spread};
use regex::Regex;

use super::{Problems, below};

/// The greatest weight, for and against.
pub(crate) const WEIGHT_MOST: i32 = 100;

const REGEXP_HINT: &str = "brackets must be closed, and in a string every backslash is written twice: \"\\\\d+\"";

type Rules<'a> = (&'a [Constraint], &'a [Affinity], &'a [Spread]);

/// The rules at `path`: the job's own where it is empty, else those of a group or task.
pub(super) fn check(job: &Job, path: &str, (constraints, affinities, spreads): Rules<'_>, problems: &mut Problems) {
    let is_task = path.contains("Tasks");
    for (at, constraint) in constraints.iter().enumerate() {
        let path = below(path, &format!("Constraints[{at}]"));
        check_sides(&constraint.attribute, &constraint.value, constraint.operator, &path, problems);
        check_distinct(constraint, is_task, &path, problems);
    }
    for (at, affinity) in affinities.iter().enumerate() {
        let path = below(path, &format!("Affinities[{at}]"));
        check_sides(&affinity.attribute, &affinity.value, affinity.operator, &path, problems);
        if matches!(affinity.operator, Operator::DistinctHosts | Operator::DistinctProperty) {
            let message = format!("an affinity can't have the operator {}", affinity.operator.as_str());
            problems.add(
                format!("{path}.Operand"),
                message,
                "that is for constraints; `spread` prefers distinct values",
            );
        }
        check_weight(affinity, &path, problems);
        if job.kind.is_per_node() {
            let message = format!("a {} job can't have affinities", job.kind.as_str());
            problems.add(path, message, "it runs on every eligible node; a constraint leaves nodes out");
        }
    }
    for (at, spread) in spreads.iter().enumerate() {
        check_spread(job, spread, &below(path, &format!("Spreads[{at}]")), problems);
    }
}

/// The rules by which a device is chosen.
pub(super) fn check_device(device: &Device, path: &str, problems: &mut Problems) {
    for (at, constraint) in device.constraints.iter().enumerate() {
        let path = format!("{path}.Constraints[{at}]");
        check_sides(&constraint.attribute, &constraint.value, constraint.operator, &path, problems);
    }
    for (at, affinity) in device.affinities.iter().enumerate() {
        let path = format!("{path}.Affinities[{at}]");
        check_sides(&affinity.attribute, &affinity.value, affinity.operator, &path, problems);
        check_weight(affinity, &path, problems);
    }
}

fn check_weight(affinity: &Affinity, path: &str, problems: &mut Problems) {
    if affinity.weight == 0 || affinity.weight.abs() > WEIGHT_MOST {
        let message = format!("the weight of an affinity must be -100 to 100 and not 0, this is {}", affinity.weight);
        problems.add(format!("{path}.Weight"), message, "a weight below zero keeps away");
    }
}

fn check_sides(attribute: &str, value: &str, operator: Operator, path: &str, problems: &mut Problems) {
    let needs_attribute = operator != Operator::DistinctHosts;
    if needs_attribute && attribute.is_empty() {
        problems.add(path, "the rule has no attribute", "write: attribute = \"${attr.kernel.name}\"");
    }
    let needs_value = !matches!(
        operator,
        Operator::IsSet | Operator::IsNotSet | Operator::DistinctHosts | Operator::DistinctProperty
    );
    if needs_value && value.is_empty() {
        problems.add(path, format!("the operator {} needs a value", operator.as_str()), "write: value = \"linux\"");
    }
    let at_value = || format!("{path}.RTarget");
    match operator {
        Operator::Regexp if Regex::new(value).is_err() => {
            problems.add(at_value(), format!("`{value}` is not a regular expression"), REGEXP_HINT);
        }
        Operator::Version | Operator::Semver if !value.is_empty() && !value.split(',').all(is_version_rule) => {
            problems.add(at_value(), format!("`{value}` is not a version rule"), "write: \">= 1.2, < 2.0\"");
        }
        _ => {}
    }
}

/// `>= 1.2.3-beta`: an operator, or none, and a number with dots.
fn is_version_rule(rule: &str) -> bool {
    let rule = rule.trim();
    let version = rule.trim_start_matches(['=', '!', '<', '>', '~']).trim_start();
    let operator = rule[..rule.len() - version.len()].trim_end();
    let version = version.strip_prefix('v').unwrap_or(version);
    ["", "=", "!=", "<", "<=", ">", ">=", "~>"].contains(&operator)
        && version.starts_with(|letter: char| letter.is_ascii_digit())
        && version.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-+".contains(letter))
}

fn check_distinct(constraint: &Constraint, is_task: bool, path: &str, problems: &mut Problems) {
    match constraint.operator {
        Operator::DistinctHosts | Operator::DistinctProperty if is_task => {
            let message = format!("a task can't have the constraint {}", constraint.operator.as_str());
            problems.add(path, message, "move it to the group: a group's tasks are placed together");
        }
        Operator::DistinctHosts if !["", "true", "false"].contains(&constraint.value.as_str()) => {
            let message = format!("distinct_hosts must be true or false, this is `{}`", constraint.value);
            problems.add(format!("{path}.RTarget"), message, "");
        }
        Operator::DistinctProperty if !is_share(&constraint.value) => {
            let value = &constraint.value;
            let message = format!("the value of distinct_property must be a number from 1, this is `{value}`");
            problems.add(format!("{path}.RTarget"), message, "it is how many instances may share a value");
        }
        _ => {}
    }
}

/// How many instances may share a value: a number from 1, or nothing for 1.
fn is_share(value: &str) -> bool {
    value.is_empty() || value.parse::<u32>().is_ok_and(|most| most > 0)
}

fn check_spread(job: &Job, spread: &Spread, path: &str, problems: &mut Problems) {
    if spread.attribute.is_empty() {
        problems.add(path, "the spread has no attribute", "write: attribute = \"${node.datacenter}\"");
    }
    if !(1..=WEIGHT_MOST).contains(&spread.weight) {
        let message = format!("the weight of a spread must be 1 to {WEIGHT_MOST}, this is {}", spread.weight);
        problems.add(format!("{path}.Weight"), message, "50 is usual");
    }
    let percent: u64 = spread.targets.iter().map(|target| u64::from(target.percent)).sum();
    if percent > 100 {
        let message = format!("the targets of a spread add up to {percent} percent");
        problems.add(
            format!("{path}.SpreadTarget"),
            message,
            "they may have 100 together; what is left goes to other values",
        );
    }
    let mut seen = BTreeSet::new();
    for (at, target) in spread.targets.iter().enumerate() {
        if !seen.insert(&target.value) {
            let message = format!("the spread has the target `{}` twice", target.value);
            problems.add(format!("{path}.SpreadTarget[{at}]"), message, "add the shares up");
        }
    }
    if job.kind.is_per_node() {
        let message = format!("a {} job can't be spread", job.kind.as_str());
        problems.add(path, message, "it runs on every eligible node");
    }
}
