//! `format` and `formatlist`: values put into a text by verbs, `%s %d %05.2f %q %v`.

use super::{Arguments, Called, Failure, Function, check_size};
use crate::value::{Number, Value};

/// The widest field and the most digits that a verb may ask for.
const WIDTH_MAX: usize = 1000;

pub(super) const TABLE: &[Function] = &[
    Function { name: "format", arity: (1, None), call: format, doc: "values put into a text by verbs such as %s, %d" },
    Function { name: "formatlist", arity: (1, None), call: formatlist, doc: "a text for each item of the lists given" },
];

fn format(arguments: &mut Arguments<'_>) -> Called {
    let pattern = arguments.text(0)?;
    fill(&pattern, &arguments.values[1..]).map(Value::Text)
}

fn formatlist(arguments: &mut Arguments<'_>) -> Called {
    let pattern = arguments.text(0)?;
    let lengths = arguments.values[1..].iter().filter_map(|value| match value {
        Value::List(list) => Some(list.len()),
        _ => None,
    });
    let lengths: Vec<usize> = lengths.collect();
    let rows = lengths.first().copied().unwrap_or(1);
    if lengths.iter().any(|length| *length != rows) {
        return Err(Failure::of("the lists differ in length"));
    }
    check_size(rows.saturating_mul(pattern.len()))?;
    let mut list = Vec::new();
    for row in 0..rows {
        let values: Vec<Value> = arguments.values[1..]
            .iter()
            .map(|value| match value {
                Value::List(list) => list[row].clone(),
                other => other.clone(),
            })
            .collect();
        list.push(Value::Text(fill(&pattern, &values)?));
    }
    Ok(Value::List(list))
}

/// A verb: `%[flags][width][.precision]letter`, the argument chosen by `[n]`.
#[derive(Default)]
struct Verb {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    width: usize,
    precision: Option<usize>,
}

fn fill(pattern: &str, values: &[Value]) -> Called<String> {
    let mut text = String::new();
    let mut letters = pattern.chars().peekable();
    let mut next = 0;
    let mut used = 0;
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        let mut verb = Verb::default();
        while let Some(flag) = letters.next_if(|letter| "-0+ #".contains(*letter)) {
            match flag {
                '-' => verb.left = true,
                '0' => verb.zero = true,
                '+' => verb.plus = true,
                ' ' => verb.space = true,
                _ => {}
            }
        }
        verb.width = digits(&mut letters)?.unwrap_or(0);
        if letters.next_if_eq(&'.').is_some() {
            verb.precision = Some(digits(&mut letters)?.unwrap_or(0));
        }
        if letters.next_if_eq(&'[').is_some() {
            let number = digits(&mut letters)?.filter(|number| *number > 0);
            next = number.ok_or_else(|| Failure::at(0, "arguments are numbered from 1"))? - 1;
            letters.next_if_eq(&']').ok_or_else(|| Failure::at(0, "`[` must be closed by `]`"))?;
        }
        let letter = letters.next().ok_or_else(|| Failure::at(0, "the text ends within a verb"))?;
        if letter == '%' {
            text.push('%');
            continue;
        }
        let value = values.get(next).ok_or_else(|| Failure::of(format!("there is no value for `%{letter}`")))?;
        let shown = verb.show(letter, value).map_err(|problem| Failure::at(next + 1, problem))?;
        text.push_str(&verb.pad(shown, matches!(value, Value::Number(_))));
        next += 1;
        used = used.max(next);
        check_size(text.len())?;
    }
    if used < values.len() {
        return Err(Failure::at(used + 1, "the text has no verb for this value"));
    }
    Ok(text)
}

fn digits(letters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Called<Option<usize>> {
    let mut number = None;
    while let Some(digit) = letters.next_if(char::is_ascii_digit) {
        let digit = digit.to_digit(10).unwrap_or_default() as usize;
        let grown = number.unwrap_or(0) * 10 + digit;
        if grown > WIDTH_MAX {
            return Err(Failure::at(0, format!("a width must be at most {WIDTH_MAX}")));
        }
        number = Some(grown);
    }
    Ok(number)
}

impl Verb {
    fn show(&self, letter: char, value: &Value) -> Result<String, String> {
        let number =
            || value.to_number().ok_or_else(|| format!("`%{letter}` needs a number, this is {}", value.kind()));
        let whole = || {
            let whole = number()?.whole();
            whole.ok_or_else(|| format!("`%{letter}` needs a whole number"))
        };
        match letter {
            'v' => Ok(match value {
                Value::Null | Value::List(_) | Value::Object(_) => value.to_json().to_string(),
                other => other.to_text().unwrap_or_default(),
            }),
            's' => {
                let text = value.to_text().ok_or_else(|| format!("`%s` needs a string, this is {}", value.kind()))?;
                Ok(self.precision.map_or_else(|| text.clone(), |letters| text.chars().take(letters).collect()))
            }
            'q' => {
                let text = value.to_text().ok_or_else(|| format!("`%q` needs a string, this is {}", value.kind()))?;
                Ok(Value::Text(text).to_json().to_string())
            }
            't' => value.to_bool().map(|bool| bool.to_string()).ok_or_else(|| "`%t` needs true or false".to_string()),
            'd' => Ok(self.signed(number()?.real() < 0.0, whole()?.unsigned_abs().to_string())),
            'b' => whole().map(|whole| self.signed(whole < 0, format!("{:b}", whole.unsigned_abs()))),
            'o' => whole().map(|whole| self.signed(whole < 0, format!("{:o}", whole.unsigned_abs()))),
            'x' => whole().map(|whole| self.signed(whole < 0, format!("{:x}", whole.unsigned_abs()))),
            'X' => whole().map(|whole| self.signed(whole < 0, format!("{:X}", whole.unsigned_abs()))),
            'f' | 'F' => {
                let real = number()?.real();
                Ok(self.signed(real < 0.0, format!("{:.*}", self.precision.unwrap_or(6), real.abs())))
            }
            'e' | 'E' => {
                let real = number()?.real();
                let shown = scientific(real.abs(), self.precision.unwrap_or(6));
                Ok(self.signed(real < 0.0, if letter == 'E' { shown.to_uppercase() } else { shown }))
            }
            'g' | 'G' => Ok(self.signed(
                number()?.real() < 0.0,
                match number()? {
                    Number::Whole(whole) => whole.unsigned_abs().to_string(),
                    Number::Real(real) => real.abs().to_string(),
                },
            )),
            other => Err(format!("there is no verb `%{other}`")),
        }
    }

    fn signed(&self, negative: bool, digits: String) -> String {
        let sign = match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            (false, false, false) => "",
        };
        format!("{sign}{digits}")
    }

    fn pad(&self, text: String, is_number: bool) -> String {
        let missing = self.width.saturating_sub(text.chars().count());
        if self.left {
            return text + &" ".repeat(missing);
        }
        if !(self.zero && is_number) {
            return " ".repeat(missing) + &text;
        }
        let signs = text.len() - text.trim_start_matches(['-', '+', ' ']).len();
        format!("{}{}{}", &text[..signs], "0".repeat(missing), &text[signs..])
    }
}

/// `1.500000e+03`: the exponent with its sign and at least two digits.
fn scientific(real: f64, digits: usize) -> String {
    let shown = format!("{real:.digits$e}");
    let (mantissa, exponent) = shown.split_once('e').unwrap_or((&shown, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}
