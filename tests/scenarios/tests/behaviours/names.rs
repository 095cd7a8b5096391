//! The behaviours that Nomad's own tests name, each held against a test of ours.
//!
//! `names/*.txt` has one file for each of Nomad's test files. Its first line is that file's path; each line after it is one
//! name and what became of it:
//!
//! ```text
//! scheduler/example_test.go
//! TestOne = done: moves::what_moves_waits, reschedule::tests::the_wait_grows
//! TestTwo = n/a: it looks at a cache that no user sees
//! TestThree = later: needs what is not built yet
//! ```
//!
//! Every name is there.
//!
//! The tests named fail if the behaviour breaks. One is named by its module (the file's name, or the folder's where the
//! file is `tests.rs`) and its function. Lines that begin with `#` say where ours differs on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Names that may stand for nothing a user sees, in all files together.
const NOT_APPLICABLE_MAX: usize = 60;
/// Parts of which a behaviour may come later.
const MAY_COME_LATER: [&str; 5] = ["core_sched", "periodic", "deploymentwatcher", "heartbeat", "drainer"];

/// How many names each of Nomad's test files has.
const PARTS: [(&str, usize); 36] = [
    ("nomad/blocked_evals_test.go", 26),
    ("nomad/core_sched_test.go", 35),
    ("nomad/deploymentwatcher/deployments_watcher_test.go", 28),
    ("nomad/drainer/drain_heap_test.go", 6),
    ("nomad/drainer/drainer_util_test.go", 2),
    ("nomad/drainer/draining_node_test.go", 1),
    ("nomad/drainer/watch_jobs_test.go", 5),
    ("nomad/drainer/watch_nodes_test.go", 6),
    ("nomad/eval_broker_test.go", 27),
    ("nomad/heartbeat_test.go", 11),
    ("nomad/periodic_test.go", 23),
    ("nomad/plan_apply_test.go", 22),
    ("scheduler/annotate_test.go", 5),
    ("scheduler/feasible/context_test.go", 9),
    ("scheduler/feasible/device_test.go", 10),
    ("scheduler/feasible/feasible_test.go", 44),
    ("scheduler/feasible/numa_ce_test.go", 1),
    ("scheduler/feasible/preemption_test.go", 2),
    ("scheduler/feasible/rank_test.go", 24),
    ("scheduler/feasible/select_test.go", 3),
    ("scheduler/feasible/spread_test.go", 6),
    ("scheduler/feasible/stack_test.go", 19),
    ("scheduler/generic_sched_test.go", 84),
    ("scheduler/integration/preemption_test.go", 1),
    ("scheduler/integration/spread_test.go", 3),
    ("scheduler/reconciler/allocs_test.go", 8),
    ("scheduler/reconciler/filters_test.go", 2),
    ("scheduler/reconciler/reconcile_cluster_prop_test.go", 3),
    ("scheduler/reconciler/reconcile_cluster_test.go", 87),
    ("scheduler/reconciler/reconcile_node_prop_test.go", 1),
    ("scheduler/reconciler/reconcile_node_test.go", 9),
    ("scheduler/reconciler/reconnecting_picker_test.go", 4),
    ("scheduler/scheduler_sysbatch_test.go", 24),
    ("scheduler/scheduler_system_test.go", 38),
    ("scheduler/scheduler_test.go", 1),
    ("scheduler/util_test.go", 24),
];
/// What became of a name.
enum Fate {
    /// The tests of ours that fail if it breaks, `module::function`.
    Done(Vec<String>),
    NotApplicable(String),
    Later(String),
}

/// Every name with the file of Nomad's that has it, and what became of it.
fn names() -> Vec<(String, String, Fate)> {
    let mut names = Vec::new();
    for path in files(&home().join("tests/scenarios/names"), "txt") {
        let text = fs::read_to_string(&path).expect("it was listed");
        let mut lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
        let part = lines.next().unwrap_or_default().to_string();
        assert!(part.ends_with("_test.go"), "{} begins with a path: {part:?}", path.display());
        for line in lines {
            let (name, fate) = line.split_once(" = ").unwrap_or_else(|| panic!("{line:?} has no ` = `"));
            names.push((part.clone(), name.trim().to_string(), fate_of(fate)));
        }
    }
    names
}

