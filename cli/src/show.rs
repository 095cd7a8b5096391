//! Printing: tables, key-value blocks, times, and the rule that nothing from elsewhere drives the terminal.
//!
//! Data goes to standard output through [`line()`] and [`json`], everything else to standard error through [`note`].
//! Styles are always written; the stream drops them where there is no terminal or NO_COLOR is set.

pub mod pairs;
mod program;
pub mod raw;
pub mod score;
pub mod table;
pub mod text;
pub mod time;
pub mod tone;

use std::fmt::Display;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use owo_colors::OwoColorize;
use serde_json::Value;

pub use pairs::Pairs;
pub use program::as_called;
pub use table::Table;
pub use tone::{Cell, Tone};

use crate::exit::Exit;
use crate::failure::Failure;

/// Prints one line, or several, of data.
pub fn line(text: impl Display) {
    ended_by_reader(writeln!(anstream::stdout(), "{text}"));
}

/// Prints a heading over a part of a page, with an empty line before it.
pub fn heading(text: &str) {
    line(format_args!("\n{}", text.bold()));
}

/// Prints something that is not data: progress, warnings, hints.
pub fn note(text: impl Display) {
    ended_by_reader(writeln!(anstream::stderr(), "{text}"));
}

/// Prints what to do next; its commands are named as this one was called.
pub fn hint(text: impl Display) {
    note(format_args!("{} {}", "hint:".cyan(), as_called(&text.to_string())));
}

/// Prints a warning; its lines are escaped one by one.
pub fn warning(text: &str) {
    note(format_args!("{} {}", "warning:".yellow().bold(), text::escape_lines(text.trim_end())));
}

/// Prints JSON, indented.
pub fn json(value: &Value) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| Failure::new(error.to_string()))?;
    line(text::escape_json(&text));
    Ok(())
}

/// Whether nobody reads standard output or standard error any more.
static READER_IS_GONE: AtomicBool = AtomicBool::new(false);

/// Whether nobody reads any more what is printed. Only a command without an end of its own needs to ask.
pub fn reader_is_gone() -> bool {
    READER_IS_GONE.load(Ordering::Relaxed)
}

/// A reader that went away (`sched job plan | head -1`) misses the rest, and changes nothing about how the command ends.
/// A full disk ends it at once, with its reason.
fn ended_by_reader(written: io::Result<()>) {
    let Err(error) = written else { return };
    if error.kind() == io::ErrorKind::BrokenPipe {
        READER_IS_GONE.store(true, Ordering::Relaxed);
        return;
    }
    let _ = writeln!(io::stderr(), "error: cannot write: {error}");
    std::process::exit(Exit::Failed.code().into());
}
