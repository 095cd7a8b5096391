//! What a scalar of YAML stands for: the core schema of YAML 1.2, section 10.3.2.

use saphyr_parser::ScalarStyle;

use crate::value::{Number, Value};

/// The value of a scalar with the full name of its tag, if it has one; or what is wrong with it.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&str>) -> Result<Value, String> {
    let Some(tag) = tag else {
        return if style == ScalarStyle::Plain { plain(text) } else { Ok(Value::text(text)) };
    };
    let kind = match tag {
        "!" => "str",
        tag => tag.strip_prefix("tag:yaml.org,2002:").ok_or_else(|| format!("the tag `{tag}` is not known"))?,
    };
    let value = match kind {
        "str" => return Ok(Value::text(text)),
        "null" => null(text),
        "bool" => bool(text),
        "int" | "float" => number(text)?,
        _ => return Err(format!("the tag `!!{kind}` is not known")),
    };
    value.ok_or_else(|| format!("`{text}` is no `!!{kind}`"))
}

fn plain(text: &str) -> Result<Value, String> {
    if let Some(value) = null(text).or_else(|| bool(text)) {
        return Ok(value);
    }
    Ok(number(text)?.unwrap_or_else(|| Value::text(text)))
}

fn null(text: &str) -> Option<Value> {
    matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Value::Null)
}

fn bool(text: &str) -> Option<Value> {
    match text {
        "true" | "True" | "TRUE" => Some(Value::Bool(true)),
        "false" | "False" | "FALSE" => Some(Value::Bool(false)),
        _ => None,
    }
}

/// A number; an error where YAML has one and the language of jobspecs has not.
fn number(text: &str) -> Result<Option<Value>, String> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(format!("the number `{text}` is not finite"));
    }
    let in_base = |digits: &str, base: u32| {
        let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(base));
        is_number.then(|| i128::from_str_radix(digits, base)).map(|whole| whole.map(Value::whole))
    };
    let whole = match (text.strip_prefix("0o"), text.strip_prefix("0x")) {
        (Some(digits), _) => in_base(digits, 8),
        (_, Some(digits)) => in_base(digits, 16),
        _ => None,
    };
    if let Some(whole) = whole {
        return whole.map(Some).map_err(|_| format!("the number `{text}` is too large"));
    }
    if !is_decimal(unsigned) {
        return Ok(None);
    }
    let number = text.parse::<i128>().map(Number::Whole).ok();
    let number = number.or_else(|| text.parse::<f64>().ok().and_then(Number::of_real));
    number.map(|number| Some(Value::Number(number))).ok_or_else(|| format!("the number `{text}` is too large"))
}

/// `(\. [0-9]+ | [0-9]+ (\. [0-9]*)?) ([eE] [-+]? [0-9]+)?`
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(front, back)| (front, Some(back)));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    let exponent = exponent.map(|exponent| exponent.strip_prefix(['+', '-']).unwrap_or(exponent));
    has_digits && digits(whole) && digits(fraction) && exponent.is_none_or(|power| !power.is_empty() && digits(power))
}
