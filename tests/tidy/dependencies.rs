//! Rules on who may depend on whom: the arrows between the rooms, what the pure crates may use, and what they must not
//! reach even through others. Called by `tests/tidy.rs`.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Why arrows point one way.
pub const ARROWS_REASON: &str = "model <- jobspecs, seams <- proto, the cores <- server, client-agent <- cli <- tests; server \
    and agent meet only in proto";
/// Why the pure crates have a list.
pub const PURE_REASON: &str =
    "a pure crate decides: what it may use is on a list, so that a clock or a socket cannot slip in";
/// Why some libraries are banned from the pure crates however they arrive.
pub const REACH_REASON: &str =
    "with no runtime, network or random source in reach, the same input decides the same everywhere";

/// Which crates of ours each crate of ours may use, in the product or to build it.
pub const ARROWS: [(&str, &[&str]); 13] = [
    ("model", &[]),
    ("jobspecs", &["model"]),
    ("proto", &["model", "seams"]),
    ("seams", &["model"]),
    ("server-core", &["model"]),
    ("client-agent-core", &["model"]),
    ("server", &["model", "jobspecs", "proto", "seams", "server-core"]),
    ("client-agent", &["model", "proto", "seams", "client-agent-core"]),
    ("cli", &["model", "jobspecs", "proto", "seams", "server-core", "server", "client-agent-core", "client-agent"]),
    ("basket", &[]),
    ("invariants", &["model", "server-core"]),
    ("scenarios", &["model", "server-core", "invariants"]),
    ("reference", &["model", "server-core", "invariants", "scenarios"]),
];
/// The crates that may use all others, and that none may use.
const ABOVE_ALL: [&str; 2] = ["tests", "core-bench"];

/// What the pure crates may use beside crates of ours.
pub const PURE: [(&str, &[&str]); 4] = [
    ("model", &["blake3", "rmp-serde", "serde", "serde_json", "thiserror", "uuid"]),
    (
        "jobspecs",
        &[
            "base64",
            "bcrypt",
            "hcl-edit",
            "hcl-rs",
            "jiff",
            "md-5",
            "miette",
            "num-bigint",
            "regex",
            "saphyr-parser",
            "serde",
            "serde_json",
            "sha1",
            "sha2",
            "thiserror",
            "uuid",
        ],
    ),
    ("server-core", &["blake3", "regex", "rmp-serde", "semver", "serde", "serde_json", "thiserror"]),
    ("client-agent-core", &["serde", "thiserror"]),
];

/// What the pure crates must not reach. `imbl` brings a random source.
pub const BANNED: [&str; 10] =
    ["tokio", "tonic", "axum", "hyper", "bollard", concat!("open", "raft"), "rand", "rand_core", "getrandom", "imbl"];

/// The direct dependencies of each crate of the workspace.
pub struct Graph {
    uses: BTreeMap<String, Vec<Use>>,
}

struct Use {
    name: String,
    is_dev: bool,
}

impl Graph {
    /// Asks cargo.
    pub fn read() -> Result<Self, String> {
        let metadata = cargo(&["metadata", "--format-version", "1", "--no-deps"])?;
        Self::parse(&metadata).ok_or_else(|| "cargo metadata has another shape than expected".into())
    }

    fn parse(metadata: &str) -> Option<Self> {
        let metadata: Value = serde_json::from_str(metadata).ok()?;
        let mut uses = BTreeMap::new();
        for package in metadata["packages"].as_array()? {
            let of_package: Option<Vec<Use>> = package["dependencies"].as_array()?.iter().map(Use::parse).collect();
            uses.insert(package["name"].as_str()?.to_string(), of_package?);
        }
        Some(Self { uses })
    }

    /// Arrows between crates of ours that `ARROWS` does not have; crates that it does not know.
    pub fn wrong_arrows(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for (name, uses) in self.uses.iter().filter(|(name, _)| !ABOVE_ALL.contains(&name.as_str())) {
            let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| known == name) else {
                findings.push(format!("{name}: a crate without a place; give it one in ARROWS"));
                continue;
            };
            for used in uses.iter().filter(|used| self.uses.contains_key(&used.name)) {
                if !allowed.contains(&used.name.as_str()) {
                    findings.push(format!("{name} -> {}", used.name));
                }
            }
        }
        findings
    }

    /// What a pure crate uses beyond its list. What its tests use is their affair.
    pub fn beyond_lists(&self) -> Vec<String> {
        let mut findings = Vec::new();
        for (name, allowed) in PURE {
            let Some(uses) = self.uses.get(name) else {
                findings.push(format!("{name}: no such crate; take it off PURE"));
                continue;
            };
            let others = uses.iter().filter(|used| !used.is_dev && !self.uses.contains_key(&used.name));
            let beyond = others.filter(|used| !allowed.contains(&used.name.as_str()));
            findings.extend(beyond.map(|used| format!("{name} uses {}", used.name)));
        }
        findings
    }
}

impl Use {
    fn parse(dependency: &Value) -> Option<Self> {
        let is_dev = dependency["kind"].as_str() == Some("dev");
        Some(Self { name: dependency["name"].as_str()?.to_string(), is_dev })
    }
}

/// What the pure crates reach of `BANNED`, however far away, in the product.
pub fn banned_in_reach() -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for (name, _) in PURE {
        let reached = cargo(&["tree", "-p", name, "-e", "normal", "--prefix", "none", "--format", "{p}"])?;
        findings.extend(banned_among(&reached).into_iter().map(|banned| format!("{name} reaches {banned}")));
    }
    Ok(findings)
}

/// The banned ones among lines such as `serde v1.0.0 (*)`.
fn banned_among(lines: &str) -> BTreeSet<&str> {
    let names = lines.lines().filter_map(|line| line.split_whitespace().next());
    names.filter(|name| BANNED.contains(name)).collect()
}

fn cargo(arguments: &[&str]) -> Result<String, String> {
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(program).args(arguments).arg("--locked").current_dir(super::top()).output();
    let output = output.map_err(|error| format!("cargo did not start: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo {}: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)));
    }
    String::from_utf8(output.stdout).map_err(|_| "cargo answered in another encoding than UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(crates: &[(&str, &[(&str, bool)])]) -> Graph {
        let uses_of =
            |uses: &[(&str, bool)]| uses.iter().map(|&(name, is_dev)| Use { name: name.into(), is_dev }).collect();
        Graph { uses: crates.iter().map(|&(name, uses)| (name.to_string(), uses_of(uses))).collect() }
    }

    #[test]
    fn an_arrow_that_points_back_is_found() {
        let graph =
            graph(&[("model", &[("server", true)]), ("server", &[("model", false)]), ("tests", &[("server", false)])]);
        assert_eq!(graph.wrong_arrows(), ["model -> server"]);
    }

    #[test]
    fn a_crate_without_a_place_is_found() {
        assert_eq!(graph(&[("extra", &[])]).wrong_arrows().len(), 1);
    }

    #[test]
    fn a_pure_crate_is_held_to_its_list_but_its_tests_are_not() {
        let pure: [(&str, &[(&str, bool)]); 4] = [
            ("model", &[("serde", false), ("proptest", true), ("rand", false)]),
            ("jobspecs", &[("model", false)]),
            ("server-core", &[]),
            ("client-agent-core", &[]),
        ];
        assert_eq!(graph(&pure).beyond_lists(), ["model uses rand"]);
    }

    #[test]
    fn a_banned_library_is_found_in_the_tree() {
        assert_eq!(banned_among("serde v1.0.0\nrandom v1.0.0\nrand v0.9.0 (*)\n"), BTreeSet::from(["rand"]));
    }
}
