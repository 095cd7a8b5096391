//! A text with a name, and positions in it.
//!
//! Every diagnostic points into one of these: the jobspec, a variable file, or the value of a flag. Nothing here reads
//! a file; callers do.

use std::ops::Range;
use std::sync::Arc;

use crate::{Diagnostic, Diagnostics};

/// The most bytes that a jobspec or variable file may have.
pub const SOURCE_BYTES_MAX: usize = 1 << 20;

/// Where something stands in a source, in bytes.
pub type Span = Range<usize>;

/// A text and the name under which diagnostics show it. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Source({}, {} bytes)", self.name, self.text.len())
    }
}

impl Source {
    /// The text `text`, shown as `name`. The byte order mark that some editors write is no part of it.
    pub fn new(name: &str, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        Self { name: name.into(), text: text.into() }
    }

    /// The same from bytes as they were read; a diagnostic if they are too many or not UTF-8.
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, Diagnostics> {
        check_size(name, bytes.len())?;
        std::str::from_utf8(bytes).map(|text| Self::new(name, text)).map_err(|error| {
            let good = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).into_owned();
            let at = good.len();
            let source = Self::new(name, &format!("{good}\u{fffd}"));
            Diagnostic::error(&source, at..at + '\u{fffd}'.len_utf8(), "the text is not valid UTF-8")
                .label(format!("byte 0x{:02x} here", bytes[error.valid_up_to()]))
                .hint("save the file with the encoding UTF-8")
                .into()
        })
    }

    /// Refuses a text above [`SOURCE_BYTES_MAX`].
    pub(crate) fn check_size(&self) -> Result<(), Diagnostics> {
        check_size(&self.name, self.text.len())
    }

    /// The name for display.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text of `span`; empty where the span does not lie on it.
    pub(crate) fn slice(&self, span: &Span) -> &str {
        self.text.get(span.clone()).unwrap_or_default()
    }

    /// Where the name `name` stands of which `value` is the value; none if another stands before it.
    pub(crate) fn name_before(&self, value: &Span, name: &str) -> Option<Span> {
        let before = self.text.get(..value.start)?.trim_end();
        let before = before.strip_suffix(['=', ':'])?.trim_end();
        let end = before.len();
        let quoted = format!("\"{name}\"");
        let own = [quoted.as_str(), name].into_iter().find(|own| before.ends_with(own))?;
        Some(end - own.len()..end)
    }

    /// Line and column of a byte offset, both from 1; columns count characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        (before.bytes().filter(|byte| *byte == b'\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

fn check_size(name: &str, bytes: usize) -> Result<(), Diagnostics> {
    if bytes <= SOURCE_BYTES_MAX {
        return Ok(());
    }
    let source = Source::new(name, "");
    Err(Diagnostic::error(&source, 0..0, format!("the file has {bytes} bytes, the limit is {SOURCE_BYTES_MAX} bytes"))
        .hint("move large texts into the image, or into files that the task fetches")
        .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_begin_at_one() {
        let source = Source::new("x", "a\nüb\n");
        assert_eq!(source.position(0), (1, 1));
        assert_eq!(source.position(4), (2, 2));
        assert_eq!(source.position(99), (3, 1));
    }

    #[test]
    fn a_source_at_the_limit_is_read_and_one_byte_more_is_not() {
        let text = vec![b' '; SOURCE_BYTES_MAX + 1];
        assert!(Source::from_bytes("x", &text[1..]).is_ok());
        let error = Source::from_bytes("x", &text).unwrap_err();
        assert_eq!(error.first().message, "the file has 1048577 bytes, the limit is 1048576 bytes");
    }

    #[test]
    fn invalid_utf8_is_pointed_at() {
        let error = Source::from_bytes("x", b"ab\nc\xffd").unwrap_err();
        assert_eq!(error.first().position(), (2, 2));
        assert_eq!(error.first().label, "byte 0xff here");
    }
}
