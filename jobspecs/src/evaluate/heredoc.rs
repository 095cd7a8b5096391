//! The indentation of `<<-` heredocs.
//!
//! The least indentation of all lines is taken off each, also of lines inside directives. Lines are those of the
//! source: an interpolation does not begin a line, and a blank line has no say.

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, HeredocTemplate, Template};

use crate::source::{Source, Span};

/// The texts of the literals of `heredoc`, by where they start, where they differ from what the parser gives.
pub(super) fn dedent(heredoc: &HeredocTemplate, span: &Span, source: &Source) -> BTreeMap<usize, String> {
    let mut texts = BTreeMap::new();
    if !source.slice(span).starts_with("<<-") {
        return texts;
    }
    let mut literals = Vec::new();
    gather(&heredoc.template, &mut literals);
    let end = literals.last().map_or(0, |literal| literal.end);
    let lines = literals.iter().flat_map(|literal| line_starts(literal, source));
    let indentation = lines.filter_map(|at| indentation(at, end, source)).min().unwrap_or(0);
    for literal in literals {
        let mut text = String::new();
        let mut from = literal.start;
        for line in line_starts(&literal, source) {
            text.push_str(source.slice(&(from..line)));
            let blanks = source.slice(&(line..literal.end)).bytes().take_while(|byte| is_blank(*byte)).count();
            from = line + blanks.min(indentation);
        }
        text.push_str(source.slice(&(from..literal.end)));
        texts.insert(literal.start, text.replace("$${", "${").replace("%%{", "%{"));
    }
    texts
}

/// The spans of all literals, also of those inside directives, in order.
fn gather(template: &Template, literals: &mut Vec<Span>) {
    for element in template.iter() {
        match element {
            Element::Literal(literal) => literals.extend(literal.span()),
            Element::Interpolation(_) => {}
            Element::Directive(directive) => match &**directive {
                Directive::If(directive) => {
                    gather(&directive.if_expr.template, literals);
                    if let Some(otherwise) = &directive.else_expr {
                        gather(&otherwise.template, literals);
                    }
                }
                Directive::For(directive) => gather(&directive.for_expr.template, literals),
            },
        }
    }
}

/// The offsets in `literal` at which a line of the source begins.
fn line_starts<'a>(literal: &'a Span, source: &'a Source) -> impl Iterator<Item = usize> + 'a {
    let bytes = source.text().as_bytes();
    (literal.start..literal.end).filter(move |at| *at > 0 && bytes[at - 1] == b'\n')
}

/// How far the line at `at` is indented; None for a blank line and for the end of the heredoc.
fn indentation(at: usize, end: usize, source: &Source) -> Option<usize> {
    let rest = &source.text().as_bytes()[at..];
    let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
    let is_empty = at + blanks >= end || matches!(rest.get(blanks), None | Some(b'\n' | b'\r'));
    (!is_empty).then_some(blanks)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}
