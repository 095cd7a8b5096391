//! A table: a heading and rows in columns, two spaces apart, no lines.
//!
//! Widths are those of the terminal, not of the bytes: wide characters count twice, styles not at all.

use std::fmt;

use unicode_width::UnicodeWidthStr;

use crate::show::{Cell, Tone};

/// Rows under a heading.
#[derive(Debug)]
pub struct Table {
    heading: Vec<Cell>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(columns: &[&str]) -> Self {
        Self { heading: columns.iter().map(|name| Cell::toned(name, Tone::Bold)).collect(), rows: Vec::new() }
    }

    /// Adds a row; it has as many fields as there are columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let cells: Vec<Cell> = cells.into_iter().collect();
        debug_assert_eq!(cells.len(), self.heading.len(), "a row has a field for each column");
        self.rows.push(cells);
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Prints it, or the given sentence if it has no rows.
    pub fn print_or(&self, empty: &str) {
        if self.is_empty() { crate::show::line(empty) } else { crate::show::line(self) }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = || std::iter::once(&self.heading).chain(&self.rows);
        let width = |column: usize| lines().map(|line| line[column].text.width()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.heading.len()).map(width).collect();
        for (position, line) in lines().enumerate() {
            if position > 0 {
                writeln!(f)?;
            }
            for (column, cell) in line.iter().enumerate() {
                write!(f, "{}", cell.tone.paint(&cell.text))?;
                if column + 1 < line.len() {
                    write!(f, "{:1$}", "", widths[column] - cell.text.width() + 2)?;
                }
            }
        }
        Ok(())
    }
}

/// A row of cells from anything that becomes one.
macro_rules! row {
    ($($cell:expr),* $(,)?) => { [$($crate::show::Cell::from($cell)),*] };
}
pub(crate) use row;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_with_wide_characters_and_styles() {
        let mut table = Table::new(&["ID", "Name", "Status"]);
        table.row(row!["1", "日本", Cell::status("running")]);
        table.row(row!["22", "a\u{1b}b", Cell::status("")]);
        let plain = anstream::adapter::strip_str(&table.to_string()).to_string();
        assert_eq!(plain, "ID  Name      Status\n1   日本      running\n22  a\\u{1b}b  -");
    }
}
