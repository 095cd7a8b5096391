//! Functions of numbers.

use super::{Arguments, Called, Failure, Function};
use crate::value::{Number, Value};

/// The longest list that `range` makes.
const RANGE_ITEMS_MAX: usize = 1024;

pub(super) const TABLE: &[Function] = &[
    Function { name: "abs", arity: (1, Some(1)), call: abs, doc: "the number without its sign" },
    Function { name: "ceil", arity: (1, Some(1)), call: ceil, doc: "the next whole number upwards" },
    Function { name: "floor", arity: (1, Some(1)), call: floor, doc: "the next whole number downwards" },
    Function { name: "log", arity: (2, Some(2)), call: log, doc: "the logarithm of a number to a base" },
    Function { name: "max", arity: (1, None), call: max, doc: "the greatest of its arguments" },
    Function { name: "min", arity: (1, None), call: min, doc: "the least of its arguments" },
    Function { name: "parseint", arity: (2, Some(2)), call: parseint, doc: "a text in a base of 2 to 36, as a number" },
    Function { name: "pow", arity: (2, Some(2)), call: pow, doc: "a number to the power of another" },
    Function {
        name: "range",
        arity: (1, Some(3)),
        call: range,
        doc: "numbers from a start to before a limit, by a step",
    },
    Function { name: "signum", arity: (1, Some(1)), call: signum, doc: "-1, 0 or 1, the sign of a number" },
];

fn real(real: f64) -> Called {
    Number::of_real(real).map(Value::Number).ok_or_else(|| Failure::of("the result is not a finite number"))
}

fn abs(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::Number(match arguments.number(0)? {
        Number::Whole(whole) => Number::Whole(whole.saturating_abs()),
        Number::Real(real) => Number::Real(real.abs()),
    }))
}

fn ceil(arguments: &mut Arguments<'_>) -> Called {
    match arguments.number(0)? {
        whole @ Number::Whole(_) => Ok(Value::Number(whole)),
        Number::Real(number) => real(number.ceil()),
    }
}

fn floor(arguments: &mut Arguments<'_>) -> Called {
    match arguments.number(0)? {
        whole @ Number::Whole(_) => Ok(Value::Number(whole)),
        Number::Real(number) => real(number.floor()),
    }
}

fn log(arguments: &mut Arguments<'_>) -> Called {
    real(arguments.number(0)?.real().ln() / arguments.number(1)?.real().ln())
}

fn max(arguments: &mut Arguments<'_>) -> Called {
    best(arguments, |candidate, best| candidate > best)
}

fn min(arguments: &mut Arguments<'_>) -> Called {
    best(arguments, |candidate, best| candidate < best)
}

fn best(arguments: &Arguments<'_>, is_better: fn(Number, Number) -> bool) -> Called {
    let mut best = arguments.number(0)?;
    for at in 1..arguments.len() {
        let candidate = arguments.number(at)?;
        if is_better(candidate, best) {
            best = candidate;
        }
    }
    Ok(Value::Number(best))
}

fn parseint(arguments: &mut Arguments<'_>) -> Called {
    let text = arguments.text(0)?;
    let base = arguments.size(1, 36)?;
    if base < 2 {
        return Err(Failure::at(1, "the base must be from 2 to 36"));
    }
    let parsed = i128::from_str_radix(&text, base as u32);
    parsed.map(Value::whole).map_err(|_| Failure::at(0, format!("`{text}` is not a number in base {base}")))
}

fn pow(arguments: &mut Arguments<'_>) -> Called {
    let (base, exponent) = (arguments.number(0)?, arguments.number(1)?);
    let exact = match (base, exponent) {
        (Number::Whole(base), Number::Whole(exponent)) => {
            u32::try_from(exponent).ok().and_then(|exponent| base.checked_pow(exponent))
        }
        _ => None,
    };
    exact.map_or_else(|| real(base.real().powf(exponent.real())), |exact| Ok(Value::whole(exact)))
}

fn range(arguments: &mut Arguments<'_>) -> Called {
    let (start, limit) = match arguments.len() {
        1 => (0.0, arguments.number(0)?.real()),
        _ => (arguments.number(0)?.real(), arguments.number(1)?.real()),
    };
    let step = match arguments.len() {
        3 => arguments.number(2)?.real(),
        _ if limit < start => -1.0,
        _ => 1.0,
    };
    if step == 0.0 || (limit - start) * step < 0.0 {
        return Err(Failure::of("the step must lead from the start to the limit"));
    }
    let mut list = Vec::new();
    let mut next = start;
    while (step > 0.0 && next < limit) || (step < 0.0 && next > limit) {
        if list.len() == RANGE_ITEMS_MAX {
            return Err(Failure::of(format!("the range has more than {RANGE_ITEMS_MAX} items")));
        }
        list.push(real(next)?);
        next = start + step * list.len() as f64;
    }
    Ok(Value::List(list))
}

fn signum(arguments: &mut Arguments<'_>) -> Called {
    let real = arguments.number(0)?.real();
    Ok(Value::whole(if real > 0.0 { 1 } else { -i128::from(real < 0.0) }))
}
