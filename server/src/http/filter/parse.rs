//! Reads filter expressions: words, then a descent over `or`, `and`, `not`.

use std::iter::Peekable;
use std::vec::IntoIter;

use regex::Regex;

use super::{Expression, Test};
use crate::http::limits::{FILTER_BYTES_MAX, FILTER_DEPTH_MAX};

/// The expression that `text` stands for, or what is wrong with it.
pub(super) fn parse(text: &str) -> Result<Expression, String> {
    if text.len() > FILTER_BYTES_MAX {
        return Err(format!("it is longer than {FILTER_BYTES_MAX} bytes"));
    }
    let mut parser = Parser { words: words(text)?.into_iter().peekable() };
    let expression = parser.any_of(1)?;
    match parser.words.next() {
        None => Ok(expression),
        Some(word) => Err(format!("unexpected `{}`", word.text())),
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Word {
    /// A name, a number or a keyword.
    Bare(String),
    /// Between quotes.
    Quoted(String),
    /// `(`, `)`, `==` or `!=`.
    Sign(&'static str),
}

impl Word {
    fn text(&self) -> &str {
        match self {
            Word::Bare(text) | Word::Quoted(text) => text,
            Word::Sign(sign) => sign,
        }
    }

    fn is(&self, keyword: &str) -> bool {
        match self {
            Word::Bare(text) => text.eq_ignore_ascii_case(keyword),
            Word::Quoted(_) => false,
            Word::Sign(sign) => *sign == keyword,
        }
    }
}

fn words(text: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let sign = ["==", "!=", "(", ")"].into_iter().find(|sign| rest.starts_with(sign));
        if let Some(sign) = sign {
            words.push(Word::Sign(sign));
            rest = &rest[sign.len()..];
        } else if first == '"' || first == '`' {
            let (word, after) = quoted(&rest[1..], first)?;
            words.push(Word::Quoted(word));
            rest = after;
        } else {
            let (word, after) = bare(rest)?;
            words.push(Word::Bare(word));
            rest = after;
        }
        rest = rest.trim_start();
    }
    Ok(words)
}

/// A string up to its closing quote; a backslash takes the next character as it is, save in backquotes.
fn quoted(text: &str, quote: char) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            _ if character == quote => return Ok((word, &text[at + 1..])),
            '\\' if quote == '"' => word.extend(characters.next().map(|(_, next)| next)),
            other => word.push(other),
        }
    }
    Err("a string is not closed".into())
}

/// A word up to the next space or sign; brackets within it may hold strings, as in `Meta["a b"]`.
fn bare(text: &str) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        if next.is_whitespace() || next == '(' || next == ')' || rest.starts_with("==") || rest.starts_with("!=") {
            break;
        }
        if next == '"' {
            let (inner, after) = quoted(&rest[1..], '"')?;
            // A dot in a quoted key is no separator.
            word.push_str(&inner.replace('.', "\u{0}"));
            rest = after;
        } else {
            word.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    Ok((word, rest))
}

struct Parser {
    words: Peekable<IntoIter<Word>>,
}

impl Parser {
    fn any_of(&mut self, depth: usize) -> Result<Expression, String> {
        let mut expression = self.all_of(depth)?;
        while self.take("or") {
            expression = Expression::Or(Box::new(expression), Box::new(self.all_of(depth)?));
        }
        Ok(expression)
    }

    fn all_of(&mut self, depth: usize) -> Result<Expression, String> {
        let mut expression = self.one(depth)?;
        while self.take("and") {
            expression = Expression::And(Box::new(expression), Box::new(self.one(depth)?));
        }
        Ok(expression)
    }

    fn one(&mut self, depth: usize) -> Result<Expression, String> {
        if depth > FILTER_DEPTH_MAX {
            return Err(format!("it is nested deeper than {FILTER_DEPTH_MAX}"));
        }
        if self.take("not") {
            return Ok(Expression::Not(Box::new(self.one(depth + 1)?)));
        }
        if self.take("(") {
            let inner = self.any_of(depth + 1)?;
            return if self.take(")") { Ok(inner) } else { Err(format!("expected `)` {}", self.place())) };
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        let Some(left) = self.words.next() else { return Err("expected a condition at the end".into()) };
        if self.take("==") {
            return Ok(Expression::Test(path(&left), Test::Equals(self.value()?)));
        }
        if self.take("!=") {
            return Ok(negated(Expression::Test(path(&left), Test::Equals(self.value()?)), true));
        }
        if self.take("is") {
            let not = self.take("not");
            if !self.take("empty") {
                return Err(format!("expected `empty` {}", self.place()));
            }
            return Ok(negated(Expression::Test(path(&left), Test::IsEmpty), not));
        }
        let not = self.take("not");
        let test = if self.take("contains") {
            Expression::Test(path(&left), Test::Contains(self.value()?))
        } else if self.take("matches") {
            let pattern = self.value()?;
            let regex = Regex::new(&pattern).map_err(|_| format!("`{pattern}` is not a regular expression"))?;
            Expression::Test(path(&left), Test::Matches(regex))
        } else if self.take("in") {
            let place = self.place();
            let right = self.words.next().ok_or_else(|| format!("expected a name {place}"))?;
            Expression::Test(path(&right), Test::Contains(left.text().replace('\u{0}', ".")))
        } else {
            return Err(format!("expected a comparison such as `==` after `{}` {}", left.text(), self.place()));
        };
        Ok(negated(test, not))
    }

    fn value(&mut self) -> Result<String, String> {
        match self.words.next() {
            Some(Word::Bare(text)) => Ok(text.replace('\u{0}', ".")),
            Some(Word::Quoted(text)) => Ok(text),
            Some(Word::Sign(sign)) => Err(format!("expected a value, got `{sign}`")),
            None => Err("expected a value at the end".into()),
        }
    }

    fn take(&mut self, keyword: &str) -> bool {
        self.words.next_if(|word| word.is(keyword)).is_some()
    }

    fn place(&mut self) -> String {
        self.words.peek().map_or_else(|| "at the end".into(), |word| format!("at `{}`", word.text()))
    }
}

fn negated(expression: Expression, not: bool) -> Expression {
    if not { Expression::Not(Box::new(expression)) } else { expression }
}

/// The names on the way to a value: `Meta.team`, `Meta["team"]` or `"/Meta/team"`.
fn path(word: &Word) -> Vec<String> {
    match word {
        Word::Quoted(pointer) => pointer.split('/').filter(|name| !name.is_empty()).map(str::to_string).collect(),
        other => {
            let names = other.text().split(['.', '[', ']']).filter(|name| !name.is_empty());
            names.map(|name| name.replace('\u{0}', ".")).collect()
        }
    }
}
