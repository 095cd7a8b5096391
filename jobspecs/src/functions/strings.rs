//! Functions of strings. Letters are counted as Unicode characters.

use regex::RegexBuilder;

use super::{Arguments, Called, Failure, Function, check_size};
use crate::value::Value;

/// The most memory that a compiled regular expression may take, in bytes.
const REGEX_BYTES_MAX: usize = 1 << 20;

pub(super) const TABLE: &[Function] = &[
    Function { name: "chomp", arity: (1, Some(1)), call: chomp, doc: "the text without newlines at its end" },
    Function { name: "indent", arity: (2, Some(2)), call: indent, doc: "the text, all lines but the first indented" },
    Function { name: "join", arity: (2, None), call: join, doc: "the items of lists, with a separator between them" },
    Function { name: "lower", arity: (1, Some(1)), call: lower, doc: "the text in small letters" },
    Function { name: "regex_replace", arity: (3, Some(3)), call: regex_replace, doc: "matches of a pattern replaced" },
    Function { name: "replace", arity: (3, Some(3)), call: replace, doc: "a part replaced; a pattern between slashes" },
    Function { name: "split", arity: (2, Some(2)), call: split, doc: "the parts of a text between separators" },
    Function { name: "strlen", arity: (1, Some(1)), call: strlen, doc: "how many letters a text has" },
    Function { name: "strrev", arity: (1, Some(1)), call: strrev, doc: "the text backwards" },
    Function { name: "substr", arity: (3, Some(3)), call: substr, doc: "a part, by offset and length; -1 to the end" },
    Function { name: "title", arity: (1, Some(1)), call: title, doc: "the text, each word with a capital" },
    Function { name: "trim", arity: (2, Some(2)), call: trim, doc: "the text without certain letters at its ends" },
    Function { name: "trimprefix", arity: (2, Some(2)), call: trimprefix, doc: "the text without a beginning" },
    Function {
        name: "trimspace",
        arity: (1, Some(1)),
        call: trimspace,
        doc: "the text without white space at its ends",
    },
    Function { name: "trimsuffix", arity: (2, Some(2)), call: trimsuffix, doc: "the text without an ending" },
    Function { name: "upper", arity: (1, Some(1)), call: upper, doc: "the text in capitals" },
];

fn chomp(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::text(arguments.text(0)?.trim_end_matches(['\n', '\r'])))
}

fn indent(arguments: &mut Arguments<'_>) -> Called {
    let spaces = arguments.size(0, 1000)?;
    let text = arguments.text(1)?;
    check_size(text.len() + text.matches('\n').count() * spaces)?;
    Ok(Value::Text(text.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

fn join(arguments: &mut Arguments<'_>) -> Called {
    let separator = arguments.text(0)?;
    let mut parts = Vec::new();
    for at in 1..arguments.len() {
        parts.extend(arguments.texts(at)?);
    }
    check_size(parts.iter().map(|part| part.len() + separator.len()).sum())?;
    Ok(Value::Text(parts.join(&separator)))
}

fn lower(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::Text(arguments.text(0)?.to_lowercase()))
}

fn upper(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::Text(arguments.text(0)?.to_uppercase()))
}

fn regex_replace(arguments: &mut Arguments<'_>) -> Called {
    let (text, pattern, by) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    by_pattern(&text, &pattern, &by)
}

fn replace(arguments: &mut Arguments<'_>) -> Called {
    let (text, part, by) = (arguments.text(0)?, arguments.text(1)?, arguments.text(2)?);
    if part.len() > 2 && part.starts_with('/') && part.ends_with('/') {
        return by_pattern(&text, &part[1..part.len() - 1], &by);
    }
    check_size(text.len() + text.matches(&part).count() * by.len())?;
    Ok(Value::Text(text.replace(&part, &by)))
}

fn by_pattern(text: &str, pattern: &str, by: &str) -> Called {
    let regex = RegexBuilder::new(pattern)
        .size_limit(REGEX_BYTES_MAX)
        .build()
        .map_err(|_| Failure::at(1, format!("`{pattern}` is not a regular expression")))?;
    // A group in the replacement stands for at most the whole text.
    let groups = by.matches('$').count();
    check_size(text.len() + regex.find_iter(text).count() * by.len())?;
    check_size(text.len() * (groups + 1))?;
    Ok(Value::Text(regex.replace_all(text, by).into_owned()))
}

fn split(arguments: &mut Arguments<'_>) -> Called {
    let (separator, text) = (arguments.text(0)?, arguments.text(1)?);
    if separator.is_empty() {
        return Ok(Value::List(text.chars().map(|letter| Value::text(letter.to_string())).collect()));
    }
    Ok(Value::List(text.split(&separator).map(Value::text).collect()))
}

fn strlen(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::whole(arguments.text(0)?.chars().count() as i64))
}

fn strrev(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::Text(arguments.text(0)?.chars().rev().collect()))
}

fn substr(arguments: &mut Arguments<'_>) -> Called {
    let (text, offset, length) = (arguments.text(0)?, arguments.whole(1)?, arguments.whole(2)?);
    let letters = text.chars().count();
    // An offset below zero counts from the end.
    let from = if offset < 0 { letters.saturating_sub(offset.unsigned_abs() as usize) } else { offset as usize };
    let length = usize::try_from(length).unwrap_or(letters);
    Ok(Value::Text(text.chars().skip(from).take(length).collect()))
}

fn title(arguments: &mut Arguments<'_>) -> Called {
    let mut begins = true;
    let mut text = String::new();
    for letter in arguments.text(0)?.chars() {
        if begins {
            text.extend(letter.to_uppercase());
        } else {
            text.push(letter);
        }
        begins = !letter.is_alphanumeric() && letter != '\'' && letter != '_';
    }
    Ok(Value::Text(text))
}

fn trim(arguments: &mut Arguments<'_>) -> Called {
    let (text, letters) = (arguments.text(0)?, arguments.text(1)?);
    Ok(Value::text(text.trim_matches(|letter| letters.contains(letter))))
}

fn trimprefix(arguments: &mut Arguments<'_>) -> Called {
    let (text, prefix) = (arguments.text(0)?, arguments.text(1)?);
    Ok(Value::text(text.strip_prefix(&prefix).unwrap_or(&text)))
}

fn trimsuffix(arguments: &mut Arguments<'_>) -> Called {
    let (text, suffix) = (arguments.text(0)?, arguments.text(1)?);
    Ok(Value::text(text.strip_suffix(&suffix).unwrap_or(&text)))
}

fn trimspace(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::text(arguments.text(0)?.trim()))
}
