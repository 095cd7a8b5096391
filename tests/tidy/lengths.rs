//! The rule on length: a file that needs more than a few screens is usually two. Called by `tests/tidy.rs`.

use super::Tree;

/// Why length is bounded.
pub const REASON: &str =
    "a file is one noun or one verb; beyond the limit it is usually two. A tolerated one may only shrink";
/// The most lines of a file, its tests not counted.
pub const LINES_MAX: usize = 500;
/// Files that are longer, with the lines that they have now. A shorter file lowers its number here or leaves the list.
pub const TOLERATED: [(&str, usize); 1] = [("server/ui/dev/fixture-cluster.mjs", 565)];

const ENDINGS: [&str; 5] = ["rs", "ts", "mjs", "svelte", "sh"];

/// Files beyond the limit, and entries of `tolerated` that are too generous or about nothing.
pub fn findings(tree: &Tree, tolerated: &[(&str, usize)]) -> Vec<String> {
    let mut findings = Vec::new();
    let files = || tree.with_ending(&ENDINGS).filter(|(path, _)| !is_test(path));
    for (path, text) in files() {
        let lines = lines_without_tests(text);
        match tolerated.iter().find(|(name, _)| *name == path) {
            None if lines > LINES_MAX => findings.push(format!("{path}: {lines} lines, at most {LINES_MAX}")),
            Some((_, known)) if lines > *known => findings.push(format!("{path}: grew from {known} to {lines} lines")),
            Some(_) if lines <= LINES_MAX => findings.push(format!("{path}: is short now, take it off the list")),
            Some((_, known)) if lines < *known => findings.push(format!("{path}: shrank, lower {known} to {lines}")),
            _ => {}
        }
    }
    let gone = tolerated.iter().filter(|(name, _)| !files().any(|(path, _)| path == *name));
    findings.extend(gone.map(|(name, _)| format!("{name}: does not exist, take it off the list")));
    findings
}

fn is_test(path: &str) -> bool {
    path.split('/').any(|part| part == "tests" || part == "tests.rs" || part.contains(".test."))
}

/// Lines before the module of tests, which by our rule stands last.
fn lines_without_tests(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let begins_tests =
        |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].trim_start().starts_with("mod tests");
    lines.windows(2).position(begins_tests).unwrap_or(lines.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(lines: usize) -> Tree {
        let text = "x\n".repeat(lines) + "#[cfg(test)]\nmod tests {\n" + &"y\n".repeat(LINES_MAX) + "}\n";
        Tree::from([("a.rs", text.as_str())])
    }

    #[test]
    fn a_file_may_have_as_many_lines_as_the_limit_beside_its_tests() {
        assert_eq!(findings(&tree(LINES_MAX), &[]), Vec::<String>::new());
        assert_eq!(findings(&tree(LINES_MAX + 1), &[]), ["a.rs: 501 lines, at most 500"]);
    }

    #[test]
    fn a_tolerated_file_may_only_shrink() {
        let with = |lines, known| findings(&tree(lines), &[("a.rs", known)]);
        assert_eq!(with(600, 600), Vec::<String>::new());
        assert_eq!(with(601, 600), ["a.rs: grew from 600 to 601 lines"]);
        assert_eq!(with(599, 600), ["a.rs: shrank, lower 600 to 599"]);
        assert_eq!(with(500, 600), ["a.rs: is short now, take it off the list"]);
        assert_eq!(findings(&tree(1), &[("b.rs", 600)]), ["b.rs: does not exist, take it off the list"]);
    }

    #[test]
    fn files_of_tests_are_not_counted() {
        let long = "x\n".repeat(LINES_MAX + 1);
        let tree = Tree::from([("tests/a.rs", long.as_str()), ("a/tests.rs", &long), ("ui.test.mjs", &long)]);
        assert_eq!(findings(&tree, &[]), Vec::<String>::new());
    }
}
