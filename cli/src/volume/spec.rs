//! What people write of a volume, in HCL, as the document that the API takes.
//!
//! ```text
//!   name       = "data"          plugin_id = "mkdir"        # or node_id and host_path, to register a folder
//!   type       = "host"          capacity_min = "10GiB"
//!   capability { access_mode = "single-node-writer"  attachment_mode = "file-system" }
//!   constraint { attribute = "${meta.rack}"  value = "r1" }
//! ```

use std::path::Path;

use hcl::Value as Hcl;
use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::show::text;

/// The most bytes that a file may have.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Attributes that are passed on under another name.
const TEXTS: [(&str, &str); 7] = [
    ("id", "ID"),
    ("name", "Name"),
    ("namespace", "Namespace"),
    ("plugin_id", "PluginID"),
    ("node_pool", "NodePool"),
    ("node_id", "NodeID"),
    ("host_path", "HostPath"),
];
/// Amounts of bytes, with a unit or as a number.
const AMOUNTS: [(&str, &str); 3] = [
    ("capacity_min", "RequestedCapacityMinBytes"),
    ("capacity_max", "RequestedCapacityMaxBytes"),
    ("capacity", "CapacityBytes"),
];
/// What a file may hold besides.
const OTHERS: [&str; 4] = ["type", "capability", "constraint", "parameters"];

/// The volume that a file describes.
pub fn read(file: &Path) -> Result<Value, Failure> {
    let place = file.display().to_string();
    let unreadable = |reason: String| Failure::new(format!("cannot read the volume: {reason}")).at(place.clone());
    let length = std::fs::metadata(file).map_err(|error| unreadable(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(unreadable(format!("it has {length} bytes, the limit is {FILE_BYTES_MAX}")));
    }
    let source = std::fs::read_to_string(file).map_err(|error| unreadable(error.to_string()))?;
    parse(&source, &place)
}

fn parse(source: &str, place: &str) -> Result<Value, Failure> {
    let body: Hcl = hcl::from_str(source).map_err(|error| match error {
        hcl::Error::Parse(error) => {
            let position = error.location();
            Failure::new(error.message()).at(format!("{place}:{}:{}", position.line(), position.column()))
        }
        error => Failure::new(error.to_string()).at(place),
    })?;
    let Hcl::Object(body) = body else { return Err(Failure::new("it describes no volume").at(place)) };
    let known = || TEXTS.iter().chain(&AMOUNTS).map(|(name, _)| *name).chain(OTHERS);
    if let Some(unknown) = body.keys().find(|key| !known().any(|known| known == key.as_str())) {
        let failure = Failure::new(format!("a volume has no `{unknown}`")).at(place);
        return Err(match text::nearest(unknown, known()) {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!("known are {}", known().collect::<Vec<_>>().join(", "))),
        });
    }
    match body.get("type").and_then(Hcl::as_str) {
        Some("host") | None => {}
        Some(other) => {
            let failure = Failure::new(format!("there are no volumes of type {other:?}")).at(place);
            return Err(failure.hint("write: type = \"host\""));
        }
    }
    let mut volume = Map::new();
    for (name, json_name) in TEXTS {
        let Some(value) = body.get(name) else { continue };
        let value = value.as_str().ok_or_else(|| wrong(name, "a text in quotes", place))?;
        volume.insert(json_name.into(), value.into());
    }
    for (name, json_name) in AMOUNTS {
        let Some(value) = body.get(name) else { continue };
        let bytes = bytes(value).ok_or_else(|| wrong(name, "an amount such as \"10GiB\"", place))?;
        volume.insert(json_name.into(), bytes.into());
    }
    let capabilities = blocks(body.get("capability"));
    let capability = |block: &Hcl| json!({ "AccessMode": field(block, "access_mode"), "AttachmentMode": field(block, "attachment_mode") });
    volume.insert("RequestedCapabilities".into(), capabilities.into_iter().map(capability).collect());
    let constraint = |block: &Hcl| {
        let operator = field(block, "operator");
        let operator = if operator.is_empty() { "=".into() } else { operator };
        json!({ "LTarget": field(block, "attribute"), "RTarget": field(block, "value"), "Operand": operator })
    };
    volume.insert("Constraints".into(), blocks(body.get("constraint")).into_iter().map(constraint).collect());
    if let Some(parameters) = body.get("parameters") {
        let parameters = parameters.as_object().ok_or_else(|| wrong("parameters", "a block of texts", place))?;
        let text = |(key, value): (&String, &Hcl)| Some((key.clone(), Value::from(value.as_str()?)));
        let parameters = parameters.iter().map(text).collect::<Option<Map<_, _>>>();
        let parameters = parameters.ok_or_else(|| wrong("parameters", "a block of texts", place))?;
        volume.insert("Parameters".into(), parameters.into());
    }
    Ok(Value::Object(volume))
}

