//! A value becomes YAML as Terraform and Nomad write it: in blocks, keys in order, every string in double quotes but
//! those of several lines, which become literal blocks.

use crate::functions::RESULT_SIZE_MAX;
use crate::value::Value;

/// Behind this column a string in quotes is broken at its next space.
const COLUMN_MAX: usize = 80;
/// A key of more bytes than this stands on a line of its own, after a `?`.
const KEY_BYTES_MAX: usize = 128;

/// The document of `value`; cut off soon after it is too long for a result.
pub(super) fn encode(value: &Value) -> String {
    let mut writer = Writer { text: String::new(), column: 0 };
    writer.value(value, Place { indent: 0, is_value_of_key: false, is_after_mark: true });
    writer.line_end();
    // What could go on is closed: a bare word, and a block that keeps its empty lines.
    let is_bare = matches!(value, Value::Null | Value::Bool(_) | Value::Number(_));
    if is_bare || last_text(value).is_some_and(|text| is_block(text) && keep_mark(text) == "+") {
        writer.text.push_str("...\n");
    }
    writer.text
}

/// The last scalar of a document, if it is a text.
fn last_text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        Value::List(list) => list.last().and_then(last_text),
        Value::Object(object) => object.values().next_back().and_then(last_text),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// Where a value is written.
#[derive(Clone, Copy)]
struct Place {
    /// The indentation of the lines of a list or object; texts stand deeper.
    indent: usize,
    /// Whether `key:` stands before it: lists are not indented there, all others begin a new line.
    is_value_of_key: bool,
    /// Whether the line has nothing but marks such as `- ` yet, so that a list or object begins on it.
    is_after_mark: bool,
}

struct Writer {
    text: String,
    /// The letters of the last line.
    column: usize,
}

impl Writer {
    fn value(&mut self, value: &Value, place: Place) {
        if self.is_full() {
            return;
        }
        match value {
            Value::List(list) if list.is_empty() => self.word("[]"),
            Value::Object(object) if object.is_empty() => self.word("{}"),
            Value::List(list) => {
                let indent = place.indent;
                for (at, item) in list.iter().enumerate() {
                    self.begin_line(indent, at == 0 && place.is_after_mark);
                    self.push("-");
                    self.value(item, Place { indent: indent + 2, is_value_of_key: false, is_after_mark: true });
                }
            }
            Value::Object(object) => {
                let indent = if place.is_value_of_key { place.indent + 2 } else { place.indent };
                for (at, (key, value)) in object.iter().enumerate() {
                    self.begin_line(indent, at == 0 && place.is_after_mark);
                    if key.len() > KEY_BYTES_MAX || key.contains('\n') {
                        self.push("?");
                        self.scalar(key, indent + 2);
                        self.begin_line(indent, false);
                        self.push(":");
                        self.value(value, Place { indent: indent + 2, is_value_of_key: false, is_after_mark: true });
                    } else {
                        self.quoted(key, None);
                        self.push(":");
                        self.value(value, Place { indent, is_value_of_key: true, is_after_mark: false });
                    }
                }
            }
            Value::Text(text) => {
                self.scalar(text, if place.is_value_of_key { place.indent + 2 } else { place.indent.max(2) })
            }
            Value::Null => self.word("null"),
            Value::Bool(bool) => self.word(&bool.to_string()),
            Value::Number(number) => self.word(&number.to_string()),
        }
    }

    /// Indentation makes a text far larger than its value, so the size is watched while it grows.
    fn is_full(&self) -> bool {
        self.text.len() > RESULT_SIZE_MAX
    }

    fn push(&mut self, text: &str) {
        if !self.is_full() {
            self.text.push_str(text);
        }
        self.column += text.chars().count();
    }

    fn push_line_end(&mut self) {
        self.text.push('\n');
        self.column = 0;
    }

    fn line_end(&mut self) {
        if self.column > 0 {
            self.push_line_end();
        }
    }

    /// Goes to a line of its own, or fills up the one that has only marks so far.
    fn begin_line(&mut self, indent: usize, is_after_mark: bool) {
        if !is_after_mark {
            self.line_end();
        }
        self.push(&" ".repeat(indent.saturating_sub(self.column)));
    }

    /// A space, unless the line is empty or has one.
    fn space(&mut self) {
        if self.column > 0 && !self.text.ends_with(' ') {
            self.push(" ");
        }
    }

    fn word(&mut self, word: &str) {
        self.space();
        self.push(word);
    }

    fn scalar(&mut self, text: &str, indent: usize) {
        self.space();
        if is_block(text) { self.block(text, indent) } else { self.quoted(text, Some(indent)) }
    }

    /// As a literal block.
    fn block(&mut self, text: &str, indent: usize) {
        self.push("|");
        if text.starts_with([' ', '\n']) {
            self.push("2");
        }
        self.push(keep_mark(text));
        self.push_line_end();
        for line in text.split_inclusive('\n') {
            if self.is_full() {
                return;
            }
            if line != "\n" {
                self.push(&" ".repeat(indent));
            }
            match line.strip_suffix('\n') {
                Some(line) => {
                    self.push(line);
                    self.push_line_end();
                }
                None => self.push(line),
            }
        }
    }

    /// In double quotes; a long text is broken into lines with that indentation, if there is one.
    fn quoted(&mut self, text: &str, indent: Option<usize>) {
        self.push("\"");
        let mut letters = text.char_indices().peekable();
        let mut is_after_space = false;
        while let Some((at, letter)) = letters.next() {
            let is_inside = at > 0 && at + 1 < text.len();
            match (letter, indent) {
                (' ', Some(indent)) if !is_after_space && self.column > COLUMN_MAX && is_inside => {
                    self.push_line_end();
                    self.push(&" ".repeat(indent));
                    if letters.peek().is_some_and(|(_, next)| *next == ' ') {
                        self.push("\\");
                    }
                }
                (letter, _) => self.letter(letter),
            }
            is_after_space = letter == ' ';
        }
        self.push("\"");
    }

    fn letter(&mut self, letter: char) {
        let mut itself = [0; 4];
        let escape = match letter {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            letter if is_plain(letter) => letter.encode_utf8(&mut itself),
            letter => &match u32::from(letter) {
                code @ ..=0xff => format!("\\x{code:02X}"),
                code @ ..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            },
        };
        self.push(escape);
    }
}

/// Whether a text is written as a literal block: it has several lines, and nothing that such a block can't hold.
fn is_block(text: &str) -> bool {
    text.contains('\n')
        && !text.ends_with(' ')
        && !text.contains(" \n")
        && text.chars().all(|letter| letter == '\n' || is_plain(letter))
}

/// How a literal block says what to do with the line breaks at its end: drop the one that there must be, keep all, or
/// keep the one.
fn keep_mark(text: &str) -> &'static str {
    match (text.ends_with('\n'), text == "\n" || text.ends_with("\n\n")) {
        (false, _) => "-",
        (true, true) => "+",
        (true, false) => "",
    }
}

/// Whether a letter needs no escape. What is beyond the basic plane always has one.
fn is_plain(letter: char) -> bool {
    matches!(letter, ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && letter != '\u{feff}'
}
