//! Amounts with a unit, such as `2 GiB`, as devices have them among their attributes.

/// Digits before the point that are read; more would not be exact in the largest unit.
const DIGITS_MAX: usize = 12;
/// Digits behind the point that are read.
const DECIMALS_MAX: usize = 6;

/// An amount with a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    /// What it is an amount of.
    pub unit: Unit,
    /// How much, in millionths of the unit.
    pub amount: i128,
}

/// The unit in which amounts of one thing are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Byte,
    BytePerSecond,
    Hertz,
    Milliwatt,
}

/// Each size of bytes, alone and per second.
const BYTES: [(&str, i128); 14] = [
    ("kB", 1_000),
    ("KB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("PB", 1_000_000_000_000_000),
    ("EB", 1_000_000_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
    ("PiB", 1 << 50),
    ("EiB", 1 << 60),
    ("B", 1),
];

const OTHERS: [(&str, Unit, i128); 8] = [
    ("Hz", Unit::Hertz, 1),
    ("MHz", Unit::Hertz, 1_000_000),
    ("GHz", Unit::Hertz, 1_000_000_000),
    ("mW", Unit::Milliwatt, 1),
    ("W", Unit::Milliwatt, 1_000),
    ("kW", Unit::Milliwatt, 1_000_000),
    ("MW", Unit::Milliwatt, 1_000_000_000),
    ("GW", Unit::Milliwatt, 1_000_000_000_000),
];

impl Quantity {
    /// Reads a number and a unit; none for anything else, a number alone too.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let at = text.find(|letter: char| letter.is_ascii_alphabetic())?;
        let (number, unit) = text.split_at(at);
        let (unit, factor) = unit_of(unit)?;
        Some(Self { unit, amount: millionths(number.trim())?.checked_mul(factor)? })
    }
}

fn unit_of(text: &str) -> Option<(Unit, i128)> {
    let (bytes, unit) = match text.strip_suffix("/s") {
        Some(bytes) => (bytes, Unit::BytePerSecond),
        None => (text, Unit::Byte),
    };
    if let Some((_, factor)) = BYTES.iter().find(|(name, _)| *name == bytes) {
        return Some((unit, *factor));
    }
    OTHERS.iter().find(|(name, _, _)| *name == text).map(|(_, unit, factor)| (*unit, *factor))
}

/// `1.5` as 1,500,000.
fn millionths(number: &str) -> Option<i128> {
    let (sign, number) = number.strip_prefix('-').map_or((1, number), |rest| (-1, rest));
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > DIGITS_MAX || decimals.len() > DECIMALS_MAX {
        return None;
    }
    if !is_digits(whole) || !is_digits(decimals) {
        return None;
    }
    format!("{whole}{decimals:0<DECIMALS_MAX$}").parse::<i128>().ok().map(|amount| sign * amount)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: Option<(Unit, i128)>) {
        let read = Quantity::parse(text).map(|quantity| (quantity.unit, quantity.amount));
        assert_eq!(read, wanted.map(|(unit, amount)| (unit, amount * 1_000_000)), "{text}");
    }

    #[test]
    fn a_number_and_a_unit_are_an_amount_and_nothing_else_is() {
        check("2 GiB", Some((Unit::Byte, 2 << 30)));
        check("2GiB", Some((Unit::Byte, 2 << 30)));
        check("1.5 kB/s", Some((Unit::BytePerSecond, 1500)));
        check("-3 W", Some((Unit::Milliwatt, -3000)));
        check("2", None);
        check("2 apples", None);
        check("GiB", None);
        check("1.2.3 GiB", None);
        check("v2 GiB", None);
    }

    #[test]
    fn digits_are_read_up_to_the_limit() {
        check(&format!("{} B", "9".repeat(DIGITS_MAX)), Some((Unit::Byte, 999_999_999_999)));
        check(&format!("{} B", "9".repeat(DIGITS_MAX + 1)), None);
        assert!(Quantity::parse(&format!("0.{} B", "1".repeat(DECIMALS_MAX))).is_some());
        check(&format!("0.{} B", "1".repeat(DECIMALS_MAX + 1)), None);
    }
}
