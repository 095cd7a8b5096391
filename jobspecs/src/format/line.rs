//! A line of tokens.

use super::spaces;
use super::token::{Kind, Token};

/// The tokens of a line, whose first may reach over several lines of text.
#[derive(Debug)]
pub struct Line<'a> {
    /// Columns before the first token.
    pub indent: usize,
    /// The tokens, each with the spaces before it.
    pub tokens: Vec<Token<'a>>,
}

/// The tokens line by line, with one space where one belongs.
pub fn split<'a>(tokens: &[Token<'a>]) -> Vec<Line<'a>> {
    let lines = tokens.split(|token| token.kind == Kind::Newline);
    lines.map(|tokens| Line { indent: 0, tokens: spaces::set(tokens) }).collect()
}

impl Line<'_> {
    /// The line as text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let spaces = if at == 0 { self.indent } else { token.spaces };
            text.extend(std::iter::repeat_n(' ', spaces));
            text.push_str(token.text);
        }
        text
    }

    /// Columns of what stands before a token.
    pub fn columns_before(&self, token: usize) -> usize {
        let columns = |at: usize| {
            let spaces = if at == 0 { self.indent } else { self.tokens[at].spaces };
            spaces + self.tokens[at].text.chars().count()
        };
        (0..token).map(columns).sum()
    }

    /// Where the line assigns, if what it assigns ends on it.
    pub fn assignment(&self) -> Option<usize> {
        let at = self.tokens.iter().position(|token| token.is("="))?;
        let (before, after) = (balance(&self.tokens[..at])?, balance(&self.tokens[at..])?);
        (at > 0 && before == 0 && after == 0).then_some(at)
    }

    /// Where the line has a comment behind something else.
    pub fn comment(&self) -> Option<usize> {
        let last = self.tokens.len().checked_sub(1).filter(|last| *last > 0)?;
        // A text over several lines has no column that others could stand in.
        let is_one_line = self.tokens.iter().all(|token| !token.text.contains('\n'));
        (is_one_line && self.tokens[last].kind == Kind::Comment).then_some(last)
    }
}

/// Brackets that are left open; none if one is closed that was not opened among these.
fn balance(tokens: &[Token<'_>]) -> Option<usize> {
    let mut open = 0usize;
    for token in tokens {
        match token.kind {
            Kind::Open => open += 1,
            Kind::Close => open = open.checked_sub(1)?,
            _ => {}
        }
    }
    Some(open)
}
