//! The house rules that a program can check, each with the reason that it prints when broken.
//!
//! A rule is a function from the text of the checkout to a list of findings, so that each is tested against a tree of
//! three lines as well as held against ours. Only `Tree::read` and `dependencies::Graph::read` look at the disk. Style
//! that rustfmt and clippy check is left to them. `tests/tidy.rs` runs all rules; `make tidy` runs that.

pub mod dependencies;
pub mod features;
pub mod lengths;
pub mod links;
pub mod sources;
pub mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders that hold nothing of ours: build products, packages, a running demo, version control.
const FOLDERS_IGNORED: [&str; 6] = [".git", ".demo", "target", "node_modules", "dist", ".svelte-kit"];
/// Kinds of file that are read; pictures, lock files and the licences' texts are not.
const ENDINGS_READ: [&str; 14] =
    ["rs", "toml", "hcl", "proto", "sh", "ts", "js", "mjs", "svelte", "css", "html", "md", "json", "yml"];
/// Files without an ending that are read.
const NAMES_READ: [&str; 3] = ["Makefile", "run", "sched"];

/// The text of the checkout: path relative to its top, with `/`, to content.
#[derive(Default)]
pub struct Tree {
    /// All files that the rules look at, in order.
    pub files: BTreeMap<String, String>,
}

impl Tree {
    /// Reads the checkout that this crate was built in.
    pub fn read() -> std::io::Result<Self> {
        let mut tree = Self::default();
        tree.read_folder(&top(), "")?;
        Ok(tree)
    }

    /// The files whose name ends with one of `endings`, without their dots.
    pub fn with_ending<'a>(&'a self, endings: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let files = self.files.iter().filter(|(path, _)| ending(path).is_some_and(|found| endings.contains(&found)));
        files.map(|(path, text)| (path.as_str(), text.as_str()))
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> std::io::Result<()> {
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() && !FOLDERS_IGNORED.contains(&name.as_str()) {
                self.read_folder(&entry.path(), &path)?;
            } else if kind.is_file() && is_read(&name) {
                self.files.insert(path, String::from_utf8_lossy(&std::fs::read(entry.path())?).into_owned());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Tree {
    fn from(files: [(&str, &str); N]) -> Self {
        Self { files: files.into_iter().map(|(path, text)| (path.into(), text.into())).collect() }
    }
}

/// The top of the checkout.
pub fn top() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn ending(path: &str) -> Option<&str> {
    Path::new(path).extension()?.to_str()
}

fn is_read(name: &str) -> bool {
    name != "package-lock.json"
        && (NAMES_READ.contains(&name) || ending(name).is_some_and(|ending| ENDINGS_READ.contains(&ending)))
}

/// Panics with the rule's reason and every finding, when there is one.
#[track_caller]
pub fn hold(reason: &str, findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n  why: {reason}\n", findings.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkout_is_read_without_what_is_not_ours() {
        let tree = Tree::read().expect("the checkout can be read");
        assert!(tree.files.contains_key("Makefile"));
        assert!(tree.files.contains_key("tests/tidy.rs"));
        assert!(!tree.files.keys().any(|path| path.contains("target/") || path.contains("node_modules/")));
        assert!(tree.files.contains_key("seams/src/clock.rs"));
        assert!(!tree.files.keys().any(|path| path.ends_with("Cargo.lock") || path.ends_with("package-lock.json")));
    }

    #[test]
    #[should_panic(expected = "why: it hurts")]
    fn a_finding_is_printed_with_its_reason() {
        hold("it hurts", &["here".into()]);
    }
}
