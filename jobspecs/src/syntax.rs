//! Text becomes a syntax tree, or a diagnostic that says in plain words what the parser expected.

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;

use crate::Diagnostic;
use crate::source::Source;

/// The blocks and attributes of an HCL text.
pub(crate) fn body(source: &Source) -> Result<Body, Box<Diagnostic>> {
    hcl_edit::parser::parse_body(source.text()).map_err(|error| Box::new(explain(source, &error)))
}

/// One HCL expression.
pub(crate) fn expression(source: &Source) -> Result<Expression, Box<Diagnostic>> {
    hcl_edit::parser::parse_expr(source.text().trim()).map_err(|error| Box::new(explain(source, &error)))
}

/// A JSON value.
pub(crate) fn json(source: &Source) -> Result<serde_json::Value, Box<Diagnostic>> {
    serde_json::from_str(source.text()).map_err(|error| {
        let line_start = source.text().split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
        let line: usize = line_start;
        let mut at = (line + error.column().saturating_sub(1)).min(source.text().len());
        while !source.text().is_char_boundary(at) {
            at -= 1;
        }
        let text = error.to_string();
        let message = text.split(" at line ").next().unwrap_or(&text).to_string();
        Box::new(Diagnostic::error(source, at..at + 1, format!("this is not JSON: {message}")))
    })
}

/// The parser's error, with the slips that people make most told apart.
fn explain(source: &Source, error: &hcl_edit::parser::Error) -> Diagnostic {
    let text = source.text();
    let mut at = error.location().offset().min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let rest = text[at..].lines().next().unwrap_or_default();
    let end = at + rest.chars().next().map_or(0, char::len_utf8);
    let here = |message: &str| Diagnostic::error(source, at..end, message);
    let message = error.message();
    if let Some(quote) = unclosed_quote(line) {
        let start = line_start + quote;
        return Diagnostic::error(source, start..line_start + line.trim_end().len(), "this string does not end")
            .label("it begins here")
            .hint("close it with \" on the same line, or write a text of several lines as <<EOF … EOF");
    }
    if let Some(key) = message.contains("redefined attribute").then(|| rest.split([' ', '=']).next()).flatten() {
        return Diagnostic::error(source, at..at + key.len(), format!("the attribute `{key}` is given twice"))
            .label("given before")
            .hint("keep one of the two");
    }
    if message.contains("heredoc end delimiter") {
        return here("this heredoc does not end").hint("write its end word alone on a line");
    }
    if message.contains("nesting depth") || message.contains("operator") && message.contains("at most") {
        return here(&format!("this is nested too deeply: {message}"));
    }
    if at >= text.trim_end().len() && text.matches('{').count() > text.matches('}').count() {
        return here("the file ends within a block").label("the file ends here").hint("a closing `}` is missing");
    }
    if rest.starts_with(',') {
        return here("attributes are not separated by commas").hint("write each on a line of its own");
    }
    if message.starts_with("expected newline") || message.contains("expected `}`, newline") {
        return here("an end of line is expected here").hint("write each attribute and block on a line of its own");
    }
    if message.starts_with("invalid expression") {
        return here("a value is expected here").hint("a string in quotes, a number, true, false, [list] or {object}");
    }
    here(&format!("syntax error: {message}"))
}

/// Where in the line a quote opens that does not close.
fn unclosed_quote(line: &str) -> Option<usize> {
    let mut open = None;
    let mut letters = line.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' if open.is_some() => {
                letters.next();
            }
            '#' if open.is_none() => return None,
            '$' if open.is_some() && line[at..].starts_with("${") => return None,
            '"' => open = if open.is_some() { None } else { Some(at) },
            _ => {}
        }
    }
    open
}
