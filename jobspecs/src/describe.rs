//! The vocabulary as text: a block for people at a terminal, all of it as a page.

use serde_json::Value as Json;

use crate::schema::{self, Block, Field, JOB, Kind, Status, Times};
use crate::{duration, functions, nearest};

/// What may stand in a block, given as a path (`group.task.resources`) or a name alone; if there is none such, the hint.
pub fn describe(block: &str) -> Result<String, Option<String>> {
    let found = find(block).ok_or_else(|| {
        let last = block.rsplit('.').next().unwrap_or(block);
        let names: Vec<&str> = blocks().iter().map(|found| found.block.name).collect();
        nearest::did_you_mean(last, names)
    })?;
    let rows: Vec<Row> = rows(found.block).collect();
    let mut text = format!("{}\n  {}{}\n", found.head(), found.block.doc, not_yet(found.has_effect));
    text.push_str(&format!("  Stands in {}.\n\n", found.place()));
    let width = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    for row in &rows {
        let default = row.default.as_ref().filter(|_| !row.doc.contains("unless given"));
        let default = default.map(|default| format!(", {default} unless given")).unwrap_or_default();
        let effect = not_yet(row.has_effect);
        text.push_str(&format!("  {:width$}  {} ({}{default}){effect}\n", row.name, row.doc, row.kind));
    }
    Ok(text)
}

/// The whole vocabulary as a page in Markdown: every block with its attributes, the drivers' settings, the functions.
pub fn reference() -> String {
    let mut page = String::from(HEAD);
    for found in blocks() {
        page.push_str(&format!("\n### {}\n\n`{}` {}", found.place_of_itself(), found.head(), found.block.doc));
        page.push_str(&format!("{}\n\n", not_yet(found.has_effect)));
        push_table(&mut page, found.block);
    }
    page.push_str("\n## Settings of drivers\n");
    for (driver, block) in schema::SETTINGS {
        page.push_str(&format!("\n### config of {driver}\n\n{}\n\n", block.doc));
        push_table(&mut page, block);
    }
    page.push_str("\n## Functions\n\n");
    let names: Vec<String> = {
        let mut names: Vec<&str> = functions::names().collect();
        names.sort_unstable();
        names.iter().map(|name| format!("`{name}`")).collect()
    };
    page.push_str(&format!("{}\n", names.join(", ")));
    page
}

const HEAD: &str = "\
# The jobspec

Every block and attribute, from the tables that the decoder reads; `sched job spec <block>` shows the same at the terminal.
What has no effect yet is kept with the job, shown by `sched job inspect`, and said with a warning when the job is run.

## Blocks
";

/// A block where it stands.
struct Found {
    /// The names of the blocks around it, from the job on, and its own.
    path: Vec<&'static str>,
    block: &'static Block,
    /// Whether this release acts on it.
    has_effect: bool,
}

impl Found {
    /// How it is opened.
    fn head(&self) -> String {
        let label = match (self.block.label, self.block.label_optional) {
            (None, _) => "",
            (Some(_), false) => " \"name\"",
            (Some(_), true) => " [\"name\"]",
        };
        format!("{}{label} {{ }}", self.block.name)
    }

    /// All blocks in which it may stand.
    fn place(&self) -> String {
        match schema::parents_of(self.block.name, true).as_slice() {
            [] => "a file".into(),
            parents => parents.iter().map(|parent| format!("`{parent}`")).collect::<Vec<_>>().join(", "),
        }
    }

    fn place_of_itself(&self) -> String {
        self.path.join(" > ")
    }
}

/// Every block, each where it stands nearest to the job.
fn blocks() -> Vec<Found> {
    let mut found = vec![Found { path: vec![JOB.name], block: &JOB, has_effect: true }];
    let mut at = 0;
    while at < found.len() {
        let Found { path, block, has_effect } = &found[at];
        let (path, has_effect) = (path.clone(), *has_effect);
        for field in block.fields.iter().filter(|field| !field.name.is_empty()) {
            let Kind::Block(inner, _) = field.kind else { continue };
            // The same table may stand in several blocks; one of the same name with other words is another block.
            if !found.iter().any(|known| std::ptr::eq(known.block, inner)) {
                let path = path.iter().copied().chain([inner.name]).collect();
                found.push(Found { path, block: inner, has_effect: has_effect && field.status == Status::ActedOn });
            }
        }
        at += 1;
    }
    found
}