fn fate_of(text: &str) -> Fate {
    let (kind, rest) = text.split_once(": ").unwrap_or_else(|| panic!("{text:?} is not `done: …` or the like"));
    match kind {
        "done" => Fate::Done(rest.split(',').map(|test| test.trim().to_string()).collect()),
        "n/a" => Fate::NotApplicable(rest.into()),
        "later" => Fate::Later(rest.into()),
        other => panic!("a name is never {other}"),
    }
}

/// The root of the repository.
fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files below `folder` with that ending, in order; what is built or fetched is passed over.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).expect("it is a folder").map(|entry| entry.expect("it can be read").path());
    let mut entries: Vec<_> = entries.collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_string();
        if name.starts_with('.') || ["target", "node_modules"].contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|found| found == ending) {
            found.push(path);
        }
    }
    found
}

/// Every function under `#[test]` in the repository, as `module::function`.
fn tests() -> BTreeSet<String> {
    files(&home(), "rs").iter().flat_map(|path| tests_of(path)).collect()
}

fn tests_of(path: &Path) -> Vec<String> {
    let stem = |path: &Path| path.file_stem().unwrap_or_default().to_string_lossy().to_string();
    let module = match stem(path) {
        tests if tests == "tests" => stem(path.parent().unwrap_or(path)),
        other => other,
    };
    let text = fs::read_to_string(path).expect("it was listed");
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line == "#[test]" || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test && !line.starts_with("//")) {
            let name: String = rest.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect();
            found.push(format!("{module}::{name}"));
            is_test = false;
        }
    }
    found
}

#[test]
fn every_behaviour_that_is_done_names_tests_that_exist() {
    let tests = tests();
    assert!(tests.contains("names::every_behaviour_that_is_done_names_tests_that_exist"));
    let mut missing = Vec::new();
    for (part, name, fate) in names() {
        if let Fate::Done(by) = fate {
            missing.extend(
                by.into_iter().filter(|test| !tests.contains(test)).map(|test| format!("{part} {name}: {test}")),
            );
        }
    }
    assert_eq!(missing, Vec::<String>::new());
}

#[test]
fn no_name_stands_twice() {
    let mut seen = BTreeMap::new();
    for (part, name, _) in names() {
        let before = seen.insert(name.clone(), part.clone());
        assert_eq!(before, None, "{name} of {part} stands twice");
    }
}

#[test]
fn few_names_mean_nothing_to_a_user_and_each_says_why() {
    let reasons: Vec<_> = names()
        .into_iter()
        .filter_map(|(_, name, fate)| match fate {
            Fate::NotApplicable(reason) => Some((name, reason)),
            Fate::Done(_) | Fate::Later(_) => None,
        })
        .collect();
    assert!(reasons.len() <= NOT_APPLICABLE_MAX, "{} names are not applicable", reasons.len());
    let thin = reasons.iter().find(|(_, reason)| reason.split(' ').count() < 4);
    assert!(thin.is_none(), "{thin:?} is no reason");
}

#[test]
fn only_parts_that_may_come_later_do_and_say_why() {
    for (part, name, fate) in names() {
        if let Fate::Later(reason) = fate {
            assert!(MAY_COME_LATER.iter().any(|may| part.contains(may)), "{name} of {part} may not come later");
            assert!(reason.split(' ').count() >= 4, "{name}: {reason} is no reason");
        }
    }
}

#[test]
fn every_name_of_every_part_is_accounted_for() {
    let names = names();
    let mut found: BTreeMap<&str, usize> = PARTS.iter().map(|(part, _)| (*part, 0)).collect();
    for (part, name, _) in &names {
        *found.get_mut(part.as_str()).unwrap_or_else(|| panic!("{name} is of {part}, which is no part")) += 1;
    }
    assert_eq!(found, BTreeMap::from(PARTS));
    assert_eq!(found.values().sum::<usize>(), 604);
}
