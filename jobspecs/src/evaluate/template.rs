//! Templates: text with `${…}`, `%{ if }` and `%{ for }` in it.

use std::collections::BTreeMap;

use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, ForDirective, Strip};

use super::{Evaluated, Evaluator, Frame, loops, span_of};
use crate::source::Span;
use crate::value::Value;

/// Texts of literals that stand in place of the parser's, by where the literal starts.
type Texts = BTreeMap<usize, String>;

impl Evaluator<'_> {
    /// The value of a template: text, unless it is one interpolation alone, which keeps its kind.
    pub(super) fn template<'t>(
        &self,
        elements: impl Iterator<Item = &'t Element>,
        texts: &Texts,
        frame: &Frame<'_>,
        span: &Span,
    ) -> Evaluated {
        let elements: Vec<&Element> = elements.collect();
        if let [Element::Interpolation(only)] = elements.as_slice() {
            return self.evaluate(&only.expr, frame);
        }
        let mut text = String::new();
        self.elements(&mut text, &elements, (Strip::None, Strip::None), texts, frame)?;
        self.spend(text.len() as u64, span)?;
        Ok(Value::Text(text))
    }

    /// Appends `elements` to `text`; `edges` are the strip marks before the first and after the last.
    fn elements(
        &self,
        text: &mut String,
        elements: &[&Element],
        edges: (Strip, Strip),
        texts: &Texts,
        frame: &Frame<'_>,
    ) -> Evaluated<()> {
        for (at, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(literal) => {
                    let start = literal.span().map_or(usize::MAX, |span| span.start);
                    let whole = texts.get(&start).map_or(literal.as_str(), String::as_str);
                    let before = if at == 0 { edges.0 } else { strip_after(elements[at - 1]) };
                    let after = elements.get(at + 1).map_or(edges.1, |next| strip_before(next));
                    let kept = stripped(whole, before.strip_end(), after.strip_start());
                    self.spend(kept.len() as u64, &literal.span().unwrap_or(0..0))?;
                    text.push_str(kept);
                }
                Element::Interpolation(interpolation) => {
                    let value = self.evaluate(&interpolation.expr, frame)?;
                    let inserted = value.to_text().ok_or_else(|| {
                        let message = format!("{} can't be put into a text", value.kind());
                        self.error(&span_of(&interpolation.expr), message)
                    })?;
                    self.spend(inserted.len() as u64, &span_of(&interpolation.expr))?;
                    text.push_str(&inserted);
                }
                Element::Directive(directive) => self.directive(text, directive, texts, frame)?,
            }
        }
        Ok(())
    }

    fn directive(&self, text: &mut String, directive: &Directive, texts: &Texts, frame: &Frame<'_>) -> Evaluated<()> {
        match directive {
            Directive::If(directive) => {
                let otherwise = directive.else_expr.as_ref();
                let end = directive.endif_expr.strip;
                if self.condition(&directive.if_expr.cond_expr, frame)? {
                    let edges = (directive.if_expr.strip, otherwise.map_or(end, |otherwise| otherwise.strip));
                    let elements: Vec<&Element> = directive.if_expr.template.iter().collect();
                    self.elements(text, &elements, edges, texts, frame)
                } else if let Some(otherwise) = otherwise {
                    let elements: Vec<&Element> = otherwise.template.iter().collect();
                    self.elements(text, &elements, (otherwise.strip, end), texts, frame)
                } else {
                    Ok(())
                }
            }
            Directive::For(directive) => self.for_directive(text, directive, texts, frame),
        }
    }

    fn for_directive(
        &self,
        text: &mut String,
        directive: &ForDirective,
        texts: &Texts,
        frame: &Frame<'_>,
    ) -> Evaluated<()> {
        let each = &directive.for_expr;
        let collection = self.evaluate(&each.collection_expr, frame)?;
        let items = loops::items(collection)
            .map_err(|kind| self.error(&span_of(&each.collection_expr), loops::not_iterable(kind)))?;
        let elements: Vec<&Element> = each.template.iter().collect();
        for (key, value) in items {
            let mut names = vec![(each.value_var.as_str().to_string(), value)];
            if let Some(key_var) = &each.key_var {
                names.push((key_var.as_str().to_string(), key));
            }
            self.spend(1, &span_of(&each.collection_expr))?;
            let inner = Frame::inside(&names, frame);
            self.elements(text, &elements, (each.strip, directive.endfor_expr.strip), texts, &inner)?;
        }
        Ok(())
    }
}

/// The mark that an element sets on what follows it.
fn strip_after(element: &Element) -> Strip {
    match element {
        Element::Literal(_) => Strip::None,
        Element::Interpolation(interpolation) => interpolation.strip,
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => directive.endif_expr.strip,
            Directive::For(directive) => directive.endfor_expr.strip,
        },
    }
}

/// The mark that an element sets on what precedes it.
fn strip_before(element: &Element) -> Strip {
    match element {
        Element::Literal(_) => Strip::None,
        Element::Interpolation(interpolation) => interpolation.strip,
        Element::Directive(directive) => match &**directive {
            Directive::If(directive) => directive.if_expr.strip,
            Directive::For(directive) => directive.for_expr.strip,
        },
    }
}

/// Takes off white space up to and with the nearest line break, at the sides that have a `~`.
fn stripped(text: &str, at_start: bool, at_end: bool) -> &str {
    let is_space = |letter: char| letter.is_whitespace() && letter != '\n' && letter != '\r';
    let mut text = text;
    if at_start {
        text = text.trim_start_matches(is_space);
        text = text.strip_prefix("\r\n").or_else(|| text.strip_prefix('\n')).unwrap_or(text);
    }
    if at_end {
        text = text.trim_end_matches(is_space);
        text = text.strip_suffix("\r\n").or_else(|| text.strip_suffix('\n')).unwrap_or(text);
    }
    text
}
