//! Functions that read and write JSON, CSV, base64 and URLs.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Arguments, Called, Failure, Function};
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function { name: "base64decode", arity: (1, Some(1)), call: base64decode, doc: "the text that base64 stands for" },
    Function { name: "base64encode", arity: (1, Some(1)), call: base64encode, doc: "a text in base64" },
    Function {
        name: "csvdecode",
        arity: (1, Some(1)),
        call: csvdecode,
        doc: "the rows of a table, keyed by its header",
    },
    Function { name: "jsondecode", arity: (1, Some(1)), call: jsondecode, doc: "the value that JSON stands for" },
    Function { name: "jsonencode", arity: (1, Some(1)), call: jsonencode, doc: "a value in JSON" },
    Function { name: "urlencode", arity: (1, Some(1)), call: urlencode, doc: "a text as part of a URL's query" },
];

fn base64decode(arguments: &mut Arguments<'_>) -> Called {
    let bytes = STANDARD.decode(arguments.text(0)?).map_err(|_| Failure::at(0, "this is not base64"))?;
    String::from_utf8(bytes).map(Value::Text).map_err(|_| Failure::at(0, "the decoded bytes are not UTF-8"))
}

fn base64encode(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::Text(STANDARD.encode(arguments.text(0)?)))
}

fn jsondecode(arguments: &mut Arguments<'_>) -> Called {
    let json = serde_json::from_str(&arguments.text(0)?);
    json.map(|json| Value::from_json(&json)).map_err(|error| Failure::at(0, format!("this is not JSON: {error}")))
}

/// As HCL writes JSON: no spaces, and `<`, `>`, `&` escaped.
fn jsonencode(arguments: &mut Arguments<'_>) -> Called {
    let json = arguments.values[0].to_json().to_string();
    Ok(Value::Text(json.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")))
}

fn urlencode(arguments: &mut Arguments<'_>) -> Called {
    let mut encoded = String::new();
    for byte in arguments.text(0)?.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => encoded.push(char::from(byte)),
            b' ' => encoded.push('+'),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    Ok(Value::Text(encoded))
}

fn csvdecode(arguments: &mut Arguments<'_>) -> Called {
    let rows = csv_rows(&arguments.text(0)?).map_err(|problem| Failure::at(0, problem))?;
    let mut rows = rows.into_iter();
    let header = rows.next().unwrap_or_default();
    let mut list = Vec::new();
    for (at, row) in rows.enumerate() {
        if row.len() != header.len() {
            let message = format!("row {} has {} fields, the header has {}", at + 2, row.len(), header.len());
            return Err(Failure::at(0, message));
        }
        list.push(Value::Object(header.iter().cloned().zip(row.into_iter().map(Value::Text)).collect()));
    }
    Ok(Value::List(list))
}

/// The fields of each row of CSV as RFC 4180 has it; empty lines are left out.
fn csv_rows(text: &str) -> Result<Vec<Vec<String>>, &'static str> {
    let mut rows = Vec::new();
    let mut row = vec![String::new()];
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let field = row.last_mut().expect("a row has at least one field");
        match (letter, quoted) {
            ('"', true) if letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            ('"', true) => quoted = false,
            ('"', false) if field.is_empty() => quoted = true,
            ('"', false) => return Err("a quote stands within a field that has none at its start"),
            (',', false) => row.push(String::new()),
            ('\r', false) if letters.peek() == Some(&'\n') => {}
            ('\n', false) => rows.push(std::mem::replace(&mut row, vec![String::new()])),
            (letter, _) => field.push(letter),
        }
    }
    if quoted {
        return Err("a quoted field does not end");
    }
    rows.push(row);
    rows.retain(|row| row.len() > 1 || !row[0].is_empty());
    Ok(rows)
}
