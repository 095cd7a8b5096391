//! Where the value at a path stands in a JSON text, for which the reader keeps no places.

use crate::source::Span;

/// The place of the entry at `path` (`TaskGroups[0].Count`), or of the nearest one around it: its key and its value. A
/// wrapper `{"Job": …}` is passed through, and keys are compared without regard to case, as they are read.
pub(crate) fn find(text: &str, path: &str) -> Option<Span> {
    let mut reader = Reader { text: text.as_bytes(), at: 0 };
    let mut found = None;
    reader.skip_blanks();
    if let Some(job) = reader.clone().enter_key("Job").filter(|_| !path.is_empty()) {
        reader.at = job.1;
        found = Some(job.0..job.0 + "\"Job\"".len());
    }
    let mut rest = path;
    while !rest.is_empty() {
        let next = if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            rest = after.trim_start_matches('.');
            index.parse().ok().and_then(|index| reader.enter_item(index))
        } else {
            // The longest key first: keys of the author's own may have dots.
            let ends = rest.char_indices().filter(|(_, letter)| matches!(letter, '.' | '[')).map(|(at, _)| at);
            let mut ends: Vec<usize> = ends.chain([rest.len()]).collect();
            ends.reverse();
            let hit = ends.into_iter().find_map(|end| reader.clone().enter_key(&rest[..end]).map(|hit| (end, hit)));
            hit.map(|(end, hit)| {
                rest = rest[end..].trim_start_matches('.');
                hit
            })
        };
        let Some((start, value)) = next else { break };
        reader.at = value;
        let mut after = reader.clone();
        after.skip_value();
        found = Some(start..after.at);
    }
    found
}

#[derive(Clone)]
struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Where the entry of that key begins, and its value.
    fn enter_key(mut self, key: &str) -> Option<(usize, usize)> {
        (self.peek()? == b'{').then_some(())?;
        self.at += 1;
        loop {
            self.skip_blanks();
            if self.peek()? == b',' {
                self.at += 1;
                continue;
            }
            (self.peek()? == b'"').then_some(())?;
            let start = self.at;
            self.skip_string();
            let own = self.text.get(start + 1..self.at - 1)?;
            self.skip_blanks();
            (self.peek()? == b':').then_some(())?;
            self.at += 1;
            self.skip_blanks();
            if own.eq_ignore_ascii_case(key.as_bytes()) {
                return Some((start, self.at));
            }
            self.skip_value();
        }
    }

    /// Where that item of a list begins, twice.
    fn enter_item(&self, index: usize) -> Option<(usize, usize)> {
        let mut reader = self.clone();
        (reader.peek()? == b'[').then_some(())?;
        reader.at += 1;
        let mut number = 0;
        loop {
            reader.skip_blanks();
            match reader.peek()? {
                b',' => reader.at += 1,
                b']' => return None,
                _ if number == index => return Some((reader.at, reader.at)),
                _ => {
                    reader.skip_value();
                    number += 1;
                }
            }
        }
    }

    fn skip_string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.at = self.at.min(self.text.len());
    }

    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => {
                    self.skip_string();
                    if depth == 0 {
                        return;
                    }
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        self.at += 1;
                        return;
                    }
                }
                b',' if depth == 0 => return,
                byte if byte.is_ascii_whitespace() && depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_path() {
        let text = r#"{"job": {"ID": "a", "TaskGroups": [{"Count": 1}, {"count": [2, "x"], "Meta": {"a.b": 3}}]}}"#;
        let at = |path: &str| find(text, path).map(|span| &text[span]);
        assert_eq!(at("TaskGroups[0].Count"), Some("\"Count\": 1"));
        assert_eq!(at("TaskGroups[1].Count"), Some("\"count\": [2, \"x\"]"));
        assert_eq!(at("TaskGroups[1].Count[1]"), Some("\"x\""));
        assert_eq!(at("TaskGroups[1].Meta.a.b"), Some("\"a.b\": 3"));
        assert_eq!(at("TaskGroups[0].Tasks[0].Driver"), Some("{\"Count\": 1}"));
        assert_eq!(find("[", "A"), None);
        assert_eq!(find("{\"A", "A"), None);
    }
}
