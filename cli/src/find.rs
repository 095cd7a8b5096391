//! From what people type to the one thing that they mean: names, eight digits, prefixes.
//!
//! An exact name or id wins; otherwise exactly one thing must begin with what was given. Several are listed, none is
//! answered with the nearest name.

mod allocation;
mod deployment;
mod job;
mod node;
mod volume;

pub use allocation::{allocation, allocation_of_job};
pub use deployment::deployment;
pub use job::{job, job_and_group};
pub use node::{local_node, node};
pub use volume::{volume, volume_claim};

/// What came of looking for a name.
#[derive(Debug, PartialEq)]
enum Found<T> {
    /// It means this one.
    One(T),
    /// It may mean any of these.
    Several(Vec<T>),
    /// Nothing is called so.
    None,
}

/// The one thing for which `exact` holds, or else the one for which `loose` holds.
fn pick<T>(things: Vec<T>, exact: impl Fn(&T) -> bool, loose: impl Fn(&T) -> bool) -> Found<T> {
    let (mut matching, rest): (Vec<T>, Vec<T>) = things.into_iter().partition(exact);
    if matching.is_empty() {
        matching = rest.into_iter().filter(loose).collect();
    }
    match matching.len() {
        0 => Found::None,
        1 => Found::One(matching.swap_remove(0)),
        _ => Found::Several(matching),
    }
}

/// Whether it can be the beginning of an id: at least two hex digits, with or without dashes.
fn looks_like_id(text: &str) -> bool {
    text.len() >= 2 && text.chars().all(|character| character.is_ascii_hexdigit() || character == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exact_name_wins_over_longer_ones() {
        let found =
            |given: &str| pick(vec!["web", "web-2", "db"], |name| *name == given, |name| name.starts_with(given));
        assert_eq!(found("web"), Found::One("web"));
        assert_eq!(found("we"), Found::Several(vec!["web", "web-2"]));
        assert_eq!(found("d"), Found::One("db"));
        assert_eq!(found("x"), Found::None);
    }
}
