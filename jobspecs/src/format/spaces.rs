//! Whether a space belongs between two tokens of a line.

use super::token::{Kind, Token};

/// The tokens of a line with the spaces that belong before each.
pub fn set<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut set: Vec<Token<'a>> = Vec::with_capacity(tokens.len());
    // Whether the token before stands for itself on its right side: a sign before an operand, or a splat.
    let mut binds = false;
    // Choices `a ? b : c` of which the second half is still to come.
    let mut choices = 0usize;
    for token in tokens {
        choices += usize::from(token.is("?"));
        let spaces = match set.last() {
            None => 0,
            Some(_) if token.is(":") && choices > 0 => {
                choices -= 1;
                1
            }
            Some(before) => usize::from(!binds && belongs(before, token)),
        };
        binds = match set.last() {
            _ if token.is("!") => true,
            before if token.is("-") => before.is_none_or(expects_operand),
            before if token.is("*") => before.is_some_and(|before| before.is(".")),
            _ => false,
        };
        set.push(Token { spaces, ..*token });
    }
    set
}

/// Whether an operand follows this token, so that a `-` after it is a sign and not a difference.
fn expects_operand(before: &Token<'_>) -> bool {
    match before.kind {
        Kind::Open => true,
        Kind::Sign => !before.is(".") && !before.is("..."),
        Kind::Word => before.is_keyword(),
        Kind::Text | Kind::Close | Kind::Comment | Kind::Newline => false,
    }
}

fn belongs(before: &Token<'_>, token: &Token<'_>) -> bool {
    if token.kind == Kind::Comment {
        return true;
    }
    if before.is("{") || token.is("}") {
        return !(before.is("{") && token.is("}"));
    }
    if before.kind == Kind::Open || token.kind == Kind::Close {
        return false;
    }
    if before.is(".") || token.is(".") || token.is(",") || token.is("...") {
        return false;
    }
    match token.text {
        // A call or an index stands at what it belongs to; a list or a group of its own does not.
        "(" | "[" if token.kind == Kind::Open => match before.kind {
            Kind::Word => before.is_keyword() || token.spaces > 0,
            Kind::Text | Kind::Close => token.spaces > 0,
            _ => true,
        },
        // `for a in b : c` and `{ a: b }`: as their author has it.
        ":" if token.kind == Kind::Sign => token.spaces > 0,
        _ => true,
    }
}
