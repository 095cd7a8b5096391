//! Where the value at a path stands in a JSON text, for which the reader keeps no places.

use crate::source::Span;

/// The place of the entry at `path` (`TaskGroups[0].Count`), or of the nearest one around it: its key and its value. A
/// wrapper `{"Job": …}` is passed through, and keys are compared without regard to case, as they are read.
pub(crate) fn find(text: &str, path: &str) -> Option<Span> {
    let mut reader = Reader { text: text.as_bytes(), at: 0 };
    reader.skip_blanks();
    let mut start = None;
    if let Some((at, _)) = reader.clone().enter("Job").filter(|_| !path.is_empty()) {
        start = Some(at.0);
        reader.at = at.1;
    }
    let mut rest = path;
    while !rest.is_empty() {
        let next = if let Some(index) = rest.strip_prefix('[') {
            let (index, after) = index.split_once(']')?;
            rest = after;
            index.parse().ok().and_then(|index| reader.enter_item(index))
        } else {
            reader.clone().enter(rest).map(|(at, length)| {
                rest = &rest[length..];
                at
            })
        };
        let Some((at, value)) = next else { break };
        rest = rest.strip_prefix('.').unwrap_or(rest);
        start = Some(at);
        reader.at = value;
    }
    reader.skip_value();
    start.map(|start| start..reader.at)
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

    /// The entry whose key `path` begins with: where it and its value begin, and how long the key is.
    fn enter(mut self, path: &str) -> Option<((usize, usize), usize)> {
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
            let head = path.as_bytes().get(..own.len()).is_some_and(|head| head.eq_ignore_ascii_case(own));
            if head && matches!(path.as_bytes().get(own.len()), None | Some(b'.' | b'[')) {
                return Some(((start, self.at), own.len()));
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
