//! A key-value block: `ID       = web`, the equals signs below each other.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::show::{Cell, Tone};

/// Keys with values, in the order in which they were added.
#[derive(Debug, Default)]
pub struct Pairs {
    pairs: Vec<(String, Cell)>,
}

impl Pairs {
    /// An empty block.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair.
    pub fn add(&mut self, key: &str, value: impl Into<Cell>) -> &mut Self {
        self.pairs.push((crate::show::text::escape(key), value.into()));
        self
    }

    /// Adds a pair unless the value is empty.
    pub fn add_if(&mut self, key: &str, value: &str) -> &mut Self {
        if !value.is_empty() {
            self.add(key, value);
        }
        self
    }

    /// Prints it.
    pub fn print(&self) {
        crate::show::line(self);
    }
}

impl fmt::Display for Pairs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.pairs.iter().map(|(key, _)| key.width()).max().unwrap_or(0);
        for (position, (key, value)) in self.pairs.iter().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            write!(f, "{}{:2$} = {3}", Tone::Bold.paint(key), "", width - key.width(), value.tone.paint(&value.text))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_signs_stand_below_each_other() {
        let mut pairs = Pairs::new();
        pairs.add("ID", "web").add("Submit Date", "now").add_if("Absent", "");
        assert_eq!(
            anstream::adapter::strip_str(&pairs.to_string()).to_string(),
            "ID          = web\nSubmit Date = now"
        );
    }
}
