//! Whether a version stands to others as a constraint such as `>= 1.2, < 2` says.
//!
//! `version` reads leniently and takes a pre-release for no release: `1.3.0-beta1` is not `>= 1.0`, only `>= 1.3.0-alpha`.
//! `semver` reads strictly, orders pre-releases before their release as the standard does, and knows no `~>`. Neither
//! looks at what follows a `+`.

use std::cmp::Ordering;

use semver::{Prerelease, Version, VersionReq};

/// How the suffix of a pre-release begins. Any other is what a distribution adds to a release: `5.10.0-28-amd64`.
const PRERELEASES: [&str; 8] = ["alpha", "beta", "rc", "pre", "dev", "snapshot", "nightly", "canary"];

/// Whether `text` is a version that meets all parts of `wanted`.
pub(super) fn matches(text: &str, wanted: &str) -> bool {
    let Some(version) = lenient(text) else { return false };
    wanted.split(',').all(|part| part_matches(&version, part.trim()))
}

/// The same by the strict rules of semantic versions.
pub(super) fn matches_strictly(text: &str, wanted: &str) -> bool {
    let Ok(version) = Version::parse(text) else { return false };
    wanted.split(',').all(|part| {
        let (accepts, wanted) = operator_of(part.trim());
        as_written(wanted).is_some_and(|wanted| accepts(version.cmp_precedence(&wanted)))
    })
}

/// One part of a lenient constraint, such as `>= 1.2` or `~> 1.2.3`.
fn part_matches(version: &Version, part: &str) -> bool {
    if let Some(wanted) = part.strip_prefix("~>") {
        return pessimistic(version, wanted.trim());
    }
    let (accepts, text) = operator_of(part);
    match lenient(text) {
        Some(wanted) => {
            let is_about_order = accepts(Ordering::Less) != accepts(Ordering::Greater);
            (!is_about_order || is_comparable(version, &wanted)) && accepts(version.cmp_precedence(&wanted))
        }
        None => VersionReq::parse(part).is_ok_and(|wanted| wanted.matches(version)),
    }
}

/// A pre-release stands in an order only to those of the same release.
fn is_comparable(version: &Version, wanted: &Version) -> bool {
    let release = |version: &Version| (version.major, version.minor, version.patch);
    version.pre.is_empty() || !wanted.pre.is_empty() && release(version) == release(wanted)
}

type Accepts = fn(Ordering) -> bool;

/// What a part of a constraint begins with, equality where it says nothing, and the rest.
fn operator_of(part: &str) -> (Accepts, &str) {
    let stands = |(prefix, accepts): &(&str, Accepts)| Some((*accepts, part.strip_prefix(prefix)?.trim()));
    ORDERS.iter().find_map(stands).unwrap_or((Ordering::is_eq, part))
}

/// Longer prefixes first, so that `>=` is not taken for `>`.
const ORDERS: [(&str, Accepts); 6] = [
    (">=", Ordering::is_ge),
    ("<=", Ordering::is_le),
    ("!=", Ordering::is_ne),
    (">", Ordering::is_gt),
    ("<", Ordering::is_lt),
    ("=", Ordering::is_eq),
];

/// `~> 1.2.3` allows 1.2.x from 3 on, `~> 1.2` allows 1.x from 2 on.
fn pessimistic(version: &Version, wanted: &str) -> bool {
    let Some(low) = lenient(wanted) else { return false };
    let parts = wanted.split('.').count();
    // A pre-release that is asked for is no release.
    let is_comparable = is_comparable(version, &low) && low.pre.is_empty() == version.pre.is_empty();
    is_comparable
        && version.cmp_precedence(&low).is_ge()
        && version.major == low.major
        && (parts < 3 || version.minor == low.minor)
}

/// A release or a pre-release, without what a distribution adds: `5.10.0-28-amd64`, `v1.2` and `20` read as versions.
fn lenient(text: &str) -> Option<Version> {
    let (core, suffix) = split(text);
    let suffix = suffix.strip_prefix('-').unwrap_or_default();
    let is_prerelease = PRERELEASES.iter().any(|word| suffix.to_ascii_lowercase().starts_with(word));
    with_suffix(core, if is_prerelease { suffix } else { "" })
}

