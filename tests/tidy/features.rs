//! The rule on old bugs: their feature is asked for by one command, and by nothing that is released. Called by `tests/tidy.rs`.

use super::Tree;

/// Why that is checked.
pub const REASON: &str = "old bugs are put back to try the simulation; in a release they would be bugs";

/// The feature.
const FEATURE: &str = "old-bugs";
/// Where it is made, the one command that asks for it, and who calls that.
const ALLOWED: [(&str, &str); 4] = [
    ("model/Cargo.toml", "old-bugs = []"),
    ("tests/Cargo.toml", "old-bugs = [\"model/old-bugs\"]"),
    ("Makefile", "--features tests/old-bugs --test all"),
    ("scripts/soak.sh", "make old-bugs"),
];

/// Lines of manifests, scripts and the Makefile that ask for the feature, beside those that may.
pub fn asked_for(tree: &Tree) -> Vec<String> {
    let is_build = |path: &str| {
        path.ends_with(".toml") || path.ends_with(".sh") || path.ends_with("Makefile") || path.ends_with(".yml")
    };
    let mut findings = Vec::new();
    for (path, text) in tree.files.iter().filter(|(path, _)| is_build(path)) {
        for (at, line) in text.lines().enumerate() {
            let asks = line.contains(FEATURE) && !line.trim_start().starts_with('#');
            let names_target = path == "Makefile" && (line.starts_with(".PHONY") || line.starts_with("old-bugs:"));
            let is_allowed = ALLOWED.iter().any(|(known, what)| known == path && line.contains(what));
            if asks && !names_target && !is_allowed {
                findings.push(format!("{path}:{}: asks for {FEATURE}", at + 1));
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_ask_for_it_passes() {
        let tree = Tree::from([
            ("model/Cargo.toml", "[features]\n# of old-bugs\nold-bugs = []"),
            ("Makefile", ".PHONY: old-bugs\nold-bugs: ## find them\n\tcargo test --features tests/old-bugs --test all"),
            ("model/src/old_bugs.rs", "#[cfg(feature = \"old-bugs\")]"),
        ]);
        assert_eq!(asked_for(&tree), Vec::<String>::new());
    }

    #[test]
    fn a_release_that_asks_for_it_is_found() {
        let tree = Tree::from([
            ("cli/Cargo.toml", "model = { workspace = true, features = [\"old-bugs\"] }"),
            ("model/Cargo.toml", "default = [\"old-bugs\"]"),
            ("scripts/build.sh", "cargo build --features old-bugs"),
        ]);
        assert_eq!(asked_for(&tree).len(), 3);
    }
}
