//! Patterns of paths: `*` and `?` stand for letters of a name, `[a-z]` and `[^a-z]` for one letter, `**` for any number
//! of folders, `{a,b}` for alternatives, and `\` keeps what follows it as it is.

use regex::Regex;

/// The longest pattern that is taken, in bytes.
const PATTERN_BYTES_MAX: usize = 4096;
/// The most patterns that one with alternatives stands for.
const ALTERNATIVES_MAX: usize = 256;

/// One part of a path, between slashes.
pub(super) enum Part {
    /// `**`: any number of folders, also none.
    Folders,
    /// A name.
    Name(Regex),
}

/// The patterns without alternatives that `pattern` stands for, each in its parts.
pub(super) fn parse(pattern: &str) -> Result<Vec<Vec<Part>>, String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(format!("the pattern has {} bytes, the limit is {PATTERN_BYTES_MAX}", pattern.len()));
    }
    let mut left = vec![pattern.to_string()];
    let mut patterns = Vec::new();
    while let Some(pattern) = left.pop() {
        match alternatives(&pattern)? {
            Some(alternatives) => left.extend(alternatives),
            None => patterns.push(parts(&pattern)?),
        }
        if left.len() + patterns.len() > ALTERNATIVES_MAX {
            return Err(format!("the pattern has more than {ALTERNATIVES_MAX} alternatives"));
        }
    }
    Ok(patterns)
}

/// The patterns that come of the first `{…}`; None if there is none.
fn alternatives(pattern: &str) -> Result<Option<Vec<String>>, String> {
    let (mut depth, mut start, mut cuts) = (0_usize, 0, Vec::new());
    let mut letters = pattern.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                letters.next();
            }
            '{' if depth == 0 => (depth, start) = (1, at),
            '{' => depth += 1,
            ',' if depth == 1 => cuts.push(at),
            '}' if depth > 1 => depth -= 1,
            '}' if depth == 1 => {
                cuts.push(at);
                let (before, after) = (&pattern[..start], &pattern[at + 1..]);
                let starts = std::iter::once(start).chain(cuts.iter().copied());
                let pieces = starts.zip(&cuts).map(|(from, to)| &pattern[from + 1..*to]);
                return Ok(Some(pieces.map(|piece| format!("{before}{piece}{after}")).collect()));
            }
            _ => {}
        }
    }
    if depth == 0 { Ok(None) } else { Err("a `{` of the pattern does not end".into()) }
}

fn parts(pattern: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    for part in pattern.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            ".." => return Err("a pattern can't lead out of its folder with `..`".into()),
            // Several after each other mean the same as one, and would be tried in every combination.
            "**" if matches!(parts.last(), Some(Part::Folders)) => {}
            "**" => parts.push(Part::Folders),
            name => parts.push(Part::Name(name_pattern(name)?)),
        }
    }
    // At the end `**` stands for files too.
    if matches!(parts.last(), Some(Part::Folders)) {
        parts.push(Part::Name(name_pattern("*")?));
    }
    Ok(parts)
}

fn name_pattern(name: &str) -> Result<Regex, String> {
    let mut regex = String::from(r"\A(?s:");
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => regex.push_str(".*"),
            '?' => regex.push('.'),
            '[' => regex.push_str(&class(&mut letters)?),
            '\\' => regex.push_str(&kept(letters.next().unwrap_or('\\'))),
            letter => regex.push_str(&kept(letter)),
        }
    }
    regex.push_str(r")\z");
    Regex::new(&regex).map_err(|_| format!("`{name}` is not a pattern"))
}

/// The class after a `[`, up to and with its `]`.
fn class(letters: &mut std::str::Chars<'_>) -> Result<String, String> {
    let mut class = String::from("[");
    let mut is_first = true;
    while let Some(letter) = letters.next() {
        match letter {
            ']' if !is_first => return Ok(class + "]"),
            '^' | '!' if class == "[" => {
                class.push('^');
                continue;
            }
            '-' => class.push('-'),
            '\\' => class.push_str(&kept(letters.next().unwrap_or('\\'))),
            letter => class.push_str(&kept(letter)),
        }
        is_first = false;
    }
    Err("a `[` of the pattern does not end".into())
}

/// A letter that stands for itself in a regular expression.
fn kept(letter: char) -> String {
    regex::escape(letter.encode_utf8(&mut [0; 4]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_name(pattern: &str, name: &str) -> bool {
        parse(pattern).unwrap().iter().any(|parts| matches!(&parts[..], [Part::Name(regex)] if regex.is_match(name)))
    }

    #[test]
    fn names_are_matched() {
        for (pattern, name) in [
            ("*.txt", "a.txt"),
            ("*", ".hidden"),
            ("?.txt", "é.txt"),
            ("[a-c]x", "bx"),
            ("[^a-c]x", "dx"),
            ("[!a]", "b"),
            ("[]a]", "]"),
            ("[&&~~]", "&"),
            (r"\*", "*"),
            ("{a,b{c,d}}.x", "bd.x"),
            ("{,a}b", "b"),
            (r"\{a\}", "{a}"),
        ] {
            assert!(is_name(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("*.txt", "atxt"), ("?", "ab"), ("[^a]", "a"), ("a", "A"), ("{a,b}", "c")] {
            assert!(!is_name(pattern, name), "{pattern} {name}");
        }
    }

    #[test]
    fn wrong_patterns_and_those_of_too_much_are_refused() {
        for pattern in ["[a", "{a", "../a", "a/../b", &"{a,b}".repeat(9), &"a".repeat(PATTERN_BYTES_MAX + 1)] {
            assert!(parse(pattern).is_err(), "{pattern}");
        }
        assert_eq!(parse(&"{a,b}".repeat(8)).map(|patterns| patterns.len()), Ok(ALTERNATIVES_MAX));
        assert!(parse(&"a".repeat(PATTERN_BYTES_MAX)).is_ok());
        assert_eq!(parse("**/**/**/a").map(|patterns| patterns[0].len()), Ok(2));
    }
}
