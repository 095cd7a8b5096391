//! A syntax error in the words of the person who made it, and how to read on as if it had not been made.

use super::scan::{Odd, Scan, line_end, line_start, odd_brace};
use crate::source::{Source, Span};
use crate::{Diagnostic, schema};

/// What is wrong, and the change after which the text can be read on.
pub(super) struct Explained {
    pub diagnostic: Diagnostic,
    pub then: Then,
}

/// How to read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// With these texts in place of as many bytes: what the author meant is plain.
    Replace(Vec<(usize, String)>),
    /// Without the line, or the block that it opens.
    Cut,
    /// Not at all: what follows can't be told apart from what is wrong.
    Stop,
}

/// The text in which the parser stopped, and where.
struct Place<'a> {
    source: &'a Source,
    text: &'a str,
    at: usize,
    /// The line from its beginning, the line before `at`, and the line from there on.
    line: &'a str,
    before: &'a str,
    rest: &'a str,
    line_start: usize,
}

impl Place<'_> {
    fn error(&self, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(self.source, span, message)
    }

    /// An error at the letter at which the parser stopped.
    fn here(&self, message: impl Into<String>) -> Diagnostic {
        let letter = self.rest.chars().next().map_or(0, char::len_utf8);
        self.error(self.at..self.at + letter, message)
    }
}

/// The parser's error. `text` is that of `source`, save for what was replaced or cut before.
pub(super) fn explain(source: &Source, text: &str, scan: &Scan, error: &hcl_edit::parser::Error) -> Explained {
    let mut at = error.location().offset().min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    let start = line_start(text, at);
    let line = &text[start..line_end(text, at)];
    let (before, rest) = line.split_at(at - start);
    let place = Place { source, text, at, line, before, rest, line_start: start };
    let message = error.message();
    let explained = of_other_language(&place)
        .or_else(|| of_open_string(&place, scan))
        .or_else(|| of_letter(&place, message))
        .or_else(|| of_heredoc(&place, scan, message))
        .or_else(|| of_template(&place, message))
        .or_else(|| of_value(&place, message))
        .or_else(|| of_block(&place, message))
        .or_else(|| of_brackets(&place, scan, message));
    let (diagnostic, then) = explained.unwrap_or_else(|| (of_parser(&place, message), Then::Cut));
    Explained { diagnostic, then }
}

type Found = Option<(Diagnostic, Then)>;

/// Files that are not meant for us at all.
fn of_other_language(place: &Place<'_>) -> Found {
    let mut lines = place.text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let first = lines.next()?;
    let key = first.split(':').next().unwrap_or_default();
    let is_key = !key.is_empty() && key.chars().all(|letter| letter.is_alphanumeric() || "_-.".contains(letter));
    let is_yaml = first.trim_end() == "---" || is_key && first[key.len()..].starts_with(':');
    if !is_yaml || place.text.lines().any(|line| line.starts_with("job \"")) {
        return None;
    }
    let has = |word: &str| place.text.lines().any(|line| line.starts_with(word));
    let hint = if has("services:") {
        "a service of docker-compose is here a task: job \"name\" { group \"name\" { task \"name\" { … } } }"
    } else if has("apiVersion:") || has("kind:") {
        "a container of Kubernetes is here a task: job \"name\" { group \"name\" { task \"name\" { … } } }"
    } else {
        "a jobspec begins with: job \"name\" { … }"
    };
    let start = place.text.find(first).unwrap_or(0);
    let error = place.error(start..start + first.trim_end().len(), "this is YAML, not a jobspec");
    Some((error.label("the first line").hint(hint), Then::Stop))
}

/// The first string before the place that goes on beyond its line.
fn of_open_string(place: &Place<'_>, scan: &Scan) -> Found {
    let limit = place.line_start + place.line.len();
    let span = scan.open_strings.iter().find(|open| open.span.start <= limit)?.span.clone();
    Some((open_string(place.source, place.text, span), Then::Cut))
}

