//! Amounts as people write them: `cpu=500 mem=2g count=20`, or with commas, in the API's JSON.

use serde_json::{Map, Value};

use crate::failure::Failure;

/// What a word means in the API's JSON.
#[derive(Clone, Copy)]
enum Meaning {
    /// A whole number: MHz, cores, a count.
    Number(&'static str),
    /// MiB, with `m` or without, or `g` and `t`.
    Memory(&'static str),
    /// A text.
    Text(&'static str),
    /// A device, and how many after a colon.
    Device,
}

/// The words of both kinds of amounts.
const COMMON: [(&str, Meaning); 9] = [
    ("cpu", Meaning::Number("CPU")),
    ("mem", Meaning::Memory("MemoryMB")),
    ("memory", Meaning::Memory("MemoryMB")),
    ("disk", Meaning::Memory("DiskMB")),
    ("datacenter", Meaning::Text("Datacenter")),
    ("dc", Meaning::Text("Datacenter")),
    ("pool", Meaning::Text("NodePool")),
    ("class", Meaning::Text("NodeClass")),
    ("count", Meaning::Number("Count")),
];
/// Those of instances.
const OF_ASKS: [(&str, Meaning); 4] = [
    ("memory_max", Meaning::Memory("MemoryMaxMB")),
    ("cores", Meaning::Number("Cores")),
    ("device", Meaning::Device),
    ("driver", Meaning::Text("Driver")),
];
/// Those of nodes.
const OF_NODES: [(&str, Meaning); 1] = [("like", Meaning::Text("Like"))];

/// What instances ask for.
pub fn ask(amounts: &str) -> Result<Value, Failure> {
    read(amounts, &OF_ASKS)
}

/// What nodes have.
pub fn nodes(amounts: &str) -> Result<Value, Failure> {
    let nodes = read(amounts, &OF_NODES)?;
    let has = |field: &str| nodes.get(field).is_some();
    match has("Like") || has("CPU") && has("MemoryMB") {
        true => Ok(nodes),
        false => {
            Err(Failure::new("a node that is added needs `cpu=` and `mem=`, or `like=` with a node of the cluster")
                .at(amounts))
        }
    }
}

fn read(amounts: &str, more: &[(&str, Meaning)]) -> Result<Value, Failure> {
    let mut fields = Map::new();
    for word in amounts.split([' ', ',']).filter(|word| !word.is_empty()) {
        let known = || COMMON.iter().chain(more);
        let hint =
            || format!("known are {}", known().map(|(name, _)| format!("{name}=")).collect::<Vec<_>>().join(", "));
        let wrong = |what: String| Failure::new(what).at(amounts).hint(hint());
        let (name, value) = word.split_once('=').ok_or_else(|| wrong(format!("`{word}` is no `name=value`")))?;
        let meaning = known().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning);
        let number =
            |text: &str| text.parse::<u64>().map_err(|_| wrong(format!("`{name}={value}` is no whole number")));
        let (field, value) = match meaning {
            None => return Err(wrong(format!("nobody knows `{name}`"))),
            Some(Meaning::Number(field)) => (field, number(value)?.into()),
            Some(Meaning::Text(field)) => (field, value.into()),
            Some(Meaning::Memory(field)) => {
                let amount =
                    mib(value).ok_or_else(|| wrong(format!("`{name}={value}` is no amount such as 512m or 2g")));
                (field, amount?.into())
            }
            Some(Meaning::Device) => {
                if let Some((_, count)) = value.split_once(':') {
                    fields.insert("DeviceCount".into(), number(count)?.into());
                }
                ("Device", value.split(':').next().unwrap_or_default().into())
            }
        };
        if fields.insert(field.into(), value).is_some() {
            return Err(wrong(format!("`{name}` is given twice")));
        }
    }
    if fields.is_empty() {
        return Err(Failure::new("no amounts are given").hint("say for example 'cpu=500 mem=2g'"));
    }
    Ok(Value::Object(fields))
}

/// `512`, `512m`, `2g` or `1t` in MiB.
fn mib(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = match &lower[digits.len()..] {
        "" | "m" | "mb" | "mib" => 1,
        "g" | "gb" | "gib" => 1024,
        "t" | "tb" | "tib" => 1024 * 1024,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn amounts_are_words_with_units() {
        let read = ask("cpu=500 mem=2g memory_max=3000 count=20 device=nvidia/gpu:2 dc=dc1").unwrap();
        let wanted = json!({ "CPU": 500, "MemoryMB": 2048, "MemoryMaxMB": 3000, "Count": 20, "Device": "nvidia/gpu",
            "DeviceCount": 2, "Datacenter": "dc1" });
        assert_eq!(read, wanted);
        assert!(nodes("cpu=8000").unwrap_err().to_string().contains("`mem=`"));
        assert_eq!(nodes("like=n1,count=3").unwrap(), json!({ "Like": "n1", "Count": 3 }));
    }

    #[test]
    fn what_nobody_knows_is_named_with_what_is_known() {
        for (amounts, wanted) in [
            ("cpu", "`cpu` is no `name=value`"),
            ("cpu=x", "`cpu=x` is no whole number"),
            ("mem=2q", "`mem=2q` is no amount"),
            ("mem=99999999999999999999g", "is no amount"),
            ("gpu=1", "nobody knows `gpu`"),
            ("mem=1 memory=2", "`memory` is given twice"),
            ("like=n1", "nobody knows `like`"),
            ("", "no amounts are given"),
        ] {
            let failure = ask(amounts).unwrap_err().to_string();
            assert!(failure.contains(wanted), "{amounts}: {failure}");
        }
    }
}
