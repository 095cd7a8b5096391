//! Functions of files and paths. Files are read only through the [`Files`] that the caller allows.

mod glob;

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Arguments, Called, Failure, Function, check_size};
use crate::inputs::{EntryKind, Files};
use crate::value::Value;
use glob::Part;

pub(super) const TABLE: &[Function] = &[
    Function { name: "abspath", arity: (1, Some(1)), call: abspath, doc: "a path from the root" },
    Function { name: "basename", arity: (1, Some(1)), call: basename, doc: "the last part of a path" },
    Function { name: "dirname", arity: (1, Some(1)), call: dirname, doc: "a path without its last part" },
    Function { name: "file", arity: (1, Some(1)), call: file, doc: "the text of a file" },
    Function { name: "filebase64", arity: (1, Some(1)), call: filebase64, doc: "the bytes of a file in base64" },
    Function { name: "fileexists", arity: (1, Some(1)), call: fileexists, doc: "whether there is a file" },
    Function { name: "fileset", arity: (2, Some(2)), call: fileset, doc: "the files in a folder that match a pattern" },
    Function {
        name: "pathexpand",
        arity: (1, Some(1)),
        call: pathexpand,
        doc: "a path with the user's folder for its `~`",
    },
];

fn basename(arguments: &mut Arguments<'_>) -> Called {
    let path = arguments.text(0)?;
    let trimmed = path.trim_end_matches('/');
    Ok(Value::text(match (path.is_empty(), trimmed.is_empty()) {
        (true, _) => ".",
        (false, true) => "/",
        (false, false) => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }))
}

fn dirname(arguments: &mut Arguments<'_>) -> Called {
    let path = arguments.text(0)?;
    Ok(Value::text(match path.rsplit_once('/') {
        None => ".",
        Some((folder, _)) if folder.trim_end_matches('/').is_empty() => "/",
        Some((folder, _)) => folder.trim_end_matches('/'),
    }))
}

fn allowed<'a>(arguments: &Arguments<'a>) -> Called<&'a dyn Files> {
    arguments.outside.files.ok_or_else(|| Failure::of("files can't be read here, only where the job is submitted from"))
}

fn read(arguments: &Arguments<'_>) -> Called<Vec<u8>> {
    let bytes = allowed(arguments)?.read(&arguments.text(0)?).map_err(|problem| Failure::at(0, problem))?;
    check_size(bytes.len())?;
    Ok(bytes)
}

fn file(arguments: &mut Arguments<'_>) -> Called {
    let text = String::from_utf8(read(arguments)?);
    text.map(Value::Text).map_err(|_| Failure::at(0, "the file is not UTF-8; `filebase64` reads any file"))
}

fn filebase64(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::Text(STANDARD.encode(read(arguments)?)))
}

fn fileexists(arguments: &mut Arguments<'_>) -> Called {
    Ok(Value::Bool(allowed(arguments)?.exists(&arguments.text(0)?)))
}

fn abspath(arguments: &mut Arguments<'_>) -> Called {
    let folder = allowed(arguments)?.current_folder().map_err(Failure::of)?;
    let path = arguments.text(0)?;
    let path = if path.starts_with('/') { path } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Ok(Value::Text(format!("/{}", parts.join("/"))))
}

fn pathexpand(arguments: &mut Arguments<'_>) -> Called {
    expanded(arguments).map(Value::Text)
}

/// The first argument with the user's folder in place of a `~` at its front.
fn expanded(arguments: &Arguments<'_>) -> Called<String> {
    let files = allowed(arguments)?;
    let path = arguments.text(0)?;
    match path.strip_prefix('~') {
        None => Ok(path),
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            Ok(files.home_folder().map_err(Failure::of)?.trim_end_matches('/').to_string() + rest)
        }
        Some(_) => Err(Failure::at(0, "the folders of other users are not known")),
    }
}

/// What it costs to read a folder, and each entry in it.
const FOLDER_COST: u64 = 2000;
const ENTRY_COST: u64 = 100;

fn fileset(arguments: &mut Arguments<'_>) -> Called {
    let files = allowed(arguments)?;
    let folder = expanded(arguments)?;
    let patterns = glob::parse(&arguments.text(1)?).map_err(|problem| Failure::at(1, problem))?;
    let mut found = BTreeSet::new();
    for pattern in &patterns {
        gather(arguments, files, &folder, "", pattern, &mut found)?;
    }
    Ok(Value::List(found.into_iter().map(Value::Text).collect()))
}

/// Adds the files below `within`, a folder in `folder`, that match the rest of a pattern.
fn gather(
    arguments: &Arguments<'_>,
    files: &dyn Files,
    folder: &str,
    within: &str,
    pattern: &[Part],
    found: &mut BTreeSet<String>,
) -> Called<()> {
    let Some((part, rest)) = pattern.split_first() else { return Ok(()) };
    if matches!(part, Part::Folders) {
        gather(arguments, files, folder, within, rest, found)?;
    }
    let path = match (folder, within) {
        ("", "") => ".".to_string(),
        ("", path) | (path, "") => path.to_string(),
        (folder, within) => format!("{folder}/{within}"),
    };
    let entries = files.list(&path).map_err(|problem| Failure::at(0, format!("{path}: {problem}")))?;
    arguments.spend(FOLDER_COST + entries.len() as u64 * ENTRY_COST)?;
    for entry in entries {
        let inside = if within.is_empty() { entry.name.clone() } else { format!("{within}/{}", entry.name) };
        match (part, entry.kind) {
            // A link may lead back, so `**` does not follow it.
            (Part::Folders, EntryKind::Folder) => gather(arguments, files, folder, &inside, pattern, found)?,
            (Part::Folders, EntryKind::File | EntryKind::FolderByLink) => {}
            (Part::Name(name), kind) if name.is_match(&entry.name) => match kind {
                EntryKind::File if rest.is_empty() => {
                    found.insert(inside);
                }
                EntryKind::File => {}
                EntryKind::Folder | EntryKind::FolderByLink => {
                    gather(arguments, files, folder, &inside, rest, found)?;
                }
            },
            (Part::Name(_), _) => {}
        }
    }
    Ok(())
}