/// The string that begins at `span` and does not end on its line.
pub(super) fn open_string(source: &Source, text: &str, span: Span) -> Diagnostic {
    let line = &text[span.clone()];
    if let Some((open, _)) = line.match_indices("${").last().filter(|(at, _)| !line[*at..].contains('}')) {
        let start = span.start + open;
        let end = span.start + line.trim_end().trim_end_matches('"').len().max(open + 2);
        return Diagnostic::error(source, start..end, "this template does not end")
            .label("it begins here")
            .hint("close it with }");
    }
    let hint = match line.find(TYPESET) {
        Some(_) => "the quote at its end is none that jobspecs know: close it with \"",
        None => "close it with \" on the same line, or write a text of several lines as <<EOF … EOF",
    };
    let end = span.start + line.trim_end().len();
    Diagnostic::error(source, span.start..end, "this string does not end").label("it begins here").hint(hint)
}

/// Quotes that word processors make.
const TYPESET: [char; 8] = ['“', '”', '„', '‟', '‘', '’', '«', '»'];

/// Single letters that have no business where they stand.
fn of_letter(place: &Place<'_>, message: &str) -> Found {
    let letter = place.rest.chars().next()?;
    let at = place.at;
    let blank = |text: &str| Then::Replace(vec![(at, " ".repeat(text.len()))]);
    let quoted = |open: char, is_close: &dyn Fn(char) -> bool| -> Option<(usize, &str)> {
        let inner = &place.rest[open.len_utf8()..];
        inner.find(is_close).map(|end| (at + open.len_utf8() + end, &inner[..end]))
    };
    if TYPESET.contains(&letter) {
        let error = place.here(format!("{letter} is not a quote that jobspecs know"));
        let Some((close, inner)) = quoted(letter, &|letter| TYPESET.contains(&letter)) else {
            return Some((error.hint("write straight quotes: \"…\""), Then::Cut));
        };
        let width = place.text[close..].chars().next().map_or(1, char::len_utf8);
        let replace = vec![(at, format!("{:>1$}", '"', letter.len_utf8())), (close, format!("{:<1$}", '"', width))];
        return Some((error.hint(format!("write straight quotes: \"{inner}\"")), Then::Replace(replace)));
    }
    if letter == '\'' {
        let error = place.here("strings are written in double quotes");
        return Some(match quoted('\'', &|letter| letter == '\'') {
            Some((close, inner)) => {
                let replace = Then::Replace(vec![(at, "\"".into()), (close, "\"".into())]);
                (error.hint(format!("write: \"{inner}\"")), replace)
            }
            None => (error.hint("write: \"…\""), Then::Cut),
        });
    }
    if letter != ' ' && letter != '\t' && letter != '\r' && (letter.is_whitespace() || is_invisible(letter)) {
        let error = place.here(format!("the invisible character U+{:04X} stands here", u32::from(letter)));
        let hint = if letter.is_control() { "delete it" } else { "delete it and type a space" };
        return Some((error.hint(hint), blank(&letter.to_string())));
    }
    if letter == ';' {
        let error = place.here("attributes are not separated by semicolons");
        return Some((error.hint("write each on a line of its own"), blank(";")));
    }
    if letter == ',' && !message.contains("`]`") {
        let error = place.here("attributes are not separated by commas");
        let then = if place.rest[1..].trim().is_empty() { blank(",") } else { Then::Cut };
        return Some((error.hint("write each on a line of its own"), then));
    }
    if letter == '/' && place.rest.starts_with("/*") {
        return Some((place.here("this comment does not end").hint("close it with */"), Then::Stop));
    }
    None
}

fn is_invisible(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{ad}')
}

