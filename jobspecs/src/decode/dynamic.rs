//! `dynamic "name" { for_each, iterator, labels, content {} }`: a block for each item of a collection.

use hcl_edit::Span as _;
use hcl_edit::structure::Block as HclBlock;

use super::{Decoder, Found};
use crate::evaluate::{Evaluated, Frame, items, not_iterable, span_of};
use crate::source::Span;
use crate::value::Value;

impl Decoder<'_> {
    /// Hands each block that `hcl` makes to `put`.
    pub(super) fn dynamic(
        &mut self,
        hcl: &HclBlock,
        frame: &Frame<'_>,
        put: &mut dyn FnMut(&mut Self, &Found<'_, '_>),
    ) {
        if let Err(error) = self.expand(hcl, frame, put) {
            self.errors.push(*error);
        }
    }

    fn expand(
        &mut self,
        hcl: &HclBlock,
        frame: &Frame<'_>,
        put: &mut dyn FnMut(&mut Self, &Found<'_, '_>),
    ) -> Evaluated<()> {
        let span = hcl.ident.span().unwrap_or(0..0);
        let evaluator = self.evaluator;
        let [target] = hcl.labels.as_slice() else {
            let error = evaluator.error(&span, "a dynamic block needs the name of the block that it makes");
            return Err(Box::new(error.hint("write: dynamic \"service\" { … }")));
        };
        let Some(for_each) = hcl.body.get_attribute("for_each") else {
            let error = evaluator.error(&span, "a dynamic block needs `for_each`");
            return Err(Box::new(error.hint("write: for_each = [\"a\", \"b\"]")));
        };
        let Some(content) = hcl.body.get_blocks("content").next() else {
            let error = evaluator.error(&span, "a dynamic block needs a `content` block");
            return Err(Box::new(
                error.hint(format!("what each `{0}` has stands in: content {{ … }}", target.as_str())),
            ));
        };
        for attribute in hcl.body.attributes() {
            let name = attribute.key.as_str();
            if !["for_each", "iterator", "labels"].contains(&name) {
                let span = attribute.key.span().unwrap_or_else(|| span.clone());
                let error =
                    evaluator.error(&span, format!("unknown attribute `{name}`")).label("not known in `dynamic`");
                self.errors.push(error.hint("what each block has stands in: content { … }"));
            }
        }
        let iterator = match hcl.body.get_attribute("iterator") {
            // The iterator is a bare word; what evaluates unknown words to text is not asked.
            Some(attribute) => attribute.value.as_variable().map(|name| name.as_str()).ok_or_else(|| {
                let error = evaluator.error(&span_of(&attribute.value), "the iterator must be a name without quotes");
                Box::new(error.hint("write: iterator = item"))
            })?,
            None => target.as_str(),
        };
        let collection = evaluator.evaluate(&for_each.value, frame)?;
        let items = items(collection).map_err(|kind| {
            let error = evaluator.error(&span_of(&for_each.value), not_iterable(kind));
            Box::new(error.hint("write: for_each = [\"a\", \"b\"]; a number of times is range(3)"))
        })?;
        for (key, value) in items {
            let item = Value::Object([("key".to_string(), key), ("value".to_string(), value)].into());
            let names = [(iterator.to_string(), item)];
            let inner = Frame::inside(&names, frame);
            let labels = match hcl.body.get_attribute("labels") {
                Some(attribute) => self.labels(&attribute.value, &inner)?,
                None => Vec::new(),
            };
            let target_span = target.span().unwrap_or_else(|| span.clone());
            let found = Found { name: target.as_str(), labels, body: &content.body, span: target_span, frame: &inner };
            let errors = self.errors.len();
            put(self, &found);
            // The same mistake in the content would be told once for each item.
            if self.errors.len() > errors || evaluator.budget.is_spent() {
                break;
            }
        }
        Ok(())
    }

    fn labels(&self, expression: &hcl_edit::expr::Expression, frame: &Frame<'_>) -> Evaluated<Vec<(String, Span)>> {
        let span = span_of(expression);
        let wrong = || self.evaluator.error(&span, "`labels` must be a list of strings");
        let Value::List(list) = self.evaluator.evaluate(expression, frame)? else { return Err(wrong()) };
        list.iter().map(|label| label.to_text().map(|text| (text, span.clone())).ok_or_else(wrong)).collect()
    }
}
