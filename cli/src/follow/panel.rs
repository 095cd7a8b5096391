//! Shows progress: on a terminal a few lines that are rewritten in place, elsewhere one line per change.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use super::progress::{Progress, Row};
use crate::show::{Tone, text, time};

/// Rows that the panel shows at most, so that it fits on a small terminal: lines that scrolled away can't be rewritten.
const PANEL_ROWS_MAX: usize = 15;

/// Switch off and on that long lines wrap: a wrapped line would throw off the count of lines to rewrite.
const NO_WRAP: &str = "\u{1b}[?7l";
const WRAP: &str = "\u{1b}[?7h";

/// Where progress is shown.
#[derive(Debug)]
pub struct Panel {
    live: bool,
    /// Lines of the panel that stand above the cursor.
    lines: usize,
    /// What was last said of each row, and of the whole under the empty id.
    said: BTreeMap<String, String>,
}

impl Panel {
    /// A panel on standard error.
    pub fn for_stderr() -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        Self { live: std::io::stderr().is_terminal() && !dumb, lines: 0, said: BTreeMap::new() }
    }

    /// Shows the newest state.
    pub fn show(&mut self, progress: &Progress, elapsed: Duration) {
        let (output, lines) =
            if self.live { self.redraw(progress, elapsed) } else { (self.changes(progress, elapsed), 0) };
        self.lines = lines;
        self.write(&output);
    }

    /// Says something in between; what is on the panel stays above it.
    pub fn interrupt(&mut self, words: &str) {
        self.lines = 0;
        self.write(&format!("{words}\n"));
    }

    fn write(&self, output: &str) {
        // Progress that nobody reads must not end what is followed.
        let mut stderr = anstream::stderr().lock();
        let _ = match self.live {
            // Cursor movements are not styles: they would be dropped where colours are.
            true => std::io::stderr().write_all(output.as_bytes()),
            false => stderr.write_all(output.as_bytes()),
        };
    }

    fn redraw(&self, progress: &Progress, elapsed: Duration) -> (String, usize) {
        let mut output = String::new();
        if self.lines > 0 {
            output.push_str(&format!("\u{1b}[{}A\r\u{1b}[J", self.lines));
        }
        output.push_str(NO_WRAP);
        let paint = |tone: Tone, text: &str| if no_colour() { text.to_owned() } else { tone.paint(text) };
        output.push_str(&format!("{} ({})\n", paint(Tone::Bold, &progress.heading), time::took(elapsed)));
        let width = progress.rows.iter().map(|row| row.subject.chars().count()).max().unwrap_or(0);
        for row in progress.rows.iter().take(PANEL_ROWS_MAX) {
            output.push_str(&format!("  {:width$}  {}\n", row.subject, paint(row.tone, &row.state)));
        }
        let mut lines = 1 + progress.rows.len().min(PANEL_ROWS_MAX);
        if progress.rows.len() > PANEL_ROWS_MAX {
            let more = (progress.rows.len() - PANEL_ROWS_MAX) as u64;
            output.push_str(&format!("  ... and {}\n", text::count(more, "more instance")));
            lines += 1;
        }
        output.push_str(WRAP);
        (output, lines)
    }

    fn changes(&mut self, progress: &Progress, elapsed: Duration) -> String {
        let mut output = String::new();
        let mut say = |id: &str, words: String, tone: Tone| {
            if self.said.get(id) != Some(&words) {
                output.push_str(&format!("{:>8}  {}\n", time::took(elapsed), tone.paint(&words)));
                self.said.insert(id.to_owned(), words);
            }
        };
        say("", progress.heading.clone(), Tone::Bold);
        for Row { id, subject, state, tone } in &progress.rows {
            say(id, format!("{subject}: {state}"), *tone);
        }
        output
    }
}

fn no_colour() -> bool {
    use anstream::ColorChoice::{Always, AlwaysAnsi, Auto, Never};
    match anstream::ColorChoice::global() {
        Never => true,
        Always | AlwaysAnsi => false,
        Auto => std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(rows: usize) -> Progress {
        let row = |n: usize| Row {
            id: n.to_string(),
            subject: format!("web[{n}] on n1"),
            state: "running".into(),
            tone: Tone::Plain,
        };
        Progress { heading: "deployment".into(), rows: (0..rows).map(row).collect() }
    }

    #[test]
    fn each_change_is_said_once() {
        let mut panel = Panel { live: false, lines: 0, said: BTreeMap::new() };
        let first = panel.changes(&progress(1), Duration::from_secs(2));
        assert_eq!(
            anstream::adapter::strip_str(&first).to_string(),
            "     2 s  deployment\n     2 s  web[0] on n1: running\n"
        );
        assert_eq!(panel.changes(&progress(1), Duration::from_secs(3)), "");
    }

    #[test]
    fn the_panel_counts_its_lines_up_to_the_limit() {
        let panel = Panel { live: true, lines: 3, said: BTreeMap::new() };
        for rows in [0, PANEL_ROWS_MAX, PANEL_ROWS_MAX + 1, PANEL_ROWS_MAX + 5] {
            let (output, lines) = panel.redraw(&progress(rows), Duration::ZERO);
            assert_eq!(output.matches('\n').count(), lines);
            assert!(lines <= PANEL_ROWS_MAX + 2, "{lines}");
            assert!(output.starts_with("\u{1b}[3A\r\u{1b}[J"), "{output:?}");
        }
    }
}
