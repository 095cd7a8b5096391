//! `yamldecode` and `yamlencode`.

mod decode;
mod encode;
mod scalar;

use super::{Arguments, Called, Function, check_size};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function { name: "yamldecode", arity: (1, Some(1)), call: yamldecode, doc: "the value that YAML stands for" },
    Function { name: "yamlencode", arity: (1, Some(1)), call: yamlencode, doc: "a value in YAML" },
];

fn yamldecode(arguments: &mut Arguments<'_>) -> Called {
    decode::decode(&arguments.text(0)?, &|cost| arguments.spend(cost))
}

fn yamlencode(arguments: &mut Arguments<'_>) -> Called {
    let text = encode::encode(&arguments.values[0]);
    // Also of a text that is not given, because it is too long.
    arguments.spend(text.len() as u64)?;
    check_size(text.len())?;
    Ok(Value::Text(text))
}
