//! What is said about fields that this release does not act on.

use super::Decoder;
use crate::Diagnostic;
use crate::schema::{Field, Kind, Status};
use crate::source::Span;

impl Decoder<'_> {
    pub(super) fn warn(&mut self, field: &Field, span: &Span) {
        if let Some((message, hint)) = warning(field) {
            let warning = Diagnostic::warning(self.evaluator.source, span.clone(), message);
            self.warnings.push(warning.label("without effect").hint(hint));
        }
    }
}

/// The warning about a field and its hint; none where it has its full meaning.
pub(crate) fn warning(field: &Field) -> Option<(String, &'static str)> {
    let word = if matches!(field.kind, Kind::Block(..)) { "block" } else { "attribute" };
    let name = if field.name.is_empty() { field.json } else { field.name };
    let message = format!("the {word} `{name}` has no effect in this release");
    match field.status {
        Status::ActedOn => None,
        Status::Kept => Some((message, "it is kept with the job and shown by `job inspect`")),
    }
}
