//! Rules on what no text of ours may contain: promises for later, and paths of one developer's machine.
//! Called by `tests/tidy.rs`.

use super::Tree;

/// Why nothing is promised in the code.
pub const PROMISE_REASON: &str =
    "what is not done is listed in README, where users look; a note in the code rots there";
/// Why no path of a machine may stand anywhere.
pub const MACHINE_REASON: &str = "a path of one developer's machine works nowhere else";

/// Written in pieces, so that this file does not find itself.
const PROMISES: [&str; 4] = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X"), concat!("HA", "CK")];
const MACHINE_FOLDERS: [&str; 4] =
    [concat!("/ho", "me/"), concat!("/Us", "ers/"), concat!("/ro", "ot/"), concat!("/wo", "rk/")];

/// Lines with a promise, as a word of its own.
pub fn promises(tree: &Tree) -> Vec<String> {
    find(tree, |line| PROMISES.into_iter().find(|word| words(line).any(|found| found == *word)))
}

/// Lines with an absolute path into somebody's home or work folder.
pub fn machine_paths(tree: &Tree) -> Vec<String> {
    find(tree, |line| {
        MACHINE_FOLDERS.into_iter().find(|folder| {
            // Such a folder within a URL or a relative path is another thing: the path must begin there.
            line.match_indices(folder)
                .any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}>*".contains(c)))
        })
    })
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_')
}

fn find(tree: &Tree, wrong: impl Fn(&str) -> Option<&'static str>) -> Vec<String> {
    let lines =
        tree.files.iter().flat_map(|(path, text)| (1..).zip(text.lines()).map(move |(n, line)| (path, n, line)));
    lines
        .filter_map(|(path, number, line)| wrong(line).map(|what| format!("{path}:{number}: {what}")))
        .collect::<Vec<_>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_found_as_a_word() {
        let tree =
            Tree::from([("a.rs", concat!("fine\n// TO", "DO: later\n")), ("b.sh", concat!("mktemp a.XX", "XXXX\n"))]);
        assert_eq!(promises(&tree), [concat!("a.rs:2: TO", "DO")]);
    }

    #[test]
    fn a_path_of_a_machine_is_found_where_it_begins() {
        let bad = concat!("cd \"/ho", "me/ann/x\"\n/wo", "rk/y\n");
        let good = concat!("https://host/wo", "rk/y\nsrc/wo", "rk/z\n");
        let tree = Tree::from([("bad.sh", bad), ("good.md", good)]);
        assert_eq!(machine_paths(&tree).len(), 2);
        assert!(machine_paths(&tree).iter().all(|finding| finding.starts_with("bad.sh")));
    }
}