fn of_heredoc(place: &Place<'_>, scan: &Scan, message: &str) -> Found {
    let word_of = |at: usize| place.text[at..].lines().next().unwrap_or_default().trim_start_matches(['<', '-']).trim();
    if let Some(at) = scan.endless.filter(|at| *at <= place.at && place.text[*at..].starts_with("<<")) {
        let opener = place.text[at..].lines().next().unwrap_or_default();
        let word = word_of(at);
        let error = place.error(at..at + opener.trim_end().len(), "this heredoc does not end").label("it begins here");
        let mut after = place.text[at..].lines().enumerate().skip(1);
        let is_more = |line: &str| {
            line.trim_start().strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        let hint = match after.find(|(_, line)| is_more(line)) {
            Some((number, _)) => {
                let line = place.source.position(at).0 + number;
                format!("its end word `{word}` stands alone on a line: move what follows it in line {line} to the next")
            }
            None => format!("write its end word `{word}` alone on a line"),
        };
        return Some((error.hint(hint), Then::Stop));
    }
    if message.contains("heredoc end delimiter") {
        return Some((place.here("this heredoc does not end").hint("write its end word alone on a line"), Then::Stop));
    }
    if let Some(start) = place.before.rfind("<<")
        && place.rest.starts_with([' ', '\t'])
    {
        let word = place.rest.trim();
        let error = place.error(place.line_start + start..place.at + 1, "no space may stand in the head of a heredoc");
        return Some((error.hint(format!("write: <<{word}")), Then::Stop));
    }
    let first = place.line.split_whitespace().next().unwrap_or_default();
    let ends = |(start, word): &&(usize, String)| *start < place.line_start && word == first;
    if place.line.trim() != first && scan.heredocs.iter().any(|heredoc| ends(&heredoc)) {
        let error = place.here(format!("the end word `{first}` of a heredoc stands alone on its line"));
        return Some((error.hint("move what follows to the next line"), Then::Stop));
    }
    None
}

fn of_template(place: &Place<'_>, message: &str) -> Found {
    if message.contains("escape sequence") {
        let start = place.line_start + place.before.rfind('\\').unwrap_or(place.before.len());
        let escaped = place.text[start..].chars().take(2).map(char::len_utf8).sum::<usize>();
        let end = (start + escaped).min(place.line_start + place.line.len());
        let escape = &place.text[start..end];
        let error = place.error(start..end, format!("there is no escape `{escape}`"));
        let hint = format!("for a backslash write two: \\{escape}; others are \\n \\r \\t \\\" \\uNNNN");
        // Every single backslash of the line would be told anew.
        return Some((error.hint(hint), Then::Cut));
    }
    if let Some(start) = place.before.rfind("${")
        && message.contains("`}`")
        && !place.before[start..].contains('}')
    {
        let span = place.line_start + start..place.at;
        let error = place.error(span, "this template does not end").label("it begins here");
        return Some((error.hint("close it with }"), Then::Cut));
    }
    for (word, end) in [("if", "endif"), ("for", "endfor")] {
        let open = place
            .line
            .find("%{")
            .filter(|at| place.line[at + 2..].trim_start_matches('~').trim_start().starts_with(word));
        if let Some(open) = open
            && !place.line.contains(end)
        {
            let close = place.line[open..].find('}').map_or(place.line.len(), |close| open + close + 1);
            let span = place.line_start + open..place.line_start + close;
            let error = place.error(span, format!("this directive has no `{end}`"));
            return Some((error.hint(format!("close it with %{{ {end} }}")), Then::Cut));
        }
    }
    None
}

/// Attributes and their values.
fn of_value(place: &Place<'_>, message: &str) -> Found {
    let (at, rest) = (place.at, place.rest);
    let key = place.before.trim();
    let is_key = |text: &str| {
        !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '-')
    };
    if message.contains("redefined attribute") {
        let key = rest.split([' ', '=']).next().unwrap_or_default();
        let error = place.error(at..at + key.len(), format!("the attribute `{key}` is given twice"));
        return Some((error.label("given before").hint("keep one of the two"), Then::Cut));
    }
    if rest.starts_with(':') && is_key(key) {
        let value = rest[1..].trim();
        let error = place.here("a value is given with `=`, not with `:`");
        let then = if value.is_empty() { Then::Cut } else { Then::Replace(vec![(at, "=".into())]) };
        let value = if value.is_empty() { "…" } else { value };
        return Some((error.hint(format!("write: {key} = {value}")), then));
    }
    if rest.starts_with('=') && place.before.ends_with('=') {
        let key = key.trim_end_matches('=').trim();
        let error = place.error(at - 1..at + 1, "a value is given with one `=`");
        let then = Then::Replace(vec![(at, " ".into())]);
        return Some((error.hint(format!("write: {key} = {}", rest[1..].trim())), then));
    }
    if key.is_empty()
        && let Some((name, after)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'))
        && after.trim_start().starts_with(['=', ':'])
    {
        let error = place.error(at..at + name.len() + 2, "the name of an attribute has no quotes");
        let value = after.trim_start()[1..].trim();
        let hint = format!("write: {name} = {value}");
        let then = if is_key(name) {
            Then::Replace(vec![(at, " ".into()), (at + name.len() + 1, " ".into())])
        } else {
            Then::Cut
        };
        let hint = if is_key(name) { hint } else { format!("in an object it may: env = {{ \"{name}\" = {value} }}") };
        return Some((error.hint(hint), then));
    }
    if let Some(inner) = rest.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) {
        let error = place.error(at..at + rest.len(), "`${ }` is for values within a text, and this is none");
        let then = Then::Replace(vec![(at, "  ".into()), (at + rest.len() - 1, " ".into())]);
        return Some((error.hint(format!("write: {} {}", place.before.trim(), inner.trim())), then));
    }
    let given = place.before.split_once('=').map(|(key, value)| (key.trim(), value.trim_start()));
    if let Some((key, value)) = given
        && is_key(key)
        && !rest.starts_with([' ', '\t', '{', '"'])
        && value.chars().next().is_some_and(char::is_alphanumeric)
        && value.chars().all(|letter| letter.is_alphanumeric() || "._-/".contains(letter))
    {
        let text = format!("{value}{}", rest.trim_end());
        let start = at - value.len();
        let error = place.error(start..start + text.len(), "a text is written in quotes").label("without quotes");
        return Some((error.hint(format!("write: {key} = \"{text}\"")), Then::Cut));
    }
    if message.contains("expected `:`") && place.before.contains('?') {
        let error = place.here("this condition has no second value");
        return Some((error.hint("write: condition ? value : other"), Then::Cut));
    }
    if message.starts_with("invalid expression") {
        let error = place.here("a value is expected here");
        return Some((error.hint("a string in quotes, a number, true, false, [list] or {object}"), Then::Cut));
    }
    None
}

