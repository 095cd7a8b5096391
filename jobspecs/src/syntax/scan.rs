//! Brackets, strings and heredocs of a text that need not be HCL: what can be said of it when the parser gives up.
//!
//! One pass with a stack of its own, so that no nesting is too deep.

use crate::source::Span;

/// What the pass has found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// All brackets outside of strings and comments, in order.
    pub brackets: Vec<Bracket>,
    /// Strings that do not end on their line.
    pub open_strings: Vec<OpenString>,
    /// Heredocs: where they begin, and their end word.
    pub heredocs: Vec<(usize, String)>,
    /// The heredoc or comment that goes on to the end of the text.
    pub endless: Option<usize>,
}

/// A string that does not end on its line.
#[derive(Clone, Debug)]
pub(super) struct OpenString {
    /// What of it stands on the line.
    pub span: Span,
    /// Where it ends, if it was meant to go over several lines; else the end of its line.
    pub end: usize,
}

/// A bracket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bracket {
    pub at: usize,
    pub letter: u8,
}

impl Bracket {
    pub(super) fn opens(self) -> bool {
        matches!(self.letter, b'{' | b'[' | b'(')
    }
}

/// Within what the pass is.
enum Within {
    /// A string that began here.
    Text(usize),
    /// A template with so many braces open in it.
    Template(usize),
}

/// Looks through `text`.
pub(super) fn scan(text: &str) -> Scan {
    let bytes = text.as_bytes();
    let mut found = Scan::default();
    let mut stack: Vec<Within> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        at = match stack.last_mut() {
            Some(Within::Text(start)) => {
                let start = *start;
                match bytes[at] {
                    b'\\' if bytes.get(at + 1).is_some_and(|next| *next != b'\n') => at + 2,
                    b'"' => {
                        stack.pop();
                        at + 1
                    }
                    b'\n' => {
                        let line = line_start(text, at);
                        let outer = stack.iter().find_map(|within| match within {
                            Within::Text(outer) if *outer >= line => Some(*outer),
                            _ => None,
                        });
                        let span = outer.unwrap_or(start)..at;
                        let end = end_over_lines(text, at).unwrap_or(at);
                        found.open_strings.push(OpenString { span, end });
                        // Else the author most likely forgot a quote: the next line is read as if it stood there.
                        stack.clear();
                        end
                    }
                    b'$' | b'%' if bytes.get(at + 1) == Some(&b'{') && bytes[at - 1] != bytes[at] => {
                        stack.push(Within::Template(0));
                        at + 2
                    }
                    _ => at + 1,
                }
            }
            Some(Within::Template(0)) if bytes[at] == b'}' => {
                stack.pop();
                at + 1
            }
            Some(Within::Template(depth)) => {
                match bytes[at] {
                    b'{' => *depth += 1,
                    b'}' => *depth -= 1,
                    _ => {}
                }
                code(text, at, &mut stack, &mut Scan::default(), false)
            }
            None => code(text, at, &mut stack, &mut found, true),
        };
    }
    if let Some(Within::Text(start)) = stack.first() {
        found.open_strings.push(OpenString { span: *start..text.len(), end: text.len() });
    }
    found
}

/// How many lines are looked at for the end of a string.
const STRING_LINES_MAX: usize = 20;

/// The end of a string that goes on after the line break at `at`: a quote at the end of a line, before which nothing
/// looks like HCL.
fn end_over_lines(text: &str, at: usize) -> Option<usize> {
    let mut start = at + 1;
    for line in text[start..].split_inclusive('\n').take(STRING_LINES_MAX) {
        match line.find('"') {
            _ if line.contains(['=', '{', '}']) => return None,
            Some(quote) => {
                let is_end = line[quote + 1..].trim().chars().all(|letter| ",)]".contains(letter));
                return is_end.then_some(start + quote + 1);
            }
            None => start += line.len(),
        }
    }
    None
}

/// One step outside of strings; where the next begins.
fn code(text: &str, at: usize, stack: &mut Vec<Within>, found: &mut Scan, is_top: bool) -> usize {
    let bytes = text.as_bytes();
    let line_end = || bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |end| at + end);
    match bytes[at] {
        b'"' => {
            stack.push(Within::Text(at));
            at + 1
        }
        letter @ (b'{' | b'}' | b'[' | b']' | b'(' | b')') => {
            found.brackets.push(Bracket { at, letter });
            at + 1
        }
        b'#' if is_top => line_end(),
        b'/' if is_top && bytes.get(at + 1) == Some(&b'/') => line_end(),
        b'/' if is_top && bytes.get(at + 1) == Some(&b'*') => match text[at..].find("*/") {
            Some(end) => at + end + 2,
            None => {
                found.endless = Some(at);
                bytes.len()
            }
        },
        b'<' if is_top && bytes.get(at + 1) == Some(&b'<') => heredoc(text, at, found),
        _ => at + 1,
    }
}

/// The end of the heredoc that begins at `at`.
fn heredoc(text: &str, at: usize, found: &mut Scan) -> usize {
    let rest = &text[at + 2..];
    let word = rest.strip_prefix('-').unwrap_or(rest).lines().next().unwrap_or_default().trim_end();
    if word.is_empty() || word.contains(|letter: char| !letter.is_alphanumeric() && letter != '_' && letter != '-') {
        return at + 2;
    }
    found.heredocs.push((at, word.to_string()));
    let mut start = at;
    for (number, line) in text[at..].split_inclusive('\n').enumerate() {
        if number > 0 && line.trim() == word {
            return start + line.trim_end().len();
        }
        start += line.len();
    }
    found.endless = Some(at);
    text.len()
}

/// A brace that does not stand where its block's line makes one expect it.
pub(super) enum Odd {
    /// The block that opens here is not closed before the line that closes the one around it.
    NotClosed(usize, usize),
    /// This closes more than is open at its indentation.
    TooMany(usize),
}

/// The first brace at odds with the indentation.
pub(super) fn odd_brace(text: &str, brackets: &[Bracket]) -> Option<Odd> {
    let mut open: Vec<Bracket> = Vec::new();
    for bracket in brackets {
        if bracket.opens() {
            open.push(*bracket);
            continue;
        }
        let Some(opener) = open.pop() else { return Some(Odd::TooMany(bracket.at)) };
        let (line, of_opener) = (line_start(text, bracket.at), line_start(text, opener.at));
        if line == of_opener || !text[line..bracket.at].trim().is_empty() {
            continue;
        }
        match indentation(text, line).cmp(&indentation(text, of_opener)) {
            std::cmp::Ordering::Less => return Some(Odd::NotClosed(opener.at, bracket.at)),
            std::cmp::Ordering::Greater => return Some(Odd::TooMany(bracket.at)),
            std::cmp::Ordering::Equal => {}
        }
    }
    open.pop().map(|opener| Odd::NotClosed(opener.at, text.len()))
}

/// Where the line of `at` begins.
pub(super) fn line_start(text: &str, at: usize) -> usize {
    text.as_bytes()[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1)
}

/// Where the line of `at` ends, without its line break.
pub(super) fn line_end(text: &str, at: usize) -> usize {
    text.as_bytes()[at..].iter().position(|byte| *byte == b'\n').map_or(text.len(), |newline| at + newline)
}

fn indentation(text: &str, line: usize) -> usize {
    text.as_bytes()[line..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
