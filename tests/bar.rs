//! Bars: what a test measured of a promise, as one line that people and `RELIABILITY.md` quote: `R11: 10 leaders killed,
//! …`. The lines of all runs are collected in `target/bars.txt`. Called by every test that proves a bar.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

use crate::e2e::checkout;

/// Prints the figure of a bar and appends it to the collected ones. `figure` says what was done, then what came out.
#[track_caller]
pub fn report(bar: &str, figure: &str) {
    let line = line(bar, figure);
    println!("{line}");
    let path = collected();
    let opened = File::options().create(true).append(true).open(&path);
    // One write: tests of other processes append to the same file.
    let written = opened.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
    written.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

/// The file of all figures.
pub fn collected() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let target = target.unwrap_or_else(|| checkout().join("target"));
    std::fs::create_dir_all(&target).expect("the target folder can be written to");
    target.join("bars.txt")
}

/// How long a long form runs, or how often: the number in the environment variable, or the quick form's.
#[track_caller]
pub fn size(variable: &str, quick: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{variable} is a number, got {text:?}")),
        Err(_) => quick,
    }
}

#[track_caller]
fn line(bar: &str, figure: &str) -> String {
    let known = bar.starts_with(['R', 'P', 'S']) && bar[1..].parse::<u8>().is_ok();
    assert!(known, "a bar is a letter and a number, got {bar:?}");
    assert!(!figure.contains('\n'), "a figure is one line, got {figure:?}");
    format!("{bar}: {figure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_with_its_bar() {
        assert_eq!(line("R11", "10 leaders killed, 0 writes lost"), "R11: 10 leaders killed, 0 writes lost");
    }

    #[test]
    #[should_panic(expected = "a letter and a number")]
    fn what_is_no_bar_is_refused() {
        line("linearizability", "valid");
    }
}
