//! Output of tasks on its way to a terminal: colours stay, everything else that would drive the terminal is escaped.
//!
//! Into a pipe or a file the bytes go untouched; that choice is the caller's. The filter keeps what a chunk cut in two.

use crate::show::text;

/// A colour sequence longer than this is not one.
const SEQUENCE_BYTES_MAX: usize = 64;

/// Filters a stream of bytes that arrives in chunks.
#[derive(Debug, Default)]
pub struct TerminalFilter {
    held: Vec<u8>,
}

impl TerminalFilter {
    /// The harmless text of the next chunk. An incomplete character or sequence at its end waits for the next one.
    pub fn push(&mut self, chunk: &[u8]) -> String {
        self.held.extend_from_slice(chunk);
        let bytes = std::mem::take(&mut self.held);
        let mut harmless = String::with_capacity(bytes.len());
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let Some(used) = step(rest, &mut harmless) else {
                self.held = rest.to_vec();
                break;
            };
            rest = &rest[used..];
        }
        harmless
    }

    /// What is left at the end of the stream.
    pub fn finish(&mut self) -> String {
        text::escape(&String::from_utf8_lossy(&std::mem::take(&mut self.held)))
    }
}

/// Writes the harmless form of the first piece of the bytes and returns its length; none if more bytes are needed.
fn step(bytes: &[u8], harmless: &mut String) -> Option<usize> {
    if bytes[0] == 0x1b {
        return match colour_sequence(bytes) {
            Sequence::Colour(length) => {
                harmless.push_str(&String::from_utf8_lossy(&bytes[..length]));
                Some(length)
            }
            Sequence::Incomplete => None,
            Sequence::Other => {
                text::push_escaped(harmless, '\u{1b}');
                Some(1)
            }
        };
    }
    let window = &bytes[..bytes.len().min(4)];
    let (character, length) = match std::str::from_utf8(window) {
        Ok(valid) => first(valid)?,
        Err(error) if error.valid_up_to() > 0 => {
            first(std::str::from_utf8(&window[..error.valid_up_to()]).expect("the length was just found valid"))?
        }
        Err(error) => (char::REPLACEMENT_CHARACTER, error.error_len()?),
    };
    match character {
        '\n' | '\t' => harmless.push(character),
        // A carriage return before a line break is a line ending; alone it would overwrite the line.
        '\r' if bytes.len() == 1 => return None,
        '\r' if bytes[1] == b'\n' => {}
        _ => text::push_escaped(harmless, character),
    }
    Some(length)
}

fn first(text: &str) -> Option<(char, usize)> {
    text.chars().next().map(|character| (character, character.len_utf8()))
}

enum Sequence {
    Colour(usize),
    Incomplete,
    Other,
}

/// Whether the bytes begin with `ESC [ digits ; : m`.
fn colour_sequence(bytes: &[u8]) -> Sequence {
    match bytes.get(1) {
        None => return Sequence::Incomplete,
        Some(b'[') => {}
        Some(_) => return Sequence::Other,
    }
    for (position, byte) in bytes.iter().enumerate().take(SEQUENCE_BYTES_MAX).skip(2) {
        match byte {
            b'0'..=b'9' | b';' | b':' => {}
            b'm' => return Sequence::Colour(position + 1),
            _ => return Sequence::Other,
        }
    }
    if bytes.len() >= SEQUENCE_BYTES_MAX { Sequence::Other } else { Sequence::Incomplete }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result must not depend on where the stream is cut.
    #[track_caller]
    fn check(input: &[u8], wanted: &str) {
        for chunk in [1, 2, 3, 7, input.len().max(1)] {
            let mut filter = TerminalFilter::default();
            let mut got: String = input.chunks(chunk).map(|bytes| filter.push(bytes)).collect();
            got.push_str(&filter.finish());
            assert_eq!(got, wanted, "in chunks of {chunk}");
        }
    }

    #[test]
    fn colours_stay_and_other_sequences_become_visible() {
        check(b"\x1b[1;31mred\x1b[0m\n", "\u{1b}[1;31mred\u{1b}[0m\n");
        check(b"\x1b[2Jx\x1b]0;title\x07\n", "\\u{1b}[2Jx\\u{1b}]0;title\\u{7}\n");
    }

    #[test]
    fn line_endings_tabs_and_broken_text_are_handled() {
        check(b"a\r\nb\tc\rd", "a\nb\tc\\rd");
        check("日本é".as_bytes(), "日本é");
        check(b"a\xff\xfeb", "a\u{fffd}\u{fffd}b");
    }

    #[test]
    fn a_colour_sequence_may_have_as_many_bytes_as_the_limit_and_no_more() {
        let sequence = |digits: usize| [b"\x1b[".as_slice(), &vec![b'1'; digits], b"m"].concat();
        let longest = sequence(SEQUENCE_BYTES_MAX - 3);
        check(&longest, std::str::from_utf8(&longest).unwrap());
        let longer = sequence(SEQUENCE_BYTES_MAX - 2);
        check(&longer, &format!("\\u{{1b}}{}", std::str::from_utf8(&longer[1..]).unwrap()));
    }
}