/// Blocks and their heads.
fn of_block(place: &Place<'_>, message: &str) -> Found {
    let (at, rest) = (place.at, place.rest);
    let head = place.before.trim();
    if let Some((name, _)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'))
        && message.contains("expected `{`")
        && name.contains("${")
    {
        let error = place.error(at..at + name.len() + 2, format!("the name of a `{head}` can't be computed"));
        let plain = |letter| if matches!(letter, '$' | '{' | '}') { '_' } else { letter };
        let then = Then::Replace(vec![(at + 1, name.chars().map(plain).collect())]);
        return Some((error.label("plain text is needed here").hint("write the name itself in quotes"), then));
    }
    if message.contains("expected `{`") && rest.starts_with('=') {
        let error = place.here("a block is opened without `=`");
        return Some((error.hint(format!("write: {head} {{")), Then::Replace(vec![(at, " ".into())])));
    }
    let follows = place.text[place.line_start + place.line.len()..].trim_start();
    if message.contains("expected `{`") && rest.trim().is_empty() && follows.starts_with('{') {
        let error = place.here("the `{` stands on the line of its block").label("here");
        let open = place.text.len() - follows.len();
        // The break between the two is a blank like any other once the brace is moved before it.
        let then = if at < open {
            let mut between: Vec<(usize, String)> = vec![(at, "{".into()), (open, " ".into())];
            if place.text.as_bytes()[at] != b'\n' {
                between.truncate(2);
                Then::Replace(between)
            } else {
                Then::Replace(vec![(at, "{".into()), (open, "\n".into())])
            }
        } else {
            Then::Stop
        };
        return Some((error.hint(format!("write: {head} {{")), then));
    }
    let needs_sign = message.contains("expected `{`") && rest.trim().is_empty()
        || message.starts_with("invalid structure")
            && rest.starts_with(|letter: char| letter.is_ascii_digit() || letter == '[');
    if needs_sign {
        let line = place.line.trim();
        let name = line.split([' ', '\t']).next().unwrap_or_default();
        let value = line[name.len()..].trim();
        if !name.is_empty() && !value.is_empty() {
            let gap = place.line_start + (place.line.len() - place.line.trim_start().len()) + name.len();
            let error = place.error(gap - name.len()..gap, format!("`{name}` has neither a value nor a block"));
            let is_attribute = !schema::parents_of(name, false).is_empty();
            let hint = if is_attribute {
                format!("write: {name} = {value}")
            } else {
                format!("write: {name} {value} {{ … }}")
            };
            let label = if is_attribute { "a `=` is missing" } else { "a `{` is missing" };
            let then = if is_attribute { Then::Replace(vec![(gap, "=".into())]) } else { Then::Stop };
            return Some((error.label(label).hint(hint), then));
        }
    }
    let is_end = message.starts_with("expected newline") || message.contains("expected `}`, newline");
    let inner = place
        .before
        .rfind('{')
        .filter(|open| !place.before[..*open].contains(['=', '"']) || place.line.trim_end().ends_with('}'));
    if is_end && inner.is_some() && !rest.starts_with('}') {
        let is_line_over = rest.trim_start().is_empty() || rest.trim_start().starts_with(['#', '/']);
        let (message, hint) = match is_line_over {
            true => (
                "a block whose first line has an attribute ends on that line",
                "write the closing } on this line, or the attribute on a line of its own",
            ),
            false => ("a block on one line has one attribute at most", "write each attribute on a line of its own"),
        };
        return Some((place.here(message).hint(hint), Then::Cut));
    }
    None
}

/// Brackets that are open at the end, or closed too often.
fn of_brackets(place: &Place<'_>, scan: &Scan, message: &str) -> Found {
    if message.contains("nesting depth") || message.contains("operator") && message.contains("at most") {
        return Some((place.here(format!("this is nested too deeply: {message}")), Then::Stop));
    }
    let mut open: Vec<usize> = Vec::new();
    for bracket in scan.brackets.iter().take_while(|bracket| bracket.at < place.at) {
        if bracket.opens() {
            open.push(bracket.at);
        } else {
            open.pop();
        }
    }
    let letter = |at: &usize| place.text.as_bytes()[*at];
    if message.contains("expected `]`") || message.contains("expected `)`") {
        let opener = open.last().copied().filter(|at| matches!(letter(at), b'[' | b'('));
        let begins_item = |letter: char| letter.is_alphanumeric() || matches!(letter, '"' | '{' | '[');
        // At its end, the parser stops at the last letter of the text.
        let is_last = place.at + 1 >= place.text.trim_end().len();
        if !is_last && place.rest.starts_with(begins_item) {
            let error = place.here("a comma is missing before this").label("another item begins here");
            return Some((error.hint("the items of a list are separated by commas"), Then::Cut));
        }
        if let Some(at) = opener {
            let (what, close) = if letter(&at) == b'[' { ("list", "]") } else { ("call", ")") };
            let error = place.error(at..at + 1, format!("this {what} does not end")).label("it begins here");
            return Some((error.hint(format!("close it with {close}")), Then::Cut));
        }
    }
    let is_end = place.at >= place.text.trim_end().len();
    let closes_nothing = place.rest.starts_with('}') && open.is_empty();
    if !is_end && !closes_nothing {
        return None;
    }
    match odd_brace(place.text, &scan.brackets) {
        Some(Odd::NotClosed(opener, before)) if is_end && !open.is_empty() => {
            let start = line_start(place.text, opener);
            let head = place.text[start..opener].trim();
            let from = opener - place.text[start..opener].trim_start().len();
            let error = place.error(from..opener + 1, "this block is not closed").label("it is opened here");
            let hint = if before < place.text.len() {
                let line = place.source.position(before).0;
                format!("a closing }} of `{head}` is missing; by the indentation, it belongs before line {line}")
            } else {
                format!("a closing }} of `{head}` is missing at the end of the file")
            };
            Some((error.hint(hint), Then::Stop))
        }
        Some(Odd::TooMany(at)) => {
            let error = place.error(at..at + 1, "there is a } too many");
            let hint = if at == place.at {
                "nothing is open here: remove it"
            } else {
                "by the indentation it is this one: remove it"
            };
            Some((error.hint(hint), Then::Replace(vec![(at, " ".into())])))
        }
        _ => None,
    }
}

/// Whatever else the parser says.
fn of_parser(place: &Place<'_>, message: &str) -> Diagnostic {
    if message.starts_with("expected newline") || message.contains("expected `}`, newline") {
        return place
            .here("an end of line is expected here")
            .hint("write each attribute and block on a line of its own");
    }
    if message.starts_with("invalid structure") || message == "unexpected token" {
        return place
            .here("this is neither an attribute nor a block")
            .hint("an attribute is written name = value, a block name { … }");
    }
    place.here(format!("syntax error: {message}"))
}
