//! Text becomes a syntax tree, or diagnostics that say in plain words what is wrong with it.

mod explain;
mod recover;
mod scan;

use hcl_edit::expr::Expression;
use hcl_edit::structure::Body;

use crate::Diagnostic;
use crate::source::Source;
use explain::Explained;
#[cfg(test)]
pub(crate) use recover::{RECOVERED_BYTES_MAX, SYNTAX_ERRORS_MAX};
pub(crate) use recover::{Read, Torn, read};

/// The blocks and attributes of an HCL text, or the first thing that is wrong with it.
pub(crate) fn body(source: &Source) -> Result<Body, Box<Diagnostic>> {
    let found = scan::scan(source.text());
    let body = hcl_edit::parser::parse_body(source.text());
    let body = body.map_err(|error| Box::new(explain::explain(source, source.text(), &found, &error).diagnostic))?;
    match found.open_strings.first() {
        Some(open) => Err(Box::new(explain::open_string(source, source.text(), open.span.clone()))),
        None => Ok(body),
    }
}

/// One HCL expression.
pub(crate) fn expression(source: &Source) -> Result<Expression, Box<Diagnostic>> {
    let text = source.text().trim_end();
    hcl_edit::parser::parse_expr(text)
        .map_err(|error| Box::new(explain::explain(source, text, &scan::scan(text), &error).diagnostic))
}

/// A JSON value.
pub(crate) fn json(source: &Source) -> Result<serde_json::Value, Box<Diagnostic>> {
    serde_json::from_str(source.text()).map_err(|error| Box::new(explain_json(source, &error)))
}

fn explain_json(source: &Source, error: &serde_json::Error) -> Diagnostic {
    let text = source.text();
    let line_start: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let said = error.to_string();
    let said = said.split(" at line ").next().unwrap_or(&said);
    let rest = &text[at..];
    let end = at + rest.chars().next().map_or(0, char::len_utf8);
    let here = |message: &str| Diagnostic::error(source, at..end, message);
    if said.contains("trailing comma") {
        let comma = text[..at].rfind(',').unwrap_or(at);
        return Diagnostic::error(source, comma..comma + 1, "this is not JSON: nothing follows this comma")
            .hint("remove the comma");
    }
    if said.starts_with("EOF") {
        let end = text.trim_end().len();
        let last = text[..end].chars().next_back().map_or(0, char::len_utf8);
        return Diagnostic::error(source, end - last..end, "this is not JSON: the file ends too early")
            .label("the last that there is")
            .hint("something is not closed: a string, a list or an object");
    }
    if rest.starts_with(['/', '#']) {
        return here("this is not JSON: it has no comments").hint("remove it, or write the jobspec in HCL, which has");
    }
    if rest.starts_with('\'') {
        return here("this is not JSON: strings are in double quotes").hint("write \" in place of '");
    }
    if said.contains("key must be a string") {
        return here("this is not JSON: a name in double quotes is expected here")
            .hint("a jobspec in HCL does not begin with {, but with: job \"name\" {");
    }
    here(&format!("this is not JSON: {said}"))
}
