//! The corpus: jobspecs that use all of the vocabulary, with the JSON that they stand for.
//!
//! `tests/corpus/*.json` is written from the reference, never by `UPDATE`, and `tests/corpus/reference.txt` lists every
//! block, attribute and function of the reference: the tables must know each, and some file of the corpus use it.

use std::collections::BTreeSet;
use std::fs;

use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Body, Structure};
use serde_json::Value as Json;

use super::{check_all, files, folder, parse_file};
use crate::functions::names;
use crate::schema::{Block, JOB, Kind, driver};

#[test]
fn the_corpus_gives_the_json_of_the_reference() {
    check_all(files("tests/corpus").iter().map(|path| {
        let expected: Json = serde_json::from_str(&fs::read_to_string(path.with_extension("json")).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_string_lossy();
        let parsed = parse_file(path).map_err(|errors| errors.render(false))?;
        let actual = serde_json::json!({ "Job": parsed.job });
        let mut different = Vec::new();
        compare("", &expected, &actual, &mut different);
        if different.is_empty() { Ok(()) } else { Err(format!("{name}:\n{}", different.join("\n"))) }
    }));
}

/// The places at which two documents differ.
fn compare(path: &str, expected: &Json, actual: &Json, different: &mut Vec<String>) {
    match (expected, actual) {
        (Json::Object(expected), Json::Object(actual)) => {
            for key in expected.keys().chain(actual.keys()).collect::<BTreeSet<_>>() {
                match (expected.get(key), actual.get(key)) {
                    (Some(expected), Some(actual)) => compare(&format!("{path}.{key}"), expected, actual, different),
                    (expected, actual) => {
                        different.push(format!("{path}.{key}: expected {expected:?}, got {actual:?}"))
                    }
                }
            }
        }
        (Json::Array(expected), Json::Array(actual)) if expected.len() == actual.len() => {
            for (at, (expected, actual)) in expected.iter().zip(actual).enumerate() {
                compare(&format!("{path}[{at}]"), expected, actual, different);
            }
        }
        _ if expected == actual => {}
        _ => different.push(format!("{path}: expected {expected}, got {actual}")),
    }
}

/// The listed paths.
fn reference() -> Vec<String> {
    let text = fs::read_to_string(folder("tests/corpus/reference.txt")).unwrap();
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(String::from).collect()
}

#[test]
fn the_tables_know_all_of_the_reference() {
    let unknown: Vec<String> = reference().into_iter().filter(|path| !is_known(path)).collect();
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

fn is_known(path: &str) -> bool {
    let (first, rest) = path.split_once('.').unwrap_or((path, ""));
    match first {
        "job" if rest.is_empty() => true,
        "job" => is_known_in(&JOB, rest),
        "function" => names().any(|name| name == rest),
        // What stands beside the job, and blocks that make blocks, are in no table: that they are used is tested below.
        "dynamic" | "locals" | "variable" | "variables" => true,
        _ => false,
    }
}

fn is_known_in(block: &Block, path: &str) -> bool {
    let (name, rest) = path.split_once('.').unwrap_or((path, ""));
    match (block.field(name).map(|field| field.kind), rest) {
        (None, _) => false,
        (Some(_), "") => true,
        (Some(Kind::Block(inner, _)), rest) => is_known_in(inner, rest),
        (Some(Kind::Free), rest) if name == "config" => {
            let (name, setting) = rest.split_once('.').unwrap_or((rest, ""));
            driver(name).is_some_and(|table| setting.is_empty() || is_known_in(table, setting))
        }
        (Some(_), _) => false,
    }
}

#[test]
fn the_corpus_uses_all_of_the_reference() {
    let reference = reference();
    let mut used = BTreeSet::new();
    for path in files("tests/corpus") {
        let text = fs::read_to_string(path).unwrap();
        let functions = reference.iter().filter_map(|path| path.strip_prefix("function."));
        used.extend(functions.filter(|name| text.contains(&format!("{name}("))).map(|name| format!("function.{name}")));
        if let Ok(body) = hcl_edit::parser::parse_body(&text) {
            note_body(&body, "", "", &mut used);
        }
    }
    let unused: Vec<String> = reference.into_iter().filter(|path| !used.contains(path)).collect();
    assert!(unused.is_empty(), "{}", unused.join("\n"));
}

/// Notes all that stands in a body. `driver` is that of the task around it.
fn note_body(body: &Body, path: &str, driver: &str, used: &mut BTreeSet<String>) {
    let own = body.get_attribute("driver").and_then(|driver| driver.value.as_str());
    let driver = own.unwrap_or(driver);
    for structure in body.iter() {
        match structure {
            Structure::Attribute(attribute) => {
                let path = below(path, attribute.key.as_str(), driver);
                used.insert(path.clone());
                note_value(&attribute.value, &path, driver, used);
            }
            Structure::Block(block) if block.ident.as_str() == "dynamic" => {
                note_body(&block.body, "dynamic", driver, used);
                used.insert("dynamic".into());
                let made = block.labels.first().map(|label| below(path, label.as_str(), driver)).unwrap_or_default();
                for content in block.body.get_blocks("content") {
                    used.insert(made.clone());
                    note_body(&content.body, &made, driver, used);
                }
            }
            Structure::Block(block) => {
                let path = below(path, block.ident.as_str(), driver);
                used.insert(path.clone());
                note_body(&block.body, &path, driver, used);
            }
        }
    }
}

/// Blocks may be written as objects and lists of them.
fn note_value(value: &Expression, path: &str, driver: &str, used: &mut BTreeSet<String>) {
    match value {
        Expression::Object(object) => {
            for (key, value) in object.iter() {
                let key = match key {
                    ObjectKey::Ident(ident) => ident.as_str().to_string(),
                    ObjectKey::Expression(key) => key.as_str().unwrap_or_default().to_string(),
                };
                let path = below(path, &key, driver);
                used.insert(path.clone());
                note_value(value.expr(), &path, driver, used);
            }
        }
        Expression::Array(items) => items.iter().for_each(|item| note_value(item, path, driver, used)),
        _ => {}
    }
}

/// The path of what stands under a path: a lone task has a group around it, and drivers their own settings.
fn below(path: &str, name: &str, driver: &str) -> String {
    match path {
        "" => name.to_string(),
        "job.task" => format!("job.group.task.{name}"),
        "job.group.task.config" => format!("{path}.{driver}.{name}"),
        _ => format!("{path}.{name}"),
    }
}
