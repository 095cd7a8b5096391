//! Rules on the shape of Rust sources: the essay at the head, no `mod.rs`, and who may speak to the Raft library.
//! Called by `tests/tidy.rs`.

use super::Tree;

/// Why each file has an essay.
pub const HEAD_REASON: &str = "a file begins with `//!`: what it is for, what it does not do, who calls it";
/// Why there is no `mod.rs`.
pub const NO_MOD_REASON: &str = "a module is `foo.rs` beside `foo/`: ten tabs called `mod.rs` tell nobody apart";
/// Why the Raft library has one room.
pub const RAFT_REASON: &str = "only server/src/raft knows the Raft library, so that replacing it touches one folder";

/// Rust files without a `//!` in their first line; inner attributes may stand before it.
pub fn without_head(tree: &Tree) -> Vec<String> {
    let has_head =
        |text: &str| text.lines().find(|line| !line.starts_with("#![")).is_some_and(|l| l.starts_with("//!"));
    tree.with_ending(&["rs"]).filter(|(_, text)| !has_head(text)).map(|(path, _)| format!("{path}: no //!")).collect()
}

/// Files called `mod.rs`.
pub fn named_mod(tree: &Tree) -> Vec<String> {
    let files = tree.files.keys().filter(|path| path.rsplit('/').next() == Some("mod.rs"));
    files.map(|path| format!("{path}: rename to its folder's name")).collect()
}

/// Code outside `server/src/raft` that names the Raft library, and manifests other than the server's.
pub fn raft_elsewhere(tree: &Tree) -> Vec<String> {
    let library = concat!("open", "raft");
    let code = tree.with_ending(&["rs"]).filter(|(path, _)| !path.starts_with("server/src/raft"));
    let manifests = tree.with_ending(&["toml"]).filter(|(path, _)| !["Cargo.toml", "server/Cargo.toml"].contains(path));
    let mut findings = Vec::new();
    for (path, text) in code.chain(manifests) {
        for (number, line) in (1..).zip(text.lines()) {
            let said = line.split("//").next().unwrap_or_default();
            if said.contains(&format!("{library}::")) || said.trim_start().starts_with(&format!("{library}.")) {
                findings.push(format!("{path}:{number}: {}", line.trim()));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_essay_is_found() {
        let tree = Tree::from([
            ("a.rs", "//! Good.\n"),
            ("b.rs", "#![no_std]\n//! Good.\n"),
            ("c.rs", "use x;\n"),
            ("d.rs", ""),
        ]);
        assert_eq!(without_head(&tree), ["c.rs: no //!", "d.rs: no //!"]);
    }

    #[test]
    fn a_mod_file_is_found() {
        let tree = Tree::from([("a/mod.rs", ""), ("a/modern.rs", "")]);
        assert_eq!(named_mod(&tree).len(), 1);
    }

    #[test]
    fn the_raft_library_is_found_outside_its_room() {
        let line = concat!("use open", "raft::Raft;\n");
        let note = concat!("// open", "raft::Raft does it\n");
        let tree = Tree::from([("server/src/raft.rs", line), ("server/src/raft/log.rs", line), ("cli/src/a.rs", note)]);
        assert_eq!(raft_elsewhere(&tree), Vec::<String>::new());
        let tree =
            Tree::from([("server/src/http.rs", line), ("cli/Cargo.toml", concat!("open", "raft.workspace = true"))]);
        assert_eq!(raft_elsewhere(&tree).len(), 2);
    }
}
