//! Reading on after a syntax error.
//!
//! Where it is plain what was meant, the text is read as if it were written so; else the line is cut, or the block that
//! it opens. Both keep the number of bytes, so that all places stay those of the author's text. Where neither is
//! reliable (a heredoc, comment or block without an end), what follows the error is not looked at.

use hcl_edit::Span as _;
use hcl_edit::structure::{Body, Structure};

use super::explain::{Then, explain, open_string};
use super::scan::{Scan, line_end, line_start, scan};
use crate::Diagnostic;
use crate::source::{Source, Span};

/// The most syntax errors that are told of one text.
pub(crate) const SYNTAX_ERRORS_MAX: usize = 20;
/// The largest text that is read on after an error: each takes a pass over it.
pub(crate) const RECOVERED_BYTES_MAX: usize = 128 << 10;

/// What could be read of a text.
pub(crate) struct Read {
    /// The tree; none if what follows an error can't be read.
    pub body: Option<Body>,
    /// The syntax errors.
    pub errors: Vec<Diagnostic>,
    /// What was cut out.
    pub cuts: Vec<Cut>,
}

/// A piece that was cut out.
pub(crate) struct Cut {
    span: Span,
    /// Whether it had a block, to which others may refer.
    pub has_block: bool,
}

impl Read {
    /// The innermost blocks out of which something was cut: their heads, and all of them. An empty head and the whole
    /// text where it was cut from the top level.
    pub(crate) fn torn(&self) -> Vec<Torn> {
        let Some(body) = &self.body else { return Vec::new() };
        self.cuts.iter().map(|cut| torn(body, cut.span.start)).collect()
    }
}

/// A block that lacks something.
pub(crate) struct Torn {
    pub head: Span,
    pub whole: Span,
    /// The name of the block of the top level around it; empty if it is none.
    pub top: String,
}

fn torn(body: &Body, at: usize) -> Torn {
    let mut found = Torn { head: 0..0, whole: 0..usize::MAX, top: String::new() };
    let mut body = body;
    loop {
        let mut blocks = body.iter().filter_map(Structure::as_block);
        let Some((block, whole)) =
            blocks.find_map(|block| block.span().filter(|span| span.contains(&at)).map(|span| (block, span)))
        else {
            return found;
        };
        if found.top.is_empty() {
            found.top = block.ident.as_str().to_string();
        }
        let labels = block.labels.last().and_then(|label| label.span());
        let end = labels.or_else(|| block.ident.span()).map_or(whole.start, |span| span.end);
        found.head = whole.start..end;
        found.whole = whole;
        body = &block.body;
    }
}

/// Reads `source` as far as it can be.
pub(crate) fn read(source: &Source) -> Read {
    let mut read = Read { body: None, errors: Vec::new(), cuts: Vec::new() };
    let mut text = source.text().to_string();
    // Where the last change ends: an error before it is one of our making.
    let mut frontier = 0;
    while read.errors.len() < SYNTAX_ERRORS_MAX {
        let found = scan(&text);
        let error = match hcl_edit::parser::parse_body(&text) {
            Ok(body) if found.open_strings.is_empty() => {
                read.body = Some(body);
                return read;
            }
            // The parser lets strings go over lines, which the language does not.
            Ok(_) => {
                let span = found.open_strings[0].span.clone();
                let diagnostic = open_string(source, &text, span);
                super::Explained { diagnostic, then: Then::Cut }
            }
            Err(error) => explain(source, &text, &found, &error),
        };
        let place = error.diagnostic.span();
        if !read.errors.is_empty() && place.start < frontier {
            return read;
        }
        read.errors.push(error.diagnostic);
        if text.len() > RECOVERED_BYTES_MAX {
            return read;
        }
        match error.then {
            Then::Stop => return read,
            Then::Replace(pieces) => {
                for (at, piece) in pieces {
                    text.replace_range(at..at + piece.len(), &piece);
                    frontier = frontier.max(at);
                }
            }
            Then::Cut => {
                let Some(cut) = cut(&text, &found, place.start) else { return read };
                frontier = cut.span.end;
                blank(&mut text, &cut.span);
                read.cuts.push(cut);
            }
        }
    }
    read
}

/// The line of `at`, or the block or list that it opens; none if it closes something.
fn cut(text: &str, found: &Scan, at: usize) -> Option<Cut> {
    let start = line_start(text, at);
    let mut end = line_end(text, at);
    for string in &found.open_strings {
        if (start..end).contains(&string.span.start) {
            end = line_end(text, string.end.max(end));
        }
    }
    let mut depth = 0_usize;
    let mut has_block = false;
    for bracket in found.brackets.iter().skip_while(|bracket| bracket.at < start) {
        if bracket.at >= end && depth == 0 {
            break;
        }
        has_block |= bracket.letter == b'{';
        if bracket.opens() {
            depth += 1;
        } else {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                end = end.max(line_end(text, bracket.at));
            }
        }
    }
    (depth == 0).then_some(Cut { span: start..end, has_block })
}

/// Blanks in place of what stands there; line breaks stay.
fn blank(text: &mut String, span: &Span) {
    let blanks: String = text[span.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.replace_range(span.clone(), &blanks);
}