fn wrong(name: &str, wanted: &str, place: &str) -> Failure {
    Failure::new(format!("`{name}` is not {wanted}")).at(place)
}

/// The blocks of a name: one of them, or a list.
fn blocks(value: Option<&Hcl>) -> Vec<&Hcl> {
    match value {
        Some(Hcl::Array(blocks)) => blocks.iter().collect(),
        Some(block) => vec![block],
        None => Vec::new(),
    }
}

fn field(block: &Hcl, name: &str) -> String {
    block.as_object().and_then(|block| block.get(name)).and_then(Hcl::as_str).unwrap_or_default().to_string()
}

/// `10GiB`, `5 GB`, `1024` as bytes.
fn bytes(value: &Hcl) -> Option<u64> {
    if let Some(bytes) = value.as_u64() {
        return Some(bytes);
    }
    let text = value.as_str()?.trim();
    let end = text.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "tb" => 1_000_000_000_000,
        "kib" | "k" => 1 << 10,
        "mib" | "m" => 1 << 20,
        "gib" | "g" => 1 << 30,
        "tib" | "t" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(failure: Failure) -> String {
        anstream::adapter::strip_str(&failure.to_string()).to_string()
    }

    #[test]
    fn a_whole_file_becomes_the_document_of_the_api() {
        let source = r#"
            name = "data"
            type = "host"
            plugin_id = "mkdir"
            node_pool = "default"
            capacity_min = "1GiB"
            capacity_max = 5000000000
            capability {
              access_mode = "single-node-writer"
              attachment_mode = "file-system"
            }
            capability { access_mode = "single-node-reader-only" }
            constraint {
              attribute = "$${meta.rack}"
              value = "r1"
            }
            parameters { mode = "0700" }
        "#;
        let wanted = json!({
            "Name": "data",
            "PluginID": "mkdir",
            "NodePool": "default",
            "RequestedCapacityMinBytes": 1_u64 << 30,
            "RequestedCapacityMaxBytes": 5_000_000_000_u64,
            "RequestedCapabilities": [
                { "AccessMode": "single-node-writer", "AttachmentMode": "file-system" },
                { "AccessMode": "single-node-reader-only", "AttachmentMode": "" },
            ],
            "Constraints": [{ "LTarget": "${meta.rack}", "RTarget": "r1", "Operand": "=" }],
            "Parameters": { "mode": "0700" },
        });
        assert_eq!(parse(source, "a.hcl").map_err(plain), Ok(wanted));
    }

    #[test]
    fn what_a_volume_does_not_have_is_named_with_what_is_near() {
        let error = parse("nmae = \"data\"", "a.hcl").map_err(plain).unwrap_err();
        assert!(error.contains("a volume has no `nmae`") && error.contains("did you mean `name`?"), "{error}");
        let error = parse("type = \"csi\"", "a.hcl").map_err(plain).unwrap_err();
        assert!(error.contains("there are no volumes of type \"csi\""), "{error}");
        let error = parse("capacity_min = \"many\"", "a.hcl").map_err(plain).unwrap_err();
        assert!(error.contains("`capacity_min` is not an amount such as \"10GiB\""), "{error}");
    }

    #[test]
    fn amounts_have_units() {
        for (text, wanted) in [
            ("7", Some(7)),
            ("10GiB", Some(10 << 30)),
            ("5 GB", Some(5_000_000_000)),
            ("1x", None),
            ("", None),
            ("99999999999TiB", None),
        ] {
            assert_eq!(bytes(&Hcl::from(text)), wanted, "{text}");
        }
    }
}
