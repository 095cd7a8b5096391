//! Functions of address ranges, `10.0.0.0/8` and `fd00::/8`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Arguments, Called, Failure, Function};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function { name: "cidrhost", arity: (2, Some(2)), call: cidrhost, doc: "an address of a range, by number" },
    Function { name: "cidrnetmask", arity: (1, Some(1)), call: cidrnetmask, doc: "the mask of an IPv4 range" },
    Function {
        name: "cidrsubnet",
        arity: (3, Some(3)),
        call: cidrsubnet,
        doc: "a part of a range, by bits and number",
    },
    Function { name: "cidrsubnets", arity: (1, None), call: cidrsubnets, doc: "parts of a range, one after another" },
];

/// A range of addresses: the first one as a number, the length of the prefix, and the bits of an address.
#[derive(Clone, Copy)]
struct Range {
    first: u128,
    prefix: u32,
    bits: u32,
}

impl Range {
    fn parse(text: &str) -> Option<Range> {
        let (address, prefix) = text.split_once('/')?;
        let prefix: u32 = prefix.parse().ok()?;
        let (address, bits) = match address.parse().ok()? {
            IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
            IpAddr::V6(address) => (u128::from(address), 128),
        };
        let range = Range { first: address, prefix, bits };
        (prefix <= bits).then(|| Range { first: address & !range.hosts(), ..range })
    }

    /// The bits that number the addresses, all set.
    fn hosts(self) -> u128 {
        1_u128.checked_shl(self.bits - self.prefix).map_or(u128::MAX, |size| size - 1)
    }

    fn address(self, number: u128) -> String {
        match self.bits {
            32 => Ipv4Addr::from(u32::try_from(number & u128::from(u32::MAX)).unwrap_or_default()).to_string(),
            _ => Ipv6Addr::from(number).to_string(),
        }
    }

    fn part(self, new_bits: u32, number: u128) -> Option<Range> {
        let prefix = self.prefix + new_bits;
        let fits = prefix <= self.bits && (new_bits >= 127 || number < 1 << new_bits);
        let shifted = number.checked_shl(self.bits.checked_sub(prefix)?).unwrap_or(0);
        fits.then_some(Range { first: self.first | shifted, prefix, bits: self.bits })
    }
}

impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.address(self.first), self.prefix)
    }
}

fn range(arguments: &Arguments<'_>) -> Called<Range> {
    let text = arguments.text(0)?;
    Range::parse(&text).ok_or_else(|| Failure::at(0, format!("`{text}` is not a range such as 10.0.0.0/16")))
}

fn cidrhost(arguments: &mut Arguments<'_>) -> Called {
    let range = range(arguments)?;
    let number = arguments.number(1)?.whole().ok_or_else(|| Failure::at(1, "a whole number is needed here"))?;
    // Below zero counts from the end of the range.
    let host = if number < 0 { range.hosts().checked_sub(number.unsigned_abs() - 1) } else { Some(number as u128) };
    let host = host.filter(|host| *host <= range.hosts());
    let host = host.ok_or_else(|| Failure::at(1, format!("the range {range} has no address {number}")))?;
    Ok(Value::Text(range.address(range.first | host)))
}

fn cidrnetmask(arguments: &mut Arguments<'_>) -> Called {
    let range = range(arguments)?;
    if range.bits != 32 {
        return Err(Failure::at(0, "only IPv4 ranges have a mask"));
    }
    Ok(Value::Text(range.address(!range.hosts() & u128::from(u32::MAX))))
}

fn cidrsubnet(arguments: &mut Arguments<'_>) -> Called {
    let range = range(arguments)?;
    let new_bits = arguments.size(1, 128)? as u32;
    let number = arguments.number(2)?.whole().and_then(|number| u128::try_from(number).ok());
    let part = number.and_then(|number| range.part(new_bits, number));
    part.map(|part| Value::Text(part.to_string())).ok_or_else(|| Failure::of(format!("{range} has no such part")))
}

fn cidrsubnets(arguments: &mut Arguments<'_>) -> Called {
    let range = range(arguments)?;
    let mut next = range.first;
    let mut list = Vec::new();
    for at in 1..arguments.len() {
        let prefix = range.prefix + arguments.size(at, 128)? as u32;
        let part = Range { first: next, prefix, bits: range.bits };
        if prefix > range.bits {
            return Err(Failure::at(at, "the part is smaller than an address"));
        }
        // A part begins at a multiple of its own size.
        let first = next.checked_add(part.hosts()).map(|end| end & !part.hosts());
        let first = first.filter(|first| first & !range.hosts() == range.first);
        let first = first.ok_or_else(|| Failure::at(at, format!("{range} has no room left for this part")))?;
        list.push(Value::Text(Range { first, ..part }.to_string()));
        next = first.checked_add(part.hosts()).and_then(|last| last.checked_add(1)).unwrap_or(u128::MAX);
    }
    Ok(Value::List(list))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Budget;
    use crate::inputs::Outside;
    use crate::value::Number;

    fn call(function: fn(&mut Arguments<'_>) -> Called, values: Vec<Value>) -> Result<Value, String> {
        let mut arguments = Arguments { values, outside: Outside::default(), budget: &Budget::default() };
        function(&mut arguments).map_err(|failure| failure.message)
    }

    fn number(whole: i64) -> Value {
        Value::Number(Number::Whole(whole.into()))
    }

    #[test]
    fn ranges_are_cut_and_numbered() {
        let v4 = || Value::text("10.0.0.0/8");
        assert_eq!(call(cidrhost, vec![v4(), number(258)]), Ok(Value::text("10.0.1.2")));
        assert_eq!(call(cidrhost, vec![v4(), number(-1)]), Ok(Value::text("10.255.255.255")));
        assert_eq!(call(cidrnetmask, vec![Value::text("10.0.0.0/12")]), Ok(Value::text("255.240.0.0")));
        assert_eq!(call(cidrsubnet, vec![v4(), number(8), number(2)]), Ok(Value::text("10.2.0.0/16")));
        assert_eq!(
            call(cidrsubnets, vec![Value::text("10.1.0.0/16"), number(4), number(4), number(8)]),
            Ok(Value::List(["10.1.0.0/20", "10.1.16.0/20", "10.1.32.0/24"].map(Value::text).to_vec()))
        );
        assert_eq!(
            call(cidrsubnet, vec![Value::text("fd00::/8"), number(8), number(255)]),
            Ok(Value::text("fdff::/16"))
        );
        assert!(call(cidrsubnet, vec![v4(), number(2), number(4)]).is_err());
        assert!(call(cidrhost, vec![Value::text("0.0.0.0/0"), Value::whole(1_i128 << 32)]).is_err());
    }
}
