//! What a piece of text tells at a glance, and the status words that have such a tone.

use owo_colors::OwoColorize;

use crate::show::text;

/// What a piece of text tells at a glance.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Nothing particular.
    #[default]
    Plain,
    /// As it should be.
    Good,
    /// On its way.
    Busy,
    /// Someone should look.
    Bad,
    /// Over, or of little interest.
    Dim,
    /// A heading.
    Bold,
}

impl Tone {
    /// The tone of a status word of jobs, allocations, evaluations, deployments, nodes and servers.
    pub fn of_status(status: &str) -> Tone {
        match status {
            "running" | "ready" | "successful" | "healthy" | "passing" | "alive" | "eligible" | "success" => Tone::Good,
            "pending" | "starting" | "draining" | "paused" | "initializing" | "queued" | "migrating" | "stopping" => {
                Tone::Busy
            }
            "failed" | "lost" | "unknown" | "down" | "disconnected" | "unhealthy" | "blocked" | "suspect"
            | "ineligible" | "failing" | "failure" => Tone::Bad,
            "dead" | "complete" | "canceled" | "cancelled" | "stop" | "left" | "gone" => Tone::Dim,
            _ => Tone::Plain,
        }
    }

    /// The text in this tone.
    pub fn paint(self, text: &str) -> String {
        match self {
            Tone::Plain => text.to_owned(),
            Tone::Good => text.green().to_string(),
            Tone::Busy => text.yellow().to_string(),
            Tone::Bad => text.red().to_string(),
            Tone::Dim => text.dimmed().to_string(),
            Tone::Bold => text.bold().to_string(),
        }
    }
}

/// One field of a table or key-value block: harmless text and its tone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The text, already escaped.
    pub text: String,
    /// Its tone.
    pub tone: Tone,
}

impl Cell {
    /// A field in the given tone. Empty text shows as `-`.
    pub fn toned(text: impl AsRef<str>, tone: Tone) -> Self {
        let text = text::escape(text.as_ref());
        Self { text: if text.is_empty() { "-".into() } else { text }, tone }
    }

    /// A status word in the tone that it has.
    pub fn status(word: &str) -> Self {
        Self::toned(word, Tone::of_status(word))
    }
}

macro_rules! cell_from_display {
    ($($kind:ty),*) => { $(
        impl From<$kind> for Cell {
            fn from(value: $kind) -> Self {
                Cell::toned(value.to_string(), Tone::Plain)
            }
        }
    )* };
}

cell_from_display!(&str, String, &String, u32, u64, i64, usize, bool);