/// With any suffix as a pre-release; missing parts are 0.
fn as_written(text: &str) -> Option<Version> {
    let (core, suffix) = split(text);
    with_suffix(core, suffix.strip_prefix('-').unwrap_or_default())
}

/// The numbers of a version, and what follows them up to a `+`.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim().trim_start_matches('v');
    let text = text.split_once('+').map_or(text, |(version, _)| version);
    text.split_at(text.find('-').unwrap_or(text.len()))
}

fn with_suffix(core: &str, suffix: &str) -> Option<Version> {
    let mut parts = core.split('.').map(|part| part.parse::<u64>().ok());
    let mut version = Version::new(parts.next()??, parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?);
    version.pre = Prerelease::new(suffix).ok()?;
    Some(version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, wanted: &str, is_met: bool) {
        assert_eq!(matches(text, wanted), is_met, "{text} version {wanted}");
    }

    #[track_caller]
    fn check_strictly(text: &str, wanted: &str, is_met: bool) {
        assert_eq!(matches_strictly(text, wanted), is_met, "{text} semver {wanted}");
    }

    #[test]
    fn versions_are_read_leniently() {
        check("5.10.0-28-amd64", ">= 5.9, < 6", true);
        check("20.10.24", "~> 20.10", true);
        check("21.0", "~> 20.10", false);
        check("1.2.9", "~> 1.2.3", true);
        check("1.3.0", "~> 1.2.3", false);
        check("v1.2", "= 1.2.0", true);
        check("1", "~> 1.0", true);
        check("1.4", ">= 1.0, < 1.4", false);
        check("1.4", "!= 1.4.0", false);
        check("abc", "> 1", false);
    }

    #[test]
    fn a_pre_release_is_no_release_and_compares_with_those_of_its_own_only() {
        check("1.3.0-beta1", ">= 0.6.1", false);
        check("1.3.0-beta1", "< 1.4", false);
        check("1.3.0-beta1", "~> 1.0", false);
        check("1.7.0-alpha1", ">= 1.6.0-beta1", false);
        check("1.6.0-rc1", ">= 1.6.0-beta1", true);
        check("1.6.0-alpha1", ">= 1.6.0-beta1", false);
        check("1.6.0", ">= 1.6.0-beta1", true);
        check("1.6.0-beta1", "= 1.6.0-beta1", true);
        check("1.6.0-beta1", "!= 1.6.0", true);
    }

    #[test]
    fn what_a_distribution_adds_makes_no_pre_release() {
        check("5.10.0-28-amd64", ">= 5.10", true);
        check("6.8.0-1021-aws", "= 6.8", true);
        check("5.15.153.1-microsoft-standard-WSL2", "~> 5.15", true);
        check("6.1.0-rc3", ">= 6.0", false);
    }

    #[test]
    fn what_follows_a_plus_is_not_looked_at() {
        check("20.10.24+dfsg1", "= 20.10.24", true);
        check("1.3.0-beta1+ent", "= 1.3.0-beta1", true);
        check_strictly("1.3.0-beta1+ent", "= 1.3.0-beta1", true);
        check_strictly("1.3.0+ent", "> 1.3.0", false);
    }

    #[test]
    fn semver_is_strict() {
        check_strictly("1.2", ">= 1.0.0", false);
        check_strictly("1.2.0", ">= 1.0.0", true);
        check_strictly("1.2.0", ">= 1.0, < 1.2.1", true);
    }

    #[test]
    fn semver_orders_pre_releases_before_their_release() {
        check_strictly("1.3.0-beta1", ">= 0.6.1", true);
        check_strictly("1.7.0-alpha1", ">= 1.6.0-beta1", true);
        check_strictly("1.3.0-beta1", ">= 1.3.0", false);
        check_strictly("1.3.0-beta.2", "< 1.3.0-beta.11", true);
        check_strictly("1.3.0-1", "< 1.3.0", true);
    }

    #[test]
    fn semver_knows_no_pessimistic_operator() {
        check_strictly("1.2.3", "~> 1.0", false);
        check_strictly("1.2.3", "~> 1.2.3", false);
    }
}
