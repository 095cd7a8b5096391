//! The rule on README: what it points to exists. Addresses on the network are not tried. Called by `tests/tidy.rs`.

use super::Tree;

/// Why links are checked.
pub const REASON: &str = "README is the first thing that a newcomer trusts; a dead link is a lie on the first page";

/// Links of `README.md` to files that `exists` does not know, and to headings that README does not have.
pub fn dead(tree: &Tree, exists: impl Fn(&str) -> bool) -> Vec<String> {
    let Some(text) = tree.files.get("README.md") else { return vec!["README.md: does not exist".into()] };
    let anchors: Vec<String> = text.lines().filter_map(|line| line.strip_prefix('#')).map(anchor).collect();
    let is_alive = |target: &str| match target.split_once('#') {
        _ if target.contains("://") => true,
        Some(("", heading)) => anchors.iter().any(|anchor| anchor == heading),
        Some((path, _)) => exists(path),
        None => exists(target),
    };
    targets(text)
        .filter(|target| !is_alive(target))
        .map(|target| format!("README.md: ({target}) leads nowhere"))
        .collect()
}

/// What stands in the parentheses of `[text](target)`.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target)
}

/// A heading as its link names it: lower case, dashes for spaces, no other signs.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<String> {
        dead(&Tree::from([("README.md", text)]), |path| path == "Makefile")
    }

    #[test]
    fn living_links_pass() {
        assert_eq!(of("# A, b!\n[x](Makefile) [y](#a-b) ![z](https://example.org/z.png)"), Vec::<String>::new());
    }

    #[test]
    fn dead_links_are_found() {
        assert_eq!(of("[x](gone.md)\n[y](#gone)").len(), 2);
        assert_eq!(dead(&Tree::default(), |_| true), ["README.md: does not exist"]);
    }
}