/// The block at a path from the job, or the nearest of that name.
fn find(path: &str) -> Option<Found> {
    let block = schema::find(path)?;
    blocks().into_iter().find(|found| std::ptr::eq(found.block, block))
}

/// What is said of an attribute or inner block.
struct Row {
    name: &'static str,
    kind: String,
    default: Option<String>,
    doc: &'static str,
    has_effect: bool,
}

fn rows(block: &'static Block) -> impl Iterator<Item = Row> {
    let defaults = block.defaults();
    let fields = block.fields.iter().filter(|field| !field.name.is_empty());
    fields.map(move |field| Row {
        name: field.name,
        kind: kind_of(field),
        default: default_of(field, &defaults),
        doc: field.doc,
        has_effect: field.status == Status::ActedOn,
    })
}

fn kind_of(field: &Field) -> String {
    match field.kind {
        Kind::Block(inner, times) => {
            let labelled = if inner.label.is_some() && !inner.label_optional { " with a name" } else { "" };
            let many = if matches!(times, Times::Many | Times::ByLabel) { ", any number" } else { "" };
            format!("a block{labelled}{many}")
        }
        kind => kind.describe(),
    }
}

/// What a field is when it is not given; none where that is nothing.
fn default_of(field: &Field, defaults: &Json) -> Option<String> {
    match (defaults.get(field.json)?, field.kind) {
        (_, Kind::Block(..)) | (Json::Null | Json::Object(_), _) => None,
        (Json::Number(number), Kind::Duration) => Some(duration::show(number.as_i64()?)),
        (Json::String(text), _) => (!text.is_empty()).then(|| format!("\"{text}\"")),
        (Json::Array(list), _) => (!list.is_empty()).then(|| Json::from(list.clone()).to_string()),
        (value, _) => Some(value.to_string()),
    }
}

fn push_table(page: &mut String, block: &'static Block) {
    page.push_str("| word | holds | default | meaning |\n|---|---|---|---|\n");
    for row in rows(block) {
        let default = row.default.map(|default| format!("`{default}`")).unwrap_or_default();
        let (doc, kind) = (row.doc.replace('|', "\\|"), row.kind.replace('|', "\\|"));
        let effect = not_yet(row.has_effect);
        page.push_str(&format!("| `{}` | {kind} | {default} | {doc}{effect} |\n", row.name));
    }
}

fn not_yet(has_effect: bool) -> &'static str {
    if has_effect { "" } else { " No effect yet." }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_found_by_its_path_and_by_its_name() {
        let resources = describe("group.task.resources").unwrap();
        assert_eq!(describe("resources"), Ok(resources.clone()));
        assert!(resources.starts_with("resources { }\n  What the task needs.\n"), "{resources}");
        assert!(resources.contains("  memory_max  The hard limit in MiB; `memory` unless given."), "{resources}");
        assert_eq!(describe("job").unwrap().lines().next(), Some("job \"name\" { }"));
        assert_eq!(describe("group.task.resorces"), Err(Some("did you mean `resources`?".into())));
        assert_eq!(describe("nothing"), Err(None));
    }

    #[test]
    fn what_has_no_effect_says_so_with_all_that_stands_in_it() {
        assert!(describe("template").unwrap().contains("No effect yet."));
        let change_script = describe("change_script").unwrap();
        assert!(change_script.contains("No effect yet."), "{change_script}");
        assert!(!describe("task").unwrap().lines().nth(1).unwrap().contains("No effect yet."));
    }

    #[test]
    fn defaults_are_those_of_the_model() {
        let update = describe("update").unwrap();
        assert!(update.contains("10m0s unless given") || update.contains("10m unless given"), "{update}");
    }

    /// `docs/jobspec.md` is written by `UPDATE=1`.
    #[test]
    fn the_page_in_docs_is_that_of_the_tables() {
        let path = crate::tests::folder("../docs/jobspec.md");
        crate::tests::check(&path, &reference()).unwrap();
    }
}
