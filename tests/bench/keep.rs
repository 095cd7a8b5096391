//! Puts a table into BENCHMARKS.md, between two marks; the text around them is written by hand.

use crate::e2e::checkout;

/// Replaces the table of that name.
pub fn keep(name: &str, report: &str) -> Result<(), String> {
    let path = checkout().join("BENCHMARKS.md");
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let [begin, end] = ["begin", "end"].map(|mark| format!("<!-- {mark}: {name}, written by make bench -->\n"));
    let parts = text.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let (head, tail) = parts.ok_or_else(|| format!("the marks for the table `{name}` are missing"))?;
    std::fs::write(&path, format!("{head}{begin}\n{report}\n{end}{tail}")).map_err(|error| error.to_string())
}
