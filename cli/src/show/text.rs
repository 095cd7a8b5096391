//! Text from servers and tasks, made harmless for a terminal, and ids cut to a readable length.

use std::fmt::Write;

/// Characters of an id that are shown unless all are asked for.
pub const ID_CHARACTERS: usize = 8;

/// The first eight characters of an id.
pub fn short(id: &str) -> &str {
    id.char_indices().nth(ID_CHARACTERS).map_or(id, |(end, _)| &id[..end])
}

/// The text on one line: control characters, line breaks and direction marks appear as escapes.
pub fn escape(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        push_escaped(&mut harmless, character);
    }
    harmless
}

/// Like [`escape`], but line breaks stay.
pub fn escape_lines(text: &str) -> String {
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

/// Writes the character, or its escape if a terminal would act on it.
pub fn push_escaped(to: &mut String, character: char) {
    match character {
        '\n' => to.push_str("\\n"),
        '\r' => to.push_str("\\r"),
        '\t' => to.push_str("\\t"),
        _ if drives_terminal(character) => {
            let _ = write!(to, "\\u{{{:x}}}", u32::from(character));
        }
        _ => to.push(character),
    }
}

/// Encoded JSON in which the control characters that its encoder leaves alone are escaped too; still the same value.
pub fn escape_json(json: &str) -> String {
    let mut harmless = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && drives_terminal(character) {
            let _ = write!(harmless, "\\u{:04x}", u32::from(character));
        } else {
            harmless.push(character);
        }
    }
    harmless
}

/// Control characters of both tables, and the invisible marks that reorder or hide text.
fn drives_terminal(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text as one word of a shell's command line.
pub fn shell_quoted(text: &str) -> String {
    let is_plain = |one: char| one.is_alphanumeric() || "-_./=:,@%+".contains(one);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// `3 nodes`, `1 node`.
pub fn count(number: u64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// The known name that is closest to a mistyped one, if any is close.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (given.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (distance(given, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// Edits (insert, delete, replace, swap neighbours) that turn one text into the other.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before_last = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for row in 1..=left.len() {
        let mut current = vec![row];
        for column in 1..=right.len() {
            let replaced = last[column - 1] + usize::from(left[row - 1] != right[column - 1]);
            let mut best = replaced.min(last[column] + 1).min(current[column - 1] + 1);
            if row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1] {
                let before: &Vec<usize> = &before_last;
                best = best.min(before[column - 2] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_become_visible() {
        assert_eq!(escape("a\u{1b}[31mb\nc\u{9b}d\u{202e}é"), "a\\u{1b}[31mb\\nc\\u{9b}d\\u{202e}é");
        assert_eq!(escape_lines("a\u{7}\nb"), "a\\u{7}\nb");
    }

    #[test]
    fn json_keeps_its_value_while_it_is_made_harmless() {
        let value = serde_json::json!({ "a": "x\u{9b}y\u{202e}\n" });
        let text = escape_json(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.contains('\u{9b}') && !text.contains('\u{202e}'), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), value);
    }

    #[test]
    fn ids_are_cut_at_eight_characters_and_never_inside_one() {
        assert_eq!(short("0123456789"), "01234567");
        assert_eq!(short("01234567"), "01234567");
        assert_eq!(short("ééééééééé"), "éééééééé");
    }

    #[test]
    fn a_word_of_a_command_line_is_quoted_where_a_shell_would_read_more_into_it() {
        for (text, wanted) in [("a-b/c.hcl", "a-b/c.hcl"), ("a=x y", "'a=x y'"), ("it's", r"'it'\''s'"), ("", "''")] {
            assert_eq!(shell_quoted(text), wanted);
        }
        assert_eq!(shell_quoted("$HOME"), "'$HOME'");
    }

    #[test]
    fn the_nearest_name_is_found_only_when_it_is_near() {
        assert_eq!(nearest("baskte", ["web", "basket"]), Some("basket"));
        assert_eq!(nearest("wbe", ["web", "basket"]), Some("web"));
        assert_eq!(nearest("database", ["web", "basket"]), None);
        assert_eq!(nearest("x", []), None);
    }
}
