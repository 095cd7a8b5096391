//! Conditions and preferences on the node that an instance runs on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A condition that a node must meet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Constraint {
    /// Left side, usually an attribute such as `${attr.kernel.name}`.
    #[serde(rename = "LTarget")]
    pub attribute: String,
    /// Right side.
    #[serde(rename = "RTarget")]
    pub value: String,
    /// How the two are compared.
    #[serde(rename = "Operand")]
    pub operator: Operator,
}

/// As a person would write it: `${attr.cpu.arch} = arm64`.
impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operator {
            Operator::DistinctHosts => write!(f, "distinct_hosts"),
            Operator::DistinctProperty => write!(f, "distinct_property {}", self.attribute),
            Operator::IsSet | Operator::IsNotSet => write!(f, "{} {}", self.attribute, self.operator.as_str()),
            _ => write!(f, "{} {} {}", self.attribute, self.operator.as_str(), self.value),
        }
    }
}

/// A preference for or against nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Affinity {
    /// Left side, usually an attribute.
    #[serde(rename = "LTarget")]
    pub attribute: String,
    /// Right side.
    #[serde(rename = "RTarget")]
    pub value: String,
    /// How the two are compared.
    #[serde(rename = "Operand")]
    pub operator: Operator,
    /// −100 to 100, not 0; negative keeps away.
    #[serde(rename = "Weight")]
    pub weight: i32,
}

impl Default for Affinity {
    fn default() -> Self {
        Self { attribute: String::new(), value: String::new(), operator: Operator::Equal, weight: 50 }
    }
}

impl Affinity {
    /// The condition that a node meets or not, without the weight.
    pub fn condition(&self) -> Constraint {
        Constraint { attribute: self.attribute.clone(), value: self.value.clone(), operator: self.operator }
    }
}

/// Spreads instances over the values of an attribute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Spread {
    /// The attribute, such as `${node.datacenter}`.
    pub attribute: String,
    /// 1 to 100, against other spreads of the job.
    pub weight: i32,
    /// Wanted shares; none means even.
    #[serde(rename = "SpreadTarget")]
    #[serde(with = "crate::null")]
    pub targets: Vec<SpreadTarget>,
}

impl Default for Spread {
    fn default() -> Self {
        Self { attribute: String::new(), weight: 50, targets: Vec::new() }
    }
}

/// The share of instances that one value shall have.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct SpreadTarget {
    /// The attribute's value.
    pub value: String,
    /// Percent of the group's count.
    pub percent: u32,
}

macro_rules! operators {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// How a constraint compares its two sides, as its author wrote it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        pub enum Operator {
            $($(#[$doc])* #[serde(rename = $text)] $variant,)+
        }

        impl Operator {
            /// Every operator with its word.
            pub const ALL: &'static [(&'static str, Operator)] = &[$(($text, Operator::$variant)),+];

            /// The word used in jobspecs and JSON.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Operator::$variant => $text,)+
                }
            }
        }
    };
}

impl Operator {
    /// The operator that means the same, for those that can be written in several ways.
    pub fn meaning(self) -> Operator {
        match self {
            Operator::EqualEqual | Operator::Is => Operator::Equal,
            Operator::Not => Operator::NotEqual,
            Operator::SetContainsAll => Operator::SetContains,
            _ => self,
        }
    }
}

operators! {
    /// Equal as text.
    #[default]
    Equal = "=",
    /// The same, written otherwise.
    EqualEqual = "==",
    /// The same, written otherwise.
    Is = "is",
    /// Not equal, or the attribute is missing.
    NotEqual = "!=",
    /// The same, written otherwise.
    Not = "not",
    /// Less, as integers, else as numbers, else as text.
    Less = "<",
    /// Less or equal.
    LessOrEqual = "<=",
    /// Greater.
    Greater = ">",
    /// Greater or equal.
    GreaterOrEqual = ">=",
    /// A regular expression matches.
    Regexp = "regexp",
    /// A lenient version constraint holds, `>= 1.2, < 2`.
    Version = "version",
    /// A strict semantic version constraint holds.
    Semver = "semver",
    /// The node's comma list holds all of the values.
    SetContains = "set_contains",
    /// The same, written otherwise.
    SetContainsAll = "set_contains_all",
    /// The node's comma list holds any of the values.
    SetContainsAny = "set_contains_any",
    /// The attribute exists.
    IsSet = "is_set",
    /// The attribute does not exist.
    IsNotSet = "is_not_set",
    /// At most one instance per node.
    DistinctHosts = "distinct_hosts",
    /// At most so many instances per value of a property.
    DistinctProperty = "distinct_property",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_operator_is_read_and_kept() {
        for (text, operator) in Operator::ALL {
            let json = format!("\"{text}\"");
            assert_eq!(serde_json::from_str::<Operator>(&json).unwrap(), *operator);
            assert_eq!(serde_json::to_string(operator).unwrap(), json);
        }
    }
}
