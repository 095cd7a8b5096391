//! `constraint`, `affinity` and `spread`: where instances may and should run.

use serde_json::Value as Json;

use super::kind::COUNT;
use super::{Block, Entries, Fault, Kind, Times, attribute, block};
use crate::source::Span;
use crate::tree::{Node, Tree};

const OPERATORS: &[&str] = &[
    "=",
    "==",
    "is",
    "!=",
    "not",
    "<",
    "<=",
    ">",
    ">=",
    "regexp",
    "version",
    "semver",
    "set_contains",
    "set_contains_all",
    "set_contains_any",
    "is_set",
    "is_not_set",
    "distinct_hosts",
    "distinct_property",
];

pub(super) static CONSTRAINT: Block = Block::new(
    "constraint",
    "A condition that the node must meet.",
    &[
        attribute("attribute", "LTarget", Kind::Text, "Left side, such as `${attr.kernel.name}`."),
        attribute("operator", "Operand", Kind::Choice(OPERATORS), "How the sides are compared; `=` unless given."),
        attribute("value", "RTarget", Kind::Text, "Right side."),
        attribute("distinct_hosts", "", Kind::Bool, "At most one instance on a node."),
        attribute("distinct_property", "", Kind::Text, "At most `value` instances per value of this attribute."),
        attribute("regexp", "", Kind::Text, "The attribute matches this regular expression."),
        attribute("version", "", Kind::Text, "The attribute's version meets this, `>= 1.2, < 2`."),
        attribute("semver", "", Kind::Text, "The same by the strict rules of semantic versions."),
        attribute("set_contains", "", Kind::Text, "The attribute's comma list has all of these."),
        attribute("set_contains_any", "", Kind::Text, "The attribute's comma list has any of these."),
    ],
)
.of::<model::Constraint>()
.finish(spell_out);

pub(super) static AFFINITY: Block = Block::new(
    "affinity",
    "A preference for or against nodes.",
    &[
        attribute("attribute", "LTarget", Kind::Text, "Left side, such as `${meta.rack}`."),
        attribute("operator", "Operand", Kind::Choice(OPERATORS), "How the sides are compared; `=` unless given."),
        attribute("value", "RTarget", Kind::Text, "Right side."),
        attribute("weight", "Weight", Kind::Whole(i32::MIN as i64, i32::MAX as i64), "-100 to 100; 50 unless given."),
        attribute("regexp", "", Kind::Text, "The attribute matches this regular expression."),
        attribute("version", "", Kind::Text, "The attribute's version meets this."),
        attribute("semver", "", Kind::Text, "The same by the strict rules of semantic versions."),
        attribute("set_contains", "", Kind::Text, "The attribute's comma list has all of these."),
        attribute("set_contains_any", "", Kind::Text, "The attribute's comma list has any of these."),
    ],
)
.of::<model::Affinity>()
.finish(spell_out);

pub(super) static SPREAD: Block = Block::new(
    "spread",
    "Spreads instances over the values of an attribute.",
    &[
        attribute("attribute", "Attribute", Kind::Text, "The attribute, such as `${node.datacenter}`."),
        attribute("weight", "Weight", Kind::Whole(i32::MIN as i64, i32::MAX as i64), "1 to 100; 50 unless given."),
        block("target", "SpreadTarget", &TARGET, Times::Many),
    ],
)
.of::<model::Spread>();

static TARGET: Block = Block::new(
    "target",
    "The share of one value.",
    &[
        attribute("", "Value", Kind::Text, "The value, given as the label."),
        attribute("percent", "Percent", COUNT, "Its share of the instances."),
    ],
)
.labelled("Value")
.of::<model::SpreadTarget>();

/// Short forms, `regexp = "x"`, become operator and value.
fn spell_out(entries: &mut Entries, _: &Span) -> Result<(), Fault> {
    let shorthands = ["regexp", "version", "semver", "set_contains", "set_contains_any"];
    let leaf = |span: &Span, text: &str| Node { span: span.clone(), tree: Tree::Leaf(Json::String(text.into())) };
    let mut given: Option<&str> = None;
    for operator in shorthands.into_iter().chain(["distinct_hosts", "distinct_property"]) {
        let Some(value) = entries.remove(operator) else { continue };
        if let Some(other) = given.or_else(|| entries.contains_key("Operand").then_some("operator")) {
            let message = format!("`{operator}` and `{other}` exclude each other");
            return Err(Fault { span: value.span, message, hint: "write two blocks" });
        }
        given = Some(operator);
        let span = value.span.clone();
        let (side, name) = match operator {
            "distinct_property" => ("LTarget", "attribute"),
            _ => ("RTarget", "value"),
        };
        if entries.contains_key(side) {
            let message = format!("`{operator}` and `{name}` exclude each other");
            return Err(Fault { span, message, hint: "keep one of them" });
        }
        let target = match operator {
            "distinct_hosts" if matches!(value.tree, Tree::Leaf(Json::Bool(false))) => leaf(&span, "false"),
            "distinct_hosts" => leaf(&span, "true"),
            _ => value,
        };
        entries.insert(side.into(), target);
        // Inserted after the loop's check of it, so that it does not exclude itself.
        entries.insert("Operand".into(), leaf(&span, operator));
    }
    Ok(())
}
