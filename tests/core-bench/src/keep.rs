//! Puts a table into BENCHMARKS.md, between two marks; the text around them is written by hand.

use std::path::Path;

/// Replaces the table of that name in the file.
pub fn keep(file: &Path, name: &str, report: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let [begin, end] = ["begin", "end"].map(|mark| format!("<!-- {mark}: {name}, written by make bench -->\n"));
    let parts = text.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let (head, tail) = parts.ok_or_else(|| format!("the marks for the table `{name}` are missing"))?;
    std::fs::write(file, format!("{head}{begin}\n{report}\n{end}{tail}")).map_err(|error| error.to_string())
}
