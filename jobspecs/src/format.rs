//! The canonical layout of a jobspec: two spaces a level, `=` and comments in line, one space where one belongs.
//!
//! Works on tokens and lines, so comments, blank lines, heredocs and the author's line breaks stay. What is laid out has
//! the same meaning as before, and laying it out again changes nothing (both are property tests).
//!
//! ```text
//! text -> tokens -> lines of tokens -> indent -> align `=` -> align comments -> text
//! ```

mod line;
mod meaning;
mod spaces;
mod token;

#[cfg(test)]
mod tests;

use crate::source::Source;
use crate::{Diagnostic, Diagnostics, syntax};
use line::Line;
use token::Kind;

/// Columns that a level is indented by.
const INDENT: usize = 2;

/// `source` laid out, if it is HCL at all.
pub fn format(source: &Source) -> Result<String, Diagnostics> {
    source.check_size()?;
    let text = source.text();
    if let Some(at) = text.find(|letter: char| !letter.is_whitespace()).filter(|at| text[*at..].starts_with('{')) {
        return Err(Diagnostic::error(source, at..at + 1, "this is a jobspec in JSON, which has no layout of its own")
            .hint("only jobspecs in HCL are laid out")
            .into());
    }
    let body = syntax::body(source)?;
    let mut lines = line::split(&token::tokens(text));
    indent(&mut lines);
    align(&mut lines, |line| line.assignment());
    align(&mut lines, |line| line.comment());
    let mut laid_out: String = lines.iter().map(|line| format!("{}\n", line.text())).collect();
    laid_out.truncate(laid_out.trim_end().len());
    if !laid_out.is_empty() {
        laid_out.push('\n');
    }
    // The parser reads some odd texts in other ways than the tokens tell; such a text is better left alone.
    let read_again = syntax::body(&Source::new(source.name(), &laid_out));
    if read_again.is_ok_and(|again| meaning::is_same(again, body)) {
        return Ok(laid_out);
    }
    Err(Diagnostic::error(source, 0..0, "laid out, this file would mean something else")
        .label("left as it is")
        .hint("look for a heredoc whose end word stands within a template directive, `%{ … }`")
        .into())
}

/// Indents each line by the lines around it that leave a bracket open. However many brackets a line opens, what follows
/// is one level deeper; a line that begins by closing one of them stands where that line stands.
fn indent(lines: &mut [Line<'_>]) {
    // Brackets that are open, by the line that opened them.
    let mut open: Vec<usize> = Vec::new();
    for line in lines {
        let closes_first = line.tokens.iter().take_while(|token| token.kind == Kind::Close).count();
        let stays = close(&mut open, closes_first);
        line.indent = INDENT * (open.len() - usize::from(stays));
        let (mut opened, mut closed) = (0, 0);
        for token in &line.tokens[closes_first..] {
            match token.kind {
                Kind::Open => opened += 1,
                Kind::Close if opened > 0 => opened -= 1,
                Kind::Close => closed += 1,
                _ => {}
            }
        }
        close(&mut open, closed);
        match open.last_mut().filter(|_| stays && closed == 0) {
            Some(level) => *level += opened,
            None if opened > 0 => open.push(opened),
            None => {}
        }
    }
}

/// Closes brackets, innermost first; whether some of the innermost level are left open.
fn close(open: &mut Vec<usize>, mut brackets: usize) -> bool {
    while let Some(last) = open.last_mut().filter(|_| brackets > 0) {
        let closed = brackets.min(*last);
        (*last, brackets) = (*last - closed, brackets - closed);
        if *last > 0 {
            return true;
        }
        open.pop();
    }
    false
}

/// Brings the tokens that `find` finds into one column, in lines that follow one another.
fn align(lines: &mut [Line<'_>], find: fn(&Line<'_>) -> Option<usize>) {
    let found: Vec<Option<usize>> = lines.iter().map(find).collect();
    let mut at = 0;
    while at < lines.len() {
        let length = found[at..].iter().take_while(|found| found.is_some()).count();
        let chain = at..at + length;
        let column = chain.clone().filter_map(|line| Some(lines[line].columns_before(found[line]?))).max().unwrap_or(0);
        for line in chain {
            if let Some(token) = found[line] {
                let before = lines[line].columns_before(token);
                lines[line].tokens[token].spaces = column - before + 1;
            }
        }
        at += length.max(1);
    }
}
