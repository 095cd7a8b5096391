//! Whether devices meet a condition of a `device` block.

use model::{Constraint, Device, DeviceGroup, DeviceInstance, Operator};

use super::quantity::Quantity;
use crate::schedule::constraint::compare;

/// The devices' ids, as a list.
const IDS: &str = "${device.ids}";

/// Whether equal devices meet a condition.
pub(super) fn holds(constraint: &Constraint, group: &DeviceGroup) -> bool {
    let left = resolve(&constraint.attribute, group);
    let right = resolve(&constraint.value, group);
    match constraint.operator.meaning() {
        Operator::IsSet => left.is_some(),
        Operator::IsNotSet => left.is_none(),
        Operator::NotEqual if left.is_none() || right.is_none() => left != right,
        // An ask whose ids are named is met by those alone, see `is_named`.
        Operator::Equal if constraint.attribute == IDS => {
            right.is_some_and(|right| group.instances.iter().any(|instance| instance.id == right))
        }
        operator => match (left, right) {
            (Some(left), Some(right)) => compare_quantities(operator, &left, &right),
            _ => false,
        },
    }
}

/// Whether no constraint of the ask names other devices than this one.
pub(super) fn is_named(device: &Device, instance: &DeviceInstance) -> bool {
    let names = |constraint: &&Constraint| constraint.attribute == IDS;
    device.constraints.iter().filter(names).all(|constraint| match constraint.operator.meaning() {
        Operator::Equal => constraint.value == instance.id,
        Operator::SetContains | Operator::SetContainsAll | Operator::SetContainsAny => {
            constraint.value.split(',').any(|id| id.trim() == instance.id)
        }
        _ => true,
    })
}

/// What a target such as `${device.attr.memory}` is; a text without `${…}` is itself.
fn resolve(target: &str, group: &DeviceGroup) -> Option<String> {
    let Some(name) = target.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return Some(target.to_string());
    };
    match name.strip_prefix("device.")? {
        "ids" => Some(group.instances.iter().map(|instance| instance.id.as_str()).collect::<Vec<_>>().join(",")),
        "model" => Some(group.name.name.clone()),
        "vendor" => Some(group.name.vendor.clone()),
        "type" => Some(group.name.kind.clone()),
        other => group.attributes.get(other.strip_prefix("attr.")?).cloned(),
    }
}

/// Amounts with units are compared by size; an amount and something else have no order.
fn compare_quantities(operator: Operator, left: &str, right: &str) -> bool {
    let (one, other) = (Quantity::parse(left), Quantity::parse(right));
    let order = match (&one, &other) {
        (Some(one), Some(other)) if one.unit == other.unit => Some(one.amount.cmp(&other.amount)),
        _ => None,
    };
    let is_amount = one.is_some() || other.is_some();
    match operator {
        Operator::Equal => order.map_or(left == right, |order| order.is_eq()),
        Operator::NotEqual => order.map_or(left != right, |order| order.is_ne()),
        Operator::Less if is_amount => order.is_some_and(|order| order.is_lt()),
        Operator::LessOrEqual if is_amount => order.is_some_and(|order| order.is_le()),
        Operator::Greater if is_amount => order.is_some_and(|order| order.is_gt()),
        Operator::GreaterOrEqual if is_amount => order.is_some_and(|order| order.is_ge()),
        _ => compare(operator, left, right),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(left: &str, operator: Operator, right: &str, wanted: bool) {
        assert_eq!(compare_quantities(operator, left, right), wanted, "{left} {} {right}", operator.as_str());
    }

    #[test]
    fn amounts_are_compared_by_size_whatever_their_unit() {
        check("11 GiB", Operator::Greater, "2048 MiB", true);
        check("2 GiB", Operator::Equal, "2048 MiB", true);
        check("2 GiB", Operator::NotEqual, "2 GB", true);
        check("1.5 GHz", Operator::GreaterOrEqual, "1500 MHz", true);
        check("250 W", Operator::Less, "1 kW", true);
        check("10 GB/s", Operator::LessOrEqual, "11 GB/s", true);
    }

    #[test]
    fn amounts_of_different_things_have_no_order() {
        check("2 GiB", Operator::Greater, "1 GHz", false);
        check("2 GiB", Operator::Less, "1 GHz", false);
        check("11 GiB", Operator::Greater, "8", false);
        check("11 GiB", Operator::NotEqual, "8", true);
    }

    #[test]
    fn what_is_no_amount_is_compared_as_anywhere_else() {
        check("3584", Operator::Greater, "500", true);
        check("7.5", Operator::Version, ">= 7.0", true);
        check("a,b", Operator::SetContains, "b", true);
    }
}
