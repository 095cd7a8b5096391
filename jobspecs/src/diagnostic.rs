//! What is wrong with a jobspec, where, and what to do about it.
//!
//! A [`Diagnostic`] is structured (line, column, message, label, hint) and renders like the Rust compiler's, with the
//! source line. All errors of a file are gathered in one [`Diagnostics`].

use std::fmt;
use std::ops::Range;

use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode, SourceSpan,
    SpanContents,
};

use crate::source::{Source, Span};

/// The most diagnostics that one run reports; the rest are counted.
pub const DIAGNOSTICS_MAX: usize = 100;

/// The most bytes of one line that are shown before and after a place.
const LINE_SHOWN_MAX: usize = 160;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is taken; a person should know.
    Warning,
}

/// One thing to tell the author of a jobspec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a line.
    pub message: String,
    /// What is said at the place itself; may be empty.
    pub label: String,
    /// What to do about it.
    pub hint: Option<String>,
    source: Source,
    span: Span,
}

impl Diagnostic {
    /// An error at `span` of `source`.
    pub(crate) fn error(source: &Source, span: Span, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            message: visible(message.into()),
            label: "here".into(),
            hint: None,
            source: source.clone(),
            span,
        }
    }

    /// A warning at `span` of `source`.
    pub(crate) fn warning(source: &Source, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(source, span, message) }
    }

    /// What an expression gives that uses something which is itself wrong: told already, so never shown.
    pub(crate) fn consequence(source: &Source, span: Span) -> Self {
        Self::error(source, span, "")
    }

    fn is_consequence(&self) -> bool {
        self.message.is_empty()
    }

    pub(crate) fn label(self, label: impl Into<String>) -> Self {
        Self { label: visible(label.into()), ..self }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(visible(hint.into())), ..self }
    }

    /// The hint for what has none of its own.
    pub(crate) fn hint_if_none(self, hint: &str) -> Self {
        if self.hint.is_none() && !self.is_consequence() { self.hint(hint) } else { self }
    }

    pub(crate) fn hint_if(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// Name of the file, variable file or flag that it is about.
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// Line and column, both from 1; columns count characters.
    pub fn position(&self) -> (usize, usize) {
        self.source.position(self.span.start)
    }

    /// The bytes of the source that it is about.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// The diagnostic with its source line, as a terminal shows it; with escape codes only if `colour`.
    pub fn render(&self, colour: bool) -> String {
        let theme = if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_links(false).with_width(100);
        let mut text = String::new();
        let printable = Self { source: printable(&self.source, &self.span), ..self.clone() };
        let shown = Shown::of(&printable);
        match handler.render_report(&mut text, &shown) {
            Ok(()) => text,
            Err(_) => format!("{self}\n"),
        }
    }
}

/// Whether a terminal would act on the letter, or show nothing for it.
fn is_hidden(letter: char) -> bool {
    letter.is_control() && letter != '\n' && letter != '\t'
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A text in which a terminal finds nothing to act on.
fn visible(text: String) -> String {
    if text.contains(is_hidden) { text.replace(is_hidden, "\u{fffd}") } else { text }
}

/// The source with other letters of as many bytes in place of those that a terminal would act on, if there are any near
/// the place.
fn printable(source: &Source, near: &Span) -> Source {
    let text = source.text();
    let from = boundary(text, near.start.saturating_sub(4 * LINE_SHOWN_MAX).min(text.len()));
    let to = boundary(text, (near.start + 4 * LINE_SHOWN_MAX).min(text.len()));
    if !text[from..to].contains(is_hidden) {
        return source.clone();
    }
    let shown = |letter: char| match letter {
        '\r' => ' ',
        letter if !is_hidden(letter) => letter,
        letter => match letter.len_utf8() {
            1 => '?',
            2 => '¿',
            _ => '\u{fffd}',
        },
    };
    Source::new(source.name(), &text.chars().map(shown).collect::<String>())
}

/// On one line: `basket.hcl:3:5: error: message`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (line, column) = self.position();
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{}:{line}:{column}: {severity}: {}", self.file(), self.message)
    }
}

/// Everything that is wrong with a file, in the order of its lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    left_out: usize,
}

