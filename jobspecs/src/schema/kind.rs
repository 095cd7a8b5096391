//! What a field holds, and how a JSON value becomes one: the same for HCL and for JSON jobspecs.

use serde_json::{Map, Value as Json};

use super::{Block, Times};
use crate::duration;

/// What a field holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A string; numbers and bools are taken as text.
    Text,
    /// A whole number in a range.
    Whole(i64, i64),
    /// A number.
    Number,
    /// True or false.
    Bool,
    /// A duration: text such as `1m30s`, or nanoseconds.
    Duration,
    /// A list of strings.
    Texts,
    /// Strings by name, whose names are the author's own; written as a block or as an attribute.
    TextMap,
    /// Lists of strings by name, as HTTP headers are.
    TextsMap,
    /// Strings by name, once or as a list of such, as some settings of drivers are.
    TextMaps,
    /// A list of whole numbers in a range.
    Wholes(i64, i64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Values by name, whatever the author writes; checked by whoever reads them.
    Free,
    /// An inner block.
    Block(&'static Block, Times),
}

/// Numbers that the model holds in 32 bits.
pub(super) const COUNT: Kind = Kind::Whole(0, u32::MAX as i64);
/// Ports, where 0 is none.
pub(super) const PORT_NUMBER: Kind = Kind::Whole(0, u16::MAX as i64);
/// Amounts of CPU, memory and disk: large enough for any machine, small enough that sums of them do not overflow.
pub(super) const AMOUNT: Kind = Kind::Whole(0, 1 << 40);

impl Kind {
    /// `json` as this kind, with HCL's implicit conversions; else what it must be.
    pub(crate) fn read(&self, json: &Json) -> Result<Json, String> {
        let wrong = || Err(format!("must be {}, this is {}", self.describe(), shown(json)));
        match self {
            Kind::Block(..) => Ok(json.clone()),
            Kind::Free => {
                if json.is_object() {
                    Ok(json.clone())
                } else {
                    wrong()
                }
            }
            Kind::Text => text(json).map_or_else(wrong, |text| Ok(Json::String(text))),
            Kind::Whole(least, most) => {
                let number = match json {
                    Json::String(text) => text.parse::<i64>().ok(),
                    Json::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
                    _ => None,
                };
                number.filter(|number| least <= number && number <= most).map_or_else(wrong, |number| Ok(number.into()))
            }
            Kind::Number => match json {
                Json::Number(_) => Ok(json.clone()),
                Json::String(text) => text.parse::<f64>().map_or_else(|_| wrong(), |number| Ok(number.into())),
                _ => wrong(),
            },
            Kind::Bool => match json {
                Json::Bool(_) => Ok(json.clone()),
                Json::String(text) if text == "true" || text == "false" => Ok((text == "true").into()),
                _ => wrong(),
            },
            Kind::Duration => match json {
                Json::String(text) => match duration::parse(text) {
                    Some(nanoseconds) => Ok(nanoseconds.into()),
                    None => wrong(),
                },
                Json::Number(number) if number.as_i64().is_some_and(|number| number >= 0) => Ok(json.clone()),
                _ => wrong(),
            },
            Kind::Texts => match json {
                Json::Array(list) => {
                    let texts: Option<Vec<String>> = list.iter().map(text).collect();
                    texts.map_or_else(wrong, |texts| Ok(texts.into()))
                }
                _ => wrong(),
            },
            Kind::TextMap => entries(json, |value| text(value).map(Json::String)).map_or_else(wrong, Ok),
            Kind::TextsMap => entries(json, |value| match value {
                Json::Array(_) => Kind::Texts.read(value).ok(),
                single => text(single).map(|text| Json::Array(vec![text.into()])),
            })
            .map_or_else(wrong, Ok),
            Kind::TextMaps => match json {
                Json::Array(list) => {
                    let maps: Result<Vec<Json>, String> = list.iter().map(|map| Kind::TextMap.read(map)).collect();
                    maps.map_or_else(|_| wrong(), |maps| Ok(maps.into()))
                }
                map => Kind::TextMap.read(map).or_else(|_| wrong()),
            },
            Kind::Wholes(least, most) => match json {
                Json::Array(list) => {
                    let one = Kind::Whole(*least, *most);
                    let numbers: Result<Vec<Json>, String> = list.iter().map(|number| one.read(number)).collect();
                    numbers.map_or_else(|_| wrong(), |numbers| Ok(numbers.into()))
                }
                _ => wrong(),
            },
            Kind::Choice(words) => match json {
                // Clients send an empty word for what they leave open.
                Json::String(text) if text.is_empty() => Ok(Json::Null),
                Json::String(text) if words.contains(&text.as_str()) => Ok(json.clone()),
                // So many words are for a hint.
                _ if words.len() > 8 => Err(format!("can't be {}", shown(json))),
                _ => wrong(),
            },
        }
    }

    /// The kind in words: "must be …".
    pub(crate) fn describe(&self) -> String {
        match self {
            Kind::Text => "a string".into(),
            Kind::Whole(least, most) => format!("a whole number{}", range(*least, *most)),
            Kind::Number => "a number".into(),
            Kind::Bool => "true or false".into(),
            Kind::Duration => "a duration such as \"30s\" or \"1h30m\"".into(),
            Kind::Texts => "a list of strings".into(),
            Kind::TextMap => "strings by name".into(),
            Kind::TextsMap => "lists of strings by name".into(),
            Kind::TextMaps => "strings by name, or a list of such".into(),
            Kind::Wholes(least, most) => format!("a list of whole numbers{}", range(*least, *most)),
            Kind::Choice(words) => format!("one of {}", words.join(", ")),
            Kind::Free => "values by name".into(),
            Kind::Block(..) => "a block".into(),
        }
    }
}

/// A range in words; bounds that only guard the model's types are no news.
fn range(least: i64, most: i64) -> String {
    match (least > i64::from(i32::MIN), most < i64::from(i32::MAX)) {
        (true, true) => format!(" from {least} to {most}"),
        (true, false) => format!(" from {least} up"),
        (false, true) => format!(" up to {most}"),
        (false, false) => String::new(),
    }
}

fn text(json: &Json) -> Option<String> {
    match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(_) | Json::Bool(_) => Some(json.to_string()),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

fn whole(real: f64) -> Option<i64> {
    (real.fract() == 0.0 && real.abs() < 9e15).then_some(real as i64)
}

/// Each value of an object converted; nulls are left out.
fn entries(json: &Json, convert: impl Fn(&Json) -> Option<Json>) -> Option<Json> {
    let object = json.as_object()?;
    let mut converted = Map::new();
    for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        converted.insert(key.clone(), convert(value)?);
    }
    Some(Json::Object(converted))
}

/// A value for a message: what it is, and itself if that is short.
fn shown(json: &Json) -> String {
    match json {
        Json::Null => "null".into(),
        Json::Bool(bool) => bool.to_string(),
        Json::Number(number) => number.to_string(),
        Json::String(text) if text.chars().count() <= 40 => format!("{text:?}"),
        Json::String(_) => "a long string".into(),
        Json::Array(_) => "a list".into(),
        Json::Object(_) => "an object".into(),
    }
}
