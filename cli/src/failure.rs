//! The error of every command: what went wrong, where, and what to try.
//!
//! Commands return a [`Failure`]; `main` alone prints it, on standard error. It is not an error type for libraries: it
//! holds finished sentences.

use std::fmt;

use owo_colors::OwoColorize;

use crate::http;
use crate::show::{as_called, text};

/// Candidates that are listed at most when a name is ambiguous.
const CANDIDATES_MAX: usize = 12;

/// What went wrong, where, and hints.
#[derive(Debug)]
pub struct Failure {
    what: String,
    place: Option<String>,
    details: Vec<String>,
    hints: Vec<String>,
}

impl Failure {
    /// A failure that consists of one sentence; control characters in it are escaped.
    pub fn new(what: impl AsRef<str>) -> Self {
        let what = text::escape_lines(what.as_ref().trim_end());
        Self { what, place: None, details: Vec::new(), hints: Vec::new() }
    }

    /// Adds the address, file or field where it happened.
    pub fn at(mut self, place: impl AsRef<str>) -> Self {
        self.place = Some(text::escape(place.as_ref()));
        self
    }

    /// Adds something to try; its commands are named as this one was called.
    pub fn hint(mut self, hint: impl AsRef<str>) -> Self {
        self.hints.push(text::escape(&as_called(hint.as_ref())));
        self
    }

    /// Lists the things that a prefix could have meant.
    pub fn ambiguous(kind: &str, given: &str, candidates: impl IntoIterator<Item = String>) -> Self {
        let candidates: Vec<String> = candidates.into_iter().collect();
        let mut failure = Self::new(format!("{kind} `{given}` is ambiguous: {} match", candidates.len()));
        failure.details = candidates.iter().take(CANDIDATES_MAX).map(|line| text::escape(line)).collect();
        if candidates.len() > CANDIDATES_MAX {
            failure.details.push(format!("... and {} more", candidates.len() - CANDIDATES_MAX));
        }
        failure.hint("give more characters, or the full name")
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", "error:".red().bold(), self.what)?;
        if let Some(place) = &self.place {
            write!(f, "\n  at {place}")?;
        }
        for line in &self.details {
            write!(f, "\n    {line}")?;
        }
        for hint in &self.hints {
            write!(f, "\n  {} {hint}", "hint:".cyan())?;
        }
        Ok(())
    }
}

impl From<http::Error> for Failure {
    fn from(error: http::Error) -> Self {
        match error {
            http::Error::Address { given, reason } => {
                Failure::new(format!("`{given}` is not an address of a server: {reason}"))
                    .hint("give it as http://127.0.0.1:4646; several are separated by commas")
            }
            http::Error::Unreachable { tried } => {
                let mut failure = Failure::new("no server answers");
                failure.details =
                    tried.iter().map(|(address, why)| format!("{address}: {}", text::escape(why))).collect();
                failure.hint("start one with `sched agent -dev`, or set SCHED_ADDR to where the servers are")
            }
            http::Error::NoLeader { tried } => {
                Failure::new("the servers have no leader, so nothing can be read or changed").at(tried.join(", ")).hint(
                    "an election takes less than a second; if it lasts, more than half of the servers must be up: \
                           see `sched server members`",
                )
            }
            http::Error::TimedOut { url, after, changes } => {
                let failure = Failure::new(format!("no answer within {}", humantime::format_duration(after))).at(url);
                match changes {
                    true => failure.hint("whether it was done is unknown: look before you try again"),
                    false => failure.hint("give more time with -timeout"),
                }
            }
            http::Error::Broken { url, reason, changes } => {
                let failure = Failure::new(format!("the connection broke: {reason}")).at(url);
                match changes {
                    true => failure.hint("whether it was done is unknown: look before you try again"),
                    false => failure,
                }
            }
            http::Error::Refused { status, url, body } => refused(status.as_u16(), &url, &body),
            http::Error::Nonsense { url, reason } => {
                Failure::new(format!("the answer is not what was expected: {reason}"))
                    .at(url)
                    .hint("is this address the HTTP port of a server, and of a release that fits this command?")
            }
        }
    }
}

/// An answer with an error status: the server's own words come first.
fn refused(status: u16, url: &str, body: &str) -> Failure {
    let words = if body.trim().is_empty() { format!("the server answered {status}") } else { body.trim().to_owned() };
    let failure = Failure::new(words).at(format!("{url} ({status})"));
    match status {
        403 => failure.hint("give a token that may do this, in SCHED_TOKEN or with -token"),
        405 | 501 => failure.hint("the server does not know this request: `sched version` shows both releases"),
        _ => failure,
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_listed_up_to_the_limit() {
        let listed = |count: usize| {
            let failure = Failure::ambiguous("job", "w", (0..count).map(|n| format!("w{n}")));
            (failure.details.len(), failure.details.last().cloned().unwrap_or_default())
        };
        assert_eq!(listed(CANDIDATES_MAX), (CANDIDATES_MAX, "w11".into()));
        assert_eq!(listed(CANDIDATES_MAX + 1), (CANDIDATES_MAX + 1, "... and 1 more".into()));
    }

    #[test]
    fn what_the_server_says_cannot_drive_the_terminal() {
        let failure = refused(500, "http://x", "bad\u{1b}]0;title\u{7}");
        assert!(!failure.what.contains('\u{1b}'), "{}", failure.what);
    }
}