impl Diagnostics {
    /// The diagnostics of `list`, ordered by place; none if it is empty.
    pub(crate) fn gather(mut list: Vec<Diagnostic>) -> Option<Self> {
        list.retain(|diagnostic| !diagnostic.is_consequence());
        list.sort_by_key(|diagnostic| diagnostic.span.start);
        // Not by `==`, which would compare whole sources.
        list.dedup_by(|left, right| left.span == right.span && left.message == right.message);
        let left_out = list.len().saturating_sub(DIAGNOSTICS_MAX);
        list.truncate(DIAGNOSTICS_MAX);
        (!list.is_empty()).then_some(Self { list, left_out })
    }

    /// The first of them.
    pub fn first(&self) -> &Diagnostic {
        &self.list[0]
    }

    /// All of them, up to [`DIAGNOSTICS_MAX`].
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// How many there are beyond those that are kept.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// All of them as a terminal shows them.
    pub fn render(&self, colour: bool) -> String {
        let rendered: Vec<String> = self.list.iter().map(|diagnostic| diagnostic.render(colour)).collect();
        let mut text = rendered.join("\n");
        if self.left_out > 0 {
            text.push_str(&format!("\nand {} more errors\n", self.left_out));
        }
        text
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self { list: vec![diagnostic], left_out: 0 }
    }
}

impl From<Box<Diagnostic>> for Diagnostics {
    fn from(diagnostic: Box<Diagnostic>) -> Self {
        Self::from(*diagnostic)
    }
}

/// One line for each.
impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, diagnostic) in self.list.iter().enumerate() {
            if at > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{diagnostic}")?;
            if let Some(hint) = &diagnostic.hint {
                write!(f, " ({hint})")?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

/// A diagnostic in the form that the renderer reads.
#[derive(Debug)]
struct Shown<'a> {
    diagnostic: &'a Diagnostic,
    excerpt: Excerpt<'a>,
    at: Range<usize>,
}

impl<'a> Shown<'a> {
    fn of(diagnostic: &'a Diagnostic) -> Self {
        let text = diagnostic.source.text();
        // A text that was read on after a syntax error may have its letters elsewhere than the author's.
        let start = boundary(text, diagnostic.span.start.min(text.len()));
        let end = boundary(text, diagnostic.span.end.clamp(start, text.len()));
        // A mark over many lines hides what it points at: only its first line is marked.
        let end = text.as_bytes()[start..end].iter().position(|byte| *byte == b'\n').map_or(end, |at| start + at);
        let end = boundary(text, end.min(start + LINE_SHOWN_MAX));
        Self { diagnostic, excerpt: Excerpt { source: &diagnostic.source }, at: start..end }
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Shown<'_> {}

impl miette::Diagnostic for Shown<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        self.diagnostic.hint.as_ref().map(|hint| Box::new(hint) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        (!self.diagnostic.source.text().is_empty()).then_some(&self.excerpt)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let label = LabeledSpan::new(Some(self.diagnostic.label.clone()), self.at.start, self.at.len());
        Some(Box::new(std::iter::once(label)))
    }
}

/// Hands the renderer the lines around a place, without a pass over the whole text for each of a hundred errors.
#[derive(Debug)]
struct Excerpt<'a> {
    source: &'a Source,
}

impl SourceCode for Excerpt<'_> {
    fn read_span<'b>(
        &'b self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'b> + 'b>, MietteError> {
        let text = self.source.text();
        let from = span.offset().min(text.len());
        let to = (from + span.len()).min(text.len());
        let line_start = |at: usize| text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = |at: usize| text[at..].find('\n').map_or(text.len(), |newline| at + newline);
        // Without lines around it, the place itself is asked for: its line and column stand in the heading.
        let mut start = if lines_before == 0 { from } else { line_start(from) };
        let mut end = line_end(to);
        for _ in 0..lines_before {
            let before = line_start(start.saturating_sub(1));
            start = if start - before <= LINE_SHOWN_MAX { before } else { start };
        }
        for _ in 0..lines_after {
            let after = line_end((end + 1).min(text.len()));
            end = if after - end <= LINE_SHOWN_MAX { after } else { end };
        }
        // Of a very long line, only what stands near the place is shown.
        start = boundary(text, start.max(from.saturating_sub(LINE_SHOWN_MAX)));
        end = boundary(text, end.min(to + LINE_SHOWN_MAX)).max(to);
        let (line, column) = self.source.position(start);
        let shown = &text.as_bytes()[start..end];
        let lines = shown.iter().filter(|byte| **byte == b'\n').count() + 1;
        let name = self.source.name().to_string();
        let span = (start, end - start).into();
        Ok(Box::new(MietteSpanContents::new_named(name, shown, span, line - 1, column - 1, lines)))
    }
}

/// The nearest place at or before `at` that does not cut a letter.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}
