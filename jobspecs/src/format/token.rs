//! The tokens of an HCL text. Strings and heredocs are one token each: what is in them is the author's.

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name, keyword or number.
    Word,
    /// A string, with its quotes, or a heredoc, with its end word.
    Text,
    /// `{`, `[` or `(`.
    Open,
    /// `}`, `]` or `)`.
    Close,
    /// Anything else: an operator, a comma, a dot.
    Sign,
    /// A comment, without the end of its line.
    Comment,
    /// The end of a line.
    Newline,
}

/// A token.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// As it is written.
    pub text: &'a str,
    /// Spaces before it: first as they were written, in the end as they shall be.
    pub spaces: usize,
}

impl Token<'_> {
    /// Whether it is that sign or bracket.
    pub fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Sign | Kind::Open | Kind::Close) && self.text == text
    }

    /// Whether it is a word that asks for an expression after it.
    pub fn is_keyword(&self) -> bool {
        self.kind == Kind::Word && matches!(self.text, "for" | "in" | "if")
    }
}

/// Signs of more than one letter.
const LONG_SIGNS: [&str; 8] = ["...", "==", "!=", "<=", ">=", "&&", "||", "=>"];

/// The tokens of a text that is HCL.
pub fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    loop {
        let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r']).len();
        rest = &rest[blank..];
        let Some((kind, length)) = next(rest) else { return tokens };
        tokens.push(Token { kind, text: &rest[..length], spaces: blank });
        rest = &rest[length..];
    }
}

/// The kind of the first token and its bytes.
fn next(rest: &str) -> Option<(Kind, usize)> {
    let first = rest.chars().next()?;
    let found = match first {
        '\n' => (Kind::Newline, 1),
        '#' => (Kind::Comment, line(rest)),
        '/' if rest.starts_with("//") => (Kind::Comment, line(rest)),
        '/' if rest.starts_with("/*") => (Kind::Comment, rest.find("*/").map_or(rest.len(), |end| end + 2)),
        '"' => (Kind::Text, string(rest)),
        '<' if rest.starts_with("<<") => (Kind::Text, heredoc(rest)),
        '{' | '[' | '(' => (Kind::Open, 1),
        '}' | ']' | ')' => (Kind::Close, 1),
        letter if is_of_word(letter) => (Kind::Word, word(rest)),
        letter => {
            let long = LONG_SIGNS.iter().find(|sign| rest.starts_with(**sign));
            (Kind::Sign, long.map_or(letter.len_utf8(), |sign| sign.len()))
        }
    };
    Some(found)
}

/// Bytes to the end of the line, without blanks there.
fn line(rest: &str) -> usize {
    rest.split('\n').next().unwrap_or(rest).trim_end().len()
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn word(rest: &str) -> usize {
    let is_number = rest.starts_with(|letter: char| letter.is_ascii_digit());
    let mut end = 0;
    for (at, letter) in rest.char_indices() {
        let of_number = is_number && (letter == '.' || matches!(letter, '+' | '-') && rest[..at].ends_with(['e', 'E']));
        // The dot of `1...` or `a.0.b` is none of a number.
        let of_number = of_number && rest[at + 1..].starts_with(|next: char| next.is_ascii_digit());
        if !(is_of_word(letter) || letter == '-' && !is_number || of_number) {
            break;
        }
        end = at + letter.len_utf8();
    }
    end
}

/// Bytes of the string that `rest` begins with, templates and the strings in them included.
fn string(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            b'$' | b'%' if bytes.get(at + 1) == Some(&b'{') => {
                // `$${` begins no template.
                let is_escaped = bytes[at - 1] == bytes[at];
                at += if is_escaped { 2 } else { template(&rest[at..]) };
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// Bytes of the `${…}` or `%{…}` that `rest` begins with.
fn template(rest: &str) -> usize {
    let mut depth = 0usize;
    let mut at = 1;
    while at < rest.len() {
        // Everything that a template may hold is a token, so a brace within a string in it is none.
        let blank = rest[at..].len() - rest[at..].trim_start_matches([' ', '\t', '\r']).len();
        at += blank;
        let Some((kind, length)) = next(&rest[at..]) else { break };
        at += length;
        match kind {
            Kind::Open => depth += 1,
            Kind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && kind == Kind::Close {
            return at;
        }
    }
    rest.len()
}

/// Bytes of the heredoc that `rest` begins with, to the end of its end word.
fn heredoc(rest: &str) -> usize {
    let name = rest[2..].trim_start_matches('-');
    let name = name.lines().next().unwrap_or_default().trim();
    let mut at = 0;
    for (number, line) in rest.split_inclusive('\n').enumerate() {
        let after = line.trim_start().strip_prefix(name).filter(|_| number > 0);
        if let Some(after) = after.filter(|after| !after.starts_with(|next| is_of_word(next) || next == '-')) {
            return at + line.len() - after.len();
        }
        at += line.len();
    }
    rest.len()
}
