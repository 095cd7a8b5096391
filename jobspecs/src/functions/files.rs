//! Functions of files and paths. Files are read only through the [`Files`] that the caller allows.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Arguments, Called, Failure, Function, check_size};
use crate::inputs::Files;
use crate::value::Value;

pub(super) const TABLE: &[Function] = &[
    Function { name: "basename", arity: (1, Some(1)), call: basename, doc: "the last part of a path" },
    Function { name: "dirname", arity: (1, Some(1)), call: dirname, doc: "a path without its last part" },
    Function { name: "file", arity: (1, Some(1)), call: file, doc: "the text of a file" },
    Function { name: "filebase64", arity: (1, Some(1)), call: filebase64, doc: "the bytes of a file in base64" },
    Function { name: "fileexists", arity: (1, Some(1)), call: fileexists, doc: "whether there is a file" },
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
    arguments.files.ok_or_else(|| Failure::of("files can't be read here, only where the job is submitted from"))
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
